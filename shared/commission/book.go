// Package commission works out what a sale earns its KOC: at which rate, and what is left of it after refunds.
package commission

import (
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Book is one version of the brand's commission rules. Versions are never edited: a change is a new version that
// is in force from a moment on, and an order keeps the version of its placement.
type Book struct {
	Version int64
	From    time.Time
	Default money.BasisPoints
	// Products are rates of their own by product id, at most MaxProductRates.
	Products map[string]money.BasisPoints
}

// MaxProductRates bounds a rule book so that it stays one item of the store.
const MaxProductRates = 2000

// DefaultRate is the rate of a shop that has not chosen one: 10 %.
const DefaultRate money.BasisPoints = 1000

// FirstBook is the rule book of a new shop, in force since ever.
func FirstBook() Book {
	return Book{Version: 1, Default: DefaultRate, Products: map[string]money.BasisPoints{}}
}

// Rate is what a product earns and the rule that says so.
func (b Book) Rate(product string) ordering.LineRate {
	if rate, ok := b.Products[product]; ok {
		return ordering.LineRate{Rule: "product:" + product, RuleVersion: b.Version, Rate: rate}
	}
	return ordering.LineRate{Rule: "default", RuleVersion: b.Version, Rate: b.Default}
}

// Rates are the rates of an order's lines, in order.
func (b Book) Rates(lines []ordering.Line) []ordering.LineRate {
	out := make([]ordering.LineRate, len(lines))
	for i, l := range lines {
		out[i] = b.Rate(l.Product)
	}
	return out
}

// Next is the book's next version with another default rate or other product rates; nil keeps what is. A rate of
// -1 takes a product's own rate away.
func (b Book) Next(defaultRate *money.BasisPoints, products map[string]money.BasisPoints, now time.Time) (Book, error) {
	n := Book{Version: b.Version + 1, From: now, Default: b.Default, Products: map[string]money.BasisPoints{}}
	for id, rate := range b.Products {
		n.Products[id] = rate
	}
	if !now.After(b.From) {
		n.From = b.From.Add(time.Millisecond) // versions order rule books; clocks may not reverse them
	}
	var f []fail.Field
	check := func(where string, rate money.BasisPoints) {
		if rate < 0 || rate > money.Whole {
			f = append(f, fail.At(where, "out_of_range", "Between {low} and {high}.", fail.Args{"low": 0, "high": int64(money.Whole)}))
		}
	}
	if defaultRate != nil {
		check("body.defaultRate", *defaultRate)
		n.Default = *defaultRate
	}
	for id, rate := range products {
		if rate == -1 {
			delete(n.Products, id)
			continue
		}
		check("body.rate", rate)
		n.Products[id] = rate
	}
	if len(n.Products) > MaxProductRates {
		f = append(f, fail.At("body.rate", "too_many", "At most {limit} entries.", fail.Args{"limit": MaxProductRates}))
	}
	return n, fail.NewFields(f)
}
