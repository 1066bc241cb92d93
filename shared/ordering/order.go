// Package ordering is a shopper's order: what was bought, and every fact that happened to it since.
//
// An order is a set of facts that only grow. Nothing here reads a clock or a store: `now` is passed in, and each
// change is made by a method that refuses what cannot be. The order's status is never stored; it follows from
// the facts, so late, early or repeated events cannot move it backwards.
package ordering

import (
	"fmt"
	"slices"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/identity"
	"yundian/shared/money"
	"yundian/shared/shop"
)

// Limits of one order. Placing it and whatever moves its stock write one item for each line, and a few more, within the 100
// actions of one store transaction; what else grows with lines is part of an item. With everything at its limit an order
// takes four fifths of the 400 KB of one item, of texts that could not be worse; a test of the store holds it to that.
const (
	MaxLines    = 60
	MaxQuantity = 999
	MaxTokens   = 20
	MaxRefunds  = 30
	MaxDisputes = 10
	MaxReturns  = 10
	MaxCaptures = 20
	MaxHolds    = 10
	MaxParcels  = 40
	MaxAwards   = 10
	MaxMonths   = 8 // terms about months on one award: each is an item in the transaction that settles the order
)

// Order is one placed basket. Version counts its writes from 1; every fact carries the version it was written
// with, so that "before" and "after" never depend on a clock.
type Order struct {
	ID       string
	Version  int64
	PlacedAt time.Time
	Day      string // local date of placement in the shop's zone, 2006-01-02, for statistics and periods
	Language string
	Person   string // keyed hash of the shopper's phone or e-mail; the person is in the people table only
	// Identity is by what the shopper is recognised as a KOC: keyed hashes of phone, e-mail and address.
	Identity identity.Hashes `json:",omitzero"`
	Customer Customer        `json:",omitzero"` // whether it was this person's first order; empty where that was not asked
	Payment  string          // provider name: sandbox, on_delivery, …
	Lines    []Line
	Shipping money.Amount
	Tax      money.Amount // sum of the lines' tax
	Discount money.Amount // sum of the lines' discounts
	Total    money.Amount
	Terms    Terms
	Evidence []Evidence

	// What has not happened yet takes no room in the store.
	Session      string        `json:",omitzero"` // the provider's open payment session, if any
	Captures     []Capture     `json:",omitzero"`
	Refunds      []Refund      `json:",omitzero"`
	Disputes     []Dispute     `json:",omitzero"`
	Confirmation *Confirmation `json:",omitzero"` // of an order that asked for one
	Shipments    []Shipment    `json:",omitzero"`
	Returns      []Return      `json:",omitzero"`
	Goods        []GoodsBack   `json:",omitzero"` // pieces that came back
	Holds        []Hold        `json:",omitzero"`
	Awards       []Award       `json:",omitzero"`
	Delivered    *Delivery     `json:",omitzero"`
	Released     *Mark         `json:",omitzero"`
	Cancelled    *Mark         `json:",omitzero"`
	Expired      *Mark         `json:",omitzero"`
	Revived      *Mark         `json:",omitzero"` // an expired order that was paid late, with stock still there
	Withdrawn    *Mark         `json:",omitzero"` // refunded in full before anything was shipped: its goods went back on the shelf
	Redriven     []Mark        `json:",omitzero"` // sent through the streams again because something on the way had given up
}

// Customer says whether somebody orders for the first time.
type Customer string

const (
	NewCustomer Customer = "new"       // every order that this person placed before has come to nothing
	Returning   Customer = "returning" // an order of this person has been paid, or waits to be
)

// Buyer is who ordered, for rules about new or returning customers.
func (o Order) Buyer() Customer {
	if o.Customer == NewCustomer {
		return NewCustomer
	}
	return Returning
}

// CameToNothing reports whether an order ended before it was paid. Money that came afterwards has gone back.
func (o Order) CameToNothing() bool {
	switch o.Status() {
	case Expired:
		return true
	case Cancelled:
		before := o
		before.Captures = slices.DeleteFunc(slices.Clone(o.Captures), func(c Capture) bool { return c.V > o.Cancelled.V })
		return !before.IsPaid()
	default:
		return false
	}
}

// MonthStart is when the local month of the order's placement began, whose rules about months count.
func (o Order) MonthStart() (time.Time, error) {
	zone, err := shop.Zone(o.Terms.Zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("month of order %s: %w", o.ID, err)
	}
	start, err := time.ParseInLocation("2006-01", o.Day[:min(7, len(o.Day))], zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("month of order %s: %w", o.ID, err)
	}
	return start, nil
}

// Line is one SKU of the order with everything about it frozen at placement.
type Line struct {
	SKU       string
	VariantID string // whose stock it is, whatever its SKU becomes
	// StockPolicy is the variant's at placement. What was sold untracked, or before it was there, is given back in the same way.
	StockPolicy catalogue.StockPolicy `json:",omitzero"`
	Owed        int64                 `json:",omitzero"` // pieces that were not there when the order was quoted
	Product     string
	Title       string
	Variant     string
	Image       string
	Tags        []string
	Quantity    int64
	Unit        money.Amount // price of one
	Discount    money.Amount // this line's share of the order's discount
	Net         money.Amount // unit × quantity − discount: what commission is based on
	Tax         money.Amount
}

// Gross is what the shopper pays for the line.
func (l Line) Gross() money.Amount { return money.Of(l.Net.Minor+l.Tax.Minor, l.Net.Currency) }

// Terms are the shop's windows and attribution policy as they stood at placement.
type Terms struct {
	PolicyVersion   int64
	AttributionDays int
	ReturnDays      int
	ReceiptDays     int
	Zone            string    // IANA name of the shop's time zone, whose days count
	HoldUntil       time.Time // when an unpaid order gives its stock back
	// ConfirmUntil is when an order to be paid on delivery gives its stock back unless somebody has confirmed it; zero for
	// one that asks for no confirmation.
	ConfirmUntil time.Time `json:",omitzero"`
}

// EvidenceKind says how a KOC came to be on an order.
type EvidenceKind string

const (
	ByLink EvidenceKind = "link" // a signed token from a page the shopper saw
	ByCode EvidenceKind = "code" // a KOC's code typed at checkout
)

// Evidence is one trace of a KOC on an order. Problem is empty for evidence that may count.
type Evidence struct {
	Kind    EvidenceKind
	Code    string    // empty when malformed or forged
	At      time.Time // when the link was seen or the code typed; when malformed or forged, when the order came with it
	Problem string    `json:",omitzero"` // forged, expired, from_the_future, malformed
}

// Mark is a fact with the version and time it was recorded.
type Mark struct {
	V      int64
	At     time.Time
	Reason string
}

// Capture is money that a provider says it has taken for this order.
type Capture struct {
	V         int64
	PaymentID string
	Amount    money.Amount
	At        time.Time
}

// Shipment is a parcel on its way.
type Shipment struct {
	V        int64
	Carrier  string
	Tracking string
	SKUs     []string // empty: everything
	At       time.Time
}

// Delivery is the receipt and who confirmed it.
type Delivery struct {
	V  int64
	At time.Time
	By string // shopper, operator, default
}

// Confirmation is the word that an order to be paid on delivery is meant, and whose it is.
type Confirmation struct {
	V  int64
	At time.Time
	By string // shopper, operator
}

// Hold keeps an order's commission from being released while somebody looks into it.
type Hold struct {
	V      int64
	Reason string
	By     string
	At     time.Time
	Lifted *Mark
}

// Award is an attribution decision on the order: who earns, at which rates, and why. Awards append; the latest
// counts and the first stays readable.
type Award struct {
	V             int64
	DecidedAt     time.Time
	PolicyVersion int64
	Cause         string // placement, or what caused a later decision
	Candidates    []Candidate
	Winners       []Winner
	Reason        string // code of why the winners won, or why there are none
	BookVersion   int64
	Rates         []LineRate // one per line, in order
	// InviterRate is what the brand pays each winner's inviter on top, as a part of the winner's commission.
	InviterRate money.BasisPoints `json:",omitzero"`
	Months      []MonthTerm       `json:",omitzero"` // rules that look at a whole month of a winner's sales
}

// Candidate is a KOC who was considered, and what became of it.
type Candidate struct {
	KOC      string
	Evidence EvidenceKind
	Code     string
	At       time.Time
	Outcome  string // won or lost
	Reason   string
}

// Winner earns a share of the commission; shares of an award sum to 10,000.
type Winner struct {
	KOC   string
	Code  string // the link or code that won, for statistics
	Share money.BasisPoints
	// Inviter is who had invited this KOC by the time of placement; empty when nobody had. There is no further level.
	Inviter string `json:",omitzero"`
}

// LineRate is the commission rate of one line, frozen with the award.
type LineRate struct {
	Rule        string
	RuleVersion int64
	Rate        money.BasisPoints
	PerUnit     int64 `json:",omitzero"` // minor units for each piece, instead of the rate
	LineCap     int64 `json:",omitzero"` // minor units: the most that the line earns; 0 for no cap
	OrderCap    int64 `json:",omitzero"` // minor units: the most that all lines under this rule earn together; 0 for no cap
}

// MonthTerm is a rule about everything that a winner sells in the month of this order's placement, frozen with the
// award: a cap on the commission, or bonuses for sales. The terms of a month are those in force when it began.
type MonthTerm struct {
	KOC         string
	Rule        string
	RuleVersion int64
	Lines       []int       // the lines that count, by index
	Cap         int64       `json:",omitzero"` // minor units: the most commission of the month; 0 for no cap
	Milestones  []Milestone `json:",omitzero"` // rising in sales and in bonus; the highest one reached is paid
}

// Milestone is a bonus for a month's sales, in minor units.
type Milestone struct {
	Sales int64 `json:"sales"` // net of refunds, without tax and shipping
	Bonus int64 `json:"bonus"`
}

// Status is where an order is on its way, derived from its facts.
type Status string

const (
	Held      Status = "held"      // stock reserved, not paid
	Confirmed Status = "confirmed" // to be paid on delivery
	Paid      Status = "paid"
	Shipped   Status = "shipped"
	Delivered Status = "delivered"
	Cancelled Status = "cancelled"
	Expired   Status = "expired"
)

// OnDelivery is the payment that the courier collects.
const OnDelivery = "on_delivery"

// Status derives the order's status. Ending facts come first: an order that was
// cancelled stays so even when money arrives later (which is then given back).
func (o Order) Status() Status {
	switch {
	case o.Cancelled != nil:
		return Cancelled
	case o.Expired != nil && o.Revived == nil:
		return Expired
	case o.Delivered != nil:
		return Delivered
	case len(o.Shipments) > 0:
		return Shipped
	case o.IsPaid():
		return Paid
	case o.Payment == OnDelivery:
		return Confirmed
	default:
		return Held
	}
}

// Captured is all the money providers have taken for this order.
func (o Order) Captured() money.Amount {
	total := money.Of(0, o.Total.Currency)
	for _, c := range o.Captures {
		total.Minor += c.Amount.Minor // same currency and bounded: Capture refuses others
	}
	return total
}

// IsPaid reports whether the whole total was captured. A total of 0 is paid at once.
func (o Order) IsPaid() bool { return o.Captured().Minor >= o.Total.Minor }

// Award is the decision that counts, or false while there is none.
func (o Order) Award() (Award, bool) {
	if len(o.Awards) == 0 {
		return Award{}, false
	}
	return o.Awards[len(o.Awards)-1], true
}

// OnHold is the first hold that is not lifted, or nil.
func (o Order) OnHold() *Hold {
	for i := range o.Holds {
		if o.Holds[i].Lifted == nil {
			return &o.Holds[i]
		}
	}
	return nil
}

// OpenReturn is the first return that is not closed, or nil.
func (o Order) OpenReturn() *Return {
	for i := range o.Returns {
		if o.Returns[i].Closed == nil {
			return &o.Returns[i]
		}
	}
	return nil
}

// next is the version the facts recorded now will be written with.
func (o Order) next() int64 { return o.Version + 1 }

// line finds a line by SKU, in whatever letter case; placement merges lines so that a SKU stands once.
func (o Order) line(sku string) (int, bool) {
	for i := range o.Lines {
		if catalogue.SameSKU(o.Lines[i].SKU, sku) {
			return i, true
		}
	}
	return 0, false
}
