package main

import (
	"context"
	"slices"
	"time"

	"yundian/shared/commission"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/web/api"
)

// EarnedOrder is an order as the KOC sees it whom it was attributed to: what was bought and what it earns, and nothing
// about who bought it.
type EarnedOrder struct {
	ID          string       `json:"id"`
	PlacedAt    time.Time    `json:"placedAt"`
	Status      string       `json:"status" enum:"held,confirmed,paid,shipped,delivered,cancelled,expired"`
	Lines       []EarnedLine `json:"lines"`
	Total       money.Amount `json:"total" doc:"What the shopper pays, with shipping and tax"`
	Refunded    money.Amount `json:"refunded" doc:"Of that, what went back or is on its way back"`
	Commission  money.Amount `json:"commission" doc:"What this KOC keeps of it, net of refunds; 0 until it is paid"`
	Pending     money.Amount `json:"pending" doc:"Of that, what is not available yet"`
	AvailableOn *time.Time   `json:"availableOn" nullable:"true"`
	OnHold      string       `json:"onHold,omitempty" doc:"Why the commission is held back, if it is"`
}

// EarnedLine is one line of such an order.
type EarnedLine struct {
	SKU      string       `json:"sku"`
	Product  string       `json:"product"`
	Title    string       `json:"title"`
	Variant  string       `json:"variant"`
	Quantity int64        `json:"quantity"`
	Net      money.Amount `json:"net" doc:"What commission is based on: without discount, shipping and tax"`
}

// EarnedPage is a page of orders, newest first. It may hold fewer than asked for although there is a next one.
type EarnedPage struct {
	Items []EarnedOrder `json:"items"`
	Next  string        `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

type ordersInput struct {
	api.Paging
	Status string `query:"status" enum:"held,confirmed,paid,shipped,delivered,cancelled,expired" doc:"Only orders with this status"`
}

// skew is how far ahead of this function's clock the one that placed an order may be.
const skew = time.Hour

func (p *portal) listOrders(ctx context.Context, in *ordersInput) (*api.Reply[EarnedPage], error) {
	handle := visitOf(ctx).koc.Handle
	bound := seal.Binding{Owner: handle, Query: "orders?status=" + in.Status}
	after, err := p.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	filter := store.OrderFilter{KOC: handle, Status: ordering.Status(in.Status), To: p.now().Add(skew)}
	orders, next, err := p.store.ListOrders(ctx, filter, after, in.Limit.Size())
	if err != nil {
		return nil, err
	}
	applied, err := p.appliedOf(ctx, orders)
	if err != nil {
		return nil, err
	}
	page := EarnedPage{Items: make([]EarnedOrder, 0, len(orders)), Next: p.keys.Cursor(bound, next)}
	for _, o := range orders {
		page.Items = append(page.Items, viewOrder(o, sumOf(applied[o.ID], handle)))
	}
	return &api.Reply[EarnedPage]{Body: page}, nil
}

func viewOrder(o ordering.Order, sum commission.Position) EarnedOrder {
	c := o.Total.Currency
	v := EarnedOrder{ID: o.ID, PlacedAt: o.PlacedAt, Status: string(o.Status()), Total: o.Total, Refunded: o.RefundedTotal(),
		Commission: money.Of(sum.Net(), c), Pending: money.Of(sum.Pending(), c)}
	for _, l := range o.Lines {
		v.Lines = append(v.Lines, EarnedLine{SKU: l.SKU, Product: l.Product, Title: l.Title, Variant: l.Variant, Quantity: l.Quantity, Net: l.Net})
	}
	if on := o.AvailableOn(); !on.IsZero() {
		v.AvailableOn = &on
	}
	if hold := o.OnHold(); hold != nil {
		v.OnHold = hold.Reason
	}
	return v
}

// sumOf is where the commission of an order stands for one KOC, over all its lines.
func sumOf(a ledger.Applied, handle string) commission.Position {
	var sum commission.Position
	for _, p := range a.Positions {
		if p.KOC == handle {
			sum.Accrued += p.Accrued
			sum.Reversed += p.Reversed
			sum.Released += p.Released
			sum.Clawed += p.Clawed
		}
	}
	return sum
}

// Attribution is the decision about who earned an order, with its reasons.
type Attribution struct {
	OrderID string `json:"orderId"`
	Decision
	Earlier []Decision `json:"earlier,omitempty" doc:"Decisions that this one replaced, the oldest first"`
}

// Decision is one attribution decision.
type Decision struct {
	PolicyVersion int64       `json:"policyVersion"`
	DecidedAt     time.Time   `json:"decidedAt"`
	Winners       []Winner    `json:"winners"`
	Candidates    []Candidate `json:"candidates"`
	Reason        string      `json:"reason" doc:"Why the winners won, or why there are none"`
	Cause         string      `json:"cause" doc:"placement, or what a later decision was caused by"`
}

// Winner is a KOC who earns a share of the commission.
type Winner struct {
	KOC   string `json:"koc"`
	Share int64  `json:"share" doc:"In hundredths of a percent; shares sum to 10,000"`
}

// Candidate is a KOC who was considered.
type Candidate struct {
	KOC      string    `json:"koc" doc:"Empty when a token could not be read"`
	Evidence string    `json:"evidence" enum:"link,code"`
	At       time.Time `json:"at"`
	Outcome  string    `json:"outcome" enum:"won,lost"`
	Reason   string    `json:"reason"`
}

type attributionInput struct {
	ID string `path:"id" maxLength:"200"`
}

// attribution shows a decision to every KOC who was considered in it: who lost is who wants to know why.
func (p *portal) attribution(ctx context.Context, in *attributionInput) (*api.Reply[Attribution], error) {
	o, err := p.store.Order(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if !considered(o, visitOf(ctx).koc.Handle) {
		return nil, store.OrderUnknown(in.ID)
	}
	a := Attribution{OrderID: o.ID}
	for i, award := range o.Awards {
		if i == len(o.Awards)-1 {
			a.Decision = viewDecision(award)
			break
		}
		a.Earlier = append(a.Earlier, viewDecision(award))
	}
	return &api.Reply[Attribution]{Body: a}, nil
}

func considered(o ordering.Order, handle string) bool {
	return slices.ContainsFunc(o.Awards, func(a ordering.Award) bool {
		return slices.ContainsFunc(a.Candidates, func(c ordering.Candidate) bool { return c.KOC == handle }) ||
			slices.ContainsFunc(a.Winners, func(w ordering.Winner) bool { return w.KOC == handle })
	})
}

func viewDecision(a ordering.Award) Decision {
	d := Decision{PolicyVersion: a.PolicyVersion, DecidedAt: a.DecidedAt, Reason: a.Reason, Cause: a.Cause, Winners: []Winner{}, Candidates: []Candidate{}}
	for _, w := range a.Winners {
		d.Winners = append(d.Winners, Winner{KOC: w.KOC, Share: int64(w.Share)})
	}
	for _, c := range a.Candidates {
		d.Candidates = append(d.Candidates, Candidate{KOC: c.KOC, Evidence: string(c.Evidence), At: c.At, Outcome: c.Outcome, Reason: c.Reason})
	}
	return d
}
