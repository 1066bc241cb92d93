package store

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"yundian/shared/attribution"
	"yundian/shared/commission"
	"yundian/shared/ordering"
)

// AttributeOrders decides which KOC earned each of these orders that nobody has decided yet, and freezes the terms with the
// decision. Orders, KOCs and rule books are each read once for all of them. An id that no order has is NotFound.
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
	awards := make([]ordering.Award, len(orders))
	for i, o := range orders {
		awards[i] = attribution.Decide(o, known, now())
	}
	if err := s.freeze(ctx, orders, awards, known); err != nil {
		return err
	}
	for i, o := range orders {
		if _, err := s.UpdateSeenOrder(ctx, o, func(o *ordering.Order) error { return o.Decide(awards[i]) }); err != nil {
			return err
		}
		slog.InfoContext(ctx, "order attributed", "order", o.ID, "reason", awards[i].Reason, "candidates", len(awards[i].Candidates))
	}
	return nil
}

// freeze fills the awards that somebody won with the terms of their orders' placement.
func (s *Store) freeze(ctx context.Context, orders []ordering.Order, awards []ordering.Award, known attribution.Known) error {
	var moments []time.Time
	for i, o := range orders {
		if len(awards[i].Winners) > 0 {
			moments = append(moments, o.PlacedAt)
		}
	}
	if len(moments) == 0 {
		return nil
	}
	books, err := s.booksAt(ctx, moments)
	if err != nil {
		return err
	}
	if err := s.addInviters(ctx, orders, awards, known, books); err != nil {
		return err
	}
	for i, o := range orders {
		if len(awards[i].Winners) == 0 {
			continue
		}
		book := books[o.PlacedAt]
		month := book
		start, err := o.MonthStart()
		if err != nil {
			return err
		}
		if book.From.After(start) {
			if month, err = s.monthBook(ctx, start); err != nil {
				return err
			}
		}
		awards[i] = commission.Freeze(o, awards[i], known, book, month)
	}
	return nil
}

// addInviters reads the profiles of those who had invited the winners, where the book pays them.
func (s *Store) addInviters(ctx context.Context, orders []ordering.Order, awards []ordering.Award, known attribution.Known, books map[time.Time]commission.Book) error {
	var handles []string
	for i, o := range orders {
		handles = append(handles, books[o.PlacedAt].InvitersOf(o, awards[i], known)...)
	}
	handles = slices.DeleteFunc(handles, func(h string) bool { _, ok := known[h]; return ok })
	if len(handles) == 0 {
		return nil
	}
	found, err := s.KOCs(ctx, handles)
	maps.Copy(known, found)
	return err
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
