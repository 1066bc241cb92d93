// Package webhook is how what happened in the ledger reaches the systems of KOCs and operators: signed events, and how
// long the shop tries to deliver them.
//
// Every entry of a posting is one event, whose id is the entry's. Deliveries are at least once and in no order: a
// receiver drops ids that it has seen and sorts by time. A receiver answers 2xx within five seconds; anything else is
// tried again after growing waits, for almost two days. What was recorded for an endpoint can be delivered again for 30
// days.
package webhook

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/money"
)

// Owner is whose endpoints these are: a KOC's handle, or Operators.
type Owner string

// Operators is the owner of the brand's own endpoints, which get the events of every KOC. No handle has an @.
const Operators Owner = "@operators"

// OwnerOf is a KOC as an owner.
func OwnerOf(handle string) Owner { return Owner(handle) }

// Kinds are the kinds of entries that an endpoint can ask for.
var Kinds = []ledger.Kind{ledger.Accrual, ledger.Refunded, ledger.Release, ledger.Clawback, ledger.Bonus, ledger.Adjusted,
	ledger.PayoutKind, ledger.Tax, ledger.Fee}

// Test is the type of the event that an owner sends to try an endpoint. Every endpoint gets it, whatever it asks for.
const Test = "webhook.test"

// Event is something that happened, as receivers read it. Its id follows from its cause, so the same event sent again
// has the same id.
type Event struct {
	ID   string    `json:"id"`
	Type string    `json:"type"` // commission.<kind>, or Test
	At   time.Time `json:"at"`
	Data Data      `json:"data"`
}

// Data is an entry with its reason, as GET /v1/earnings/entries shows it. Amounts are minor units.
type Data struct {
	KOC          string         `json:"koc"`
	Kind         ledger.Kind    `json:"kind,omitempty"`
	OrderID      string         `json:"orderId,omitempty"`
	PayoutID     string         `json:"payoutId,omitempty"`
	AdjustmentID string         `json:"adjustmentId,omitempty"`
	SKU          string         `json:"sku,omitempty"`
	Amount       int64          `json:"amount"` // plus earns or becomes available, minus takes back
	Currency     money.Currency `json:"currency,omitempty"`
	Base         int64          `json:"base,omitempty"`
	Rate         int64          `json:"rate,omitempty"` // hundredths of a percent
	PerUnit      int64          `json:"perUnit,omitempty"`
	RuleID       string         `json:"ruleId,omitempty"`
	RuleVersion  int64          `json:"ruleVersion,omitempty"`
	Reason       string         `json:"reason,omitempty"`
	Legs         []ledger.Leg   `json:"legs,omitempty"` // what moved on the KOC's own accounts
}

// Events are the events of a posting, one per entry.
func Events(p ledger.Posting) []Event {
	events := make([]Event, len(p.Entries))
	for i, e := range p.Entries {
		events[i] = Event{ID: p.EntryID(i), Type: "commission." + string(e.Kind), At: p.At.UTC(), Data: Data{
			KOC: p.KOC, Kind: e.Kind, OrderID: p.Order, PayoutID: p.Payout, AdjustmentID: p.Adjustment, SKU: e.SKU,
			Amount: e.Minor, Currency: p.Currency, Base: e.Base, Rate: int64(e.Rate), PerUnit: e.PerUnit,
			RuleID: e.Rule, RuleVersion: e.RuleVersion, Reason: e.Reason,
			Legs: slices.DeleteFunc(slices.Clone(e.Legs), func(l ledger.Leg) bool { return !l.Account.OfKOC() }),
		}}
	}
	return events
}

// TestEvent is an event that says nothing. An endpoint has one per minute: asking twice is answered with the same.
func TestEvent(owner Owner, endpoint string, now time.Time) Event {
	minute := now.UTC().Truncate(time.Minute)
	e := Event{ID: fmt.Sprintf("test:%s:%d", endpoint, minute.Unix()), Type: Test, At: minute}
	if owner != Operators {
		e.Data.KOC = string(owner)
	}
	return e
}

// Body is what is sent: the event as JSON.
func (e Event) Body() ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("write event %s: %w", e.ID, err)
	}
	return body, nil
}
