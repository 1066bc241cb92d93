package drive

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
)

// Shop is a running store with one approved KOC, and logins for everybody.
type Shop struct {
	*Client
	Operator, Auditor, KOC string // access tokens
	Handle                 string // of the KOC
}

// Fresh gives a name that no other test uses, so that tests can share one running store.
func Fresh(prefix string) string { return prefix + toLower(rand.Text()[:8]) }

func toLower(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] >= 'A' && b[i] <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

// CNY is money on the wire.
func CNY(minor int) map[string]any { return map[string]any{"amount": minor, "currency": "CNY"} }

// Open fills a running store for one test. Names are fresh, so tests do not meet.
func Open(t testing.TB, base string) *Shop {
	c := NewClient(t, base)
	s := &Shop{Client: c, Operator: c.Token("operator:ana"), Auditor: c.Token("auditor:ivo")}
	s.Handle, s.KOC = s.Approve(Fresh("mei"))
	return s
}

// Approve creates and approves a KOC and binds a login to it.
func (s *Shop) Approve(handle string) (string, string) {
	s.T.Helper()
	s.Post("/v1/admin/kocs", s.Operator, map[string]any{"handle": handle, "name": "美 " + handle, "email": handle + "@example.com"}).Is(201)
	invite := s.Post("/v1/admin/kocs/"+handle+"/approve", s.Operator, map[string]any{}).Is(200).Object().Text("invite")
	token := s.Token("koc:" + handle)
	s.Post("/v1/me", token, map[string]any{"invite": invite}).Is(200)
	return handle, token
}

// Product adds a product with one SKU of the same name.
func (s *Shop) Product(price, stock int) string {
	s.T.Helper()
	id := Fresh("tea-")
	s.Post("/v1/admin/products", s.Operator, map[string]any{"id": id, "title": "Tea " + id, "status": "active",
		"variants": []any{map[string]any{"sku": id, "price": CNY(price), "stock": stock}}}).Is(201)
	return id
}

// Share makes a link of the KOC's.
func (s *Shop) Share(token, target string) string {
	s.T.Helper()
	return s.Post("/v1/links", token, map[string]any{"target": target, "channel": "wechat"}).Is(201).Object().Text("code")
}

// phones counts the shoppers.
var phones atomic.Int64

// Phone is one that nobody else has: a shop lets one phone have few orders open.
func Phone() string { return fmt.Sprintf("+86138%04d%04d", os.Getpid()%10_000, phones.Add(1)%10_000) }

// OrderBody is an order of one line by somebody who has not ordered before; an empty token names no KOC.
func OrderBody(token, sku string, quantity int, payment string) map[string]any {
	body := map[string]any{
		"lines":   []any{map[string]any{"sku": sku, "quantity": quantity}},
		"contact": map[string]any{"name": "陈静", "phone": Phone(), "email": ""},
		"address": map[string]any{"country": "CN", "region": "浙江省", "city": "杭州市", "district": "西湖区", "division": "330106", "line1": "文三路 1 号", "postcode": "310000"},
		"payment": payment,
	}
	if token != "" {
		body["tokens"] = []any{token}
	}
	return body
}

// Order places an order and gives its view.
func (s *Shop) Order(token, sku string, quantity int, payment string) Object {
	s.T.Helper()
	return s.Do(Call{Method: http.MethodPost, Path: "/orders", Key: Fresh("order-key-"), JSON: OrderBody(token, sku, quantity, payment)}).Is(201).Object()
}

// See is the order as its shopper sees it now.
func (s *Shop) See(o Object) Object {
	s.T.Helper()
	return s.Do(Call{Path: "/orders/" + o.Text("id") + "?secret=" + o.Text("secret"), Header: map[string]string{"Accept": "application/json"}}).Is(200).Object()
}

// Balances are what GET /v1/earnings says.
func (s *Shop) Balances(token string) Object {
	s.T.Helper()
	return s.Get("/v1/earnings", token).Is(200).Object()
}

// Earns fails unless the KOC's balances in the shop's currency are these.
func (s *Shop) Earns(token string, pending, available, debt int) {
	s.T.Helper()
	b := s.Balances(token)
	b.Want(s.T, pending, "balances", 0, "pending")
	b.Want(s.T, available, "balances", 0, "available")
	b.Want(s.T, debt, "balances", 0, "debt")
}

// Verify walks through the whole verification and fails on any difference.
func (s *Shop) Verify() {
	s.T.Helper()
	for cursor := ""; ; {
		v := s.Get("/v1/admin/verify?cursor="+cursor, s.Operator).Is(200).Object()
		if v.Len("differences") > 0 || v.At("unsettled") != int64(0) {
			s.T.Errorf("verify found %v and %v unsettled", v.At("differences"), v.At("unsettled"))
		}
		next, more := v.At("next").(string)
		if !more || next == "" {
			return
		}
		cursor = next
	}
}
