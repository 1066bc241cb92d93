// Package intake is how goods arrive in the catalogue from elsewhere: Shopify product files, and descriptions in HTML
// that somebody else wrote.
//
// It stands apart from package catalogue because its cleaner and transliterator take 2.5 ms to start, which only the
// function that imports should pay.
package intake

import (
	"fmt"

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
	Faults   []Fault             // at most one per row, in the file's order

	lines []int          // of rows that are used, the first row first
	at    map[string]int // line by SKU
}

// Tracking is how sure a file is about a variant's stock policy.
type Tracking int

const (
	Said   Tracking = iota // the file says it
	Denied                 // it says only that nothing is sold before it is there
	Unsaid                 // it says nothing; the policy of the variant is a guess for one that is new
)

// Fault is why a row of the file cannot be used.
type Fault struct {
	Line   int // of the file, from 1; of the row's first line when a cell holds line breaks
	Column string
	fail.Field
}

// String is the fault in English, for logs and tests.
func (f Fault) String() string {
	return fmt.Sprintf("line %d: %s %s %s", f.Line, f.Column, f.Code, f.Text)
}

// Refuse takes out variants that cannot be saved, each with its reason. Without its first row the whole product goes.
func (e Entry) Refuse(reasons map[string]fail.Field) Entry {
	out := e
	out.Faults, out.Product.Variants = append([]Fault(nil), e.Faults...), nil
	for _, v := range e.Product.Variants {
		reason, refused := reasons[v.SKU]
		if !refused {
			out.Product.Variants = append(out.Product.Variants, v)
			continue
		}
		out.Faults = append(out.Faults, Fault{Line: e.at[v.SKU], Column: "Variant SKU", Field: reason})
		if e.at[v.SKU] == e.lines[0] {
			return out.skip()
		}
	}
	return out
}

// skip gives the product up because of its first row; its other rows are reported too, since they are not used either.
func (e Entry) skip() Entry {
	e.Product = catalogue.Product{}
	reported := map[int]bool{}
	for _, f := range e.Faults {
		reported[f.Line] = true
	}
	for _, line := range e.lines {
		if !reported[line] {
			e.Faults = append(e.Faults, skipped(line, e.lines[0]))
		}
	}
	return e
}

func skipped(line, first int) Fault {
	return Fault{Line: line, Field: fail.At("", "row_of_skipped_product",
		"Not used, because the first row of this product, line {line}, cannot be used.", fail.Args{"line": first})}
}
