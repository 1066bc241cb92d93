package commission

import (
	"fmt"

	"yundian/shared/money"
	"yundian/shared/ordering"
)

// Position is where the commission of one line for one KOC stands, as four amounts in minor units that follow
// from the order's facts alone:
//
//	accrued   = what the line earns at its frozen rate, once the order is paid
//	reversed  = the part taken back by refunds before the release
//	released  = what moved from pending to available: accrued − reversed, once the order is released
//	clawed    = the part taken back by refunds after the release, owed as debt
type Position struct {
	Line     int    `json:"line"`
	KOC      string `json:"koc"`
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

// Target is where an order's commission should stand, computed from its facts and its latest award alone. Lines
// that earn nothing have no position. Whoever posts the difference between this and what was posted before ends in
// the same place, however often and in whatever order the order's changes arrive.
func Target(o ordering.Order) ([]Position, error) {
	award, ok := o.Award()
	if !ok || len(award.Winners) == 0 || !o.IsPaid() || o.Total.Minor == 0 {
		return nil, nil
	}
	var out []Position
	for i, l := range o.Lines {
		accrued, err := l.Net.Times(award.Rates[i].Rate.Ratio())
		if err != nil {
			return nil, fmt.Errorf("commission of order %s line %d: %w", o.ID, i, err)
		}
		shares, err := divide(accrued, award.Winners)
		if err != nil {
			return nil, fmt.Errorf("shares of order %s line %d: %w", o.ID, i, err)
		}
		for j, share := range shares {
			p, err := position(o, i, share)
			if err != nil {
				return nil, fmt.Errorf("position of order %s line %d: %w", o.ID, i, err)
			}
			if p.KOC = award.Winners[j].KOC; p.Accrued != 0 {
				out = append(out, p)
			}
		}
	}
	return out, nil
}

func divide(accrued money.Amount, winners []ordering.Winner) ([]money.Amount, error) {
	weights := make([]int64, len(winners))
	for i, w := range winners {
		weights[i] = int64(w.Share)
	}
	return accrued.Allocate(weights)
}

// position splits one share of a line's commission by what refunds took back before and after the release.
func position(o ordering.Order, line int, accrued money.Amount) (Position, error) {
	beforeRelease := func(r ordering.Refund) bool { return o.Released == nil || r.V < o.Released.V }
	early, err := reversed(accrued, o.RefundedLine(line, beforeRelease).Net, o.Lines[line].Net)
	if err != nil {
		return Position{}, err
	}
	all, err := reversed(accrued, o.RefundedLine(line, nil).Net, o.Lines[line].Net)
	if err != nil {
		return Position{}, err
	}
	if s := o.Status(); s == ordering.Cancelled || s == ordering.Expired {
		// Nothing is sold, whatever becomes of the refund: a provider that refuses it must not make a sale of it.
		early, all = accrued.Minor, accrued.Minor
	}
	p := Position{Line: line, Accrued: accrued.Minor, Reversed: early}
	if o.Released != nil {
		p.Released = p.Accrued - p.Reversed
	}
	p.Clawed = all - early
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
