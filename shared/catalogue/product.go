// Package catalogue is what the brand sells: products, their variants, and how many of each there are.
package catalogue

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/shop"
	"yundian/shared/typed"
)

// Status says whether shoppers can see a product.
type Status string

const (
	Active   Status = "active"
	Draft    Status = "draft"
	Archived Status = "archived"
)

// Limits of one product.
const (
	MaxVariants = 250
	MaxImages   = 50
	MaxTags     = 50
	MaxTag      = 100 // characters of one tag
	MaxOptions  = 3
	MaxBody     = 32 * 1024 // bytes of cleaned HTML
	MaxText     = 250_000   // bytes of all its texts: the store keeps 400 KB as one item, field names included
)

// Product is one thing on the shelf, in one or more variants.
type Product struct {
	ID        string // lower-case letters, digits and hyphens; the handle of an imported product
	Version   int64
	Title     string
	Body      string // cleaned HTML, see Clean
	Scene     string // how the product is used in life (场景), plain text
	Vendor    string
	Type      string
	Tags      []string
	Status    Status
	Options   []string // names of what variants differ in: Size, Colour
	Variants  []Variant
	Removed   []Variant `json:",omitzero"` // variants that were taken off, the latest last; of each only what it is known by
	Images    []Image
	UpdatedAt time.Time
}

// StockPolicy says when a variant can be ordered.
type StockPolicy string

const (
	Tracked   StockPolicy = ""          // while pieces are there
	Continue  StockPolicy = "continue"  // also when none are there: what is ordered then is owed, and shipped when it is here
	Untracked StockPolicy = "untracked" // always: nobody counts what there is, only what is ordered
)

// Variant is what can be put into a basket, named by its SKU. Its id is given when it is first saved and never changes:
// SKU, title and options can all be renamed, and what was received and sold stays with it.
type Variant struct {
	ID        string
	SKU       string
	Title     string   // "Small / Red"; empty when the product has only one variant
	Options   []string // one value per name in Product.Options
	Price     money.Amount
	CompareAt money.Amount // the earlier, higher price; zero when there is none
	Image     string       // its own picture, or empty
	Grams     int64

	StockPolicy StockPolicy `json:",omitzero"`
}

// Image is a picture kept as a link to where it already is.
type Image struct {
	Src string `json:"src"`
	Alt string `json:"alt,omitempty"`
}

// Sellable is a SKU as checkout sees it: enough of its product to price and freeze a line, and its stock.
type Sellable struct {
	SKU       string
	VariantID string
	Product   string
	Title     string // of the product
	Variant   string // title of the variant
	Price     money.Amount
	Image     string
	Tags      []string
	Status    Status // Active only when product and variant can both be bought

	StockPolicy StockPolicy
	Stock       Stock
}

// Orderable is how many pieces can be ordered now.
func (s Sellable) Orderable() int64 {
	if s.StockPolicy == Tracked {
		return s.Stock.Available
	}
	return MaxStock
}

// Owing is how many of so many pieces would be owed if they were ordered now.
func (s Sellable) Owing(pieces int64) int64 {
	if s.StockPolicy == Continue {
		return max(0, pieces-s.Stock.Available)
	}
	return 0
}

// Stock counts one variant. Available + Reserved + Sold = Received − WrittenOff + Owed, and none is negative. Owed are the
// pieces that were ordered before they were there; a receipt pays them first, so there are none while pieces are available.
// Of an untracked variant every piece counts as received when it is ordered.
type Stock struct {
	Available, Reserved, Sold, Received, WrittenOff, Owed int64
}

// Balanced reports whether the counts agree and none is negative.
func (s Stock) Balanced() bool {
	return min(s.Available, s.Reserved, s.Sold, s.Received, s.WrittenOff, s.Owed) >= 0 && (s.Owed == 0 || s.Available == 0) &&
		s.Available+s.Reserved+s.Sold == s.Received-s.WrittenOff+s.Owed
}

// WithBalance is the stock with a balance of what is available less what is owed, of which at most one is above zero.
func (s Stock) WithBalance(balance int64) Stock {
	s.Available, s.Owed = max(0, balance), max(0, -balance)
	return s
}

// After is the stock as a move leaves it.
func (s Stock) After(m StockMove) Stock {
	s.Reserved, s.Sold, s.Received, s.WrittenOff = s.Reserved+m.Reserved, s.Sold+m.Sold, s.Received+m.Received, s.WrittenOff+m.WrittenOff
	return s.WithBalance(s.Available - s.Owed + m.Available)
}

// StockMove is a change of one variant's counts; each field is added to the count of the same name. SKU is the variant's
// as far as the mover knows: it says where to look first.
type StockMove struct {
	SKU, VariantID                                  string
	Available, Reserved, Sold, Received, WrittenOff int64
	Owing                                           bool // what is not available is owed; otherwise there is no such move
}

// MaxStock bounds a count so that receipts cannot overflow.
const MaxStock = 1_000_000_000

// Patterns are compiled when they are first needed: most functions sell without looking at an id.
var (
	idForm    = lazily(`^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}_\x{200c}\x{200d}-]*[\p{L}\p{M}\p{N}])?$`)
	skuForm   = lazily(`^\S(?:[^\r\n\t]*\S)?$`)
	imageForm = lazily(`^(https://[^\s"'<>\\]+|/[a-zA-Z0-9_][^\s"'<>\\]*)$`)
)

func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// MaxID bounds a product's id in bytes: a link with it, written in per cent, still fits what gateways take.
const MaxID = 120

// ValidID reports whether a product id may be used: letters with their marks and digits of any script, hyphens and
// underscores between them, at most MaxID bytes, lower case, and nothing that cannot be seen but the joiners of spelling.
func ValidID(id string) bool {
	return len(id) <= MaxID && utf8.ValidString(id) && idForm().MatchString(id) && id == strings.ToLower(id) && id == typed.TidyLine(id)
}

// ValidSKU reports whether a SKU may be used: 1–80 bytes of anything that can be seen, spaces within it included.
func ValidSKU(sku string) bool {
	return len(sku) <= 80 && utf8.ValidString(sku) && skuForm().MatchString(sku) && !strings.ContainsFunc(sku, typed.Unseen)
}

// Variant finds a variant by its SKU, in whatever letter case.
func (p Product) Variant(sku string) (Variant, bool) {
	i := slices.IndexFunc(p.Variants, func(v Variant) bool { return SameSKU(v.SKU, sku) })
	if i < 0 {
		return Variant{}, false
	}
	return p.Variants[i], true
}

// Cover is the product's first picture, or none.
func (p Product) Cover() Image {
	if len(p.Images) == 0 {
		return Image{}
	}
	return p.Images[0]
}

// From is the lowest price among the variants, and whether prices differ.
func (p Product) From() (lowest money.Amount, differ bool) {
	for i, v := range p.Variants {
		if i == 0 {
			lowest = v.Price
			continue
		}
		differ = differ || v.Price.Minor != lowest.Minor
		if v.Price.Minor < lowest.Minor {
			lowest = v.Price
		}
	}
	return lowest, differ
}

// Sellables are the product's variants as checkout sees them, without stock.
func (p Product) Sellables() []Sellable {
	out := make([]Sellable, 0, len(p.Variants))
	for _, v := range p.Variants {
		image := v.Image
		if image == "" {
			image = p.Cover().Src
		}
		out = append(out, Sellable{SKU: v.SKU, VariantID: v.ID, Product: p.ID, Title: p.Title, Variant: v.Title, Price: v.Price,
			Image: image, Tags: p.Tags, Status: p.Status, StockPolicy: v.StockPolicy})
	}
	return out
}

// Validate lists everything wrong with a product, located as in a request body.
func (p Product) Validate(c money.Currency) error {
	var f []fail.Field
	bad := func(where, code, text string, args fail.Args) {
		f = append(f, fail.At("body."+where, code, text, args))
	}
	if !ValidID(p.ID) {
		bad("id", "id_form", "Lower-case letters and digits, with hyphens between them, at most 120 bytes.", nil)
	}
	if n := utf8.RuneCountInString(p.Title); n == 0 || n > 255 {
		bad("title", "text_length", "Between {low} and {high} characters.", fail.Args{"low": 1, "high": 255})
	}
	if len(p.Body) > MaxBody {
		bad("body", "too_long", "At most {limit} characters.", fail.Args{"limit": MaxBody})
	}
	for where, value := range map[string]string{"vendor": p.Vendor, "type": p.Type, "scene": p.Scene} {
		if utf8.RuneCountInString(value) > 1000 {
			bad(where, "too_long", "At most {limit} characters.", fail.Args{"limit": 1000})
		}
	}
	if !slices.Contains([]Status{Active, Draft, Archived}, p.Status) {
		bad("status", "status_unknown", "One of active, draft, archived.", nil)
	}
	if n := len(p.Variants); n == 0 || n > MaxVariants {
		bad("variants", "list_length", "Between {low} and {high} entries.", fail.Args{"low": 1, "high": MaxVariants})
	}
	for where, n := range map[string][2]int{"images": {len(p.Images), MaxImages}, "tags": {len(p.Tags), MaxTags}, "options": {len(p.Options), MaxOptions}} {
		if n[0] > n[1] {
			bad(where, "too_many", "At most {limit} entries.", fail.Args{"limit": n[1]})
		}
	}
	for i, tag := range p.Tags {
		if n := utf8.RuneCountInString(tag); n == 0 || n > MaxTag {
			bad(fmt.Sprintf("tags[%d]", i), "text_length", "Between {low} and {high} characters.", fail.Args{"low": 1, "high": MaxTag})
		}
	}
	for i, image := range p.Images {
		if !ValidImage(image.Src) || utf8.RuneCountInString(image.Alt) > 500 {
			bad(fmt.Sprintf("images[%d]", i), "image_form", "A picture's https address of at most 1,000 bytes, with a description of at most 500 characters.", nil)
		}
	}
	if p.textSize() > MaxText {
		bad("body", "product_too_large", "All texts of one product together have more than {limit} bytes.", fail.Args{"limit": MaxText})
	}
	return fail.NewFields(append(f, p.wrongVariants(c)...))
}

// textSize is how many bytes the product's texts have together.
func (p Product) textSize() int {
	n := len(p.ID) + len(p.Title) + len(p.Body) + len(p.Scene) + len(p.Vendor) + len(p.Type)
	for _, list := range [][]string{p.Tags, p.Options} {
		for _, s := range list {
			n += len(s)
		}
	}
	for _, v := range p.Variants {
		n += len(v.SKU) + len(v.Title) + len(v.Image)
		for _, s := range v.Options {
			n += len(s)
		}
	}
	for _, i := range p.Images {
		n += len(i.Src) + len(i.Alt)
	}
	return n
}

func (p Product) wrongVariants(c money.Currency) []fail.Field {
	var f []fail.Field
	seen := map[string]bool{}
	for i, v := range p.Variants {
		at := func(where string) string { return fmt.Sprintf("body.variants[%d].%s", i, where) }
		switch {
		case !ValidSKU(v.SKU):
			f = append(f, fail.At(at("sku"), "sku_form", "1–80 bytes that can all be seen, without spaces at an end.", nil))
		case seen[FoldSKU(v.SKU)]:
			f = append(f, fail.At(at("sku"), "sku_twice", "{sku} stands twice in this product.", fail.Args{"sku": v.SKU}))
		}
		seen[FoldSKU(v.SKU)] = true
		if v.Price.Currency != c {
			f = append(f, fail.At(at("price"), "currency_other", "This shop sells in {currency}.", fail.Args{"currency": c}))
		}
		if !v.CompareAt.IsZero() && v.CompareAt.Currency != c {
			f = append(f, fail.At(at("compareAt"), "currency_other", "This shop sells in {currency}.", fail.Args{"currency": c}))
		}
		if v.Price.Minor < 0 || v.Price.Minor > MaxPrice || v.CompareAt.Minor < 0 || v.CompareAt.Minor > MaxPrice {
			f = append(f, fail.At(at("price"), "out_of_range", "Between {low} and {high}.", fail.Args{"low": 0, "high": MaxPrice}))
		}
		if !slices.Contains([]StockPolicy{Tracked, Continue, Untracked}, v.StockPolicy) {
			f = append(f, fail.At(at("stockPolicy"), "stock_policy_unknown", "One of tracked, continue, untracked.", nil))
		}
		if utf8.RuneCountInString(v.Title) > 255 {
			f = append(f, fail.At(at("title"), "too_long", "At most {limit} characters.", fail.Args{"limit": 255}))
		}
		if v.Image != "" && !ValidImage(v.Image) {
			f = append(f, fail.At(at("image"), "image_form", "A picture's https address of at most 1,000 bytes, with a description of at most 500 characters.", nil))
		}
	}
	return f
}

// MaxPrice bounds a price in minor units: 10 million major units of a two-digit currency. Sixty lines of
// 999 pieces at this price stay below 2^63.
const MaxPrice = 1_000_000_000

// ValidImage reports whether a picture's address may stand on a page: https on a named public host, or a path on this site.
func ValidImage(src string) bool {
	if len(src) > 1000 || !imageForm().MatchString(src) || !shop.PlainAddress(src) {
		return false
	}
	elsewhere, remote := strings.CutPrefix(src, "https://")
	if !remote {
		return true
	}
	host, _, _ := strings.Cut(elsewhere, "/")
	host, _, _ = strings.Cut(host, ":")
	return !strings.ContainsAny(host, "@?#") && shop.PublicHost(host)
}
