package ledger

import (
	"fmt"
	"reflect"
	"slices"
	"time"
	"unicode/utf8"

	"yundian/shared/fail"
	"yundian/shared/money"
)

// MaxAdjustment bounds one adjustment, in minor units: a million of most currencies. More is a typing error, or several
// adjustments with a reason each.
const MaxAdjustment = 100_000_000

// maxReason bounds why somebody adjusts or rejects, in characters.
const maxReason = 500

// Adjustment is a correction of a KOC's balance by hand. One person asks for it with a reason, and it is posted when
// another approves it.
type Adjustment struct {
	ID      string
	Version int64
	KOC     string
	Amount  money.Amount // above zero gives, below zero takes
	Order   string       `json:",omitzero"` // that it is about, if any
	Reason  string       // the KOC reads it
	By      string       // the maker
	At      time.Time

	Approved *Approval `json:",omitzero"`
	Rejected *Verdict  `json:",omitzero"`
}

// Verdict is somebody's word about an adjustment.
type Verdict struct {
	By     string
	At     time.Time
	Reason string `json:",omitzero"`
}

// Approval is a second person's yes, and what it moved, in minor units with each account's own sign.
type Approval struct {
	Verdict
	Available int64
	Debt      int64 `json:",omitzero"`
}

// AdjustmentState is how far an adjustment is.
type AdjustmentState string

// The states. The last two are final.
const (
	Requested AdjustmentState = "requested"
	Approved  AdjustmentState = "approved"
	Rejected  AdjustmentState = "rejected"
)

// State is how far the adjustment is.
func (a Adjustment) State() AdjustmentState {
	switch {
	case a.Approved != nil:
		return Approved
	case a.Rejected != nil:
		return Rejected
	default:
		return Requested
	}
}

// Equal reports whether two adjustments have the same facts.
func (a Adjustment) Equal(other Adjustment) bool { return reflect.DeepEqual(a, other) }

// Check refuses an adjustment that nobody should approve. Its currency is one that the KOC has balances in, or the shop's.
func (a Adjustment) Check(currencies []money.Currency) error {
	var f []fail.Field
	if n := utf8.RuneCountInString(a.Reason); n == 0 || n > maxReason {
		f = append(f, textLength())
	}
	switch {
	case !slices.Contains(currencies, a.Amount.Currency):
		f = append(f, fail.At("body.amount.currency", "adjustment_currency", "{koc} has no balance in this currency, and the shop does not sell in it.", fail.Args{"koc": a.KOC}))
	case a.Amount.Minor == 0:
		f = append(f, fail.At("body.amount", "adjustment_empty", "This would adjust nothing.", nil))
	case a.Amount.Minor < -MaxAdjustment || a.Amount.Minor > MaxAdjustment:
		f = append(f, fail.At("body.amount", "out_of_range", "Between {low} and {high}.", fail.Args{"low": -MaxAdjustment, "high": MaxAdjustment}))
	}
	return fail.NewFields(f)
}

func textLength() fail.Field {
	return fail.At("body.reason", "text_length", "Between {low} and {high} characters.", fail.Args{"low": 1, "high": maxReason})
}

// AdjustmentUnknown answers an id that no adjustment has.
func AdjustmentUnknown(id string) error {
	return fail.New(fail.NotFound, "adjustment_unknown", "There is no adjustment {adjustment} here.", fail.Args{"adjustment": id})
}

// Approver is who approves, and the login of the KOC whose balance it is; empty when there is none.
type Approver struct{ By, Subject string }

// Approve decides an adjustment and gives what it posts. What is given becomes available. What is taken comes from what
// is available, as far as that goes, and the rest is owed as debt: available never falls below zero. The maker cannot
// approve it, nor whose balance it is.
func (a *Adjustment) Approve(who Approver, b Balances, now time.Time) (Posting, error) {
	switch {
	case who.By == a.By:
		return Posting{}, fail.New(fail.Denied, "adjustment_maker", "Whoever asked for an adjustment cannot approve it.", nil)
	case who.By == who.Subject:
		return Posting{}, fail.New(fail.Denied, "adjustment_own", "Nobody can approve an adjustment of their own balance.", nil)
	case a.State() != Requested:
		return Posting{}, a.decided()
	}
	available, debt := a.Amount.Minor, int64(0)
	if available < 0 {
		available = max(available, -max(0, b.Available))
		debt = a.Amount.Minor - available
	}
	if b.Available+available > money.MaxMinor || b.Debt+debt < -money.MaxMinor {
		return Posting{}, fail.New(fail.Conflict, "adjustment_overflow", "The balance of {koc} would grow beyond what can be counted.", fail.Args{"koc": a.KOC})
	}
	a.Approved = &Approval{Verdict: Verdict{By: who.By, At: now}, Available: available, Debt: debt}
	e := Entry{Kind: Adjusted, Minor: a.Amount.Minor, Order: a.Order, Reason: a.Reason}
	for _, l := range []Leg{{Available, available}, {Debt, debt}, {Adjustments, -a.Amount.Minor}} {
		if l.Minor != 0 {
			e.Legs = append(e.Legs, l)
		}
	}
	return Posting{ID: fmt.Sprintf("adjust:%s:%s", a.ID, a.KOC), KOC: a.KOC, Adjustment: a.ID, V: a.Version + 1, At: now,
		Currency: a.Amount.Currency, Entries: []Entry{e}}, nil
}

// Reject ends an adjustment without posting anything. Its maker can take it back so.
func (a *Adjustment) Reject(by, reason string, now time.Time) error {
	if a.State() != Requested {
		return a.decided()
	}
	if n := utf8.RuneCountInString(reason); n == 0 || n > maxReason {
		return fail.NewFields([]fail.Field{textLength()})
	}
	a.Rejected = &Verdict{By: by, At: now, Reason: reason}
	return nil
}

func (a Adjustment) decided() error {
	return fail.New(fail.Conflict, "adjustment_status", "This adjustment is {status} already.", fail.Args{"status": a.State()})
}
