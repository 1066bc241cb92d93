package ordering

import "time"

// Redrive is how long a refund that was not confirmed waits before it is sent again under the same id.
const Redrive = 2 * time.Minute

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
	case Shipped:
		sooner(o.Shipments[0].At.AddDate(0, 0, o.Terms.ReceiptDays))
	case Delivered:
		if o.Released == nil && o.OnHold() == nil && o.OpenReturn() == nil {
			sooner(o.releaseAt())
		}
	}
	for _, r := range o.Refunds {
		if r.Open() {
			sooner(r.LastTry.Add(Redrive))
		}
	}
	return due
}

// AvailableOn is when the commission will be released as things stand; zero while nobody can know.
func (o Order) AvailableOn() time.Time {
	switch {
	case o.Released != nil:
		return o.Released.At
	case o.OnHold() != nil, o.OpenReturn() != nil:
		return time.Time{}
	}
	switch o.Status() {
	case Delivered:
		return o.releaseAt()
	case Shipped:
		return o.Shipments[0].At.AddDate(0, 0, o.Terms.ReceiptDays+o.Terms.ReturnDays)
	default:
		return time.Time{}
	}
}

// AvailableDay is the local date of AvailableOn, 2006-01-02; empty while nobody can know.
func (o Order) AvailableDay() string {
	at := o.AvailableOn()
	if at.IsZero() {
		return ""
	}
	if zone, err := time.LoadLocation(o.Terms.Zone); err == nil {
		at = at.In(zone)
	}
	return at.Format(time.DateOnly)
}

func (o Order) releaseAt() time.Time { return o.Delivered.At.AddDate(0, 0, o.Terms.ReturnDays) }

// Mature records what time has made true by now: an unpaid order expired, receipt by default, commission
// released. A held order whose payment session is still open has to be closed at the provider first.
func (o *Order) Mature(now time.Time) error {
	if o.Status() == Held && !now.Before(o.Terms.HoldUntil) {
		o.Expired = &Mark{V: o.next(), At: now, Reason: "unpaid"}
		o.Session = ""
	}
	if o.Status() == Shipped && !now.Before(o.Shipments[0].At.AddDate(0, 0, o.Terms.ReceiptDays)) {
		if err := o.Deliver("default", o.Shipments[0].At.AddDate(0, 0, o.Terms.ReceiptDays)); err != nil {
			return err
		}
	}
	if o.Status() == Delivered && o.Released == nil && o.OnHold() == nil && o.OpenReturn() == nil && !now.Before(o.releaseAt()) {
		o.Released = &Mark{V: o.next(), At: now, Reason: "return window over"}
	}
	return nil
}
