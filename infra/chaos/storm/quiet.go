package storm

import (
	"context"
	"fmt"
	"strings"
	"time"

	"yundian/shared/ordering"
	"yundian/shared/store"
)

// quietRounds bounds how often time is moved on: liveness is that everything ends within them.
const quietRounds = 8

// settle lets everything end: provider events that are under way, refunds without an answer, windows of time. What is
// still open afterwards is a difference.
func (s *storm) settle(ctx context.Context) error {
	if err := s.runner.Quiet(ctx); err != nil {
		return err
	}
	if err := s.sandbox(ctx, "/late", nil); err != nil {
		return err
	}
	if err := s.decideDisputes(ctx); err != nil {
		return err
	}
	var open []string
	for round := range quietRounds {
		if err := s.runner.Quiet(ctx); err != nil {
			return err
		}
		orders, err := s.orders(ctx)
		if err != nil {
			return err
		}
		open = open[:0]
		for _, o := range orders {
			if why := unfinished(o); why != "" {
				open = append(open, fmt.Sprintf("order %s is still open: %s", o.ID, why))
			}
		}
		if len(open) == 0 {
			break
		}
		// Each round moves on by more than the longest window, and past the pause before a refund is driven again.
		at := time.Now().AddDate(0, 0, 40*(round+1))
		if _, err := s.runner.RunSchedule(ctx, "mature", at); err != nil {
			s.differ("mature failed after the faults had stopped: %v", err)
		}
	}
	s.found = append(s.found, open...)
	if err := s.endPayouts(ctx); err != nil {
		return err
	}
	return s.runner.Quiet(ctx)
}

// decideDisputes has the bank decide what is still open, once for the shop and once for the shopper: nothing else would
// ever end those.
func (s *storm) decideDisputes(ctx context.Context) error {
	if err := s.runner.Quiet(ctx); err != nil {
		return err
	}
	orders, err := s.orders(ctx)
	if err != nil {
		return err
	}
	decided := 0
	for _, o := range orders {
		for _, d := range o.Disputes {
			if d.Won != nil || d.Lost != nil {
				continue
			}
			decided++
			if err := s.sandbox(ctx, "/disputes/"+strings.TrimPrefix(d.ID, "sandbox:")+[]string{"/win", "/lose"}[decided%2], nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// unfinished says what time alone will still change about an order.
func unfinished(o ordering.Order) string {
	for _, r := range o.Refunds {
		if r.Succeeded == nil && r.Failed == nil {
			return "refund " + r.ID
		}
	}
	paid := captured(o) >= o.Total.Minor
	switch {
	case len(o.Awards) == 0:
		return "not attributed"
	case ended(o), o.Released != nil:
		return ""
	case o.Delivered != nil:
		if paid && o.OnHold() == nil && o.OpenReturn() == nil {
			return "not released"
		}
	case len(o.Shipments) > 0:
		if paid { // nobody has seen the courier's money otherwise
			return "not received"
		}
	case !paid:
		return "neither paid nor expired"
	}
	return ""
}

// orders are all orders, as facts.
func (s *storm) orders(ctx context.Context) ([]ordering.Order, error) {
	f := store.OrderFilter{From: time.Now().AddDate(0, 0, -2), To: time.Now().Add(time.Hour)}
	var all []ordering.Order
	for after := ""; ; {
		page, next, err := s.store.ListOrders(ctx, f, after, 100)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if after = next; after == "" {
			return all, nil
		}
	}
}
