package world

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/provider"
)

// bank is a payment provider with a memory: what it was asked under one id it does once, and what it has done it tells in
// events, late, twice and in no order.
type bank struct {
	w        *World
	sessions []*session
	payments []*payment
	refunds  []*refund
	disputes []*dispute
	events   []news
}

const bankName = "bank"

type session struct {
	id, order string
	amount    money.Amount
	closed    bool
	paid      *payment
}

type payment struct {
	id, order string
	amount    money.Amount
	back      int64 // refunds that are made or under way
}

type refund struct {
	id, intent, order string // intent is empty for one that was made at the provider
	payment           *payment
	amount            money.Amount
	state             provider.RefundState
	nameless          bool // the answer to its request is lost, and its event does not name the intent
}

// dispute is a payment that its shopper asks back at the bank.
type dispute struct {
	id      string
	payment *payment
	amount  money.Amount
	outcome provider.EventType // empty while the bank decides
}

// news is an event on its way.
type news struct {
	event provider.Event
	told  int
}

func newBank(w *World) *bank { return &bank{w: w} }

var errUnreachable = errors.New("bank: the connection broke")

// reach is a call of the provider: it may be lost before or after it has its effect, its caller may end, and others may act
// meanwhile. do is nil when nothing is to be done.
func (b *bank) reach(what string, do func()) error {
	w := b.w
	w.Counts.Events++
	if w.calm {
		do()
		return nil
	}
	f := w.stack[len(w.stack)-1]
	fault := ""
	if w.chance(w.shop.weather) {
		fault = bankFaults[w.pick(len(bankFaults))]
		w.say("! %s: %s", fault, what)
	}
	switch fault {
	case "provider not reached":
		w.Counts.fault(fault)
		return errUnreachable
	case "another during a payment":
		if len(w.stack) < maxDepth {
			w.interrupt(f, fault)
		}
	}
	do()
	switch fault {
	case "provider's answer lost":
		w.Counts.fault(fault)
		return errUnreachable
	case "crash after the provider":
		w.Counts.fault(fault)
		f.dead = true
		panic(errCrashed)
	}
	return nil
}

var bankFaults = [...]string{"provider not reached", "provider's answer lost", "crash after the provider", "another during a payment"}

func (b *bank) Name() string { return bankName }

func (b *bank) Open(_ context.Context, c provider.Checkout) (s provider.Session, err error) {
	err = b.reach("open a payment of "+c.OrderID, func() {
		i := slices.IndexFunc(b.sessions, func(x *session) bool { return x.order == c.OrderID })
		if i < 0 {
			i = len(b.sessions)
			b.sessions = append(b.sessions, &session{id: b.w.id("session"), order: c.OrderID, amount: c.Amount})
		}
		s = provider.Session{ID: b.sessions[i].id, URL: "https://bank.example/" + b.sessions[i].id}
	})
	return s, err
}

func (b *bank) Close(_ context.Context, id string) (c provider.Closed, err error) {
	err = b.reach("close "+id, func() {
		i := slices.IndexFunc(b.sessions, func(x *session) bool { return x.id == id })
		switch {
		case i < 0:
		case b.sessions[i].paid != nil:
			p := b.sessions[i].paid
			c = provider.Closed{AlreadyPaid: true, PaymentID: p.id, Amount: p.amount}
		default:
			b.sessions[i].closed = true
		}
	})
	return c, err
}

// pay takes money in a session; a shopper in a hurry can pay twice.
func (b *bank) pay(s *session) {
	p := &payment{id: b.w.id("pay"), order: s.order, amount: s.amount}
	if s.paid == nil {
		s.paid = p
	}
	b.payments = append(b.payments, p)
	b.tell(provider.Event{Type: provider.Captured, OrderID: p.order, SessionID: s.id, PaymentID: p.id, Amount: p.amount})
}

func (b *bank) tell(e provider.Event) {
	e.ID, e.At = b.w.id("evt"), b.w.now
	b.events = append(b.events, news{event: e})
}

func (b *bank) Refund(_ context.Context, r provider.RefundRequest) (result provider.RefundResult, err error) {
	lost := false
	err = b.reach("refund "+r.ID, func() {
		x := b.intent(r.ID)
		if x == nil {
			x = b.take(r)
			lost = x.nameless
		}
		result = x.result()
	})
	if lost {
		return provider.RefundResult{}, errUnreachable
	}
	return result, err
}

// take makes a refund that was asked for. Asking for more than is left of the payment is refused; what the store asks for
// fits unless somebody has refunded at the provider meanwhile.
func (b *bank) take(r provider.RefundRequest) *refund {
	i := slices.IndexFunc(b.payments, func(p *payment) bool { return p.id == r.PaymentID })
	if i < 0 {
		b.w.violate(7, "refund %s gives back the payment %q, which nobody has made", r.ID, r.PaymentID)
	}
	p := b.payments[i]
	if known := b.lostBefore(p); known > 0 && r.Amount.Minor > p.amount.Minor-known {
		b.w.violate(7, "refund %s gives back %d of payment %s, of which a dispute is known to have taken %d of %d", r.ID, r.Amount.Minor, p.id, known, p.amount.Minor)
	}
	x := &refund{id: b.w.id("re"), intent: r.ID, order: p.order, payment: p, amount: r.Amount, state: provider.RefundPending, nameless: !b.w.calm && b.w.pick(4) == 3}
	b.refunds = append(b.refunds, x)
	switch {
	case p.back+r.Amount.Minor > p.amount.Minor-b.disputed(p): // a bank refuses to give back what it may have to give back anyhow
		x.state = provider.RefundFailed
		return x
	case !b.w.calm:
		x.state = refundStates[b.w.pick(len(refundStates))]
	}
	if x.state != provider.RefundFailed {
		p.back += r.Amount.Minor
	}
	if x.state != provider.RefundPending {
		b.announce(x)
	}
	return x
}

var refundStates = [...]provider.RefundState{provider.RefundSucceeded, provider.RefundSucceeded, provider.RefundPending, provider.RefundPending, provider.RefundFailed}

// finish ends a refund that is under way.
func (b *bank) finish(x *refund, done bool) {
	x.state = provider.RefundSucceeded
	if !done {
		x.state = provider.RefundFailed
		x.payment.back -= x.amount.Minor
	}
	b.announce(x)
}

func (b *bank) announce(x *refund) {
	e := provider.Event{Type: provider.RefundDone, OrderID: x.order, PaymentID: x.payment.id, RefundID: x.id, IntentID: x.intent, Amount: x.amount}
	if x.state == provider.RefundFailed {
		e.Type = provider.RefundNotDone
	}
	if x.nameless {
		b.w.Counts.fault("event without our id")
		e.IntentID = ""
	}
	b.tell(e)
}

// refundByHand is made at the provider, where nobody asks the store.
func (b *bank) refundByHand(p *payment, minor int64) {
	x := &refund{id: b.w.id("re"), order: p.order, payment: p, amount: money.Of(minor, p.amount.Currency), state: provider.RefundSucceeded}
	p.back += minor
	b.refunds = append(b.refunds, x)
	b.announce(x)
}

func (b *bank) intent(id string) *refund {
	i := slices.IndexFunc(b.refunds, func(x *refund) bool { return x.intent == id })
	if i < 0 {
		return nil
	}
	return b.refunds[i]
}

func (x *refund) result() provider.RefundResult {
	return provider.RefundResult{State: x.state, ProviderID: x.id, Reason: "the bank says so"}
}

func (b *bank) LookupRefund(_ context.Context, intent string) (result provider.RefundResult, err error) {
	var refused error
	err = b.reach("look up refund "+intent, func() {
		x := b.intent(intent)
		if x == nil {
			refused = fail.New(fail.NotFound, "refund_unknown", "The bank has not received this refund.", nil)
			return
		}
		result = x.result()
	})
	if err == nil {
		err = refused
	}
	return result, err
}

func (b *bank) Event(http.Header, []byte, time.Time) (provider.Event, error) {
	return provider.Event{}, fmt.Errorf("bank: events of a simulation have no wire")
}

// falseEvent contradicts an order.
func (w *World) falseEvent(o ordering.Order) provider.Event {
	e := provider.Event{ID: w.id("evt"), Type: provider.Captured, OrderID: o.ID, PaymentID: w.id("pay"), Amount: o.Total, At: w.now}
	switch w.pick(5) {
	case 0:
		e.Amount.Minor++
	case 1:
		e.Amount.Currency = "EUR"
	case 2:
		e.Amount.Minor = -e.Amount.Minor
	case 3: // one that is on record, with another amount
		if len(o.Captures) > 0 {
			e.PaymentID = o.Captures[0].PaymentID
		}
		e.Amount.Minor++
	case 4:
		e.Type, e.RefundID, e.PaymentID, e.Amount.Minor = provider.RefundDone, e.PaymentID, "", o.Total.Minor+1
	}
	return e
}

// disputed is what disputes are about or have taken of a payment.
func (b *bank) disputed(p *payment) (sum int64) {
	for _, d := range b.disputes {
		if d.payment == p && d.outcome != provider.DisputeWon {
			sum += d.amount.Minor
		}
	}
	return sum
}

// lostBefore is what disputes have taken of a payment as far as the store had recorded it when the process began that acts
// now.
func (b *bank) lostBefore(p *payment) (sum int64) {
	begun := b.w.stack[len(b.w.stack)-1].begun
	for _, d := range b.disputes {
		if at, known := b.w.watch.lost[bankName+":"+d.id]; known && d.payment == p && at < begun {
			sum += d.amount.Minor
		}
	}
	return sum
}

// disputes asks a payment back, or decides about one that was asked back.
func (w *World) disputes() {
	b := w.bank
	open := slices.IndexFunc(b.disputes, func(d *dispute) bool { return d.outcome == "" })
	if open >= 0 && w.pick(2) == 1 {
		b.decide(b.disputes[open], w.pick(3) > 0)
		return
	}
	if len(b.payments) == 0 {
		return
	}
	p := b.payments[len(b.payments)-1-w.pick(len(b.payments))]
	minor := p.amount.Minor
	if w.pick(3) == 2 {
		minor = 1 + int64(w.pick(int(min(minor, 1<<30))))
	}
	if b.disputed(p)+minor > p.amount.Minor {
		return
	}
	d := &dispute{id: w.id("dispute"), payment: p, amount: money.Of(minor, p.amount.Currency)}
	b.disputes = append(b.disputes, d)
	w.say("%d of %s is disputed", minor, p.id)
	b.tellOf(d, provider.Disputed)
}

// decide ends a dispute.
func (b *bank) decide(d *dispute, lost bool) {
	d.outcome = provider.DisputeWon
	if lost {
		d.outcome = provider.DisputeLost
	}
	b.w.say("%s ends: %s", d.id, d.outcome)
	b.tellOf(d, d.outcome)
}

func (b *bank) tellOf(d *dispute, e provider.EventType) {
	b.tell(provider.Event{Type: e, OrderID: d.payment.order, PaymentID: d.payment.id, DisputeID: d.id, Amount: d.amount, Reason: "fraudulent"})
}

// bankRefunds gives money back without being asked.
func (w *World) bankRefunds() {
	b := w.bank
	if len(b.payments) == 0 {
		return
	}
	p := b.payments[w.pick(len(b.payments))]
	if left := p.amount.Minor - p.back; left > 0 {
		minor := left
		if w.pick(2) == 1 {
			minor = 1 + int64(w.pick(int(min(left, 1<<30))))
		}
		w.say("the bank gives %d of %s back by itself", min(minor, left), p.id)
		b.refundByHand(p, min(minor, left))
	}
}

// bankFinishes ends a refund that is under way.
func (w *World) bankFinishes() {
	for _, x := range w.bank.refunds {
		if x.state == provider.RefundPending {
			done := w.pick(4) < 3
			w.say("refund %s ends, done: %t", x.intent, done)
			w.bank.finish(x, done)
			return
		}
	}
}

// bankTells brings an event of the provider: mostly the oldest, perhaps once more than needed.
func (w *World) bankTells() {
	b := w.bank
	if len(b.events) == 0 {
		return
	}
	i := w.pick(2) * w.pick(len(b.events))
	if i > 0 {
		w.Counts.fault("event out of order")
	}
	b.events[i].told++
	e := b.events[i]
	if e.told > 1 {
		w.Counts.fault("event again")
	}
	err := w.act("payments: event "+e.event.ID+" "+string(e.event.Type)+" of "+e.event.OrderID, func() error { return w.till().Record(w.ctx, bankName, e.event, w.time()) })
	switch {
	case err != nil && !refused(err):
		return // the provider will tell it again
	case refused(err):
		w.watch.contradicted(e.event, err)
	case w.pick(4) == 3 && e.told < 3:
		return // the provider has not heard the answer
	}
	for i := range b.events { // others may have told events meanwhile
		if b.events[i].event.ID == e.event.ID {
			b.events = append(b.events[:i], b.events[i+1:]...)
			return
		}
	}
}

// bankLies tells of payments and refunds that contradict their orders: they are refused and leave nothing.
func (w *World) bankLies() {
	id, ok := w.anOrder(nil)
	if !ok {
		return
	}
	o := w.watch.orders[id].now
	e := w.falseEvent(o)
	err := w.act("payments: false event for "+id, func() error { return w.till().Record(w.ctx, bankName, e, w.time()) })
	if err == nil {
		w.violate(16, "the event %+v was taken although it contradicts order %s", e, id)
	}
}
