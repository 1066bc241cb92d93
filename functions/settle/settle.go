package main

import (
	"context"
	"log/slog"
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
	orders := make([]ordering.Order, len(records))
	for i, r := range records {
		var err error
		if orders[i], err = store.OrderFrom(r.New); err != nil {
			return i, err
		}
	}
	settled, err := s.store.SettleOrders(ctx, orders, s.now)
	if err != nil {
		return 0, err
	}
	slog.InfoContext(ctx, "orders settled", "versions", len(orders), "changed", settled)
	return 0, nil
}
