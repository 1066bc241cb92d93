// Package intake is how goods arrive in the catalogue from elsewhere: Shopify product files, and descriptions in HTML
// that somebody else wrote.
//
// It stands apart from package catalogue because its cleaner and transliterator take 2.5 ms to start, which only the
// function that imports should pay.
package intake

import (
	"fmt"
	"slices"
	"strings"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
)

// Limits of one file as it is sent to the store; a larger one is split before.
const (
	MaxBytes    = 4 << 20   // fits the gateway's event with its escapes
	MaxProducts = 1000      // written within one request
	MaxRow      = 512 << 10 // bytes of one row: its description is the long part, and catalogue.MaxBody of it is kept
	MaxColumns  = 1000      // Shopify's own exports have about 80, and one per metafield
)

// Entry is one product of a file: the product as it would be saved, and what was wrong with its rows. Product.ID is
// empty when nothing of the product can be used.
type Entry struct {
	Product  catalogue.Product
	Received map[string]int64    // quantity by SKU, a receipt for SKUs that the shop does not know yet
	Tracking map[string]Tracking // by SKU: what the file says of when it is sold
	Counted  bool                // whether any row gives a quantity
	Rows     int                 // rows of the file, bad ones included
	Line     int                 // of the product's first row
	Faults   []Fault             // what was left out and why, in the file's order: a row, or the picture of a row
	Notes    []Fault             // what was taken otherwise than the file says

	name  string         // the product's id, or its handle
	lost  bool           // a variant of the file, or a row that may have held one, was left out
	lines []int          // of rows that are used
	at    map[string]int // line by SKU

	shared map[string]sharing // by SKU that was completed within the file: what it was completed from
}

// sharing is an SKU that the file gives to several variants.
type sharing struct {
	sku   string
	owner string // product of the first
}

// Tracking is how sure a file is about a variant's stock policy.
type Tracking int

const (
	Said   Tracking = iota // the file says it
	Denied                 // it says only that nothing is sold before it is there
	Unsaid                 // it says nothing; the policy of the variant is a guess for one that is new
)

// Fault is why something in a row of the file cannot be used.
type Fault struct {
	Line   int // of the file, from 1; of the row's first line when a cell holds line breaks
	Column string
	fail.Field
}

// String is the fault in English, for logs and tests.
func (f Fault) String() string {
	return fmt.Sprintf("line %d: %s %s %s", f.Line, f.Column, f.Code, f.Text)
}

// Name is the product's id, or of one that cannot be used its handle as the file has it.
func (e Entry) Name() string { return e.name }

// EveryVariant reports whether the product has all the variants that the file gives it: a variant that is missing may
// then be taken off sale.
func (e Entry) EveryVariant() bool { return !e.lost }

// Refuse takes out variants that cannot be saved, each with its reason. Without any variant the whole product goes.
func (e Entry) Refuse(reasons map[string]fail.Field) Entry {
	out := e
	out.Faults, out.Product.Variants = slices.Clone(e.Faults), nil
	for _, v := range e.Product.Variants {
		reason, refused := reasons[v.SKU]
		if !refused {
			out.Product.Variants = append(out.Product.Variants, v)
			continue
		}
		out.Faults, out.lost = append(out.Faults, Fault{Line: e.at[v.SKU], Column: skuColumn, Field: reason}), true
	}
	if len(out.Product.Variants) == 0 {
		return out.skip()
	}
	return out
}

// Complete gives variants whose SKU belongs to another product of the shop one of their own: the shared SKU with the slugs
// of their options. owners are the other products by SKU. A variant whose completed SKUs are taken, too, keeps its own.
func (e Entry) Complete(owners map[string]string) Entry {
	own := e.skus()
	out := e
	out.Notes = slices.Clone(e.Notes)
	for i, v := range e.Product.Variants {
		owner, shared := owners[v.SKU]
		if !shared {
			continue
		}
		for _, form := range completed(v.SKU, e.Product.ID, v.Options) {
			if _, twice := e.at[form]; twice || owners[form] != "" {
				continue
			}
			own[i] = form
			out.Notes = append(out.Notes, Fault{Line: e.at[v.SKU], Column: skuColumn, Field: completedNote(v.SKU, form, owner)})
			break
		}
	}
	return out.renamed(own)
}

// Alternatives are the SKUs that Complete can give to the variants with these SKUs.
func (e Entry) Alternatives(skus map[string]string) (out []string) {
	for _, v := range e.Product.Variants {
		if _, asked := skus[v.SKU]; asked {
			forms := completed(v.SKU, e.Product.ID, v.Options)
			out = append(out, forms[:]...)
		}
	}
	return out
}

// Keep gives variants that share an SKU within the file the SKUs that the shop knows them by, so that the same rows in
// another order mean the same variants. Whoever comes first in the file has the shared SKU only in a shop that has none of
// them yet.
func (e Entry) Keep(before catalogue.Product) Entry {
	if len(e.shared) == 0 {
		return e
	}
	known := map[string]string{}
	for _, v := range before.Variants {
		known[values(v)] = v.SKU
	}
	own, taken := e.skus(), map[string]bool{}
	may := func(i int, base string) []string {
		v := e.Product.Variants[i]
		forms := completed(base, e.Product.ID, v.Options)
		all := []string{base, forms[0], forms[1]}
		if was := known[values(v)]; slices.ContainsFunc(all, func(s string) bool { return catalogue.SameSKU(s, was) }) {
			return append([]string{was}, all...)
		}
		return append([]string{own[i]}, all...)
	}
	pass := func(shared bool) {
		for i, v := range e.Product.Variants {
			from, completed := e.shared[v.SKU]
			if completed != shared {
				continue
			}
			base := v.SKU
			if completed {
				base = from.sku
			}
			forms := may(i, base)
			if free := slices.IndexFunc(forms, func(s string) bool { return !taken[catalogue.FoldSKU(s)] }); free >= 0 {
				own[i] = forms[free]
			}
			taken[catalogue.FoldSKU(own[i])] = true
		}
	}
	pass(true)
	pass(false)
	out := e
	out.Notes = slices.DeleteFunc(slices.Clone(e.Notes), func(f Fault) bool { return f.Code == "sku_completed" })
	out.shared = map[string]sharing{}
	for i, v := range e.Product.Variants {
		from, completed := e.shared[v.SKU]
		if !completed && own[i] != v.SKU {
			from, completed = sharing{v.SKU, e.Product.ID}, true
		}
		if completed && own[i] != from.sku {
			out.shared[own[i]] = from
		}
	}
	out = out.renamed(own)
	out.Notes = append(out.Notes, out.completions()...)
	return out
}

// values are what tells a variant from the others of its product.
func values(v catalogue.Variant) string { return catalogue.FoldSKU(strings.Join(v.Options, "\x00")) }

func (e Entry) skus() []string {
	out := make([]string, len(e.Product.Variants))
	for i, v := range e.Product.Variants {
		out[i] = v.SKU
	}
	return out
}

// renamed is the entry with other SKUs for its variants, in their order.
func (e Entry) renamed(skus []string) Entry {
	out := e
	out.Product.Variants = slices.Clone(e.Product.Variants)
	out.Received, out.Tracking, out.at = map[string]int64{}, map[string]Tracking{}, map[string]int{}
	for i, v := range e.Product.Variants {
		out.Product.Variants[i].SKU = skus[i]
		out.Received[skus[i]], out.Tracking[skus[i]], out.at[skus[i]] = e.Received[v.SKU], e.Tracking[v.SKU], e.at[v.SKU]
	}
	return out
}

// completions tell of the SKUs that were completed within the file.
func (e Entry) completions() (notes []Fault) {
	for _, v := range e.Product.Variants {
		if from, completed := e.shared[v.SKU]; completed {
			notes = append(notes, Fault{Line: e.at[v.SKU], Column: skuColumn, Field: completedNote(from.sku, v.SKU, from.owner)})
		}
	}
	return notes
}

const skuColumn = "Variant SKU"

func completedNote(sku, own, owner string) fail.Field {
	return fail.At("", "sku_completed", "The SKU {sku} belongs to {product} already. This variant became {own}.",
		fail.Args{"sku": clip(sku), "product": clip(owner), "own": own})
}

// skip gives the product up; its other rows are reported too, since they are not used either.
func (e Entry) skip() Entry {
	e.Product = catalogue.Product{}
	reported := map[int]bool{}
	for _, f := range e.Faults {
		reported[f.Line] = true
	}
	for _, line := range e.lines {
		if !reported[line] {
			e.Faults = append(e.Faults, skipped(line, e.Line))
		}
	}
	return e
}

func skipped(line, first int) Fault {
	return Fault{Line: line, Field: fail.At("", "row_of_skipped_product",
		"Not used, because nothing of this product, which begins at line {line}, can be used.", fail.Args{"line": first})}
}
