// Package stripetest is a small Stripe for tests: it keeps transfers, balance and idempotency keys as Stripe documents
// them, and loses requests and answers where it is told to.
//
// What an answer has to look like is stripe-mock's business, which knows no state; this one knows state and little else.
package stripetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Key is the secret key that the fake accepts.
const Key = "sk_test_stripetest"

// Fault is what goes wrong with one request.
type Fault string

// The faults. A request without one is answered as it should be.
const (
	None         Fault = ""
	LostRequest  Fault = "lost request"  // the connection breaks before anything has happened
	LostResponse Fault = "lost response" // it happens, then the connection breaks
	Delayed      Fault = "delayed"       // the connection breaks, and it happens later: see Arrive
	CutResponse  Fault = "cut response"  // it happens, then half of the answer arrives
	Failed       Fault = "failed"        // 500, kept for the key, and nothing has happened
	FailedAfter  Fault = "failed after"  // it happens, then 500, kept for the key
	Unavailable  Fault = "unavailable"   // 503 of something in front of Stripe, as a page
	InUse        Fault = "in use"        // 409: another request under this key is under way
	Limited      Fault = "limited"       // 429
	Unauthorized Fault = "unauthorized"  // 401: the key does not count for a moment
	Forbidden    Fault = "forbidden"     // 403
)

// Faults are all of them.
var Faults = []Fault{None, LostRequest, LostResponse, Delayed, CutResponse, Failed, FailedAfter, Unavailable, InUse, Limited, Unauthorized, Forbidden}

// Transfer is one transfer, as Stripe shows it.
type Transfer struct {
	ID             string            `json:"id"`
	Object         string            `json:"object"`
	Amount         int64             `json:"amount"`
	AmountReversed int64             `json:"amount_reversed"`
	Currency       string            `json:"currency"`
	Description    string            `json:"description"`
	Destination    string            `json:"destination"`
	Metadata       map[string]string `json:"metadata"`
	Reversed       bool              `json:"reversed"`
	TransferGroup  string            `json:"transfer_group"`
}

// Stripe is the fake. Its methods may be called while requests are under way.
type Stripe struct {
	// URL is where it listens, on this machine.
	URL string

	mu        sync.Mutex
	balance   map[string]int64 // by currency, in minor units
	accounts  []string
	transfers []Transfer
	keys      map[string]kept
	plan      []Fault
	delayed   []order
	requests  []*http.Request
}

// order is a request for a transfer.
type order struct {
	key    string
	params url.Values
}

// kept is what Stripe remembers of an idempotency key.
type kept struct {
	params string
	answer answer
}

type answer struct {
	status int
	body   string
}

// Start starts a Stripe with connected accounts and closes it after the test.
func Start(t interface{ Cleanup(func()) }, accounts ...string) *Stripe {
	s := &Stripe{balance: map[string]int64{}, accounts: accounts, keys: map[string]kept{}}
	server := httptest.NewServer(s)
	s.URL = server.URL
	t.Cleanup(server.Close)
	return s
}

// Fund adds to the shop's balance.
func (s *Stripe) Fund(currency string, minor int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.balance[currency] += minor
}

// Plan says what goes wrong with the next requests, one after the other, in place of what was planned before.
func (s *Stripe) Plan(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan = faults
}

// Arrive lets the delayed requests arrive.
func (s *Stripe) Arrive() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.delayed {
		s.create(o)
	}
	s.delayed = nil
}

// Forget lets a day pass: idempotency keys are forgotten, and what has not arrived by then never will.
func (s *Stripe) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.delayed = map[string]kept{}, nil
}

// Transfers are all transfers, oldest first.
func (s *Stripe) Transfers() []Transfer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.transfers)
}

// Change changes a transfer behind the shop's back, as people do on Stripe's own pages.
func (s *Stripe) Change(n int, change func(*Transfer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.transfers[n])
}

// Requests are all that have come, without their bodies.
func (s *Stripe) Requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ServeHTTP answers one request.
func (s *Stripe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	o := order{key: r.Header.Get("Idempotency-Key")}
	if o.params, err = url.ParseQuery(string(body)); err != nil {
		panic(http.ErrAbortHandler)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	fault := None
	if len(s.plan) > 0 {
		fault, s.plan = s.plan[0], s.plan[1:]
	}
	a, early := s.early(r, o, fault)
	if !early {
		a = s.answer(r, o)
	}
	switch fault {
	case LostResponse:
		panic(http.ErrAbortHandler)
	case FailedAfter:
		a = failure(http.StatusInternalServerError, "api_error", "", "Sorry! There was an error while talking to one of our backends.")
		if old, ok := s.keys[o.key]; ok {
			s.keys[o.key] = kept{old.params, a}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", fmt.Sprint("req_", len(s.requests)))
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if fault == CutResponse {
		_, _ = io.WriteString(w, a.body[:len(a.body)/2])
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, a.body)
}

// early ends a request that the code behind transfers never sees, or sees later.
func (s *Stripe) early(r *http.Request, o order, fault Fault) (a answer, early bool) {
	switch fault {
	case LostRequest:
		panic(http.ErrAbortHandler)
	case Delayed:
		if r.Method == http.MethodPost {
			s.delayed = append(s.delayed, o)
		}
		panic(http.ErrAbortHandler)
	case Failed:
		a := failure(http.StatusInternalServerError, "api_error", "", "Sorry! There was an error on our side.")
		if _, known := s.keys[o.key]; !known && r.Method == http.MethodPost {
			s.keys[o.key] = kept{o.params.Encode(), a}
		}
		return a, true
	case Unavailable:
		return answer{http.StatusServiceUnavailable, "<html><h1>503 Service Temporarily Unavailable</h1>"}, true
	case InUse:
		return failure(http.StatusConflict, "idempotency_error", "idempotency_key_in_use", "There is currently another in-progress request using this key."), true
	case Limited:
		return failure(http.StatusTooManyRequests, "invalid_request_error", "rate_limit", "Request rate limit exceeded."), true
	case Unauthorized:
		return failure(http.StatusUnauthorized, "invalid_request_error", "api_key_expired", "Expired API Key provided: sk_test_****test"), true
	case Forbidden:
		return failure(http.StatusForbidden, "invalid_request_error", "", "The provided key does not have access."), true
	}
	return answer{}, false
}

func (s *Stripe) answer(r *http.Request, o order) answer {
	switch {
	case r.Header.Get("Authorization") != "Bearer "+Key:
		return failure(http.StatusUnauthorized, "invalid_request_error", "", "Invalid API Key provided.")
	case r.URL.Path != "/v1/transfers":
		return failure(http.StatusNotFound, "invalid_request_error", "", "Unrecognized request URL.")
	case r.Method == http.MethodPost:
		return s.create(o)
	default:
		return s.list(r.URL.Query())
	}
}

// create makes a transfer once per key: the first answer is kept, and the same key with other parameters is refused.
func (s *Stripe) create(o order) answer {
	if old, ok := s.keys[o.key]; ok {
		if old.params != o.params.Encode() {
			return failure(http.StatusBadRequest, "idempotency_error", "", "Keys for idempotent requests can only be used with the same parameters they were first used with.")
		}
		return old.answer
	}
	a := s.execute(o.params)
	s.keys[o.key] = kept{o.params.Encode(), a}
	return a
}

func (s *Stripe) execute(params url.Values) answer {
	t := Transfer{ID: fmt.Sprint("tr_", len(s.transfers)+1), Object: "transfer", Currency: params.Get("currency"), Description: params.Get("description"),
		Destination: params.Get("destination"), Metadata: map[string]string{}, TransferGroup: params.Get("transfer_group")}
	for name := range params {
		if field, ok := strings.CutPrefix(name, "metadata["); ok {
			t.Metadata[strings.TrimSuffix(field, "]")] = params.Get(name)
		}
	}
	var err error
	t.Amount, err = strconv.ParseInt(params.Get("amount"), 10, 64)
	switch {
	case err != nil || t.Amount <= 0:
		return failure(http.StatusBadRequest, "invalid_request_error", "parameter_invalid_integer", "Invalid positive integer")
	case !slices.Contains(s.accounts, t.Destination):
		return failure(http.StatusBadRequest, "invalid_request_error", "resource_missing", "No such destination: '"+t.Destination+"'")
	case s.balance[t.Currency] < t.Amount:
		return failure(http.StatusBadRequest, "invalid_request_error", "balance_insufficient", "You have insufficient funds in your Stripe account.")
	}
	s.balance[t.Currency] -= t.Amount
	s.transfers = append(s.transfers, t)
	return document(http.StatusOK, t)
}

// list is a page of transfers, the newest first.
func (s *Stripe) list(query url.Values) answer {
	limit, err := strconv.Atoi(query.Get("limit"))
	if err != nil || limit < 1 || limit > 100 || !query.Has("transfer_group") {
		return failure(http.StatusBadRequest, "invalid_request_error", "", "This list is asked for by group and with a limit.")
	}
	found, more := []Transfer{}, false
	for _, t := range slices.Backward(s.transfers) {
		if t.TransferGroup != query.Get("transfer_group") {
			continue
		}
		if more = len(found) == limit; more {
			break
		}
		found = append(found, t)
	}
	return document(http.StatusOK, map[string]any{"object": "list", "url": "/v1/transfers", "has_more": more, "data": found})
}

func failure(status int, kind, code, message string) answer {
	return document(status, map[string]any{"error": map[string]string{"type": kind, "code": code, "message": message}})
}

func document(status int, v any) answer {
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(v); err != nil { // our own types always encode
		panic(err)
	}
	return answer{status, text.String()}
}
