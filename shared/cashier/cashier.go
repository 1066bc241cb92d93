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
	"yundian/shared/telemetry"
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
	_, err = c.Store.UpdateSeenOrder(ctx, o, func(o *ordering.Order) error { return o.OpenSession(session.ID) })
	return session.URL, err
}

// endTries bounds how often a payment is closed again because another one was opened meanwhile.
const endTries = 5

// errReopened says that a payment was opened after the one that was closed.
var errReopened = errors.New("cashier: a payment was opened meanwhile")

// End changes an order in a way that may give its stock back. The open payment of a held order is closed at the provider
// first; if that says that it was paid after all, the payment is recorded, and change meets a paid order. A payment that
// is opened between closing and changing is closed in turn.
func (c Cashier) End(ctx context.Context, id string, now time.Time, change func(*ordering.Order) error, extra ...store.Write) (ordering.Order, error) {
	for range endTries {
		o, err := c.Store.Order(ctx, id)
		if err != nil {
			return o, err
		}
		closed := o.Session
		if err := c.closeSession(ctx, o, now); err != nil {
			return o, err
		}
		o, err = c.Store.UpdateOrder(ctx, id, func(o *ordering.Order) error {
			if o.Status() == ordering.Held && o.Session != closed {
				return errReopened
			}
			return change(o)
		}, extra...)
		if !errors.Is(err, errReopened) {
			return o, err
		}
	}
	return ordering.Order{}, fmt.Errorf("end order %s: %w", id, errReopened)
}

// Mature records what time has made true of an order by now, and drives its open refunds.
func (c Cashier) Mature(ctx context.Context, id string, now time.Time) error {
	o, err := c.End(ctx, id, now, func(o *ordering.Order) error { return o.Mature(now) })
	if err != nil {
		return err
	}
	_, err = c.SendRefunds(ctx, o, now)
	return err
}

// closeSession ends the open payment of a held order at its provider.
func (c Cashier) closeSession(ctx context.Context, o ordering.Order, now time.Time) error {
	if o.Status() != ordering.Held || o.Session == "" {
		return nil
	}
	p, err := c.Providers.Get(ctx, o.Payment)
	if err != nil {
		return err
	}
	closed, err := p.Close(ctx, o.Session)
	if err != nil {
		return fmt.Errorf("close payment of order %s: %w", o.ID, err)
	}
	if !closed.AlreadyPaid {
		return nil
	}
	_, err = c.capture(ctx, provider.Event{OrderID: o.ID, PaymentID: closed.PaymentID, Amount: closed.Amount, At: now}, now)
	return err
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
		return c.refund(ctx, providerName, e, now, effect)
	case provider.Disputed, provider.DisputeWon, provider.DisputeLost:
		return c.dispute(ctx, providerName, e, now, effect)
	default:
		slog.InfoContext(ctx, "provider event without effect", "provider", providerName, "event", e.ID, "type", e.Type, "order", e.OrderID)
		return nil
	}
}

// refund records what became of a refund. An event that names none on record may still be about one of ours that is under
// way: the provider is asked about those before it is taken for a refund that the provider made by itself. One that
// the provider made before the question was on record before that, so the order that is read first has it.
func (c Cashier) refund(ctx context.Context, providerName string, e provider.Event, now time.Time, effect store.Write) error {
	o, err := c.Store.Order(ctx, e.OrderID)
	if err != nil {
		return err
	}
	t := ordering.Outcome{ID: e.IntentID, ProviderID: e.RefundID, PaymentID: e.PaymentID, Amount: e.Amount, Succeeded: e.Type == provider.RefundDone}
	if t.ID == "" {
		t.ID = providerName + ":" + e.RefundID
	}
	if t.ID, err = c.intentOf(ctx, providerName, o, t); err != nil {
		return err
	}
	failed := "" // the refund that this event ended; empty when it has ended before or is not ours
	o, err = c.Store.UpdateSeenOrder(ctx, o, func(o *ordering.Order) error {
		before, known := o.RefundFor(t)
		if err := o.SettleRefund(t, now); err != nil {
			return err
		}
		failed = ""
		if known && before.Open() && !t.Succeeded {
			failed = before.ID
		}
		return nil
	}, effect)
	if err == nil && failed != "" {
		refundFailed(ctx, o, failed, "reported by the provider")
	}
	return err
}

// intentOf is the id under which the refund of an outcome is on record, or that of the outcome when it is none of ours.
func (c Cashier) intentOf(ctx context.Context, providerName string, o ordering.Order, t ordering.Outcome) (string, error) {
	unmatched := o.Unmatched(t)
	if len(unmatched) == 0 {
		return t.ID, nil
	}
	p, err := c.Providers.Get(ctx, providerName)
	if err != nil {
		return "", err
	}
	for _, id := range unmatched {
		result, err := p.LookupRefund(ctx, id)
		switch {
		case fail.Is(err, "refund_unknown"):
		case err != nil:
			return "", fmt.Errorf("ask whether refund %s of the provider is %s: %w", t.ProviderID, id, err)
		case result.ProviderID == t.ProviderID:
			return id, nil
		}
	}
	return t.ID, nil
}

// capture records a payment. A payment for an order that expired brings it back if its stock is still there, and
// goes back to the shopper if not.
func (c Cashier) capture(ctx context.Context, e provider.Event, now time.Time, extra ...store.Write) (ordering.Order, error) {
	record := func(stock bool) (ordering.Order, error) {
		return c.Store.UpdateOrder(ctx, e.OrderID, func(o *ordering.Order) error { return o.CaptureLate(e.PaymentID, e.Amount, stock, now) }, extra...)
	}
	o, err := record(true)
	if fail.Is(err, "sold_out") {
		return record(false)
	}
	return o, err
}

// disputeOutcomes are what events about disputes say.
var disputeOutcomes = map[provider.EventType]ordering.DisputeOutcome{
	provider.Disputed: ordering.DisputeOpened, provider.DisputeWon: ordering.DisputeWon, provider.DisputeLost: ordering.DisputeLost,
}

// dispute records news of a dispute. A new one and a lost one raise an alarm, once: the shop can answer the bank only for
// a time, and money that is lost has to be accounted for. Refunds that waited for the outcome are driven on.
func (c Cashier) dispute(ctx context.Context, providerName string, e provider.Event, now time.Time, effect store.Write) error {
	news := ordering.DisputeNews{ID: providerName + ":" + e.DisputeID, PaymentID: e.PaymentID, Amount: e.Amount, Reason: e.Reason,
		Outcome: disputeOutcomes[e.Type]}
	var opened, lost bool // of the last try, which is the one that counts
	o, err := c.Store.UpdateOrder(ctx, e.OrderID, func(o *ordering.Order) error {
		before, known := o.Dispute(news.ID)
		if err := o.RecordDispute(news, now); err != nil {
			return err
		}
		after, _ := o.Dispute(news.ID)
		opened, lost = !known, before.Lost == nil && after.Lost != nil
		return nil
	}, effect)
	if err != nil {
		return err
	}
	if opened || lost {
		slog.WarnContext(ctx, "payment disputed", "order", o.ID, "dispute", news.ID, "state", news.Outcome, "amount", e.Amount.String(), "reason", e.Reason)
	}
	if opened {
		telemetry.Count(ctx, "DisputesOpened", 1)
	}
	if lost {
		telemetry.Count(ctx, "DisputesLost", 1)
	}
	if news.Outcome == ordering.DisputeOpened {
		return nil
	}
	_, err = c.SendRefunds(ctx, o, now)
	return err
}

// refundFailed raises an alarm: the shop still has money that it owes a shopper, and only a person can send it now.
func refundFailed(ctx context.Context, o ordering.Order, id, reason string) {
	slog.ErrorContext(ctx, "refund failed", "order", o.ID, "refund", id, "reason", reason)
	telemetry.Count(ctx, "RefundsFailed", 1)
}

// SendRefunds sends every recorded refund whose outcome is not known yet, and records the outcomes. One that was
// sent before is looked up first, and one whose money a bank is deciding about is only looked up. An unknown outcome leaves
// the refund open, to be driven again later; it is logged, not returned, because the shopper's request itself has been
// recorded.
func (c Cashier) SendRefunds(ctx context.Context, o ordering.Order, now time.Time) (ordering.Order, error) {
	for i := 0; i < len(o.Refunds); i++ { // a refund that is dropped may leave another one at the end
		r := o.Refunds[i]
		if !r.Open() {
			continue
		}
		result, err := c.send(ctx, o, r)
		if err != nil && !errors.Is(err, errTaken) {
			slog.WarnContext(ctx, "refund outcome unknown", "order", o.ID, "refund", r.ID, "error", err)
		}
		dropped := errors.Is(err, errTaken)
		o, err = c.Store.UpdateOrder(ctx, o.ID, func(o *ordering.Order) error {
			switch {
			case dropped:
				return o.DropRefund(r.ID, now)
			case result.State == provider.RefundSucceeded || result.State == provider.RefundFailed:
				return o.SettleRefund(ordering.Outcome{ID: r.ID, ProviderID: result.ProviderID, Amount: r.Amount,
					Succeeded: result.State == provider.RefundSucceeded}, now)
			default:
				o.Retry(r.ID, result.ProviderID, now)
				return nil
			}
		})
		if err != nil {
			return o, fmt.Errorf("record outcome of refund %s: %w", r.ID, err)
		}
		switch {
		case dropped: // no alarm: the shopper has the money, if not from us
			slog.InfoContext(ctx, "refund dropped: a dispute gave the money back", "order", o.ID, "refund", r.ID)
		case result.State == provider.RefundFailed:
			refundFailed(ctx, o, r.ID, result.Reason)
		}
	}
	return o, nil
}

// errTaken says that a refund was never sent and must not be: the bank has given its money back.
var errTaken = errors.New("cashier: a dispute took what this refund gives back")

// send asks the provider for a refund, or what became of it when it was asked before.
func (c Cashier) send(ctx context.Context, o ordering.Order, r ordering.Refund) (provider.RefundResult, error) {
	p, err := c.Providers.Get(ctx, o.Payment)
	if err != nil {
		return provider.RefundResult{}, err
	}
	sending := o.Sending(r.ID)
	if r.Tries > 0 || sending != ordering.SendNow { // a crash may have hidden that it was sent
		result, err := p.LookupRefund(ctx, r.ID)
		if err == nil || !fail.Is(err, "refund_unknown") {
			return result, err
		}
	}
	switch sending {
	case ordering.SendLater:
		return provider.RefundResult{State: provider.RefundPending}, nil
	case ordering.SendNever:
		return provider.RefundResult{}, errTaken
	}
	result, err := p.Refund(ctx, provider.RefundRequest{ID: r.ID, PaymentID: r.PaymentID, Amount: r.Amount, Reason: r.Reason})
	if _, refused := errors.AsType[*fail.Error](err); refused {
		return provider.RefundResult{State: provider.RefundFailed, Reason: err.Error()}, nil
	}
	return result, err
}
