package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"yundian/shared/webhook"
)

type hooksItem struct {
	V         int64                       `dynamodbav:"v"`
	Endpoints document[webhook.Endpoints] `dynamodbav:"endpoints"`
}

// outItem is something on its way out, a delivery or a letter. It stands in the list index while it is due.
type outItem[T any] struct {
	V      int64       `dynamodbav:"v"`
	ListPk string      `dynamodbav:"listPk,omitempty"`
	ListSk string      `dynamodbav:"listSk,omitempty"`
	TTL    int64       `dynamodbav:"ttl"`
	Out    document[T] `dynamodbav:"out"`
}

// outWrite replaces the version that was read; expires counts from the time that its cause happened, so that the same
// cause always makes the same item.
func outWrite[T any](key Key, seen int64, shard string, p webhook.Progress, cause time.Time, v T) Write {
	x := outItem[T]{V: seen + 1, TTL: cause.AddDate(0, 0, webhook.KeepDays).Unix(), Out: doc(v)}
	if p.State == webhook.Due {
		x.ListPk, x.ListSk = shard, sortable(p.Due)
	}
	return Write{Table: Shop, Key: key, Guards: replaces(seen)}.put(x)
}

func hooksFrom(owner webhook.Owner, it Item) (webhook.Endpoints, error) {
	if it == nil {
		return webhook.Endpoints{Owner: owner}, nil
	}
	var x hooksItem
	err := decode(it, &x)
	e := x.Endpoints.Value
	e.Owner, e.Version = owner, x.V
	return e, err
}

// Webhooks are the endpoints of these owners, whether they hear of news or not, in one round.
func (s *Store) Webhooks(ctx context.Context, owners []webhook.Owner) (map[webhook.Owner]webhook.Endpoints, error) {
	reads := make([]read, len(owners))
	for i, o := range owners {
		reads[i] = read{Shop, hooksKey(o)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make(map[webhook.Owner]webhook.Endpoints, len(owners))
	for i, o := range owners {
		if out[o], err = hooksFrom(o, found[reads[i]]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// errUnchanged ends an update without a write.
var errUnchanged = errors.New("store: nothing changed")

// UpdateWebhooks loads an owner's endpoints, lets change decide, and saves, repeated while others write the same owner's.
// A change that reports false is not written. extra makes the writes that belong into the same transaction from the
// endpoints as they will be; it may be nil.
func (s *Store) UpdateWebhooks(ctx context.Context, owner webhook.Owner, change func(*webhook.Endpoints) (bool, error),
	extra func(webhook.Endpoints) []Write) (webhook.Endpoints, error) {
	var after webhook.Endpoints
	err := s.retryChanged(ctx, func() error {
		found, err := s.Webhooks(ctx, []webhook.Owner{owner})
		if err != nil {
			return err
		}
		after = found[owner]
		changed, err := change(&after)
		if err != nil {
			return err
		}
		if !changed {
			return errUnchanged
		}
		seen := after.Version
		after.Version++
		writes := []Write{Write{Table: Shop, Key: hooksKey(owner), Guards: replaces(seen)}.
			put(hooksItem{V: after.Version, Endpoints: doc(after)})}
		if extra != nil {
			writes = append(writes, extra(after)...)
		}
		if err = s.apply(ctx, writes); refusedBy(err, func(k Key) bool { return k == writes[0].Key }) {
			return errOutdated
		}
		return err
	})
	if errors.Is(err, errUnchanged) {
		err = nil
	}
	return after, err
}

// EventCursor is where an event stands among the deliveries of an endpoint: they are in the order of what happened.
func EventCursor(e webhook.Event) string { return sortable(e.At) + "#" + e.ID }

// CursorAt is the cursor before everything that happened at a time or later.
func CursorAt(t time.Time) string { return sortable(t) }

func deliveryWrite(d webhook.Delivery) Write {
	return outWrite(deliveryKey(d.Endpoint, EventCursor(d.Event)), d.Version, outShard(deliveriesDue, d.Endpoint), d.Progress, d.Event.At, d)
}

// The lists of what is due.
const (
	deliveriesDue = "DELIVERIES"
	lettersDue    = "LETTERS"
)

// SaveDelivery records a delivery whose version is 0, or replaces the version that was read, and counts the version up.
// False means that it was recorded or changed by somebody else: whoever came first goes on with it.
func (s *Store) SaveDelivery(ctx context.Context, d *webhook.Delivery) (bool, error) {
	return s.saveOut(ctx, deliveryWrite(*d), &d.Version)
}

func (s *Store) saveOut(ctx context.Context, w Write, version *int64) (bool, error) {
	err := s.apply(ctx, []Write{w})
	if _, refused := errors.AsType[*Refused](err); refused {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("save %s: %w", w.Key.PK, err)
	}
	*version++
	return true, nil
}

func outFrom[T any](it Item) (value T, version int64, err error) {
	var x outItem[T]
	err = decode(it, &x)
	return x.Out.Value, x.V, err
}

func deliveryFrom(it Item) (webhook.Delivery, error) {
	d, version, err := outFrom[webhook.Delivery](it)
	d.Version = version
	return d, err
}

// Deliveries is a page of an endpoint's deliveries, newest event first when descending; after is the cursor of an event.
func (s *Store) Deliveries(ctx context.Context, endpoint, after string, limit int, descending bool) (deliveries []webhook.Delivery, next string, err error) {
	q := query{table: Shop, pk: deliveryKey(endpoint, "").PK, prefix: deliveryPrefix, limit: limit, descending: descending}
	if after != "" {
		q.after = deliveryKey(endpoint, after).item()
	}
	items, last, err := s.page(ctx, q)
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		d, err := deliveryFrom(it)
		if err != nil {
			return nil, "", err
		}
		deliveries = append(deliveries, d)
	}
	if last != nil {
		next = strings.TrimPrefix(str(last["sk"]), deliveryPrefix)
	}
	return deliveries, next, nil
}

// DueDeliveries are the deliveries that are due by now, at most limit in each shard of the list, those that have waited
// longest first.
func (s *Store) DueDeliveries(ctx context.Context, now time.Time, limit int) ([]webhook.Delivery, error) {
	items, err := s.dueOut(ctx, deliveriesDue, now, limit)
	if err != nil {
		return nil, err
	}
	due := make([]webhook.Delivery, 0, len(items))
	for _, it := range items {
		d, err := deliveryFrom(it)
		if err != nil {
			return nil, err
		}
		if d.IsDue(now) { // the index may not know yet
			due = append(due, d)
		}
	}
	return due, nil
}

// dueOut reads a list of what is due by now, shard by shard, and then the items themselves.
func (s *Store) dueOut(ctx context.Context, list string, now time.Time, limit int) ([]Item, error) {
	var reads []read
	for shard := range outShards {
		q := query{table: Shop, index: "list", pk: outPartition(list, shard), from: "0", to: sortable(now), limit: limit}
		items, _, err := s.page(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			reads = append(reads, read{Shop, KeyOf(it)})
		}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	items := make([]Item, 0, len(reads))
	for _, r := range reads {
		if it, ok := found[r]; ok {
			items = append(items, it)
		}
	}
	return items, nil
}
