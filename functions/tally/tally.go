package main

import (
	"context"
	"fmt"
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

// attempts bounds how often a fact is counted again because another batch counted one of the same order meanwhile.
const attempts = 5

// batch counts a batch of facts or touches. Of several facts of one order only the latest matters.
func (t *tally) batch(ctx context.Context, records []stream.Record) (failed int, err error) {
	latest := map[string]ledger.Fact{}
	var order []string
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
		if _, seen := latest[f.Order]; !seen {
			order = append(order, f.Order)
		}
		if f.V > latest[f.Order].V {
			latest[f.Order] = f
		}
	}
	counted, err := t.store.Tallied(ctx, order)
	if err != nil {
		return 0, err
	}
	for _, id := range order {
		if err := t.count(ctx, counted[id], latest[id]); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// count moves the statistics from the fact counted before to a later one.
func (t *tally) count(ctx context.Context, before, after ledger.Fact) error {
	for range attempts {
		// An order that is not paid counts nothing, and what came before that did not either: payments are not taken back.
		unpaid := before.V == 0 && !after.Counted
		if unpaid || before.V >= after.V {
			return nil
		}
		done, err := t.store.Tally(ctx, before, after)
		if err != nil || done {
			return err
		}
		counted, err := t.store.Tallied(ctx, []string{after.Order})
		if err != nil {
			return err
		}
		before = counted[after.Order]
	}
	return fmt.Errorf("tally: order %s kept changing", after.Order)
}
