// Package provider is how shoppers pay and get money back: payment providers behind one interface.
//
// A provider holds the money, so its word counts: what it says has been taken or given back is a fact that the
// order records, however late, early or often it is told. Every effect at a provider carries an id of ours, so
// that asking twice does it once and an outcome that was lost on the way can be looked up.
package provider

import (
	"context"
	"net/http"
	"time"

	"yundian/shared/money"
)

// Names of the providers of this release.
const (
	OnDelivery = "on_delivery" // the courier collects the money
	Sandbox    = "sandbox"     // the local runner's; no real money
)

// Provider takes payments and gives them back. Errors of package fail are refusals that may be shown; any other
// error means that the outcome is unknown.
type Provider interface {
	// Name is what orders, webhook addresses and settings call the provider.
	Name() string
	// Open begins a payment and says where the shopper pays. The same Key with the same content gives the
	// same session, whatever its state has become.
	Open(ctx context.Context, c Checkout) (Session, error)
	// Close ends an unpaid session, so that its stock can be released. It must be called first: a session
	// that turns out to be paid is AlreadyPaid and nothing may be released. Closing a closed session is no error.
	Close(ctx context.Context, sessionID string) (Closed, error)
	// Refund gives money back. After an error the outcome is unknown: ask LookupRefund before anything is sent
	// again, and send it again under the same ID. A refusal by the provider is a result with State Failed.
	Refund(ctx context.Context, r RefundRequest) (RefundResult, error)
	// LookupRefund finds what became of a refund by our id, and by which id the provider knows it: events may name only
	// that one. Code refund_unknown (NotFound) means that the provider never received it.
	LookupRefund(ctx context.Context, intentID string) (RefundResult, error)
	// Event verifies a webhook as it arrived, byte for byte, and says in our words what happened. Anything
	// not provably from this provider, in this mode, within five minutes of now is refused.
	Event(header http.Header, body []byte, now time.Time) (Event, error)
}

// Checkout is a payment to be made.
type Checkout struct {
	OrderID     string
	Amount      money.Amount // above zero: an order of nothing is paid without a provider
	Key         string       // idempotency key, derived from the order
	ReturnURL   string       // absolute; where the shopper goes afterwards, paid or not
	Description string       // what the shopper reads on the statement
	ExpiresAt   time.Time    // when the stock hold ends; a provider may keep the session open longer
}

// Session is a payment page at the provider.
type Session struct {
	ID  string
	URL string
}

// Closed says how a session ended.
type Closed struct {
	AlreadyPaid bool
	PaymentID   string       // set when paid
	Amount      money.Amount // set when paid
}

// RefundRequest is money to be given back.
type RefundRequest struct {
	ID        string // of the refund intent recorded with the order; the idempotency key
	PaymentID string
	Amount    money.Amount // above zero, at most what is left of the payment
	Reason    string
}

// RefundState is how far a refund is.
type RefundState string

const (
	RefundSucceeded RefundState = "succeeded"
	RefundPending   RefundState = "pending" // an event will tell
	RefundFailed    RefundState = "failed"
)

// RefundResult is what became of a refund. ProviderID is the provider's own id for it; empty when it refused.
type RefundResult struct {
	State      RefundState
	ProviderID string
	Reason     string // why it failed, in the provider's words; for operators
}

// EventType is what a webhook tells.
type EventType string

const (
	Captured        EventType = "captured"         // money was taken
	Declined        EventType = "declined"         // an attempt failed; the shopper can try again
	RefundDone      EventType = "refund_succeeded" // money was given back, asked for by us or not
	RefundNotDone   EventType = "refund_failed"
	Disputed        EventType = "disputed"     // the shopper's bank may take the payment back; Amount is what is disputed
	DisputeWon      EventType = "dispute_won"  // the shop keeps it
	DisputeLost     EventType = "dispute_lost" // it has gone back to the shopper
	OtherOccurrence EventType = "other"        // of no interest to an order; answered with 2xx and forgotten
)

// Event is one thing that happened at the provider. The same ID always tells the same thing.
type Event struct {
	ID        string
	Type      EventType
	OrderID   string
	SessionID string
	PaymentID string
	RefundID  string // the provider's id; refund events only
	IntentID  string // ours, if the provider says it; one that was made at the provider itself has none
	DisputeID string // the provider's id; dispute events only
	Reason    string // of a dispute, as the provider's code; may be empty
	Amount    money.Amount
	At        time.Time // when it happened, by the provider's clock
}
