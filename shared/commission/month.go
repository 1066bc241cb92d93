package commission

import (
	"cmp"
	"fmt"
	"slices"

	"yundian/shared/money"
	"yundian/shared/ordering"
)

// MonthKey names what a rule about months looks at: one KOC's sales in one currency, placed in one local month.
type MonthKey struct {
	KOC      string         `json:"koc"`
	Month    string         `json:"month"` // local month of placement in the shop's zone, 2006-01
	Currency money.Currency `json:"currency"`
	Rule     string         `json:"rule"`
}

func (k MonthKey) compare(o MonthKey) int {
	return cmp.Or(cmp.Compare(k.KOC, o.KOC), cmp.Compare(k.Month, o.Month), cmp.Compare(k.Currency, o.Currency), cmp.Compare(k.Rule, o.Rule))
}

// MonthTerms are what a rule promises for a month. They are those in force when the month began, so all orders of a
// month carry the same.
type MonthTerms struct {
	RuleVersion int64                `json:"ruleVersion"`
	Cap         int64                `json:"cap,omitzero"`
	Milestones  []ordering.Milestone `json:"milestones,omitzero"`
}

// MonthSums are commission and sales of some orders under one rule, in minor units. Released and SalesReleased never
// shrink; what is taken back after the release is counted beside them.
type MonthSums struct {
	Pending  int64 `json:"pending"`
	Released int64 `json:"released"`
	Clawed   int64 `json:"clawed"`

	Sales         int64 `json:"sales"` // of orders not released yet, net of refunds
	SalesReleased int64 `json:"salesReleased"`
	SalesReturned int64 `json:"salesReturned"` // refunded after the release
}

// Plus adds sums.
func (s MonthSums) Plus(o MonthSums) MonthSums { return s.plus(o, 1) }

// Minus subtracts sums.
func (s MonthSums) Minus(o MonthSums) MonthSums { return s.plus(o, -1) }

func (s MonthSums) plus(o MonthSums, sign int64) MonthSums {
	return MonthSums{Pending: s.Pending + sign*o.Pending, Released: s.Released + sign*o.Released, Clawed: s.Clawed + sign*o.Clawed,
		Sales: s.Sales + sign*o.Sales, SalesReleased: s.SalesReleased + sign*o.SalesReleased, SalesReturned: s.SalesReturned + sign*o.SalesReturned}
}

// MonthPart is what one order adds to a month.
type MonthPart struct {
	Key   MonthKey   `json:"key"`
	Terms MonthTerms `json:"terms"`
	Sums  MonthSums  `json:"sums"`
}

// Adjustment is what a rule about months adds to a KOC's accounts, beside the commission of the orders themselves, in
// minor units. A cap's are negative, except that it takes back debt that the cap had already kept from the KOC.
type Adjustment struct {
	Pending   int64 `json:"pending"`
	Available int64 `json:"available"`
	Debt      int64 `json:"debt"` // the account's own sign: negative is owed
}

// Total is what the KOC gains by it.
func (a Adjustment) Total() int64 { return a.Pending + a.Available + a.Debt }

// Minus subtracts an adjustment.
func (a Adjustment) Minus(o Adjustment) Adjustment {
	return Adjustment{Pending: a.Pending - o.Pending, Available: a.Available - o.Available, Debt: a.Debt - o.Debt}
}

// Plus adds an adjustment.
func (a Adjustment) Plus(o Adjustment) Adjustment {
	return Adjustment{Pending: a.Pending + o.Pending, Available: a.Available + o.Available, Debt: a.Debt + o.Debt}
}

// Adjust is where the adjustment of a month should stand. It is a function of the month's sums alone, so it does not
// matter in which order the month's orders come in.
//
// Each account's part moves together with what the orders themselves do to it: the part of available never takes more
// than releases add, and the part of debt never forgives more than refunds claim, so neither changes its sign.
func (t MonthTerms) Adjust(s MonthSums) Adjustment {
	var a Adjustment
	if t.Cap > 0 {
		kept := s.Released - s.Clawed
		a.Available = -over(s.Released, t.Cap)
		a.Debt = over(s.Released, t.Cap) - over(kept, t.Cap)
		a.Pending = over(kept, t.Cap) - over(s.Pending+kept, t.Cap)
	}
	kept := s.SalesReleased - s.SalesReturned
	a.Available += bonus(t.Milestones, s.SalesReleased)
	a.Debt += bonus(t.Milestones, kept) - bonus(t.Milestones, s.SalesReleased)
	a.Pending += bonus(t.Milestones, s.Sales+kept) - bonus(t.Milestones, kept)
	return a
}

// over is how far an amount exceeds a cap.
func over(minor, most int64) int64 { return max(0, minor-most) }

// bonus is that of the highest milestone that sales reach.
func bonus(milestones []ordering.Milestone, sales int64) int64 {
	var reached int64
	for _, m := range milestones {
		if sales >= m.Sales {
			reached = m.Bonus
		}
	}
	return reached
}

// MonthKeys are the months that an order can add to, under all its awards.
func MonthKeys(o ordering.Order) []MonthKey {
	var keys []MonthKey
	for _, a := range o.Awards {
		for _, t := range a.Months {
			if k := keyOf(o, t); !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

func keyOf(o ordering.Order, t ordering.MonthTerm) MonthKey {
	return MonthKey{KOC: t.KOC, Month: o.Day[:min(7, len(o.Day))], Currency: o.Total.Currency, Rule: t.Rule}
}

// monthsOf is what one award's order adds to months: the commission of its winners' positions, and their sales.
func monthsOf(o ordering.Order, award ordering.Award, c cut, positions []Position) ([]MonthPart, error) {
	var out []MonthPart
	for _, term := range award.Months {
		part := MonthPart{Key: keyOf(o, term), Terms: MonthTerms{RuleVersion: term.RuleVersion, Cap: term.Cap, Milestones: term.Milestones}}
		for _, p := range positions {
			if p.KOC == term.KOC && !p.Inviter && slices.Contains(term.Lines, p.Line) {
				part.Sums = part.Sums.Plus(MonthSums{Pending: p.Pending(), Released: p.Released, Clawed: p.Clawed})
			}
		}
		winner := slices.IndexFunc(award.Winners, func(w ordering.Winner) bool { return w.KOC == term.KOC })
		for _, line := range term.Lines {
			if winner < 0 || line < 0 || line >= len(o.Lines) {
				return nil, fmt.Errorf("month term %s names line %d of %s", term.Rule, line, term.KOC)
			}
			sales, err := c.sales(line, winner, award.Winners)
			if err != nil {
				return nil, err
			}
			part.Sums = part.Sums.Plus(sales)
		}
		out = append(out, part)
	}
	return out, nil
}

// sales are a winner's part of what a line was sold for.
func (c cut) sales(line, winner int, winners []ordering.Winner) (MonthSums, error) {
	early, all := c.refunded(line)
	sold, err := c.order.Lines[line].Net.Sub(early)
	if err != nil {
		return MonthSums{}, err
	}
	back, err := all.Sub(early)
	if err != nil {
		return MonthSums{}, err
	}
	soldParts, err := divide(sold, winners)
	if err != nil {
		return MonthSums{}, err
	}
	backParts, err := divide(back, winners)
	if err != nil {
		return MonthSums{}, err
	}
	switch {
	case c.order.Released == nil:
		return MonthSums{Sales: soldParts[winner].Minor}, nil
	case c.replaced:
		return MonthSums{SalesReleased: soldParts[winner].Minor, SalesReturned: soldParts[winner].Minor}, nil
	default:
		return MonthSums{SalesReleased: soldParts[winner].Minor, SalesReturned: backParts[winner].Minor}, nil
	}
}

// joinMonths adds up parts of the same month, in a fixed order.
func joinMonths(parts []MonthPart) []MonthPart {
	slices.SortStableFunc(parts, func(a, b MonthPart) int { return a.Key.compare(b.Key) })
	var out []MonthPart
	for _, p := range parts {
		if n := len(out); n > 0 && out[n-1].Key == p.Key {
			out[n-1].Sums = out[n-1].Sums.Plus(p.Sums)
			continue
		}
		out = append(out, p)
	}
	return out
}
