package intake

import (
	"cmp"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/money"
)

// Shopify reads a product file as Shopify exports it: the product's fields stand in its first row, and its further variants
// and pictures in rows after that, also where rows of other products stand between them. What cannot be used becomes a
// Fault, and the others go in; without a title or without any variant a product is not used at all. Prices become minor
// units of c.
//
// An error comes alone: the file as a whole is wrong, or holds more than MaxProducts (code csv_products_many).
func Shopify(r io.Reader, c money.Currency) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		rows, err := NewRows(r)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		groups, err := together(rows)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		b := &builder{rows: rows, currency: c, handles: map[string]int{}, skus: map[string]string{}}
		for _, group := range groups {
			b.begin(group[0])
			for _, row := range group {
				b.add(row)
			}
			if !yield(b.finish(), nil) {
				return
			}
		}
	}
}

// together reads all rows and brings those of one product together, in the order of first rows. A row that cannot be read,
// or has no handle, belongs to the product before it.
func together(rows *Rows) (groups [][]Row, err error) {
	at := map[string]int{} // group by handle
	here := -1             // group of the row before
	for {
		row, err := rows.Next()
		if err == io.EOF {
			return groups, nil
		}
		if err != nil {
			return nil, err
		}
		if row.Problem == nil && row.Handle() != "" {
			key, known := row.Key(), false
			if here, known = at[key]; !known {
				if len(at) == MaxProducts {
					return nil, fail.New(fail.Invalid, "csv_products_many", "This file has more than {limit} products. Import it in parts.", fail.Args{"limit": MaxProducts})
				}
				here, groups = len(groups), append(groups, nil)
				at[key] = here
			}
		}
		if here < 0 {
			here, groups = 0, append(groups, nil)
		}
		groups[here] = append(groups[here], row)
	}
}

// builder puts one product together from its rows, and remembers what the file has used up already.
type builder struct {
	rows     *Rows
	currency money.Currency
	handles  map[string]int    // line of a product's first row, by product id
	skus     map[string]string // product by SKU, folded

	entry     Entry
	start     Row // the first row of the product in hand
	skipped   int // its line, once it is refused
	differ    []option
	named     bool            // differ is read
	options   map[string]bool // option values of the variants so far
	positions []int           // of images
}

func (b *builder) begin(row Row) {
	b.entry = Entry{Line: row.Line, name: clip(row.Handle()), Received: map[string]int64{}, Tracking: map[string]Tracking{},
		at: map[string]int{}, shared: map[string]sharing{}}
	b.start, b.skipped, b.differ, b.named, b.options, b.positions = row, 0, nil, false, map[string]bool{}, nil
}

// add takes one more row of the product in hand. A fault of a variant costs the variant, one of a picture the picture; only
// one of the product's own fields costs the product.
func (b *builder) add(row Row) {
	b.entry.Rows++
	switch {
	case row.Problem != nil:
		b.fault(row, Fault{Field: *row.Problem})
		b.entry.lost = true
	case row.Handle() == "":
		b.fault(row, row.missing(handle))
		b.entry.lost = true
	case b.skipped > 0:
		b.fault(row, skipped(row.Line, b.skipped))
	case b.entry.Product.ID == "":
		if f := b.first(row); f != nil {
			b.entry.Product, b.skipped = catalogue.Product{}, row.Line
			b.fault(row, *f)
			return
		}
		b.variantAndPictures(row)
	default:
		b.variantAndPictures(row)
	}
}

func (b *builder) fault(row Row, f Fault) {
	f.Line = row.Line
	b.entry.Faults = append(b.entry.Faults, f)
}

// first reads the product's own fields from its first row.
func (b *builder) first(row Row) *Fault {
	p, f := row.product()
	if line, again := b.handles[p.ID]; again {
		f := row.fault(handle, "handle_again", "{handle} would have the same address as the product at line {line}: {product}. Please give one of them another handle.",
			fail.Args{"handle": clip(row.Handle()), "product": clip(p.ID), "line": line})
		return &f
	}
	b.handles[p.ID] = row.Line
	if f != nil {
		return f
	}
	b.entry.Notes = append(b.entry.Notes, row.fitting(&p)...)
	lone := p
	// Without its variants, which are looked at one by one, the product has to keep the rules by itself.
	lone.Options, lone.Variants = nil, []catalogue.Variant{{SKU: "-", Price: money.Of(0, b.currency)}}
	if f := row.check(lone, b.currency); f != nil {
		return f
	}
	b.entry.Product, b.entry.name = p, p.ID
	return nil
}

// variantAndPictures reads what a row adds to the product.
func (b *builder) variantAndPictures(row Row) {
	used, variant := false, row.hasVariant()
	if variant {
		if f := b.variant(row); f != nil {
			b.fault(row, *f)
			b.entry.lost = true
		} else {
			used = true
		}
	}
	if f := b.image(row); f != nil {
		b.fault(row, *f)
	} else if row.cell(imageSrc) != "" || !variant {
		used = true
	}
	if used {
		b.entry.lines = append(b.entry.lines, row.Line)
	}
}

func (b *builder) variant(row Row) *Fault {
	refuse := func(c column, code, text string, args fail.Args) *Fault {
		f := row.fault(c, code, text, args)
		return &f
	}
	if !b.named {
		b.differ, b.named = row.options(b.start), true
		for _, o := range b.differ {
			b.entry.Product.Options = append(b.entry.Product.Options, o.name)
		}
	}
	if slices.ContainsFunc(b.differ, func(o option) bool { return utf8.RuneCountInString(o.name) > 255 }) {
		return refuse(option1Name, "too_long", "At most {limit} characters.", fail.Args{"limit": 255})
	}
	v, quantity, f := row.variant(b.entry.Product.ID, b.differ, b.currency)
	if f != nil {
		return f
	}
	key := strings.Join(v.Options, "\x00")
	switch {
	case len(b.entry.Product.Variants) >= catalogue.MaxVariants:
		return refuse(option1Value, "too_many", "At most {limit} entries.", fail.Args{"limit": catalogue.MaxVariants})
	case b.options[key]:
		return refuse(option1Value, "variant_twice", "A variant with these options stands in this product already.", nil)
	}
	if owner, again := b.skus[catalogue.FoldSKU(v.SKU)]; again {
		forms := completed(v.SKU, b.entry.Product.ID, v.Options)
		i := slices.IndexFunc(forms[:], func(own string) bool { return b.skus[catalogue.FoldSKU(own)] == "" })
		if i < 0 {
			return refuse(variantSKU, "sku_again", "The SKU {sku} belongs to {product} already.", fail.Args{"sku": clip(v.SKU), "product": clip(owner)})
		}
		b.entry.shared[forms[i]], v.SKU = sharing{v.SKU, owner}, forms[i]
	}
	if v.Image, f = row.picture(variantImage); f != nil {
		b.fault(row, *f)
	}
	b.skus[catalogue.FoldSKU(v.SKU)], b.options[key] = b.entry.Product.ID, true
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
		f := row.fault(imageSrc, "images_many", "A product has at most {limit} pictures. This one was left out.", fail.Args{"limit": catalogue.MaxImages})
		return &f
	}
	b.entry.Product.Images = append(b.entry.Product.Images, image)
	b.positions = append(b.positions, position)
	return nil
}

// finish is the product in hand, with its pictures in their order. One without a position comes after those before it.
// What is wrong only with the product as a whole, such as its size, is said of its first row.
func (b *builder) finish() Entry {
	if b.entry.Product.ID == "" {
		return b.entry
	}
	if len(b.entry.Product.Variants) == 0 && !b.entry.lost {
		b.fault(b.start, b.start.missing(variantPrice))
	}
	if f := (Row{Line: b.entry.Line, rows: b.rows}).check(b.entry.Product, b.currency); f != nil {
		if len(b.entry.Product.Variants) > 0 { // otherwise it is said already why there are none
			b.entry.Faults = append(b.entry.Faults, *f)
		}
		maps.DeleteFunc(b.skus, func(_, owner string) bool { return owner == b.entry.Product.ID })
		return b.entry.skip()
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
	b.entry.Notes = append(b.entry.Notes, b.entry.completions()...)
	return b.entry
}
