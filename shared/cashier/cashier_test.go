package cashier_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"yundian/infra/local/sandbox"
	"yundian/shared/cashier"
	"yundian/shared/catalogue"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/provider"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

// till is a cashier on the real store with the real sandbox as its provider.
type till struct {
	cashier.Cashier
	closing func(next func()) // runs around the next request to close a session; nil does nothing
	now     time.Time
	address string
}

const key = "00112233445566778899aabbccddeeff"

func open(t *testing.T) *till {
	t.Helper()
	x := &till{now: time.Now()}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	x.address = server.URL
	box, err := sandbox.New(sandbox.Options{Key: key, WebhookURL: server.URL + "/webhooks/sandbox", Now: time.Now,
		DataFile: filepath.Join(t.TempDir(), "books"), LateDelay: time.Millisecond, RetryDelay: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	mux.HandleFunc("GET /yundian/sandbox", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"key": %q, "url": %q}`, key, server.URL)
	})
	mux.HandleFunc("POST /webhooks/sandbox", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle(provider.SandboxPath+"/", http.StripPrefix(provider.SandboxPath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if around := x.closing; around != nil && strings.HasSuffix(r.URL.Path, "/close") {
			x.closing = nil
			around(func() { box.ServeHTTP(w, r) })
			return
		}
		box.ServeHTTP(w, r)
	})))
	registry, err := provider.New([]string{provider.Sandbox}, strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	x.Cashier = cashier.Cashier{Store: storetest.Open(t), Providers: registry}
	return x
}

// order places an unpaid order of so many pieces of a SKU with stock for one such order.
func (x *till) order(t *testing.T, id string, pieces int64) ordering.Order {
	t.Helper()
	price := money.Of(1000, "CNY")
	if id == "o1" {
		p := catalogue.Product{ID: "tea", Title: "Tea", Status: catalogue.Active, Variants: []catalogue.Variant{{SKU: "tea", Price: price}}}
		if err := x.Store.SaveProduct(t.Context(), catalogue.Product{}, p, map[string]int64{"tea": pieces}); err != nil {
			t.Fatal(err)
		}
	}
	sold := map[string]catalogue.Sellable{"tea": {SKU: "tea", Title: "Tea", Price: price, Status: catalogue.Active, Stock: catalogue.Stock{Available: pieces}}}
	q, err := ordering.Price([]ordering.BasketLine{{SKU: "tea", Quantity: pieces}}, sold, shop.Default())
	if err != nil {
		t.Fatal(err)
	}
	o, err := ordering.Place(ordering.Request{ID: id, Person: "p", Payment: provider.Sandbox}, q, shop.Default(), x.now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Store.PlaceOrder(t.Context(), store.NewOrder{Order: o, Key: "key-of-" + id}); err != nil {
		t.Fatal(err)
	}
	if o, err = x.Store.Order(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	return o
}

func (x *till) open(t *testing.T, o ordering.Order) string {
	t.Helper()
	address, err := x.Open(t.Context(), o, x.address+"/orders/"+o.ID)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// pay presses the sandbox's button; whatever the page answers, the books say what happened.
func pay(t *testing.T, address string) {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(address, url.Values{"outcome": {"pay"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func (x *till) expire(t *testing.T, id string) ordering.Order {
	t.Helper()
	late := x.now.Add(time.Hour)
	o, err := x.End(t.Context(), id, late, func(o *ordering.Order) error { return o.Mature(late) })
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAnExpiryClosesThePaymentFirst(t *testing.T) {
	x := open(t)
	address := x.open(t, x.order(t, "o1", 2))
	if o := x.expire(t, "o1"); o.Status() != ordering.Expired {
		t.Fatalf("not expired: %s", o.Status())
	}
	pay(t, address) // the page is closed
	if o, err := x.Store.Order(t.Context(), "o1"); err != nil || o.Status() != ordering.Expired || len(o.Captures) != 0 {
		t.Errorf("%s with %d payments, %v", o.Status(), len(o.Captures), err)
	}
}

func TestAPaymentThatWasMadeKeepsTheOrder(t *testing.T) {
	x := open(t)
	pay(t, x.open(t, x.order(t, "o1", 2))) // and its webhook was lost
	if o := x.expire(t, "o1"); o.Status() != ordering.Paid || len(o.Refunds) != 0 {
		t.Errorf("a paid order became %s, %+v", o.Status(), o.Refunds)
	}
}

// A payment opened between closing the one before and giving the stock back would be paid for nothing.
func TestAPaymentOpenedMeanwhileIsClosedToo(t *testing.T) {
	x := open(t)
	o := x.order(t, "o1", 2)
	x.open(t, o)
	other, err := x.Providers.Get(t.Context(), provider.Sandbox)
	if err != nil {
		t.Fatal(err)
	}
	var second provider.Session
	x.closing = func(next func()) {
		var err error
		second, err = other.Open(t.Context(), provider.Checkout{OrderID: "o1", Amount: o.Total, Key: "another", ReturnURL: x.address, ExpiresAt: x.now})
		if err != nil {
			t.Error(err)
		}
		if _, err := x.Store.UpdateOrder(t.Context(), "o1", func(o *ordering.Order) error { return o.OpenSession(second.ID) }); err != nil {
			t.Error(err)
		}
		next()
	}
	if o := x.expire(t, "o1"); o.Status() != ordering.Expired {
		t.Fatalf("not expired: %s", o.Status())
	}
	pay(t, second.URL)
	if closed, err := other.Close(t.Context(), second.ID); err != nil || closed.AlreadyPaid {
		t.Errorf("the payment opened meanwhile could still be paid: %+v, %v", closed, err)
	}
}

func TestALatePaymentRevivesOrGoesBack(t *testing.T) {
	x := open(t)
	o := x.order(t, "o1", 2)
	x.expire(t, "o1")
	paid := func(id string) provider.Event {
		return provider.Event{ID: "event-" + id, Type: provider.Captured, OrderID: id, PaymentID: "pay-" + id, Amount: o.Total, At: x.now}
	}
	for range 3 { // told again and again
		if err := x.Record(t.Context(), provider.Sandbox, paid("o1"), x.now); err != nil {
			t.Fatal(err)
		}
	}
	if o, _ := x.Store.Order(t.Context(), "o1"); o.Status() != ordering.Paid || len(o.Captures) != 1 {
		t.Errorf("with stock: %s, %d payments", o.Status(), len(o.Captures))
	}
	if _, err := x.Store.UpdateOrder(t.Context(), "o1", func(o *ordering.Order) error { return o.Cancel("", x.now) }); err != nil {
		t.Fatal(err)
	}
	x.order(t, "o2", 2)
	x.expire(t, "o2")
	x.order(t, "o3", 2) // takes the stock
	if err := x.Record(t.Context(), provider.Sandbox, paid("o2"), x.now); err != nil {
		t.Fatal(err)
	}
	o2, err := x.Store.Order(t.Context(), "o2")
	if err != nil || o2.Status() != ordering.Expired || len(o2.Refunds) != 1 || o2.Refunds[0].Amount != o2.Total {
		t.Errorf("without stock: %s, refunds %+v, %v", o2.Status(), o2.Refunds, err)
	}
}
