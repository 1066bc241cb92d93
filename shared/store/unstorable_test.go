package store

import (
	"context"
	"testing"
	"time"

	"yundian/shared/ordering"
)

// An order with something that cannot be stored is an error: no process ends by it, and nothing is written of what stands
// beside it in its transaction.
func TestWhatCannotBeStoredIsAnErrorAndLeavesNothing(t *testing.T) {
	m := NewMaps()
	s, ctx := OpenMaps(m), context.Background()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	far := time.Date(36812, 2, 20, 0, 36, 15, 0, time.UTC)
	o := ordering.Order{ID: "o1", PlacedAt: now, Person: "p", Customer: ordering.NewCustomer, Evidence: []ordering.Evidence{{Kind: ordering.ByLink, At: far}}}
	if placed, err := s.PlaceOrder(ctx, NewOrder{Order: o, Key: "k"}); err == nil {
		t.Errorf("placed %+v", placed)
	}
	o.Evidence = nil
	o.Version = 1
	broken := o
	broken.Version, broken.Released = 2, &ordering.Mark{V: 3, At: far}
	good := broken
	good.Version, good.Released = 3, nil
	for name, writes := range map[string][]Write{
		"alone":                       {orderWrite(broken)},
		"last of a chain of versions": merge([]Write{orderWrite(o), orderWrite(broken)}),
		"between versions":            merge([]Write{orderWrite(o), orderWrite(broken), orderWrite(good)}),
		"beside others":               {{Table: Ledger, Key: Key{"C", "C"}, Add: map[string]int64{"n": 1}}, orderWrite(broken)},
	} {
		if err := s.apply(ctx, writes); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	for table := range tables {
		for k := range m.Items(table) {
			t.Errorf("table %d holds %v", table, k)
		}
	}
}
