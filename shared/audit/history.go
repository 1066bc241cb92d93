package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"yundian/shared/ledger"
)

// history holds what the order's postings add up to against where the ledger says it stands. When they agree, the order is
// settled once more, version by version as it was then: each fact and each posting follows from its version and the one
// before. Otherwise one wrong figure would be told for every version after it.
func (e *evidence) history() []Difference {
	if found := e.posted(); len(found) > 0 {
		return found
	}
	if e.applied.V > e.order.Version { // the order has lost versions: that is told by itself
		return nil
	}
	have := map[string]string{}
	for _, p := range e.postings {
		have[p.ID] = postingText(p)
	}
	want := map[string]string{}
	var found []Difference
	var before ledger.Applied
	for _, v := range slices.Sorted(maps.Keys(e.facts)) {
		if v > e.applied.V {
			break
		}
		s, _, err := ledger.Settle(e.order.AsOf(v), before, ledger.Months{}, e.facts[v].At)
		if err != nil {
			return append(found, Difference{Commission, e.order.ID, fmt.Sprintf("a version %d that can be settled", v), err.Error()})
		}
		if text, said := factText(s.Fact), factText(e.facts[v]); text != said && v < e.applied.V { // the last one is held against it elsewhere
			found = append(found, Difference{Fact, e.order.ID, fmt.Sprintf("version %d: %s", v, text), said})
		}
		for _, p := range s.Postings {
			want[p.ID] = postingText(p)
		}
		before = s.Applied
	}
	for _, id := range keysOf(want, have) {
		if x, y := orNothing(want[id]), orNothing(have[id]); x != y {
			found = append(found, Difference{Posting, id, x, y})
		}
	}
	return found
}

// postingText is what a posting says of an order's lines; caps and bonuses of a month depend on other orders. A posting that
// says nothing of them is nothing.
func postingText(p ledger.Posting) string {
	var parts []string
	for _, e := range p.Entries {
		if e.SKU == "" {
			continue
		}
		text := fmt.Sprintf("%s %d of line %d (%s, %s) of %d at %d/%d by rule %s version %d", e.Kind, e.Minor, e.Line, e.SKU, e.Product, e.Base, e.Rate,
			e.PerUnit, e.Rule, e.RuleVersion)
		for _, l := range e.Legs {
			text += fmt.Sprintf(" %s %d", l.Account, l.Minor)
		}
		parts = append(parts, text)
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("%s version %d for %s in %s, placed %s: %s", p.Order, p.V, p.KOC, p.Currency, p.PlacedAt.UTC().Format("2006-01-02T15:04:05.000"), strings.Join(parts, "; "))
}
