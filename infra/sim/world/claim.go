package world

import (
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// frees fills an award with winners, inviters and terms of every kind.
func (w *World) frees(a *ordering.Award, o ordering.Order) {
	n := len(w.shop.kocs)
	first := w.pick(n)
	a.Winners = []ordering.Winner{{KOC: w.shop.kocs[first], Code: w.shop.kocs[first], Share: money.Whole}}
	if n > 1 && w.pick(3) == 2 {
		share := money.BasisPoints(w.between(1, 9999))
		a.Winners[0].Share -= share
		second := w.shop.kocs[(first+1)%n]
		a.Winners = append(a.Winners, ordering.Winner{KOC: second, Code: second, Share: share})
	}
	if n > 2 && w.pick(3) == 2 {
		a.InviterRate = rates[w.pick(len(rates))]
		a.Winners[0].Inviter = w.shop.kocs[(first+2)%n]
	}
	for i := range o.Lines {
		r := ordering.LineRate{Rule: "claim", RuleVersion: 1, Rate: rates[w.pick(len(rates))]}
		switch w.pick(6) {
		case 3:
			r.PerUnit, r.Rate = int64(w.between(1, 500)), 0
		case 4:
			r.LineCap = int64(w.between(1, 300))
		case 5:
			r.OrderCap = 77
		}
		if i > 0 && a.Rates[0].OrderCap > 0 { // what shares a cap stands under one rule
			r = a.Rates[0]
		}
		a.Rates = append(a.Rates, r)
	}
	if w.pick(2) == 1 {
		w.monthly(a, o)
	}
}

// monthly adds terms about months. Every month of a KOC has the same terms under one rule.
func (w *World) monthly(a *ordering.Award, o ordering.Order) {
	var all []int
	for i := range o.Lines {
		all = append(all, i)
	}
	for _, winner := range a.Winners {
		a.Months = append(a.Months,
			ordering.MonthTerm{KOC: winner.KOC, Rule: "month-cap", RuleVersion: 1, Lines: all, Cap: 400},
			ordering.MonthTerm{KOC: winner.KOC, Rule: "month-bonus", RuleVersion: 1, Lines: all[:1],
				Milestones: []ordering.Milestone{{Sales: 900, Bonus: 50}, {Sales: 3000, Bonus: 210}}})
	}
}
