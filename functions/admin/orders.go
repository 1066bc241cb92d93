package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/once"
	"yundian/shared/ordering"
	"yundian/shared/seal"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/typed"
	"yundian/shared/web/api"
)

// OrderPage is a page of orders, newest first. It may hold fewer than asked for although there is a next one.
type OrderPage struct {
	Items []ListedOrder `json:"items"`
	Next  string        `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}

type ordersInput struct {
	api.Paging
	Status string `query:"status" enum:"held,confirmed,paid,shipped,delivered,cancelled,expired" doc:"Only orders with this status"`
	KOC    string `query:"koc" maxLength:"30" doc:"Only orders that this KOC earned"`
	From   string `query:"from" maxLength:"40" doc:"Placed from this date or time on; a year ago when absent. Dates are the shop's"`
	To     string `query:"to" maxLength:"40" doc:"Placed before the end of this date, or up to this time; now when absent"`
}

func (a *admin) listOrders(ctx context.Context, in *ordersInput) (*api.Reply[OrderPage], error) {
	filter, err := a.orderFilter(ctx, in)
	if err != nil {
		return nil, err
	}
	bound := seal.Binding{Owner: visitOf(ctx).subject, Query: strings.Join([]string{"orders", in.Status, in.KOC, in.From, in.To}, "&")}
	after, err := a.keys.OpenCursor(bound, in.Cursor)
	if err != nil {
		return nil, err
	}
	orders, next, err := a.store.ListOrders(ctx, filter, after, in.Limit.Size())
	if err != nil {
		return nil, err
	}
	contacts, err := a.store.Contacts(ctx, orders)
	if err != nil {
		return nil, err
	}
	page := OrderPage{Items: make([]ListedOrder, len(orders)), Next: a.keys.Cursor(bound, next)}
	for i, o := range orders {
		page.Items[i] = ListedOrder{OrderSummary: summarise(o), Contact: contacts[o.ID]}
	}
	return &api.Reply[OrderPage]{Body: page}, nil
}

func (a *admin) orderFilter(ctx context.Context, in *ordersInput) (store.OrderFilter, error) {
	filter := store.OrderFilter{Status: ordering.Status(in.Status), KOC: in.KOC, To: a.now(), From: a.now().AddDate(-1, 0, 0)}
	if in.KOC != "" && !koc.ValidHandle(in.KOC) {
		return filter, fail.NewFields([]fail.Field{fail.At("query.koc", "handle_form", "3–30 lower-case letters and digits, words joined by single hyphens.", nil)})
	}
	if in.From == "" && in.To == "" {
		return filter, nil
	}
	settings, err := a.store.Settings(ctx)
	if err != nil {
		return filter, err
	}
	zone, err := settings.Zone()
	if err != nil {
		return filter, err
	}
	var f []fail.Field
	instant := func(where, text string, days int) (time.Time, bool) {
		at, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err == nil {
			at = at.AddDate(0, 0, days).Add(time.Duration(-days) * time.Millisecond)
		} else {
			at, err = time.Parse(time.RFC3339, text)
		}
		known := err == nil && shop.Time(at)
		if !known {
			f = append(f, fail.At("query."+where, "field_date_time", "This must be a time such as 2026-03-01T08:30:00Z.", nil))
		}
		return at, known
	}
	if in.To != "" {
		if to, ok := instant("to", in.To, 1); ok {
			filter.To, filter.From = to, to.AddDate(-1, 0, 0)
		}
	}
	if in.From != "" {
		if from, ok := instant("from", in.From, 0); ok {
			filter.From = from
		}
	}
	if len(f) == 0 && filter.From.After(filter.To) {
		f = append(f, fail.At("query.from", "dates_reversed", "The first time must not be after the last one.", nil))
	}
	return filter, fail.NewFields(f)
}

// orderForm is what an order's id can look like; anything else is answered like an id that no order has.
var orderForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func checkOrderID(id string) error {
	if !orderForm.MatchString(id) {
		return store.OrderUnknown(clip(id))
	}
	return nil
}

type orderInput struct {
	ID string `path:"id"`
}

func (a *admin) getOrder(ctx context.Context, in *orderInput) (*api.Reply[Order], error) {
	if err := checkOrderID(in.ID); err != nil {
		return nil, err
	}
	return a.answerOrder(ctx, in.ID)
}

func (a *admin) answerOrder(ctx context.Context, id string) (*api.Reply[Order], error) {
	o, err := a.store.Order(ctx, id)
	if err != nil {
		return nil, err
	}
	contact, address, err := a.store.Contact(ctx, o)
	if err != nil {
		return nil, err
	}
	v := viewOrder(o, contact, address)
	if n := len(v.Returns); n > 0 {
		if v.Returns[n-1].Reason, err = a.store.ReturnNote(ctx, o); err != nil {
			return nil, err
		}
	}
	return &api.Reply[Order]{Body: v}, nil
}

// update changes an order once per key and answers with the order as it then is.
func (a *admin) update(ctx context.Context, id string, w once.Wish, change func(*ordering.Order) error) (*api.Reply[Order], error) {
	if err := checkOrderID(id); err != nil {
		return nil, err
	}
	_, err := once.Do(ctx, a.store, w, a.now(), func(record once.Record[done]) (done, error) {
		reply, err := record(done{})
		if err != nil {
			return done{}, err
		}
		_, err = a.store.UpdateOrder(ctx, id, change, reply...)
		return done{}, err
	})
	if err != nil {
		return nil, err
	}
	return a.answerOrder(ctx, id)
}

type shipInput struct {
	api.Keyed
	ID   string `path:"id"`
	Body struct {
		Carrier  string     `json:"carrier"`
		Tracking string     `json:"tracking"`
		Lines    []ShipLine `json:"lines,omitempty" maxItems:"60" doc:"What is in the parcel; everything when absent"`
	}
}

// ShipLine is a line in a parcel: its SKU, or an object with it. Lines are shipped whole, so a quantity can only be the
// line's.
type ShipLine struct {
	SKU      string `json:"sku"`
	Quantity *int64 `json:"quantity,omitempty"`
}

// wholeLines refuses parcels with a part of a line.
func wholeLines(o ordering.Order, lines []ShipLine) error {
	var f []fail.Field
	for i, l := range lines {
		j := slices.IndexFunc(o.Lines, func(x ordering.Line) bool { return catalogue.SameSKU(x.SKU, l.SKU) })
		if j >= 0 && l.Quantity != nil && *l.Quantity != o.Lines[j].Quantity {
			f = append(f, fail.At(fmt.Sprintf("body.lines[%d].quantity", i), "out_of_range", "Between {low} and {high}.",
				fail.Args{"low": o.Lines[j].Quantity, "high": o.Lines[j].Quantity}))
		}
	}
	return fail.NewFields(f)
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *ShipLine) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, &l.SKU)
	}
	type plain ShipLine
	return json.Unmarshal(text, (*plain)(l)) // checked against the schema before
}

// Schema implements huma.SchemaProvider.
func (ShipLine) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: "string"},
		{Type: "object", Properties: map[string]*huma.Schema{"sku": {Type: "string"},
			"quantity": {Type: "integer", Description: "That of the line"}}, Required: []string{"sku"}, AdditionalProperties: false}}}
}

func (a *admin) shipOrder(ctx context.Context, in *shipInput) (*api.Reply[Order], error) {
	s := ordering.Shipment{Carrier: typed.TidyLine(in.Body.Carrier), Tracking: typed.TidyLine(in.Body.Tracking)}
	seen := map[string]bool{}
	for i, l := range in.Body.Lines {
		if seen[catalogue.FoldSKU(l.SKU)] {
			return nil, fail.NewFields([]fail.Field{fail.At(fmt.Sprintf("body.lines[%d]", i), "field_unique", "The entries must differ.", nil)})
		}
		seen[catalogue.FoldSKU(l.SKU)] = true
		s.SKUs = append(s.SKUs, l.SKU)
	}
	return a.update(ctx, in.ID, wish(ctx, in.Key, in.Body), func(o *ordering.Order) error {
		if err := wholeLines(*o, in.Body.Lines); err != nil {
			return err
		}
		return o.Ship(s, a.now())
	})
}

// actInput is a write that says everything in its address.
type actInput struct {
	api.Keyed
	ID   string `path:"id"`
	Body *struct{}
}

func (a *admin) confirmOrder(ctx context.Context, in *actInput) (*api.Reply[Order], error) {
	return a.update(ctx, in.ID, wish(ctx, in.Key, nil), func(o *ordering.Order) error { return o.Confirm(ordering.ByOperator, a.now()) })
}

func (a *admin) deliverOrder(ctx context.Context, in *actInput) (*api.Reply[Order], error) {
	return a.update(ctx, in.ID, wish(ctx, in.Key, nil), func(o *ordering.Order) error { return o.Deliver("operator", a.now()) })
}

// Why is the body of a write that is clear without one.
type Why struct {
	Reason string `json:"reason,omitempty" maxLength:"500"`
}

// text is the reason, "" when there is none or no body at all.
func (w *Why) text() string {
	if w == nil {
		return ""
	}
	return w.Reason
}

// underReview is the reason of a hold without one: its KOC sees it and must see that there is a hold.
const underReview = "under review"

// reasonInput is a write that may say why.
type reasonInput struct {
	api.Keyed
	ID   string `path:"id"`
	Body *Why
}

func (a *admin) holdOrder(ctx context.Context, in *reasonInput) (*api.Reply[Order], error) {
	by, reason := visitOf(ctx).subject, cmp.Or(typed.TidyLines(in.Body.text()), underReview)
	return a.update(ctx, in.ID, wish(ctx, in.Key, in.Body.text()), func(o *ordering.Order) error { return o.Hold(reason, by, a.now()) })
}

func (a *admin) releaseHold(ctx context.Context, in *reasonInput) (*api.Reply[Order], error) {
	return a.update(ctx, in.ID, wish(ctx, in.Key, in.Body.text()), func(o *ordering.Order) error {
		o.Lift(typed.TidyLines(in.Body.text()), a.now())
		return nil
	})
}
