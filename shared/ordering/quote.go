package ordering

import (
	"fmt"
	"unicode/utf8"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/shop"
)

// BasketLine is what a shopper asks for: prices never come from there.
type BasketLine struct {
	SKU      string
	Quantity int64
}

// Quote is a priced basket. Total = Σ line net + shipping + tax.
type Quote struct {
	Lines                          []Line
	Discount, Shipping, Tax, Total money.Amount
}

// MergeBasket adds up lines of the same SKU, in whatever letter case, in the order they first appear. It refuses an empty basket, more
// than MaxLines SKUs, and a quantity outside 1–MaxQuantity.
func MergeBasket(lines []BasketLine) ([]BasketLine, error) {
	var f []fail.Field
	if len(lines) == 0 || len(lines) > MaxLines {
		return nil, fail.NewFields([]fail.Field{fail.At("body.lines", "list_length", "Between {low} and {high} entries.", fail.Args{"low": 1, "high": MaxLines})})
	}
	merged := make([]BasketLine, 0, len(lines))
	at := map[string]int{}
	for i, l := range lines {
		where := fmt.Sprintf("body.lines[%d].", i)
		if !catalogue.ValidSKU(l.SKU) {
			f = append(f, fail.At(where+"sku", "sku_unknown", "{sku} is not sold here.", fail.Args{"sku": clip(l.SKU)}))
		}
		if l.Quantity < 1 || l.Quantity > MaxQuantity {
			f = append(f, fail.At(where+"quantity", "out_of_range", "Between {low} and {high}.", fail.Args{"low": 1, "high": MaxQuantity}))
			continue
		}
		j, again := at[catalogue.FoldSKU(l.SKU)]
		if !again {
			at[catalogue.FoldSKU(l.SKU)] = len(merged)
			merged = append(merged, l)
			continue
		}
		if merged[j].Quantity += l.Quantity; merged[j].Quantity > MaxQuantity {
			f = append(f, fail.At(where+"quantity", "out_of_range", "Between {low} and {high}.", fail.Args{"low": 1, "high": MaxQuantity}))
		}
	}
	return merged, fail.NewFields(f)
}

// Price quotes a merged basket at the shop's prices. Unknown and withdrawn SKUs are Invalid; too little stock is a
// Conflict that names what is left.
func Price(basket []BasketLine, sold map[string]catalogue.Sellable, s shop.Settings) (Quote, error) {
	var unknown []fail.Field
	for i, b := range basket {
		if it := sold[b.SKU]; it.Status != catalogue.Active || it.Price.Currency != s.Currency { // an unknown one has no status
			unknown = append(unknown, fail.At(fmt.Sprintf("body.lines[%d].sku", i), "sku_unknown", "{sku} is not sold here.", fail.Args{"sku": clip(b.SKU)}))
		}
	}
	if len(unknown) > 0 {
		return Quote{}, fail.NewFields(unknown)
	}
	for _, b := range basket {
		if left := sold[b.SKU].Orderable(); left < b.Quantity {
			return Quote{}, SoldOut(sold[b.SKU], left)
		}
	}
	q := Quote{Discount: money.Of(0, s.Currency), Tax: money.Of(0, s.Currency)}
	goods := money.Of(0, s.Currency)
	pictures := 0
	for _, b := range basket {
		l, err := priceLine(b, sold[b.SKU], s.Tax)
		if err != nil {
			return Quote{}, err
		}
		if pictures += len(l.Image); pictures > maxFrozenPictures {
			l.Image = ""
		}
		q.Lines = append(q.Lines, l)
		if goods, err = goods.Add(l.Net); err != nil {
			return Quote{}, err
		}
		if q.Tax, err = q.Tax.Add(l.Tax); err != nil {
			return Quote{}, err
		}
	}
	q.Shipping = money.Of(s.Shipping.Fee, s.Currency)
	if s.Shipping.FreeFrom > 0 && goods.Minor >= s.Shipping.FreeFrom {
		q.Shipping.Minor = 0
	}
	var err error
	if q.Total, err = money.Sum(goods, q.Shipping, q.Tax); err != nil {
		return Quote{}, err
	}
	if q.Total.Minor > money.MaxMinor {
		return Quote{}, fail.New(fail.Invalid, "order_too_large", "This order is too large. Please place it in parts.", nil)
	}
	return q, nil
}

func priceLine(b BasketLine, it catalogue.Sellable, tax money.BasisPoints) (Line, error) {
	net, err := it.Price.Multiply(b.Quantity)
	if err != nil {
		return Line{}, err
	}
	taxed, err := net.Times(tax.Ratio())
	if err != nil {
		return Line{}, err
	}
	return Line{SKU: it.SKU, VariantID: it.VariantID, Product: it.Product, Title: cut(it.Title, maxFrozenText), Variant: cut(it.Variant, maxFrozenText), Image: it.Image,
		Tags: FrozenTags(it.Tags), StockPolicy: it.StockPolicy, Owed: it.Owing(b.Quantity), Quantity: b.Quantity, Unit: it.Price, Discount: money.Of(0, net.Currency), Net: net, Tax: taxed}, nil
}

// TellLeft is up to how many pieces the shop says how many are left. Of more nobody needs to know, and competitors would
// like to.
const TellLeft = 10

// SoldOut is the refusal for a SKU with too few pieces left.
func SoldOut(it catalogue.Sellable, left int64) error {
	title := it.Title
	if it.Variant != "" {
		title += " / " + it.Variant
	}
	if left <= 0 {
		return fail.New(fail.Conflict, "sold_out", "{title} is sold out.", fail.Args{"title": title, "sku": it.SKU})
	}
	if left > TellLeft {
		return fail.New(fail.Conflict, "stock_less", "There are not that many of {title}. Please take fewer.", fail.Args{"title": title, "sku": it.SKU})
	}
	return fail.New(fail.Conflict, "stock_short", "Only {left} of {title} are left.", fail.Args{"title": title, "sku": it.SKU, "left": left})
}

func clip(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}

// Limits of what an order keeps of its goods, in bytes. A title of a hundred Chinese characters is kept whole, and so are
// pictures whose addresses have 200 bytes in every one of sixty lines; an address that is cut would lead nowhere.
const (
	maxFrozenText     = 300   // of a title, and of what variants differ in
	maxFrozenPictures = 12000 // of all addresses of an order
)

// cut is a text with at most limit bytes, with a mark where something is missing.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	s = s[:limit-len("…")]
	for len(s) > 0 && !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// Limits of the tags that an order keeps for its rules: with them, sixty lines stay below 60 KB.
const (
	maxFrozenTags = 20
	MaxFrozenTag  = 48 // bytes
)

// FrozenTags are those of a product's tags that an order keeps for its rules.
func FrozenTags(tags []string) []string {
	var out []string
	for _, tag := range tags {
		if len(tag) <= MaxFrozenTag && len(out) < maxFrozenTags {
			out = append(out, tag)
		}
	}
	return out
}
