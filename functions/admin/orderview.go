package main

import (
	"cmp"
	"time"

	"yundian/shared/money"
	"yundian/shared/ordering"
)

// OrderSummary is an order in a list.
type OrderSummary struct {
	ID       string       `json:"id"`
	Status   string       `json:"status" enum:"held,confirmed,paid,shipped,delivered,cancelled,expired"`
	PlacedAt time.Time    `json:"placedAt"`
	Payment  string       `json:"payment"`
	KOC      string       `json:"koc,omitempty" doc:"Who earned it"`
	Pieces   int64        `json:"pieces"`
	Total    money.Amount `json:"total"`
	Refunded money.Amount `json:"refunded"`
	OnHold   bool         `json:"onHold,omitempty"`
	Disputed bool         `json:"disputed,omitempty" doc:"A dispute is open: the bank may take the payment back"`
	Return   string       `json:"openReturn,omitempty" doc:"Id of a return that waits for an answer"`

	ConfirmUntil *time.Time `json:"confirmUntil,omitempty" doc:"The order waits until then for its shopper or an operator to confirm it; it cannot be shipped before"`
}

// ListedOrder is an order in a list, with who placed it. The contact is empty once it was erased.
type ListedOrder struct {
	OrderSummary
	Contact ordering.Contact `json:"contact"`
}

// Order is an order with everything that happened to it. Contact and address are empty once they were erased.
type Order struct {
	OrderSummary
	Day         string             `json:"day" doc:"Local date of placement"`
	Language    string             `json:"language"`
	Customer    string             `json:"customer" enum:"new,returning" doc:"new: whatever this phone and e-mail address ordered before came to nothing"`
	Lines       []OrderLine        `json:"lines"`
	Shipping    money.Amount       `json:"shipping"`
	Tax         money.Amount       `json:"tax"`
	Discount    money.Amount       `json:"discount"`
	Captured    money.Amount       `json:"captured" doc:"What providers have taken"`
	Refundable  money.Amount       `json:"refundable" doc:"Now: without what a bank is deciding about"`
	Contact     ordering.Contact   `json:"contact"`
	Address     ordering.Address   `json:"address"`
	Payments    []OrderPayment     `json:"payments"`
	Refunds     []Refund           `json:"refunds"`
	Disputes    []OrderDispute     `json:"disputes"`
	Confirmed   *OrderMark         `json:"confirmed,omitempty" doc:"When an order that had to be confirmed was, and by whom"`
	Shipments   []Parcel           `json:"shipments"`
	Delivered   *OrderMark         `json:"delivered,omitempty"`
	Released    *OrderMark         `json:"released,omitempty"`
	Cancelled   *OrderMark         `json:"cancelled,omitempty"`
	Expired     *OrderMark         `json:"expired,omitempty"`
	Holds       []OrderHold        `json:"holds"`
	Returns     []OrderReturn      `json:"returns"`
	Goods       []OrderGoods       `json:"goods" doc:"Pieces that came back"`
	Decisions   []OrderAttribution `json:"attributions" doc:"Who earns and why; the last one counts"`
	AvailableOn *time.Time         `json:"availableOn" nullable:"true" doc:"When the commission becomes available; null while nobody can know"`
}

// OrderLine is one SKU of an order, as it was when it was placed.
type OrderLine struct {
	SKU      string       `json:"sku"`
	Product  string       `json:"product"`
	Title    string       `json:"title"`
	Variant  string       `json:"variant"`
	Quantity int64        `json:"quantity"`
	Unit     money.Amount `json:"unit"`
	Discount money.Amount `json:"discount"`
	Net      money.Amount `json:"net" doc:"What commission is based on"`
	Tax      money.Amount `json:"tax"`
	Refunded int64        `json:"refundedQuantity"`
	Returned money.Amount `json:"refunded" doc:"Net and tax that went back by refunds and lost disputes or are on their way"`
}

// OrderPayment is money that a provider has taken.
type OrderPayment struct {
	ID     string       `json:"id"`
	Amount money.Amount `json:"amount"`
	At     time.Time    `json:"at"`
}

// OrderDispute is a payment that the shopper asked the bank to take back.
type OrderDispute struct {
	ID       string        `json:"id" doc:"The provider's, with its name before it"`
	State    string        `json:"state" enum:"open,won,lost"`
	Payment  string        `json:"payment"`
	Amount   money.Amount  `json:"amount"`
	Reason   string        `json:"reason,omitempty" doc:"The provider's code"`
	At       time.Time     `json:"at" doc:"When the shop heard of it"`
	Closed   *time.Time    `json:"closedAt,omitempty"`
	Lines    []RefundLine  `json:"lines,omitempty" doc:"What a lost one took back of the lines"`
	Shipping *money.Amount `json:"shipping,omitempty" doc:"And of shipping"`
	Beyond   *money.Amount `json:"beyond,omitempty" doc:"What exceeds all that was left of the order: the shop's loss, which takes no commission"`
}

func viewDispute(o ordering.Order, d ordering.Dispute) OrderDispute {
	v := OrderDispute{ID: d.ID, State: d.State(), Payment: d.PaymentID, Amount: d.Amount, Reason: d.Reason, At: d.At.UTC(), Lines: viewRefundLines(o, d.Lines)}
	if end := cmp.Or(d.Won, d.Lost); end != nil {
		at := end.At.UTC()
		v.Closed = &at
	}
	if d.Lost != nil {
		shipping, beyond := money.Of(d.Shipping.Minor, o.Total.Currency), money.Of(d.Beyond.Minor, o.Total.Currency)
		v.Shipping, v.Beyond = &shipping, &beyond
	}
	return v
}

// Parcel is a shipment.
type Parcel struct {
	Carrier  string    `json:"carrier"`
	Tracking string    `json:"tracking"`
	SKUs     []string  `json:"skus" doc:"Empty: everything"`
	At       time.Time `json:"at"`
}

// OrderMark is when something happened, and why or by whom.
type OrderMark struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// OrderHold keeps the commission from being released.
type OrderHold struct {
	Reason string     `json:"reason"`
	By     string     `json:"by"`
	At     time.Time  `json:"at"`
	Lifted *OrderMark `json:"lifted,omitempty"`
}

// OrderAttribution is one decision about who earns.
type OrderAttribution struct {
	PolicyVersion int64            `json:"policyVersion"`
	DecidedAt     time.Time        `json:"decidedAt"`
	Cause         string           `json:"cause"`
	Reason        string           `json:"reason"`
	Winners       []OrderWinner    `json:"winners"`
	Candidates    []OrderCandidate `json:"candidates"`
	Rates         []OrderRate      `json:"rates" doc:"Of each line, in order; frozen with the decision"`
	InviterRate   int64            `json:"inviterRate,omitempty" doc:"What the winners' inviters get on top, as a part of the winners' commission, in hundredths of a percent"`
	Months        []OrderMonth     `json:"months,omitempty" doc:"Rules about the month, frozen with the decision"`
}

// OrderWinner earns a share.
type OrderWinner struct {
	KOC   string `json:"koc"`
	Code  string `json:"code"`
	Share int64  `json:"share" doc:"In hundredths of a percent"`

	Inviter string `json:"inviter,omitempty" doc:"Who had brought this KOC in"`
}

// OrderCandidate was considered.
type OrderCandidate struct {
	KOC      string    `json:"koc"`
	Evidence string    `json:"evidence" enum:"link,code"`
	Code     string    `json:"code"`
	At       time.Time `json:"at"`
	Outcome  string    `json:"outcome" enum:"won,lost"`
	Reason   string    `json:"reason"`
}

// OrderRate is a line's commission and the rule that says so.
type OrderRate struct {
	Rule    string `json:"ruleId"`
	Version int64  `json:"ruleVersion"`
	Rate    int64  `json:"rate" doc:"In hundredths of a percent"`

	PerUnit  int64 `json:"perUnit,omitempty" doc:"Instead of the rate: for each piece, in minor units"`
	LineCap  int64 `json:"lineCap,omitempty" doc:"The most that the line earns, in minor units"`
	OrderCap int64 `json:"orderCap,omitempty" doc:"The most that all lines under this rule earn together, in minor units"`
}

// OrderMonth is a rule about the month of the order's placement.
type OrderMonth struct {
	KOC        string               `json:"koc"`
	Rule       string               `json:"ruleId"`
	Version    int64                `json:"ruleVersion"`
	Lines      []int                `json:"lines" doc:"The lines that count, from 0"`
	Cap        int64                `json:"cap,omitempty" doc:"The most commission of the month, in minor units"`
	Milestones []ordering.Milestone `json:"milestones,omitempty" doc:"Bonuses for sales, in minor units"`
}

func summarise(o ordering.Order) OrderSummary {
	s := OrderSummary{ID: o.ID, Status: string(o.Status()), PlacedAt: o.PlacedAt.UTC(), Payment: o.Payment, Total: o.Total,
		Refunded: o.RefundedTotal(), OnHold: o.OnHold() != nil, Disputed: o.OpenDispute() != nil}
	for _, l := range o.Lines {
		s.Pieces += l.Quantity
	}
	if award, ok := o.Award(); ok && len(award.Winners) > 0 {
		s.KOC = award.Winners[0].KOC
	}
	if r := o.OpenReturn(); r != nil {
		s.Return = r.ID
	}
	if o.Unconfirmed() {
		until := o.Terms.ConfirmUntil.UTC()
		s.ConfirmUntil = &until
	}
	return s
}

func viewOrder(o ordering.Order, c ordering.Contact, ad ordering.Address) Order {
	v := Order{OrderSummary: summarise(o), Day: o.Day, Language: o.Language, Customer: string(o.Buyer()), Shipping: o.Shipping, Tax: o.Tax, Discount: o.Discount,
		Captured: o.Captured(), Refundable: o.Refundable(), Contact: c, Address: ad,
		Released: mark(o.Released), Cancelled: mark(o.Cancelled), Expired: mark(o.Expired)}
	for i, l := range o.Lines {
		back := o.RefundedLine(i, 0)
		v.Lines = append(v.Lines, OrderLine{SKU: l.SKU, Product: l.Product, Title: l.Title, Variant: l.Variant, Quantity: l.Quantity, Unit: l.Unit,
			Discount: l.Discount, Net: l.Net, Tax: l.Tax, Refunded: back.Quantity, Returned: money.Of(back.Gross(), o.Total.Currency)})
	}
	for _, x := range o.Captures {
		v.Payments = append(v.Payments, OrderPayment{ID: x.PaymentID, Amount: x.Amount, At: x.At.UTC()})
	}
	for _, x := range o.Refunds {
		v.Refunds = append(v.Refunds, viewRefund(o, x))
	}
	for _, x := range o.Disputes {
		v.Disputes = append(v.Disputes, viewDispute(o, x))
	}
	for _, x := range o.Shipments {
		v.Shipments = append(v.Shipments, Parcel{Carrier: x.Carrier, Tracking: x.Tracking, SKUs: x.SKUs, At: x.At.UTC()})
	}
	if c := o.Confirmation; c != nil {
		v.Confirmed = &OrderMark{At: c.At.UTC(), Reason: c.By}
	}
	if d := o.Delivered; d != nil {
		v.Delivered = &OrderMark{At: d.At.UTC(), Reason: d.By}
	}
	for _, x := range o.Holds {
		v.Holds = append(v.Holds, OrderHold{Reason: x.Reason, By: x.By, At: x.At.UTC(), Lifted: mark(x.Lifted)})
	}
	for _, x := range o.Returns {
		v.Returns = append(v.Returns, viewReturn(x))
	}
	for _, x := range o.Goods {
		v.Goods = append(v.Goods, OrderGoods{SKU: o.Lines[x.Line].SKU, Quantity: x.Quantity, To: string(x.To), Cause: x.Cause, At: x.At.UTC()})
	}
	for _, x := range o.Awards {
		v.Decisions = append(v.Decisions, viewAward(x))
	}
	if on := o.AvailableOn(); !on.IsZero() {
		on = on.UTC()
		v.AvailableOn = &on
	}
	return v
}

func viewAward(x ordering.Award) OrderAttribution {
	d := OrderAttribution{PolicyVersion: x.PolicyVersion, DecidedAt: x.DecidedAt.UTC(), Cause: x.Cause, Reason: x.Reason}
	for _, w := range x.Winners {
		d.Winners = append(d.Winners, OrderWinner{KOC: w.KOC, Code: w.Code, Share: int64(w.Share), Inviter: w.Inviter})
	}
	for _, c := range x.Candidates {
		d.Candidates = append(d.Candidates, OrderCandidate{KOC: c.KOC, Evidence: string(c.Evidence), Code: c.Code, At: c.At.UTC(), Outcome: c.Outcome, Reason: c.Reason})
	}
	for _, r := range x.Rates {
		d.Rates = append(d.Rates, OrderRate{Rule: r.Rule, Version: r.RuleVersion, Rate: int64(r.Rate), PerUnit: r.PerUnit, LineCap: r.LineCap, OrderCap: r.OrderCap})
	}
	d.InviterRate = int64(x.InviterRate)
	for _, m := range x.Months {
		d.Months = append(d.Months, OrderMonth{KOC: m.KOC, Rule: m.Rule, Version: m.RuleVersion, Lines: m.Lines, Cap: m.Cap, Milestones: m.Milestones})
	}
	return d
}

func mark(m *ordering.Mark) *OrderMark {
	if m == nil {
		return nil
	}
	return &OrderMark{At: m.At.UTC(), Reason: m.Reason}
}
