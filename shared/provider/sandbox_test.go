package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func captured() SandboxEvent {
	return SandboxEvent{ID: "evt_1", Type: "payment.captured", At: now, OrderID: "o1", Session: "cs_1", Payment: "pay_1", Amount: money.Of(3000, "CNY")}
}

func encode(t *testing.T, e SandboxEvent) string {
	t.Helper()
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEventsAreVerified(t *testing.T) {
	body := encode(t, captured())
	sign := func(body string, at time.Time) string { return SandboxSignature(testKey, []byte(body), at) }
	good := sign(body, now)
	live := captured()
	live.LiveMode = true
	_, v1, _ := strings.Cut(good, ",")
	tests := []struct {
		name    string
		headers []string
		body    string
		code    string // empty: accepted
	}{
		{"as sent", []string{good}, body, ""},
		{"unknown schemes beside", []string{good + ",v0=00,x=y"}, body, ""},
		{"a retired key's signature beside", []string{strings.Replace(SandboxSignature("retired", []byte(body), now), ",", ",v1=00,", 1) + "," + v1}, body, ""},
		{"split by the gateway", []string{strings.Split(good, ",")[0], v1}, body, ""},
		{"five minutes old", []string{sign(body, now.Add(-5*time.Minute))}, body, ""},
		{"five minutes ahead", []string{sign(body, now.Add(5*time.Minute))}, body, ""},
		{"older", []string{sign(body, now.Add(-5*time.Minute-time.Second))}, body, "webhook_old"},
		{"from the future", []string{sign(body, now.Add(5*time.Minute+time.Second))}, body, "webhook_old"},
		{"before 1970", []string{sign(body, time.Unix(-1<<62, 0))}, body, "webhook_old"},
		{"no header", nil, body, "webhook_signature"},
		{"an empty header", []string{""}, body, "webhook_signature"},
		{"no moment", []string{v1}, body, "webhook_signature"},
		{"no signature", []string{strings.Split(good, ",")[0]}, body, "webhook_signature"},
		{"an empty signature", []string{strings.Split(good, ",")[0] + ",v1="}, body, "webhook_signature"},
		{"two moments", []string{"t=1," + good}, body, "webhook_signature"},
		{"a later moment", []string{fmt.Sprintf("t=%d,%s", now.Unix()+1, v1)}, body, "webhook_signature"},
		{"a moment that is none", []string{"t=now," + v1}, body, "webhook_signature"},
		{"one space more", []string{good}, body + " ", "webhook_signature"},
		{"one space inside", []string{good}, strings.Replace(body, ":", ": ", 1), "webhook_signature"},
		{"another amount", []string{good}, strings.Replace(body, "3000", "3001", 1), "webhook_signature"},
		{"a wrong key", []string{SandboxSignature(testKey+"0", []byte(body), now)}, body, "webhook_signature"},
		{"an empty key", []string{SandboxSignature("", []byte(body), now)}, body, "webhook_signature"},
		{"six signatures, the sixth right", []string{strings.Split(good, ",")[0] + strings.Repeat(",v1=00", 5) + "," + v1}, body, "webhook_signature"},
		{"a live event", []string{sign(encode(t, live), now)}, encode(t, live), "webhook_mode"},
		{"signed nonsense", []string{sign("{", now)}, "{", "webhook_malformed"},
		{"a signed list", []string{sign("[]", now)}, "[]", "webhook_malformed"},
		{"signed nothing", []string{sign("", now)}, "", "webhook_malformed"},
		{"too long", []string{good}, body + strings.Repeat(" ", maxEvent), "webhook_malformed"},
	}
	s := &sandboxHTTP{key: testKey}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := s.Event(http.Header{SandboxSignatureHeader: tt.headers}, []byte(tt.body), now)
			if tt.code == "" {
				want := Event{ID: "evt_1", Type: Captured, OrderID: "o1", SessionID: "cs_1", PaymentID: "pay_1", Amount: money.Of(3000, "CNY"), At: now}
				if err != nil || e != want {
					t.Errorf("%+v %v", e, err)
				}
				return
			}
			if !fail.Is(err, tt.code) || e != (Event{}) {
				t.Errorf("%+v %v, want %s", e, err, tt.code)
			}
		})
	}
}

func TestEventsInOurWords(t *testing.T) {
	tests := []struct {
		name   string
		change func(*SandboxEvent)
		want   EventType // empty: malformed
	}{
		{"captured", func(*SandboxEvent) {}, Captured},
		{"declined", func(e *SandboxEvent) { e.Type, e.Payment = "payment.declined", "" }, Declined},
		{"refunded", func(e *SandboxEvent) { e.Type, e.Refund, e.Intent = "refund.succeeded", "re_1", "r1" }, RefundDone},
		{"refunded at the provider", func(e *SandboxEvent) { e.Type, e.Refund = "refund.succeeded", "re_1" }, RefundDone},
		{"refund failed", func(e *SandboxEvent) { e.Type, e.Refund = "refund.failed", "re_1" }, RefundNotDone},
		{"disputed", func(e *SandboxEvent) { e.Type, e.Dispute, e.Reason = "dispute.opened", "dp_1", "fraudulent" }, Disputed},
		{"dispute won", func(e *SandboxEvent) { e.Type, e.Dispute = "dispute.won", "dp_1" }, DisputeWon},
		{"dispute lost", func(e *SandboxEvent) { e.Type, e.Dispute = "dispute.lost", "dp_1" }, DisputeLost},
		{"of no interest", func(e *SandboxEvent) { e.Type, e.OrderID, e.Amount = "payout.paid", "", money.Amount{} }, OtherOccurrence},
		{"no type", func(e *SandboxEvent) { e.Type = "" }, OtherOccurrence},
		{"no id", func(e *SandboxEvent) { e.ID = "" }, ""},
		{"a long id", func(e *SandboxEvent) { e.ID = strings.Repeat("e", maxID+1) }, ""},
		{"a long order", func(e *SandboxEvent) { e.OrderID = strings.Repeat("o", maxID+1) }, ""},
		{"no moment", func(e *SandboxEvent) { e.At = time.Time{} }, ""},
		{"no order", func(e *SandboxEvent) { e.OrderID = "" }, ""},
		{"no payment", func(e *SandboxEvent) { e.Payment = "" }, ""},
		{"a refund without id", func(e *SandboxEvent) { e.Type = "refund.succeeded" }, ""},
		{"a dispute without id", func(e *SandboxEvent) { e.Type = "dispute.lost" }, ""},
		{"a long dispute", func(e *SandboxEvent) { e.Type, e.Dispute = "dispute.lost", strings.Repeat("d", maxID+1) }, ""},
		{"a long reason", func(e *SandboxEvent) {
			e.Type, e.Dispute, e.Reason = "dispute.lost", "dp_1", strings.Repeat("r", maxID+1)
		}, ""},
		{"nothing", func(e *SandboxEvent) { e.Amount.Minor = 0 }, ""},
		{"less than nothing", func(e *SandboxEvent) { e.Amount.Minor = -3000 }, ""},
		{"too much", func(e *SandboxEvent) { e.Amount.Minor = money.MaxMinor + 1 }, ""},
		{"no currency", func(e *SandboxEvent) { e.Amount.Currency = "" }, ""},
	}
	s := &sandboxHTTP{key: testKey}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wire := captured()
			tt.change(&wire)
			body := []byte(encode(t, wire))
			e, err := s.Event(http.Header{SandboxSignatureHeader: {SandboxSignature(testKey, body, now)}}, body, now)
			if tt.want == "" {
				if fail.KindOf(err) != fail.Invalid || !fail.Is(err, "webhook_malformed") {
					t.Errorf("%+v %v", e, err)
				}
				return
			}
			if err != nil || e.Type != tt.want || e.RefundID != wire.Refund || e.IntentID != wire.Intent || e.DisputeID != wire.Dispute || e.Reason != wire.Reason {
				t.Errorf("%+v %v", e, err)
			}
		})
	}
}

// Whatever a broken or hostile far side answers, the outcome is unknown: an error that is no refusal, and no result.
func TestBrokenAnswersAreUnknownOutcomes(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("followed a redirect with the key in hand")
	}))
	defer elsewhere.Close()
	tests := map[string]http.HandlerFunc{
		"an error":        text(500, `{"id": "x", "state": "succeeded"}`),
		"no JSON":         text(200, "ok"),
		"nothing":         text(200, ""),
		"other JSON":      text(200, `{}`),
		"an odd state":    text(200, `{"id": "", "state": "maybe"}`),
		"too long":        text(200, `{"id": "`+strings.Repeat("x", maxAnswer)+`"}`),
		"a redirect":      func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, 307) },
		"a broken answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			defer server.Close()
			s := &sandboxHTTP{key: testKey, base: server.URL}
			session, err := s.Open(t.Context(), Checkout{OrderID: "o1"})
			unknownOutcome(t, "open", session, Session{}, err)
			refund, err := s.Refund(t.Context(), RefundRequest{ID: "r1"})
			unknownOutcome(t, "refund", refund, RefundResult{}, err)
			refund, err = s.LookupRefund(t.Context(), "r1")
			unknownOutcome(t, "look-up", refund, RefundResult{}, err)
			closed, err := s.Close(t.Context(), "cs")
			unknownOutcome(t, "close", closed, Closed{}, err)
			sent, err := s.Send(t.Context(), Transfer{ID: "P1"})
			unknownOutcome(t, "send", sent, TransferResult{}, err)
			sent, err = s.Lookup(t.Context(), "P1")
			unknownOutcome(t, "look-up of a transfer", sent, TransferResult{}, err)
		})
	}
}

func unknownOutcome[T comparable](t *testing.T, what string, got, zero T, err error) {
	t.Helper()
	if err == nil || fail.KindOf(err) != fail.Internal || got != zero {
		t.Errorf("%s: %+v %v", what, got, err)
	}
	if err != nil && strings.Contains(err.Error(), testKey) {
		t.Errorf("%s: the key stands in the error: %v", what, err)
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := &sandboxHTTP{key: testKey, base: server.URL}
	if _, err := s.Refund(ctx, RefundRequest{ID: "r1"}); err == nil {
		t.Error("a cancelled call succeeded")
	}
	if caller.Timeout <= 0 || caller.Timeout > 30*time.Second {
		t.Errorf("timeout %v", caller.Timeout)
	}
}

func TestIDsCannotLeaveTheirPath(t *testing.T) {
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.EscapedPath()+"|"+r.URL.RawQuery)
		w.WriteHeader(404)
	}))
	defer server.Close()
	s := &sandboxHTTP{key: testKey, base: server.URL}
	if _, err := s.LookupRefund(t.Context(), "../x?y#z"); !fail.Is(err, "refund_unknown") {
		t.Error(err)
	}
	if _, err := s.Close(t.Context(), "a/b"); err != nil {
		t.Error(err)
	}
	if _, err := s.Lookup(t.Context(), "../x?y#z"); !IsTransferUnknown(err) {
		t.Error(err)
	}
	if paths[0] != "/refunds/..%2Fx%3Fy%23z|" || paths[1] != "/sessions/a%2Fb/close|" || paths[2] != "/transfers/..%2Fx%3Fy%23z|" {
		t.Errorf("paths %v", paths)
	}
}
