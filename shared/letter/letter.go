// Package letter is which e-mails the shop writes, to whom and on what occasion. What they say is put together when they
// are sent, from what is known then: a letter that waits holds ids and amounts, nobody's name or address.
package letter

import (
	"fmt"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/webhook"
)

// Kind is the occasion of a letter.
type Kind string

// The occasions.
const (
	OrderPaid    Kind = "order_paid"    // to the shopper: the order is paid
	OrderConfirm Kind = "order_confirm" // to the shopper: please confirm the order
	PayoutSent   Kind = "payout_sent"   // to the KOC: money is on its way to their account
	PayeeChanged Kind = "payee_changed" // to the KOC: payouts go elsewhere from now on
	WebhookDead  Kind = "webhook_dead"  // to the KOC: an endpoint was given up
	EmailConfirm Kind = "email_confirm" // to an address that a KOC has entered: is it yours?
	EmailAsked   Kind = "email_asked"   // to the KOC: another address was entered
	EmailChanged Kind = "email_changed" // to the KOC's former address: letters go elsewhere from now on
)

// Letter is one e-mail on its way. Its id follows from its cause, so that it is written once whatever is repeated.
type Letter struct {
	ID   string
	Kind Kind
	At   time.Time // when its cause happened

	// An order, or a KOC and what it is about.
	Order   string       `json:",omitzero"`
	KOC     string       `json:",omitzero"`
	Payout  string       `json:",omitzero"`
	Net     money.Amount `json:",omitzero"` // transferred
	Tax     money.Amount `json:",omitzero"` // withheld
	Fee     money.Amount `json:",omitzero"`
	Until   time.Time    `json:",omitzero"` // when payouts to a changed account begin
	Webhook string       `json:",omitzero"` // address of the endpoint
	Change  int64        `json:",omitzero"` // which change of the e-mail address
	Former  bool         `json:",omitzero"` // to the address of before, while the one in force is new

	webhook.Progress       // of sending it
	Version          int64 `json:"-"`
}

// ForOrder is the letter that follows from a fact: every paid order has one, and every order that waits for its
// confirmation. Facts of one order share it.
func ForOrder(f ledger.Fact) (Letter, bool) {
	kind := OrderPaid
	if f.Unconfirmed {
		kind = OrderConfirm
	}
	return Letter{ID: string(kind) + ":" + f.Order, Kind: kind, Order: f.Order, At: f.At.UTC()}, f.Counted || f.Unconfirmed
}

// Late is how long after the payment no letter about it is begun any more: facts of an order are written for months, and
// nobody wants to hear then that it was paid.
const Late = 24 * time.Hour

// TooLate reports whether an order was paid too long before this letter's cause to write about it.
func (l Letter) TooLate(o ordering.Order) bool { return l.At.Sub(paidAt(o)) > Late }

// paidAt is when the last payment that an order needed was taken; a total of 0 is paid when it is placed.
func paidAt(o ordering.Order) time.Time {
	at := o.PlacedAt
	sum := int64(0)
	for _, c := range o.Captures {
		if sum >= o.Total.Minor {
			break
		}
		sum += c.Amount.Minor
		at = c.At
	}
	return at
}

// ForPayout is the letter that follows from the posting with which money left for a KOC's account. Postings that reserve
// money or give it back have none.
func ForPayout(p ledger.Posting) (Letter, bool) {
	l := Letter{ID: string(PayoutSent) + ":" + p.ID, Kind: PayoutSent, KOC: p.KOC, Payout: p.Payout, At: p.At.UTC(),
		Net: money.Of(0, p.Currency), Tax: money.Of(0, p.Currency), Fee: money.Of(0, p.Currency)}
	for _, leg := range p.Legs() {
		switch leg.Account {
		case ledger.Paid:
			l.Net.Minor += leg.Minor
		case ledger.TaxWithheld:
			l.Tax.Minor += leg.Minor
		case ledger.Fees:
			l.Fee.Minor += leg.Minor
		}
	}
	return l, p.Payout != "" && l.Net.Minor > 0
}

// Gross is what a payout took from the available balance.
func (l Letter) Gross() money.Amount {
	return money.Of(l.Net.Minor+l.Tax.Minor+l.Fee.Minor, l.Net.Currency)
}

// ForPayee are the letters about a new version of where a KOC's payouts go, so that a change by somebody else is noticed
// while payouts are still held; until is the end of that, zero when there is none. One goes to the address in force, and one
// to that of before, if that has changed shortly before.
func ForPayee(handle string, version int64, at, until time.Time) []Letter {
	l := Letter{ID: fmt.Sprintf("%s:%s:%d", PayeeChanged, handle, version), Kind: PayeeChanged, KOC: handle, Until: until.UTC(), At: at.UTC()}
	former := l
	former.ID, former.Former = l.ID+":former", true
	return []Letter{l, former}
}

// ForEmailAsked are the letters about a new e-mail address that a KOC has entered: a question to the new one, and word of it
// to the one in force.
func ForEmailAsked(handle string, change int64, at time.Time) []Letter {
	var out []Letter
	for _, kind := range []Kind{EmailAsked, EmailConfirm} {
		out = append(out, Letter{ID: fmt.Sprintf("%s:%s:%d", kind, handle, change), Kind: kind, KOC: handle, Change: change, At: at.UTC()})
	}
	return out
}

// ForEmailChanged is the letter to the address that is not in force any more.
func ForEmailChanged(handle string, change int64, at, until time.Time) Letter {
	return Letter{ID: fmt.Sprintf("%s:%s:%d", EmailChanged, handle, change), Kind: EmailChanged, KOC: handle, Change: change, At: at.UTC(), Until: until.UTC()}
}

// ForDead is the letter about an endpoint that was given up, to its KOC. Operators have their alarm instead: who they are
// is known to the login only.
func ForDead(owner webhook.Owner, x webhook.Endpoint) (Letter, bool) {
	return Letter{ID: string(WebhookDead) + ":" + x.ID + ":" + x.Dead.UTC().Format(time.RFC3339), Kind: WebhookDead, KOC: string(owner), Webhook: x.URL,
		At: x.Dead.UTC()}, owner != webhook.Operators && !x.Dead.IsZero()
}
