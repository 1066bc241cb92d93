package ledger

import (
	"cmp"
	"slices"
)

// Tally is a change of one KOC's statistics under one heading: a day, a link or a product of a month.
type Tally struct {
	KOC, Heading      string
	Touches, Orders   int64
	Sales, Commission int64 // minor units
	Currency          string
}

// Headings of statistics.
func DayHeading(day string) string              { return "DAY#" + day }
func LinkHeading(code, day string) string       { return "LINK#" + day + "#" + code }
func ProductHeading(product, day string) string { return "PRODUCT#" + day + "#" + product }

// Tallies are the changes from one fact of an order to a later one; an empty before is no fact yet. Like commission,
// statistics follow from states and not from events, so a repeated fact changes nothing.
func Tallies(before, after Fact) []Tally {
	sum := map[[2]string]Tally{}
	add := func(f Fact, sign int64) {
		if f.KOC == "" || !f.Counted {
			return
		}
		put := func(heading string, orders, sales, earned int64) {
			k := [2]string{f.KOC, heading}
			t := sum[k]
			t.KOC, t.Heading, t.Currency = f.KOC, heading, string(f.Currency)
			t.Orders += sign * orders
			t.Sales += sign * sales
			t.Commission += sign * earned
			sum[k] = t
		}
		var sales, earned int64
		counted := map[string]bool{}
		for _, l := range f.Lines {
			sales, earned = sales+l.Sales, earned+l.Commission
			var once int64 = 1
			if counted[l.Product] {
				once = 0
			}
			counted[l.Product] = true
			put(ProductHeading(l.Product, f.Day), once, l.Sales, l.Commission)
		}
		put(DayHeading(f.Day), 1, sales, earned)
		put(LinkHeading(f.Code, f.Day), 1, sales, earned)
	}
	add(before, -1)
	add(after, 1)
	out := make([]Tally, 0, len(sum))
	for _, t := range sum {
		if t.Orders != 0 || t.Sales != 0 || t.Commission != 0 {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b Tally) int { return cmp.Or(cmp.Compare(a.KOC, b.KOC), cmp.Compare(a.Heading, b.Heading)) })
	return out
}
