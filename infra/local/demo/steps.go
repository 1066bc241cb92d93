package demo

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"yundian/shared/ordering"
)

// step is something that happens to an order at a moment.
type step struct {
	order string
	name  string
	done  func(ordering.Order) bool
	do    func(*ordering.Order) error
}

// steps are everything that happens to an order of the plan, in order, with what time alone does between: an unpaid
// order expires, and the commission is released after the days of return.
func (s *seeding) steps(p planned, placed ordering.Order) []step {
	var out []step
	add := func(name string, done func(ordering.Order) bool, do func(*ordering.Order) error) {
		out = append(out, step{order: placed.ID, name: fmt.Sprintf("order %d of the plan: %s", p.n, name), done: done, do: do})
	}
	expire := func() {
		add("expires", func(o ordering.Order) bool { return o.Expired != nil || o.IsPaid() },
			func(o *ordering.Order) error { return o.Mature(s.past(o.Terms.HoldUntil)) })
	}
	release := func() {
		add("released", func(o ordering.Order) bool { return o.Released != nil },
			func(o *ordering.Order) error {
				return o.Mature(s.past(o.Delivered.At.AddDate(0, 0, o.Terms.ReturnDays)))
			})
	}
	arrived := -1 // hours
	for i, x := range p.Then {
		if arrived >= 0 && p.Ends == "released" && x.Hours > arrived+House.ReturnDays*24 {
			release()
			arrived = -1
		}
		switch x.Do {
		case PayLate:
			expire()
		case Deliver, Receive:
			arrived = x.Hours
		}
		// Minutes keep steps of the same hour apart.
		at := s.past(placed.PlacedAt.Add(time.Duration(x.Hours)*time.Hour + time.Duration(i+2)*time.Minute))
		done, do := s.step(p, x, at)
		add(string(x.Do), done, do)
	}
	switch {
	case p.Ends == "expired":
		expire()
	case p.Ends == "released" && arrived >= 0:
		release()
	}
	return out
}

// past is a moment that is not after the seeding.
func (s *seeding) past(at time.Time) time.Time {
	if at.After(s.Now) {
		return s.Now
	}
	return at
}

// step is how a step of the plan is taken, and how one sees that it has been.
func (s *seeding) step(p planned, x Step, at time.Time) (done func(ordering.Order) bool, do func(*ordering.Order) error) {
	switch x.Do {
	case Pay, PayLate:
		return ordering.Order.IsPaid, func(o *ordering.Order) error { return s.capture(o, at) }
	case Cancel:
		return func(o ordering.Order) bool { return o.Cancelled != nil }, func(o *ordering.Order) error { return cancel(o, x, at) }
	case Ship:
		return func(o ordering.Order) bool { return len(o.Shipments) > 0 }, func(o *ordering.Order) error {
			return o.Ship(ordering.Shipment{Carrier: carrier(x.Text), Tracking: x.Text}, at)
		}
	case Deliver:
		return delivered, func(o *ordering.Order) error { return o.Deliver("operator", at) }
	case Receive:
		return delivered, func(o *ordering.Order) error { return o.Deliver("shopper", at) }
	case Return:
		return func(o ordering.Order) bool { return len(o.Returns) > 0 }, func(o *ordering.Order) error {
			_, err := o.RequestReturn(basketOf(x.Lines), at)
			return err
		}
	case Refund:
		id := fmt.Sprintf("%s-demo-%d", p.id(), x.Hours)
		return func(o ordering.Order) bool { r, ok := o.Refund(id); return ok && !r.Open() },
			func(o *ordering.Order) error { return refund(o, id, x, at) }
	case Hold:
		return func(o ordering.Order) bool { return len(o.Holds) > 0 }, func(o *ordering.Order) error { return o.Hold(x.Text, operator, at) }
	default: // a declined payment leaves nothing on the order
		return func(ordering.Order) bool { return true }, nil
	}
}

func delivered(o ordering.Order) bool { return o.Delivered != nil }

// capture takes the order's payment. One that expired meanwhile lives again, as with every late payment.
func (s *seeding) capture(o *ordering.Order, at time.Time) error {
	id, err := s.paid(*o, at)
	if err != nil {
		return err
	}
	return o.CaptureLate(id, o.Total, true, at)
}

func cancel(o *ordering.Order, x Step, at time.Time) error {
	if err := o.Cancel(cmp.Or(x.Text, "cancelled by the shopper"), at); err != nil {
		return err
	}
	return settleRefunds(o, at)
}

// refund gives money back for the step's lines, or for everything; with it, it closes the return that asked for it.
func refund(o *ordering.Order, id string, x Step, at time.Time) error {
	q := ordering.RefundRequest{ID: id, By: operator, Reason: x.Text}
	for _, l := range x.Lines {
		q.Lines = append(q.Lines, ordering.RefundLine{SKU: l.SKU, Quantity: int64(l.Quantity)})
	}
	if len(x.Lines) == 0 {
		for _, l := range o.Lines {
			q.Lines = append(q.Lines, ordering.RefundLine{SKU: l.SKU, Quantity: l.Quantity})
		}
		q.Shipping = &o.Shipping
	}
	if r := o.OpenReturn(); r != nil {
		if err := o.CloseReturn(r.ID, ordering.ReturnDecision{Outcome: ordering.Accepted, By: operator, Refund: q}, at); err != nil {
			return err
		}
	} else if _, err := o.RequestRefund(q, at); err != nil {
		return err
	}
	return settleRefunds(o, at)
}

// settleRefunds records that the provider has paid out what is open.
func settleRefunds(o *ordering.Order, at time.Time) error {
	for _, r := range o.Refunds {
		if err := o.SettleRefund(ordering.Outcome{ID: r.ID, ProviderID: "re_" + strings.ToLower(r.ID), Amount: r.Amount, Succeeded: true}, at); err != nil {
			return err
		}
	}
	return nil
}

// carrier is whose tracking number this is.
func carrier(tracking string) string {
	if strings.HasPrefix(tracking, "SF") {
		return "顺丰速运"
	}
	return "京东物流"
}
