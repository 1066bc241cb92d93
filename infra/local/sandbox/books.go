package sandbox

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"yundian/shared/money"
	"yundian/shared/provider"
)

// sessionState says whether money can still be taken in a session.
type sessionState string

const (
	open   sessionState = "open"
	paid   sessionState = "paid"
	closed sessionState = "closed" // by the store; a late payment may still arrive
)

// session is one checkout with everything that has happened in it.
type session struct {
	ID       string                   `json:"id"`
	Checkout provider.SandboxCheckout `json:"checkout"`
	State    sessionState             `json:"state"`
	// Late says that the shopper has paid, but the news has not left the bank yet.
	Late     bool                    `json:"late,omitempty"`
	Payments []payment               `json:"payments,omitempty"`
	Events   []provider.SandboxEvent `json:"events,omitempty"`
}

// payment is money taken; Refunded of it (minor units) has been promised back.
type payment struct {
	ID       string       `json:"id"`
	Amount   money.Amount `json:"amount"`
	Refunded int64        `json:"refunded,omitempty"`
	Disputes []dispute    `json:"disputes,omitempty"`
}

// dispute is a payment that the shopper asked the bank to take back.
type dispute struct {
	ID     string       `json:"id"`
	Amount money.Amount `json:"amount"`
	Reason string       `json:"reason"`
	State  string       `json:"state"` // open, won, lost
}

// contested is what the bank has taken or may still take of a payment.
func (p *payment) contested() int64 {
	var sum int64
	for _, d := range p.Disputes {
		if d.State != disputeWon {
			sum += d.Amount.Minor
		}
	}
	return sum
}

// refund is money given back, or a refusal to.
type refund struct {
	ID      string                 `json:"id"`
	Session string                 `json:"session"`
	Request provider.SandboxRefund `json:"request"`
	State   provider.RefundState   `json:"state"`
	Reason  string                 `json:"reason,omitempty"`
}

// job is a list of events of one session to deliver one after the other, not before a moment.
type job struct {
	ID        string    `json:"id"`
	Session   string    `json:"session"`
	Events    []string  `json:"events"`
	NotBefore time.Time `json:"notBefore"`
}

// books are all that the sandbox knows.
type books struct {
	Sessions  map[string]*session
	ByKey     map[string]string // idempotency key → session
	Refunds   map[string]*refund
	Transfers map[string]*transfer // by payout
	Jobs      map[string]*job
}

// Limits of the books: far above any day of tests, far below this machine's memory.
const (
	maxSessions = 200_000 // and as many transfers
	maxPayments = 20      // per session
	maxDisputes = 20      // per payment
	maxEvents   = 60      // per session
)

func emptyBooks() books {
	return books{Sessions: map[string]*session{}, ByKey: map[string]string{}, Refunds: map[string]*refund{}, Transfers: map[string]*transfer{}, Jobs: map[string]*job{}}
}

// entry is one line of the journal: the new state of one thing. The last line about a thing counts.
type entry struct {
	Session  *session  `json:"session,omitempty"`
	Refund   *refund   `json:"refund,omitempty"`
	Transfer *transfer `json:"transfer,omitempty"`
	Job      *job      `json:"job,omitempty"`
	Done     string    `json:"done,omitempty"` // a job's id
}

func (b *books) apply(e entry) {
	if e.Session != nil {
		b.Sessions[e.Session.ID] = e.Session
		b.ByKey[e.Session.Checkout.Key] = e.Session.ID
	}
	if e.Refund != nil {
		b.Refunds[e.Refund.Request.IntentID] = e.Refund
	}
	if e.Transfer != nil {
		b.Transfers[e.Transfer.Request.ID] = e.Transfer
	}
	if e.Job != nil {
		b.Jobs[e.Job.ID] = e.Job
	}
	delete(b.Jobs, e.Done)
}

// Ids of payments and events hold the id of their session, so that it is found without a search:
// cs_K3X…, pay_K3X…_1, evt_K3X…_4, dp_K3X…_2.

func (s *session) newID(prefix string, n int) string {
	return fmt.Sprintf("%s_%s_%d", prefix, strings.TrimPrefix(s.ID, "cs_"), n+1)
}

// sessionOf finds the session that an id with this prefix belongs to.
func (b *books) sessionOf(prefix, id string) (*session, bool) {
	rest, ok := strings.CutPrefix(id, prefix+"_")
	own, _, cut := strings.Cut(rest, "_")
	s := b.Sessions["cs_"+own]
	return s, ok && cut && s != nil
}

// payment finds a payment and its session.
func (b *books) payment(id string) (*session, *payment) {
	s, ok := b.sessionOf("pay", id)
	if !ok {
		return nil, nil
	}
	for i := range s.Payments {
		if s.Payments[i].ID == id {
			return s, &s.Payments[i]
		}
	}
	return nil, nil
}

// event finds an event and its session.
func (b *books) event(id string) (*session, provider.SandboxEvent, bool) {
	if s, ok := b.sessionOf("evt", id); ok {
		for _, e := range s.Events {
			if e.ID == id {
				return s, e, true
			}
		}
	}
	return nil, provider.SandboxEvent{}, false
}

// journal is the file behind the books. Lines are appended as things happen, so that a long day costs no
// more per payment than a short one; opening it writes it anew with only the last word on everything.
type journal struct{ file *os.File }

func openJournal(path string) (*journal, books, error) {
	b, err := readJournal(path)
	if err != nil {
		return nil, b, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, b, fmt.Errorf("sandbox: make folder for books: %w", err)
	}
	part := path + ".part"
	if err := writeBooks(part, b); err != nil {
		return nil, b, err
	}
	if err := os.Rename(part, path); err != nil {
		return nil, b, fmt.Errorf("sandbox: replace books: %w", err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, b, fmt.Errorf("sandbox: open books: %w", err)
	}
	return &journal{f}, b, nil
}

func readJournal(path string) (books, error) {
	b := emptyBooks()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return b, fmt.Errorf("sandbox: read books: %w", err)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for n, line := range lines {
		if len(line) == 0 || n == len(lines)-1 { // without its line end: a write that was cut short, of which nobody was told
			continue
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return b, fmt.Errorf("sandbox: line %d of %s cannot be read (delete the file to start with empty books): %w", n+1, path, err)
		}
		b.apply(e)
	}
	return b, nil
}

func writeBooks(path string, b books) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("sandbox: write books: %w", err)
	}
	w := bufio.NewWriter(f)
	out := json.NewEncoder(w)
	for _, s := range b.Sessions {
		err = errors.Join(err, out.Encode(entry{Session: s}))
	}
	for _, r := range b.Refunds {
		err = errors.Join(err, out.Encode(entry{Refund: r}))
	}
	for _, t := range b.Transfers {
		err = errors.Join(err, out.Encode(entry{Transfer: t}))
	}
	for _, j := range b.Jobs {
		err = errors.Join(err, out.Encode(entry{Job: j}))
	}
	if err := errors.Join(err, w.Flush(), f.Close()); err != nil {
		return fmt.Errorf("sandbox: write books: %w", err)
	}
	return nil
}

func (j *journal) append(entries ...entry) error {
	var buf bytes.Buffer
	out := json.NewEncoder(&buf)
	for _, e := range entries {
		if err := out.Encode(e); err != nil {
			return fmt.Errorf("sandbox: encode entry: %w", err)
		}
	}
	if _, err := j.file.Write(buf.Bytes()); err != nil {
		return fmt.Errorf("sandbox: append to books: %w", err)
	}
	return nil
}

func (j *journal) close() error { return j.file.Close() }
