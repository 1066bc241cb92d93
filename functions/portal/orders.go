package main

import (
	"context"
	"slices"
	"time"

	"yundian/shared/commission"
	"yundian/shared/locale"
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
	Earned      bool         `json:"earned" doc:"Whether this KOC keeps anything of it, as it stands"`
}

// EarnedLine is one line of such an order.
type EarnedLine struct {
	SKU      string       `json:"sku"`
	Product  string       `json:"product"`
	Title    string       `json:"title"`
	Variant  string       `json:"variant"`
	Quantity int64        `json:"quantity"`
	Net      money.Amount `json:"net" doc:"What commission is based on: without discount, shipping and tax"`

	Commission  money.Amount `json:"commission" doc:"What this KOC keeps of it, net of refunds; 0 until it is paid"`
	Pending     money.Amount `json:"pending" doc:"Of that, what is not available yet"`
	Rate        int64        `json:"rate" doc:"In hundredths of a percent; frozen with the decision"`
	PerUnit     int64        `json:"perUnit,omitempty" doc:"Instead of the rate: minor units for each piece"`
	RuleID      string       `json:"ruleId"`
	RuleVersion int64        `json:"ruleVersion"`
	Earned      bool         `json:"earned" doc:"Whether this KOC keeps anything of it, as it stands"`
	Why         []Because    `json:"why" doc:"Why it earns nothing or less than its rate, or is kept back; empty when nothing is to be said. Codes: undecided, lost, replaced, unpaid, cancelled, expired, free, rate_zero, too_small, capped, month_cap, shared, refunded, partly_refunded, charged_back, on_hold, disputed, return_open, not_received"`
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
	page := EarnedPage{Items: make([]EarnedOrder, 0, len(orders)), Next: p.keys.Cursor(bound, next)}
	for _, o := range orders {
		lines, err := commission.Explain(o, handle)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, viewOrder(visitOf(ctx).locale(), o, lines))
	}
	return &api.Reply[EarnedPage]{Body: page}, nil
}

// viewOrder shows an order as its facts stand; the ledger follows them within moments.
func viewOrder(l *locale.Locale, o ordering.Order, lines []commission.Explained) EarnedOrder {
	v := EarnedOrder{ID: o.ID, PlacedAt: o.PlacedAt, Status: string(o.Status()), Total: o.Total, Refunded: o.RefundedTotal(), Lines: viewLines(l, o, lines)}
	var net, pending int64
	for _, e := range lines {
		net, pending = net+e.Net(), pending+e.Pending()
		v.Earned = v.Earned || e.Net() > 0
	}
	v.Commission, v.Pending = money.Of(net, o.Total.Currency), money.Of(pending, o.Total.Currency)
	if on := o.AvailableOn(); !on.IsZero() {
		v.AvailableOn = &on
	}
	if hold := o.OnHold(); hold != nil {
		v.OnHold = hold.Reason
	}
	return v
}

func viewLines(l *locale.Locale, o ordering.Order, lines []commission.Explained) []EarnedLine {
	out := make([]EarnedLine, len(lines))
	for i, e := range lines {
		x, c := o.Lines[i], o.Total.Currency
		out[i] = EarnedLine{SKU: x.SKU, Product: x.Product, Title: x.Title, Variant: x.Variant, Quantity: x.Quantity, Net: x.Net,
			Commission: money.Of(e.Net(), c), Pending: money.Of(e.Pending(), c), Rate: int64(e.Rate.Rate), PerUnit: e.Rate.PerUnit,
			RuleID: e.Rate.Rule, RuleVersion: e.Rate.RuleVersion, Earned: e.Net() > 0, Why: because(l, o, e.Why)}
	}
	return out
}

// Attribution is the decision about who earned an order, with its reasons.
type Attribution struct {
	OrderID string       `json:"orderId"`
	Earned  bool         `json:"earned" doc:"Whether this KOC keeps anything of the order, as it stands"`
	Why     []Because    `json:"why" doc:"Why the order as a whole earns this KOC nothing: what became of the own evidence when another KOC won; empty otherwise, see the lines"`
	Lines   []EarnedLine `json:"lines,omitempty" doc:"What was bought, for a KOC who won the order or had invited the winner"`
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
	KOC   string `json:"koc" doc:"Others are masked"`
	Share int64  `json:"share" doc:"In hundredths of a percent; shares sum to 10,000"`
}

// Candidate is a KOC who was considered.
type Candidate struct {
	KOC      string    `json:"koc" doc:"Others are masked; empty when a token could not be read or was not signed by this shop"`
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
	handle, l := visitOf(ctx).koc.Handle, visitOf(ctx).locale()
	if !considered(o, handle) {
		return nil, store.OrderUnknown(in.ID)
	}
	lines, err := commission.Explain(o, handle)
	if err != nil {
		return nil, err
	}
	a := Attribution{OrderID: o.ID, Why: whyNot(l, o, handle, lines)}
	for _, e := range lines {
		a.Earned = a.Earned || e.Net() > 0
	}
	if slices.ContainsFunc(o.Awards, func(a ordering.Award) bool { return earns(a, handle) }) {
		a.Lines = viewLines(l, o, lines)
	}
	for i, award := range o.Awards {
		if i == len(o.Awards)-1 {
			a.Decision = viewDecision(award, handle)
			break
		}
		a.Earlier = append(a.Earlier, viewDecision(award, handle))
	}
	return &api.Reply[Attribution]{Body: a}, nil
}

func considered(o ordering.Order, handle string) bool {
	return slices.ContainsFunc(o.Awards, func(a ordering.Award) bool {
		return earns(a, handle) || slices.ContainsFunc(a.Candidates, func(c ordering.Candidate) bool { return c.KOC == handle })
	})
}

// earns reports whether a KOC earns by a decision, as a winner or as whoever had invited one.
func earns(a ordering.Award, handle string) bool {
	return slices.ContainsFunc(a.Winners, func(w ordering.Winner) bool { return w.KOC == handle || w.Inviter == handle })
}

func viewDecision(a ordering.Award, own string) Decision {
	d := Decision{PolicyVersion: a.PolicyVersion, DecidedAt: a.DecidedAt, Reason: a.Reason, Cause: a.Cause, Winners: []Winner{}, Candidates: []Candidate{}}
	for _, w := range a.Winners {
		d.Winners = append(d.Winners, Winner{KOC: masked(w.KOC, own), Share: int64(w.Share)})
	}
	for _, c := range a.Candidates {
		d.Candidates = append(d.Candidates, Candidate{KOC: masked(c.KOC, own), Evidence: string(c.Evidence), At: c.At, Outcome: c.Outcome, Reason: c.Reason})
	}
	return d
}
