package sandbox

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"time"

	"yundian/shared/money"
	"yundian/shared/provider"
)

// openSession begins a payment. The same key with the same content gives the same session, paid or not.
func (s *Sandbox) openSession(w http.ResponseWriter, r *http.Request) {
	var c provider.SandboxCheckout
	if !read(w, r, &c) {
		return
	}
	if reason := wrongCheckout(c); reason != "" {
		problem(w, http.StatusBadRequest, reason)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id, ok := s.books.ByKey[c.Key]; ok {
		if !same(s.books.Sessions[id].Checkout, c) {
			problem(w, http.StatusConflict, "this idempotency key was used for another payment")
			return
		}
		answer(w, http.StatusOK, provider.SandboxSession{ID: id})
		return
	}
	if len(s.books.Sessions) >= maxSessions {
		problem(w, http.StatusTooManyRequests, "the sandbox's books are full; delete its data file")
		return
	}
	ses := &session{ID: "cs_" + rand.Text(), Checkout: c, State: open}
	if !s.record(w, entry{Session: ses}) {
		return
	}
	answer(w, http.StatusCreated, provider.SandboxSession{ID: ses.ID})
}

// same ignores what a store may rightly say anew when it opens a payment again: addresses, texts and times.
func same(a, b provider.SandboxCheckout) bool { return a.OrderID == b.OrderID && a.Amount == b.Amount }

func wrongCheckout(c provider.SandboxCheckout) string {
	back, err := url.Parse(c.ReturnURL)
	switch {
	case c.Key == "" || len(c.Key) > 255:
		return "key: 1–255 bytes"
	case c.OrderID == "" || len(c.OrderID) > 100:
		return "orderId: 1–100 bytes"
	case !payable(c.Amount):
		return "amount: above zero, in a known currency"
	case err != nil || back.Scheme != "http" && back.Scheme != "https" || back.Host == "" || len(c.ReturnURL) > 2000:
		return "returnUrl: an absolute address of at most 2,000 bytes"
	case len(c.Description) > 1000:
		return "description: at most 1,000 bytes"
	default:
		return ""
	}
}

func payable(a money.Amount) bool {
	_, err := money.ParseCurrency(string(a.Currency))
	return err == nil && a.Minor > 0 && a.Minor <= money.MaxMinor
}

// closeSession ends a session before the store releases its stock. A shopper who chose to pay late has paid
// already, but nobody knows: the session closes as unpaid and the news follows after LateDelay.
func (s *Sandbox) closeSession(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ses := s.books.Sessions[r.PathValue("id")]
	if ses == nil {
		problem(w, http.StatusNotFound, "no such session")
		return
	}
	if len(ses.Payments) > 0 {
		first := ses.Payments[0]
		answer(w, http.StatusOK, provider.SandboxClosed{State: string(paid), PaymentID: first.ID, Amount: first.Amount})
		return
	}
	if ses.State == open {
		ses.State = closed
		var late *job
		if ses.Late {
			late = s.captureLate(ses, s.options.Now().Add(s.options.LateDelay))
		}
		if !s.record(w, entry{Session: ses, Job: late}) {
			return
		}
		if late != nil {
			s.run(*late)
		}
	}
	answer(w, http.StatusOK, provider.SandboxClosed{State: string(closed)})
}

// captureLate turns a late payment into a real one whose event is delivered from the given moment on.
func (s *Sandbox) captureLate(ses *session, from time.Time) *job {
	return s.newJob(ses, from, s.take(ses, ses.Checkout.Amount))
}

// take takes money in a session and gives the event that tells of it.
func (s *Sandbox) take(ses *session, amount money.Amount) string {
	p := payment{ID: ses.newID("pay", len(ses.Payments)), Amount: amount}
	ses.Payments, ses.Late = append(ses.Payments, p), false
	if ses.State == open {
		ses.State = paid
	}
	return s.tell(ses, "payment.captured", provider.SandboxEvent{Payment: p.ID, Amount: amount})
}

// tell writes an event of a session down and gives its id. Nobody hears of it before a job delivers it.
func (s *Sandbox) tell(ses *session, kind string, e provider.SandboxEvent) string {
	e.ID, e.Type, e.At = ses.newID("evt", len(ses.Events)), kind, s.options.Now().UTC()
	e.OrderID, e.Session = ses.Checkout.OrderID, ses.ID
	ses.Events = append(ses.Events, e)
	return e.ID
}

// record applies entries to the books and the journal; on failure it has answered and reports false.
// The caller holds the lock.
func (s *Sandbox) record(w http.ResponseWriter, entries ...entry) bool {
	for _, e := range entries {
		s.books.apply(e)
	}
	if err := s.journal.append(entries...); err != nil {
		s.options.Log.Error("sandbox books not written", "error", err)
		problem(w, http.StatusInternalServerError, "the sandbox cannot write its books")
		return false
	}
	return true
}
