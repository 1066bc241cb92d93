// Package intake is how goods arrive in the catalogue from elsewhere: Shopify product files, and descriptions in HTML
// that somebody else wrote.
//
// It stands apart from package catalogue because its cleaner and transliterator take 2.5 ms to start, which only the
// function that imports should pay.
package intake

import (
	"fmt"
	"maps"
	"slices"

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
// of their options. owners are the other products by SKU. A variant whose completed SKU is taken, too, keeps its own.
func (e Entry) Complete(owners map[string]string) Entry {
	out := e
	out.Notes, out.Product.Variants = slices.Clone(e.Notes), slices.Clone(e.Product.Variants)
	out.Received, out.Tracking, out.at = maps.Clone(e.Received), maps.Clone(e.Tracking), maps.Clone(e.at)
	for i, v := range out.Product.Variants {
		owner, shared := owners[v.SKU]
		own := completed(v.SKU, e.Product.ID, v.Options)
		if _, twice := out.at[own]; !shared || twice || owners[own] != "" {
			continue
		}
		out.Product.Variants[i].SKU = own
		out.at[own], out.Received[own], out.Tracking[own] = out.at[v.SKU], out.Received[v.SKU], out.Tracking[v.SKU]
		delete(out.at, v.SKU)
		delete(out.Received, v.SKU)
		delete(out.Tracking, v.SKU)
		out.Notes = append(out.Notes, Fault{Line: out.at[own], Column: skuColumn, Field: completedNote(v.SKU, own, owner)})
	}
	return out
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
