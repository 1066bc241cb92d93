package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// setNext decides what becomes of the next refund, {"refund": "fail"}, or of the next transfers to KOCs,
// {"transfer": "lost", "times": 3}. Times is 1 when left out.
func (s *Sandbox) setNext(w http.ResponseWriter, r *http.Request) {
	next := struct {
		Refund   string `json:"refund"`
		Transfer string `json:"transfer"`
		Times    int    `json:"times"`
	}{Times: 1}
	if !read(w, r, &next) {
		return
	}
	transfer := next.Transfer != "" && next.Refund == ""
	switch {
	case !transfer && !slices.Contains(refundOutcomes, next.Refund):
		problem(w, http.StatusBadRequest, "refund: one of "+strings.Join(refundOutcomes, ", "))
		return
	case transfer && !slices.Contains(transferOutcomes, next.Transfer):
		problem(w, http.StatusBadRequest, "transfer: one of "+strings.Join(transferOutcomes, ", "))
		return
	case next.Times < 1 || next.Times > 1000 || !transfer && next.Times != 1:
		problem(w, http.StatusBadRequest, "times: 1 to 1000, of transfers only")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if transfer {
		s.transferOutcome, s.nextTransfers = next.Transfer, next.Times
	} else {
		s.nextRefund = next.Refund
	}
	w.WriteHeader(http.StatusNoContent)
}

// flushLate delivers the payments that were made late and have not been told yet, and answers when the store
// has heard of them. Sessions that are still open count as paid from then on.
func (s *Sandbox) flushLate(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	var waits []<-chan struct{}
	for _, ses := range s.books.Sessions {
		if !ses.Late {
			continue
		}
		j := s.captureLate(ses, s.options.Now())
		if !s.record(w, entry{Session: ses, Job: j}) {
			s.mu.Unlock()
			return
		}
		waits = append(waits, s.run(*j))
	}
	s.mu.Unlock()
	for _, done := range waits {
		await(done, patience)
	}
	answer(w, http.StatusOK, map[string]int{"delivered": len(waits)})
}

// redeliver sends an event again, ?times= up to 100, one after the other, and answers when it is done.
func (s *Sandbox) redeliver(w http.ResponseWriter, r *http.Request) {
	times := 1
	if text := r.URL.Query().Get("times"); text != "" {
		var err error
		if times, err = strconv.Atoi(text); err != nil || times < 1 || times > 100 {
			problem(w, http.StatusBadRequest, "times: 1 to 100")
			return
		}
	}
	id := r.PathValue("id")
	s.mu.Lock()
	ses, _, ok := s.books.event(id)
	if !ok {
		s.mu.Unlock()
		problem(w, http.StatusNotFound, "no such event")
		return
	}
	j := s.newJob(ses, s.options.Now(), slices.Repeat([]string{id}, times)...)
	if !s.record(w, entry{Job: j}) {
		s.mu.Unlock()
		return
	}
	done := s.run(*j)
	s.mu.Unlock()
	select {
	case <-done:
		w.WriteHeader(http.StatusNoContent)
	case <-r.Context().Done():
	}
}

// showOrder is all that the sandbox knows about an order, for tests that compare it with the store's own books.
func (s *Sandbox) showOrder(w http.ResponseWriter, r *http.Request) {
	type view struct {
		Sessions []session `json:"sessions"`
		Refunds  []refund  `json:"refunds"`
	}
	out := view{Sessions: []session{}, Refunds: []refund{}}
	order := r.PathValue("order")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ses := range s.books.Sessions {
		if ses.Checkout.OrderID == order {
			public := *ses
			public.Checkout.ReturnURL = "" // holds the order's secret
			out.Sessions = append(out.Sessions, public)
		}
	}
	for _, ref := range s.books.Refunds {
		if ses := s.books.Sessions[ref.Session]; ses != nil && ses.Checkout.OrderID == order {
			out.Refunds = append(out.Refunds, *ref)
		}
	}
	answer(w, http.StatusOK, out)
}
