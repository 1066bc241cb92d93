package orderform

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/locale"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/web"
)

// Data is everything the form shows and sends.
type Data struct {
	Language locale.Language
	Asked    locale.Language // of ?lang=, "" when the browser's own settings decide
	Quote    ordering.Quote
	Key      string   // idempotency key, fresh for every form
	Tokens   []string // signed link tokens that the shopper's pages carried, oldest first
	Handle   string   // the storefront that the basket belongs to
	Payments []string // names of providers, in the order they are offered
	Values   Values   // what was filled in before
	Problems Problems // what has to be corrected
}

// Values are what a shopper filled in.
type Values struct {
	Contact ordering.Contact
	Address ordering.Address
	KOCCode string
	Payment string
}

// FreshKey is an idempotency key for one form: 128 random bits.
func FreshKey() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// WithoutCode is the name of the button that orders without the typed code and keeps everything else. ToldCode is the
// field with the code that the form has called nobody's: it is pointed out once, and must not cost a sale.
const (
	WithoutCode = "withoutCode"
	ToldCode    = "toldCode"
)

// Problems is what is wrong with a form: in general, and by field.
type Problems struct {
	General []string
	Fields  map[string]string // by the form's own field names, such as contact.phone
	Codes   map[string]string // what is wrong there, for programs
}

// ProblemsOf says a refusal in the caller's language, sorted by the form's fields.
func ProblemsOf(r *http.Request, err error) Problems {
	said := web.ProblemFor(r, err)
	p := Problems{Fields: map[string]string{}, Codes: map[string]string{}}
	for _, e := range said.Errors {
		name, inBody := strings.CutPrefix(e.Location, "body.")
		if !inBody || !slices.Contains(fields, name) || p.Fields[name] != "" {
			p.General = append(p.General, e.Message)
			continue
		}
		p.Fields[name] = e.Message
	}
	var refused *fail.Error
	if errors.As(err, &refused) {
		for _, f := range refused.Fields {
			p.Codes[strings.TrimPrefix(f.Location, "body.")] = f.Code
		}
	}
	if refused == nil || len(refused.Fields) == 0 || len(p.General) > 0 {
		p.General = slices.Insert(p.General, 0, said.Detail)
	}
	return p
}

// Any reports whether anything is wrong.
func (p Problems) Any() bool { return len(p.General)+len(p.Fields) > 0 }

// fields are the visible fields of the form.
var fields = []string{"contact.name", "contact.phone", "contact.email", "address.country", "address.region", "address.city",
	"address.district", "address.division", "address.line1", "address.postcode", "kocCode", "payment"}

func (d Data) l() *locale.Locale { return locale.For(d.Language) }

// action is where the form goes; the language that was asked for goes along.
func (d Data) action() string {
	if d.Asked == "" {
		return "/orders"
	}
	return "/orders?lang=" + url.QueryEscape(string(d.Asked))
}

// BasketValue is a line as forms and addresses carry it: sku*quantity.
func BasketValue(b ordering.BasketLine) string {
	return b.SKU + "*" + strconv.FormatInt(b.Quantity, 10)
}

// ReadBasketValue reads what BasketValue has written. The SKU may hold the mark itself: the last one counts. An amount that
// is no number is reported as false, and so is text without any.
func ReadBasketValue(text string) (ordering.BasketLine, bool) {
	at := max(strings.LastIndex(text, "*"), 0)
	n, err := strconv.ParseInt(strings.TrimPrefix(text[at:], "*"), 10, 64)
	return ordering.BasketLine{SKU: text[:at], Quantity: n}, err == nil
}

func (d Data) lines() []string {
	out := make([]string, len(d.Quote.Lines))
	for i, l := range d.Quote.Lines {
		out[i] = BasketValue(ordering.BasketLine{SKU: l.SKU, Quantity: l.Quantity})
	}
	return out
}

func (d Data) expect() string { return strconv.FormatInt(d.Quote.Total.Minor, 10) }

// goods is what the lines cost together, before discount, shipping and tax.
func goods(q ordering.Quote) money.Amount {
	return money.Of(q.Total.Minor-q.Shipping.Minor-q.Tax.Minor+q.Discount.Minor, q.Total.Currency)
}

// payment is the chosen payment: the one filled in before, else the first.
func (d Data) payment() string {
	if slices.Contains(d.Payments, d.Values.Payment) || len(d.Payments) == 0 {
		return d.Values.Payment
	}
	return d.Payments[0]
}

// countries are those whose name the form knows in every language, the likely ones first. Another one can be ordered
// to through the API.
var countries = []string{"CN", "HK", "MO", "TW", "SG", "MY", "JP", "KR", "TH", "VN", "ID", "PH", "AU", "NZ", "US", "CA", "GB", "IE", "FR", "DE", "NL", "ES", "IT"}

func (d Data) country() string {
	if d.Values.Address.Country == "" {
		return "CN"
	}
	return d.Values.Address.Country
}

func (d Data) countries() []string {
	if c := d.country(); !slices.Contains(countries, c) {
		return append(slices.Clone(countries), c)
	}
	return countries
}

func (d Data) countryName(code string) string {
	if id := "checkout.country_" + code; d.l().Has(id) {
		return d.l().T(id)
	}
	return code
}

func (d Data) paymentText(name, part string) string {
	if id := "checkout.payment_" + name + part; d.l().Has(id) {
		return d.l().T(id)
	}
	if part != "" {
		return ""
	}
	return name
}

// input is one text field.
type input struct {
	name, label, value string
	kind               string // type of the input element
	mode               string // keyboard that phones show
	autocomplete       string
	limit              int
	required           bool
	pattern            string
	hint               string
	width              string // "half" of a row even on a phone, "wide" a whole one everywhere; "" a half where there is room
}

func (d Data) contactInputs() []input {
	c, t := d.Values.Contact, d.l().T
	return []input{
		{name: "contact.name", label: t("checkout.name"), value: c.Name, autocomplete: "name", limit: 60, required: true, width: "wide"},
		{name: "contact.phone", label: t("checkout.phone"), value: c.Phone, kind: "tel", mode: "tel", autocomplete: "tel", limit: 30},
		{name: "contact.email", label: t("checkout.email"), value: c.Email, kind: "email", mode: "email", autocomplete: "email", limit: 254,
			hint: t("checkout.contact_hint")},
	}
}

func (d Data) addressInputs() []input {
	a, t := d.Values.Address, d.l().T
	return []input{
		{name: "address.region", label: t("checkout.region"), value: a.Region, autocomplete: "address-level1", width: "half", limit: 60},
		{name: "address.city", label: t("checkout.city"), value: a.City, autocomplete: "address-level2", width: "half", limit: 60, required: true},
		{name: "address.district", label: t("checkout.district"), value: a.District, autocomplete: "address-level3", width: "half", limit: 60},
		{name: "address.postcode", label: t("checkout.postcode"), value: a.Postcode, mode: "text", autocomplete: "postal-code", width: "half", limit: 11},
		{name: "address.line1", label: t("checkout.line1"), value: a.Line1, autocomplete: "address-line1", limit: 200, required: true, width: "wide"},
		{name: "address.division", label: t("checkout.division"), value: a.Division, mode: "numeric", autocomplete: "off", limit: 6,
			pattern: "[0-9]{6}", hint: t("checkout.division_hint"), width: "wide"},
	}
}

func (d Data) codeInput() input {
	return input{name: "kocCode", label: d.l().T("checkout.koc_code"), value: d.Values.KOCCode, autocomplete: "off", limit: koc.MaxTyped,
		hint: d.l().T("checkout.koc_code_hint"), width: "wide"}
}

// nobodysCode reports whether the typed code was refused because it names nobody, so that the order may leave it out.
func (d Data) nobodysCode() bool { return d.Problems.Codes["kocCode"] == "koc_code_unknown" }

func (i input) id() string { return strings.ReplaceAll(i.name, ".", "-") }

func (i input) typeOf() string {
	if i.kind == "" {
		return "text"
	}
	return i.kind
}

// described names the elements that explain a field to screen readers.
func (d Data) described(i input) string {
	var ids []string
	if d.Problems.Fields[i.name] != "" {
		ids = append(ids, i.id()+"-error")
	}
	if i.hint != "" {
		ids = append(ids, i.id()+"-hint")
	}
	return strings.Join(ids, " ")
}

// labelOf is a field's label, for the list of what has to be corrected.
func (d Data) labelOf(name string) string {
	for _, i := range append(append(d.contactInputs(), d.addressInputs()...), d.codeInput()) {
		if i.name == name {
			return i.label
		}
	}
	if name == "address.country" {
		return d.l().T("checkout.country")
	}
	return d.l().T("checkout.how")
}

// optional reports whether a field may stay empty. Of phone and e-mail one is needed, which their hint says.
func (i input) optional() bool {
	return !i.required && i.name != "contact.phone" && i.name != "contact.email"
}
