package main

import (
	"cmp"
	"net/http"
	"net/url"
	"time"

	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/web"
)

// quoteView is a priced basket as JSON.
type quoteView struct {
	Lines    []lineView   `json:"lines"`
	Discount money.Amount `json:"discount"`
	Shipping money.Amount `json:"shipping"`
	Tax      money.Amount `json:"tax"`
	Total    money.Amount `json:"total"`
}

type lineView struct {
	SKU      string       `json:"sku"`
	Title    string       `json:"title"`
	Variant  string       `json:"variant,omitempty"`
	Quantity int64        `json:"quantity"`
	Owed     int64        `json:"owed,omitempty"` // pieces that ship when they are here
	Unit     money.Amount `json:"unit"`
	Discount money.Amount `json:"discount"`
	Net      money.Amount `json:"net"`
}

// orderView is an order as its shopper sees it. It says nothing about attribution or commission.
type orderView struct {
	ID           string         `json:"id"`
	Secret       string         `json:"secret,omitempty"`
	Status       string         `json:"status"`
	PlacedAt     time.Time      `json:"placedAt"`
	Payment      string         `json:"payment"`
	PayURL       string         `json:"payUrl,omitempty"`
	ExpiresAt    *time.Time     `json:"expiresAt,omitempty"`
	ConfirmUntil *time.Time     `json:"confirmUntil,omitempty" doc:"Until when the order waits for its confirmation"`
	DeliveredAt  *time.Time     `json:"deliveredAt,omitempty"`
	Shipments    []shipmentView `json:"shipments,omitempty"`
	Refunds      []refundView   `json:"refunds,omitempty"`
	Disputes     []disputeView  `json:"disputes,omitempty"`
	Returns      []returnView   `json:"returns,omitempty"`
	Refunded     money.Amount   `json:"refunded"`
	quoteView
}

type shipmentView struct {
	Carrier  string    `json:"carrier"`
	Tracking string    `json:"tracking"`
	At       time.Time `json:"at"`
}

type refundView struct {
	ID     string       `json:"id"`
	Amount money.Amount `json:"amount"`
	State  string       `json:"state"`
	At     time.Time    `json:"at"`
}

// disputeView is a dispute as the shopper reads it, who knows the reason.
type disputeView struct {
	Amount money.Amount `json:"amount"`
	State  string       `json:"state"`
	At     time.Time    `json:"at"`
}

// returnView is a return with the shop's answer. Address is where the goods go, while they can be sent.
type returnView struct {
	ID      string           `json:"id"`
	At      time.Time        `json:"at"`
	Lines   []returnLineView `json:"lines"`
	Address string           `json:"address,omitempty"`
	Closed  *time.Time       `json:"closedAt,omitempty"`
	Outcome string           `json:"outcome,omitempty"`
	Answer  string           `json:"answer,omitempty"`
}

type returnLineView struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// returnAddress is where the goods of a return go: the shop's address, or the one that came with the answer. Goods of a return
// that was declined go nowhere.
func returnAddress(x ordering.Return, shop string) string {
	switch {
	case x.Closed == nil:
		return shop
	case x.Closed.Outcome == ordering.Accepted:
		return cmp.Or(x.Closed.Address, shop)
	default:
		return ""
	}
}

func viewReturn(x ordering.Return, shop string) returnView {
	v := returnView{ID: x.ID, At: x.At.UTC(), Lines: []returnLineView{}, Address: returnAddress(x, shop)}
	for _, l := range x.Lines {
		v.Lines = append(v.Lines, returnLineView{SKU: l.SKU, Quantity: l.Quantity})
	}
	if x.Closed != nil {
		at := x.Closed.At.UTC()
		v.Closed, v.Outcome, v.Answer = &at, string(x.Closed.Outcome), x.Closed.Note
	}
	return v
}

func viewQuote(q ordering.Quote) quoteView {
	return quoteView{Lines: viewLines(q.Lines), Discount: q.Discount, Shipping: q.Shipping, Tax: q.Tax, Total: q.Total}
}

func viewLines(lines []ordering.Line) []lineView {
	out := make([]lineView, len(lines))
	for i, l := range lines {
		out[i] = lineView{SKU: l.SKU, Title: l.Title, Variant: l.Variant, Quantity: l.Quantity, Owed: l.Owed, Unit: l.Unit, Discount: l.Discount, Net: l.Net}
	}
	return out
}

// viewOrder is an order as JSON; address is where the shop wants goods to be returned.
func (c *checkout) viewOrder(r *http.Request, o ordering.Order, address string) orderView {
	v := orderView{ID: o.ID, Status: string(o.Status()), PlacedAt: o.PlacedAt.UTC(), Payment: o.Payment, Refunded: o.RefundedTotal(),
		quoteView: quoteView{Lines: viewLines(o.Lines), Discount: o.Discount, Shipping: o.Shipping, Tax: o.Tax, Total: o.Total}}
	if o.Status() == ordering.Held {
		until := o.Terms.HoldUntil.UTC()
		v.ExpiresAt = &until
		v.PayURL = web.BaseURL(r, c.publicURL) + "/orders/" + url.PathEscape(o.ID) + "/pay?secret=" + url.QueryEscape(c.keys.OrderSecret(o.ID))
	}
	if o.Unconfirmed() {
		until := o.Terms.ConfirmUntil.UTC()
		v.ConfirmUntil, v.ExpiresAt = &until, &until
	}
	if o.Delivered != nil {
		at := o.Delivered.At.UTC()
		v.DeliveredAt = &at
	}
	for _, s := range o.Shipments {
		v.Shipments = append(v.Shipments, shipmentView{Carrier: s.Carrier, Tracking: s.Tracking, At: s.At.UTC()})
	}
	for _, x := range o.Refunds {
		v.Refunds = append(v.Refunds, refundView{ID: x.ID, Amount: x.Amount, State: x.State(), At: x.At.UTC()})
	}
	for _, x := range o.Disputes {
		v.Disputes = append(v.Disputes, disputeView{Amount: x.Amount, State: x.State(), At: x.At.UTC()})
	}
	for _, x := range o.Returns {
		v.Returns = append(v.Returns, viewReturn(x, address))
	}
	return v
}
