package main

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/stream"
)

// settle posts commission. It is the only writer of commission postings.
type settle struct {
	store *store.Store
	now   func() time.Time
}

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
	settled, err := s.store.SettleOrders(ctx, slices.Collect(maps.Values(latest)), s.now)
	if err != nil {
		return 0, err
	}
	slog.InfoContext(ctx, "orders settled", "orders", len(latest), "changed", settled)
	return 0, nil
}
