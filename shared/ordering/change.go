package ordering

import (
	"slices"
	"time"
	"unicode/utf8"

	"yundian/shared/fail"
	"yundian/shared/money"
)

// Capture records money that a provider has taken. The same payment again changes nothing. Another currency, an
// amount that is not the order's total, or a payment without an id, is refused: a person has to look at it. Money for an order that has
// ended, or a second payment for one that is paid, is recorded and at once asked back for the shopper.
func (o *Order) Capture(paymentID string, amount money.Amount, now time.Time) error {
	if amount != o.Total || paymentID == "" {
		return fail.New(fail.Conflict, "payment_differs", "The payment of {amount} does not equal the order's total of {total}.",
			fail.Args{"amount": amount, "total": o.Total})
	}
	if o.HasPayment(paymentID) {
		return nil
	}
	if len(o.Captures) >= MaxCaptures {
		return fail.New(fail.TooMany, "payments_too_many", "This order has too many payments.", nil)
	}
	surplus := o.Captured().Minor >= o.Total.Minor
	o.Captures = append(o.Captures, Capture{V: o.next(), PaymentID: paymentID, Amount: amount, At: now})
	if surplus {
		return o.returnSurplus(paymentID, amount, now)
	}
	o.sortRefunds(paymentID)
	o.sortDisputes(paymentID)
	if err := o.bearLosses(); err != nil {
		return err
	}
	if o.Cancelled != nil {
		return o.returnRest("cancel", o.Cancelled.Reason, now)
	}
	o.withdraw(now)
	return nil
}

// HasPayment reports whether a payment is on record.
func (o Order) HasPayment(id string) bool {
	return slices.ContainsFunc(o.Captures, func(c Capture) bool { return c.PaymentID == id })
}

// OpenSession notes the provider's payment session of a held order, which has to be closed before its stock is released.
func (o *Order) OpenSession(id string) error {
	if o.Status() != Held {
		return o.refuse("pay")
	}
	o.Session = id
	return nil
}

// CaptureLate is Capture for a payment that may have come after the order expired. With stock it brings the order back:
// the stock is reserved again in the same write, which is refused when there is none; then it is called without
// stock, and the money goes back. Money of which a part has gone back already follows it.
func (o *Order) CaptureLate(paymentID string, amount money.Amount, stock bool, now time.Time) error {
	before := len(o.Captures)
	if err := o.Capture(paymentID, amount, now); err != nil {
		return err
	}
	switch {
	case len(o.Captures) == before || o.Status() != Expired:
		return nil
	case stock && o.Refundable().Minor == o.Total.Minor:
		o.Revived = &Mark{V: o.next(), At: now, Reason: "paid late"}
		return nil
	default:
		return o.returnRest("late", "paid after the stock was released", now)
	}
}

// Ship records a parcel. An order is shipped once it is paid or to be paid on delivery.
func (o *Order) Ship(s Shipment, now time.Time) error {
	if err := checkShipment(*o, s); err != nil {
		return err
	}
	s.SKUs = slices.Clone(s.SKUs)
	for i, sku := range s.SKUs {
		at, _ := o.line(sku)
		s.SKUs[i] = o.Lines[at].SKU // as the order spells it
	}
	if o.Unconfirmed() {
		return fail.New(fail.Conflict, "order_unconfirmed", "This order waits for a confirmation by the shopper or the shop. It can be shipped after that.", nil)
	}
	switch o.Status() {
	case Paid, Confirmed:
	case Shipped:
		if slices.ContainsFunc(o.Shipments, func(x Shipment) bool { return x.Carrier == s.Carrier && x.Tracking == s.Tracking }) && !o.adds(s) {
			return nil // the same parcel again
		}
		if len(o.Shipments) >= MaxParcels {
			return fail.New(fail.TooMany, "shipments_too_many", "This order has too many parcels.", nil)
		}
	default:
		return o.refuse("ship")
	}
	if o.Withdrawn != nil || o.nothingLeft() {
		return fail.New(fail.Conflict, "order_refunded", "Everything on this order has been refunded.", nil)
	}
	s.V, s.At = o.next(), now
	o.Shipments = append(o.Shipments, s)
	return nil
}

// Unconfirmed reports whether an order waits for somebody to confirm that it is meant.
func (o Order) Unconfirmed() bool {
	return o.Status() == Confirmed && !o.Terms.ConfirmUntil.IsZero() && o.Confirmation == nil
}

// Confirm records that an order to be paid on delivery is meant, by the word of "shopper" or "operator". The first word
// counts. It can come late, as long as the order has not expired.
func (o *Order) Confirm(by string, now time.Time) error {
	switch {
	case o.Unconfirmed():
		o.Confirmation = &Confirmation{V: o.next(), At: now, By: by}
		return nil
	case o.Payment == OnDelivery && o.Cancelled == nil && o.Expired == nil: // confirmed before, or nobody asked
		return nil
	default:
		return o.refuse("confirm")
	}
}

func checkShipment(o Order, s Shipment) error {
	var f []fail.Field
	if n := utf8.RuneCountInString(s.Carrier); n == 0 || n > 60 {
		f = append(f, fail.At("body.carrier", "text_length", "Between {low} and {high} characters.", fail.Args{"low": 1, "high": 60}))
	}
	if n := utf8.RuneCountInString(s.Tracking); n == 0 || n > 80 {
		f = append(f, fail.At("body.tracking", "text_length", "Between {low} and {high} characters.", fail.Args{"low": 1, "high": 80}))
	}
	for _, sku := range s.SKUs {
		if _, ok := o.line(sku); !ok {
			f = append(f, fail.At("body.lines", "sku_not_ordered", "{sku} is not on this order.", fail.Args{"sku": clip(sku)}))
		}
	}
	return fail.NewFields(f)
}

// Deliver records the receipt, confirmed by "shopper", "operator" or "default". Repeating it changes nothing. An order of
// which parcels are missing is refused. What is paid on delivery is captured when the operator says so, and only then:
// nobody else knows that the courier has the money.
func (o *Order) Deliver(by string, now time.Time) error {
	switch o.Status() {
	case Delivered:
	case Shipped:
		if !o.allShipped() {
			return fail.New(fail.Conflict, "parcels_missing", "Some goods of this order have not been shipped yet.", nil)
		}
		o.Delivered = &Delivery{V: o.next(), At: now, By: by}
	default:
		return o.refuse("deliver")
	}
	if by == ByOperator && o.Payment == OnDelivery && !o.IsPaid() {
		return o.Capture("on_delivery:"+o.ID, o.Total, now)
	}
	return nil
}

// ByOperator confirms a receipt in the name of the shop.
const ByOperator = "operator"

// adds reports whether a parcel holds something that no parcel before has held.
func (o Order) adds(s Shipment) bool {
	if len(s.SKUs) == 0 {
		return !o.allShipped()
	}
	return slices.ContainsFunc(s.SKUs, func(sku string) bool {
		return !slices.ContainsFunc(o.Shipments, func(x Shipment) bool { return len(x.SKUs) == 0 || slices.Contains(x.SKUs, sku) })
	})
}

// allShipped reports whether every line that is not refunded in full is in a parcel.
func (o Order) allShipped() bool {
	sent := map[string]bool{}
	for _, s := range o.Shipments {
		if len(s.SKUs) == 0 {
			return true
		}
		for _, sku := range s.SKUs {
			sent[sku] = true
		}
	}
	for i, l := range o.Lines {
		if !sent[l.SKU] && (l.Gross().Minor == 0 || o.RefundedLine(i, 0).Gross() < l.Gross().Minor) {
			return false
		}
	}
	return len(o.Shipments) > 0
}

// lastShipped is when the last parcel left.
func (o Order) lastShipped() time.Time { return o.Shipments[len(o.Shipments)-1].At }

// Cancel ends an order that has not been shipped, and asks back whatever was paid. Repeating it changes nothing.
func (o *Order) Cancel(reason string, now time.Time) error {
	switch o.Status() {
	case Cancelled:
		return nil
	case Held, Confirmed, Paid:
	default:
		return o.refuse("cancel")
	}
	return o.end(reason, now)
}

// ReturnToSender ends an order to be paid on delivery whose parcel came back unpaid; its goods go back on the shelf.
func (o *Order) ReturnToSender(reason string, now time.Time) error {
	if s := o.Status(); (s == Shipped || s == Delivered) && o.Payment == OnDelivery && !o.IsPaid() {
		return o.end(reason, now)
	}
	return o.Cancel(reason, now)
}

func (o *Order) end(reason string, now time.Time) error {
	o.Cancelled = &Mark{V: o.next(), At: now, Reason: reason}
	return o.returnRest("cancel", reason, now)
}

// Redrive notes that the order is sent through the streams once more: a new version settles everything up to it.
func (o *Order) Redrive(now time.Time) error {
	if len(o.Redriven) >= MaxRedrives {
		return fail.New(fail.TooMany, "redrives_too_many", "This order has been redriven too often. Look for the cause in the logs.", nil)
	}
	o.Redriven = append(o.Redriven, Mark{V: o.next(), At: now})
	return nil
}

// MaxRedrives bounds how often one order is redriven.
const MaxRedrives = 20

// Hold keeps the commission from being released until the hold is lifted.
func (o *Order) Hold(reason, by string, now time.Time) error {
	if n := utf8.RuneCountInString(reason); n == 0 || n > 500 {
		return fail.NewFields([]fail.Field{fail.At("body.reason", "text_length", "Between {low} and {high} characters.", fail.Args{"low": 1, "high": 500})})
	}
	switch {
	case o.Released != nil:
		return fail.New(fail.Conflict, "order_released", "The commission of this order has already been released.", nil)
	case o.OnHold() != nil:
		return nil
	case len(o.Holds) >= MaxHolds:
		return fail.New(fail.TooMany, "holds_too_many", "This order has been held too often.", nil)
	}
	o.Holds = append(o.Holds, Hold{V: o.next(), Reason: reason, By: by, At: now})
	return nil
}

// Lift ends the hold. Without one it changes nothing.
func (o *Order) Lift(reason string, now time.Time) {
	if h := o.OnHold(); h != nil {
		h.Lifted = &Mark{V: o.next(), At: now, Reason: reason}
	}
}

// Decide appends an attribution decision. The first decision of an order is made once; a later one names its cause, and one
// cause decides once.
func (o *Order) Decide(a Award) error {
	decided := slices.ContainsFunc(o.Awards, func(b Award) bool { return b.Cause == a.Cause })
	if decided || a.Cause == CausePlacement && len(o.Awards) > 0 {
		return nil
	}
	if len(o.Awards) >= MaxAwards {
		return fail.New(fail.TooMany, "awards_too_many", "This order has been decided too often.", nil)
	}
	var shares money.BasisPoints
	for _, w := range a.Winners {
		shares += w.Share
	}
	if len(a.Winners) > 0 && (shares != money.Whole || len(a.Rates) != len(o.Lines) || len(a.Months) > MaxMonths) {
		return fail.New(fail.Internal, "award_malformed", "An award's shares sum to 10,000, it has one rate per line and few rules about months.", nil)
	}
	a.V = o.next()
	o.Awards = append(o.Awards, a)
	return nil
}

// CausePlacement is the cause of an order's first decision.
const CausePlacement = "placement"

func (o Order) refuse(doing string) error {
	return fail.New(fail.Conflict, "order_status_"+doing, "This order is {status}, so this can no longer be done.", fail.Args{"status": o.Status(), "doing": doing})
}
