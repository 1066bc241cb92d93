package provider

import (
	"context"
	"net/http"
	"time"

	"yundian/shared/fail"
)

// onDelivery is payment to the courier. There is nobody to call: the operator records what was collected and
// gives refunds back by hand, so a refund is done as soon as it is recorded.
type onDelivery struct{}

func (onDelivery) Name() string { return OnDelivery }

// Open refuses: there is no page on which to pay.
func (onDelivery) Open(context.Context, Checkout) (Session, error) {
	return Session{}, fail.New(fail.Conflict, "payment_on_delivery", "This order is paid on delivery; there is nothing to pay online.", nil)
}

// Close has nothing to close.
func (onDelivery) Close(context.Context, string) (Closed, error) { return Closed{}, nil }

// Refund is done when it is recorded.
func (onDelivery) Refund(_ context.Context, r RefundRequest) (RefundResult, error) {
	return byHand(r.ID), nil
}

// LookupRefund answers as Refund did.
func (onDelivery) LookupRefund(_ context.Context, intentID string) (RefundResult, error) {
	return byHand(intentID), nil
}

func byHand(intentID string) RefundResult {
	return RefundResult{State: RefundSucceeded, ProviderID: "by-hand:" + intentID}
}

// Event refuses: nobody sends any.
func (onDelivery) Event(http.Header, []byte, time.Time) (Event, error) {
	return Event{}, fail.New(fail.NotFound, "webhook_unknown", "No events are expected here.", nil)
}
