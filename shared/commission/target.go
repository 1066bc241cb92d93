package commission

import (
	"cmp"
	"fmt"
	"slices"

	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Position is where the commission of one line for one KOC stands, as four amounts in minor units that follow
// from the order's facts alone:
//
//	accrued   = what the line earns at its frozen rate, once the order is paid
//	reversed  = the part taken back by refunds and lost disputes before the release
//	released  = what moved from pending to available: accrued − reversed, once the order is released
//	clawed    = the part taken back after the release, by refunds, lost disputes or a later decision, owed as debt
type Position struct {
	Line     int    `json:"line"`
	KOC      string `json:"koc"`
	Inviter  bool   `json:"inviter,omitzero"` // earned by having invited the winner, on top of what the winner earns
	Accrued  int64  `json:"accrued"`
	Reversed int64  `json:"reversed"`
	Released int64  `json:"released"`
	Clawed   int64  `json:"clawed"`
}

// Pending is what is earned but not released yet.
func (p Position) Pending() int64 { return p.Accrued - p.Reversed - p.Released }

// Available is what was released.
func (p Position) Available() int64 { return p.Released }

// Debt is what has to be given back.
func (p Position) Debt() int64 { return p.Clawed }

// Net is what the KOC keeps of the line.
func (p Position) Net() int64 { return p.Accrued - p.Reversed - p.Clawed }

// Standing is where everything that an order earns should stand.
type Standing struct {
	Positions []Position
	Months    []MonthPart // what the order adds to the months that rules look at
}

// Target is where an order's commission should stand, computed from its facts and its awards alone. Lines that earn
// nothing have no position. Whoever posts the difference between this and what was posted before ends in the same
// place, however often and in whatever order the order's changes arrive.
//
// The latest award counts. One that was replaced before the release leaves nothing behind; one that was in force at
// the release or after it stays, taken back in full, because its commission may have been paid out.
func Target(o ordering.Order) (Standing, error) {
	if !o.IsPaid() || o.Total.Minor == 0 {
		return Standing{}, nil
	}
	var sum Standing
	for i, award := range o.Awards {
		replaced := i+1 < len(o.Awards)
		if len(award.Winners) == 0 || replaced && (o.Released == nil || o.Awards[i+1].V < o.Released.V) {
			continue
		}
		s, err := standing(o, award, replaced)
		if err != nil {
			return Standing{}, fmt.Errorf("commission of order %s: %w", o.ID, err)
		}
		sum.Positions, sum.Months = append(sum.Positions, s.Positions...), append(sum.Months, s.Months...)
	}
	return Standing{Positions: joinPositions(sum.Positions), Months: joinMonths(sum.Months)}, nil
}

// standing is what one award makes of an order; one that was replaced after the release is taken back.
func standing(o ordering.Order, award ordering.Award, replaced bool) (Standing, error) {
	accrued, err := accruals(o, award.Rates)
	if err != nil {
		return Standing{}, err
	}
	cut := cutOf(o, award, replaced)
	var s Standing
	for i := range o.Lines {
		earnings, err := earningsOf(accrued[i], o.Lines[i].Net, award)
		if err != nil {
			return Standing{}, fmt.Errorf("line %d: %w", i, err)
		}
		for _, e := range earnings {
			p, err := cut.position(i, e.minor)
			if err != nil {
				return Standing{}, fmt.Errorf("line %d: %w", i, err)
			}
			if p.KOC, p.Inviter = e.koc, e.inviter; p.Accrued != 0 {
				s.Positions = append(s.Positions, p)
			}
		}
	}
	s.Months, err = monthsOf(o, award, cut, s.Positions)
	return s, err
}

// accruals are the commissions of an order's lines at frozen rates, with the caps per line and order.
func accruals(o ordering.Order, rates []ordering.LineRate) ([]money.Amount, error) {
	out := make([]money.Amount, len(o.Lines))
	under := map[string][]int{} // lines by the rule whose cap they share
	for i, l := range o.Lines {
		var err error
		if out[i], err = OfLine(l.Net, l.Quantity, rates[i]); err != nil {
			return nil, fmt.Errorf("line %d: %w", i, err)
		}
		if rates[i].OrderCap > 0 {
			under[rates[i].Rule] = append(under[rates[i].Rule], i)
		}
	}
	for _, lines := range under {
		if err := capTogether(out, lines, rates[lines[0]].OrderCap); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// capTogether brings lines down to a sum, in proportion.
func capTogether(accrued []money.Amount, lines []int, most int64) error {
	weights := make([]int64, len(lines))
	var sum int64
	for i, line := range lines {
		weights[i] = accrued[line].Minor
		sum += weights[i]
	}
	if sum <= most {
		return nil
	}
	parts, err := money.Of(most, accrued[lines[0]].Currency).Allocate(weights)
	if err != nil {
		return fmt.Errorf("cap of the order: %w", err)
	}
	for i, line := range lines {
		accrued[line] = parts[i]
	}
	return nil
}

// earning is a KOC's part of a line's commission.
type earning struct {
	koc     string
	inviter bool
	minor   int64
}

// earningsOf divides a line's commission among the winners and adds what their inviters get on top. Together they
// never exceed what the line was sold for.
func earningsOf(accrued, net money.Amount, award ordering.Award) ([]earning, error) {
	shares, err := divide(accrued, award.Winners)
	if err != nil {
		return nil, err
	}
	out := make([]earning, 0, 2*len(shares))
	left := net.Minor - accrued.Minor
	for i, w := range award.Winners {
		out = append(out, earning{koc: w.KOC, minor: shares[i].Minor})
		if w.Inviter == "" || award.InviterRate == 0 {
			continue
		}
		bonus, err := shares[i].Times(award.InviterRate.Ratio())
		if err != nil {
			return nil, err
		}
		bonus.Minor = min(bonus.Minor, left)
		left -= bonus.Minor
		out = append(out, earning{koc: w.Inviter, inviter: true, minor: bonus.Minor})
	}
	return out, nil
}

func divide(a money.Amount, winners []ordering.Winner) ([]money.Amount, error) {
	weights := make([]int64, len(winners))
	for i, w := range winners {
		weights[i] = int64(w.Share)
	}
	return a.Allocate(weights)
}

// cut divides what refunds and disputes took back of an award's lines into before and after the release.
type cut struct {
	order    ordering.Order
	boundary int64 // what went back with an earlier version went back before the release; 0 while nothing is released
	replaced bool
	void     bool // nothing is sold, whatever becomes of the refund: a provider that refuses it must not make a sale of it
}

// cutOf finds the moment at which an award's commission became available: at the release, or when it was made if that
// came later.
func cutOf(o ordering.Order, award ordering.Award, replaced bool) cut {
	c := cut{order: o, replaced: replaced}
	if o.Released != nil {
		c.boundary = max(o.Released.V, award.V)
	}
	s := o.Status()
	c.void = s == ordering.Cancelled || s == ordering.Expired
	return c
}

// refunded is what was refunded of a line's net before the release, and altogether.
func (c cut) refunded(line int) (early, all money.Amount) {
	net := c.order.Lines[line].Net
	if c.void {
		return net, net
	}
	return c.order.RefundedLine(line, c.boundary).Net, c.order.RefundedLine(line, 0).Net
}

// position splits one KOC's part of a line's commission.
func (c cut) position(line int, accrued int64) (Position, error) {
	net := c.order.Lines[line].Net
	refundedEarly, refunded := c.refunded(line)
	early, err := reversed(money.Of(accrued, net.Currency), refundedEarly, net)
	if err != nil {
		return Position{}, err
	}
	all, err := reversed(money.Of(accrued, net.Currency), refunded, net)
	if err != nil {
		return Position{}, err
	}
	p := Position{Line: line, Accrued: accrued, Reversed: early}
	if c.order.Released != nil {
		p.Released = p.Accrued - p.Reversed
	}
	p.Clawed = all - early
	if c.replaced {
		p.Clawed = p.Released
	}
	return p, nil
}

// reversed is accrued × refunded ÷ net, rounded once over the cumulative refund, so that neither the order nor
// the number of refunds matters and the last refund takes back exactly the rest.
func reversed(accrued, refunded, net money.Amount) (int64, error) {
	if net.Minor == 0 {
		return 0, nil
	}
	r, err := accrued.Times(money.Ratio{Num: refunded.Minor, Den: net.Minor})
	return r.Minor, err
}

// joinPositions adds up positions of the same line and KOC, which a KOC has who is on two awards, in a fixed order.
func joinPositions(positions []Position) []Position {
	slices.SortStableFunc(positions, func(a, b Position) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.KOC, b.KOC), compareBool(a.Inviter, b.Inviter))
	})
	var out []Position
	for _, p := range positions {
		if n := len(out); n > 0 && out[n-1].Line == p.Line && out[n-1].KOC == p.KOC && out[n-1].Inviter == p.Inviter {
			q := &out[n-1]
			q.Accrued, q.Reversed, q.Released, q.Clawed = q.Accrued+p.Accrued, q.Reversed+p.Reversed, q.Released+p.Released, q.Clawed+p.Clawed
			continue
		}
		out = append(out, p)
	}
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
