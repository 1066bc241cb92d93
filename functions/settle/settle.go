package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/stream"
)

// settle posts commission. It is the only writer of commission postings.
type settle struct {
	store *store.Store
	now   func() time.Time
}

// attempts bounds how often orders whose version was applied by another batch meanwhile are worked out again.
const attempts = 5

// batch posts a batch of order changes together: only the latest version of each order counts, because what is
// posted follows from the whole order and not from the change.
func (s *settle) batch(ctx context.Context, records []stream.Record) (failed int, err error) {
	latest := map[string]ordering.Order{}
	for i, r := range records {
		o, err := store.OrderFrom(r.New)
		if err != nil {
			return i, err
		}
		if o.Version > latest[o.ID].Version {
			latest[o.ID] = o
		}
	}
	return 0, s.post(ctx, latest)
}

// post brings the ledger to where these orders stand.
func (s *settle) post(ctx context.Context, orders map[string]ordering.Order) error {
	for range attempts {
		ids := make([]string, 0, len(orders))
		for id := range orders {
			ids = append(ids, id)
		}
		slices.Sort(ids) // orders were placed in the order of their ids; and the same batch makes the same transactions
		applied, err := s.store.Applied(ctx, ids)
		if err != nil {
			return err
		}
		var due []ledger.Settlement
		for _, id := range ids {
			st, changed, err := ledger.Settle(orders[id], applied[id], s.now())
			if err != nil {
				return err
			}
			if changed {
				due = append(due, st)
			}
		}
		outdated, err := s.store.Settle(ctx, due)
		if err != nil {
			return err
		}
		if len(outdated) == 0 {
			slog.InfoContext(ctx, "orders settled", "orders", len(ids), "changed", len(due))
			return nil
		}
		again := map[string]ordering.Order{}
		for _, id := range outdated {
			again[id] = orders[id]
		}
		orders = again
	}
	return fmt.Errorf("settle: %d orders kept changing", len(orders))
}
