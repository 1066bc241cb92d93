package sandbox

import (
	"crypto/rand"
	"net/http"

	"yundian/shared/money"
	"yundian/shared/provider"
)

// Outcomes of a refund, set with POST /next for the one that comes next.
const (
	refundSucceeds   = "succeed"    // answered at once, told again by a webhook
	refundPending    = "pending"    // answered as pending, told later by a webhook
	refundFails      = "fail"       // answered as pending, then the bank says no
	refundRefused    = "refuse"     // answered with no
	refundLost       = "lost"       // done, but the answer and the webhook are lost: only a look-up finds it
	refundUnreceived = "unreceived" // lost on the way here: a look-up finds nothing
	refundNameless   = "nameless"   // done, the answer is lost, and the webhook names only the id of the sandbox
)

var refundOutcomes = []string{refundSucceeds, refundPending, refundFails, refundRefused, refundLost, refundUnreceived, refundNameless}

// refund gives money back, once per intent id.
func (s *Sandbox) refund(w http.ResponseWriter, r *http.Request) {
	var req provider.SandboxRefund
	if !read(w, r, &req) {
		return
	}
	if req.IntentID == "" || len(req.IntentID) > 200 || !payable(req.Amount) || len(req.Reason) > 2000 {
		problem(w, http.StatusBadRequest, "intentId, amount and reason: 1–200 bytes, above zero, at most 2,000 bytes")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.books.Refunds[req.IntentID]; ok {
		if old.Request.PaymentID != req.PaymentID || old.Request.Amount != req.Amount {
			problem(w, http.StatusConflict, "this intent id was used for another refund")
			return
		}
		answer(w, refundStatus(old, http.StatusOK), old.answer())
		return
	}
	outcome := s.nextRefund
	s.nextRefund = ""
	if outcome == refundUnreceived {
		panic(http.ErrAbortHandler) // the connection breaks without an answer
	}
	ses, p := s.books.payment(req.PaymentID)
	if p == nil {
		problem(w, http.StatusUnprocessableEntity, "no such payment")
		return
	}
	ref, told := s.giveBack(ses, p, req, outcome)
	e := entry{Session: ses, Refund: ref}
	if told != "" {
		e.Job = s.newJob(ses, s.options.Now(), told)
	}
	if !s.record(w, e) {
		return
	}
	if e.Job != nil {
		s.run(*e.Job)
	}
	if outcome == refundLost || outcome == refundNameless {
		panic(http.ErrAbortHandler)
	}
	reply := ref.answer()
	if outcome == refundPending || outcome == refundFails {
		reply.State, reply.Reason = provider.RefundPending, ""
	}
	answer(w, refundStatus(ref, http.StatusCreated), reply)
}

// giveBack decides a refund and gives the event that tells of it, if any.
func (s *Sandbox) giveBack(ses *session, p *payment, req provider.SandboxRefund, outcome string) (*refund, string) {
	ref := &refund{ID: "re_" + rand.Text(), Session: ses.ID, Request: req, State: provider.RefundSucceeded}
	switch {
	case req.Amount.Currency != p.Amount.Currency || req.Amount.Minor > p.Amount.Minor-p.Refunded:
		ref.ID, ref.State, ref.Reason = "", provider.RefundFailed, "more than is left of the payment"
		return ref, ""
	case req.Amount.Minor > p.Amount.Minor-p.Refunded-p.contested():
		ref.ID, ref.State, ref.Reason = "", provider.RefundFailed, "the payment is disputed"
		return ref, ""
	case outcome == refundRefused, len(ses.Events) >= maxEvents:
		ref.ID, ref.State, ref.Reason = "", provider.RefundFailed, "refused by the bank"
		return ref, ""
	case outcome == refundFails:
		ref.State, ref.Reason = provider.RefundFailed, "the bank could not pay it out"
		return ref, s.tell(ses, "refund.failed", told(ref))
	}
	p.Refunded += req.Amount.Minor
	e := told(ref)
	switch outcome {
	case refundLost:
		return ref, ""
	case refundNameless:
		e.Intent = ""
	}
	return ref, s.tell(ses, "refund.succeeded", e)
}

func told(ref *refund) provider.SandboxEvent {
	return provider.SandboxEvent{Payment: ref.Request.PaymentID, Refund: ref.ID, Intent: ref.Request.IntentID, Amount: ref.Request.Amount}
}

// refundAtProvider gives a session's whole first payment back without having been asked, as people do on a provider's own pages.
func (s *Sandbox) refundAtProvider(ses *session) string {
	p := &ses.Payments[0]
	left := money.Of(p.Amount.Minor-p.Refunded, p.Amount.Currency)
	p.Refunded = p.Amount.Minor
	return s.tell(ses, "refund.succeeded", provider.SandboxEvent{Payment: p.ID, Refund: "re_" + rand.Text(), Amount: left})
}

func (r *refund) answer() provider.SandboxRefunded {
	return provider.SandboxRefunded{ID: r.ID, State: r.State, Reason: r.Reason}
}

// refundStatus is 422 for a refund that was refused outright, which has no id.
func refundStatus(r *refund, otherwise int) int {
	if r.ID == "" {
		return http.StatusUnprocessableEntity
	}
	return otherwise
}

func (s *Sandbox) lookUpRefund(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ref, ok := s.books.Refunds[r.PathValue("intent")]
	if !ok {
		problem(w, http.StatusNotFound, "no such refund")
		return
	}
	answer(w, http.StatusOK, ref.answer())
}
