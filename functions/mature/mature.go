package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"yundian/shared/cashier"
	"yundian/shared/fail"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/telemetry"
)

// mature records what time has made true, and drives refunds whose outcome is not known yet.
type mature struct {
	store   *store.Store
	cashier cashier.Cashier
}

// Bounds of one run: orders read at once per shard, rounds, and the time kept back before the deadline.
const (
	batchSize = 100
	rounds    = 50
	margin    = 2 * time.Second
)

// run works through every order that is due as of the event's own time, so that a run can be repeated or moved. An
// order that cannot be matured now is reported and does not hold up the others.
func (m *mature) run(ctx context.Context, event events.CloudWatchEvent) error {
	now := event.Time.UTC()
	tried := map[string]bool{}
	var failures []error
	for range rounds {
		ids, err := m.store.DueOrders(ctx, now, batchSize)
		if err != nil {
			return err
		}
		fresh := 0
		for _, id := range ids {
			if tried[id] {
				continue
			}
			tried[id] = true
			fresh++
			if err := m.order(ctx, id, now); err != nil {
				failures = append(failures, err)
				slog.ErrorContext(ctx, "order not matured", "order", id, "error", err)
			}
			if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < margin {
				break
			}
		}
		if fresh == 0 || len(ids) < batchSize {
			break
		}
	}
	telemetry.Count(ctx, "OrdersMatured", float64(len(tried)-len(failures)))
	if len(failures) > 0 {
		return fmt.Errorf("mature: %d of %d orders failed: %w", len(failures), len(tried), errors.Join(failures[:min(3, len(failures))]...))
	}
	return nil
}

// order matures one order. Its open payment is closed at the provider first: "already paid" means paid, and then
// nothing expires.
func (m *mature) order(ctx context.Context, id string, now time.Time) error {
	o, err := m.store.Order(ctx, id)
	if err != nil {
		return err
	}
	if o.Status() == ordering.Held && !now.Before(o.Terms.HoldUntil) {
		if o, err = m.cashier.Close(ctx, o, now); err != nil {
			return err
		}
	}
	o, err = m.store.UpdateOrder(ctx, id, func(o *ordering.Order) error { return o.Mature(now) })
	if err != nil && fail.KindOf(err) != fail.NotFound {
		return err
	}
	_, err = m.cashier.SendRefunds(ctx, o, now)
	return err
}
