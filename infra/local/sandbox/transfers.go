package sandbox

import (
	"cmp"
	"crypto/rand"
	"maps"
	"net/http"
	"slices"

	"yundian/shared/provider"
)

// Outcomes of a transfer to a KOC, set with POST /next for those that come next.
const (
	transferSucceeds   = "succeed"    // answered as paid
	transferPending    = "pending"    // answered as pending, and pending until POST /transfers/{id}/settle or /settle
	transferFails      = "fail"       // answered as pending, then the bank says no: a look-up tells
	transferRefused    = "refuse"     // answered with no
	transferLost       = "lost"       // done, but the answer is lost: only a look-up finds it
	transferUnreceived = "unreceived" // lost on the way here: a look-up finds nothing
)

var transferOutcomes = []string{transferSucceeds, transferPending, transferFails, transferRefused, transferLost, transferUnreceived}

// transfer is money for a KOC. Without an id it was refused.
type transfer struct {
	ID      string                   `json:"id"`
	Request provider.SandboxTransfer `json:"request"`
	State   provider.TransferState   `json:"state"`
	Reason  string                   `json:"reason,omitempty"`
	// Sends counts the requests that arrived under this id, for tests of whoever sends.
	Sends int `json:"sends"`
}

func (t *transfer) answer() provider.SandboxTransferred {
	return provider.SandboxTransferred{ID: t.ID, State: t.State, Reason: t.Reason}
}

func wrongTransfer(t provider.SandboxTransfer) string {
	switch {
	case t.ID == "" || len(t.ID) > 200:
		return "id: 1–200 bytes"
	case !payable(t.Amount):
		return "amount: above zero, in a known currency"
	case t.Account == "" || len(t.Account) > 200 || len(t.Name) > 500 || len(t.Description) > 1000:
		return "account, name and description: 1–200, at most 500 and 1,000 bytes"
	default:
		return ""
	}
}

// transfer sends money to a KOC, once per id.
func (s *Sandbox) transfer(w http.ResponseWriter, r *http.Request) {
	var req provider.SandboxTransfer
	if !read(w, r, &req) {
		return
	}
	if reason := wrongTransfer(req); reason != "" {
		problem(w, http.StatusBadRequest, reason)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	outcome := s.nextTransfer()
	if outcome == transferUnreceived {
		panic(http.ErrAbortHandler) // the connection breaks without an answer
	}
	t, status := s.books.Transfers[req.ID], http.StatusOK
	switch {
	case t == nil && len(s.books.Transfers) >= maxSessions:
		problem(w, http.StatusTooManyRequests, "the sandbox's books are full; delete its data file")
		return
	case t == nil:
		t, status = send(req, outcome), http.StatusCreated
	case t.Request.Account != req.Account || t.Request.Amount != req.Amount:
		problem(w, http.StatusConflict, "this id was used for another transfer")
		return
	}
	t.Sends++
	if !s.record(w, entry{Transfer: t}) {
		return
	}
	if outcome == transferLost {
		panic(http.ErrAbortHandler)
	}
	reply := t.answer()
	if outcome == transferFails {
		reply.State, reply.Reason = provider.TransferPending, ""
	}
	if t.ID == "" {
		status = http.StatusUnprocessableEntity
	}
	answer(w, status, reply)
}

// send decides a transfer that is new.
func send(req provider.SandboxTransfer, outcome string) *transfer {
	t := &transfer{ID: "po_" + rand.Text(), Request: req, State: provider.TransferPaid}
	switch outcome {
	case transferPending:
		t.State = provider.TransferPending
	case transferFails:
		t.State, t.Reason = provider.TransferFailed, "the bank could not pay it out"
	case transferRefused:
		t.ID, t.State, t.Reason = "", provider.TransferFailed, "refused by the bank"
	}
	return t
}

// nextTransfer is the outcome of the transfer that has just come; empty: succeed. The caller holds the lock.
func (s *Sandbox) nextTransfer() string {
	if s.nextTransfers == 0 {
		return ""
	}
	s.nextTransfers--
	return s.transferOutcome
}

func (s *Sandbox) lookUpTransfer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.books.Transfers[r.PathValue("id")]
	if !ok {
		problem(w, http.StatusNotFound, "no such transfer")
		return
	}
	answer(w, http.StatusOK, t.answer())
}

// settle ends pending transfers, all or the one of the path: {"state": "paid"} or {"state": "failed"}.
func (s *Sandbox) settle(w http.ResponseWriter, r *http.Request) {
	var as struct {
		State provider.TransferState `json:"state"`
	}
	if !read(w, r, &as) {
		return
	}
	if as.State != provider.TransferPaid && as.State != provider.TransferFailed {
		problem(w, http.StatusBadRequest, "state: paid or failed")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.PathValue("id")
	if id != "" && s.books.Transfers[id] == nil {
		problem(w, http.StatusNotFound, "no such transfer")
		return
	}
	settled := 0
	for _, t := range s.books.Transfers {
		if t.State != provider.TransferPending || id != "" && t.Request.ID != id {
			continue
		}
		t.State = as.State
		if as.State == provider.TransferFailed {
			t.Reason = "the bank could not pay it out"
		}
		if !s.record(w, entry{Transfer: t}) {
			return
		}
		settled++
	}
	answer(w, http.StatusOK, map[string]int{"settled": settled})
}

// showTransfers is all that the sandbox knows about transfers, by payout, for tests that compare it with the store's own
// books. Without the name: it is personal, and no test needs it.
func (s *Sandbox) showTransfers(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]transfer, 0, len(s.books.Transfers))
	for _, t := range slices.SortedFunc(maps.Values(s.books.Transfers), func(a, b *transfer) int { return cmp.Compare(a.Request.ID, b.Request.ID) }) {
		public := *t
		public.Request.Name = ""
		out = append(out, public)
	}
	answer(w, http.StatusOK, map[string][]transfer{"transfers": out})
}
