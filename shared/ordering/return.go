package ordering

import (
	"fmt"
	"slices"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
)

// Return is a shopper's wish to give goods back; the shopper's reason is with the contact. While one is open, no
// commission of the order is released.
type Return struct {
	ID     string
	V      int64
	At     time.Time
	Lines  []BasketLine // empty: everything
	Closed *Mark        // Reason: accepted or declined, with the operator's words
}

// RequestReturn records a return within the return window of a delivered order. While one is open, asking again
// returns the open one.
func (o *Order) RequestReturn(lines []BasketLine, now time.Time) (Return, error) {
	if open := o.OpenReturn(); open != nil {
		return *open, nil
	}
	switch {
	case o.Status() != Delivered:
		return Return{}, o.refuse("return")
	case o.Released != nil || now.After(o.releaseAt()):
		return Return{}, fail.New(fail.Conflict, "return_too_late", "The time to return this order ended on {date}.", fail.Args{"date": o.releaseAt().Format(time.DateOnly)})
	case len(o.Returns) >= MaxReturns:
		return Return{}, fail.New(fail.TooMany, "returns_too_many", "This order has been returned too often.", nil)
	}
	var f []fail.Field
	for i, l := range lines {
		j, ok := o.line(l.SKU)
		if !ok || slices.ContainsFunc(lines[:i], func(x BasketLine) bool { return catalogue.SameSKU(x.SKU, l.SKU) }) {
			f = append(f, fail.At(fmt.Sprintf("body.lines[%d].sku", i), "sku_not_ordered", "{sku} is not on this order.", fail.Args{"sku": clip(l.SKU)}))
			continue
		}
		if most := o.Lines[j].Quantity; l.Quantity < 1 || l.Quantity > most {
			f = append(f, fail.At(fmt.Sprintf("body.lines[%d].quantity", i), "out_of_range", "Between {low} and {high}.", fail.Args{"low": 1, "high": most}))
		}
	}
	if len(f) > 0 {
		return Return{}, fail.NewFields(f)
	}
	r := Return{ID: fmt.Sprintf("r%d", len(o.Returns)+1), V: o.next(), At: now, Lines: lines}
	o.Returns = append(o.Returns, r)
	return r, nil
}

// CloseReturn ends a return. Closing a closed one changes nothing.
func (o *Order) CloseReturn(id, outcome string, now time.Time) error {
	i := slices.IndexFunc(o.Returns, func(r Return) bool { return r.ID == id })
	if i < 0 {
		return fail.New(fail.NotFound, "return_unknown", "This order has no such return.", nil)
	}
	if o.Returns[i].Closed == nil {
		o.Returns[i].Closed = &Mark{V: o.next(), At: now, Reason: outcome}
	}
	return nil
}
