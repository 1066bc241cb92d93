package commission

import (
	"slices"

	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Why is a code of what makes a line earn a KOC nothing or less than its rate, or keeps back what it earns.
type Why string

// Why an order earns a KOC nothing at all.
const (
	Undecided Why = "undecided" // nobody has decided yet who earns it
	Lost      Why = "lost"      // it was attributed to another KOC, or to nobody
	Replaced  Why = "replaced"  // a later decision gave it to somebody else
	Unpaid    Why = "unpaid"    // it earns once it is paid
	Cancelled Why = "cancelled"
	Expired   Why = "expired"
)

// Why a line earns nothing, or less.
const (
	Free           Why = "free"            // it was sold for nothing
	RateZero       Why = "rate_zero"       // its rate is 0
	TooSmall       Why = "too_small"       // less than half of the smallest unit
	Capped         Why = "capped"          // a cap of the line or the order, or what it was sold for
	MonthCapped    Why = "month_cap"       // a cap of the month applies; what exceeds it stands as an entry of its own
	Shared         Why = "shared"          // other KOCs have a share
	Refunded       Why = "refunded"        // all of it
	PartlyRefunded Why = "partly_refunded" // some of it
	ChargedBack    Why = "charged_back"    // the shopper's bank took the payment back, or some of it
)

// Why what a line earns is not available yet.
const (
	OnHold      Why = "on_hold"
	Disputed    Why = "disputed"     // a dispute is open
	ReturnOpen  Why = "return_open"  // the shopper wants to give something back
	NotReceived Why = "not_received" // the return window has not begun
)

// Explained is what one line earns a KOC, and why that is not more, or not available yet.
type Explained struct {
	Position // of the KOC, over all decisions
	Rate     ordering.LineRate
	Why      []Why
}

// Explain says for each line of an order what it earns a KOC as its facts stand. The figures are those of Target.
func Explain(o ordering.Order, handle string) ([]Explained, error) {
	target, err := Target(o)
	if err != nil {
		return nil, err
	}
	out := make([]Explained, len(o.Lines))
	for i := range out {
		out[i].Line, out[i].KOC = i, handle
	}
	for _, p := range target.Positions {
		if e := &out[p.Line]; p.KOC == handle {
			e.Accrued, e.Reversed, e.Released, e.Clawed = e.Accrued+p.Accrued, e.Reversed+p.Reversed, e.Released+p.Released, e.Clawed+p.Clawed
		}
	}
	award, _ := o.Award()
	winner, inviter := roles(award, handle)
	whole := earnsNothing(o, winner || inviter, handle)
	if whole == Undecided || whole == Lost || whole == Replaced {
		for i := range out {
			out[i].Why = []Why{whole}
		}
		return out, nil
	}
	accrued, err := accruals(o, award.Rates)
	if err != nil {
		return nil, err
	}
	for i := range out {
		e := &out[i]
		if e.Rate = award.Rates[i]; !winner {
			e.Rate = ordering.LineRate{Rule: RuleInviter, RuleVersion: award.BookVersion, Rate: award.InviterRate}
		}
		if whole != "" {
			e.Why = []Why{whole}
			continue
		}
		before, err := uncapped(o.Lines[i].Net, o.Lines[i].Quantity, award.Rates[i])
		if err != nil {
			return nil, err
		}
		e.Why = lessBy(o, award, *e, winner && accrued[i].Minor < before.Minor)
		if e.Pending() > 0 {
			e.Why = append(e.Why, keptBack(o)...)
		}
	}
	return out, nil
}

// roles says whether a KOC earns by an award as a winner, and as whoever had invited one.
func roles(a ordering.Award, handle string) (winner, inviter bool) {
	for _, w := range a.Winners {
		winner, inviter = winner || w.KOC == handle, inviter || w.Inviter == handle
	}
	return winner, inviter
}

// earnsNothing is why the whole order earns a KOC nothing, as far as there is such a reason.
func earnsNothing(o ordering.Order, earns bool, handle string) Why {
	switch s := o.Status(); {
	case len(o.Awards) == 0:
		return Undecided
	case !earns:
		for _, a := range o.Awards {
			if winner, inviter := roles(a, handle); winner || inviter {
				return Replaced
			}
		}
		return Lost
	case s == ordering.Cancelled:
		return Cancelled
	case s == ordering.Expired:
		return Expired
	case !o.IsPaid():
		return Unpaid
	default:
		return ""
	}
}

// lessBy is why a line of a paid order earns less than its rate says, or nothing.
func lessBy(o ordering.Order, award ordering.Award, e Explained, capped bool) []Why {
	line := o.Lines[e.Line]
	switch {
	case line.Net.Minor == 0:
		return []Why{Free}
	case e.Rate.Rate == 0 && e.Rate.PerUnit == 0:
		return []Why{RateZero}
	case e.Accrued == 0 && !capped:
		return []Why{TooSmall}
	}
	var why []Why
	add := func(is bool, w Why) {
		if is {
			why = append(why, w)
		}
	}
	back, lost := o.RefundedLine(e.Line, 0).Gross(), o.LostOf(e.Line)
	add(capped, Capped)
	add(slices.ContainsFunc(award.Months, func(m ordering.MonthTerm) bool {
		return m.KOC == e.KOC && m.Cap > 0 && slices.Contains(m.Lines, e.Line)
	}), MonthCapped)
	add(slices.ContainsFunc(award.Winners, func(w ordering.Winner) bool { return w.KOC == e.KOC && w.Share < money.Whole }), Shared)
	add(back > lost && back < line.Gross().Minor, PartlyRefunded)
	add(back > lost && back >= line.Gross().Minor, Refunded)
	add(lost > 0, ChargedBack)
	return why
}

// keptBack is why what an order has earned is not available yet, apart from the return window, whose end is known.
func keptBack(o ordering.Order) []Why {
	var why []Why
	if o.OnHold() != nil {
		why = append(why, OnHold)
	}
	if o.OpenDispute() != nil {
		why = append(why, Disputed)
	}
	if o.OpenReturn() != nil {
		why = append(why, ReturnOpen)
	}
	if len(why) == 0 && o.AvailableOn().IsZero() {
		why = append(why, NotReceived)
	}
	return why
}
