package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"yundian/shared/attribution"
	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/courier"
	"yundian/shared/hooks"
	"yundian/shared/identity"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/payout"
	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC) // 12:00 in Shanghai

// bench is a portal on fresh tables with a clock that tests turn.
type bench struct {
	*portal
	at     time.Time
	chance int
	asked  int // withdrawals under a key of their own
}

func open(t *testing.T) *bench {
	t.Helper()
	keys, err := seal.Parse(`{"1": "0123456789abcdef0123456789abcdef"}`)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{at: noon}
	box, err := seal.ParseBox(`{"k1": "a key of payees in these tests"}`)
	if err != nil {
		t.Fatal(err)
	}
	rails, err := provider.NewRails([]string{payout.Bank, payout.Stripe}, "")
	if err != nil {
		t.Fatal(err)
	}
	b.portal = &portal{store: storetest.Open(t), keys: keys, identity: identity.Key("a key of people in these tests"), box: box, rails: rails, login: login{Issuer: "https://login.example/pool", ClientID: "portal"},
		now: func() time.Time { return b.at }, random: func() string { b.chance++; return fmt.Sprintf("chance %d", b.chance) }}
	b.portal.hooks = hooks.Desk{Store: b.store, Box: box, Cursors: keys, Courier: courier.New(""), Now: b.portal.now, Random: func() string { b.chance++; return fmt.Sprintf("CHANCE%020d", b.chance) }}
	return b
}

func subject(handle string) string { return "sub-of-" + handle }

func caller(handle string) *web.Caller {
	return &web.Caller{Subject: subject(handle), ClientID: "portal", Scopes: []string{scope}}
}

// koc adds an approved KOC whose login is bound.
func (b *bench) koc(t *testing.T, handle string) {
	t.Helper()
	b.invited(t, handle, "invitation of "+handle)
	b.want(t, b.send(t, handle, "POST", "/v1/me", map[string]string{"invite": "invitation of " + handle}), http.StatusOK)
}

// invited adds an approved KOC who has not logged in yet.
func (b *bench) invited(t *testing.T, handle, invite string) {
	t.Helper()
	before := b.at.Add(-time.Hour)
	p, err := koc.NewProfile(handle, "KOC "+handle, handle+"@example.com", before)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Approve(koc.InviteHash(invite), before); err != nil {
		t.Fatal(err)
	}
	if err := b.store.CreateKOC(t.Context(), p, store.InviteWrite(koc.InviteHash(invite), handle)); err != nil {
		t.Fatal(err)
	}
}

// send asks as a KOC; "" asks without a login. A path may have a query; with names headers, in pairs.
func (b *bench) send(t *testing.T, handle, method, path string, body any, with ...string) webtest.Answer {
	t.Helper()
	path, query, _ := strings.Cut(path, "?")
	r := webtest.Request{Method: method, Path: path, Query: query, JSON: body, Header: map[string]string{}}
	if handle != "" {
		r.Caller = caller(handle)
	}
	if text, ok := body.(string); ok {
		r.JSON, r.Body, r.Header["Content-Type"] = nil, text, "application/json"
	}
	if method == "POST" && path == "/v1/withdrawals" { // refused without a key
		b.asked++
		r.Header["Idempotency-Key"] = fmt.Sprintf("key of request %d", b.asked)
	}
	for i := 0; i+1 < len(with); i += 2 {
		r.Header[with[i]] = with[i+1]
	}
	return webtest.Do(t, routes(b.portal), r)
}

func (b *bench) want(t *testing.T, a webtest.Answer, status int) webtest.Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("want %d, got %s", status, a)
	}
	if status >= 400 {
		a.Problem(t)
	}
	return a
}

// get reads a 200 answer into a T.
func get[T any](t *testing.T, b *bench, handle, path string) T {
	t.Helper()
	var v T
	b.want(t, b.send(t, handle, "GET", path, nil), http.StatusOK).Decode(t, &v)
	return v
}

// shelve puts an active product with one SKU of the same name into the shop.
func (b *bench) shelve(t *testing.T, id string, price int64) {
	t.Helper()
	b.product(t, catalogue.Product{ID: id, Title: "Title of " + id, Status: catalogue.Active, Images: []catalogue.Image{{Src: "https://cdn.example.com/" + id + ".jpg"}},
		Variants: []catalogue.Variant{{SKU: id, Price: money.Of(price, "CNY")}}})
}

func (b *bench) product(t *testing.T, p catalogue.Product) {
	t.Helper()
	received := map[string]int64{}
	for _, v := range p.Variants {
		received[v.SKU] = 1000
	}
	if err := b.store.SaveProduct(t.Context(), catalogue.Product{}, p, received); err != nil {
		t.Fatal(err)
	}
}

// order places an order of one piece each, with a shopper's data that no KOC may ever see, and with the links that the
// shopper came by, oldest first.
func (b *bench) order(t *testing.T, id string, skus []string, codes ...string) {
	t.Helper()
	ctx := context.Background()
	sold, err := b.store.Sellables(ctx, skus)
	if err != nil {
		t.Fatal(err)
	}
	var basket []ordering.BasketLine
	for _, sku := range skus {
		basket = append(basket, ordering.BasketLine{SKU: sku, Quantity: 1})
	}
	q, err := ordering.Price(basket, sold, shop.Default())
	if err != nil {
		t.Fatal(err)
	}
	var evidence []ordering.Evidence
	for i, code := range codes {
		token := attribution.SignToken(b.keys, code, b.at.Add(time.Duration(i-len(codes))*time.Minute))
		evidence = append(evidence, attribution.ReadToken(b.keys, token, b.at, 24*time.Hour))
	}
	o, err := ordering.Place(ordering.Request{ID: id, Person: "person-hash-of-chen", Payment: "sandbox", Evidence: evidence}, q, shop.Default(), b.at)
	if err != nil {
		t.Fatal(err)
	}
	n := store.NewOrder{Order: o, Contact: ordering.Contact{Name: "陈静", Phone: "+8613800000000", Email: "chen@example.com"},
		Address: ordering.Address{Country: "CN", City: "杭州市", Line1: "文三路 1 号"}, Key: "key-of-" + id, Hash: "h"}
	if _, err := b.store.PlaceOrder(ctx, n); err != nil {
		t.Fatal(err)
	}
	b.decide(t, id)
}

// publish puts a rule book in force at once.
func (b *bench) publish(t *testing.T, change func(*commission.Book)) {
	t.Helper()
	p, err := b.store.Plan(t.Context(), b.at)
	if err != nil {
		t.Fatal(err)
	}
	book := p.InForce()
	change(&book)
	pub, err := p.Publish(commission.Draft{Book: book, Seen: p.Latest}, "CNY", commission.Notice{Zone: time.UTC}, commission.Market{}, b.at)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.Publish(t.Context(), pub); err != nil {
		t.Fatal(err)
	}
}

// decide attributes an order as the function attribute does.
func (b *bench) decide(t *testing.T, id string) {
	t.Helper()
	b.change(t, id, func(o *ordering.Order) error {
		known, err := b.store.KOCs(context.Background(), attribution.Handles(*o))
		if err != nil {
			return err
		}
		award := attribution.Decide(*o, known, b.at)
		book, err := b.store.BookAt(context.Background(), o.PlacedAt)
		if err != nil {
			return err
		}
		return o.Decide(commission.Freeze(*o, award, known, book, book))
	})
}

// change changes an order, settles it and tallies it, as the streams do.
func (b *bench) change(t *testing.T, id string, change func(*ordering.Order) error) {
	t.Helper()
	ctx := context.Background()
	o, err := b.store.UpdateOrder(ctx, id, change)
	if err != nil {
		t.Fatal(err)
	}
	applied, err := b.store.Applied(ctx, []string{id})
	if err != nil {
		t.Fatal(err)
	}
	st, news, err := ledger.Settle(o, applied[id], ledger.Months{}, b.at)
	if err != nil || !news {
		t.Fatalf("settle %s: %v, %v", id, news, err)
	}
	if outdated, err := b.store.Settle(ctx, []ledger.Settlement{st}); err != nil || len(outdated) > 0 {
		t.Fatalf("settle %s: %v, %v", id, outdated, err)
	}
	before, err := b.store.Tallied(ctx, []string{id})
	if err != nil {
		t.Fatal(err)
	}
	if done, err := b.store.Tally(ctx, before[id], st.Fact); err != nil || !done {
		t.Fatalf("tally %s: %v, %v", id, done, err)
	}
}

func (b *bench) pay(t *testing.T, id string) {
	t.Helper()
	b.change(t, id, func(o *ordering.Order) error { return o.Capture("pay-"+id, o.Total, b.at) })
}

func (b *bench) ship(t *testing.T, id string) {
	t.Helper()
	b.change(t, id, func(o *ordering.Order) error { return o.Ship(ordering.Shipment{Carrier: "SF", Tracking: "1"}, b.at) })
}

func (b *bench) deliver(t *testing.T, id string) {
	t.Helper()
	b.change(t, id, func(o *ordering.Order) error { return o.Deliver("shopper", b.at) })
}

func (b *bench) mature(t *testing.T, id string) {
	t.Helper()
	b.change(t, id, func(o *ordering.Order) error { return o.Mature(b.at) })
}

func (b *bench) refund(t *testing.T, id, cause string, minor int64) {
	t.Helper()
	amount := money.Of(minor, "CNY")
	b.change(t, id, func(o *ordering.Order) error {
		_, err := o.RequestRefund(ordering.RefundRequest{ID: id + cause, By: "operator", Reason: cause, Amount: &amount}, b.at)
		return err
	})
}

// seen counts touches of a link today, each by another visitor.
func (b *bench) seen(t *testing.T, code string, visitors int) {
	t.Helper()
	handle, _ := koc.HandleOf(code)
	day, err := shop.Default().Day(b.at)
	if err != nil {
		t.Fatal(err)
	}
	for i := range visitors {
		touch := store.Touch{Code: code, KOC: handle, Day: day, Visitor: fmt.Sprint("visitor ", i), At: b.at}
		if err := b.store.CountTouch(context.Background(), touch); err != nil {
			t.Fatal(err)
		}
	}
}
