package main

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"yundian/shared/attribution"
	"yundian/shared/commission"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/stream"
)

// attribute decides which KOC earned an order and freezes tier and rates with the decision.
type attribute struct {
	store *store.Store
	now   func() time.Time
}

// batch decides a batch of new orders. Orders, KOCs and the latest rule book are each read once for all of them.
func (a *attribute) batch(ctx context.Context, records []stream.Record) (failed int, err error) {
	var ids []string
	for i, r := range records {
		o, err := store.OrderFrom(r.New)
		if err != nil {
			return i, err
		}
		if !slices.Contains(ids, o.ID) {
			ids = append(ids, o.ID)
		}
	}
	orders, err := a.undecided(ctx, ids)
	if err != nil || len(orders) == 0 {
		return 0, err
	}
	var handles []string
	for _, o := range orders {
		handles = append(handles, attribution.Handles(o)...)
	}
	known, err := a.store.KOCs(ctx, handles)
	if err != nil {
		return 0, err
	}
	latest, err := a.store.Book(ctx)
	if err != nil {
		return 0, err
	}
	for _, o := range orders {
		if err := a.decide(ctx, o, known, latest); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// undecided are the orders that still wait for their decision. A record says how its order was: the payment that was opened
// or made before the decision sends the order here again.
func (a *attribute) undecided(ctx context.Context, ids []string) ([]ordering.Order, error) {
	found, err := a.store.Orders(ctx, ids)
	if err != nil {
		return nil, err
	}
	var orders []ordering.Order
	for _, id := range ids {
		o, ok := found[id]
		if !ok {
			return nil, store.OrderUnknown(id)
		}
		if _, decided := o.Award(); !decided {
			orders = append(orders, o)
		}
	}
	return orders, nil
}

// decide appends the first decision to an order that has none.
func (a *attribute) decide(ctx context.Context, o ordering.Order, known attribution.Known, book commission.Book) error {
	award := attribution.Decide(o, known, a.now())
	if len(award.Winners) > 0 {
		if book.From.After(o.PlacedAt) {
			var err error
			if book, err = a.store.BookAt(ctx, o.PlacedAt); err != nil {
				return err
			}
		}
		award.BookVersion, award.Rates = book.Version, book.Rates(o.Lines)
	}
	if _, err := a.store.UpdateSeenOrder(ctx, o, func(o *ordering.Order) error { return o.Decide(award) }); err != nil {
		return err
	}
	slog.InfoContext(ctx, "order attributed", "order", o.ID, "reason", award.Reason, "candidates", len(award.Candidates))
	return nil
}
