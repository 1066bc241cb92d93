package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

// TestAnOrderOfManyLines takes an order of as many products as one can have through everything that moves the stock or the
// statistics of all of them: on the engine under test, and on maps, which count the actions of each transaction.
func TestAnOrderOfManyLines(t *testing.T) {
	t.Run("on the engine", func(t *testing.T) { manyLines(t, storetest.Open(t), func(string) {}) })
	t.Run("on maps", func(t *testing.T) {
		maps, most := store.NewMaps(), 0
		maps.Intercept = func(_ context.Context, c store.Call) store.Verdict {
			most = max(most, len(c.Writes))
			return store.Pass
		}
		manyLines(t, store.OpenMaps(maps), func(step string) {
			t.Logf("%s: %d actions", step, most)
			if most > 100 {
				t.Errorf("%s takes %d actions", step, most)
			}
			most = 0
		})
	})
}

func manyLines(t *testing.T, s *store.Store, done func(step string)) {
	skus := make([]string, ordering.MaxLines)
	for i := range skus {
		skus[i] = fmt.Sprintf("tea-%02d", i)
		shelve(t, s, skus[i], 9)
	}
	began := time.Now()
	step := func(name string) {
		t.Helper()
		t.Logf("%s: %s", name, time.Since(began).Round(time.Millisecond))
		done(name)
		began = time.Now()
	}
	step("shop")
	o := placeMany(t, s, "many", skus)
	step("place")
	for i := range 30 { // half of the variants get another SKU behind the order's back
		before, err := s.Product(t.Context(), skus[i])
		if err != nil {
			t.Fatal(err)
		}
		after := before
		after.Variants = append(after.Variants[:0:0], before.Variants...)
		after.Variants[0].SKU += "-new"
		if err := s.SaveProduct(t.Context(), before, after, nil); err != nil {
			t.Fatal(err)
		}
		skus[i] += "-new"
	}
	step("rename")
	reply := store.ReplyWrite("owner#route#many", store.Reply{Hash: "h", Body: []byte("{}")}, noon)
	change(t, s, "many", func(o *ordering.Order) error { return o.Capture("pay", o.Total, noon) }, store.EffectWrite("sandbox:many", noon), reply)
	step("pay")
	expectStock(t, s, skus, 6, 0, 3)

	settleAndTally(t, s, "many", "mei", 1)
	step("settle and tally")
	expectStat(t, s, "mei", 1, 60)
	settleAndTally(t, s, "many", "bob", 2)
	step("award to another KOC")
	expectStat(t, s, "mei", 0, 60)
	expectStat(t, s, "bob", 1, 60)

	change(t, s, "many", func(x *ordering.Order) error {
		q := ordering.RefundRequest{ID: "r", Reason: "all", By: "op"}
		for _, l := range o.Lines {
			q.Lines = append(q.Lines, ordering.RefundLine{SKU: l.SKU, Quantity: l.Quantity})
		}
		_, err := x.RequestRefund(q, noon)
		return err
	}, store.ReplyWrite("owner#route#refund", store.Reply{Hash: "h", Body: []byte("{}")}, noon))
	step("refund everything")
	expectStock(t, s, skus, 9, 0, 0)

	unpaid := placeMany(t, s, "unpaid", skus)
	change(t, s, "unpaid", func(x *ordering.Order) error { return x.Mature(unpaid.Terms.HoldUntil.Add(time.Hour)) })
	step("place and expire")
	expectStock(t, s, skus, 9, 0, 0)
}

// placeMany places three pieces of each SKU, for somebody with a phone and an e-mail.
func placeMany(t *testing.T, s *store.Store, id string, skus []string) ordering.Order {
	t.Helper()
	n := placement(t, s, id, "key-of-"+id, 3, skus...)
	n.Order.Person = "phone"
	o, err := s.PlaceOnce(t.Context(), store.Wanted{SKUs: skus, Key: "key-of-" + id, Hash: "h", Contacts: []string{"phone", "mail"}},
		func(known store.Checkout) (store.NewOrder, error) {
			if len(known.Sold) != len(skus) {
				t.Errorf("%d of %d SKUs were read", len(known.Sold), len(skus))
			}
			return n, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// settleAndTally decides for a KOC, and brings ledger and statistics to where the order stands.
func settleAndTally(t *testing.T, s *store.Store, id, koc string, decision int) {
	t.Helper()
	change(t, s, id, func(o *ordering.Order) error {
		rates := make([]ordering.LineRate, len(o.Lines))
		for i := range rates {
			rates[i] = ordering.LineRate{Rule: "default", RuleVersion: 1, Rate: 1000}
		}
		return o.Decide(ordering.Award{DecidedAt: noon, Cause: fmt.Sprint("decision ", decision), Reason: "last_link", Rates: rates,
			Winners: []ordering.Winner{{KOC: koc, Code: koc + "_link", Share: money.Whole}}})
	})
	o, err := s.Order(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	applied, err := s.Applied(t.Context(), []string{id})
	if err != nil {
		t.Fatal(err)
	}
	st, _, err := ledger.Settle(o, applied[id], ledger.Months{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if outdated, err := s.Settle(t.Context(), []ledger.Settlement{st}); err != nil || len(outdated) > 0 {
		t.Fatalf("settle: %v, %v", outdated, err)
	}
	if err := s.CountFacts(t.Context(), []ledger.Fact{st.Fact}); err != nil {
		t.Fatal(err)
	}
}

func expectStock(t *testing.T, s *store.Store, skus []string, available, reserved, sold int64) {
	t.Helper()
	for _, sku := range skus {
		counts(t, s, sku, available, reserved, sold)
	}
}

// expectStat looks at a KOC's statistics of the day, and of as many products.
func expectStat(t *testing.T, s *store.Store, koc string, orders int64, products int) {
	t.Helper()
	const day = "2026-03-01" // noon, in the shop's zone
	days, err := s.Stats(t.Context(), koc, "DAY", day, day)
	if err != nil || len(days) != 1 || days[0].Orders != orders || days[0].Sales.Minor != orders*60*3*5000 || days[0].Earned.Minor != orders*60*3*500 {
		t.Errorf("%s: %+v, %v", koc, days, err)
	}
	goods, err := s.Stats(t.Context(), koc, "PRODUCT", day, day)
	if err != nil || len(goods) != products {
		t.Errorf("%s: %d products, %v", koc, len(goods), err)
	}
	for _, g := range goods {
		if g.Orders != orders || g.Sales.Minor != orders*15000 {
			t.Errorf("%s: %+v", koc, g)
		}
	}
}

// TestMovingAnOrderIsCountedOnce: whoever is interrupted between taking an order of many products off one KOC's statistics and
// counting it for the other, and whoever counts it twice at once, leave it counted once.
func TestMovingAnOrderIsCountedOnce(t *testing.T) {
	fact := func(v int64, koc string) ledger.Fact {
		f := ledger.Fact{Order: "o1", V: v, At: noon, Day: "2026-03-01", Currency: "CNY", KOC: koc, Code: koc, Counted: true}
		for i := range ordering.MaxLines {
			f.Lines = append(f.Lines, ledger.FactLine{Product: fmt.Sprint("tea", i), Sales: 100, Commission: 10})
		}
		return f
	}
	maps, calls := store.NewMaps(), 0
	s := store.OpenMaps(maps)
	if err := s.CountFacts(t.Context(), []ledger.Fact{fact(1, "mei")}); err != nil {
		t.Fatal(err)
	}
	maps.Intercept = func(_ context.Context, c store.Call) store.Verdict {
		if c.Op == "TransactWriteItems" && !c.Done {
			if calls++; calls > 1 {
				return store.LoseRequest
			}
		}
		return store.Pass
	}
	if err := s.CountFacts(t.Context(), []ledger.Fact{fact(2, "bob")}); err == nil {
		t.Error("counted although the second write was lost")
	}
	maps.Intercept = nil
	for _, v := range []int64{1, 2, 1, 2} { // the record comes again, and an older one after it
		if err := s.CountFacts(t.Context(), []ledger.Fact{fact(v, []string{"", "mei", "bob"}[v])}); err != nil {
			t.Fatal(err)
		}
	}
	for koc, orders := range map[string]int64{"mei": 0, "bob": 1} {
		days, err := s.Stats(t.Context(), koc, "DAY", "2026-03-01", "2026-03-01")
		if err != nil || len(days) != 1 || days[0].Orders != orders || days[0].Sales.Minor != orders*6000 {
			t.Errorf("%s: %+v, %v", koc, days, err)
		}
	}
}
