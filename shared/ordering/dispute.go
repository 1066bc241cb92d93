package ordering

import (
	"fmt"
	"slices"
	"time"

	"yundian/shared/fail"
	"yundian/shared/money"
)

// Dispute is a payment that the shopper asks the bank to take back (a chargeback). While it is open the bank holds the
// money and no commission of the order is released. A lost one is money that went back to the shopper without the
// shop's doing: like a refund by amount it is taken from what is left of the lines and then of shipping.
type Dispute struct {
	ID        string // the provider's, with the provider's name before it
	V         int64
	At        time.Time
	PaymentID string
	Amount    money.Amount // what the shopper disputes, at most a whole payment at most providers
	Reason    string       `json:",omitzero"` // the provider's code
	Won       *Mark        `json:",omitzero"` // the shop keeps the money
	Lost      *Mark        `json:",omitzero"`

	Lines    []LineRefund `json:",omitzero"` // what a lost one took back of the lines
	Shipping money.Amount `json:",omitzero"`
	Beyond   money.Amount `json:",omitzero"` // what exceeds all that was left: the shop's loss, and no commission's
}

// Open reports whether the bank has not decided yet.
func (d Dispute) Open() bool { return d.Won == nil && d.Lost == nil }

// State names how far the dispute is: open, won or lost.
func (d Dispute) State() string {
	switch {
	case d.Won != nil:
		return string(DisputeWon)
	case d.Lost != nil:
		return string(DisputeLost)
	default:
		return string(DisputeOpened)
	}
}

// DisputeOutcome is how far a provider says a dispute is.
type DisputeOutcome string

const (
	DisputeOpened DisputeOutcome = "open"
	DisputeWon    DisputeOutcome = "won"
	DisputeLost   DisputeOutcome = "lost"
)

// DisputeNews is what a provider says about a dispute. Each piece of news names everything, so that any may come first.
type DisputeNews struct {
	ID        string // with the provider's name before it
	PaymentID string
	Amount    money.Amount
	Reason    string // the provider's code; may be empty
	Outcome   DisputeOutcome
}

// RecordDispute records news of a dispute, in whatever order they come and however often, even before the payment's own
// event. The first outcome stays: a contrary one is a Conflict for a person to look at, and so is another amount.
func (o *Order) RecordDispute(n DisputeNews, now time.Time) error {
	i := slices.IndexFunc(o.Disputes, func(d Dispute) bool { return d.ID == n.ID })
	if i < 0 {
		if n.Amount.Currency != o.Total.Currency || n.Amount.Minor <= 0 || n.Amount.Minor > money.MaxMinor {
			return disputeDiffers(n.Amount)
		}
		if len(o.Disputes) >= MaxDisputes {
			return fail.New(fail.TooMany, "disputes_too_many", "This order has too many disputes.", nil)
		}
		o.Disputes = append(o.Disputes, Dispute{ID: n.ID, V: o.next(), At: now, PaymentID: n.PaymentID, Amount: n.Amount, Reason: n.Reason})
		i = len(o.Disputes) - 1
	}
	d := &o.Disputes[i]
	switch {
	case n.Amount != d.Amount || n.PaymentID != d.PaymentID:
		return disputeDiffers(n.Amount)
	case n.Outcome == DisputeWon && d.Lost != nil, n.Outcome == DisputeLost && d.Won != nil:
		return fail.New(fail.Conflict, "dispute_contradiction", "The provider has already reported the opposite outcome of this dispute.", nil)
	case n.Outcome == DisputeOpened || !d.Open():
		return nil
	case n.Outcome == DisputeWon:
		d.Won = &Mark{V: o.next(), At: now}
		return o.returnKept(*d, now)
	default:
		d.Lost, d.Beyond = &Mark{V: o.next(), At: now}, d.Amount
		return o.bearLosses()
	}
}

func disputeDiffers(amount money.Amount) error {
	return fail.New(fail.Conflict, "dispute_differs", "The dispute about {amount} does not fit this order.", fail.Args{"amount": amount})
}

// Dispute finds a dispute by its id.
func (o Order) Dispute(id string) (Dispute, bool) {
	if i := slices.IndexFunc(o.Disputes, func(d Dispute) bool { return d.ID == id }); i >= 0 {
		return o.Disputes[i], true
	}
	return Dispute{}, false
}

// OpenDispute is the first dispute that the bank has not decided, or nil. One about a second payment is not about what
// the shopper bought.
func (o Order) OpenDispute() *Dispute {
	for i, d := range o.Disputes {
		if d.Open() && !o.isSurplus(d.PaymentID) {
			return &o.Disputes[i]
		}
	}
	return nil
}

// contested is what the bank may still take of the payment that counts.
func (o Order) contested() int64 {
	var sum int64
	for _, d := range o.Disputes {
		if d.Open() && !o.isSurplus(d.PaymentID) {
			sum += d.Amount.Minor // bounded: MaxDisputes amounts of at most MaxMinor
		}
	}
	return sum
}

// bearLosses takes what money has gone back beyond what was left from what has become free since, because a refund failed
// or turned out to be about another payment.
func (o *Order) bearLosses() error {
	for i := range o.Disputes {
		if d := &o.Disputes[i]; d.Lost != nil && !o.isSurplus(d.PaymentID) {
			if err := o.bearOn(&d.Lines, &d.Shipping, &d.Beyond); err != nil {
				return err
			}
		}
	}
	for i := range o.Refunds {
		if r := &o.Refunds[i]; r.Counts() {
			if err := o.bearOn(&r.Lines, &r.Shipping, &r.Beyond); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *Order) bearOn(lines *[]LineRefund, shipping, beyond *money.Amount) error {
	parts, post, err := o.bear(beyond.Minor)
	if borne := grossOf(parts) + post; err == nil && borne > 0 {
		for i := range parts {
			parts[i].V = o.next()
		}
		*lines = append(slices.Clip(*lines), parts...)
		*shipping = money.Of(shipping.Minor+post, o.Total.Currency)
		*beyond = money.Of(beyond.Minor-borne, o.Total.Currency)
	}
	return err
}

// bear spreads as much of an amount as is left of the order, as if it was paid: news of the payment may be late.
func (o Order) bear(amount int64) (lines []LineRefund, shipping int64, err error) {
	amount = min(amount, o.Total.Minor-o.RefundedTotal().Minor)
	if amount <= 0 {
		return nil, 0, nil
	}
	return o.spread(amount)
}

func grossOf(lines []LineRefund) int64 {
	var sum int64
	for _, l := range lines {
		sum += l.Net.Minor + l.Tax.Minor
	}
	return sum
}

// returnKept gives back what an open dispute kept from going back when its order ended: the bank has left it with the
// shop, which has sold nothing. Refunds that failed are for people to look at, as always.
func (o *Order) returnKept(d Dispute, now time.Time) error {
	if s := o.Status(); s != Cancelled && s != Expired {
		return nil
	}
	asked := o.lostTotal()
	for _, r := range o.Refunds {
		if !r.Surplus {
			asked += r.Amount.Minor
		}
	}
	kept := money.Of(min(d.Amount.Minor, o.Refundable().Minor, o.Total.Minor-asked), o.Total.Currency)
	if kept.Minor <= 0 {
		return nil
	}
	id := fmt.Sprintf("%s-dispute-%d", o.ID, slices.IndexFunc(o.Disputes, func(x Dispute) bool { return x.ID == d.ID })+1)
	_, err := o.RequestRefund(RefundRequest{ID: id, By: "dispute", Reason: "dispute won after the order had ended", Amount: &kept}, now)
	return err
}

// LostOf is what lost disputes took back of one line.
func (o Order) LostOf(line int) int64 {
	var sum int64
	for _, d := range o.Disputes {
		if d.Lost == nil {
			continue
		}
		for _, l := range d.Lines {
			if l.Line == line {
				sum += l.Net.Minor + l.Tax.Minor
			}
		}
	}
	return sum
}

// lostTotal is what lost disputes took back of the order.
func (o Order) lostTotal() int64 {
	var sum int64
	for _, d := range o.Disputes {
		if d.Lost != nil {
			sum += grossOf(d.Lines) + d.Shipping.Minor
		}
	}
	return sum
}

// sortDisputes looks again at disputes that were told of before any payment: now it is known which payment counts.
func (o *Order) sortDisputes(counts string) {
	for i := range o.Disputes {
		if d := &o.Disputes[i]; d.Lost != nil && d.PaymentID != "" && d.PaymentID != counts {
			d.Lines, d.Shipping, d.Beyond = nil, money.Amount{}, d.Amount
		}
	}
}

// Sending says what to do about a refund whose outcome is not known, as far as disputes of its payment go.
type Sending int

const (
	SendNow   Sending = iota
	SendLater         // the bank is deciding about this money: it may go back without us
	SendNever         // the bank has given it back: the shopper would get it twice
)

// Sending decides about an open refund. A provider refuses to refund what is disputed, as Stripe does; one that did not
// would pay the shopper twice, once by refund and once by the dispute.
func (o Order) Sending(id string) Sending {
	at := o.refundIndex(id)
	if at < 0 {
		return SendNow
	}
	left, open, lost := o.leftFor(at)
	switch amount := o.Refunds[at].Amount.Minor; {
	case open+lost == 0, amount <= left-open-lost:
		return SendNow
	case amount > left-lost:
		return SendNever
	default:
		return SendLater
	}
}

// leftFor is what earlier and settled refunds leave of the payment that a refund gives back, and what open and lost
// disputes are about it.
func (o Order) leftFor(at int) (left, open, lost int64) {
	r := o.Refunds[at]
	left = o.Total.Minor // every payment that is recorded has this amount
	for i, x := range o.Refunds {
		if i != at && x.PaymentID == r.PaymentID && x.Failed == nil && (i < at || !x.Open()) {
			left -= x.Amount.Minor
		}
	}
	for _, d := range o.Disputes {
		switch {
		case d.PaymentID != r.PaymentID:
		case d.Lost != nil:
			lost += d.Amount.Minor
		case d.Open():
			open += d.Amount.Minor
		}
	}
	return left, open, lost
}

// RefundTaken is why a refund failed that was never sent, because a dispute had given the money back.
const RefundTaken = "taken by a dispute"

// DropRefund ends a refund that must never be sent, and asks for what the dispute has left of it instead.
func (o *Order) DropRefund(id string, now time.Time) error {
	at := o.refundIndex(id)
	if at < 0 || !o.Refunds[at].Open() {
		return nil
	}
	left, _, lost := o.leftFor(at)
	o.Refunds[at].Failed = &Mark{V: o.next(), At: now, Reason: RefundTaken}
	if err := o.bearLosses(); err != nil {
		return err
	}
	r := o.Refunds[at]
	rest := min(r.Amount.Minor, left-lost)
	if !r.Surplus {
		rest = min(rest, o.Refundable().Minor)
	}
	if rest <= 0 {
		return nil
	}
	next := Refund{ID: fmt.Sprintf("%s-rest-%d", o.ID, len(o.Refunds)), V: o.next(), At: now, LastTry: now, Reason: r.Reason, By: r.By,
		PaymentID: r.PaymentID, Amount: money.Of(rest, o.Total.Currency), Shipping: money.Of(0, o.Total.Currency), Surplus: r.Surplus}
	if !r.Surplus {
		var err error
		if next.Lines, next.Shipping.Minor, err = o.spread(rest); err != nil {
			return err
		}
	}
	o.Refunds = append(o.Refunds, next) // one more for one that failed, however many there are
	return nil
}
