package intake

import (
	"cmp"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/money"
)

// Shopify reads a product file as Shopify exports it, one product at a time: the product's fields stand in its first
// row, and its further variants and pictures in the rows after that. A row that cannot be used becomes a Fault and the
// others go in; without its first row a product is not used at all. Prices become minor units of c.
//
// An error ends the reading: the file as a whole is wrong, or holds more than MaxProducts (code csv_products_many).
func Shopify(r io.Reader, c money.Currency) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		rows, err := NewRows(r)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		b := &builder{rows: rows, currency: c, handles: map[string]int{}, skus: map[string]int{}}
		for {
			row, err := rows.Next()
			if err != nil {
				if b.entry.Rows > 0 && err == io.EOF {
					yield(b.finish(), nil)
				} else if err != io.EOF {
					yield(Entry{}, err)
				}
				return
			}
			if b.begins(row) {
				if b.entry.Rows > 0 && !yield(b.finish(), nil) {
					return
				}
				if b.products++; b.products > MaxProducts {
					yield(Entry{}, fail.New(fail.Invalid, "csv_products_many", "This file has more than {limit} products. Import it in parts.", fail.Args{"limit": MaxProducts}))
					return
				}
				b.begin(row)
			}
			b.add(row)
		}
	}
}

// builder puts one product together from its rows, and remembers what the file has used up already.
type builder struct {
	rows     *Rows
	currency money.Currency
	handles  map[string]int // line of a product's first row, by product id
	skus     map[string]int // line by SKU, folded
	products int

	raw       string // handle of the product in hand, as the file has it
	entry     Entry
	skipped   int      // line of the first row, once that one is refused
	names     []string // of options
	options   map[string]bool
	positions []int // of images
}

// begins reports whether a row begins another product than the one in hand. A row that cannot be read belongs to the
// product around it.
func (b *builder) begins(row Row) bool {
	return row.Problem == nil && row.Handle() != "" && row.Handle() != b.raw
}

func (b *builder) begin(row Row) {
	b.raw = row.Handle()
	b.entry = Entry{Received: map[string]int64{}, Tracking: map[string]Tracking{}, at: map[string]int{}}
	b.skipped, b.names, b.options, b.positions = 0, nil, map[string]bool{}, nil
}

// add takes one more row of the product in hand.
func (b *builder) add(row Row) {
	b.entry.Rows++
	fault := func(f Fault) {
		f.Line = row.Line
		b.entry.Faults = append(b.entry.Faults, f)
	}
	switch {
	case row.Problem != nil:
		fault(Fault{Field: *row.Problem})
	case row.Handle() == "":
		fault(row.missing(handle))
	case b.skipped > 0:
		fault(skipped(row.Line, b.skipped))
	case b.entry.Product.ID == "":
		if f := b.first(row); f != nil {
			b.giveUp(row.Line)
			fault(*f)
			return
		}
		b.entry.lines = append(b.entry.lines, row.Line)
	default:
		if f := b.further(row); f != nil {
			fault(*f)
			return
		}
		b.entry.lines = append(b.entry.lines, row.Line)
	}
}

// first reads the product's own fields, and its first variant and picture, from its first row.
func (b *builder) first(row Row) *Fault {
	p, f := row.product()
	if line, again := b.handles[p.ID]; again {
		f := row.fault(handle, "handle_again", "Rows of {product} stand apart: they began at line {line}. They must follow each other.",
			fail.Args{"product": clip(p.ID), "line": line})
		return &f
	}
	b.handles[p.ID] = row.Line
	if f != nil {
		return f
	}
	b.names = row.optionNames()
	if slices.ContainsFunc(b.names, func(name string) bool { return utf8.RuneCountInString(name) > 255 }) {
		f := row.fault(option1Name, "too_long", "At most {limit} characters.", fail.Args{"limit": 255})
		return &f
	}
	p.Options = b.names
	b.entry.Product = p
	if f := b.variant(row); f != nil {
		return f
	}
	if f := b.image(row); f != nil {
		return f
	}
	return row.check(b.entry.Product, b.currency)
}

// giveUp skips the product in hand, whose first row is at line.
func (b *builder) giveUp(line int) {
	for _, v := range b.entry.Product.Variants {
		b.forget(v)
	}
	b.entry.Product, b.positions, b.skipped = catalogue.Product{}, nil, line
}

// further reads a variant, a picture, or both.
func (b *builder) further(row Row) *Fault {
	before := b.entry.Product
	if row.hasVariant() {
		if f := b.variant(row); f != nil {
			return f
		}
	}
	f := b.image(row)
	if f != nil && len(before.Variants) < len(b.entry.Product.Variants) {
		b.forget(b.entry.Product.Variants[len(before.Variants)])
		b.entry.Product.Variants = before.Variants
	}
	return f
}

// forget frees what a variant has used, because its row is refused after all.
func (b *builder) forget(v catalogue.Variant) {
	delete(b.skus, catalogue.FoldSKU(v.SKU))
	delete(b.entry.Received, v.SKU)
	delete(b.entry.at, v.SKU)
	delete(b.options, strings.Join(v.Options, "\x00"))
}

func (b *builder) variant(row Row) *Fault {
	v, quantity, f := row.variant(b.entry.Product.ID, b.names, b.currency)
	if f != nil {
		return f
	}
	refuse := func(c column, code, text string, args fail.Args) *Fault {
		f := row.fault(c, code, text, args)
		return &f
	}
	key := strings.Join(v.Options, "\x00")
	line, again := b.skus[catalogue.FoldSKU(v.SKU)]
	switch {
	case len(b.entry.Product.Variants) >= catalogue.MaxVariants:
		return refuse(option1Value, "too_many", "At most {limit} entries.", fail.Args{"limit": catalogue.MaxVariants})
	case b.options[key]:
		return refuse(option1Value, "variant_twice", "A variant with these options stands in this product already.", nil)
	case again:
		return refuse(variantSKU, "sku_again", "The SKU {sku} stands at line {line} already.", fail.Args{"sku": v.SKU, "line": line})
	}
	b.skus[catalogue.FoldSKU(v.SKU)], b.options[key] = row.Line, true
	b.entry.at[v.SKU], b.entry.Received[v.SKU] = row.Line, quantity
	_, b.entry.Tracking[v.SKU], _ = row.stockPolicy(quantity)
	b.entry.Counted = b.entry.Counted || row.cell(variantQuantity) != ""
	b.entry.Product.Variants = append(b.entry.Product.Variants, v)
	return nil
}

func (b *builder) image(row Row) *Fault {
	image, position, f := row.image()
	if f != nil || image.Src == "" {
		return f
	}
	known := slices.ContainsFunc(b.entry.Product.Images, func(i catalogue.Image) bool { return i.Src == image.Src })
	switch {
	case known:
		return nil
	case len(b.entry.Product.Images) >= catalogue.MaxImages:
		f := row.fault(imageSrc, "too_many", "At most {limit} entries.", fail.Args{"limit": catalogue.MaxImages})
		return &f
	}
	b.entry.Product.Images = append(b.entry.Product.Images, image)
	b.positions = append(b.positions, position)
	return nil
}

// finish is the product in hand, with its pictures in their order. One without a position comes after those before it.
// What is wrong only with the product as a whole, such as its size, is said of its first row.
func (b *builder) finish() Entry {
	if b.entry.Product.ID != "" && len(b.entry.lines) > 1 {
		if f := (Row{Line: b.entry.lines[0], rows: b.rows}).check(b.entry.Product, b.currency); f != nil {
			b.entry.Faults = append(b.entry.Faults, *f)
			return b.entry.skip()
		}
	}
	type placed struct {
		image    catalogue.Image
		position int
	}
	all := make([]placed, len(b.entry.Product.Images))
	last := 0
	for i, image := range b.entry.Product.Images {
		if b.positions[i] > 0 {
			last = b.positions[i]
		}
		all[i] = placed{image, last}
	}
	slices.SortStableFunc(all, func(x, y placed) int { return cmp.Compare(x.position, y.position) })
	for i := range all {
		b.entry.Product.Images[i] = all[i].image
	}
	return b.entry
}
