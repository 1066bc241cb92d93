package cashier_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yundian/infra/local/sandbox"
	"yundian/shared/cashier"
	"yundian/shared/catalogue"
	"yundian/shared/fail"
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
	cutOff  atomic.Bool       // the provider cannot be reached
	hears   atomic.Bool       // what the provider tells is recorded, and not only acknowledged
	now     time.Time
	address string
}

func (x *till) webhook(w http.ResponseWriter, r *http.Request) {
	if x.hears.Load() {
		p, err := x.Providers.Get(r.Context(), provider.Sandbox)
		body, readErr := io.ReadAll(r.Body)
		event, eventErr := p.Event(r.Header, body, time.Now())
		if err := errors.Join(err, readErr, eventErr, x.Record(r.Context(), provider.Sandbox, event, x.now)); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// dispute asks the sandbox for something about disputes and gives the id that it answers with.
func (x *till) dispute(t *testing.T, path, body string) string {
	t.Helper()
	resp, err := http.Post(x.address+provider.SandboxPath+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ ID string }
	if resp.StatusCode >= 300 || resp.StatusCode == http.StatusCreated && json.NewDecoder(resp.Body).Decode(&answer) != nil {
		t.Fatalf("%s: %s", path, resp.Status)
	}
	return answer.ID
}

// paid places an order, pays it and reads it.
func (x *till) paid(t *testing.T, id string) ordering.Order {
	t.Helper()
	x.hears.Store(true)
	pay(t, x.open(t, x.order(t, id, 2)))
	return x.read(t, id)
}

func (x *till) read(t *testing.T, id string) ordering.Order {
	t.Helper()
	o, err := x.Store.Order(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return o
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
	mux.HandleFunc("POST /webhooks/sandbox", x.webhook)
	mux.Handle(provider.SandboxPath+"/", http.StripPrefix(provider.SandboxPath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if x.cutOff.Load() {
			http.Error(w, "not reachable", http.StatusBadGateway)
			return
		}
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
	sold, err := x.Store.Sellables(t.Context(), []string{"tea"})
	if err != nil {
		t.Fatal(err)
	}
	tea := sold["tea"]
	tea.Stock.Available = pieces // also when an order before has taken them: then the store refuses
	sold["tea"] = tea
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
	second := x.opening(t, o, 1)
	if o := x.expire(t, "o1"); o.Status() != ordering.Expired {
		t.Fatalf("not expired: %s", o.Status())
	}
	pay(t, second.URL)
	sandbox, err := x.Providers.Get(t.Context(), provider.Sandbox)
	if err != nil {
		t.Fatal(err)
	}
	if closed, err := sandbox.Close(t.Context(), second.ID); err != nil || closed.AlreadyPaid {
		t.Errorf("the payment opened meanwhile could still be paid: %+v, %v", closed, err)
	}
}

// opening opens another payment whenever one is closed, as often as times says; it gives the last one.
func (x *till) opening(t *testing.T, o ordering.Order, times int) *provider.Session {
	other, err := x.Providers.Get(t.Context(), provider.Sandbox)
	if err != nil {
		t.Fatal(err)
	}
	last := &provider.Session{}
	var around func(next func())
	around = func(next func()) {
		session, err := other.Open(t.Context(), provider.Checkout{OrderID: o.ID, Amount: o.Total, Key: fmt.Sprint("another", times), ReturnURL: x.address, ExpiresAt: x.now})
		if err != nil {
			t.Error(err)
		}
		*last = session
		if _, err := x.Store.UpdateOrder(t.Context(), o.ID, func(o *ordering.Order) error { return o.OpenSession(session.ID) }); err != nil {
			t.Error(err)
		}
		if times--; times > 0 {
			x.closing = around
		}
		next()
	}
	x.closing = around
	return last
}

// Somebody who opens payments for ever keeps the stock, and nobody is told that the order ended.
func TestPaymentsOpenedForEver(t *testing.T) {
	x := open(t)
	o := x.order(t, "o1", 2)
	x.open(t, o)
	x.opening(t, o, 5)
	late := x.now.Add(time.Hour)
	if _, err := x.End(t.Context(), "o1", late, func(o *ordering.Order) error { return o.Mature(late) }); err == nil || fail.KindOf(err) != fail.Internal {
		t.Errorf("ended five times in vain: %v", err)
	}
	if o := x.read(t, "o1"); o.Status() != ordering.Held {
		t.Errorf("the order is %s", o.Status())
	}
	if o := x.expire(t, "o1"); o.Status() != ordering.Expired {
		t.Errorf("then the order is %s", o.Status())
	}
}

func TestOnlyHeldOrdersArePaid(t *testing.T) {
	x := open(t)
	o := x.order(t, "o1", 2)
	x.open(t, o)
	o = x.expire(t, "o1")
	if address, err := x.Open(t.Context(), o, x.address); !fail.Is(err, "order_status_pay") || address != "" {
		t.Errorf("%s, %v", address, err)
	}
	if o := x.read(t, "o1"); o.Session != "" {
		t.Errorf("a payment was opened: %s", o.Session)
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

// A refund was on record when the shopper went to the bank, and nobody knows whether it was sent.
func TestARefundWaitsForTheBank(t *testing.T) {
	for _, c := range []struct {
		outcome, state string
		sends          int // refunds at the provider
	}{{"win", "succeeded", 1}, {"lose", "failed", 0}} {
		t.Run(c.outcome, func(t *testing.T) {
			x := open(t)
			o := x.paid(t, "o1")
			total := o.Total
			o, err := x.Store.UpdateOrder(t.Context(), "o1", func(o *ordering.Order) error {
				_, err := o.RequestRefund(ordering.RefundRequest{ID: "r1", Reason: "x", Amount: &total}, x.now)
				return err
			})
			if err != nil || !o.Refunds[0].Open() {
				t.Fatalf("%+v, %v", o.Refunds, err)
			}
			id := x.dispute(t, "/orders/o1/disputes", "{}")
			if o, err = x.SendRefunds(t.Context(), x.read(t, "o1"), x.now); err != nil || !o.Refunds[0].Open() || o.Refunds[0].Tries != 1 {
				t.Fatalf("sent while the bank decides: %+v, %v", o.Refunds, err)
			}
			x.dispute(t, "/disputes/"+id+"/"+c.outcome, "")
			if o = x.read(t, "o1"); o.Refunds[0].State() != c.state || o.RefundedTotal() != total || len(o.Refunds) != 1 {
				t.Errorf("%+v, %s has gone back", o.Refunds, o.RefundedTotal())
			}
			p, _ := x.Providers.Get(t.Context(), provider.Sandbox)
			if _, err := p.LookupRefund(t.Context(), "r1"); (err == nil) != (c.sends == 1) {
				t.Errorf("at the provider: %v", err)
			}
		})
	}
}

// A refund whose answer was lost was made before the dispute: it is looked up, and both are on record.
func TestARefundThatWasMadeIsFoundInSpiteOfTheDispute(t *testing.T) {
	x := open(t)
	o := x.paid(t, "o1")
	half := money.Of(o.Total.Minor/2, "CNY")
	if _, err := x.Store.UpdateOrder(t.Context(), "o1", func(o *ordering.Order) error {
		_, err := o.RequestRefund(ordering.RefundRequest{ID: "r1", Reason: "x", Amount: &half}, x.now)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	x.dispute(t, "/next", `{"refund": "lost"}`)
	if o, err := x.SendRefunds(t.Context(), x.read(t, "o1"), x.now); err != nil || !o.Refunds[0].Open() {
		t.Fatalf("%+v, %v", o.Refunds, err)
	}
	id := x.dispute(t, "/orders/o1/disputes", "{}")
	x.dispute(t, "/disputes/"+id+"/lose", "")
	if o = x.read(t, "o1"); o.Refunds[0].State() != "succeeded" || o.RefundedTotal() != o.Total || o.Disputes[0].Beyond != half {
		t.Errorf("%+v, %+v", o.Refunds, o.Disputes)
	}
}

func TestDisputesCountOnce(t *testing.T) {
	x := open(t)
	o := x.paid(t, "o1")
	event := func(id string, kind provider.EventType) provider.Event {
		return provider.Event{ID: id, Type: kind, OrderID: "o1", PaymentID: o.Captures[0].PaymentID, DisputeID: "dp", Reason: "fraudulent",
			Amount: money.Of(300, "CNY"), At: x.now}
	}
	for range 2 {
		for _, e := range []provider.Event{event("e2", provider.DisputeLost), event("e1", provider.Disputed)} {
			if err := x.Record(t.Context(), provider.Sandbox, e, x.now); err != nil {
				t.Fatal(err)
			}
		}
	}
	if o = x.read(t, "o1"); len(o.Disputes) != 1 || o.Disputes[0].State() != "lost" || o.Disputes[0].ID != "sandbox:dp" || o.RefundedTotal().Minor != 300 {
		t.Errorf("%+v", o.Disputes)
	}
	if err := x.Record(t.Context(), provider.Sandbox, event("e3", provider.DisputeWon), x.now); !fail.Is(err, "dispute_contradiction") {
		t.Errorf("the opposite outcome: %v", err)
	}
}
