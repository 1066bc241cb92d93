package storm

import (
	"yundian/shared/ordering"
)

// This fold knows the business rules by itself: it shares no code with the packages that it checks, only the facts.

// sums are a KOC's accounts in minor units; debt is positive, unless the brand owes it.
type sums struct{ pending, available, debt, inPayout, paid, tax, fees int64 }

func (a sums) plus(b sums) sums {
	return sums{a.pending + b.pending, a.available + b.available, a.debt + b.debt, a.inPayout + b.inPayout, a.paid + b.paid, a.tax + b.tax, a.fees + b.fees}
}

// tally is what statistics count.
type tally struct{ touches, orders, sales, commission int64 }

func (a tally) plus(b tally) tally {
	return tally{a.touches + b.touches, a.orders + b.orders, a.sales + b.sales, a.commission + b.commission}
}

// share is a × num ÷ den for numbers not below zero, rounded half up.
func share(a, num, den int64) int64 { return (2*a*num + den) / (2 * den) }

// captured is the money that providers took.
func captured(o ordering.Order) (sum int64) {
	for _, c := range o.Captures {
		sum += c.Amount.Minor
	}
	return sum
}

// winner is who earns an order, through which link or code; shops have one winner per order.
func winner(o ordering.Order) (koc, code string) {
	if len(o.Awards) == 0 || len(o.Awards[len(o.Awards)-1].Winners) == 0 {
		return "", ""
	}
	w := o.Awards[len(o.Awards)-1].Winners[0]
	return w.KOC, w.Code
}

// refundedNet is what has gone back of a line's net by refunds that have not failed and by lost disputes, before a version;
// 0 is for ever.
func refundedNet(o ordering.Order, line int, before int64) (sum int64) {
	add := func(v int64, parts []ordering.LineRefund) {
		for _, l := range parts {
			if l.Line == line && (before == 0 || v < before) {
				sum += l.Net.Minor
			}
		}
	}
	for _, r := range o.Refunds {
		if r.Failed == nil && !r.Surplus {
			add(r.V, r.Lines)
		}
	}
	for _, d := range o.Disputes {
		if d.Lost != nil {
			add(d.Lost.V, d.Lines)
		}
	}
	return sum
}

// ended says that nothing is sold, whatever becomes of the refund.
func ended(o ordering.Order) bool { return o.Cancelled != nil || o.Expired != nil && o.Revived == nil }

// earned is where an order's commission has to stand, from its facts.
func earned(o ordering.Order) (s sums) {
	koc, _ := winner(o)
	if koc == "" || captured(o) < o.Total.Minor || ended(o) {
		return s
	}
	rates := o.Awards[len(o.Awards)-1].Rates
	for i, l := range o.Lines {
		if l.Net.Minor == 0 {
			continue
		}
		accrued := share(l.Net.Minor, int64(rates[i].Rate), 10_000)
		all := share(accrued, refundedNet(o, i, 0), l.Net.Minor)
		if o.Released == nil {
			s.pending += accrued - all
			continue
		}
		early := share(accrued, refundedNet(o, i, o.Released.V), l.Net.Minor)
		s.available += accrued - early
		s.debt += all - early
	}
	return s
}

// counted is what an order adds to its KOC's statistics.
func counted(o ordering.Order) (t tally) {
	if captured(o) < o.Total.Minor {
		return t
	}
	e := earned(o)
	t.orders, t.commission = 1, e.pending+e.available-e.debt
	if ended(o) {
		return t
	}
	for i, l := range o.Lines {
		t.sales += l.Net.Minor - refundedNet(o, i, 0)
	}
	return t
}

// shelf says what an order keeps of the stock: reserved while it waits, sold once it is paid or under way.
func shelf(o ordering.Order) (reserved, sold bool) {
	switch {
	case ended(o), o.Withdrawn != nil:
		return false, false
	case o.Delivered != nil, len(o.Shipments) > 0, captured(o) >= o.Total.Minor:
		return false, true
	default:
		return true, false
	}
}

// reach counts what has happened to an order, to show that the storm came everywhere.
func (s *storm) reach(o ordering.Order) {
	koc, _ := winner(o)
	debt := earned(o).debt > 0
	failed, adopted, surplus, again := false, false, false, false
	for _, r := range o.Refunds {
		failed = failed || r.Failed != nil
		adopted = adopted || r.By == "provider"
		surplus = surplus || r.Surplus
		again = again || r.Tries > 0
	}
	won, lost := false, false
	for _, d := range o.Disputes {
		won, lost = won || d.Won != nil, lost || d.Lost != nil
	}
	for name, yes := range map[string]bool{"disputeWon": won, "disputeLost": lost, "earned": koc != "", "cancelled": o.Cancelled != nil, "expired": o.Expired != nil, "revived": o.Revived != nil,
		"paidAfterTheEnd": len(o.Captures) > 0 && (o.Expired != nil || o.Cancelled != nil && o.Captures[0].V > o.Cancelled.V), "paidTwice": surplus,
		"refunded": len(o.Refunds) > 0, "refundFailed": failed, "refundDrivenAgain": again, "refundByProvider": adopted, "released": o.Released != nil,
		"clawedBack": debt, "returned": len(o.Returns) > 0, "heldBack": len(o.Holds) > 0, "delivered": o.Delivered != nil,
		"selfPurchase": len(o.Awards) > 0 && o.Awards[0].Reason == "self_purchase", "confirmed": o.Confirmation != nil, "notConfirmed": o.Expired != nil && !o.Terms.ConfirmUntil.IsZero() && o.Confirmation == nil} {
		if yes {
			s.reached[name]++
		}
	}
}
