// Package sandbox is the far side of payments and payouts on this machine: a payment provider without real money, with a
// pay page on which one chooses what happens, and with all the bad manners of real ones: late, twice, out of order,
// answers lost on the way.
//
// The store talks to it as to any provider, over HTTP with a key that only the runner hands out. It keeps its
// own books in a file, so that a restart forgets nothing that was promised.
package sandbox

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options say where webhooks go and where the books are kept.
type Options struct {
	// Key authenticates the store's requests and signs webhooks.
	Key string
	// WebhookURL is where the store receives events: http://127.0.0.1:8080/webhooks/sandbox.
	WebhookURL string
	// Now dates events and signatures.
	Now func() time.Time
	// DataFile keeps the books; it is made when missing, for its owner only.
	DataFile string
	// Log hears what was delivered and what was not. Nil is silent.
	Log *slog.Logger
	// LateDelay is how long after its session was closed a late payment arrives: enough for the store to have
	// recorded the expiry. 0 means 2 s.
	LateDelay time.Duration
	// RetryDelay is the pause before the second attempt at a webhook; each next pause is twice as long. 0 means 200 ms.
	RetryDelay time.Duration
}

// Sandbox is the provider. Paths of its handler are relative to the mount point, provider.SandboxPath.
type Sandbox struct {
	options Options
	mux     http.Handler
	client  *http.Client
	slots   chan struct{} // one per webhook under way

	stop context.CancelFunc
	ctx  context.Context
	jobs sync.WaitGroup

	mu         sync.Mutex
	books      books
	journal    *journal
	active     int    // jobs not finished
	nextRefund string // outcome of the next refund; empty: succeed

	transferOutcome string // of the next nextTransfers transfers
	nextTransfers   int
}

// New opens the books and goes on with the webhooks that a restart interrupted.
func New(o Options) (*Sandbox, error) {
	if o.Key == "" || o.WebhookURL == "" || o.Now == nil || o.DataFile == "" {
		return nil, errors.New("sandbox: key, webhook address, clock and data file are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.LateDelay == 0 {
		o.LateDelay = 2 * time.Second
	}
	if o.RetryDelay == 0 {
		o.RetryDelay = 200 * time.Millisecond
	}
	j, b, err := openJournal(o.DataFile)
	if err != nil {
		return nil, err
	}
	s := &Sandbox{options: o, books: b, journal: j, slots: make(chan struct{}, maxUnderWay), client: webhookClient()}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.mux = s.routes()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, job := range b.Jobs {
		s.run(*job)
	}
	return s, nil
}

// ServeHTTP answers one request.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Idle reports whether no webhook is under way or waiting for its time.
func (s *Sandbox) Idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.active == 0
}

// Close stops deliveries; what was not delivered goes on after the next New.
func (s *Sandbox) Close() error {
	s.stop()
	s.jobs.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.close()
}

func (s *Sandbox) routes() http.Handler {
	mux := http.NewServeMux()
	// For the store.
	mux.HandleFunc("POST /sessions", s.withKey(s.openSession))
	mux.HandleFunc("POST /sessions/{id}/close", s.withKey(s.closeSession))
	mux.HandleFunc("POST /refunds", s.withKey(s.refund))
	mux.HandleFunc("GET /refunds/{intent}", s.withKey(s.lookUpRefund))
	mux.HandleFunc("POST /transfers", s.withKey(s.transfer))
	mux.HandleFunc("GET /transfers/{id}", s.withKey(s.lookUpTransfer))
	// For the shopper.
	mux.HandleFunc("GET /pay/{id}", s.payPage)
	mux.HandleFunc("POST /pay/{id}", s.pay)
	// For tests and the curious.
	mux.HandleFunc("POST /next", s.setNext)
	mux.HandleFunc("POST /late", s.flushLate)
	mux.HandleFunc("POST /events/{id}/deliver", s.redeliver)
	mux.HandleFunc("GET /orders/{order}", s.showOrder)
	mux.HandleFunc("POST /orders/{order}/disputes", s.postDispute)
	mux.HandleFunc("POST /disputes/{id}/win", s.decideDispute(disputeWon))
	mux.HandleFunc("POST /disputes/{id}/lose", s.decideDispute(disputeLost))
	mux.HandleFunc("GET /transfers", s.showTransfers)
	mux.HandleFunc("POST /transfers/{id}/settle", s.settle)
	mux.HandleFunc("POST /settle", s.settle)
	guard := http.NewCrossOriginProtection() // a page from elsewhere in the same browser can press no buttons here
	return guard.Handler(http.MaxBytesHandler(mux, maxRequest))
}

// maxRequest bounds a request's body; the longest is a session with its return address.
const maxRequest = 32 << 10

func (s *Sandbox) withKey(next http.HandlerFunc) http.HandlerFunc {
	want := []byte("Bearer " + s.options.Key)
	return func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			problem(w, http.StatusUnauthorized, "the sandbox key is missing or wrong")
			return
		}
		next(w, r)
	}
}

// read decodes a strict JSON body; on failure it has answered and reports false.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("more than one value")
		}
	}
	if err != nil {
		problem(w, http.StatusBadRequest, fmt.Sprintf("the body cannot be read: %v", err))
		return false
	}
	return true
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client went away; nobody to tell
}

// problem answers with a reason in the field that a refund's answer has too.
func problem(w http.ResponseWriter, status int, reason string) {
	answer(w, status, map[string]string{"reason": strings.ToValidUTF8(reason, "")})
}
