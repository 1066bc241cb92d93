package ledger

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"yundian/shared/commission"
	"yundian/shared/ordering"
)

// moveMonths moves the months that an order belongs to by what its part in them has changed, and posts what that changes
// in caps and bonuses. Both stand in the settlement of the order, so that available never shows, not even for a
// moment, what a cap will take away.
//
// Whoever's month moves has a posting in the settlement, if need be one that says nothing but which month the sale
// counts toward: so the postings of a KOC lead to all orders that a month of theirs is made of.
func (s *Settlement) moveMonths(o ordering.Order, before []commission.MonthPart, months Months, now time.Time) {
	quiet := map[string]Entry{}
	for _, part := range monthChanges(before, s.Applied.Months) {
		month := months[part.Key]
		seen := month.V
		if part.Terms.RuleVersion > 0 {
			month.Terms = part.Terms
		}
		month.V++
		month.Sums = month.Sums.Plus(part.Sums)
		after := month.Terms.Adjust(month.Sums)
		change := after.Minus(month.Posted)
		month.Posted = after
		months[part.Key] = month
		s.Months = append(s.Months, MonthChange{Key: part.Key, Seen: seen, After: month})
		if e := monthEntry(part.Key, month, change); len(e.Legs) > 0 {
			s.enter(o, part.Key.KOC, []Entry{e}, now)
		} else {
			quiet[part.Key.KOC] = e
		}
	}
	for _, koc := range slices.Sorted(maps.Keys(quiet)) {
		if !slices.ContainsFunc(s.Postings, func(p Posting) bool { return p.KOC == koc }) {
			s.enter(o, koc, []Entry{quiet[koc]}, now)
		}
	}
}

// monthChanges are the differences between an order's parts in months before and after, in a fixed order. A month that
// the order leaves keeps its terms.
func monthChanges(before, after []commission.MonthPart) []commission.MonthPart {
	sum := map[commission.MonthKey]commission.MonthPart{}
	for _, p := range before {
		sum[p.Key] = commission.MonthPart{Key: p.Key, Sums: commission.MonthSums{}.Minus(p.Sums)}
	}
	for _, p := range after {
		sum[p.Key] = commission.MonthPart{Key: p.Key, Terms: p.Terms, Sums: sum[p.Key].Sums.Plus(p.Sums)}
	}
	out := make([]commission.MonthPart, 0, len(sum))
	for _, p := range sum {
		if p.Sums != (commission.MonthSums{}) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b commission.MonthPart) int {
		return cmp.Or(cmp.Compare(a.Key.KOC, b.Key.KOC), cmp.Compare(a.Key.Month, b.Key.Month), cmp.Compare(a.Key.Rule, b.Key.Rule))
	})
	return out
}

// monthEntry is how a month's adjustment changed, as one entry: a gain or loss, a move between accounts, or nothing.
func monthEntry(k commission.MonthKey, m Month, change commission.Adjustment) Entry {
	e := Entry{Kind: Adjusted, Minor: change.Total(), Rule: k.Rule, RuleVersion: m.Terms.RuleVersion, Reason: "month:" + k.Month}
	switch {
	case e.Minor == 0 && change != commission.Adjustment{}:
		e.Kind, e.Minor = Release, change.Available
	case len(m.Terms.Milestones) > 0:
		e.Kind = Bonus
	}
	for _, l := range []Leg{{Pending, change.Pending}, {Available, change.Available}, {Debt, change.Debt}, {Expense, -change.Total()}} {
		if l.Minor != 0 {
			e.Legs = append(e.Legs, l)
		}
	}
	return e
}
