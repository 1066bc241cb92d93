package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"

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
	return append(append(found, refunds(o)...), returned(o)...)
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

// returned holds the pieces that came back against those that were bought, and accepted returns against their refunds.
func returned(o ordering.Order) []Difference {
	var found []Difference
	for i, l := range o.Lines {
		restocked, writtenOff := o.GoodsOf(i)
		if back := restocked + writtenOff; back > l.Quantity {
			found = append(found, Difference{Order, o.ID, fmt.Sprintf("at most %d pieces of line %d back", l.Quantity, i), fmt.Sprint(back)})
		}
	}
	for _, r := range o.Returns {
		if r.Closed == nil || r.Closed.Refund == "" {
			continue
		}
		if _, made := o.Refund(r.Closed.Refund); !made {
			found = append(found, Difference{Order, o.ID, "refund " + r.Closed.Refund + " of return " + r.ID, nothing})
		}
	}
	return found
}

// paymentWait is how long a payment's own event may come after news of money that went back of it: providers tell an event
// again for three days.
const paymentWait = 72 * time.Hour

// paymentLate reports whether a provider has told of money that went back, by a refund or a lost dispute, before it told of
// the payment.
func paymentLate(o ordering.Order) bool {
	return slices.ContainsFunc(untold(o), func(n news) bool { return n.back && (!o.IsPaid() || n.surplus) })
}

// news is what a provider told of a payment that is not on record.
type news struct {
	payment string
	what    string
	at      time.Time
	back    bool // the money has gone back, or is on its way
	surplus bool
}

// untold is all news about payments of which the provider has not told.
func untold(o ordering.Order) []news {
	var out []news
	for _, r := range o.Refunds {
		if r.By == "provider" && r.Failed == nil && !o.HasPayment(r.PaymentID) && (r.PaymentID != "" || !o.IsPaid()) {
			out = append(out, news{r.PaymentID, "refund " + r.ID + " of " + r.Amount.String(), r.At, true, r.Surplus})
		}
	}
	for _, d := range o.Disputes {
		if !o.HasPayment(d.PaymentID) {
			out = append(out, news{d.PaymentID, "dispute " + d.ID + " of " + d.Amount.String(), d.At, d.Lost != nil, false})
		}
	}
	return out
}

// strangers are differences about payments that the order never had: their events would have come by now.
func strangers(o ordering.Order, now time.Time) []Difference {
	var found []Difference
	for _, n := range untold(o) {
		if now.Sub(n.at) > paymentWait {
			found = append(found, Difference{Order, o.ID, "payment " + cmp.Or(n.payment, "of the order"), n.what + " and no such payment"})
		}
	}
	return found
}
