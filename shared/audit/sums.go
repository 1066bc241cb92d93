package audit

import (
	"fmt"
	"slices"

	"yundian/shared/money"
	"yundian/shared/ordering"
)

// sums holds the figures of an order against each other.
func sums(o ordering.Order) []Difference {
	var found []Difference
	figure := func(what string, expected, stored int64) {
		if expected != stored {
			c := o.Total.Currency
			found = append(found, Difference{Order, o.ID, what + " " + money.Of(expected, c).String(), what + " " + money.Of(stored, c).String()})
		}
	}
	var net, tax, discount int64
	for i, l := range o.Lines {
		figure(fmt.Sprintf("net of line %d", i), l.Unit.Minor*l.Quantity-l.Discount.Minor, l.Net.Minor)
		net, tax, discount = net+l.Net.Minor, tax+l.Tax.Minor, discount+l.Discount.Minor
	}
	figure("tax", tax, o.Tax.Minor)
	figure("discount", discount, o.Discount.Minor)
	figure("total", net+o.Shipping.Minor+o.Tax.Minor, o.Total.Minor)
	return append(found, refunds(o)...)
}

// refunds holds what went back against what was paid. As long as a provider has told of a refund and not of its payment,
// what can be paid is the bound.
func refunds(o ordering.Order) []Difference {
	var found []Difference
	amount := func(minor int64) string { return money.Of(minor, o.Total.Currency).String() }
	bound := min(o.Captured().Minor, o.Total.Minor)
	if paymentLate(o) {
		bound = o.Total.Minor
	}
	if o.RefundedTotal().Minor > bound {
		found = append(found, Difference{Order, o.ID, "refunds of at most " + amount(bound), "refunds of " + o.RefundedTotal().String()})
	}
	surplus := map[string]int64{}
	for _, r := range o.Refunds {
		parts := r.Shipping.Minor + r.Beyond.Minor
		for _, l := range r.Lines {
			parts += l.Net.Minor + l.Tax.Minor
		}
		switch {
		case r.Surplus && r.Failed == nil:
			surplus[r.PaymentID] += r.Amount.Minor
		case !r.Surplus && parts != r.Amount.Minor:
			found = append(found, Difference{Order, o.ID, "refund " + r.ID + " of " + amount(parts), "refund " + r.ID + " of " + r.Amount.String()})
		}
	}
	for _, c := range o.Captures {
		if back := surplus[c.PaymentID]; back > c.Amount.Minor {
			found = append(found, Difference{Order, o.ID, "refunds of payment " + c.PaymentID + " of at most " + c.Amount.String(), "refunds of " + amount(back)})
		}
	}
	return found
}

// paymentLate reports whether a provider has told of money that went back, by a refund or a lost dispute, before it told of
// the payment.
func paymentLate(o ordering.Order) bool {
	known := func(payment string) bool {
		return slices.ContainsFunc(o.Captures, func(c ordering.Capture) bool { return c.PaymentID == payment })
	}
	return slices.ContainsFunc(o.Refunds, func(r ordering.Refund) bool {
		return r.By == "provider" && r.Failed == nil && !known(r.PaymentID) && (!o.IsPaid() || r.Surplus)
	}) || slices.ContainsFunc(o.Disputes, func(d ordering.Dispute) bool { return d.Lost != nil && !known(d.PaymentID) && !o.IsPaid() })
}
