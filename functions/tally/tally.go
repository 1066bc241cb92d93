package main

import (
	"context"
	"strings"

	"yundian/shared/ledger"
	"yundian/shared/store"
	"yundian/shared/stream"
)

// tally keeps the statistics. What they say of orders follows from the facts in the ledger; single touches are deleted after
// some weeks, their counts stay.
type tally struct {
	store *store.Store
}

// batch counts a batch of facts or touches.
func (t *tally) batch(ctx context.Context, records []stream.Record) (failed int, err error) {
	var facts []ledger.Fact
	for i, r := range records {
		if strings.HasPrefix(store.KeyOf(r.Keys).SK, "TOUCH#") {
			touch, err := store.TouchFrom(r.New)
			if err != nil {
				return i, err
			}
			if err := t.store.CountTouch(ctx, touch); err != nil {
				return i, err
			}
			continue
		}
		f, err := store.FactFrom(r.New)
		if err != nil {
			return i, err
		}
		facts = append(facts, f)
	}
	return 0, t.store.CountFacts(ctx, facts)
}
