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
	"yundian/shared/telemetry"
)

// payer makes scheduled payouts and drives those that are due.
type payer struct {
	paymaster cashier.Paymaster
}

// Bounds of one run: payouts looked at, payouts at once, the time kept back before the deadline in which no further
// payout is begun (a slow rail is asked for twenty seconds), and that in which no further KOCs are looked at, so that what
// is due is driven in every run. What does not fit comes with the next run, a minute later.
const (
	perRun   = 2000
	atOnce   = 8
	margin   = 22 * time.Second
	schedule = 35 * time.Second
)

// run does what is due as of the event's own time, so that a run can be repeated or moved. A payout that fails is reported
// and holds up no other: they go side by side, in no order, so that those that fail again and again do not always come
// first.
func (p *payer) run(ctx context.Context, event events.CloudWatchEvent) error {
	now := event.Time.UTC()
	failures := []error{p.paymaster.Schedule(ctx, now, func() bool { return left(ctx, schedule) })}
	ids, err := p.paymaster.Store.DuePayouts(ctx, now, perRun)
	if err != nil {
		return errors.Join(failures[0], err)
	}
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	var group errgroup.Group
	group.SetLimit(atOnce)
	var mu sync.Mutex
	driven := 0
	for _, id := range ids {
		if !left(ctx, margin) {
			break
		}
		driven++
		group.Go(func() error {
			if _, err := p.paymaster.Drive(ctx, id, now); err != nil {
				slog.ErrorContext(ctx, "payout not driven", "payout", id, "error", err)
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, fmt.Errorf("drive payout %s: %w", id, err))
			}
			return nil
		})
	}
	_ = group.Wait() // failures are collected, none ends the run
	telemetry.Count(ctx, "PayoutsDriven", float64(driven))
	return errors.Join(failures[:min(4, len(failures))]...)
}

// left reports whether more than so much of the time is left that the run was given.
func left(ctx context.Context, so time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > so
}
