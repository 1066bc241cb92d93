package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/provider"
)

const key = "00112233445566778899aabbccddeeff"

var thirty = money.Of(3000, "CNY")

// shop is a store as the sandbox sees it: it asks through the real client and takes webhooks on a real server.
type shop struct {
	t       *testing.T
	options Options
	sandbox *Sandbox
	client  provider.Provider
	url     string

	mu     sync.Mutex
	now    time.Time
	events []provider.Event
	status []int // answers to the next webhooks; afterwards 200
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, now: time.Now()}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	s.options = Options{Key: key, WebhookURL: server.URL + "/webhooks/sandbox", Now: s.clock,
		DataFile: filepath.Join(t.TempDir(), "sandbox", "books.jsonl"), LateDelay: time.Millisecond, RetryDelay: time.Millisecond}
	s.start()
	t.Cleanup(func() { _ = s.sandbox.Close() })
	mux.Handle(provider.SandboxPath+"/", http.StripPrefix(provider.SandboxPath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.sandbox.ServeHTTP(w, r)
	})))
	mux.HandleFunc("POST /webhooks/sandbox", s.webhook)
	mux.HandleFunc("GET /yundian/sandbox", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"key": %q, "url": %q}`, key, server.URL)
	})
	registry, err := provider.New([]string{provider.Sandbox}, strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if s.client, err = registry.Offered(t.Context(), provider.Sandbox); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shop) start() {
	s.t.Helper()
	box, err := New(s.options)
	if err != nil {
		s.t.Fatal(err)
	}
	s.sandbox = box
}

func (s *shop) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *shop) webhook(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	event, err := s.client.Event(r.Header, body, s.clock())
	s.mu.Lock()
	defer s.mu.Unlock()
	status := http.StatusOK
	if len(s.status) > 0 {
		status, s.status = s.status[0], s.status[1:]
	}
	if err != nil {
		s.t.Errorf("webhook %s: %v", body, err)
	}
	if status == http.StatusOK {
		s.events = append(s.events, event)
	}
	w.WriteHeader(status)
}

// told waits until the sandbox is idle and gives what the shop has heard so far.
func (s *shop) told() []provider.Event {
	s.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !s.sandbox.Idle() {
		if time.Now().After(deadline) {
			s.t.Fatal("the sandbox never became idle")
		}
		time.Sleep(time.Millisecond) // polling a condition, as /_local/quiet does
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

func (s *shop) wantTold(want ...provider.EventType) []provider.Event {
	s.t.Helper()
	var got []provider.EventType
	events := s.told()
	for _, e := range events {
		got = append(got, e.Type)
	}
	if !slices.Equal(got, want) {
		s.t.Fatalf("told %v, want %v", got, want)
	}
	return events
}

func (s *shop) checkout(order string) provider.Checkout {
	return provider.Checkout{OrderID: order, Amount: thirty, Key: "pay:" + order, ReturnURL: s.url + "/orders/" + order + "?secret=s3cret",
		Description: "山隅 · 龙井", ExpiresAt: s.clock().Add(30 * time.Minute)}
}

func (s *shop) open(order string) provider.Session {
	s.t.Helper()
	session, err := s.client.Open(s.t.Context(), s.checkout(order))
	if err != nil {
		s.t.Fatal(err)
	}
	return session
}

var browser = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (s *shop) post(address, contentType, body string, header ...string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequest("POST", address, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	for n := 0; n+1 < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	resp, err := browser.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(text)
}

func (s *shop) choose(session provider.Session, outcome string) *http.Response {
	s.t.Helper()
	resp, _ := s.post(session.URL, "application/x-www-form-urlencoded", url.Values{"outcome": {outcome}}.Encode())
	return resp
}

func (s *shop) control(path, body string) (*http.Response, string) {
	s.t.Helper()
	return s.post(s.url+provider.SandboxPath+path, "application/json", body)
}

func (s *shop) wantBack(resp *http.Response, order string) {
	s.t.Helper()
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != s.url+"/orders/"+order+"?secret=s3cret" {
		s.t.Fatalf("%d to %q, want 303 to the order", resp.StatusCode, resp.Header.Get("Location"))
	}
}

// payment pays an order and gives its captured event.
func (s *shop) payment(order string) provider.Event {
	s.t.Helper()
	s.wantBack(s.choose(s.open(order), "pay"), order)
	return s.wantTold(provider.Captured)[0]
}

func TestPayPageIsAFormWithTheAgreedButtons(t *testing.T) {
	s := openShop(t)
	session := s.open("o1")
	resp, err := browser.Get(session.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, _ := io.ReadAll(resp.Body)
	for _, want := range []string{`<form method="post">`, `name="outcome" value="pay"`, `name="outcome" value="decline"`,
		`name="outcome" value="pay-late"`, `name="outcome" value="pay-twice"`, "30.00", "CNY", "山隅 · 龙井", "o1", `lang="zh-Hans"`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("page without %s", want)
		}
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' "+s.url) || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	if resp.Header.Get("Cache-Control") != "no-store" {
		t.Error("a pay page may not be cached")
	}
}

func TestPay(t *testing.T) {
	s := openShop(t)
	session := s.open("o1")
	if again := s.open("o1"); again != session {
		t.Errorf("opened again: %v, want %v", again, session)
	}
	s.wantBack(s.choose(session, "pay"), "o1")
	s.mu.Lock()
	heard := len(s.events) // no waiting: the shop hears before the shopper is back
	s.mu.Unlock()
	if heard != 1 {
		t.Errorf("the shopper is back before the shop has heard: %d events", heard)
	}
	s.wantBack(s.choose(session, "pay"), "o1") // an impatient second click
	e := s.wantTold(provider.Captured)[0]
	if e.OrderID != "o1" || e.Amount != thirty || e.SessionID != session.ID || e.PaymentID == "" || e.ID == "" || e.At.IsZero() {
		t.Errorf("event %+v", e)
	}
	got, err := s.client.Close(t.Context(), session.ID)
	if err != nil || got != (provider.Closed{AlreadyPaid: true, PaymentID: e.PaymentID, Amount: thirty}) {
		t.Errorf("closing a paid session: %+v %v", got, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	s := openShop(t)
	s.open("o1")
	other := s.checkout("o1")
	other.Amount = money.Of(1, "CNY")
	if _, err := s.client.Open(t.Context(), other); err == nil {
		t.Error("the same key opened another amount")
	}
	for name, change := range map[string]func(*provider.Checkout){
		"no key":           func(c *provider.Checkout) { c.Key = "" },
		"no order":         func(c *provider.Checkout) { c.OrderID = "" },
		"nothing to pay":   func(c *provider.Checkout) { c.Amount.Minor = 0 },
		"no such currency": func(c *provider.Checkout) { c.Amount.Currency = "XXL" },
		"script address":   func(c *provider.Checkout) { c.ReturnURL = "javascript:alert(1)" },
		"relative address": func(c *provider.Checkout) { c.ReturnURL = "/orders/o2" },
	} {
		c := s.checkout("o2")
		change(&c)
		if _, err := s.client.Open(t.Context(), c); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestDeclineLeavesTheSessionOpen(t *testing.T) {
	s := openShop(t)
	session := s.open("o1")
	s.wantBack(s.choose(session, "decline"), "o1")
	s.wantTold(provider.Declined)
	s.wantBack(s.choose(session, "pay"), "o1")
	s.wantTold(provider.Declined, provider.Captured)
}

func TestPayLateIsToldAfterTheSessionWasClosed(t *testing.T) {
	s := openShop(t)
	session := s.open("o1")
	s.wantBack(s.choose(session, "pay-late"), "o1")
	s.wantTold()
	got, err := s.client.Close(t.Context(), session.ID)
	if err != nil || got.AlreadyPaid {
		t.Fatalf("close: %+v %v", got, err)
	}
	e := s.wantTold(provider.Captured)[0]
	got, err = s.client.Close(t.Context(), session.ID)
	if err != nil || !got.AlreadyPaid || got.PaymentID != e.PaymentID {
		t.Errorf("closed again: %+v %v", got, err)
	}
}

func TestPayLateAfterClosingOrExpiryIsToldAtOnce(t *testing.T) {
	s := openShop(t)
	first := s.open("o1")
	if got, err := s.client.Close(t.Context(), first.ID); err != nil || got.AlreadyPaid {
		t.Fatalf("close: %+v %v", got, err)
	}
	if resp := s.choose(first, "pay"); resp.StatusCode != http.StatusConflict {
		t.Errorf("paying a closed session: %d", resp.StatusCode)
	}
	s.wantTold()
	s.wantBack(s.choose(first, "pay-late"), "o1")
	s.wantTold(provider.Captured)

	second := s.open("o2")
	s.mu.Lock()
	s.now = s.now.Add(31 * time.Minute)
	s.mu.Unlock()
	if resp := s.choose(second, "pay"); resp.StatusCode != http.StatusConflict {
		t.Errorf("paying an expired session: %d", resp.StatusCode)
	}
	s.wantBack(s.choose(second, "pay-late"), "o2")
	s.wantTold(provider.Captured, provider.Captured)
}

func TestLateFlushTellsWithoutClosing(t *testing.T) {
	s := openShop(t)
	session := s.open("o1")
	s.choose(session, "pay-late")
	if resp, body := s.control("/late", ""); resp.StatusCode != 200 || !strings.Contains(body, `"delivered":1`) {
		t.Errorf("late: %d %s", resp.StatusCode, body)
	}
	s.wantTold(provider.Captured)
	if _, body := s.control("/late", ""); !strings.Contains(body, `"delivered":0`) {
		t.Errorf("late again: %s", body)
	}
}

func TestOtherOutcomes(t *testing.T) {
	tests := []struct {
		outcome  string
		told     []provider.EventType
		events   int // different ones
		payments int
	}{
		{"pay-twice", []provider.EventType{provider.Captured, provider.Captured}, 1, 1},
		{"pay-double", []provider.EventType{provider.Captured, provider.Captured}, 2, 2},
		{"refund-first", []provider.EventType{provider.RefundDone, provider.Captured}, 2, 1},
		{"dispute", []provider.EventType{provider.Captured, provider.Disputed}, 2, 1},
		{"dispute-won", []provider.EventType{provider.Captured, provider.Disputed, provider.DisputeWon}, 3, 1},
		{"dispute-lost", []provider.EventType{provider.Captured, provider.Disputed, provider.DisputeLost}, 3, 1},
		{"pay-wrong-amount", []provider.EventType{provider.Captured}, 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.outcome, func(t *testing.T) {
			s := openShop(t)
			s.wantBack(s.choose(s.open("o1"), tt.outcome), "o1")
			ids, payments := map[string]bool{}, map[string]bool{}
			for _, e := range s.wantTold(tt.told...) {
				ids[e.ID], payments[e.PaymentID] = true, true
				if (e.Amount != thirty) != (tt.outcome == "pay-wrong-amount") {
					t.Errorf("amount %v", e.Amount)
				}
			}
			if len(ids) != tt.events || len(payments) != tt.payments {
				t.Errorf("%d events about %d payments", len(ids), len(payments))
			}
		})
	}
}

func TestDisputes(t *testing.T) {
	s := openShop(t)
	paid := s.payment("o1")
	open := func(body string, status int) string {
		t.Helper()
		resp, answer := s.control("/orders/o1/disputes", body)
		var d struct{ ID string }
		if resp.StatusCode != status || json.Unmarshal([]byte(answer), &d) != nil {
			t.Fatalf("dispute %s: %d %s", body, resp.StatusCode, answer)
		}
		return d.ID
	}
	decide := func(path string, status int) {
		t.Helper()
		if resp, answer := s.control("/disputes/"+path, ""); resp.StatusCode != status {
			t.Errorf("%s: %d %s", path, resp.StatusCode, answer)
		}
	}
	first, second := open(`{"amount": 1000, "reason": "duplicate"}`, 201), open(`{}`, 201)
	open(`{"amount": 3001}`, 400)
	open(`{"payment": "pay_other_1"}`, 404)
	refund := func(id string, minor int64) provider.RefundState {
		t.Helper()
		r, err := s.client.Refund(t.Context(), provider.RefundRequest{ID: id, PaymentID: paid.PaymentID, Amount: money.Of(minor, "CNY")})
		if err != nil {
			t.Fatal(err)
		}
		return r.State
	}
	if got := refund("r1", 1); got != provider.RefundFailed {
		t.Errorf("a disputed payment was refunded: %s", got)
	}
	decide(first+"/lose", 204)
	decide(first+"/lose", 409)
	decide(second+"/win", 204)
	decide("dp_nothing_1/win", 409)
	if refund("r2", 2001) != provider.RefundFailed || refund("r3", 2000) != provider.RefundSucceeded {
		t.Error("what a lost dispute took can be refunded, or what it left cannot")
	}
	told := s.wantTold(provider.Captured, provider.Disputed, provider.Disputed, provider.DisputeLost, provider.DisputeWon, provider.RefundDone)
	for i, want := range []string{"", first, second, first, second} {
		if e := told[i]; e.DisputeID != want || e.PaymentID != paid.PaymentID {
			t.Errorf("told %+v", e)
		}
	}
	if told[3].Amount.Minor != 1000 || told[3].Reason != "duplicate" || told[4].Amount != thirty || told[4].Reason != "fraudulent" {
		t.Errorf("told %+v", told[3:])
	}
}

func TestDisputesFromThePayPage(t *testing.T) {
	s := openShop(t)
	session := s.open("o1")
	s.choose(session, "pay")
	for _, outcome := range []string{"dispute", "dispute-lost", "dispute", "dispute-won"} {
		s.wantBack(s.choose(session, outcome), "o1")
	}
	if resp := s.choose(session, "dispute-won"); resp.StatusCode != http.StatusConflict {
		t.Errorf("nothing is disputed, and the bank decides: %d", resp.StatusCode)
	}
	s.wantTold(provider.Captured, provider.Disputed, provider.DisputeLost, provider.Disputed, provider.DisputeWon)
}

func TestPayRefuses(t *testing.T) {
	s := openShop(t)
	session := s.open("o1")
	tests := []struct {
		name, address, outcome string
		header                 []string
		status                 int
	}{
		{"an unknown choice", session.URL, "steal", nil, 400},
		{"no choice", session.URL, "", nil, 400},
		{"an unknown session", session.URL + "x", "pay", nil, 404},
		{"another site's form", session.URL, "pay", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"another origin", session.URL, "pay", []string{"Origin", "https://evil.example"}, 403},
	}
	for _, tt := range tests {
		resp, _ := s.post(tt.address, "application/x-www-form-urlencoded", "outcome="+tt.outcome, tt.header...)
		if resp.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, resp.StatusCode, tt.status)
		}
	}
	s.wantTold()
}

func TestRefunds(t *testing.T) {
	tests := []struct {
		next   string
		want   provider.RefundResult // of Refund; without the id
		told   provider.EventType    // empty: nothing
		lookup provider.RefundState  // empty: refund_unknown
		lost   bool                  // Refund is an error: outcome unknown
	}{
		{"", provider.RefundResult{State: provider.RefundSucceeded}, provider.RefundDone, provider.RefundSucceeded, false},
		{"succeed", provider.RefundResult{State: provider.RefundSucceeded}, provider.RefundDone, provider.RefundSucceeded, false},
		{"pending", provider.RefundResult{State: provider.RefundPending}, provider.RefundDone, provider.RefundSucceeded, false},
		{"fail", provider.RefundResult{State: provider.RefundPending}, provider.RefundNotDone, provider.RefundFailed, false},
		{"refuse", provider.RefundResult{State: provider.RefundFailed, Reason: "refused by the bank"}, "", provider.RefundFailed, false},
		{"lost", provider.RefundResult{}, "", provider.RefundSucceeded, true},
		{"unreceived", provider.RefundResult{}, "", "", true},
		{"nameless", provider.RefundResult{}, provider.RefundDone, provider.RefundSucceeded, true},
	}
	for _, tt := range tests {
		t.Run(tt.next, func(t *testing.T) {
			s := openShop(t)
			paid := s.payment("o1")
			if tt.next != "" {
				if resp, body := s.control("/next", `{"refund": "`+tt.next+`"}`); resp.StatusCode != http.StatusNoContent {
					t.Fatalf("next: %d %s", resp.StatusCode, body)
				}
			}
			req := provider.RefundRequest{ID: "refund:o1:1", PaymentID: paid.PaymentID, Amount: money.Of(1000, "CNY"), Reason: "returned"}
			got, err := s.client.Refund(t.Context(), req)
			id, intent := got.ProviderID, req.ID
			got.ProviderID = ""
			if tt.next == "nameless" {
				found, err := s.client.LookupRefund(t.Context(), req.ID)
				if err != nil {
					t.Fatal(err)
				}
				id, intent = found.ProviderID, ""
			}
			if (err != nil) != tt.lost || got != tt.want {
				t.Fatalf("refund: %+v %v", got, err)
			}
			if fail.KindOf(err) != fail.Internal {
				t.Errorf("a lost answer is not a refusal: %v", err)
			}
			events := s.told()[1:]
			if (len(events) == 1) != (tt.told != "") || len(events) > 1 {
				t.Fatalf("told %v", events)
			}
			if len(events) == 1 && (events[0].Type != tt.told || events[0].IntentID != intent || events[0].RefundID != id || events[0].PaymentID != paid.PaymentID || events[0].Amount != req.Amount) {
				t.Errorf("told %+v", events[0])
			}
			found, err := s.client.LookupRefund(t.Context(), req.ID)
			if tt.lookup == "" {
				if !fail.Is(err, "refund_unknown") || fail.KindOf(err) != fail.NotFound {
					t.Errorf("look-up: %+v %v", found, err)
				}
			} else if err != nil || found.State != tt.lookup {
				t.Errorf("look-up: %+v %v", found, err)
			}
		})
	}
}

func TestARefundHappensOncePerIntent(t *testing.T) {
	s := openShop(t)
	paid := s.payment("o1")
	refund := func(intent string, minor int64) (provider.RefundResult, error) {
		return s.client.Refund(t.Context(), provider.RefundRequest{ID: intent, PaymentID: paid.PaymentID, Amount: money.Of(minor, "CNY")})
	}
	first, err := refund("a", 2000)
	if err != nil || first.State != provider.RefundSucceeded {
		t.Fatal(first, err)
	}
	if again, err := refund("a", 2000); err != nil || again != first {
		t.Errorf("again: %+v %v, want %+v", again, err, first)
	}
	if _, err := refund("a", 1); err == nil {
		t.Error("one intent, two amounts")
	}
	if over, err := refund("b", 1001); err != nil || over.State != provider.RefundFailed || over.Reason == "" {
		t.Errorf("more than is left: %+v %v", over, err)
	}
	if rest, err := refund("c", 1000); err != nil || rest.State != provider.RefundSucceeded {
		t.Errorf("the rest: %+v %v", rest, err)
	}
	s.wantTold(provider.Captured, provider.RefundDone, provider.RefundDone)
	other, err := s.client.Refund(t.Context(), provider.RefundRequest{ID: "d", PaymentID: "pay_nobody_1", Amount: thirty})
	if err != nil || other.State != provider.RefundFailed {
		t.Errorf("a payment nobody made: %+v %v", other, err)
	}
}

func TestWebhooksAreRetriedOnTroubleAndOnlyThen(t *testing.T) {
	s := openShop(t)
	s.status = []int{500, 503, 429}
	s.choose(s.open("o1"), "pay")
	s.wantTold(provider.Captured)
	s.mu.Lock()
	s.status = []int{400}
	s.mu.Unlock()
	s.choose(s.open("o2"), "pay")
	s.wantTold(provider.Captured) // refused: not sent again
	s.mu.Lock()
	s.status = slices.Repeat([]int{500}, maxAttempts)
	s.mu.Unlock()
	s.choose(s.open("o3"), "pay")
	s.wantTold(provider.Captured) // given up
	if len(s.status) != 0 {
		t.Errorf("%d attempts missing", len(s.status))
	}
}

func TestRedeliver(t *testing.T) {
	s := openShop(t)
	e := s.payment("o1")
	if resp, body := s.control("/events/"+e.ID+"/deliver?times=100", ""); resp.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", resp.StatusCode, body)
	}
	events := s.told()
	if len(events) != 101 || events[100] != e {
		t.Errorf("%d events, the last %+v", len(events), events[len(events)-1])
	}
	for path, status := range map[string]int{"/events/evt_x_1/deliver": 404, "/events/" + e.ID + "/deliver?times=101": 400, "/events/" + e.ID + "/deliver?times=x": 400} {
		if resp, _ := s.control(path, ""); resp.StatusCode != status {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, status)
		}
	}
}

func TestARestartForgetsNothing(t *testing.T) {
	s := openShop(t)
	paid := s.payment("o1")
	late := s.open("o2")
	s.choose(late, "pay-late")
	if _, err := s.client.Refund(t.Context(), provider.RefundRequest{ID: "r1", PaymentID: paid.PaymentID, Amount: money.Of(1000, "CNY")}); err != nil {
		t.Fatal(err)
	}
	s.wantTold(provider.Captured, provider.RefundDone)

	// Closed just before the stop: the late payment is promised and not yet told.
	s.sandbox.options.LateDelay = time.Hour
	if _, err := s.client.Close(t.Context(), late.ID); err != nil {
		t.Fatal(err)
	}
	if s.sandbox.Idle() {
		t.Error("idle although a late payment is on its way")
	}
	if err := s.sandbox.Close(); err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.now = s.now.Add(time.Hour)
	s.mu.Unlock()
	s.start()

	events := s.wantTold(provider.Captured, provider.RefundDone, provider.Captured)
	if events[2].OrderID != "o2" {
		t.Errorf("told %+v", events[2])
	}
	if again := s.open("o1"); again.ID != paid.SessionID {
		t.Errorf("opened again as %s, was %s", again.ID, paid.SessionID)
	}
	if r, err := s.client.Refund(t.Context(), provider.RefundRequest{ID: "r2", PaymentID: paid.PaymentID, Amount: money.Of(2001, "CNY")}); err != nil || r.State != provider.RefundFailed {
		t.Errorf("more than is left after a restart: %+v %v", r, err)
	}
	if r, err := s.client.LookupRefund(t.Context(), "r1"); err != nil || r.State != provider.RefundSucceeded {
		t.Errorf("look-up after a restart: %+v %v", r, err)
	}
}

func TestTheStoreNeedsTheKey(t *testing.T) {
	s := openShop(t)
	for _, auth := range []string{"", "Bearer ", "Bearer x", "Bearer " + key + "0", key} {
		for _, path := range []string{"/sessions", "/sessions/x/close", "/refunds", "/transfers"} {
			resp, _ := s.post(s.url+provider.SandboxPath+path, "application/json", "{}", "Authorization", auth)
			if resp.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s with %q: %d", path, auth, resp.StatusCode)
			}
		}
	}
}

func TestBadRequestsToTheSandbox(t *testing.T) {
	s := openShop(t)
	for body, status := range map[string]int{"": 400, "{": 400, `{"kee": 1}`: 400, `{} {}`: 400, "{}": 400, `{"key": "` + strings.Repeat("k", maxRequest) + `"}`: 400} {
		if resp, _ := s.post(s.url+provider.SandboxPath+"/sessions", "application/json", body, "Authorization", "Bearer "+key); resp.StatusCode != status {
			t.Errorf("%.20q: %d, want %d", body, resp.StatusCode, status)
		}
	}
	if resp, _ := s.control("/next", `{"refund": "explode"}`); resp.StatusCode != 400 {
		t.Errorf("next: %d", resp.StatusCode)
	}
}

func TestShowOrderHidesTheOrdersSecret(t *testing.T) {
	s := openShop(t)
	s.payment("o1")
	resp, err := browser.Get(s.url + provider.SandboxPath + "/orders/o1")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	var view struct{ Sessions []session }
	if err := json.Unmarshal(text, &view); err != nil || len(view.Sessions) != 1 || view.Sessions[0].State != paid || strings.Contains(string(text), "s3cret") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestClosingAnUnknownSession(t *testing.T) {
	s := openShop(t)
	if got, err := s.client.Close(context.Background(), "cs_nobody"); err != nil || got.AlreadyPaid {
		t.Errorf("%+v %v", got, err)
	}
}
