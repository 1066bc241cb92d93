// Package cashier settles an order's money with its payment provider: it opens and closes payments, records
// what the provider says, and sends back what has to go back.
//
// Every step is recorded on the order before or together with its effect, under an id of ours, so a crash at any
// point is mended by doing the step again.
package cashier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ordering"
	"yundian/shared/provider"
	"yundian/shared/store"
)

// Cashier works on orders through the store and their providers.
type Cashier struct {
	Store     *store.Store
	Providers *provider.Registry
}

// Open begins, or goes on with, the payment of a held order and gives the address of the provider's page. The
// session is on record before the shopper is sent there, so that it can be closed before stock is released.
func (c Cashier) Open(ctx context.Context, o ordering.Order, returnURL string) (string, error) {
	if o.Status() != ordering.Held {
		return "", fail.New(fail.Conflict, "order_status_pay", "This order is {status}, so it cannot be paid now.", fail.Args{"status": o.Status()})
	}
	p, err := c.Providers.Get(ctx, o.Payment)
	if err != nil {
		return "", err
	}
	session, err := p.Open(ctx, provider.Checkout{OrderID: o.ID, Amount: o.Total, Key: "order:" + o.ID, ReturnURL: returnURL,
		Description: o.Lines[0].Title, ExpiresAt: o.Terms.HoldUntil})
	if err != nil {
		return "", fmt.Errorf("open payment of order %s: %w", o.ID, err)
	}
	_, err = c.Store.UpdateOrder(ctx, o.ID, func(o *ordering.Order) error { return o.OpenSession(session.ID) })
	return session.URL, err
}

// Close ends the open payment of a held order, so that its stock may be released. If the provider says that it was
// paid after all, the payment is recorded. It returns the order as it then is.
func (c Cashier) Close(ctx context.Context, o ordering.Order, now time.Time) (ordering.Order, error) {
	if o.Status() != ordering.Held || o.Session == "" {
		return o, nil
	}
	p, err := c.Providers.Get(ctx, o.Payment)
	if err != nil {
		return o, err
	}
	closed, err := p.Close(ctx, o.Session)
	if err != nil {
		return o, fmt.Errorf("close payment of order %s: %w", o.ID, err)
	}
	if !closed.AlreadyPaid {
		return o, nil
	}
	return c.capture(ctx, provider.Event{OrderID: o.ID, PaymentID: closed.PaymentID, Amount: closed.Amount, At: now}, now)
}

// Record applies one verified event of a provider to its order, once however often it is sent. Events that are of
// no interest to an order do nothing. An event that contradicts the order (another amount, an unknown order) is
// refused, and a person has to look at it.
func (c Cashier) Record(ctx context.Context, providerName string, e provider.Event, now time.Time) error {
	effect := store.EffectWrite(providerName+":"+e.ID, now)
	switch e.Type {
	case provider.Captured:
		o, err := c.capture(ctx, e, now, effect)
		if err != nil {
			return err
		}
		_, err = c.SendRefunds(ctx, o, now)
		return err
	case provider.RefundDone, provider.RefundNotDone:
		id := e.IntentID
		if id == "" {
			id = providerName + ":" + e.RefundID
		}
		_, err := c.Store.UpdateOrder(ctx, e.OrderID, func(o *ordering.Order) error {
			return o.SettleRefund(id, e.RefundID, e.Amount, e.Type == provider.RefundDone, now)
		}, effect)
		return err
	default:
		slog.InfoContext(ctx, "provider event without effect", "provider", providerName, "event", e.ID, "type", e.Type, "order", e.OrderID)
		return nil
	}
}

// capture records a payment. A payment for an order that expired brings it back if its stock is still there, and
// goes back to the shopper if not.
func (c Cashier) capture(ctx context.Context, e provider.Event, now time.Time, extra ...store.Write) (ordering.Order, error) {
	record := func(o *ordering.Order) error { return o.Capture(e.PaymentID, e.Amount, now) }
	o, err := c.Store.UpdateOrder(ctx, e.OrderID, func(o *ordering.Order) error {
		if err := record(o); err != nil {
			return err
		}
		o.Revive(now)
		return nil
	}, extra...)
	if !fail.Is(err, "sold_out") {
		return o, err
	}
	return c.Store.UpdateOrder(ctx, e.OrderID, func(o *ordering.Order) error {
		if err := record(o); err != nil {
			return err
		}
		return o.GiveBack("paid after the stock was released", now)
	}, extra...)
}

// SendRefunds sends every recorded refund whose outcome is not known yet, and records the outcomes. One that was
// sent before is looked up first. An unknown outcome leaves the refund open, to be driven again later; it is
// logged, not returned, because the shopper's request itself has been recorded.
func (c Cashier) SendRefunds(ctx context.Context, o ordering.Order, now time.Time) (ordering.Order, error) {
	for _, r := range o.Refunds {
		if !r.Open() {
			continue
		}
		result, err := c.send(ctx, o, r)
		if err != nil {
			slog.WarnContext(ctx, "refund outcome unknown", "order", o.ID, "refund", r.ID, "error", err)
		}
		o, err = c.Store.UpdateOrder(ctx, o.ID, func(o *ordering.Order) error {
			switch result.State {
			case provider.RefundSucceeded:
				return o.SettleRefund(r.ID, result.ProviderID, r.Amount, true, now)
			case provider.RefundFailed:
				return o.SettleRefund(r.ID, result.ProviderID, r.Amount, false, now)
			default:
				o.Retry(r.ID, now)
				return nil
			}
		})
		if err != nil {
			return o, fmt.Errorf("record outcome of refund %s: %w", r.ID, err)
		}
	}
	return o, nil
}

// send asks the provider for a refund, or what became of it when it was asked before.
func (c Cashier) send(ctx context.Context, o ordering.Order, r ordering.Refund) (provider.RefundResult, error) {
	p, err := c.Providers.Get(ctx, o.Payment)
	if err != nil {
		return provider.RefundResult{}, err
	}
	if r.Tries > 0 {
		result, err := p.LookupRefund(ctx, r.ID)
		if err == nil || !fail.Is(err, "refund_unknown") {
			return result, err
		}
	}
	result, err := p.Refund(ctx, provider.RefundRequest{ID: r.ID, PaymentID: r.PaymentID, Amount: r.Amount, Reason: r.Reason})
	if _, refused := errors.AsType[*fail.Error](err); refused {
		return provider.RefundResult{State: provider.RefundFailed, Reason: err.Error()}, nil
	}
	return result, err
}
