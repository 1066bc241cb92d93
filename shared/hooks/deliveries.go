package hooks

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"yundian/shared/fail"
	"yundian/shared/once"
	"yundian/shared/seal"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/web/api"
	"yundian/shared/webhook"
)

// WebhookDelivery is one event recorded for an endpoint, and how far it has come.
type WebhookDelivery struct {
	ID       string     `json:"id" doc:"Of the event: the id of the entry that it tells of"`
	Type     string     `json:"type"`
	At       time.Time  `json:"at" doc:"When it happened"`
	Status   string     `json:"status" enum:"due,delivered,failed,kept" doc:"failed: given up; kept: recorded while the webhook was off"`
	Attempts int        `json:"attempts"`
	LastAt   *time.Time `json:"lastAt,omitempty" doc:"Of the last attempt"`
	Answer   int        `json:"answer,omitempty" doc:"HTTP status of the receiver's answer to it"`
	Problem  string     `json:"problem,omitempty" doc:"Why it failed: status, redirect, address, timeout or unreachable"`
	DueAt    *time.Time `json:"dueAt,omitempty"`
	Cursor   string     `json:"cursor" doc:"For redeliver: what comes after this event"`
}

// WebhookDeliveryPage is a page of deliveries, newest event first.
type WebhookDeliveryPage struct {
	Items []WebhookDelivery `json:"items"`
	Next  string            `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

// Cursors of the list and of single events are apart: one goes backwards, the other forwards.
func listOf(owner webhook.Owner, id string) seal.Binding {
	return seal.Binding{Owner: string(owner), Query: "deliveries of " + id}
}

func eventOf(owner webhook.Owner, id string) seal.Binding {
	return seal.Binding{Owner: string(owner), Query: "event of " + id}
}

func (d desk) viewDelivery(owner webhook.Owner, x webhook.Delivery) WebhookDelivery {
	v := WebhookDelivery{ID: x.Event.ID, Type: x.Event.Type, At: x.Event.At.UTC(), Status: string(x.State), Attempts: x.Attempts, Answer: x.Status,
		Problem: x.Problem, Cursor: d.Cursors.Cursor(eventOf(owner, x.Endpoint), store.EventCursor(x.Event))}
	if !x.Tried.IsZero() {
		at := x.Tried.UTC()
		v.LastAt = &at
	}
	if x.State == webhook.Due {
		at := x.Due.UTC()
		v.DueAt = &at
	}
	return v
}

func (d desk) listDeliveries(ctx context.Context, in *struct {
	OneWebhook
	api.Paging
}) (*api.Reply[WebhookDeliveryPage], error) {
	x, err := d.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	owner := d.Who(ctx).Owner
	after, err := d.Cursors.OpenCursor(listOf(owner, x.ID), in.Cursor)
	if err != nil {
		return nil, err
	}
	found, next, err := d.Store.Deliveries(ctx, x.ID, after, in.Limit.Size(), true)
	if err != nil {
		return nil, err
	}
	page := WebhookDeliveryPage{Items: []WebhookDelivery{}, Next: d.Cursors.Cursor(listOf(owner, x.ID), next)}
	for _, one := range found {
		page.Items = append(page.Items, d.viewDelivery(owner, one))
	}
	return &api.Reply[WebhookDeliveryPage]{Body: page}, nil
}

// TestSent is a test event on its way.
type TestSent struct {
	Event string `json:"event" doc:"Its id"`
}

// test records a test event that is due at once: the schedule sends it. There is one for each minute, so that nobody makes
// the shop hammer a receiver.
func (d desk) test(ctx context.Context, in *actInput) (*api.Reply[TestSent], error) {
	x, err := d.called(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	owner, now := d.Who(ctx).Owner, d.Now()
	event, err := once.Do(ctx, d.Store, d.wish(ctx, in.Key, "POST", "/"+x.ID+"/test", nil), now, func(record once.Record[string]) (string, error) {
		delivery := webhook.NewDelivery(owner, x, webhook.TestEvent(owner, x.ID, now), now)
		delivery.Again(now)
		if _, err := d.Store.SaveDelivery(ctx, &delivery); err != nil {
			return "", err
		}
		reply, err := record(delivery.Event.ID)
		if err != nil {
			return "", err
		}
		return delivery.Event.ID, d.Store.SaveReplies(ctx, reply)
	})
	return &api.Reply[TestSent]{Body: TestSent{Event: event}}, err
}

// called is one of the visitor's own endpoints, to which something can be sent.
func (d desk) called(ctx context.Context, id string) (webhook.Endpoint, error) {
	x, err := d.find(ctx, id)
	if err == nil && !x.Called() {
		err = fail.New(fail.Conflict, "endpoint_off", "This webhook is switched off. Switch it on first.", nil)
	}
	return x, err
}

// Bounds of one redelivery: what comes after is asked for with the cursor of the answer.
const (
	redelivered   = 500
	changesAtOnce = 16
)

type redeliverInput struct {
	api.Keyed
	OneWebhook
	Body struct {
		From string `json:"from" maxLength:"2048" doc:"A time such as 2026-03-01T12:00:00Z, the cursor of a delivery, or next of the answer before"`
	}
}

// Redelivery says how much is due again.
type Redelivery struct {
	Due  int    `json:"due" doc:"How many deliveries are due again, at most 500"`
	Next string `json:"next,omitempty" doc:"There is more: send it as from; absent when there is none"`
}

// redeliver makes what was recorded from a time on, or after an event, due again.
func (d desk) redeliver(ctx context.Context, in *redeliverInput) (*api.Reply[Redelivery], error) {
	x, err := d.called(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	owner, now := d.Who(ctx).Owner, d.Now()
	after, err := d.from(owner, x.ID, in.Body.From)
	if err != nil {
		return nil, err
	}
	out, err := once.Do(ctx, d.Store, d.wish(ctx, in.Key, "POST", "/"+x.ID+"/redeliver", in.Body), now, func(record once.Record[Redelivery]) (Redelivery, error) {
		found, next, err := d.Store.Deliveries(ctx, x.ID, after, redelivered, false)
		if err != nil {
			return Redelivery{}, err
		}
		out := Redelivery{Next: d.Cursors.Cursor(eventOf(owner, x.ID), next)}
		if out.Due, err = d.again(ctx, found, now); err != nil {
			return Redelivery{}, err
		}
		reply, err := record(out)
		if err != nil {
			return Redelivery{}, err
		}
		return out, d.Store.SaveReplies(ctx, reply)
	})
	return &api.Reply[Redelivery]{Body: out}, err
}

// from reads where a redelivery begins: a time, or the cursor of an event.
func (d desk) from(owner webhook.Owner, id, text string) (after string, err error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil && shop.Time(at) {
		return store.CursorAt(at), nil
	}
	after, err = d.Cursors.OpenCursor(eventOf(owner, id), text)
	if err != nil || after == "" {
		return "", fail.NewFields([]fail.Field{fail.At("body.from", "redeliver_from", "A time such as 2026-03-01T12:00:00Z, or the cursor of one of this webhook's deliveries.", nil)})
	}
	return after, nil
}

// again makes deliveries due now, side by side, and returns how many. One that is attempted at this moment stays as that
// leaves it.
func (d desk) again(ctx context.Context, deliveries []webhook.Delivery, now time.Time) (int, error) {
	var n atomic.Int64
	var group errgroup.Group
	group.SetLimit(changesAtOnce)
	for i := range deliveries {
		group.Go(func() error {
			deliveries[i].Again(now)
			ok, err := d.Store.SaveDelivery(ctx, &deliveries[i])
			if ok {
				n.Add(1)
			}
			return err
		})
	}
	err := group.Wait()
	return int(n.Load()), err
}
