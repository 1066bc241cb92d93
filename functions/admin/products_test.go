package main

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/web/webtest"
)

func TestCreateProduct(t *testing.T) {
	b := open(t)
	a := want(t, b.send(t, "POST", "/v1/admin/products", body{"title": " Größe &\u202e Tee ", "tags": []string{"茶", "tea"}, "body": "<p>ok</p><script>x</script>",
		"images": []any{"https://a.example/1.jpg", body{"src": "https://a.example/2.jpg", "alt": "二"}}, "options": []string{"Size"}, "rate": 1500,
		"variants": []body{{"options": []string{"250 g"}, "price": amount(1000), "compareAt": amount(1200), "stock": 3}, {"sku": "own", "title": "Big", "price": amount(2000)}}}),
		http.StatusCreated)
	p := decode[Product](t, a)
	if p.ID != "grosse-and-tee" || p.Title != "Größe & Tee" || p.Status != "active" || p.Body != "<p>ok</p>" || *p.Rate != 1500 || len(p.Images) != 2 || p.Images[1].Alt != "二" {
		t.Errorf("product %s", a)
	}
	v := p.Variants
	if v[0].SKU != "grosse-and-tee-250-g" || v[0].Title != "250 g" || v[0].Stock != 3 || v[0].CompareAt.Minor != 1200 || v[1].SKU != "own" || v[1].Stock != 0 {
		t.Errorf("variants %+v", v)
	}
	if got := decode[Product](t, b.send(t, "GET", "/v1/admin/products/grosse-and-tee", nil)); fmt.Sprint(got.Variants) != fmt.Sprint(v) {
		t.Errorf("read back %+v", got)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/products", body{"title": "Größe & Tee", "variants": []body{{"sku": "other", "price": amount(1)}}}), 409, "product_exists")
	if p := decode[Product](t, want(t, b.send(t, "POST", "/v1/admin/products", body{"title": "龙井茶", "status": "draft", "variants": []body{{"price": amount(0)}}}), 201)); p.ID != "龙井茶" || p.Variants[0].SKU != "龙井茶" || p.Status != "draft" {
		t.Errorf("product %+v", p)
	}
	want(t, b.send(t, "GET", "/v1/admin/products/龙井茶", nil), 200)
}

func TestChangeProduct(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	change := func(c body) Product {
		t.Helper()
		return decode[Product](t, want(t, b.send(t, "PATCH", "/v1/admin/products/tea", c), 200))
	}
	if p := change(body{"title": "Green tea"}); p.Title != "Green tea" || p.Variants[0].Price.Minor != 1000 || p.Variants[0].Stock != 5 {
		t.Errorf("title: %+v", p)
	}
	p := change(body{"variants": []body{{"sku": "tea", "price": amount(900), "compareAt": amount(1000)}, {"sku": "tea-big", "title": "Big", "price": amount(1800), "stock": 2}}})
	if len(p.Variants) != 2 || p.Variants[0].Price.Minor != 900 || p.Variants[0].Stock != 5 || p.Variants[1].Stock != 2 {
		t.Errorf("variants: %+v", p)
	}
	if p := change(body{"variants": []body{{"sku": "tea", "compareAt": amount(0)}, {"sku": "tea-big", "remove": true}}}); len(p.Variants) != 1 || p.Variants[0].CompareAt != nil {
		t.Errorf("removed: %+v", p)
	}
	if p := change(body{"images": []string{"https://a.example/1"}, "tags": []string{"a"}}); len(p.Images) != 1 || !slices.Equal(p.Tags, []string{"a"}) {
		t.Errorf("lists: %+v", p)
	}
	if p := change(body{"images": []string{}, "tags": []string{}, "status": "archived"}); len(p.Images) != 0 || len(p.Tags) != 0 || p.Status != "archived" {
		t.Errorf("emptied: %+v", p)
	}
	found, err := b.store.Sellables(t.Context(), []string{"tea", "tea-big"})
	if err != nil || found["tea"].Status != catalogue.Archived || found["tea-big"].Status != catalogue.Archived {
		t.Errorf("checkout sees %+v, %v", found, err)
	}
}

// book is the rule book in force.
func (b *bench) book(t *testing.T) commission.Book {
	t.Helper()
	p, err := b.store.Plan(t.Context(), b.now())
	if err != nil {
		t.Fatal(err)
	}
	return p.InForce()
}

func TestProductRate(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	rate := func(c string) *int64 {
		t.Helper()
		return decode[Product](t, want(t, b.send(t, "PATCH", "/v1/admin/products/tea", c), 200)).Rate
	}
	if r := rate(`{"rate": 2500}`); r == nil || *r != 2500 {
		t.Fatalf("rate %v", r)
	}
	book := b.book(t)
	if tea := book.Rate(commission.Sale{Product: "tea"}); book.Version != 2 || tea.Rate != 2500 || tea.RuleVersion != 2 || book.Rate(commission.Sale{Product: "cup"}).Rate != 1000 {
		t.Errorf("book %+v", book)
	}
	if r := rate(`{"title": "Other"}`); r == nil || *r != 2500 {
		t.Errorf("another change took the rate away: %v", r)
	}
	if r := rate(`{"rate": 0}`); r == nil || *r != 0 {
		t.Errorf("a rate of nothing is a rate: %v", r)
	}
	if r := rate(`{"rate": null}`); r != nil {
		t.Errorf("null leaves %v", *r)
	}
	if book = b.book(t); book.Version != 4 || book.Rate(commission.Sale{Product: "tea"}).Rule != "default" {
		t.Errorf("book %+v", book)
	}
}

// TestRatesAtOnce: rule books of rates that are set at the same time replace one another, and none is lost.
func TestRatesAtOnce(t *testing.T) {
	b := open(t)
	const products = 5
	for i := range products {
		b.shelve(t, fmt.Sprint("tea-", i), 1000, 5)
	}
	var answers [products]webtest.Answer
	var group sync.WaitGroup
	for i := range products {
		group.Go(func() {
			for range 3 { // losing five races in a row is told to the operator, who tries again
				if answers[i] = b.send(t, "PATCH", fmt.Sprint("/v1/admin/products/tea-", i), body{"rate": 100 * (i + 1)}); answers[i].Status != 409 {
					return
				}
			}
		})
	}
	group.Wait()
	for _, a := range answers {
		want(t, a, 200)
	}
	if book := b.book(t); book.Version != products+1 || len(book.Products) != products {
		t.Errorf("book %+v", book)
	}
}

func TestListProducts(t *testing.T) {
	b := open(t)
	for i := range 7 {
		b.shelve(t, fmt.Sprint("tea-", i), 1000, 5)
	}
	want(t, b.send(t, "PATCH", "/v1/admin/products/tea-3", body{"status": "draft"}), 200)
	var ids []string
	cursor, pages := "", 0
	for {
		page := get[ProductPage](t, b, "/v1/admin/products?limit=3&cursor="+cursor)
		for _, p := range page.Items {
			ids = append(ids, p.ID)
			if p.Variants[0].Stock != 5 {
				t.Errorf("stock of %+v", p)
			}
		}
		if pages++; page.Next == "" {
			break
		}
		cursor = page.Next
	}
	if want := []string{"tea-0", "tea-1", "tea-2", "tea-3", "tea-4", "tea-5", "tea-6"}; !slices.Equal(ids, want) || pages != 3 {
		t.Errorf("%d pages: %v", pages, ids)
	}
	if page := get[ProductPage](t, b, "/v1/admin/products?status=active&limit=1e9"); len(page.Items) != 6 || page.Next != "" {
		t.Errorf("%d active products, next %q", len(page.Items), page.Next)
	}
	// A cursor opens for its owner and its query only.
	next := get[ProductPage](t, b, "/v1/admin/products?limit=3").Next
	wantCode(t, b.as(t, caller(auditor), "GET", "/v1/admin/products?limit=3&cursor="+next, nil), 400, "cursor_invalid")
	wantCode(t, b.send(t, "GET", "/v1/admin/products?limit=3&status=draft&cursor="+next, nil), 400, "cursor_invalid")
	wantCode(t, b.send(t, "GET", "/v1/admin/kocs?cursor="+next, nil), 400, "cursor_invalid")
	want(t, b.send(t, "GET", "/v1/admin/products?limit=1&cursor="+next, nil), 200)
}

func TestStock(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	move := func(m body, with ...string) StockAnswer {
		t.Helper()
		m["sku"], m["reason"] = "tea", "count"
		return decode[StockAnswer](t, want(t, b.send(t, "POST", "/v1/admin/stock", m, with...), 200))
	}
	if s := move(body{"received": 10}); s.Stock != 15 || s.Counts != (StockCounts{Available: 15, Received: 15}) {
		t.Errorf("received: %+v", s)
	}
	if s := move(body{"writtenOff": 4}); s.Counts != (StockCounts{Available: 11, Received: 15, WrittenOff: 4}) {
		t.Errorf("written off: %+v", s)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/stock", body{"sku": "tea", "writtenOff": 12, "reason": "x"}), 409, "stock_short_write_off")

	// The same key moves once, however often and however parallel it is sent.
	var answers [6]webtest.Answer
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			answers[i] = b.send(t, "POST", "/v1/admin/stock", body{"sku": "tea", "received": 100, "reason": "x"}, "Idempotency-Key", "stock-key-00000001")
		})
	}
	group.Wait()
	for _, a := range answers {
		if s := decode[StockAnswer](t, want(t, a, 200)); s.Stock != 111 {
			t.Errorf("answer %s", a)
		}
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/stock", body{"sku": "tea", "received": 101, "reason": "x"}, "Idempotency-Key", "stock-key-00000001"), 422, "idempotency_mismatch")
	if got := get[Product](t, b, "/v1/admin/products/tea").Variants[0].Counts; got != (StockCounts{Available: 111, Received: 115, WrittenOff: 4}) {
		t.Errorf("counts %+v", got)
	}
	// Another operator's key of the same name is another key.
	other := &*caller(operator)
	other.Subject = "somebody else"
	if s := decode[StockAnswer](t, want(t, b.as(t, other, "POST", "/v1/admin/stock", body{"sku": "tea", "received": 1, "reason": "x"}, "Idempotency-Key", "stock-key-00000001"), 200)); s.Stock != 112 {
		t.Errorf("answer %+v", s)
	}
}
