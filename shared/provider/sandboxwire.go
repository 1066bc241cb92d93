package provider

import (
	"time"

	"yundian/shared/money"
	"yundian/shared/webhook"
)

// What the sandbox client and the sandbox itself say to each other. Requests carry the key as a bearer token.

// SandboxPath is where the runner mounts the sandbox.
const SandboxPath = "/_local/sandbox"

// SandboxCheckout is the body of POST /sessions.
type SandboxCheckout struct {
	Key         string       `json:"key"`
	OrderID     string       `json:"orderId"`
	Amount      money.Amount `json:"amount"`
	ReturnURL   string       `json:"returnUrl"`
	Description string       `json:"description"`
	ExpiresAt   time.Time    `json:"expiresAt"`
}

// SandboxSession answers POST /sessions (201 when new, 200 when repeated). Its pay page is /pay/{id}.
type SandboxSession struct {
	ID string `json:"id"`
}

// SandboxClosed answers POST /sessions/{id}/close. State is "closed" or "paid"; PaymentID and Amount are set when paid.
type SandboxClosed struct {
	State     string       `json:"state"`
	PaymentID string       `json:"paymentId,omitempty"`
	Amount    money.Amount `json:"amount,omitzero"`
}

// SandboxRefund is the body of POST /refunds.
type SandboxRefund struct {
	IntentID  string       `json:"intentId"`
	PaymentID string       `json:"paymentId"`
	Amount    money.Amount `json:"amount"`
	Reason    string       `json:"reason"`
}

// SandboxRefunded answers POST /refunds and GET /refunds/{intentId}.
type SandboxRefunded struct {
	ID     string      `json:"id"`
	State  RefundState `json:"state"`
	Reason string      `json:"reason,omitempty"`
}

// SandboxTransfer is the body of POST /transfers.
type SandboxTransfer struct {
	ID          string       `json:"id"` // of the payout
	Amount      money.Amount `json:"amount"`
	Account     string       `json:"account"`
	Name        string       `json:"name"`
	Description string       `json:"description"`
}

// SandboxTransferred answers POST /transfers (201 when new, 200 when repeated, 422 when refused) and GET /transfers/{id}.
// ID is the sandbox's own; a refused transfer has none.
type SandboxTransferred struct {
	ID     string        `json:"id"`
	State  TransferState `json:"state"`
	Reason string        `json:"reason,omitempty"`
}

// SandboxEvent is the body of a webhook.
type SandboxEvent struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	LiveMode bool         `json:"livemode"` // always false: there is no real money in a sandbox
	At       time.Time    `json:"at"`
	OrderID  string       `json:"orderId"`
	Session  string       `json:"sessionId"`
	Payment  string       `json:"paymentId,omitempty"`
	Refund   string       `json:"refundId,omitempty"`
	Intent   string       `json:"intentId,omitempty"`
	Dispute  string       `json:"disputeId,omitempty"`
	Reason   string       `json:"reason,omitempty"`
	Amount   money.Amount `json:"amount"`
}

// SandboxSignatureHeader carries a webhook's signature.
const SandboxSignatureHeader = "Yundian-Sandbox-Signature"

// SandboxSignature signs a webhook's body as sent at a moment, in the form of package webhook.
func SandboxSignature(key string, body []byte, at time.Time) string {
	return webhook.Sign(body, at, key)
}
