package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"yundian/shared/fail"
	"yundian/shared/ordering"
	"yundian/shared/shop"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

// placeAs places an order of these contacts through the whole of placing.
func placeAs(t testing.TB, s *store.Store, id string, pieces int64, contacts ...string) (ordering.Order, error) {
	t.Helper()
	n := placement(t, s, id, "key-of-"+id, pieces, "tea")
	n.Order.Person = contacts[0]
	return s.PlaceOnce(context.Background(), store.Wanted{SKUs: []string{"tea"}, Key: "key-of-" + id, Hash: "h", Contacts: contacts},
		func(store.Checkout) (store.NewOrder, error) { return n, nil })
}

// rush places 50 orders at the same time and returns those that were placed. Every other one has to be refused with code.
func rush(t *testing.T, s *store.Store, prefix string, pieces int64, code string, contacts func(i int) []string) (placed []string) {
	t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		wg.Go(func() { _, errs[i] = placeAs(t, s, fmt.Sprint(prefix, i), pieces, contacts(i)...) })
	}
	wg.Wait()
	for i, err := range errs {
		switch {
		case err == nil:
			placed = append(placed, fmt.Sprint(prefix, i))
		case !fail.Is(err, code) || fail.KindOf(err) != fail.Conflict:
			t.Errorf("order %d: %v", i, err)
		}
	}
	return placed
}

func limited(t *testing.T, l shop.Limits) *store.Store {
	t.Helper()
	s := storetest.Open(t)
	settings := shop.Default()
	settings.Limits = l
	if err := s.SaveSettings(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	shelve(t, s, "tea", 1000)
	return s
}

// TestOnePhoneHoldsFewOrders: however many come at once, no more are placed than the shop allows, and the rest of the stock
// is there for others. Whoever pays can go on, although nothing is written where open orders are listed.
func TestOnePhoneHoldsFewOrders(t *testing.T) {
	limits := shop.DefaultLimits()
	limits.OpenOrders = 4
	s := limited(t, limits)
	phone := func(int) []string { return []string{"phone"} }
	placed := rush(t, s, "a", 1, "open_orders_many", phone)
	if got := stock(t, s, "tea"); len(placed) != 4 || got.Reserved != 4 || got.Available != 996 {
		t.Fatalf("placed %v, stock %+v", placed, got)
	}
	change(t, s, placed[0], func(o *ordering.Order) error { return o.Capture("pay", o.Total, noon) })
	change(t, s, placed[1], func(o *ordering.Order) error { return o.Cancel("changed my mind", noon) })
	if more := rush(t, s, "b", 1, "open_orders_many", phone); len(more) != 2 {
		t.Errorf("after one was paid and one cancelled, placed %v", more)
	}
	if _, err := placeAs(t, s, "other", 1, "another phone"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

// TestEveryContactCounts: an e-mail address with ever new phones is one contact, too.
func TestEveryContactCounts(t *testing.T) {
	limits := shop.DefaultLimits()
	limits.OpenOrders = 4
	s := limited(t, limits)
	if placed := rush(t, s, "a", 1, "open_orders_many", func(i int) []string { return []string{fmt.Sprint("phone", i), "mail"} }); len(placed) != 4 {
		t.Errorf("placed %v", placed)
	}
	if _, err := placeAs(t, s, "b", 1, "mail"); !fail.Is(err, "open_orders_many") {
		t.Errorf("by e-mail alone: %v", err)
	}
}

// TestOnePhoneHoldsFewPieces: 25 pieces are six orders of four, and one more piece.
func TestOnePhoneHoldsFewPieces(t *testing.T) {
	s := limited(t, shop.Limits{OpenOrders: 10, OpenPieces: 25, OnDeliveryPieces: 25})
	placed := rush(t, s, "a", 4, "open_pieces_many", func(int) []string { return []string{"phone"} })
	if got := stock(t, s, "tea"); len(placed) != 6 || got.Reserved != 24 {
		t.Fatalf("placed %v, stock %+v", placed, got)
	}
	if _, err := placeAs(t, s, "b", 1, "phone"); err != nil {
		t.Errorf("one more: %v", err)
	}
	if _, err := placeAs(t, s, "c", 26, "another"); !fail.Is(err, "order_pieces_many") {
		t.Errorf("more at once than may wait: %v", err)
	}
}

// TestOpenOrdersLapse: at the end of the time to pay an order is no longer counted, although nobody has written that.
func TestOpenOrdersLapse(t *testing.T) {
	limits := shop.DefaultLimits()
	limits.OpenOrders = 1
	s := limited(t, limits)
	first, err := placeAs(t, s, "a", 1, "phone")
	if err != nil {
		t.Fatal(err)
	}
	n := placement(t, s, "b", "key-of-b", 1, "tea")
	n.Order.Person = "phone"
	for _, x := range []struct {
		early bool
		want  string
	}{{true, "open_orders_many"}, {false, ""}} {
		n.Order.PlacedAt = first.Terms.HoldUntil
		if x.early {
			n.Order.PlacedAt = n.Order.PlacedAt.Add(-1)
		}
		_, err := s.PlaceOnce(t.Context(), store.Wanted{SKUs: []string{"tea"}, Key: "key-of-b", Hash: "h", Contacts: []string{"phone"}},
			func(store.Checkout) (store.NewOrder, error) { return n, nil })
		if x.want == "" && err != nil || x.want != "" && !fail.Is(err, x.want) {
			t.Errorf("at %s: %v, want %q", n.Order.PlacedAt, err, x.want)
		}
	}
}

// TestATwinIsAnsweredWhateverRefusesIt: the same request has been placed while this one was read, and took what it wants.
func TestATwinIsAnsweredWhateverRefusesIt(t *testing.T) {
	s := storetest.Open(t)
	shelve(t, s, "tea", 1)
	twin := placement(t, s, "twin", "key", 1, "tea")
	twin.Hash = "h"
	o, err := s.PlaceOnce(t.Context(), store.Wanted{SKUs: []string{"tea"}, Key: "key", Hash: "h", Contacts: []string{"phone"}},
		func(known store.Checkout) (store.NewOrder, error) {
			place(t, s, twin)
			return store.NewOrder{}, ordering.SoldOut(known.Sold["tea"], 0)
		})
	if err != nil || o.ID != "twin" {
		t.Errorf("the order %q, %v", o.ID, err)
	}
}

// TestARenamedSKUIsNotSoldOut: it was renamed, and another order of the same phone was placed, while this one was decided.
func TestARenamedSKUIsNotSoldOut(t *testing.T) {
	s := storetest.Open(t)
	saveTee(t, s, map[string]int64{"a": 10}, "a")
	contacts := []string{"phone"}
	want := func(id string) store.Wanted {
		return store.Wanted{SKUs: []string{"a"}, Key: "key-of-" + id, Hash: "h", Contacts: contacts}
	}
	n := placement(t, s, "o1", "key-of-o1", 1, "a")
	other := placement(t, s, "o2", "key-of-o2", 1, "a")
	_, err := s.PlaceOnce(t.Context(), want("o1"), func(store.Checkout) (store.NewOrder, error) {
		if _, err := s.PlaceOnce(t.Context(), want("o2"), func(store.Checkout) (store.NewOrder, error) { return other, nil }); err != nil {
			t.Fatal(err)
		}
		rename(t, s, "b")
		return n, nil
	})
	if err != nil {
		t.Error(err)
	}
	counts(t, s, "b", 8, 2, 0)
}
