package commission

import (
	"slices"

	"yundian/shared/koc"
	"yundian/shared/ordering"
)

// Freeze fills an award with the terms of a moment: the rates of the order's lines, what inviters get, and the rules about
// the month. The book is the one in force at placement, month the one that was in force when the month of the order began.
// known are the profiles of the winners and, where the book pays inviters, of their inviters.
func Freeze(o ordering.Order, a ordering.Award, known map[string]koc.Profile, book, month Book) ordering.Award {
	if len(a.Winners) == 0 {
		return a
	}
	a.BookVersion, a.Rates, a.Months, a.InviterRate = book.Version, make([]ordering.LineRate, len(o.Lines)), nil, 0
	first := saleOf(o, known[a.Winners[0].KOC])
	rates := book.at(o.PlacedAt)
	for i, l := range o.Lines {
		a.Rates[i] = rates.find(first.of(l))
	}
	a.Winners = slices.Clone(a.Winners)
	for i, w := range a.Winners {
		a.Winners[i].Inviter = ""
		if inviter := inviterOf(o, w, known); inviter != "" && book.InviterRate > 0 {
			a.Winners[i].Inviter, a.InviterRate = inviter, book.InviterRate
		}
		a.Months = append(a.Months, month.months(o, saleOf(o, known[w.KOC]))...)
	}
	return a
}

// saleOf is what rules see of an order of a KOC's, its lines apart.
func saleOf(o ordering.Order, p koc.Profile) Sale {
	return Sale{KOC: p.Handle, Tier: p.TierAt(o.PlacedAt), Customer: o.Buyer(), At: o.PlacedAt}
}

func (s Sale) of(l ordering.Line) Sale {
	s.Product, s.Tags = l.Product, l.Tags
	return s
}

// inviterOf is who had invited a winner by the time of placement and was approved then. An inviter earns nothing by the
// inviter's own order either.
func inviterOf(o ordering.Order, w ordering.Winner, known map[string]koc.Profile) string {
	by := known[w.KOC].InviterAt(o.PlacedAt)
	if by == "" || known[by].StatusAt(o.PlacedAt) != koc.Approved || known[by].Identity.Meet(o.Identity) {
		return ""
	}
	return by
}

// months are the rules about months that an order falls under: its lines each under the most specific cap, and under
// every bonus that is about them.
func (b Book) months(o ordering.Order, s Sale) []ordering.MonthTerm {
	caps := b.capsAt(o.PlacedAt)
	var terms []ordering.MonthTerm
	for _, r := range b.MonthRules {
		if r.Match.Campaign != "" && !b.running(r.Match.Campaign, o.PlacedAt) {
			continue
		}
		t := ordering.MonthTerm{KOC: s.KOC, Rule: r.ID, RuleVersion: b.Version, Cap: r.Cap.Minor}
		for _, m := range r.Milestones {
			t.Milestones = append(t.Milestones, ordering.Milestone{Sales: m.Sales.Minor, Bonus: m.Bonus.Minor})
		}
		for i, l := range o.Lines {
			if sale := s.of(l); t.Cap > 0 && caps.find(sale).Rule == r.ID || t.Cap == 0 && r.Match.covers(sale) {
				t.Lines = append(t.Lines, i)
			}
		}
		if len(t.Lines) > 0 {
			terms = append(terms, t)
		}
	}
	return terms
}

// InvitersOf are the KOCs whose profiles Freeze needs beside those of the winners.
func (b Book) InvitersOf(o ordering.Order, a ordering.Award, known map[string]koc.Profile) []string {
	var out []string
	for _, w := range a.Winners {
		if by := known[w.KOC].InviterAt(o.PlacedAt); by != "" && b.InviterRate > 0 {
			out = append(out, by)
		}
	}
	return out
}
