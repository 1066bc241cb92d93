package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"

	"yundian/shared/attribution"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/orderform"
	"yundian/shared/ordering"
	"yundian/shared/web"
)

// orderRequest is the body of an order and of a quote. It names no price: prices are the shop's.
type orderRequest struct {
	Tokens  []string         `json:"tokens"`
	KOCCode string           `json:"kocCode"`
	Coupon  string           `json:"coupon"`
	Lines   []lineRequest    `json:"lines"`
	Contact ordering.Contact `json:"contact"`
	Address ordering.Address `json:"address"`
	Payment string           `json:"payment"`
	Expect  *expectation     `json:"expect"`
}

// expectation is the total that the shopper saw. Both parts are needed: a missing amount is not an amount of 0.
type expectation struct {
	Amount   *int64         `json:"amount"`
	Currency money.Currency `json:"currency"`
}

type lineRequest struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// basket is the request's lines as the domain knows them.
func (q orderRequest) basket() []ordering.BasketLine {
	out := make([]ordering.BasketLine, len(q.Lines))
	for i, l := range q.Lines {
		out[i] = ordering.BasketLine{SKU: l.SKU, Quantity: l.Quantity}
	}
	return out
}

// coded is the KOC whose code was typed or pasted, "" when none can be read.
func (q orderRequest) coded() string {
	if utf8.RuneCountInString(q.KOCCode) > koc.MaxTyped {
		return ""
	}
	handle, _ := koc.ReadHandle(q.KOCCode)
	return handle
}

// check refuses what is wrong whatever the state of the shop, apart from lines, contact and address, which the domain checks.
func (q orderRequest) check() error {
	var f []fail.Field
	if len(q.Tokens) > ordering.MaxTokens {
		f = append(f, fail.At("body.tokens", "too_many", "At most {limit} entries.", fail.Args{"limit": ordering.MaxTokens}))
	}
	for i, t := range q.Tokens {
		if len(t) > attribution.MaxToken {
			f = append(f, fail.At(fmt.Sprintf("body.tokens[%d]", i), "too_long", "At most {limit} characters.", fail.Args{"limit": attribution.MaxToken}))
		}
	}
	if utf8.RuneCountInString(q.KOCCode) > koc.MaxTyped {
		f = append(f, fail.At("body.kocCode", "too_long", "At most {limit} characters.", fail.Args{"limit": koc.MaxTyped}))
	}
	if q.Coupon != "" {
		f = append(f, fail.At("body.coupon", "coupon_refused", "This coupon cannot be used.", nil))
	}
	if q.Expect != nil && q.Expect.Amount == nil {
		f = append(f, fail.At("body.expect.amount", "required", "This is required.", nil))
	}
	if q.Expect != nil && q.Expect.Currency == "" {
		f = append(f, fail.At("body.expect.currency", "required", "This is required.", nil))
	}
	return fail.NewFields(f)
}

// readOrder reads an order or quote from a form or from JSON, with its idempotency key ("" when there is none) and
// the hash of what it says.
func readOrder(r *http.Request) (q orderRequest, key, hash string, err error) {
	if web.IsForm(r) {
		form, err := web.Form(r)
		if err != nil {
			return q, "", "", err
		}
		q, err = orderFromForm(form)
		return q, form.Get("key"), web.FormHash(form, "key", "lang"), err
	}
	if err = web.Decode(r, &q, web.MaxJSON); err != nil {
		return q, "", "", err
	}
	if hash, err = web.ValueHash(q); err != nil {
		return q, "", "", err
	}
	key, err = web.IdempotencyKey(r)
	return q, key, hash, err
}

// formFields are the fields of the order form. Another field is refused, because it would be one that a shopper's
// browser did not get from us.
var formFields = map[string]func(q *orderRequest, value string){
	"kocCode":          func(q *orderRequest, v string) { q.KOCCode = v },
	"coupon":           func(q *orderRequest, v string) { q.Coupon = v },
	"payment":          func(q *orderRequest, v string) { q.Payment = v },
	"contact.name":     func(q *orderRequest, v string) { q.Contact.Name = v },
	"contact.phone":    func(q *orderRequest, v string) { q.Contact.Phone = v },
	"contact.email":    func(q *orderRequest, v string) { q.Contact.Email = v },
	"address.country":  func(q *orderRequest, v string) { q.Address.Country = v },
	"address.region":   func(q *orderRequest, v string) { q.Address.Region = v },
	"address.city":     func(q *orderRequest, v string) { q.Address.City = v },
	"address.district": func(q *orderRequest, v string) { q.Address.District = v },
	"address.division": func(q *orderRequest, v string) { q.Address.Division = v },
	"address.line1":    func(q *orderRequest, v string) { q.Address.Line1 = v },
	"address.postcode": func(q *orderRequest, v string) { q.Address.Postcode = v },
}

// withoutCode is the button that orders without the typed code, toldCode the one of which the form has said that it names
// nobody.
const (
	withoutCode = orderform.WithoutCode
	toldCode    = orderform.ToldCode
)

func orderFromForm(form url.Values) (orderRequest, error) {
	q := orderRequest{Tokens: form["token"]}
	var f []fail.Field
	for name, values := range form {
		set, known := formFields[name]
		switch {
		case known && len(values) == 1:
			set(&q, values[0])
		case known:
			f = append(f, fail.At("body."+name, "field_twice", "This is given twice.", nil))
		case name == withoutCode, name == toldCode, name == "token", name == "line", name == "key", name == "lang", name == "expect", name == "expectCurrency", name == "handle":
		default:
			f = append(f, fail.At("body."+clipName(name), "field_unknown", "There is no such field.", nil))
		}
	}
	// The code named nobody, which the shopper has been told: it is left out with the button for that, or sent as it was.
	if form.Has(withoutCode) || q.KOCCode != "" && form.Get(toldCode) == q.KOCCode {
		q.KOCCode = ""
	}
	for i, line := range form["line"] {
		b, ok := orderform.ReadBasketValue(line)
		if !ok {
			f = append(f, fail.At(fmt.Sprintf("body.lines[%d].quantity", i), "field_type", "This has the wrong type or is out of range.", nil))
		}
		q.Lines = append(q.Lines, lineRequest(b))
	}
	if expect := form.Get("expect"); expect != "" {
		minor, err := strconv.ParseInt(expect, 10, 64)
		if err != nil {
			f = append(f, fail.At("body.expect", "field_type", "This has the wrong type or is out of range.", nil))
		}
		q.Expect = &expectation{&minor, money.Currency(form.Get("expectCurrency"))}
	}
	return q, fail.NewFields(f)
}

func clipName(name string) string {
	if r := []rune(name); len(r) > 40 {
		return string(r[:40])
	}
	return name
}
