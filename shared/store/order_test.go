package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

func yuan(minor int64) money.Amount { return money.Of(minor, "CNY") }

// shelve puts a product with one SKU of its own name and so many pieces into the shop.
func shelve(t testing.TB, s *store.Store, sku string, pieces int64) {
	t.Helper()
	p := catalogue.Product{ID: sku, Title: "Tea " + sku, Status: catalogue.Active,
		Variants: []catalogue.Variant{{SKU: sku, Price: yuan(5000)}}}
	if err := s.SaveProduct(context.Background(), catalogue.Product{}, p, map[string]int64{sku: pieces}); err != nil {
		t.Fatal(err)
	}
}

func stock(t testing.TB, s *store.Store, sku string) catalogue.Stock {
	t.Helper()
	found, err := s.Sellables(context.Background(), []string{sku})
	if err != nil {
		t.Fatal(err)
	}
	st := found[sku].Stock
	if !st.Balanced() {
		t.Fatalf("stock of %s is off balance: %+v", sku, st)
	}
	return st
}

// placement is an order of so many pieces as checkout would write it.
func placement(t testing.TB, s *store.Store, id, key string, pieces int64, sku ...string) store.NewOrder {
	t.Helper()
	sold, err := s.Sellables(context.Background(), sku)
	if err != nil {
		t.Fatal(err)
	}
	var basket []ordering.BasketLine
	for _, k := range sku {
		basket = append(basket, ordering.BasketLine{SKU: k, Quantity: pieces})
		it := sold[k]
		it.Stock.Available = 1 << 20 // the race is the store's to decide, not the quote's
		sold[k] = it
	}
	q, err := ordering.Price(basket, sold, shop.Default())
	if err != nil {
		t.Fatal(err)
	}
	o, err := ordering.Place(ordering.Request{ID: id, Person: "p1", Payment: "sandbox"}, q, shop.Default(), noon)
	if err != nil {
		t.Fatal(err)
	}
	return store.NewOrder{Order: o, Contact: ordering.Contact{Name: "陈静", Phone: "+8613800000000"}, Key: key, Hash: "h" + id}
}

func place(t testing.TB, s *store.Store, n store.NewOrder) {
	t.Helper()
	got, err := s.PlaceOrder(context.Background(), n)
	if err != nil || got.Order != n.Order.ID {
		t.Fatalf("place %s: %+v, %v", n.Order.ID, got, err)
	}
}

func TestPlacementsNeverOversell(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	shelve(t, s, "last-one", 7)
	var wg sync.WaitGroup
	results := make([]error, 30)
	for i := range results {
		n := placement(t, s, fmt.Sprintf("o%02d", i), fmt.Sprintf("key-%02d", i), 1, "last-one")
		wg.Go(func() { _, results[i] = s.PlaceOrder(ctx, n) })
	}
	wg.Wait()
	var placed int64
	for i, err := range results {
		switch {
		case err == nil:
			placed++
		case !fail.Is(err, "sold_out"):
			t.Errorf("order %d: %v", i, err)
		}
		if _, missing := s.Order(ctx, fmt.Sprintf("o%02d", i)); (missing == nil) != (err == nil) {
			t.Errorf("order %d: refused %v, but its record says %v", i, err, missing)
		}
	}
	if st := stock(t, s, "last-one"); placed != 7 || st.Reserved != 7 || st.Available != 0 {
		t.Errorf("placed %d of 7, stock %+v", placed, st)
	}
}

func TestOneKeyPlacesOneOrder(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	shelve(t, s, "tea", 100)
	var wg sync.WaitGroup
	got := make([]string, 20)
	for i := range got {
		n := placement(t, s, fmt.Sprintf("k%02d", i), "the-same-key", 2, "tea")
		wg.Go(func() {
			p, err := s.PlaceOrder(ctx, n)
			if err != nil {
				t.Error(err)
				return
			}
			got[i] = p.Order
		})
	}
	wg.Wait()
	for _, id := range got {
		if id != got[0] {
			t.Fatalf("one key placed several orders: %v", got)
		}
	}
	if st := stock(t, s, "tea"); st.Reserved != 2 {
		t.Errorf("reserved %d pieces, want 2", st.Reserved)
	}
	c, err := s.Checkout(ctx, []string{"tea", "unknown"}, "nobody", "the-same-key")
	if err != nil || c.Earlier == nil || c.Earlier.Order != got[0] || len(c.Sold) != 1 || c.KOC.Handle != "" {
		t.Errorf("checkout read %+v, %v", c, err)
	}
}

func TestStockFollowsTheOrder(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	shelve(t, s, "a", 10)
	shelve(t, s, "b", 10)
	change := func(id string, f func(o *ordering.Order) error) {
		t.Helper()
		if _, err := s.UpdateOrder(ctx, id, f); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(step string, available, reserved, sold int64) {
		t.Helper()
		for _, sku := range []string{"a", "b"} {
			if st := stock(t, s, sku); st.Available != available || st.Reserved != reserved || st.Sold != sold {
				t.Errorf("%s: %s has %+v", step, sku, st)
			}
		}
	}
	place(t, s, placement(t, s, "one", "key-one", 3, "a", "b"))
	expect("held", 7, 3, 0)
	for range 2 { // told twice
		change("one", func(o *ordering.Order) error { return o.Capture("pay-1", o.Total, noon) })
	}
	expect("paid", 7, 0, 3)
	change("one", func(o *ordering.Order) error { return o.Cancel("changed my mind", noon) })
	expect("cancelled", 10, 0, 0)
	o, err := s.Order(ctx, "one")
	if err != nil || o.Version != 3 || len(o.Refunds) != 1 || o.Refunds[0].Amount != o.Total {
		t.Errorf("cancelled order: %+v, %v", o, err)
	}
	place(t, s, placement(t, s, "two", "key-two", 10, "a", "b"))
	change("two", func(o *ordering.Order) error { return o.Mature(o.Terms.HoldUntil) })
	expect("expired", 10, 0, 0)
	place(t, s, placement(t, s, "three", "key-three", 8, "a", "b"))
	_, err = s.UpdateOrder(ctx, "two", func(o *ordering.Order) error { return o.CaptureLate("late", o.Total, true, noon) })
	if !fail.Is(err, "sold_out") {
		t.Errorf("a late payment without stock revived the order: %v", err)
	}
	expect("not revived", 2, 8, 0)
}

func TestConcurrentChangesAllCount(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	shelve(t, s, "x", 100)
	place(t, s, placement(t, s, "busy", "key-busy", 5, "x"))
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			_, err := s.UpdateOrder(ctx, "busy", func(o *ordering.Order) error {
				if o.Status() == ordering.Held {
					return o.Capture("pay", o.Total, noon)
				}
				_, err := o.RequestRefund(ordering.RefundRequest{ID: fmt.Sprint("r", i), Reason: "dented", Lines: []ordering.RefundLine{{SKU: "x", Quantity: 1}}}, noon)
				return err
			}, store.EffectWrite(fmt.Sprint("event-", i), noon))
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	o, err := s.Order(ctx, "busy")
	if err != nil || o.Version != 6 || len(o.Captures) != 1 || len(o.Refunds) != 4 {
		t.Errorf("version %d, %d captures, %d refunds, %v", o.Version, len(o.Captures), len(o.Refunds), err)
	}
	before := o.Version
	if o, err = s.UpdateOrder(ctx, "busy", func(o *ordering.Order) error {
		_, err := o.RequestRefund(ordering.RefundRequest{ID: "again", Reason: "x", Lines: []ordering.RefundLine{{SKU: "x", Quantity: 1}}}, noon)
		return err
	}, store.EffectWrite("event-1", noon)); err != nil || o.Version != before {
		t.Errorf("an effect that was recorded before happened again: %d → %d, %v", before, o.Version, err)
	}
}

func TestAnOrderSeenBeforeIsChangedAsItIsNow(t *testing.T) {
	s := storetest.Open(t)
	shelve(t, s, "tea", 10)
	place(t, s, placement(t, s, "o1", "key-1", 1, "tea"))
	seen, err := s.Order(t.Context(), "o1")
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	open := func(session string) ordering.Order {
		t.Helper()
		o, err := s.UpdateSeenOrder(t.Context(), seen, func(o *ordering.Order) error { asked++; return o.OpenSession(session) })
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	if o := open("cs_1"); asked != 1 || o.Version != 2 || o.Session != "cs_1" {
		t.Errorf("asked %d times, version %d, session %q", asked, o.Version, o.Session)
	}
	if o := open("cs_2"); asked != 3 || o.Version != 3 || o.Session != "cs_2" { // what was seen is outdated
		t.Errorf("asked %d times, version %d, session %q", asked, o.Version, o.Session)
	}
	if o := open(""); o.Version != 4 || o.Session != "" { // changes what was seen in nothing, but not what is
		t.Errorf("version %d, session %q", o.Version, o.Session)
	}
	refuse := errors.New("no")
	if _, err := s.UpdateSeenOrder(t.Context(), seen, func(o *ordering.Order) error { return refuse }); !errors.Is(err, refuse) {
		t.Errorf("refused with %v", err)
	}
	if o, err := s.Order(t.Context(), "o1"); err != nil || o.Version != 4 {
		t.Errorf("version %d, %v", o.Version, err)
	}
}

func TestSettleOnceWhateverArrives(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	o := settledOrder("s1")
	st, due, err := ledger.Settle(o, ledger.Applied{}, ledger.Months{}, noon)
	if err != nil || !due {
		t.Fatal(due, err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Settle(ctx, []ledger.Settlement{st}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if b, err := s.Balances(ctx, "mei"); err != nil || len(b) != 1 || b[0].Pending != 1000 {
		t.Fatalf("balances %+v, %v", b, err)
	}
	again, _, _ := ledger.Settle(o, ledger.Applied{}, ledger.Months{}, noon.Add(time.Second)) // worked out again by somebody who read too early
	outdated, err := s.Settle(ctx, []ledger.Settlement{again})
	if err != nil || len(outdated) != 1 {
		t.Errorf("a settlement was applied twice: outdated %v, %v", outdated, err)
	}
	applied, err := s.Applied(ctx, []string{"s1", "none"})
	if err != nil || len(applied) != 1 || applied["s1"].V != o.Version {
		t.Errorf("applied %+v, %v", applied, err)
	}
	postings, next, err := s.Postings(ctx, "mei", "", 10, true)
	if err != nil || len(postings) != 1 || next != "" || postings[0].Entries[0].Minor != 1000 {
		t.Errorf("postings %+v, %v", postings, err)
	}
}

// settledOrder is a paid order of 100 yuan that earned mei 10 %.
func settledOrder(id string) ordering.Order {
	return ordering.Order{ID: id, Version: 2, PlacedAt: noon, Day: "2026-03-01", Terms: ordering.Terms{Zone: "UTC"}, Total: yuan(10000), Shipping: yuan(0), Tax: yuan(0),
		Lines:    []ordering.Line{{SKU: "x", Product: "x", Quantity: 1, Unit: yuan(10000), Net: yuan(10000), Tax: yuan(0)}},
		Captures: []ordering.Capture{{V: 2, PaymentID: "p", Amount: yuan(10000)}},
		Awards: []ordering.Award{{V: 1, Winners: []ordering.Winner{{KOC: "mei", Code: "mei", Share: money.Whole}},
			Rates: []ordering.LineRate{{Rule: "default", RuleVersion: 1, Rate: 1000}}}}}
}

func TestManyOrdersSettleTogether(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	var all []ledger.Settlement
	for i := range 60 {
		st, _, err := ledger.Settle(settledOrder(fmt.Sprintf("m%02d", i)), ledger.Applied{}, ledger.Months{}, noon)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, st)
	}
	earlier, _, _ := ledger.Settle(settledOrder("m30"), ledger.Applied{}, ledger.Months{}, noon.Add(-time.Second))
	if _, err := s.Settle(ctx, []ledger.Settlement{earlier}); err != nil { // one of them is settled already
		t.Fatal(err)
	}
	outdated, err := s.Settle(ctx, all)
	if err != nil || len(outdated) != 1 || outdated[0] != "m30" {
		t.Errorf("outdated %v, %v", outdated, err)
	}
	if b, _ := s.Balances(ctx, "mei"); b[0].Pending != 60*1000 {
		t.Errorf("pending %d, want %d", b[0].Pending, 60*1000)
	}
}

func TestTouchesAndFactsCountOnce(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	touch := store.Touch{Code: "mei_abc", KOC: "mei", Day: "2026-03-01", Visitor: "v1", At: noon}
	for range 3 {
		if err := s.SaveTouch(ctx, touch); err != nil {
			t.Fatal(err)
		}
		if err := s.CountTouch(ctx, touch); err != nil {
			t.Fatal(err)
		}
	}
	st, _, _ := ledger.Settle(settledOrder("f1"), ledger.Applied{}, ledger.Months{}, noon)
	for i := range 2 {
		st.Fact.At = noon.Add(time.Duration(i)) // another reader's copy
		counted, err := s.Tally(ctx, ledger.Fact{}, st.Fact)
		if err != nil || counted != (i == 0) {
			t.Errorf("tally %d: %v, %v", i, counted, err)
		}
	}
	days, err := s.Stats(ctx, "mei", "DAY", "2026-03-01", "2026-03-01")
	if err != nil || len(days) != 1 || days[0].Touches != 1 || days[0].Orders != 1 || days[0].Sales != yuan(10000) || days[0].Earned != yuan(1000) {
		t.Errorf("statistics %+v, %v", days, err)
	}
}

func TestListingsReachEveryOrder(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	shelve(t, s, "x", 1000)
	for i := range 12 { // three a month, some months without any
		n := placement(t, s, fmt.Sprintf("l%02d", i), fmt.Sprintf("key-l%02d", i), 1, "x")
		n.Order.PlacedAt = noon.AddDate(0, -2*(i/3), -i%3)
		place(t, s, n)
	}
	if _, err := s.UpdateOrder(ctx, "l07", func(o *ordering.Order) error { return o.Capture("p", o.Total, noon) }); err != nil {
		t.Fatal(err)
	}
	walk := func(f store.OrderFilter, limit int) (ids []string) {
		t.Helper()
		f.From, f.To = noon.AddDate(-1, 0, 0), noon.AddDate(0, 0, 1)
		for after, pages := "", 0; pages < 50; pages++ {
			orders, next, err := s.ListOrders(ctx, f, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range orders {
				ids = append(ids, o.ID)
			}
			if next == "" {
				return ids
			}
			after = next
		}
		t.Fatal("the listing has no end")
		return nil
	}
	for limit := range 13 {
		if limit == 0 {
			continue
		}
		ids := walk(store.OrderFilter{}, limit)
		seen := map[string]bool{}
		for _, id := range ids {
			seen[id] = true
		}
		if len(ids) != 12 || len(seen) != 12 {
			t.Errorf("limit %d: listed %v", limit, ids)
		}
		if paid := walk(store.OrderFilter{Status: ordering.Paid}, limit); len(paid) != 1 || paid[0] != "l07" {
			t.Errorf("limit %d: paid orders %v", limit, paid)
		}
	}
	due, err := s.DueOrders(ctx, noon.Add(time.Hour), 100)
	if err != nil || len(due) != 12 {
		t.Errorf("%d orders are due, want the 11 unpaid ones and the paid one that nobody has decided: %v", len(due), err)
	}
}
