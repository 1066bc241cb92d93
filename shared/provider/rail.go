package provider

import (
	"context"

	"yundian/shared/money"
)

// Rail sends a payout's money to a KOC and answers what became of it. Bank payouts use none: they go out as a file that an
// operator hands to the bank, and come back as one.
type Rail interface {
	// Name is what payout methods and payouts call the rail.
	Name() string
	// Send transfers money. An error that is not of package fail means that the outcome is unknown: ask Lookup
	// before anything is sent again, and send it again under the same ID only. A refusal by the rail is a
	// result with State TransferFailed; a fail error means that the transfer was never made.
	Send(ctx context.Context, t Transfer) (TransferResult, error)
	// Lookup finds what became of a transfer by the payout's id. Code transfer_unknown (NotFound) means that the rail
	// never received it.
	Lookup(ctx context.Context, id string) (TransferResult, error)
}

// Transfer is money to be sent to a KOC.
type Transfer struct {
	ID          string       // of the payout; the idempotency key
	Amount      money.Amount // above zero
	Account     string       // where to, in the rail's terms
	Name        string       // of the account's holder
	Description string       // what the KOC reads on the statement
}

// TransferState is how far a transfer is.
type TransferState string

const (
	TransferPaid    TransferState = "paid"
	TransferPending TransferState = "pending" // ask again later
	TransferFailed  TransferState = "failed"  // the money is still the shop's
)

// TransferResult is what became of a transfer. ProviderID is the rail's own id for it; empty when it refused.
type TransferResult struct {
	State      TransferState
	ProviderID string
	Reason     string // why it failed, in the rail's words; for operators
}
