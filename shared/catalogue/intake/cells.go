package intake

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/typed"
)

// fault names a cell of the row and what is wrong with it.
func (r Row) fault(c column, code, text string, args fail.Args) Fault {
	return Fault{Line: r.Line, Column: r.column(c), Field: fail.At("", code, text, args)}
}

func (r Row) missing(c column) Fault { return r.fault(c, "field_required", "This is required.", nil) }

// product reads the fields that stand in a product's first row only.
func (r Row) product() (catalogue.Product, *Fault) {
	p := catalogue.Product{ID: productID(r.Handle()), Title: typed.TidyLine(r.cell(title)), Body: Clean(r.cell(body)),
		Vendor: typed.TidyLine(r.cell(vendor)), Type: typed.TidyLine(r.cell(kind))}
	var f Fault
	switch {
	case yes(r.cell(giftCard)):
		f = r.fault(giftCard, "gift_card", "Gift cards are money, not goods: this shop does not sell them. {product} was left out.", fail.Args{"product": clip(r.Handle())})
		return p, &f
	case !catalogue.ValidID(p.ID):
		f = r.fault(handle, "handle_unusable", "{handle} cannot become a product's id: letters and digits, at most 120 bytes.", fail.Args{"handle": clip(r.Handle())})
		return p, &f
	case p.Title == "":
		f = r.missing(title)
		return p, &f
	}
	var problem *Fault
	p.Status, problem = r.status()
	return p, problem
}

// fitting takes out of a product what is too long or too much of it, and says so: tags, and the end of its description.
func (r Row) fitting(p *catalogue.Product) (notes []Fault) {
	note := func(c column, code, text string, args fail.Args) { notes = append(notes, r.fault(c, code, text, args)) }
	for tag := range strings.SplitSeq(r.cell(tags), ",") {
		tag = typed.TidyLine(tag)
		switch {
		case tag == "" || slices.Contains(p.Tags, tag):
		case utf8.RuneCountInString(tag) > catalogue.MaxTag:
			note(tags, "tag_left_out", "The tag {tag} has more than {limit} characters. It was left out.", fail.Args{"tag": clip(tag), "limit": catalogue.MaxTag})
		case len(p.Tags) == catalogue.MaxTags:
			note(tags, "tags_many", "Only the first {limit} tags were taken.", fail.Args{"limit": catalogue.MaxTags})
			return append(notes, r.shortBody(p)...)
		default:
			p.Tags = append(p.Tags, tag)
		}
	}
	return append(notes, r.shortBody(p)...)
}

// shortBody leaves out the end of a description that is too long.
func (r Row) shortBody(p *catalogue.Product) []Fault {
	if len(p.Body) <= catalogue.MaxBody {
		return nil
	}
	p.Body = cut(p.Body, catalogue.MaxBody)
	return []Fault{r.fault(body, "body_long", "The description has more than {limit} bytes. Its end was left out.", fail.Args{"limit": catalogue.MaxBody})}
}

// idOf is what handles of one product have in common, in whatever letter case and form of Unicode.
func idOf(handle string) string { return norm.NFC.String(strings.ToLower(typed.TidyLine(handle))) }

// productID is the handle as a product's id, in the composed form of Unicode in which people type addresses. One that is
// too long is shortened and told apart by its hash, and one with marks that do not fit an address becomes a slug.
func productID(handle string) string {
	id := idOf(handle)
	if catalogue.ValidID(id) {
		return id
	}
	if short := shorten(id, catalogue.MaxID); catalogue.ValidID(short) {
		return short
	}
	return shorten(Slug(handle), catalogue.MaxID)
}

// status is whether shoppers see the product: its Status, unless it is not published.
func (r Row) status() (catalogue.Status, *Fault) {
	out := catalogue.Active
	switch strings.ToLower(r.cell(status)) {
	case "", "active":
	case "draft", "unlisted":
		out = catalogue.Draft
	case "archived":
		out = catalogue.Archived
	default:
		f := r.fault(status, "status_unknown", "One of active, draft, archived.", nil)
		return "", &f
	}
	switch cell := r.cell(published); {
	case cell == "", yes(cell):
		return out, nil
	case no(cell):
		if out == catalogue.Active {
			out = catalogue.Draft
		}
		return out, nil
	default:
		f := r.fault(published, "published_unknown", "{value} says neither yes nor no. Write TRUE or FALSE.", fail.Args{"value": clip(cell)})
		return "", &f
	}
}

// Excel writes the two truth values in the language of whoever saves the file. Source: Microsoft's translations of the
// functions TRUE and FALSE.
var (
	trueWords = []string{"true", "1", "yes", "y", "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar", "sand", "sann", "sant", "tosi", "prawda",
		"pravda", "igaz", "doğru", "dogru", "истина", "істина", "αληθησ", "αληθής", "adevărat", "adevarat", "真", "是", "예", "참", "tõene", "istina", "istinito", "tačno", "resnično", "patiess", "tiesa", "cert", "egia", "вярно",
		"правда", "はい", "benar", "đúng"}
	falseWords = []string{"false", "0", "no", "n", "falsch", "faux", "falso", "onwaar", "falsk", "usann", "falskt", "epätosi", "fałsz", "nepravda", "hamis",
		"yanlış", "yanliş", "yanlis", "ложь", "хибність", "ψευδησ", "ψευδής", "fals", "假", "否", "väär", "vale", "laž", "neistinito", "netačno", "neresnično", "aplams", "netiesa", "gezurra", "невярно",
		"неправда", "아니요", "거짓", "いいえ", "salah", "sai"}
)

func yes(cell string) bool { return oneOf(trueWords, cell) }
func no(cell string) bool  { return oneOf(falseWords, cell) }

// oneOf compares without letter case and width.
func oneOf(words []string, cell string) bool {
	cell = typed.Code(cell)
	return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(typed.Code(w), cell) })
}

var optionColumns = [catalogue.MaxOptions][2]column{{option1Name, option1Value}, {option2Name, option2Value}, {option3Name, option3Value}}

// option is something that a product's variants differ in, and the column of its values.
type option struct {
	name  string
	value column
}

// options are what the product's variants differ in, as the row of the first variant has it; none for a product with one
// variant. Names that are missing there stand in the product's first row.
func (r Row) options(first Row) (out []option) {
	for i, c := range optionColumns {
		name, value := typed.TidyLine(cmp.Or(r.cell(c[0]), first.cell(c[0]))), r.cell(c[1])
		switch {
		case value == defaultTitle:
			return out
		case name == "" && value == "":
		default:
			out = append(out, option{cmp.Or(name, "Option "+strconv.Itoa(i+1)), c[1]})
		}
	}
	return out
}

// hasVariant tells a row of a variant from one that only adds a picture.
func (r Row) hasVariant() bool {
	return r.cell(option1Value) != "" || r.cell(variantSKU) != "" || r.cell(variantPrice) != ""
}

// variant reads a variant and its quantity.
func (r Row) variant(product string, options []option, c money.Currency) (v catalogue.Variant, quantity int64, _ *Fault) {
	for _, o := range options {
		value := typed.TidyLine(r.cell(o.value))
		if value == "" {
			f := r.missing(o.value)
			return v, 0, &f
		}
		v.Options = append(v.Options, value)
	}
	v.Title, v.SKU = strings.Join(v.Options, " / "), seen(r.cell(variantSKU))
	if v.SKU == "" {
		v.SKU = SKU(product, v.Options)
	}
	if r.cell(variantPrice) == "" {
		f := r.missing(variantPrice)
		return v, 0, &f
	}
	var f *Fault
	if v.Price, f = r.price(variantPrice, c); f != nil {
		return v, 0, f
	}
	if v.CompareAt, f = r.price(variantCompareAt, c); f != nil {
		return v, 0, f
	}
	if v.CompareAt.Minor <= v.Price.Minor {
		v.CompareAt = money.Amount{} // no reduction: shops export 0 or the price itself
	}
	if v.Grams, f = r.grams(); f != nil {
		return v, 0, f
	}
	if quantity, f = r.quantity(); f != nil {
		return v, 0, f
	}
	if v.StockPolicy, _, f = r.stockPolicy(quantity); f != nil {
		return v, 0, f
	}
	lone := catalogue.Product{ID: product, Title: "-", Status: catalogue.Active, Variants: []catalogue.Variant{v}}
	return v, quantity, r.check(lone, c)
}

// seen is an SKU without the characters in it that show nothing, which copying leaves behind.
func seen(sku string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if typed.Unseen(r) && r != '\n' && r != '\r' && r != '\t' { // a line end in an SKU is a fault of the file
			return -1
		}
		return r
	}, sku))
}

func (r Row) price(column column, c money.Currency) (money.Amount, *Fault) {
	cell := r.cell(column)
	if cell == "" {
		return money.Amount{}, nil
	}
	amount, err := money.ParseDecimal(cell, c)
	if e, refused := errors.AsType[*fail.Error](err); refused {
		f := r.fault(column, e.Code, e.Text, e.Args)
		return amount, &f
	}
	return amount, nil
}

// maxGrams bounds a weight: ten tonnes.
const maxGrams = 10_000_000

func (r Row) grams() (int64, *Fault) {
	cell := r.cell(variantGrams)
	if cell == "" {
		return 0, nil
	}
	grams, err := strconv.ParseFloat(cell, 64)
	if err != nil || math.IsNaN(grams) || grams < 0 || grams > maxGrams {
		f := r.fault(variantGrams, "out_of_range", "Between {low} and {high}.", fail.Args{"low": 0, "high": maxGrams})
		return 0, &f
	}
	return int64(math.Round(grams)), nil
}

// stockPolicy is when a variant can be ordered, and how sure the file is of it.
//
// A blank tracker means that nobody counts the pieces, so a variant without any is always for sale. Yet shops leave the
// tracker blank and give a quantity all the same, and Shopify's own samples do: a quantity is taken at its word, and its
// variant is sold until it is used up. A file without the tracker's column says nothing about it.
func (r Row) stockPolicy(quantity int64) (catalogue.StockPolicy, Tracking, *Fault) {
	tracked, asked := r.cell(variantTracker) != "", r.rows.at[variantTracker] >= 0
	switch policy := strings.ToLower(r.cell(variantPolicy)); {
	case !slices.Contains([]string{"", "deny", "continue", "false", "true"}, policy):
		f := r.fault(variantPolicy, "inventory_policy_unknown", "{value} is not a policy: deny or continue.", fail.Args{"value": clip(policy)})
		return "", Said, &f
	case asked && !tracked && quantity == 0:
		return catalogue.Untracked, Unsaid, nil
	case policy == "continue", policy == "true":
		return catalogue.Continue, Said, nil
	case tracked:
		return catalogue.Tracked, Said, nil
	case policy == "":
		return catalogue.Tracked, Unsaid, nil
	default:
		return catalogue.Tracked, Denied, nil
	}
}

// quantity is how many pieces there are. Fewer than none means that another shop has oversold: there is nothing to
// put on the shelf, and nothing wrong with the product.
func (r Row) quantity() (int64, *Fault) {
	cell := r.cell(variantQuantity)
	if cell == "" {
		return 0, nil
	}
	whole, decimals, _ := strings.Cut(cell, ".") // programs that count in fractions write 5.0
	if strings.Trim(decimals, "0") == "" {
		cell = whole
	}
	n, err := strconv.ParseInt(cell, 10, 64)
	if err != nil || n > catalogue.MaxStock {
		f := r.fault(variantQuantity, "quantity_malformed", "{value} is not a whole number of pieces up to {high}.", fail.Args{"value": clip(cell), "high": catalogue.MaxStock})
		return 0, &f
	}
	return max(0, n), nil
}

// image reads the row's picture, if it has one. position is 0 when the file gives none.
func (r Row) image() (image catalogue.Image, position int, _ *Fault) {
	src, f := r.picture(imageSrc)
	if src == "" || f != nil {
		return image, 0, f
	}
	position, _ = strconv.Atoi(r.cell(imagePosition)) // one that is no number only loses its place
	alt := []rune(typed.TidyLine(r.cell(imageAlt)))
	return catalogue.Image{Src: src, Alt: string(alt[:min(len(alt), 500)])}, position, nil
}

// picture is the address of a picture in a cell; empty when there is none.
func (r Row) picture(c column) (string, *Fault) {
	src := secure(r.cell(c))
	if src != "" && (!catalogue.ValidImage(src) || strings.HasPrefix(src, "/")) {
		f := r.fault(c, "image_form", "A picture's https address of at most 1,000 bytes, with a description of at most 500 characters.", nil)
		return "", &f
	}
	return src, nil
}

// unsafeInAddress are characters that people leave in the addresses of pictures and that no page may hold there, with
// what addresses write for them.
var unsafeInAddress = strings.NewReplacer(" ", "%20", "\"", "%22", "'", "%27", "<", "%3C", ">", "%3E", "\\", "%5C", "^", "%5E", "`", "%60",
	"{", "%7B", "|", "%7C", "}", "%7D")

// secure asks for a picture over https: pages of the store load nothing else, and every picture host answers it.
func secure(src string) string {
	src = unsafeInAddress.Replace(src)
	scheme, rest, found := strings.Cut(src, "//")
	switch strings.ToLower(scheme) {
	case "", "http:", "https:":
		if found {
			return "https://" + rest
		}
	}
	return src
}

// checked is the column whose cell each part of a product comes from.
var checked = []struct {
	location string
	column   column
}{
	{"body.id", handle}, {"body.title", title}, {"body.body", body}, {"body.vendor", vendor}, {"body.type", kind}, {"body.tags", tags},
	{"body.images", imageSrc}, {"body.variants[0].sku", variantSKU}, {"body.variants[0].price", variantPrice},
	{"body.variants[0].title", option1Value},
}

// check holds what was read against the rules that every product keeps.
func (r Row) check(p catalogue.Product, c money.Currency) *Fault {
	err := p.Validate(c)
	if err == nil {
		return nil
	}
	e, ok := err.(*fail.Error)
	if !ok || len(e.Fields) == 0 {
		f := r.fault(handle, "product_unusable", "This product cannot be used.", nil)
		return &f
	}
	// Validate looks at some fields in no fixed order; the same file gives the same answer.
	field := slices.MinFunc(e.Fields, func(a, b fail.Field) int { return strings.Compare(a.Location, b.Location) })
	f := Fault{Line: r.Line, Field: field}
	f.Location = ""
	for _, part := range checked {
		if strings.HasPrefix(field.Location, part.location) {
			f.Column = r.column(part.column)
		}
	}
	return &f
}

// clip shortens what a message repeats of a cell.
func clip(cell string) string {
	if utf8.RuneCountInString(cell) > 40 {
		return string([]rune(cell)[:40]) + "…"
	}
	return cell
}
