package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yundian/shared/ordering"
	"yundian/shared/provider"
	"yundian/shared/store"
	"yundian/shared/web/webtest"
)

func (b *bench) act(t *testing.T, id, what string, with any, headers ...string) Order {
	t.Helper()
	return decode[Order](t, want(t, b.send(t, "POST", "/v1/admin/orders/"+id+"/"+what, with, headers...), http.StatusOK))
}

func TestOrderFromPlacementToDelivery(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	b.approve(t, "mei")
	b.order(t, "o1", "tea", 2, "mei")

	o := get[Order](t, b, "/v1/admin/orders/o1")
	if o.Status != "confirmed" || o.KOC != "mei" || o.Contact.Phone != "+8613800000000" || o.Address.City != "杭州市" || o.Total.Minor != 2000 ||
		len(o.Decisions) != 1 || o.Decisions[0].Winners[0].Share != 10_000 || o.Decisions[0].Rates[0].Rate != 1000 || o.AvailableOn != nil {
		t.Fatalf("order %+v", o)
	}
	if o := b.act(t, "o1", "ship", body{"carrier": "SF", "tracking": "1", "lines": []string{"tea"}}); o.Status != "shipped" || o.Shipments[0].SKUs[0] != "tea" {
		t.Errorf("shipped %+v", o)
	}
	if o := b.act(t, "o1", "ship", body{"carrier": "SF", "tracking": "2", "lines": []body{{"sku": "tea"}}}); len(o.Shipments) != 2 {
		t.Errorf("second parcel %+v", o)
	}
	if o := b.act(t, "o1", "ship", body{"carrier": "SF", "tracking": "2"}); len(o.Shipments) != 2 {
		t.Errorf("the same parcel again %+v", o)
	}
	wantField(t, b.send(t, "POST", "/v1/admin/orders/o1/ship", body{"carrier": "SF", "tracking": "3", "lines": []string{"cup"}}), "body.lines")
	wantField(t, b.send(t, "POST", "/v1/admin/orders/o1/ship", body{"carrier": "SF", "tracking": "3", "lines": []string{"tea", "tea"}}), "body.lines[1]")
	want(t, b.send(t, "POST", "/v1/admin/orders/o1/ship", body{"carrier": "SF", "tracking": "3", "lines": []body{{"sku": "tea", "quantity": 1}}}), 400)
	wantField(t, b.send(t, "POST", "/v1/admin/orders/o1/ship", body{"tracking": "3"}), "body.carrier")

	o = b.act(t, "o1", "deliver", nil)
	if o.Status != "delivered" || o.Delivered.Reason != "operator" || o.Captured.Minor != 2000 || o.AvailableOn == nil || o.AvailableOn.Sub(o.Delivered.At) != 7*24*time.Hour {
		t.Errorf("delivered %+v", o)
	}
	if again := b.act(t, "o1", "deliver", body{}); again.Delivered.At != o.Delivered.At {
		t.Errorf("delivered again %+v", again)
	}
	want(t, b.send(t, "POST", "/v1/admin/orders/o1/deliver", body{"by": "me"}), 400)
	wantCode(t, b.send(t, "POST", "/v1/admin/orders/o1/ship", body{"carrier": "SF", "tracking": "9"}), 409, "order_status_ship")

	if o := b.act(t, "o1", "hold", body{"reason": "同一地址"}); !o.OnHold || o.Holds[0].By != "sub-operator" || o.AvailableOn != nil {
		t.Errorf("held %+v", o)
	}
	if o := b.act(t, "o1", "release", body{"reason": "checked"}); o.OnHold || o.Holds[0].Lifted.Reason != "checked" || o.AvailableOn == nil {
		t.Errorf("lifted %+v", o)
	}
	if o := b.act(t, "o1", "release", nil); o.OnHold {
		t.Errorf("lifted again %+v", o)
	}
}

// TestAnOperatorConfirmsAnOrder that waits for it. Until then it is not shipped, and says until when it waits.
func TestAnOperatorConfirmsAnOrder(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 100_001, 5)
	b.order(t, "o1", "tea", 1, "")
	if page := get[OrderPage](t, b, "/v1/admin/orders"); page.Items[0].Status != "confirmed" || page.Items[0].ConfirmUntil == nil || !page.Items[0].ConfirmUntil.Equal(page.Items[0].PlacedAt.Add(48*time.Hour)) {
		t.Fatalf("listed %+v", page.Items[0])
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/orders/o1/ship", body{"carrier": "SF", "tracking": "1"}), 409, "order_unconfirmed")
	for range 2 {
		if o := b.act(t, "o1", "confirm", nil); o.ConfirmUntil != nil || o.Confirmed == nil || o.Confirmed.Reason != "operator" || o.Status != "confirmed" {
			t.Errorf("confirmed %+v", o)
		}
	}
	if o := b.act(t, "o1", "ship", body{"carrier": "SF", "tracking": "1"}); o.Status != "shipped" {
		t.Errorf("shipped %+v", o)
	}
	b.order(t, "o2", "tea", 1, "")
	b.act(t, "o2", "cancel", nil)
	wantCode(t, b.send(t, "POST", "/v1/admin/orders/o2/confirm", nil), 409, "order_status_confirm")
	want(t, b.send(t, "POST", "/v1/admin/orders/o3/confirm", nil), 404)
}

func TestCloseReturn(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	b.order(t, "o1", "tea", 2, "")
	b.act(t, "o1", "ship", body{"carrier": "SF", "tracking": "1"})
	b.act(t, "o1", "deliver", nil)
	o1, err := b.store.Order(t.Context(), "o1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.UpdateOrder(t.Context(), "o1", func(o *ordering.Order) error {
		_, err := o.RequestReturn([]ordering.BasketLine{{SKU: "tea", Quantity: 1}}, b.now())
		return err
	}, store.ReturnNoteWrite(o1, "too green", b.now())); err != nil {
		t.Fatal(err)
	}
	if o := get[Order](t, b, "/v1/admin/orders/o1"); o.Return != "r1" || o.Returns[0].Reason != "too green" || o.Returns[0].Lines[0].Quantity != 1 || o.AvailableOn != nil {
		t.Fatalf("order %+v", o)
	}
	want(t, b.send(t, "POST", "/v1/admin/orders/o1/returns/r2", body{"outcome": "accepted"}), 404)
	wantField(t, b.send(t, "POST", "/v1/admin/orders/o1/returns/r1", body{"outcome": "maybe"}), "body.outcome")
	if o := b.act(t, "o1", "returns/r1", body{"outcome": "declined", "note": "opened"}); o.Return != "" || o.Returns[0].Closed.Outcome != "declined" || o.Returns[0].Closed.Reason != "opened" || len(o.Refunds) != 0 {
		t.Errorf("closed %+v", o)
	}
}

// TestReturnsEndWithTheirMoney: one call closes the return, refunds it and says where the goods go.
func TestReturnsEndWithTheirMoney(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 9)
	b.order(t, "o1", "tea", 4, "")
	b.act(t, "o1", "ship", body{"carrier": "SF", "tracking": "1"})
	b.act(t, "o1", "deliver", nil)
	ask := func(pieces int64) {
		t.Helper()
		if _, err := b.store.UpdateOrder(t.Context(), "o1", func(o *ordering.Order) error {
			_, err := o.RequestReturn([]ordering.BasketLine{{SKU: "tea", Quantity: pieces}}, b.now())
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	counts := func(sold, available, off int64) {
		t.Helper()
		found, err := b.store.Sellables(t.Context(), []string{"tea"})
		if err != nil {
			t.Fatal(err)
		}
		if s := found["tea"].Stock; s.Sold != sold || s.Available != available || s.WrittenOff != off || s.Received != 9 {
			t.Errorf("stock %+v, want %d sold, %d available, %d written off", s, sold, available, off)
		}
	}
	ask(2)
	path := "/v1/admin/orders/o1/returns/r1"
	wantField(t, b.send(t, "POST", path, body{"outcome": "declined", "goods": "keep"}), "body.outcome")
	wantField(t, b.send(t, "POST", path, body{"outcome": "accepted", "goods": "elsewhere"}), "body.goods")
	want(t, b.send(t, "POST", path, body{"outcome": "accepted", "lines": []body{{"sku": "tea", "quantity": 5}}}), 409)
	o := b.act(t, "o1", "returns/r1", body{"outcome": "accepted", "note": "Thank you", "address": "杭州市文三路 1 号", "lines": []body{{"sku": "tea", "quantity": 1}}, "goods": "writeOff"})
	end := o.Returns[0].Closed
	if end == nil || end.Outcome != "accepted" || end.Reason != "Thank you" || end.Address != "杭州市文三路 1 号" || len(o.Refunds) != 1 || end.Refund != o.Refunds[0].ID {
		t.Fatalf("closed %+v with %+v", end, o.Refunds)
	}
	if r := o.Refunds[0]; r.State != "succeeded" || r.Amount.Minor != 1000 || r.Lines[0].Goods != "writeOff" || len(o.Goods) != 1 || o.Goods[0].To != "writeOff" || o.Goods[0].Cause != r.ID {
		t.Errorf("refund %+v, goods %+v", r, o.Goods)
	}
	counts(3, 5, 1)
	if again := b.act(t, "o1", "returns/r1", body{"outcome": "accepted"}); len(again.Refunds) != 1 {
		t.Errorf("closed twice: %+v", again.Refunds)
	}
	ask(2)
	if o = b.act(t, "o1", "returns/r2", body{"outcome": "accepted"}); o.Refunded.Minor != 3000 {
		t.Errorf("%s refunded", o.Refunded)
	}
	counts(1, 7, 1)
	r := decode[Refund](t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", body{"lines": []body{{"sku": "tea", "quantity": 1}}, "reason": "dented"}))
	if r.Lines[0].Goods != "keep" {
		t.Errorf("what the shopper has: %+v", r)
	}
	counts(1, 7, 1)
}

// A plain refund says where the goods go, too.
func TestARefundSaysWhereTheGoodsGo(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 9)
	b.order(t, "o1", "tea", 4, "")
	b.act(t, "o1", "ship", body{"carrier": "SF", "tracking": "1"})
	b.act(t, "o1", "deliver", nil)
	for n, goods := range []string{"restock", "keep", "writeOff"} {
		sold, off := []int64{3, 3, 2}[n], []int64{0, 0, 1}[n]
		q := body{"lines": []body{{"sku": "tea", "quantity": 1}}, "reason": "too much", "goods": goods}
		if r := decode[Refund](t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", q)); r.Lines[0].Goods != goods {
			t.Errorf("%+v", r)
		}
		found, err := b.store.Sellables(t.Context(), []string{"tea"})
		if s := found["tea"].Stock; err != nil || s.Sold != sold || s.WrittenOff != off || s.Available != 9-sold-off {
			t.Errorf("%s: stock %+v, %v", goods, s, err)
		}
	}
	wantField(t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", body{"amount": body{"amount": 1, "currency": "CNY"}, "reason": "x", "goods": "restock"}), "body.goods")
}

func TestListOrders(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 50)
	b.approve(t, "mei")
	for i := range 5 {
		handle := ""
		if i%2 == 0 {
			handle = "mei"
		}
		b.order(t, fmt.Sprint("o", i), "tea", 1, handle)
		b.at = b.at.Add(24 * time.Hour)
	}
	b.act(t, "o3", "ship", body{"carrier": "SF", "tracking": "1"})
	list := func(query string) string {
		t.Helper()
		var ids []string
		for cursor := ""; ; {
			page := get[OrderPage](t, b, "/v1/admin/orders?limit=2&cursor="+cursor+"&"+query)
			for _, o := range page.Items {
				ids = append(ids, o.ID)
			}
			if cursor = page.Next; cursor == "" {
				return strings.Join(ids, " ")
			}
		}
	}
	for query, want := range map[string]string{
		"":                              "o4 o3 o2 o1 o0",
		"status=shipped":                "o3",
		"koc=mei":                       "o4 o2 o0",
		"koc=nobody":                    "",
		"from=2026-03-02":               "o4 o3 o2 o1", // placed at noon in Shanghai from 1 March on
		"to=2026-03-02":                 "o1 o0",
		"from=2026-03-02&to=2026-03-03": "o2 o1",
		"from=2026-03-02T04:00:00Z&to=2026-03-02T04:10:00Z":                              "o1",
		"from=2026-03-02T12:00:00%2B08:00&to=2026-03-02T12:10:00%2B08:00&status=shipped": "",
		"to=2025-01-01": "",
	} {
		if got := list(query); got != want {
			t.Errorf("%q lists %q, want %q", query, got, want)
		}
	}
	if page := get[OrderPage](t, b, "/v1/admin/orders"); page.Next != "" || len(page.Items) != 5 || page.Items[0].KOC != "mei" || page.Items[0].Pieces != 1 {
		t.Errorf("page %+v", page)
	}
	next := get[OrderPage](t, b, "/v1/admin/orders?limit=2").Next
	wantCode(t, b.send(t, "GET", "/v1/admin/orders?limit=2&koc=mei&cursor="+next, nil), 400, "cursor_invalid")
	if page := get[OrderPage](t, b, "/v1/admin/orders?limit=1"); page.Items[0].Contact.Phone != "+8613800000000" {
		t.Errorf("the list does not say who ordered: %+v", page.Items[0].Contact)
	}
}

func TestRefunds(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	b.order(t, "o1", "tea", 3, "")
	refund := func(r body, with ...string) Refund {
		t.Helper()
		r["reason"] = "broken"
		return decode[Refund](t, want(t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", r, with...), 201))
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", body{"lines": []body{{"sku": "tea", "quantity": 1}}, "reason": "x"}), 409, "order_unpaid")
	b.act(t, "o1", "ship", body{"carrier": "SF", "tracking": "1"})
	b.act(t, "o1", "deliver", nil)

	first := refund(body{"lines": []body{{"sku": "tea", "quantity": 1}}}, "Idempotency-Key", "refund-key-00001")
	if first.State != "succeeded" || first.Amount.Minor != 1000 || first.Lines[0].Quantity != 1 || first.By != "sub-operator" || !strings.HasPrefix(first.ID, "o1-") {
		t.Errorf("refund %+v", first)
	}
	if again := refund(body{"lines": []body{{"sku": "tea", "quantity": 1}}}, "Idempotency-Key", "refund-key-00001"); fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("again %+v", again)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", body{"lines": []body{{"sku": "tea", "quantity": 2}}, "reason": "broken"}, "Idempotency-Key", "refund-key-00001"), 422, "idempotency_mismatch")
	if r := refund(body{"lines": []body{{"sku": "tea", "amount": amount(250)}}}); r.Amount.Minor != 250 || r.Lines[0].Quantity != 0 {
		t.Errorf("price reduction %+v", r)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", body{"lines": []body{{"sku": "tea", "quantity": 3}}, "reason": "x"}), 409, "refund_quantity")
	wantCode(t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", body{"amount": amount(1751), "reason": "x"}), 409, "refund_too_large")
	for location, r := range map[string]body{
		"body.amount":            {"amount": body{"amount": 1, "currency": "USD"}, "reason": "x"},
		"body.reason":            {"amount": amount(1)},
		"body.lines[0].sku":      {"lines": []body{{"sku": "cup", "quantity": 1}}, "reason": "x"},
		"body.lines[0].quantity": {"lines": []body{{"sku": "tea", "quantity": -1}}, "reason": "x"},
		"body.koc":               {"amount": amount(1), "reason": "x", "koc": "mei"},
	} {
		wantField(t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", r), location)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", body{"reason": "x"}), 400, "refund_empty")
	if r := refund(body{"amount": amount(1750)}); r.Amount.Minor != 1750 {
		t.Errorf("the rest %+v", r)
	}
	if o := get[Order](t, b, "/v1/admin/orders/o1"); o.Refunded.Minor != 3000 || o.Refundable.Minor != 0 || len(o.Refunds) != 3 || o.Lines[0].Returned.Minor != 3000 {
		t.Errorf("order %+v", o)
	}
}

// TestRefundWithoutAnAnswer: the provider cannot be asked, so the intent stays on record, open, for later.
func TestRefundWithoutAnAnswer(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	b.payment = provider.Sandbox
	o := b.order(t, "o1", "tea", 1, "")
	if _, err := b.store.UpdateOrder(t.Context(), "o1", func(x *ordering.Order) error { return x.Capture("p1", o.Total, b.now()) }); err != nil {
		t.Fatal(err)
	}
	r := decode[Refund](t, want(t, b.send(t, "POST", "/v1/admin/orders/o1/refunds", body{"amount": amount(400), "reason": "x"}, "Idempotency-Key", "refund-key-00001"), 201))
	if r.State != "pending" || r.Amount.Minor != 400 {
		t.Errorf("refund %+v", r)
	}
	kept, err := b.store.Order(t.Context(), "o1")
	if err != nil || len(kept.Refunds) != 1 || !kept.Refunds[0].Open() || kept.Refunds[0].Tries != 1 || kept.DueAt().IsZero() {
		t.Errorf("order %+v, %v", kept, err)
	}
}

// TestRefundsAtOnce: operators who refund the same pieces at the same time give back what was paid, once.
func TestRefundsAtOnce(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	b.order(t, "o1", "tea", 2, "")
	b.act(t, "o1", "ship", body{"carrier": "SF", "tracking": "1"})
	b.act(t, "o1", "deliver", nil)
	var answers [6]webtest.Answer
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			answers[i] = b.send(t, "POST", "/v1/admin/orders/o1/refunds", body{"lines": []body{{"sku": "tea", "quantity": 1}}, "reason": "x"})
		})
	}
	group.Wait()
	var statuses []int
	for _, a := range answers {
		statuses = append(statuses, a.Status)
	}
	slices.Sort(statuses)
	if o := get[Order](t, b, "/v1/admin/orders/o1"); o.Refunded.Minor != 2000 || !slices.Equal(statuses, []int{201, 201, 409, 409, 409, 409}) {
		t.Errorf("%v refunded %v", statuses, o.Refunded)
	}
}

func TestOrderWritesWithKey(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	b.order(t, "o1", "tea", 2, "")
	parcel := body{"carrier": "SF", "tracking": "1"}
	first := b.act(t, "o1", "ship", parcel, "Idempotency-Key", "ship-key-00000001")
	b.act(t, "o1", "ship", body{"carrier": "SF", "tracking": "2"})
	if again := b.act(t, "o1", "ship", parcel, "Idempotency-Key", "ship-key-00000001"); len(again.Shipments) != 2 || again.Shipments[0].At != first.Shipments[0].At {
		t.Errorf("again %+v", again)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/orders/o1/ship", body{"carrier": "SF", "tracking": "3"}, "Idempotency-Key", "ship-key-00000001"), 422, "idempotency_mismatch")
	// The same key on another route is another key.
	if o := b.act(t, "o1", "deliver", nil, "Idempotency-Key", "ship-key-00000001"); o.Status != "delivered" || len(o.Shipments) != 2 {
		t.Errorf("delivered %+v", o)
	}
	// A refused wish is not recorded: the same key may be used again.
	wantCode(t, b.send(t, "POST", "/v1/admin/orders/o1/ship", parcel, "Idempotency-Key", "ship-key-00000002"), 409, "order_status_ship")
	wantCode(t, b.send(t, "POST", "/v1/admin/orders/o1/ship", body{"carrier": "SF", "tracking": "4"}, "Idempotency-Key", "ship-key-00000002"), 409, "order_status_ship")
}

// TestOneKeyForTwoWishes: of different requests that use one key at the same time, one is done and the others are told.
func TestOneKeyForTwoWishes(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	for round := range 5 {
		id := fmt.Sprint("o", round)
		b.order(t, id, "tea", 1, "")
		var answers [4]webtest.Answer
		var group sync.WaitGroup
		for i := range answers {
			group.Go(func() {
				answers[i] = b.send(t, "POST", "/v1/admin/orders/"+id+"/ship", body{"carrier": "SF", "tracking": fmt.Sprint(i)}, "Idempotency-Key", "ship-key-00000001")
			})
		}
		group.Wait()
		var statuses []int
		for _, a := range answers {
			statuses = append(statuses, a.Status)
		}
		slices.Sort(statuses)
		if o := get[Order](t, b, "/v1/admin/orders/"+id); len(o.Shipments) != 1 || !slices.Equal(statuses, []int{200, 422, 422, 422}) {
			t.Errorf("%v, parcels %+v", statuses, o.Shipments)
		}
	}
}

func TestOperatorsEndOrders(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	left := func() int64 {
		t.Helper()
		found, err := b.store.Sellables(t.Context(), []string{"tea"})
		if err != nil {
			t.Fatal(err)
		}
		return found["tea"].Stock.Available
	}
	b.order(t, "o1", "tea", 2, "")
	if o := b.act(t, "o1", "cancel", body{"reason": "nobody answers"}); o.Status != "cancelled" || o.Cancelled.Reason != "nobody answers" || left() != 5 {
		t.Errorf("cancelled %+v, %d left", o.OrderSummary, left())
	}
	b.order(t, "o2", "tea", 2, "")
	b.act(t, "o2", "ship", body{"carrier": "SF", "tracking": "1"})
	if o := b.act(t, "o2", "cancel", nil); o.Status != "cancelled" || left() != 5 {
		t.Errorf("a parcel that came back unpaid: %+v, %d left", o.OrderSummary, left())
	}
	b.order(t, "o3", "tea", 1, "")
	b.act(t, "o3", "ship", body{"carrier": "SF", "tracking": "1"})
	b.act(t, "o3", "deliver", nil)
	want(t, b.send(t, "POST", "/v1/admin/orders/o3/cancel", nil), 409) // it is paid now: a refund is what remains
	before, _ := b.store.Order(t.Context(), "o3")
	b.act(t, "o3", "redrive", nil)
	if after, err := b.store.Order(t.Context(), "o3"); err != nil || after.Version != before.Version+1 {
		t.Errorf("redriven from version %d to %d, %v", before.Version, after.Version, err)
	}
}
