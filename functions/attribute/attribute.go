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

// batch decides a batch of new orders. KOCs and the latest rule book are read once for all of them.
func (a *attribute) batch(ctx context.Context, records []stream.Record) (failed int, err error) {
	var orders []ordering.Order
	var handles []string
	for i, r := range records {
		o, err := store.OrderFrom(r.New)
		if err != nil {
			return i, err
		}
		if slices.ContainsFunc(orders, func(x ordering.Order) bool { return x.ID == o.ID }) {
			continue // the payment was opened or made before the decision: evidence is that of the placement
		}
		orders = append(orders, o)
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
	if _, err := a.store.UpdateOrder(ctx, o.ID, func(o *ordering.Order) error { return o.Decide(award) }); err != nil {
		return err
	}
	slog.InfoContext(ctx, "order attributed", "order", o.ID, "reason", award.Reason, "candidates", len(award.Candidates))
	return nil
}
