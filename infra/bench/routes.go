package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"yundian/infra/local/wire"
	"yundian/shared/money"
	"yundian/shared/provider"
)

// Route is what one request costs, warm: latency as the client sees it, and what crosses the store's wire.
type Route struct {
	Name       string             `json:"name"`
	Function   string             `json:"function"`
	P50MS      float64            `json:"p50Ms,omitempty"`
	P99MS      float64            `json:"p99Ms,omitempty"`
	Calls      float64            `json:"calls"`      // of the store
	Rounds     float64            `json:"rounds"`     // of them, in sequence
	ReadUnits  float64            `json:"readUnits"`  // consumed capacity
	WriteUnits float64            `json:"writeUnits"` // indexes included
	Ops        map[string]float64 `json:"ops"`        // calls by operation
}

// route is a request to measure. Calls makes n of them, and what has to be there before.
type route struct {
	name     string
	function string
	calls    func(ctx context.Context, s *shop, n int) ([]call, error)
}

// routeTable is every request that is measured, in the order of the road.
func routeTable() []route {
	page := map[string]string{"Accept": "text/html", "Accept-Language": "zh-CN,zh;q=0.9"}
	get := func(path func(*shop) string) func(context.Context, *shop, int) ([]call, error) {
		return same(func(s *shop) call { return call{Method: "GET", Path: path(s), Header: page, Status: 200} })
	}
	koc := func(path string) func(context.Context, *shop, int) ([]call, error) {
		return same(func(s *shop) call { return call{Method: "GET", Path: path, Header: bearer(s.koc), Status: 200} })
	}
	operator := func(path string) func(context.Context, *shop, int) ([]call, error) {
		return same(func(s *shop) call {
			return call{Method: "GET", Path: path, Header: bearer(s.operator), Status: 200}
		})
	}
	return []route{
		{"storefront by share link", "storefront", get(func(s *shop) string { return "/s/" + s.codes.storefront })},
		{"product by share link", "storefront", get(func(s *shop) string { return "/s/" + s.codes.product })},
		{"storefront", "storefront", get(func(s *shop) string { return "/k/" + s.handle })},
		{"product page", "storefront", get(func(s *shop) string { return "/k/" + s.handle + "/p/" + s.products[1] })},
		{"basket page, 2 lines", "storefront", get(func(s *shop) string {
			return "/k/" + s.handle + "/basket?b=" + s.skus[0] + "*1&b=" + s.skus[4] + "*2"
		})},
		{"style sheet", "storefront", get(func(*shop) string { return "/assets/store.css" })},
		{"POST /touch", "touch", same(func(s *shop) call {
			return call{Method: "POST", Path: "/touch", Header: jsonType(), Body: `{"token":"` + s.token + `"}`, Status: 204}
		})},
		{"POST /quotes", "checkout", same(func(s *shop) call {
			return call{Method: "POST", Path: "/quotes", Header: jsonType(), Body: orderBody(s.token, "sandbox", anybody, s.skus[0]), Status: 200}
		})},
		{"POST /orders, 1 line", "checkout", placements("sandbox", 1)},
		{"POST /orders, 5 lines", "checkout", placements("on_delivery", 5)},
		{"POST /orders, returning", "checkout", again},
		{"GET /orders/{id}, JSON", "checkout", ofOrders(func(o placed) call {
			return call{Method: "GET", Path: o.path, Header: jsonType(), Status: 200}
		})},
		{"GET /orders/{id}, page", "checkout", ofOrders(func(o placed) call { return call{Method: "GET", Path: o.path, Header: page, Status: 200} })},
		{"GET /orders/{id}/pay", "checkout", ofOrders(func(o placed) call { return call{Method: "GET", Path: o.pay, Status: 303} })},
		{"webhook: paid", "payments", paidWebhooks},
		{"POST /orders/{id}/cancel", "checkout", ofOrders(func(o placed) call {
			return call{Method: "POST", Path: "/orders/" + o.ID + "/cancel", Header: jsonType(), Body: `{"secret":"` + o.Secret + `"}`, Status: 200}
		})},
		{"GET /v1/me", "portal", koc("/v1/me")},
		{"GET /v1/links", "portal", koc("/v1/links")},
		{"GET /v1/shelf", "portal", koc("/v1/shelf")},
		{"GET /v1/products", "portal", koc("/v1/products?limit=20")},
		{"GET /v1/earnings", "portal", koc("/v1/earnings")},
		{"GET /v1/earnings/entries", "portal", koc("/v1/earnings/entries?limit=20")},
		{"GET /v1/orders", "portal", koc("/v1/orders?limit=20")},
		{"GET /v1/stats by day", "portal", koc("/v1/stats?by=day")},
		{"GET /v1/admin/products", "admin", operator("/v1/admin/products?limit=20")},
		{"GET /v1/admin/orders", "admin", operator("/v1/admin/orders?limit=20")},
		{"GET /v1/admin/kocs", "admin", operator("/v1/admin/kocs")},
	}
}

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}
func jsonType() map[string]string {
	return map[string]string{"Content-Type": "application/json", "Accept": "application/json"}
}

// same is one request over and over.
func same(make func(*shop) call) func(context.Context, *shop, int) ([]call, error) {
	return func(_ context.Context, s *shop, _ int) ([]call, error) { return []call{make(s)}, nil }
}

// placements are orders of so many lines, each of other SKUs than the one before.
func placements(payment string, lines int) func(context.Context, *shop, int) ([]call, error) {
	return func(_ context.Context, s *shop, _ int) ([]call, error) {
		var calls []call
		for skus := range slices.Chunk(s.skus, lines) {
			calls = append(calls, placement(s, payment, skus...))
		}
		return calls, nil
	}
}

func placement(s *shop, payment string, skus ...string) call {
	return call{Method: "POST", Path: "/orders", Header: jsonType(), Body: orderBody(s.token, payment, anybody, skus...), Fresh: true, Status: 201}
}

// again are n orders of people who have ordered before.
func again(_ context.Context, s *shop, n int) ([]call, error) {
	const each = 9 // and the first make ten, which is as many as one phone can have open
	l := line{address: s.URL}
	defer l.close()
	var calls []call
	for len(calls) < n {
		phone := fmt.Sprintf("%08d", mathrand.Int64N(1e8))
		c := call{Method: "POST", Path: "/orders", Header: jsonType(), Body: orderBody(s.token, "on_delivery", phone, s.skus[0]), Fresh: true, Status: 201}
		if _, err := l.send(c); err != nil {
			return nil, err
		}
		calls = append(calls, slices.Repeat([]call{c}, each)...)
	}
	return calls[:n], nil
}

// orderBody is an order of one piece each by whoever has a phone that ends in these eight digits.
func orderBody(token, payment, phone string, skus ...string) string {
	var lines []any
	for _, sku := range skus {
		lines = append(lines, map[string]any{"sku": sku, "quantity": 1})
	}
	body, _ := json.Marshal(map[string]any{ // texts and numbers: cannot fail
		"tokens": []string{token}, "kocCode": "", "coupon": "", "lines": lines, "payment": payment,
		"contact": map[string]any{"name": "陈静", "phone": "+86139" + phone, "email": ""},
		"address": map[string]any{"country": "CN", "region": "浙江省", "city": "杭州市", "district": "西湖区", "division": "330106",
			"line1": "文三路 1 号", "postcode": "310000"},
	})
	return string(body)
}

// placed is an order that a measured request is about.
type placed struct {
	ID     string
	Secret string
	PayURL string
	Total  money.Amount

	path, pay string
}

// place makes n unpaid orders.
func place(ctx context.Context, s *shop, n int) ([]placed, error) {
	l := line{address: s.URL}
	defer l.close()
	orders := make([]placed, n)
	for i := range orders {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		answer, err := l.send(placement(s, "sandbox", s.skus[i%len(s.skus)]))
		if err != nil {
			return nil, err
		}
		o := &orders[i]
		if err := json.Unmarshal(answer.body, o); err != nil {
			return nil, fmt.Errorf("read a placed order: %w", err)
		}
		o.path, o.pay = "/orders/"+o.ID+"?secret="+o.Secret, o.PayURL[len(s.URL):]
	}
	return orders, s.Quiet(ctx)
}

// ofOrders is one request about each of n fresh orders.
func ofOrders(about func(placed) call) func(context.Context, *shop, int) ([]call, error) {
	return func(ctx context.Context, s *shop, n int) ([]call, error) {
		orders, err := place(ctx, s, n)
		if err != nil {
			return nil, err
		}
		calls := make([]call, n)
		for i, o := range orders {
			calls[i] = about(o)
		}
		return calls, nil
	}
}

// paidWebhooks are signed events as the sandbox would send them, each for an order of its own.
func paidWebhooks(ctx context.Context, s *shop, n int) ([]call, error) {
	orders, err := place(ctx, s, n)
	if err != nil {
		return nil, err
	}
	calls := make([]call, n)
	for i, o := range orders {
		now := time.Now()
		body, err := json.Marshal(provider.SandboxEvent{ID: "evt_" + o.ID, Type: "payment.captured", At: now, OrderID: o.ID, Session: "cs_" + o.ID,
			Payment: "pay_" + o.ID, Amount: o.Total})
		if err != nil {
			return nil, fmt.Errorf("write an event: %w", err)
		}
		calls[i] = call{Method: "POST", Path: "/webhooks/" + provider.Sandbox, Body: string(body), Status: 204, Header: map[string]string{
			"Content-Type": "application/json", provider.SandboxSignatureHeader: provider.SandboxSignature(s.SandboxKey(), body, now)}}
	}
	return calls, nil
}

// warmUps are requests, of each client, that reach every cold corner before anything is measured.
const warmUps = 3

// latencies sends each route's requests one after the other, all routes in turn, several times.
func (b *bench) latencies(ctx context.Context, r *Report) error {
	s, err := b.open(ctx, false)
	if err != nil {
		return err
	}
	defer s.close(&b.peaks)
	r.Machine.Engine = engineName(s)
	table := routeTable()
	medians, all := map[string][]time.Duration{}, map[string][]time.Duration{}
	for range b.Repeats {
		for _, t := range table {
			calls, err := t.calls(ctx, s, b.Latencies+warmUps)
			if err != nil {
				return fmt.Errorf("prepare %s: %w", t.name, err)
			}
			o, err := load(ctx, plan{Base: s.URL, Clients: 1, Most: b.Latencies, WarmUp: warmUps, Calls: calls})
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			medians[t.name], all[t.name] = append(medians[t.name], median(o.Latencies)), append(all[t.name], o.Latencies...)
			if err := s.Quiet(ctx); err != nil {
				return fmt.Errorf("wait for the streams after %s: %w", t.name, err)
			}
		}
	}
	for i, t := range table {
		r.Routes[i].P50MS, r.Routes[i].P99MS = milliseconds(median(medians[t.name])), milliseconds(percentile(all[t.name], 99))
	}
	return nil
}

// costs counts what crosses the store's wire, per request and function, and per order in the functions behind streams.
func (b *bench) costs(ctx context.Context, r *Report) error {
	s, err := b.open(ctx, true)
	if err != nil {
		return err
	}
	defer s.close(&b.peaks)
	for i, t := range routeTable() {
		calls, err := t.calls(ctx, s, b.Counted+warmUps)
		if err != nil {
			return fmt.Errorf("prepare %s: %w", t.name, err)
		}
		l := line{address: s.URL}
		for n := range b.Counted + warmUps {
			if n == warmUps {
				s.wires[t.function].Reset()
			}
			if _, err := l.send(calls[n%len(calls)]); err != nil {
				l.close()
				return err
			}
		}
		l.close()
		r.Routes[i].count(s.wires[t.function].Snapshot(), b.Counted)
		if err := s.Quiet(ctx); err != nil {
			return fmt.Errorf("wait for the streams after %s: %w", t.name, err)
		}
	}
	return b.streamCosts(ctx, s, r)
}

// streamCosts walks orders one at a time, so that every batch holds one order: what a quiet shop pays.
func (b *bench) streamCosts(ctx context.Context, s *shop, r *Report) error {
	for _, w := range s.wires {
		w.Reset()
	}
	l := line{address: s.URL}
	defer l.close()
	for range b.Counted {
		calls, err := paidWebhooks(ctx, s, 1)
		if err != nil {
			return err
		}
		if _, err := l.send(calls[0]); err != nil {
			return err
		}
		if err := s.Quiet(ctx); err != nil {
			return fmt.Errorf("wait until an order is settled: %w", err)
		}
	}
	whole := Route{Name: "an order from placing to earnings", Function: "all"}
	for _, name := range slices.Sorted(maps.Keys(s.wires)) {
		counts := s.wires[name].Snapshot()
		if slices.Contains([]string{"attribute", "notify", "settle", "tally"}, name) {
			one := Route{Name: "stream: " + name + ", placed and paid", Function: name}
			one.count(counts, b.Counted)
			r.Routes = append(r.Routes, one)
		}
		whole.count(counts, b.Counted)
	}
	whole.Rounds = 0 // several functions at a time: there is no one sequence
	r.Routes = append(r.Routes, whole)
	return nil
}

// count adds what n requests cost, per request.
func (r *Route) count(c wire.Counts, n int) {
	if r.Ops == nil {
		r.Ops = map[string]float64{}
	}
	per := func(x float64) float64 { return x / float64(n) }
	for name, op := range c.Ops {
		r.Ops[name] += per(float64(op.Calls))
	}
	total := c.Total()
	r.Calls += per(float64(total.Calls))
	r.Rounds += per(float64(c.Rounds))
	r.ReadUnits += per(total.ReadUnits)
	r.WriteUnits += per(total.WriteUnits)
}
