package cashier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"yundian/shared/fail"
	"yundian/shared/payout"
	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/telemetry"
)

// Paymaster brings approved payouts to KOCs: it records that a payout is about to leave, gives it to its rail, and records
// what the rail says. What was lost on the way is asked for, never sent under another name.
type Paymaster struct {
	Store *store.Store
	Rails *provider.Rails
	Box   seal.Box // opens accounts and names
	// OneByOne does in a fixed order what is done side by side otherwise, for simulations.
	OneByOne bool
}

// payeeBinding is what a KOC's account and name are sealed for.
func payeeBinding(handle string) seal.Binding { return seal.Binding{Owner: handle, Query: "payee"} }

// SealPayee hides an account and its holder's name for the store.
func SealPayee(box seal.Box, handle string, d payout.Destination) (string, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("seal the payout method of %s: %w", handle, err)
	}
	return box.Seal(payeeBinding(handle), string(text)), nil
}

// OpenPayee is what SealPayee has hidden.
func OpenPayee(box seal.Box, handle string, m payout.Method) (payout.Destination, error) {
	var d payout.Destination
	text, err := box.Open(payeeBinding(handle), m.Sealed)
	if err == nil {
		err = json.Unmarshal([]byte(text), &d)
	}
	if err != nil {
		return d, fmt.Errorf("open the payout method of %s, version %d: %w", handle, m.Version, err)
	}
	return d, nil
}

// Drive does what is due about a payout: it sends one that is approved, and asks the rail about one whose outcome is not
// known. A payout that nothing is due about is left alone; one whose KOC is suspended waits for an operator from then on.
// When another run drives the same payout at the same moment, one of them does what is due, and the other one answers with
// what has become of it.
func (m Paymaster) Drive(ctx context.Context, id string, now time.Time) (payout.Payout, error) {
	seen, err := m.Store.Payout(ctx, id)
	if err != nil {
		return seen, err
	}
	if due := seen.DueAt(); due.IsZero() || due.After(now) || seen.Target().Rail == payout.Bank {
		return seen, nil
	}
	does := m.ask
	if seen.Status() == payout.Approved {
		does = m.begin
	}
	p, err := does(ctx, seen, now)
	if !fail.Is(err, "payout_status") {
		return p, err
	}
	// What was due when it was read is not possible any more: somebody else has moved it on.
	if p, failed := m.Store.Payout(ctx, id); failed != nil || p.Version > seen.Version {
		return p, failed
	}
	return seen, err
}

// begin sends an approved payout for the first time, unless the money would go elsewhere than was approved: then it has
// to be approved again.
func (m Paymaster) begin(ctx context.Context, p payout.Payout, now time.Time) (payout.Payout, error) {
	profile, err := m.Store.KOC(ctx, p.KOC)
	if err != nil {
		return p, err
	}
	if p, err = m.keepBack(ctx, p, profile, now); err != nil || p.Status() != payout.Approved {
		return p, err
	}
	method, err := m.payeeOf(ctx, profile)
	if err != nil {
		return p, err
	}
	if outdated, err := p.Sendable(method, now); err != nil {
		return p, err
	} else if outdated {
		slog.WarnContext(ctx, "payout method changed after the approval", "payout", p.ID, "koc", p.KOC)
		return m.Store.UpdatePayout(ctx, p.ID, now, func(p *payout.Payout) error { return p.Reopen(payout.ReasonMethod, now) })
	}
	return m.send(ctx, p, now)
}

// send records the sending, then sends. Everything that can be wrong on our side is found before the record.
func (m Paymaster) send(ctx context.Context, p payout.Payout, now time.Time) (payout.Payout, error) {
	rail, err := m.Rails.Sender(ctx, p.Target().Rail)
	if err != nil {
		return p, err
	}
	to, err := m.destination(ctx, p)
	if err != nil {
		return p, err
	}
	if p, err = m.Store.UpdatePayout(ctx, p.ID, now, func(p *payout.Payout) error { return p.Send(now) }); err != nil {
		return p, err
	}
	slog.InfoContext(ctx, "payout sent", "payout", p.ID, "koc", p.KOC, "rail", rail.Name(), "time", len(p.Transfer.Sent))
	result, err := rail.Send(ctx, provider.Transfer{ID: p.ID, Amount: p.Amount(), Account: to.Account, Name: to.Name, Description: "Commission " + p.Day})
	if _, refused := errors.AsType[*fail.Error](err); refused {
		result, err = provider.TransferResult{State: provider.TransferFailed, Reason: err.Error()}, nil
	}
	return m.record(ctx, p, rail, result, err, now)
}

// destination is where the payout was approved to go.
func (m Paymaster) destination(ctx context.Context, p payout.Payout) (payout.Destination, error) {
	v := store.PayeeVersion{KOC: p.KOC, Version: p.Target().Version}
	found, err := m.Store.Payees(ctx, []store.PayeeVersion{v})
	if err != nil {
		return payout.Destination{}, err
	}
	return OpenPayee(m.Box, p.KOC, found[v]) // one that is gone does not open
}

// ask looks a payout up at its rail. One that the rail has never received is sent again, under the same id.
func (m Paymaster) ask(ctx context.Context, p payout.Payout, now time.Time) (payout.Payout, error) {
	rail, err := m.Rails.Sender(ctx, p.Target().Rail)
	if err != nil {
		return p, err
	}
	result, err := rail.Lookup(ctx, p.ID)
	if !fail.Is(err, "transfer_unknown") {
		return m.record(ctx, p, rail, result, err, now)
	}
	a := payout.Answer{Missing: true, Sent: len(p.Transfer.Sent)}
	p, err = m.Store.UpdatePayout(ctx, p.ID, now, func(p *payout.Payout) error { return p.Answered(a, now) })
	if err != nil {
		return p, err
	}
	m.alarm(ctx, p)
	if due := p.DueAt(); due.IsZero() || due.After(now) { // sent often enough, or by somebody else meanwhile
		return p, nil
	}
	return m.send(ctx, p, now)
}

// record writes down what the rail has said; failed is the error instead of an answer.
func (m Paymaster) record(ctx context.Context, p payout.Payout, rail provider.Rail, r provider.TransferResult, failed error, now time.Time) (payout.Payout, error) {
	if failed != nil {
		slog.WarnContext(ctx, "payout outcome unknown", "payout", p.ID, "rail", rail.Name(), "error", failed)
	}
	if failed == nil && r.State != provider.TransferPending {
		return m.Conclude(ctx, p.ID, payout.Outcome{Paid: r.State == provider.TransferPaid, At: now, By: rail.Name(), Reference: r.ProviderID, Reason: r.Reason})
	}
	a := payout.Answer{Unclear: failed != nil, ProviderID: r.ProviderID}
	p, err := m.Store.UpdatePayout(ctx, p.ID, now, func(p *payout.Payout) error { return p.Answered(a, now) })
	if err == nil {
		m.alarm(ctx, p)
	}
	return p, err
}

// Conclude records how a payout ended. A word against an outcome that is on record posts nothing: it is kept with the
// payout, and a person has to look at it.
func (m Paymaster) Conclude(ctx context.Context, id string, o payout.Outcome) (payout.Payout, error) {
	return m.concluding(ctx, id, o, func(p *payout.Payout) error { return p.Conclude(o) })
}

// Record is Conclude for an operator's word.
func (m Paymaster) Record(ctx context.Context, id string, said payout.Said, extra ...store.Write) (payout.Payout, error) {
	return m.concluding(ctx, id, said.Outcome, func(p *payout.Payout) error { return p.Record(said) }, extra...)
}

func (m Paymaster) concluding(ctx context.Context, id string, o payout.Outcome, change func(*payout.Payout) error, extra ...store.Write) (payout.Payout, error) {
	p, err := m.Store.UpdatePayout(ctx, id, o.At, change, extra...)
	if !fail.Is(err, "payout_contradicted") {
		if err == nil && !o.Paid {
			slog.WarnContext(ctx, "payout failed", "payout", id, "by", o.By)
		}
		return p, err
	}
	m.contradicted(ctx, id, o)
	if _, failed := m.Store.UpdatePayout(ctx, id, o.At, func(p *payout.Payout) error { p.Dispute(o); return nil }); failed != nil {
		return p, errors.Join(err, failed)
	}
	return p, err
}

// contradicted raises an alarm: one of two words on what became of money is wrong, and only a person can say which.
func (m Paymaster) contradicted(ctx context.Context, id string, o payout.Outcome) {
	slog.ErrorContext(ctx, "payout outcome contradicted", "payout", id, "paid", o.Paid, "by", o.By)
	telemetry.Count(ctx, "PayoutsContradicted", 1)
}

// patience is after how many answers that are not final somebody should know: about a quarter of an hour.
const patience = 3

// alarm tells that a payout stays unknown.
func (m Paymaster) alarm(ctx context.Context, p payout.Payout) {
	if p.Status() == payout.Unknown && p.Transfer.Asked >= patience {
		slog.ErrorContext(ctx, "payout stays unknown", "payout", p.ID, "asked", p.Transfer.Asked)
		telemetry.Count(ctx, "PayoutsUnknown", 1)
	}
}
