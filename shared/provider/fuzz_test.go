package provider

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/shop"
)

// FuzzEvent: a body with any header is refused in words, and a signed one that is taken can be recorded on an order: its
// time can be stored, its ids fit a key, and its amount is one of a currency.
func FuzzEvent(f *testing.F) {
	s := &sandboxHTTP{key: testKey}
	good, err := json.Marshal(captured())
	if err != nil {
		f.Fatal(err)
	}
	header := SandboxSignature(testKey, good, now)
	f.Add(header, good)
	for _, body := range []string{"", "{", "null", "[]", `{"id":"e","at":"9999-12-31T23:59:59-01:00"}`, `{"id":"e","at":"0000-01-01T00:00:00+01:00"}`, `{"id":"e","at":"2026-03-01T00:00:00Z"}`,
		`{"id":"e","type":"payment.captured","at":"2026-03-01T00:00:00Z","orderId":"o","paymentId":"p","amount":{"amount":9223372036854775807,"currency":"CNY"}}`,
		`{"id":"e","type":"payment.captured","at":"2026-03-01T00:00:00Z","orderId":"o","paymentId":"p","amount":{"amount":-1,"currency":"CNY"}}`,
		`{"id":"e","type":"refund.succeeded","at":"2026-03-01T00:00:00Z","orderId":"o","paymentId":"p","amount":{"amount":1,"currency":"cny"}}`, "{\"id\":\"\xff\",\"at\":\"2026-03-01T00:00:00Z\"}"} {
		f.Add(header, []byte(body))
	}
	for _, header := range []string{"", "t=,v1=", "t=99999999999999999999,v1=00", "t=-1,v1=00,v1=zz", "\x00"} {
		f.Add(header, good)
	}
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		// Nobody can sign by trying: only the event above, as it is, has this header.
		if e, err := s.Event(http.Header{SandboxSignatureHeader: {header}}, body, now); err == nil {
			checkEvent(t, e)
			if string(body) != string(good) {
				t.Fatalf("%q counts as signed", body)
			}
		} else if fail.KindOf(err) == fail.Internal {
			t.Fatalf("%q: %v", header, err)
		}
		switch e, err := s.Event(http.Header{SandboxSignatureHeader: {SandboxSignature(testKey, body, now)}}, body, now); {
		case err == nil:
			checkEvent(t, e)
		case !fail.Is(err, "webhook_malformed") && !fail.Is(err, "webhook_mode"):
			t.Fatalf("%q, signed: %v", body, err)
		}
	})
}

func checkEvent(t *testing.T, e Event) {
	t.Helper()
	if _, err := json.Marshal(e); err != nil || !shop.Time(e.At) || tooLong(e.ID, e.OrderID, e.PaymentID, e.RefundID, e.DisputeID) || e.ID == "" {
		t.Fatalf("this cannot be recorded: %+v, %v", e, err)
	}
	if _, err := money.ParseCurrency(string(e.Amount.Currency)); e.Type != OtherOccurrence && (err != nil || e.Amount.Minor < 1 || e.Amount.Minor > money.MaxMinor) {
		t.Fatalf("%v is no amount", e.Amount)
	}
}

// An event of a moment that cannot be stored is refused for good, instead of being sent again for ever.
func TestEventsFromNoTimeAreRefused(t *testing.T) {
	s := &sandboxHTTP{key: testKey}
	for _, at := range []string{"9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00", "0001-01-01T00:00:00Z", "3000-01-01T00:00:00Z"} {
		body := []byte(`{"id":"e","type":"payment.captured","at":"` + at + `","orderId":"o","sessionId":"s","paymentId":"p","amount":{"amount":1,"currency":"CNY"}}`)
		if e, err := s.Event(http.Header{SandboxSignatureHeader: {SandboxSignature(testKey, body, now)}}, body, now.Add(time.Second)); !fail.Is(err, "webhook_malformed") {
			t.Errorf("%s: %+v, %v", at, e, err)
		}
	}
}
