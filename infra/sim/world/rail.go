package world

import (
	"context"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/payout"
	"yundian/shared/provider"
)

// rail pays KOCs. What it has received under a payout's id it knows for ever, and it pays that once.
type rail struct {
	w         *World
	transfers map[string]*transfer
	ids       []string
}

type transfer struct {
	amount  money.Amount
	account string
	state   provider.TransferState
	sent    int
}

func newRail(w *World) *rail { return &rail{w: w, transfers: map[string]*transfer{}} }

// Name is that of the rail whose accounts look like ours.
func (r *rail) Name() string { return payout.Stripe }

func (r *rail) Send(_ context.Context, t provider.Transfer) (result provider.TransferResult, err error) {
	err = r.w.bank.reach("send payout "+t.ID, func() { result = r.receive(t) })
	return result, err
}

// receive takes a transfer, once, and holds it against the payout on record.
func (r *rail) receive(t provider.Transfer) provider.TransferResult {
	w := r.w
	p := w.watch.payouts[t.ID]
	switch {
	case p == nil || p.now.Transfer == nil:
		w.violate(5, "payout %s was sent before that was on record", t.ID)
	case p.now.Outcome != nil && !p.now.Outcome.Paid, p.now.Rejected != nil:
		w.violate(5, "payout %s was sent although its money was given back", t.ID)
	case len(p.now.Waits) > 0 && p.now.Waits[len(p.now.Waits)-1].Released == nil:
		w.violate(5, "payout %s was sent while it waits for an operator", t.ID)
	case t.Amount != p.now.Amount() || t.Amount.Minor <= 0:
		w.violate(5, "payout %s of %d was sent with %d", t.ID, p.now.Net, t.Amount.Minor)
	}
	x := r.transfers[t.ID]
	if x == nil {
		x = &transfer{amount: t.Amount, account: t.Account, state: provider.TransferPaid}
		if !w.calm {
			x.state = transferStates[w.pick(len(transferStates))]
		}
		r.transfers[t.ID] = x
		r.ids = append(r.ids, t.ID)
	}
	if x.amount != t.Amount || x.account != t.Account {
		w.violate(5, "payout %s was sent as %d to %s, and again as %d to %s", t.ID, x.amount.Minor, x.account, t.Amount.Minor, t.Account)
	}
	x.sent++
	return x.result(t.ID)
}

var transferStates = [...]provider.TransferState{provider.TransferPaid, provider.TransferPaid, provider.TransferPending, provider.TransferPending, provider.TransferFailed}

func (x *transfer) result(id string) provider.TransferResult {
	return provider.TransferResult{State: x.state, ProviderID: "tr-" + id, Reason: "the rail says so"}
}

func (r *rail) Lookup(_ context.Context, id string) (result provider.TransferResult, err error) {
	var refused error
	err = r.w.bank.reach("look up payout "+id, func() {
		if x := r.transfers[id]; x != nil {
			result = x.result(id)
			return
		}
		refused = fail.New(fail.NotFound, "transfer_unknown", "The rail has not received this payout.", nil)
	})
	if err == nil {
		err = refused
	}
	return result, err
}

// railFinishes ends a transfer that is under way.
func (w *World) railFinishes() {
	for _, id := range w.rail.ids {
		if x := w.rail.transfers[id]; x.state == provider.TransferPending {
			x.state = provider.TransferPaid
			if w.pick(3) == 2 {
				x.state = provider.TransferFailed
			}
			w.say("the rail ends %s: %s", id, x.state)
			return
		}
	}
}
