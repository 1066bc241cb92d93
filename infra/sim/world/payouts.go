package world

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/payout"
	"yundian/shared/provider"
	"yundian/shared/store"
)

// aKOC is one of the KOCs.
func (w *World) aKOC() string { return w.shop.kocs[w.pick(len(w.shop.kocs))] }

// Operators are two people; what one makes the other one decides.
var operators = [...]string{"operator", "second"}

func (w *World) anOperator() string { return operators[w.pick(len(operators))] }

// changesMethod enters another place where a KOC's payouts go: by the rail or by the bank, under the same name or another.
func (w *World) changesMethod() {
	handle, rail, account := w.aKOC(), payout.Stripe, "acct_"+strings.Repeat("A", 6)+fmt.Sprint(w.pick(3))
	if w.pick(3) == 2 {
		rail, account = payout.Bank, fmt.Sprint("6222", 100_000+w.pick(3))
	}
	to, err := payout.NewDestination(rail, account, []string{"Mei Lin", "Lin Mei"}[w.pick(4)/3])
	w.must(err)
	_ = w.request(ask{owner: handle, route: "payout method", body: fmt.Sprint(to), do: func(_ string, reply []store.Write) error {
		writes, err := w.payer().PayeeWrites(w.ctx, handle, rail, to, nil, w.time())
		if err != nil {
			return err
		}
		_, err = w.db().UpdateKOC(w.ctx, handle, func(p *koc.Profile) error { return p.Edit(koc.Edit{}) },
			func(koc.Profile) []store.Write { return append(reply, writes...) })
		if store.PayeeTaken(err) {
			return store.ChangedMeanwhile()
		}
		return err
	}})
}

// verifiesMethod gives an operator's word on a KOC's name.
func (w *World) verifiesMethod() {
	handle := w.aKOC()
	_ = w.request(ask{owner: "operator", route: "verify method of " + handle, do: func(_ string, reply []store.Write) error {
		m, err := w.db().Payee(w.ctx, handle)
		switch {
		case err != nil:
			return err
		case m.Version == 0:
			return fail.New(fail.NotFound, "payee_none", "There is no payout method.", nil)
		}
		_, err = w.db().VerifyPayee(w.ctx, handle, m.Version, "operator", w.time(), reply...)
		return err
	}})
}

// withdraws asks for a payout: a KOC for an amount, an operator for everything.
func (w *World) withdraws() {
	handle := w.aKOC()
	a := ask{owner: handle, route: "withdraw", body: handle}
	cause, minor := payout.Withdrawal, w.watch.purse(handle).stored[ledger.Available]
	switch w.pick(4) {
	case 1:
		minor = 1 + int64(w.pick(2000))
	case 2:
		minor++ // more than there is
	case 3:
		a.owner, cause, minor = w.anOperator(), payout.Manual, 0
	}
	if minor == 0 && cause == payout.Withdrawal {
		minor = 1
	}
	a.body += fmt.Sprint(minor)
	a.do = func(key string, reply []store.Write) error {
		_, err := w.payer().Reserve(w.ctx, payout.Ask{ID: payout.ID(a.owner, key, handle, fmt.Sprint(minor)), KOC: handle, Currency: w.shop.currency,
			Minor: minor, Cause: cause, By: a.owner}, w.time(), reply...)
		return err
	}
	_ = w.request(a)
}

// aPayout is one of the payouts, mostly one that stands somewhere.
func (w *World) aPayout(status ...payout.Status) (payout.Payout, bool) {
	ids := w.watch.payoutIDs
	if w.pick(5) < 4 {
		w.fitting = w.fitting[:0]
		for _, id := range ids {
			if slices.Contains(status, w.watch.payouts[id].now.Status()) {
				w.fitting = append(w.fitting, id)
			}
		}
		if len(w.fitting) > 0 {
			ids = w.fitting
		}
	}
	if len(ids) == 0 {
		return payout.Payout{}, false
	}
	return w.watch.payouts[ids[len(ids)-1-w.pick(len(ids))]].now, true
}

// onPayout asks something of some payout.
func (w *World) onPayout(route string, do func(p payout.Payout, by string, reply []store.Write) error, status ...payout.Status) {
	if p, ok := w.aPayout(status...); ok {
		by := w.anOperator()
		_ = w.request(ask{owner: by, route: route + " payout", order: p.ID, do: func(_ string, reply []store.Write) error {
			p, err := w.db().Payout(w.ctx, p.ID)
			if err != nil {
				return err
			}
			return do(p, by, reply)
		}})
	}
}

func (w *World) approvesPayout() {
	w.onPayout("approve", func(p payout.Payout, by string, reply []store.Write) error {
		_, err := w.payer().Approve(w.ctx, p, by, w.time(), reply...)
		return err
	}, payout.Reserved)
}

func (w *World) rejectsPayout() {
	w.onPayout("reject", func(p payout.Payout, by string, reply []store.Write) error {
		now := w.time()
		_, err := w.db().UpdatePayout(w.ctx, p.ID, now, func(p *payout.Payout) error { return p.Reject(by, "not now", now) }, reply...)
		return err
	}, payout.Reserved, payout.Approved, payout.Waiting)
}

// releasesPayout lets one go on that waits because its KOC is suspended.
func (w *World) releasesPayout() {
	w.onPayout("release", func(p payout.Payout, by string, reply []store.Write) error {
		_, err := w.payer().Release(w.ctx, p, payout.Release{By: by, At: w.time(), Reason: "it was earned"}, reply...)
		return err
	}, payout.Waiting)
}

// recordsPayout gives an operator's word on how a payout ended, which is true.
func (w *World) recordsPayout() {
	w.onPayout("record", func(p payout.Payout, by string, reply []store.Write) error {
		method, err := w.db().Payee(w.ctx, p.KOC)
		if err != nil {
			return err
		}
		o := payout.Outcome{At: w.time(), By: by, Paid: w.wasPaid(p)}
		_, err = w.payer().Record(w.ctx, p.ID, payout.Said{Outcome: o, Method: method}, reply...)
		return err
	}, payout.Sending, payout.Unknown, payout.Approved)
}

// wasPaid is what really became of a payout's money. What the rail has not ended or never received, it does not pay any more
// once somebody asks who may decide about it.
func (w *World) wasPaid(p payout.Payout) bool {
	x := w.rail.transfers[p.ID]
	switch {
	case p.Target().Rail == payout.Bank:
		return w.bankPays(p.ID)
	case x == nil || p.Status() != payout.Unknown:
		return false
	case x.state == provider.TransferPending:
		x.state = provider.TransferPaid
	}
	return x.state == provider.TransferPaid
}

// bankPays is what the bank made of a payout, which does not change.
func (w *World) bankPays(id string) bool {
	paid, known := w.atBank[id]
	if !known {
		paid = w.pick(4) < 3
		w.atBank[id] = paid
	}
	return paid
}

// pays does what the schedule of payouts does: makes those whose day has come, and drives those that are due.
func (w *World) pays() {
	first := w.pick(dueAtOnce)
	_, _ = w.run("payout", func() error {
		now := w.time()
		if err := w.payer().Schedule(w.ctx, now, func() bool { return false }); err != nil {
			w.say("schedule: %v", err)
		}
		ids, err := w.db().DuePayouts(w.ctx, now, dueAtOnce)
		if err != nil {
			return err
		}
		for i := range ids {
			if p, err := w.payer().Drive(w.ctx, ids[(i+first)%len(ids)], now); err != nil {
				w.say("%s cannot be driven now: %v", p.ID, err)
			}
		}
		return nil
	})
}

// makesFile collects bank payouts into a file. Most often somebody else wants one at the same moment, under another key.
func (w *World) makesFile() {
	by := w.anOperator()
	_ = w.request(ask{owner: by, route: "bank file", beside: w.makesFile, do: func(key string, reply []store.Write) error {
		f, err := w.payer().MakeFile(w.ctx, payout.File{ID: cashier.FileID(by, key), Currency: w.shop.currency, At: w.time(), By: by},
			func(payout.File) ([]store.Write, error) { return reply, nil })
		if err == nil && !f.Closed {
			w.violate(5, "bank file %s was answered while it was being filled", f.ID)
		}
		if err == nil && f.ID != cashier.FileID(by, key) {
			w.Counts.fault("file of another")
		}
		return err
	}})
}

// bankAnswers brings what the bank says about a file: all of it, a part, the wrong amount, or the opposite of the truth.
func (w *World) bankAnswers() {
	if len(w.watch.files) == 0 {
		return
	}
	id, lie, part := w.watch.files[w.pick(len(w.watch.files))], w.pick(8), w.pick(3)
	_ = w.act("admin: answer of the bank to "+id, func() error {
		f, err := w.db().BankFile(w.ctx, id)
		if err != nil {
			return err
		}
		payouts, err := w.payer().InFile(w.ctx, f)
		if err != nil {
			return err
		}
		lines := []string{"payout,amount,currency,outcome"}
		for _, p := range payouts[min(len(payouts), part/2):] {
			lines = append(lines, w.answer(p, lie))
		}
		_, err = w.payer().Reconcile(w.ctx, f, []byte(strings.Join(lines, "\n")), operators[1], w.time())
		if err == nil && lie >= 6 && len(lines) > 1 {
			w.violate(5, "a bank's answer about %s was taken although it cannot be right: %v", id, lines)
		}
		return err
	})
}

func (w *World) answer(p payout.Payout, lie int) string {
	amount, word := p.Amount(), "failed"
	if w.bankPays(p.ID) {
		word = "paid"
	}
	switch lie {
	case 6:
		amount.Minor++
	case 7:
		word = "perhaps"
	}
	return p.ID + "," + amount.Decimal() + "," + string(amount.Currency) + "," + word
}

// publishesTerms changes what is kept back from payouts.
func (w *World) publishesTerms() {
	_ = w.act("admin: publish terms of payouts", func() error {
		before, err := w.db().PayoutTerms(w.ctx)
		if err != nil {
			return err
		}
		now := w.time()
		after, err := before.Next(w.terms(before), now, now.In(w.shop.zone).Format(time.DateOnly))
		if err != nil {
			return err
		}
		return w.db().PublishPayoutTerms(w.ctx, after)
	})
}

func (w *World) terms(before payout.Terms) payout.Terms {
	c := payout.CurrencyTerms{Currency: w.shop.currency, Minimum: int64(w.between(1, 300)), DebtCap: []money.BasisPoints{5000, 10_000, 0, 3333}[w.pick(4)],
		Fee: payout.Fee{Fixed: int64(w.pick(3)) * 10, Rate: []money.BasisPoints{0, 0, 100, 333}[w.pick(4)]}, Tax: before.Of(w.shop.currency).Tax}
	switch w.pick(3) {
	case 1:
		c.Schedule = payout.Schedule{Every: payout.Weekly, Day: w.between(1, 7)}
	case 2:
		c.Schedule = payout.Schedule{Every: payout.Monthly, Day: w.between(1, 28)}
	}
	if w.pick(3) == 2 {
		from := w.now.In(w.shop.zone).AddDate(0, 0, w.pick(3)).Format(time.DateOnly)
		if n := len(c.Tax); n < 3 && (n == 0 || c.Tax[n-1].From < from) {
			c.Tax = append(slices.Clone(c.Tax), payout.TaxTable{From: from, Period: []payout.Period{payout.Month, payout.Year}[w.pick(2)],
				Brackets: []payout.Bracket{{Over: 0, Rate: 300}, {Over: 800, Rate: 1000, Deduction: 56}, {Over: 3000, Rate: 2000, Deduction: 356}}})
		}
	}
	return payout.Terms{HoldHours: []int{72, 0, 1}[w.pick(3)], Currencies: []payout.CurrencyTerms{c}}
}

// adjusts asks for a correction of a balance by hand.
func (w *World) adjusts() {
	handle, by := w.aKOC(), w.anOperator()
	minor := int64(w.between(1, 500))
	if w.pick(2) == 1 {
		minor = -minor
	}
	_ = w.request(ask{owner: by, route: "adjust " + handle, body: fmt.Sprint(minor), do: func(_ string, reply []store.Write) error {
		a := ledger.Adjustment{ID: w.id("a"), KOC: handle, Amount: money.Of(minor, w.shop.currency), Reason: "a mistake", By: by, At: w.time()}
		if err := a.Check([]money.Currency{w.shop.currency}); err != nil {
			return err
		}
		return w.db().RequestAdjustment(w.ctx, a, reply...)
	}})
}

// decidesAdjustment approves a correction, or rejects it.
func (w *World) decidesAdjustment() {
	n := len(w.watch.adjustIDs)
	if n == 0 {
		return
	}
	id, by, reject := w.watch.adjustIDs[n-1-w.pick(n)], w.anOperator(), w.pick(4) == 3
	_ = w.request(ask{owner: by, route: fmt.Sprintf("decide %t", reject), order: id, do: func(_ string, reply []store.Write) error {
		a, err := w.db().Adjustment(w.ctx, id)
		if err != nil {
			return err
		}
		p, err := w.db().KOC(w.ctx, a.KOC)
		switch {
		case err != nil:
			return err
		case reject:
			_, err = w.db().RejectAdjustment(w.ctx, id, by, "no", w.time(), reply...)
		default:
			_, err = w.db().ApproveAdjustment(w.ctx, id, ledger.Approver{By: by, Subject: p.Subject}, w.time(), reply...)
		}
		return err
	}})
}
