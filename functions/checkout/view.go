package main

import (
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
	Unit     money.Amount `json:"unit"`
	Discount money.Amount `json:"discount"`
	Net      money.Amount `json:"net"`
}

// orderView is an order as its shopper sees it. It says nothing about attribution or commission.
type orderView struct {
	ID          string         `json:"id"`
	Secret      string         `json:"secret,omitempty"`
	Status      string         `json:"status"`
	PlacedAt    time.Time      `json:"placedAt"`
	Payment     string         `json:"payment"`
	PayURL      string         `json:"payUrl,omitempty"`
	ExpiresAt   *time.Time     `json:"expiresAt,omitempty"`
	DeliveredAt *time.Time     `json:"deliveredAt,omitempty"`
	Shipments   []shipmentView `json:"shipments,omitempty"`
	Refunds     []refundView   `json:"refunds,omitempty"`
	Disputes    []disputeView  `json:"disputes,omitempty"`
	Returns     []returnView   `json:"returns,omitempty"`
	Refunded    money.Amount   `json:"refunded"`
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

type returnView struct {
	ID     string     `json:"id"`
	At     time.Time  `json:"at"`
	Closed *time.Time `json:"closedAt,omitempty"`
}

func viewQuote(q ordering.Quote) quoteView {
	return quoteView{Lines: viewLines(q.Lines), Discount: q.Discount, Shipping: q.Shipping, Tax: q.Tax, Total: q.Total}
}

func viewLines(lines []ordering.Line) []lineView {
	out := make([]lineView, len(lines))
	for i, l := range lines {
		out[i] = lineView{SKU: l.SKU, Title: l.Title, Variant: l.Variant, Quantity: l.Quantity, Unit: l.Unit, Discount: l.Discount, Net: l.Net}
	}
	return out
}

func (c *checkout) viewOrder(r *http.Request, o ordering.Order) orderView {
	v := orderView{ID: o.ID, Status: string(o.Status()), PlacedAt: o.PlacedAt.UTC(), Payment: o.Payment, Refunded: o.RefundedTotal(),
		quoteView: quoteView{Lines: viewLines(o.Lines), Discount: o.Discount, Shipping: o.Shipping, Tax: o.Tax, Total: o.Total}}
	if o.Status() == ordering.Held {
		until := o.Terms.HoldUntil.UTC()
		v.ExpiresAt = &until
		v.PayURL = web.BaseURL(r, c.publicURL) + "/orders/" + url.PathEscape(o.ID) + "/pay?secret=" + url.QueryEscape(c.keys.OrderSecret(o.ID))
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
		rv := returnView{ID: x.ID, At: x.At.UTC()}
		if x.Closed != nil {
			at := x.Closed.At.UTC()
			rv.Closed = &at
		}
		v.Returns = append(v.Returns, rv)
	}
	return v
}
