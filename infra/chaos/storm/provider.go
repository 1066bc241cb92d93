package storm

import (
	"context"
	"fmt"
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
			Disputes []struct {
				ID, State string
				Amount    struct{ Amount int64 }
			}
		}
		Events []struct {
			ID, Type, IntentID, RefundID string
			Amount                       struct{ Amount int64 }
		}
	}
	Refunds []struct {
		ID      string
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
		s.compareDisputes(o, b)
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
	asked := map[string]bool{} // of the provider, by its own id: an event may name no other
	for _, r := range b.Refunds {
		given[r.Request.IntentID] = refund{r.Request.Amount.Amount, r.State}
		asked[r.ID] = true
	}
	for _, ses := range b.Sessions {
		for _, e := range ses.Events {
			if e.Type == "refund.succeeded" && !asked[e.RefundID] { // started at the provider
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
		never := r.Failed != nil && r.Failed.Reason == ordering.RefundTaken // and so the provider never heard of it
		if there := given[r.ID]; there != (refund{r.Amount.Minor, state}) && !(never && there == refund{}) {
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

// compareDisputes holds every dispute to the provider's, and what a lost one took to its amount and to what was paid.
func (s *storm) compareDisputes(o ordering.Order, b books) {
	there := map[string]string{}
	for _, ses := range b.Sessions {
		for _, p := range ses.Payments {
			for _, d := range p.Disputes {
				there["sandbox:"+d.ID] = fmt.Sprint(d.State, " ", d.Amount.Amount)
			}
		}
	}
	var back int64
	for _, d := range o.Disputes {
		state := "open"
		switch {
		case d.Won != nil:
			state = "won"
		case d.Lost != nil:
			state = "lost"
			taken := d.Shipping.Minor
			for _, l := range d.Lines {
				taken += l.Net.Minor + l.Tax.Minor
			}
			if back += taken; taken+d.Beyond.Minor != d.Amount.Minor {
				s.differ("order %s lost %d by %s, but bears %d and %d", o.ID, d.Amount.Minor, d.ID, taken, d.Beyond.Minor)
			}
		}
		if here := fmt.Sprint(state, " ", d.Amount.Minor); there[d.ID] != here {
			s.differ("order %s has dispute %s %s, the provider %q", o.ID, d.ID, here, there[d.ID])
		}
		delete(there, d.ID)
	}
	for id, d := range there {
		s.differ("the provider has dispute %s %s, of which order %s knows nothing", id, d, o.ID)
	}
	for _, r := range o.Refunds {
		if r.Failed == nil && !r.Surplus {
			back += r.Amount.Minor - r.Beyond.Minor
		}
	}
	if back > o.Total.Minor {
		s.differ("order %s of %d has %d gone back by refunds and disputes", o.ID, o.Total.Minor, back)
	}
}
