package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/sync/errgroup"

	"yundian/shared/cashier"
	"yundian/shared/store"
	"yundian/shared/telemetry"
)

// mature records what time has made true, and drives refunds whose outcome is not known yet.
type mature struct {
	store   *store.Store
	cashier cashier.Cashier
}

// Bounds of one run: orders per shard of the index, orders at once, and the time kept back before the deadline in which
// no further order is begun. What does not fit comes with the next run, a minute later.
const (
	perShard = 5000
	atOnce   = 8
	margin   = 3 * time.Second
)

// run works through the orders that are due as of the event's own time, so that a run can be repeated or moved. An
// order that cannot be matured now is reported and holds up no other: they go side by side, in no order, so that those
// that fail again and again do not always come first.
func (m *mature) run(ctx context.Context, event events.CloudWatchEvent) error {
	now := event.Time.UTC()
	ids, err := m.store.DueOrders(ctx, now, perShard)
	if err != nil {
		return err
	}
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	var group errgroup.Group
	group.SetLimit(atOnce)
	var mu sync.Mutex
	var failures []error
	begun := 0
	for _, id := range ids {
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < margin {
			break
		}
		begun++
		group.Go(func() error {
			if err := m.cashier.Mature(ctx, id, now); err != nil {
				slog.ErrorContext(ctx, "order not matured", "order", id, "error", err)
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, err)
			}
			return nil
		})
	}
	_ = group.Wait() // failures are collected, none ends the run
	telemetry.Count(ctx, "OrdersMatured", float64(begun-len(failures)))
	if len(failures) > 0 {
		return fmt.Errorf("mature: %d of %d orders failed: %w", len(failures), begun, errors.Join(failures[:min(3, len(failures))]...))
	}
	return nil
}
