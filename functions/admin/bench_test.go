package main

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yundian/infra/rules"
	"yundian/shared/cashier"
	"yundian/shared/courier"
	"yundian/shared/hooks"
	"yundian/shared/identity"
	"yundian/shared/openapi/openapitest"
	"yundian/shared/ordering"
	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC) // 12:00 in Shanghai

// bench is the operators' API on fresh tables, with a clock that tests turn.
type bench struct {
	*admin
	mu      sync.Mutex
	at      time.Time
	chance  int
	payment string // of orders
	tables  storetest.Env
	asked   atomic.Int64 // writes under a key of their own
}

func open(t *testing.T) *bench {
	t.Helper()
	keys, err := seal.Parse(`{"1": "0123456789abcdef0123456789abcdef"}`)
	if err != nil {
		t.Fatal(err)
	}
	providers, err := provider.New([]string{provider.OnDelivery}, "")
	if err != nil {
		t.Fatal(err)
	}
	payees, err := seal.ParseBox(`{"k1": "a key of payees in these tests"}`)
	if err != nil {
		t.Fatal(err)
	}
	s, env := storetest.OpenWithEnv(t)
	b := &bench{at: noon, payment: provider.OnDelivery, tables: env}
	b.admin = &admin{store: s, cashier: cashier.Cashier{Store: s, Providers: providers}, paymaster: cashier.Paymaster{Store: s, Box: payees}, keys: keys, identity: identity.Key("a key of people in these tests"),
		now: func() time.Time { b.mu.Lock(); defer b.mu.Unlock(); b.at = b.at.Add(time.Millisecond); return b.at },
		random: func() string {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.chance++
			return b.last()
		}}
	box, err := seal.ParseBox(`{"1": "0123456789abcdef0123456789abcdef"}`)
	if err != nil {
		t.Fatal(err)
	}
	b.admin.hooks = hooks.Desk{Store: s, Box: box, Cursors: keys, Courier: courier.New(""), Now: b.admin.now, Random: b.admin.random}
	return b
}

// last is the random text that was given out last.
func (b *bench) last() string { return fmt.Sprintf("CHANCE%020d", b.chance) }

func caller(groups ...string) *web.Caller {
	return &web.Caller{Subject: "sub-" + strings.Join(groups, "-"), ClientID: "console", Scopes: []string{scope}, Groups: groups}
}

// send asks as an operator. A path may have a query; with are headers, in pairs.
func (b *bench) send(t *testing.T, method, path string, body any, with ...string) webtest.Answer {
	t.Helper()
	return b.as(t, caller(operator), method, path, body, with...)
}

// keyed are the paths of writes that are refused without an idempotency key.
var keyed = regexp.MustCompile(`/(refunds|returns/[^/]+|stock|adjustments|adjustments/.+|payouts|payouts/.+|payout-files|payout-files/.+)$`)

// as asks as somebody. A write that needs a key has one of its own unless with names another; "" sends none.
func (b *bench) as(t *testing.T, who *web.Caller, method, path string, body any, with ...string) webtest.Answer {
	t.Helper()
	path, query, _ := strings.Cut(path, "?")
	r := webtest.Request{Method: method, Path: path, Query: query, JSON: body, Header: map[string]string{}, Caller: who}
	if method == "POST" && keyed.MatchString(path) {
		r.Header["Idempotency-Key"] = fmt.Sprintf("key of request %d", b.asked.Add(1))
	}
	if text, ok := body.(string); ok {
		r.JSON, r.Body, r.Header["Content-Type"] = nil, text, "application/json"
	}
	for i := 0; i+1 < len(with); i += 2 {
		r.Header[with[i]] = with[i+1]
	}
	return webtest.Do(t, routes(b.admin), r)
}

func (b *bench) csv(t *testing.T, file string, with ...string) webtest.Answer {
	t.Helper()
	return b.send(t, "POST", "/v1/admin/imports", file, append([]string{"Content-Type", "text/csv"}, with...)...)
}

func want(t *testing.T, a webtest.Answer, status int) webtest.Answer {
	t.Helper()
	if a.Status != status {
		t.Fatalf("want %d, got %s", status, a)
	}
	if status >= 400 {
		a.Problem(t)
	}
	return a
}

// wantCode wants a refusal of a code.
func wantCode(t *testing.T, a webtest.Answer, status int, code string) {
	t.Helper()
	if p := want(t, a, status).Problem(t); p.Type != "urn:yundian:problem:"+code {
		t.Fatalf("want %s, got %s", code, a)
	}
}

// wantField wants a 400 that names a place.
func wantField(t *testing.T, a webtest.Answer, location string) {
	t.Helper()
	for _, f := range want(t, a, http.StatusBadRequest).Problem(t).Errors {
		if f.Location == location {
			return
		}
	}
	t.Fatalf("want a fault at %s, got %s", location, a)
}

func decode[T any](t *testing.T, a webtest.Answer) T {
	t.Helper()
	var v T
	a.Decode(t, &v)
	return v
}

func get[T any](t *testing.T, b *bench, path string) T {
	t.Helper()
	return decode[T](t, want(t, b.send(t, "GET", path, nil), http.StatusOK))
}

type body = map[string]any

func amount(minor int64) body { return body{"amount": minor, "currency": "CNY"} }

// shelve adds a product with one SKU of its id, in stock.
func (b *bench) shelve(t *testing.T, id string, price, stock int64) {
	t.Helper()
	want(t, b.send(t, "POST", "/v1/admin/products", body{"id": id, "title": "Title of " + id,
		"variants": []body{{"sku": id, "price": amount(price), "stock": stock}}}), http.StatusCreated)
}

// approve adds an approved KOC.
func (b *bench) approve(t *testing.T, handle string) {
	t.Helper()
	want(t, b.send(t, "POST", "/v1/admin/kocs", body{"handle": handle, "name": "KOC " + handle, "email": handle + "@example.com"}), http.StatusCreated)
	want(t, b.send(t, "POST", "/v1/admin/kocs/"+handle+"/approve", nil), http.StatusOK)
}

// order places an order of one SKU, decided in favour of a KOC; none for an empty handle.
func (b *bench) order(t *testing.T, id, sku string, quantity int64, handle string) ordering.Order {
	t.Helper()
	ctx := context.Background()
	settings, err := b.store.Settings(ctx)
	if err != nil {
		t.Fatal(err)
	}
	sold, err := b.store.Sellables(ctx, []string{sku})
	if err != nil {
		t.Fatal(err)
	}
	q, err := ordering.Price([]ordering.BasketLine{{SKU: sku, Quantity: quantity}}, sold, settings)
	if err != nil {
		t.Fatal(err)
	}
	now := b.now()
	var evidence []ordering.Evidence
	if handle != "" {
		evidence = []ordering.Evidence{{Kind: ordering.ByCode, Code: handle, At: now}}
	}
	o, err := ordering.Place(ordering.Request{ID: id, Person: "person", Payment: b.payment, Evidence: evidence}, q, settings, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.PlaceOrder(ctx, store.NewOrder{Order: o, Key: "key of " + id, Contact: ordering.Contact{Name: "陈静", Phone: "+8613800000000"},
		Address: ordering.Address{Country: "CN", City: "杭州市", Line1: "文三路 1 号"}}); err != nil {
		t.Fatal(err)
	}
	return b.decide(t, id)
}

// decide does what the attribution function does.
func (b *bench) decide(t *testing.T, id string) ordering.Order {
	t.Helper()
	ctx := context.Background()
	if err := b.store.AttributeOrders(ctx, []string{id}, b.now); err != nil {
		t.Fatal(err)
	}
	o, err := b.store.Order(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// settle does what the settlement function does.
func (b *bench) settle(t *testing.T, id string) {
	t.Helper()
	ctx := context.Background()
	o, err := b.store.Order(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if settled, err := b.store.SettleOrders(ctx, []ordering.Order{o}, b.now); err != nil || settled != 1 {
		t.Fatalf("settle %s: %d, %v", id, settled, err)
	}
}

// serve is what the function serves, and its description.
func serve(a *admin) (*http.ServeMux, huma.API) {
	mux, all := register(a)
	return mux, all.API()
}

func TestRoutesAreThoseOfTheTemplate(t *testing.T) {
	declared, err := rules.Routes("admin")
	if err != nil {
		t.Fatal(err)
	}
	_, v1 := serve(&admin{})
	var paths, served []string
	for _, r := range declared {
		paths = append(paths, r.Path)
		if !slices.Equal(r.Scopes, []string{scope}) {
			t.Errorf("%s asks for %v", r.Path, r.Scopes)
		}
	}
	for path := range v1.OpenAPI().Paths {
		served = append(served, path)
	}
	slices.Sort(paths)
	slices.Sort(served)
	if !slices.Equal(paths, served) {
		t.Errorf("template %v\nmux      %v", paths, served)
	}
}

// TestSampleEvent answers the event that API Gateway really sends.
func TestSampleEvent(t *testing.T) {
	b := open(t)
	a := webtest.Send(t, t.Context(), web.New(routes(b.admin)), "http-operator-api")
	if page := decode[OrderPage](t, want(t, a, http.StatusOK)); len(page.Items) != 0 || page.Next != "" {
		t.Errorf("page %s", a)
	}
}

func TestOpenAPI(t *testing.T) {
	_, v1 := serve(&admin{})
	openapitest.Check(t, v1, "admin")
}

// TestEveryRouteAsksWhoCalls tries every operation as everybody who may not.
func TestEveryRouteAsksWhoCalls(t *testing.T) {
	b := open(t)
	_, v1 := serve(b.admin)
	noScope, koc := caller(operator), caller("koc")
	noScope.Scopes = []string{"openid"}
	koc.Scopes = []string{"yundian/koc"}
	operations := 0
	for path, item := range v1.OpenAPI().Paths {
		at := strings.NewReplacer("{id}", "x", "{return}", "r1").Replace(path)
		for method, described := range map[string]bool{"GET": item.Get != nil, "POST": item.Post != nil, "PATCH": item.Patch != nil, "DELETE": item.Delete != nil} {
			if !described {
				continue
			}
			operations++
			for who, c := range map[string]*web.Caller{"nobody": nil, "no group": caller(), "koc": koc, "no scope": noScope, "a group that only begins alike": caller("operators"),
				"both in one": caller("koc,operator")} {
				if a := b.as(t, c, method, at, nil); a.Status != http.StatusForbidden {
					t.Errorf("%s %s as %s: %s", method, at, who, a)
				}
			}
			a := b.as(t, caller(auditor), method, at, body{})
			if reads := method == "GET"; reads && a.Status == http.StatusForbidden || !reads && a.Status != http.StatusForbidden {
				t.Errorf("%s %s as an auditor: %s", method, at, a)
			}
		}
	}
	if operations != 63 {
		t.Errorf("%d operations were tried, of 63", operations)
	}
	want(t, b.as(t, caller("koc", operator), "GET", "/v1/admin/settings", nil), http.StatusOK)
}

// hostile are requests to a shop with one product, tea, of which there are 5, and how each is answered.
var hostile = []struct {
	method, path, body string
	status             int
}{
	{"PUT", "/v1/admin/products", "{}", 405},
	{"DELETE", "/v1/admin/products/tea", "", 405},
	{"POST", "/v1/admin/settings", "{}", 405},
	{"GET", "/v1/admin/nothing", "", 404},
	{"GET", "/v1/admin/products/%", "", 404},
	{"GET", "/v1/admin/products/a?b", "", 400}, {"GET", "/v1/admin/products/a%3Fb", "", 404}, {"GET", "/v1/admin/orders?phone=13800000000", "", 400},
	{"GET", "/v1/admin/products/" + strings.Repeat("x", 5000), "", 404},
	{"GET", "/v1/admin/orders/" + strings.Repeat("x", 5000), "", 404},
	{"GET", "/v1/admin/orders/ORDER#x", "", 404},
	{"POST", "/v1/admin/kocs/" + strings.Repeat("x", 5000) + "/approve", "", 404},
	{"POST", "/v1/admin/kocs", `{"handle":"mei","name":"Mei","email":"mei@example.com"`, 400},
	{"POST", "/v1/admin/kocs", `{"handle":"mei","handle":"bo","name":"Mei","email":"mei@example.com"}`, 400},
	{"POST", "/v1/admin/kocs", `{"handle":"mei","name":"Mei","email":"mei@example.com","kocId":"x"}`, 400},
	{"POST", "/v1/admin/kocs", strings.Repeat(`[`, 10_000), 400},
	{"POST", "/v1/admin/kocs", `"` + strings.Repeat(`x`, 2<<20) + `"`, 413},
	{"POST", "/v1/admin/stock", `{"sku":"tea","received":1.5,"reason":"x"}`, 400},
	{"POST", "/v1/admin/stock", `{"sku":"tea","received":"1","reason":"x"}`, 400},
	{"POST", "/v1/admin/stock", `{"sku":"tea","received":9223372036854775808,"reason":"x"}`, 400},
	{"POST", "/v1/admin/stock", `{"sku":"tea","received":-1,"reason":"x"}`, 400},
	{"POST", "/v1/admin/stock", `{"sku":"tea","received":0,"reason":"x"}`, 400},
	{"POST", "/v1/admin/stock", `{"sku":"tea","received":1,"writtenOff":1,"reason":"x"}`, 400},
	{"POST", "/v1/admin/stock", `{"sku":"tea","reason":"x"}`, 400},
	{"POST", "/v1/admin/stock", `{"sku":"tea","received":1}`, 400},
	{"POST", "/v1/admin/stock", `{"sku":"tea","received":1,"reason":"\u202e\u200b"}`, 400},
	{"POST", "/v1/admin/stock", `{"sku":"nothing","received":1,"reason":"x"}`, 404},
	{"POST", "/v1/admin/stock", `{"sku":"tea","writtenOff":6,"reason":"x"}`, 409},
	{"POST", "/v1/admin/products", `{"title":"Cup","variants":[{"sku":"cup","price":{"amount":100,"currency":"USD"}}]}`, 400},
	{"POST", "/v1/admin/products", `{"title":"Cup","variants":[{"sku":"cup","price":{"amount":-1,"currency":"CNY"}}]}`, 400},
	{"POST", "/v1/admin/products", `{"title":"Cup","variants":[{"sku":"cup","price":{"amount":1.5,"currency":"CNY"}}]}`, 400},
	{"POST", "/v1/admin/products", `{"title":"Cup","variants":[{"sku":"cup","price":100}]}`, 400},
	{"POST", "/v1/admin/products", `{"title":"Cup","variants":[{"sku":"cup","price":{"amount":100,"currency":"CNY"},"compareAt":{"amount":100,"currency":"USD"}}]}`, 400},
	{"POST", "/v1/admin/products", `{"title":"Cup","variants":[]}`, 400},
	{"POST", "/v1/admin/products", `{"title":"","variants":[{"sku":"cup","price":{"amount":100,"currency":"CNY"}}]}`, 400},
	{"POST", "/v1/admin/products", `{"title":"Cup","status":"sold","variants":[{"sku":"cup","price":{"amount":100,"currency":"CNY"}}]}`, 400},
	{"POST", "/v1/admin/products", `{"id":"../x","title":"Cup","variants":[{"sku":"cup","price":{"amount":100,"currency":"CNY"}}]}`, 400},
	{"POST", "/v1/admin/products", `{"title":"Cup","images":["javascript:x"],"variants":[{"sku":"cup","price":{"amount":100,"currency":"CNY"}}]}`, 400},
	{"POST", "/v1/admin/products", `{"title":"Cup","images":[{"src":"https://a.example/1","size":1}],"variants":[{"sku":"cup","price":{"amount":100,"currency":"CNY"}}]}`, 400},
	{"POST", "/v1/admin/products", `{"title":"Cup","rate":10001,"variants":[{"sku":"cup","price":{"amount":100,"currency":"CNY"}}]}`, 400},
	{"POST", "/v1/admin/products", `{"id":"tea","title":"Tea","variants":[{"sku":"cup","price":{"amount":100,"currency":"CNY"}}]}`, 409},
	{"POST", "/v1/admin/products", `{"id":"cup","title":"Cup","variants":[{"sku":"tea","price":{"amount":100,"currency":"CNY"}}]}`, 409},
	{"PATCH", "/v1/admin/products/tea", `{"role":"x"}`, 400},
	{"PATCH", "/v1/admin/products/tea", `{"rate":-1}`, 400},
	{"PATCH", "/v1/admin/products/tea", `{"variants":[{"sku":"tea","stock":6}]}`, 400},
	{"PATCH", "/v1/admin/products/tea", `{"variants":[{"sku":"new"}]}`, 400},
	{"PATCH", "/v1/admin/products/tea", `{"variants":[{"sku":"other","remove":true}]}`, 400},
	{"PATCH", "/v1/admin/products/tea", `{"variants":[{"sku":"tea","remove":true}]}`, 400},
	{"PATCH", "/v1/admin/products/cup", `{"title":"x"}`, 404},
	{"GET", "/v1/admin/orders?status=lost", "", 400},
	{"GET", "/v1/admin/orders?koc=UPPER", "", 400},
	{"GET", "/v1/admin/orders?from=yesterday", "", 400},
	{"GET", "/v1/admin/orders?from=2026-03-02&to=2026-03-01", "", 400},
	{"GET", "/v1/admin/orders?limit=0", "", 400},
	{"GET", "/v1/admin/orders?limit=-1", "", 400},
	{"GET", "/v1/admin/orders?limit=1e9", "", 200},
	{"GET", "/v1/admin/products?cursor=x", "", 400},
	{"GET", "/v1/admin/verify?cursor=x", "", 400},
	{"POST", "/v1/admin/orders/none/ship", `{"carrier":"SF","tracking":"1"}`, 404},
	{"POST", "/v1/admin/orders/none/deliver", ``, 404},
	{"POST", "/v1/admin/orders/none/refunds", `{"amount":{"amount":1,"currency":"CNY"},"reason":"x"}`, 404},
	{"POST", "/v1/admin/orders/none/release", ``, 404},
	{"POST", "/v1/admin/orders/none/cancel", ``, 404},
	{"POST", "/v1/admin/orders/none/redrive", ``, 404},
	{"PATCH", "/v1/admin/settings", `{"brand":""}`, 400},
	{"PATCH", "/v1/admin/settings", `{"currency":"XXQ"}`, 400},
	{"PATCH", "/v1/admin/settings", `{"currency":"USD"}`, 409},
	{"PATCH", "/v1/admin/settings", `{"languages":["fr"]}`, 400},
	{"PATCH", "/v1/admin/settings", `{"languages":["en","en"]}`, 400},
	{"PATCH", "/v1/admin/settings", `{"timeZone":"Mars/Olympus"}`, 400},
	{"PATCH", "/v1/admin/settings", `{"defaultRate":10001}`, 400},
	{"PATCH", "/v1/admin/settings", `{"windows":{"returnDays":366}}`, 400},
	{"PATCH", "/v1/admin/settings", `{"shipping":{"fee":{"amount":1,"currency":"USD"}}}`, 400},
	{"PATCH", "/v1/admin/settings", `{"shipping":{"fee":{"amount":-1,"currency":"CNY"}}}`, 400},
	{"PATCH", "/v1/admin/settings", `{"defaultShelf":["nothing"]}`, 400},
	{"PATCH", "/v1/admin/settings", `{"defaultShelf":["tea","tea"]}`, 400},
	{"PATCH", "/v1/admin/settings", `{"hero":"javascript:x"}`, 400},
}

func TestHostileRequests(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	for _, tt := range hostile {
		var payload any
		if tt.body != "" {
			payload = tt.body
		}
		a := b.send(t, tt.method, tt.path, payload)
		if a.Status != tt.status {
			t.Errorf("%s %s %.80s: want %d, got %s", tt.method, tt.path[:min(80, len(tt.path))], tt.body, tt.status, a)
		}
		if a.Status >= 400 {
			a.Problem(t)
		}
	}
	// Nothing of it changed anything.
	page := get[ProductPage](t, b, "/v1/admin/products")
	if len(page.Items) != 1 || page.Items[0].Variants[0].Counts != (StockCounts{Available: 5, Received: 5}) {
		t.Errorf("the shop changed: %+v", page)
	}
	if s := get[Settings](t, b, "/v1/admin/settings"); s.Version != 1 || s.DefaultRate != 1000 {
		t.Errorf("the settings changed: %+v", s)
	}
	if kocs := get[KOCPage](t, b, "/v1/admin/kocs"); len(kocs.Items) != 0 {
		t.Errorf("KOCs appeared: %+v", kocs)
	}
}
