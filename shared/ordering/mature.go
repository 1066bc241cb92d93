package ordering

import (
	"fmt"
	"time"

	"yundian/shared/shop"
)

// Waits before something that should have happened is driven again; each is doubled with every try, up to LongestWait.
const (
	RefundWait    = 2 * time.Minute  // a refund whose outcome is not known
	DecisionWait  = 10 * time.Minute // an order that nobody has decided
	LongestWait   = 12 * time.Hour
	UnshippedDays = 30 // an order to be paid on delivery that is never shipped gives its stock back
)

func wait(first time.Duration, tries int) time.Duration {
	return min(first<<min(tries, 12), LongestWait)
}

// DueAt is when time alone will next change this order; the zero time when it never will.
func (o Order) DueAt() time.Time {
	var due time.Time
	sooner := func(t time.Time) {
		if due.IsZero() || t.Before(due) {
			due = t
		}
	}
	switch o.Status() {
	case Held:
		sooner(o.Terms.HoldUntil)
	case Confirmed:
		sooner(o.unshippedUntil())
		if o.Unconfirmed() {
			sooner(o.Terms.ConfirmUntil)
		}
	case Shipped:
		if o.receiptByDefault() {
			sooner(o.receiptAt())
		}
	case Delivered:
		if o.releasable() {
			sooner(o.releaseAt())
		}
	}
	for _, r := range o.Refunds {
		if r.Open() {
			sooner(r.LastTry.Add(wait(RefundWait, r.Tries)))
		}
	}
	if len(o.Awards) == 0 && len(o.Redriven) < MaxRedrives {
		sooner(o.decisionAt())
	}
	return due
}

// unshippedUntil is when an order to be paid on delivery that nobody ships gives its stock back.
func (o Order) unshippedUntil() time.Time { return o.PlacedAt.AddDate(0, 0, UnshippedDays) }

// receiptByDefault reports whether the receipt will be taken for granted: everything is on its way, and paid. What is
// paid on delivery needs somebody who has seen the money.
func (o Order) receiptByDefault() bool { return o.allShipped() && o.IsPaid() }

func (o Order) receiptAt() time.Time { return o.lastShipped().AddDate(0, 0, o.Terms.ReceiptDays) }

// releasable reports whether only time keeps the commission of a delivered order from being released.
func (o Order) releasable() bool {
	return o.Released == nil && o.IsPaid() && o.OnHold() == nil && o.OpenReturn() == nil && o.OpenDispute() == nil
}

// decisionAt is when an order without a decision is sent to be decided again.
func (o Order) decisionAt() time.Time {
	last := o.PlacedAt
	if n := len(o.Redriven); n > 0 {
		last = o.Redriven[n-1].At
	}
	return last.Add(wait(DecisionWait, len(o.Redriven)))
}

// AvailableOn is when the commission will be released as things stand; zero while nobody can know.
func (o Order) AvailableOn() time.Time {
	switch {
	case o.Released != nil:
		return o.Released.At
	case o.Status() == Delivered && o.releasable():
		return o.releaseAt()
	case o.Status() == Shipped && o.receiptByDefault() && o.OnHold() == nil && o.OpenDispute() == nil:
		return o.receiptAt().AddDate(0, 0, o.Terms.ReturnDays)
	default:
		return time.Time{}
	}
}

// AvailableDay is the local date of AvailableOn, 2006-01-02; empty while nobody can know.
func (o Order) AvailableDay() (string, error) {
	at := o.AvailableOn()
	if at.IsZero() {
		return "", nil
	}
	zone, err := shop.Zone(o.Terms.Zone)
	if err != nil {
		return "", fmt.Errorf("day of order %s: %w", o.ID, err)
	}
	return at.In(zone).Format(time.DateOnly), nil
}

func (o Order) releaseAt() time.Time { return o.Delivered.At.AddDate(0, 0, o.Terms.ReturnDays) }

// NotConfirmed is why an order expired that asked for a confirmation.
const NotConfirmed = "not confirmed"

// Mature records what time has made true by now: an unpaid, unconfirmed or unshipped order expired, receipt by default, commission
// released, an undecided order sent to be decided again. Whoever expires a held order has closed its payment session
// at the provider before.
func (o *Order) Mature(now time.Time) error {
	switch s := o.Status(); {
	case s == Held && !now.Before(o.Terms.HoldUntil):
		o.Expired = &Mark{V: o.next(), At: now, Reason: "unpaid"}
		o.Session = ""
	case o.Unconfirmed() && !now.Before(o.Terms.ConfirmUntil):
		o.Expired = &Mark{V: o.next(), At: now, Reason: NotConfirmed}
	case s == Confirmed && !now.Before(o.unshippedUntil()):
		o.Expired = &Mark{V: o.next(), At: now, Reason: "not shipped"}
	}
	if o.Status() == Shipped && o.receiptByDefault() && !now.Before(o.receiptAt()) {
		if err := o.Deliver("default", o.receiptAt()); err != nil {
			return err
		}
	}
	if o.Status() == Delivered && o.releasable() && !now.Before(o.releaseAt()) {
		o.Released = &Mark{V: o.next(), At: now, Reason: "return window over"}
	}
	if len(o.Awards) == 0 && len(o.Redriven) < MaxRedrives && !now.Before(o.decisionAt()) {
		return o.Redrive(now)
	}
	return nil
}
