package provider

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/shop"
	"yundian/shared/webhook"
)

const (
	// signatureTolerance is how far from now a webhook may have been signed, either way: an old one may be replayed.
	signatureTolerance = 5 * time.Minute
	// maxEvent bounds a webhook's body.
	maxEvent = 256 << 10
)

// sandboxEvents maps the sandbox's names to ours.
var sandboxEvents = map[string]EventType{
	"payment.captured": Captured,
	"payment.declined": Declined,
	"refund.succeeded": RefundDone,
	"refund.failed":    RefundNotDone,
	"dispute.opened":   Disputed,
	"dispute.won":      DisputeWon,
	"dispute.lost":     DisputeLost,
}

func (s *sandboxHTTP) Event(header http.Header, body []byte, now time.Time) (Event, error) {
	if len(body) > maxEvent {
		return Event{}, malformed()
	}
	// The gateway joins repeated headers with commas; so do we, for the same answer everywhere.
	signedAt, signed := webhook.SignedAt(strings.Join(header.Values(SandboxSignatureHeader), ","), body, s.key)
	if !signed {
		return Event{}, unsigned()
	}
	if age := now.Sub(signedAt); age > signatureTolerance || age < -signatureTolerance {
		return Event{}, fail.New(fail.Denied, "webhook_old", "This event was not signed within {minutes} minutes of now.",
			fail.Args{"minutes": int(signatureTolerance.Minutes())})
	}
	var e SandboxEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return Event{}, malformed()
	}
	if e.LiveMode {
		return Event{}, fail.New(fail.Denied, "webhook_mode", "This event and this shop are not both in test mode or both live.", nil)
	}
	return e.normal()
}

// normal is the event in our words. An event that concerns an order has to say which, when and how much.
func (e SandboxEvent) normal() (Event, error) {
	out := Event{ID: e.ID, Type: OtherOccurrence, OrderID: e.OrderID, SessionID: e.Session, PaymentID: e.Payment,
		RefundID: e.Refund, IntentID: e.Intent, DisputeID: e.Dispute, Reason: e.Reason, Amount: e.Amount, At: e.At}
	if e.ID == "" || !shop.Time(e.At) || tooLong(e.ID, e.OrderID, e.Session, e.Payment, e.Refund, e.Intent, e.Dispute, e.Reason) {
		return Event{}, malformed()
	}
	t, ok := sandboxEvents[e.Type]
	if !ok {
		return out, nil
	}
	out.Type = t
	refund := t == RefundDone || t == RefundNotDone
	dispute := t == Disputed || t == DisputeWon || t == DisputeLost
	_, err := money.ParseCurrency(string(e.Amount.Currency))
	if err != nil || e.OrderID == "" || e.Amount.Minor <= 0 || e.Amount.Minor > money.MaxMinor ||
		e.Payment == "" && t != Declined || refund && e.Refund == "" || dispute && e.Dispute == "" {
		return Event{}, malformed()
	}
	return out, nil
}

// maxID bounds every id in an event; they become parts of keys in the store.
const maxID = 200

func tooLong(ids ...string) bool {
	for _, id := range ids {
		if len(id) > maxID {
			return true
		}
	}
	return false
}

func unsigned() error {
	return fail.New(fail.Denied, "webhook_signature", "The signature of this event is missing or wrong.", nil)
}

func malformed() error {
	return fail.New(fail.Invalid, "webhook_malformed", "This event cannot be read.", nil)
}
