package storm

import (
	"context"
	"net/http"

	"yundian/shared/ordering"
)

// books are what the payment provider knows about an order.
type books struct {
	Sessions []struct {
		Late     bool
		Payments []struct {
			ID       string
			Amount   struct{ Amount int64 }
			Refunded int64
		}
		Events []struct {
			ID, Type, IntentID, RefundID string
			Amount                       struct{ Amount int64 }
		}
	}
	Refunds []struct {
		Request struct {
			IntentID  string
			PaymentID string
			Amount    struct{ Amount int64 }
		}
		State string
	}
}

// checkProvider compares the orders with the provider's own books: both know every capture and every refund, and no
// order has more going back than came in.
func (s *storm) checkProvider(ctx context.Context, orders map[string]ordering.Order) error {
	for _, o := range orders {
		var back int64
		for _, r := range o.Refunds {
			if r.Failed == nil {
				back += r.Amount.Minor
			}
		}
		if back > captured(o) {
			s.differ("order %s has %d refunded of %d captured", o.ID, back, captured(o))
		}
		if o.Payment != "sandbox" {
			continue
		}
		var b books
		if err := s.client.must(ctx, ask{method: http.MethodGet, path: "/_local/sandbox/orders/" + o.ID}, &b, 200); err != nil {
			return err
		}
		s.compareCaptures(o, b)
		s.compareRefunds(o, b)
	}
	return nil
}

func (s *storm) compareCaptures(o ordering.Order, b books) {
	taken := map[string]int64{}
	for _, ses := range b.Sessions {
		if ses.Late {
			s.differ("order %s has a payment that the provider never told of", o.ID)
		}
		for _, p := range ses.Payments {
			taken[p.ID] = p.Amount.Amount
		}
	}
	for _, c := range o.Captures {
		if minor, known := taken[c.PaymentID]; !known || minor != c.Amount.Minor {
			s.differ("order %s captured %d by payment %s, the provider took %d", o.ID, c.Amount.Minor, c.PaymentID, minor)
		}
		delete(taken, c.PaymentID)
	}
	for id, minor := range taken {
		s.differ("the provider took %d by payment %s, of which order %s knows nothing", minor, id, o.ID)
	}
}

func (s *storm) compareRefunds(o ordering.Order, b books) {
	type refund struct {
		minor int64
		state string
	}
	given := map[string]refund{}
	for _, r := range b.Refunds {
		given[r.Request.IntentID] = refund{r.Request.Amount.Amount, r.State}
	}
	for _, ses := range b.Sessions {
		for _, e := range ses.Events {
			if e.Type == "refund.succeeded" && e.IntentID == "" { // started at the provider
				given["sandbox:"+e.RefundID] = refund{e.Amount.Amount, "succeeded"}
			}
		}
	}
	var back int64
	for _, r := range o.Refunds {
		state := "pending"
		switch {
		case r.Succeeded != nil:
			state, back = "succeeded", back+r.Amount.Minor
		case r.Failed != nil:
			state = "failed"
		}
		if there := given[r.ID]; there != (refund{r.Amount.Minor, state}) {
			s.differ("order %s refunded %d by %s (%s), the provider %+v", o.ID, r.Amount.Minor, r.ID, state, there)
		}
		delete(given, r.ID)
	}
	for id, r := range given {
		s.differ("the provider has refund %s of %d (%s), of which order %s knows nothing", id, r.minor, r.state, o.ID)
	}
	for _, ses := range b.Sessions {
		for _, p := range ses.Payments {
			back -= p.Refunded
		}
	}
	if back != 0 {
		s.differ("order %s has %d more refunded than the provider has given back", o.ID, back)
	}
}
