package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"yundian/shared/webhook"
)

// Bounds of one run of the schedule. What does not fit comes with the next run, a minute later.
const (
	perShard       = 500              // deliveries looked at in each shard of the list
	lettersShard   = 50               // letters likewise
	healthyAtOnce  = 32               // endpoints
	failingAtOnce  = 8                // endpoints that fail have places of their own: however many hang, the others get theirs
	endpointBudget = 20 * time.Second // for the attempts of one endpoint
	saving         = 5 * time.Second  // kept back before the deadline for recording what became of the last attempts
)

// sweep sends what is due as of the event's own time: what failed before, what a first attempt did not come to, and what
// an owner wants again. Endpoints go side by side; one that hangs takes its own time and nobody else's.
func (n *notify) sweep(ctx context.Context, now time.Time) error {
	due, err := n.store.DueDeliveries(ctx, now, perShard)
	if err != nil {
		return err
	}
	outlets, err := n.store.Outlets(ctx, owners(due), nil)
	if err != nil {
		return err
	}
	hooks := outlets.Webhooks
	attempts, cancel := context.WithCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		attempts, cancel = context.WithDeadline(ctx, deadline.Add(-saving))
	}
	defer cancel()
	var all errgroup.Group
	all.Go(func() error { return n.sweepLetters(ctx, attempts, now) })
	all.Go(func() error { return n.putAside(ctx, due, hooks) })
	queues := group(due, hooks)
	for _, failing := range []bool{false, true} {
		all.Go(func() error { return n.work(ctx, attempts, queues, failing, now) })
	}
	return all.Wait()
}

func owners(due []webhook.Delivery) []webhook.Owner {
	var out []webhook.Owner
	for _, d := range due {
		out = append(out, d.Owner)
	}
	return out
}

// work gives every endpoint its turn, those that fail or the others. What an endpoint did not come to is moved behind
// everything else that is due, so that nobody's queue stands in the way of another's.
func (n *notify) work(ctx, attempts context.Context, queues []*queue, failing bool, now time.Time) error {
	var group errgroup.Group
	group.SetLimit(healthyAtOnce)
	if failing {
		group.SetLimit(failingAtOnce)
	}
	for _, q := range queues {
		if q.endpoint.Failures > 0 != failing {
			continue
		}
		group.Go(func() error {
			budget, cancel := context.WithTimeout(attempts, endpointBudget)
			defer cancel()
			left := n.attempt(ctx, budget, q, atOnce, now)
			again := now.Add(time.Second)
			if q.endpoint.Failures > 0 {
				again = now.Add(q.endpoint.Wait())
			}
			return n.save(ctx, left, func(d *webhook.Delivery) { d.Postpone(again) })
		})
	}
	return group.Wait()
}

// putAside keeps deliveries to endpoints that are gone, paused, given up or a suspended KOC's, so that they are no longer
// due.
func (n *notify) putAside(ctx context.Context, due []webhook.Delivery, hooks map[webhook.Owner]webhook.Endpoints) error {
	var aside []webhook.Delivery
	for _, d := range due {
		if x, err := hooks[d.Owner].Find(d.Endpoint); err != nil || !x.Called() {
			aside = append(aside, d)
		}
	}
	return n.save(ctx, aside, func(d *webhook.Delivery) { d.Keep() })
}

// save changes deliveries and writes them, side by side. One that somebody else has changed meanwhile stays as it is.
func (n *notify) save(ctx context.Context, deliveries []webhook.Delivery, change func(*webhook.Delivery)) error {
	var group errgroup.Group
	group.SetLimit(writesAtOnce)
	for i := range deliveries {
		group.Go(func() error {
			change(&deliveries[i])
			_, err := n.store.SaveDelivery(ctx, &deliveries[i])
			return err
		})
	}
	return group.Wait()
}

// sweepLetters sends the letters that are due.
func (n *notify) sweepLetters(ctx, attempts context.Context, now time.Time) error {
	if !n.sender.On() {
		return nil
	}
	due, err := n.store.DueLetters(ctx, now, lettersShard)
	if err != nil || len(due) == 0 {
		return err
	}
	known, err := n.look(ctx, due)
	if err != nil {
		return err
	}
	if failed := n.sendLetters(ctx, attempts, due, known, now); failed > 0 {
		return fmt.Errorf("notify: %d of %d letters were not recorded", failed, len(due))
	}
	return nil
}
