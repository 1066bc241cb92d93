package sandbox

import (
	"net/http"
	"slices"

	"yundian/shared/money"
	"yundian/shared/provider"
)

// States of a dispute.
const (
	disputeOpen = "open"
	disputeWon  = "won"
	disputeLost = "lost"
)

// fraudulent is the reason of a dispute for which none is given; providers have codes of their own.
const fraudulent = "fraudulent"

// dispute opens a dispute about a payment and gives the event that tells of it.
func (s *Sandbox) dispute(ses *session, p *payment, amount money.Amount, reason string) string {
	n := 0
	for _, x := range ses.Payments {
		n += len(x.Disputes)
	}
	p.Disputes = append(p.Disputes, dispute{ID: ses.newID("dp", n), Amount: amount, Reason: reason, State: disputeOpen})
	return s.tellDispute(ses, p, &p.Disputes[len(p.Disputes)-1], "dispute.opened")
}

// decide ends a dispute, as the bank does, and gives the event that tells of it.
func (s *Sandbox) decide(ses *session, p *payment, d *dispute, state string) string {
	d.State = state
	return s.tellDispute(ses, p, d, "dispute."+state)
}

func (s *Sandbox) tellDispute(ses *session, p *payment, d *dispute, kind string) string {
	return s.tell(ses, kind, provider.SandboxEvent{Payment: p.ID, Dispute: d.ID, Reason: d.Reason, Amount: d.Amount})
}

// openDispute finds the first dispute of a session that nobody has decided.
func (s *session) openDispute() (*payment, *dispute) {
	for i := range s.Payments {
		p := &s.Payments[i]
		if j := slices.IndexFunc(p.Disputes, func(d dispute) bool { return d.State == disputeOpen }); j >= 0 {
			return p, &p.Disputes[j]
		}
	}
	return nil, nil
}

// postDispute opens a dispute about an order's payment: {"amount": 1200, "reason": "fraudulent", "payment": "pay_…"}. What is
// left out is the whole payment, fraudulent, the first payment. It answers when the store has heard of it.
func (s *Sandbox) postDispute(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Amount  int64  `json:"amount"`
		Reason  string `json:"reason"`
		Payment string `json:"payment"`
	}
	if !read(w, r, &body) {
		return
	}
	s.mu.Lock()
	ses, p := s.books.paymentOf(r.PathValue("order"), body.Payment)
	switch {
	case p == nil:
		s.mu.Unlock()
		problem(w, http.StatusNotFound, "no such payment")
		return
	case body.Amount < 0 || body.Amount > p.Amount.Minor || len(body.Reason) > 100:
		s.mu.Unlock()
		problem(w, http.StatusBadRequest, "amount: at most the payment's; reason: at most 100 bytes")
		return
	case len(p.Disputes) >= maxDisputes || len(ses.Events) >= maxEvents-1:
		s.mu.Unlock()
		problem(w, http.StatusConflict, "too much has happened in this payment")
		return
	}
	amount := p.Amount
	if body.Amount > 0 {
		amount.Minor = body.Amount
	}
	reason := body.Reason
	if reason == "" {
		reason = fraudulent
	}
	event := s.dispute(ses, p, amount, reason)
	id := p.Disputes[len(p.Disputes)-1].ID
	if s.finishPay(w, ses, []string{event}) {
		answer(w, http.StatusCreated, map[string]string{"id": id})
	}
}

// decideDispute ends a dispute: .../win or .../lose. It answers when the store has heard of it.
func (s *Sandbox) decideDispute(state string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		ses, p, d := s.books.dispute(r.PathValue("id"))
		if d == nil || d.State != disputeOpen || len(ses.Events) >= maxEvents {
			s.mu.Unlock()
			problem(w, http.StatusConflict, "no such open dispute")
			return
		}
		if s.finishPay(w, ses, []string{s.decide(ses, p, d, state)}) {
			w.WriteHeader(http.StatusNoContent)
		}
	}
}

// paymentOf finds an order's payment: the one with an id, or the first one.
func (b *books) paymentOf(order, id string) (*session, *payment) {
	if id != "" {
		if ses, p := b.payment(id); p != nil && ses.Checkout.OrderID == order {
			return ses, p
		}
		return nil, nil
	}
	for _, ses := range b.Sessions { // an order has one session, or few of which one was paid
		if ses.Checkout.OrderID == order && len(ses.Payments) > 0 {
			return ses, &ses.Payments[0]
		}
	}
	return nil, nil
}

// dispute finds a dispute, its payment and its session.
func (b *books) dispute(id string) (*session, *payment, *dispute) {
	ses, ok := b.sessionOf("dp", id)
	if !ok {
		return nil, nil, nil
	}
	for i := range ses.Payments {
		p := &ses.Payments[i]
		if j := slices.IndexFunc(p.Disputes, func(d dispute) bool { return d.ID == id }); j >= 0 {
			return ses, p, &p.Disputes[j]
		}
	}
	return nil, nil, nil
}
