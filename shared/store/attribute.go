package store

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"yundian/shared/attribution"
	"yundian/shared/commission"
	"yundian/shared/ordering"
)

// AttributeOrders decides which KOC earned each of these orders that nobody has decided yet, and freezes the terms with the
// decision. Orders, KOCs and the latest rule book are each read once for all of them. An id that no order has is NotFound.
func (s *Store) AttributeOrders(ctx context.Context, ids []string, now func() time.Time) error {
	orders, err := s.undecided(ctx, ids)
	if err != nil || len(orders) == 0 {
		return err
	}
	var handles []string
	for _, o := range orders {
		handles = append(handles, attribution.Handles(o)...)
	}
	known, err := s.KOCs(ctx, handles)
	if err != nil {
		return err
	}
	latest, err := s.Book(ctx)
	if err != nil {
		return err
	}
	for _, o := range orders {
		if err := s.attribute(ctx, o, known, latest, now()); err != nil {
			return err
		}
	}
	return nil
}

// undecided are the orders that still wait for their decision. A record of the stream says how its order was: the payment
// that was opened or made before the decision sends the order here again.
func (s *Store) undecided(ctx context.Context, ids []string) ([]ordering.Order, error) {
	found, err := s.Orders(ctx, ids)
	if err != nil {
		return nil, err
	}
	var orders []ordering.Order
	for _, id := range ids {
		o, ok := found[id]
		if !ok {
			return nil, OrderUnknown(id)
		}
		twice := slices.ContainsFunc(orders, func(x ordering.Order) bool { return x.ID == id })
		if _, decided := o.Award(); !decided && !twice {
			orders = append(orders, o)
		}
	}
	return orders, nil
}

// attribute appends the first decision to an order that has none.
func (s *Store) attribute(ctx context.Context, o ordering.Order, known attribution.Known, book commission.Book, now time.Time) error {
	award := attribution.Decide(o, known, now)
	if len(award.Winners) > 0 {
		if book.From.After(o.PlacedAt) {
			var err error
			if book, err = s.BookAt(ctx, o.PlacedAt); err != nil {
				return err
			}
		}
		award.BookVersion, award.Rates = book.Version, book.Rates(o.Lines)
	}
	if _, err := s.UpdateSeenOrder(ctx, o, func(o *ordering.Order) error { return o.Decide(award) }); err != nil {
		return err
	}
	slog.InfoContext(ctx, "order attributed", "order", o.ID, "reason", award.Reason, "candidates", len(award.Candidates))
	return nil
}
