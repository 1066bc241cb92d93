package main

import (
	"context"
	"time"

	"yundian/shared/store"
	"yundian/shared/stream"
)

// attribute decides which KOC earned an order and freezes tier and rates with the decision.
type attribute struct {
	store *store.Store
	now   func() time.Time
}

// batch decides a batch of new orders.
func (a *attribute) batch(ctx context.Context, records []stream.Record) (failed int, err error) {
	ids := make([]string, len(records))
	for i, r := range records {
		o, err := store.OrderFrom(r.New)
		if err != nil {
			return i, err
		}
		ids[i] = o.ID
	}
	return 0, a.store.AttributeOrders(ctx, ids, a.now)
}
