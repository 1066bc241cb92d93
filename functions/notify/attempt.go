package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"yundian/shared/letter"
	"yundian/shared/store"
	"yundian/shared/telemetry"
	"yundian/shared/webhook"
)

// Bounds of one endpoint's turn: requests at once, and failures without a success between them after which it is left
// alone. All turns together keep fewer connections open than a process of Lambda may have files, 1,024.
const (
	atOnce      = 4
	connections = 400
	patience    = 3
)

// queue is what one endpoint is to be sent.
type queue struct {
	owner      webhook.Owner
	endpoint   webhook.Endpoint
	deliveries []webhook.Delivery
}

// group sorts deliveries by endpoint, in the order of their first one. Those whose endpoint is gone, paused or given up
// are left out.
func group(deliveries []webhook.Delivery, hooks map[webhook.Owner]webhook.Endpoints) []*queue {
	byEndpoint := map[string]*queue{}
	var queues []*queue
	for _, d := range deliveries {
		q := byEndpoint[d.Endpoint]
		if q == nil {
			x, err := hooks[d.Owner].Find(d.Endpoint)
			if err != nil || !x.Called() {
				continue
			}
			q = &queue{owner: d.Owner, endpoint: *x}
			byEndpoint[d.Endpoint], queues = q, append(queues, q)
		}
		q.deliveries = append(q.deliveries, d)
	}
	return queues
}

// turn is how one endpoint's turn goes.
type turn struct {
	patience int // failures in a row that end it

	mu                sync.Mutex
	succeeded, failed int
	inARow            int // failures since the last success
}

func (t *turn) note(ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if ok {
		t.succeeded, t.inARow = t.succeeded+1, 0
	} else {
		t.failed, t.inARow = t.failed+1, t.inARow+1
	}
}

func (t *turn) over() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inARow >= t.patience
}

// attempt works through a queue until its time is over or the endpoint has failed too often, and returns what it did not
// come to; requests is how many it makes at once. Attempts end with one context; what became of them is saved under the
// other.
func (n *notify) attempt(ctx, attempts context.Context, q *queue, requests int, now time.Time) (left []webhook.Delivery) {
	secrets, err := n.secrets(q, now)
	if err != nil {
		slog.ErrorContext(ctx, "webhook not signed", "endpoint", q.endpoint.ID, "error", err)
		return q.deliveries
	}
	t := &turn{patience: patience}
	var group errgroup.Group
	group.SetLimit(requests)
	if q.endpoint.Failures > 0 { // a single one finds out whether it works again
		t.patience = 1
		group.SetLimit(1)
	}
	skipped := make([]bool, len(q.deliveries))
	for i := range q.deliveries {
		group.Go(func() error {
			if skipped[i] = attempts.Err() != nil || t.over(); !skipped[i] {
				t.note(n.deliver(ctx, attempts, q.endpoint, secrets, &q.deliveries[i], now))
			}
			return nil
		})
	}
	_ = group.Wait() // failures are counted, none ends the turn
	n.fares(ctx, q, t, now)
	for i, d := range q.deliveries {
		if skipped[i] {
			left = append(left, d)
		}
	}
	return left
}

// deliver makes one attempt at a delivery and records what became of it.
func (n *notify) deliver(ctx, attempts context.Context, x webhook.Endpoint, secrets []string, d *webhook.Delivery, now time.Time) (ok bool) {
	body, err := d.Event.Body()
	if err != nil {
		slog.ErrorContext(ctx, "event not written", "event", d.Event.ID, "error", err)
		return false
	}
	status, problem := n.courier.Carry(attempts, x.URL, webhook.Sign(body, n.now(), secrets...), body)
	if problem == "" {
		d.Succeed(status, now)
	} else {
		d.Fail(status, problem, now)
	}
	if _, err := n.store.SaveDelivery(ctx, d); err != nil {
		// It stays due and is sent once more: receivers know events by their ids.
		slog.ErrorContext(ctx, "delivery not recorded", "endpoint", x.ID, "event", d.Event.ID, "error", err)
	}
	if d.State == webhook.Failed {
		slog.WarnContext(ctx, "delivery given up", "endpoint", x.ID, "event", d.Event.ID, "problem", problem, "status", status)
	}
	return problem == ""
}

// secrets are what deliveries to an endpoint are signed with now.
func (n *notify) secrets(q *queue, now time.Time) ([]string, error) {
	var out []string
	for _, s := range q.endpoint.Signing(now) {
		secret, err := n.box.Open(webhook.SecretBinding(q.owner, q.endpoint.ID), s.Sealed)
		if err != nil {
			return nil, err
		}
		out = append(out, secret)
	}
	return out, nil
}

// fares records how an endpoint fares, if that changed, and tells its owner when it is given up.
func (n *notify) fares(ctx context.Context, q *queue, t *turn, now time.Time) {
	probe := q.endpoint
	if !probe.Fares(t.succeeded, t.failed, now) {
		return
	}
	died := false
	_, err := n.store.UpdateWebhooks(ctx, q.owner, func(e *webhook.Endpoints) (bool, error) {
		x, err := e.Find(q.endpoint.ID)
		if err != nil {
			return false, nil // removed meanwhile
		}
		lived := x.Dead.IsZero()
		changed := x.Fares(t.succeeded, t.failed, now)
		died = lived && !x.Dead.IsZero()
		q.endpoint = *x
		return changed, nil
	}, func(webhook.Endpoints) []store.Write {
		l, ok := letter.ForDead(q.owner, q.endpoint)
		if !died || !ok || !n.sender.On() {
			return nil
		}
		l.Progress = webhook.Begin(now)
		return []store.Write{store.LetterWrite(l)}
	})
	if err != nil {
		slog.ErrorContext(ctx, "state of webhook not recorded", "endpoint", q.endpoint.ID, "error", err)
		return
	}
	if died {
		slog.ErrorContext(ctx, "webhook given up", "endpoint", q.endpoint.ID, "owner", q.owner)
		telemetry.Count(ctx, "WebhooksDead", 1, telemetry.Dim{Name: "Owner", Value: ownerKind(q.owner)})
	}
}

func ownerKind(o webhook.Owner) string {
	if o == webhook.Operators {
		return "operators"
	}
	return "koc"
}
