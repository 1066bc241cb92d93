package ordering_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ordering"
	"yundian/shared/shop"
)

// waiting is an order of so many pieces that was placed at a time and is not paid.
func waiting(id, payment string, pieces int64, at time.Time) ordering.Order {
	return ordering.Order{ID: id, Version: 1, PlacedAt: at, Payment: payment, Total: yuan(5000), Lines: []ordering.Line{{SKU: "tea", Quantity: pieces, Net: yuan(5000)}},
		Terms: ordering.Terms{Zone: "Asia/Shanghai", HoldUntil: at.Add(30 * time.Minute)}}
}

// open admits orders one after the other, as one contact would place them.
func open(t *testing.T, limits shop.Limits, orders ...ordering.Order) (ordering.Placing, map[string]ordering.Order) {
	t.Helper()
	var p ordering.Placing
	known := map[string]ordering.Order{}
	for _, o := range orders {
		after, err := ordering.Admit(&o, []ordering.Placing{p}, known, limits)
		if err != nil {
			t.Fatal(err)
		}
		p, known[o.ID] = after[0], o
	}
	return p, known
}

func TestWhatOneContactHolds(t *testing.T) {
	limits := shop.Limits{OpenOrders: 2, OpenPieces: 10, OnDeliveryPieces: 10}
	change := func(f func(*ordering.Order) error) func(known map[string]ordering.Order) {
		return func(known map[string]ordering.Order) {
			o := known["a"]
			if err := f(&o); err != nil {
				t.Fatal(err)
			}
			known["a"] = o
		}
	}
	nothing := func(map[string]ordering.Order) {}
	held, delivery := waiting("a", "sandbox", 4, noon), waiting("a", ordering.OnDelivery, 4, noon)
	b := waiting("b", "sandbox", 4, noon.Add(time.Minute))
	paid, free := held, held
	paid.Captures = []ordering.Capture{{PaymentID: "p", Amount: paid.Total}}
	free.Total = yuan(0)
	for name, x := range map[string]struct {
		before []ordering.Order
		then   func(map[string]ordering.Order)
		wants  ordering.Order
		code   string
	}{
		"the second":                  {[]ordering.Order{held}, nothing, waiting("x", "sandbox", 6, noon), ""},
		"a piece too many":            {[]ordering.Order{held}, nothing, waiting("x", "sandbox", 7, noon), "open_pieces_many"},
		"the third":                   {[]ordering.Order{held, b}, nothing, waiting("x", "sandbox", 1, noon.Add(2*time.Minute)), "open_orders_many"},
		"on delivery counts, too":     {[]ordering.Order{delivery, b}, nothing, waiting("x", "sandbox", 1, noon.Add(2*time.Minute)), "open_orders_many"},
		"and for long":                {[]ordering.Order{delivery}, nothing, waiting("x", ordering.OnDelivery, 7, noon.AddDate(0, 0, 29)), "open_pieces_many"},
		"until it expires":            {[]ordering.Order{delivery}, nothing, waiting("x", ordering.OnDelivery, 7, noon.AddDate(0, 0, 30)), ""},
		"the first has lapsed":        {[]ordering.Order{held, b}, nothing, waiting("x", "sandbox", 6, noon.Add(30*time.Minute)), ""},
		"not yet":                     {[]ordering.Order{held, b}, nothing, waiting("x", "sandbox", 1, noon.Add(30*time.Minute-1)), "open_orders_many"},
		"more at once than there can": {nil, nothing, waiting("x", "sandbox", 11, noon), "order_pieces_many"},
		"the first was paid": {[]ordering.Order{held, b}, change(func(o *ordering.Order) error { return o.Capture("p", o.Total, noon) }),
			waiting("x", "sandbox", 6, noon.Add(2*time.Minute)), ""},
		"the first was cancelled": {[]ordering.Order{held, b}, change(func(o *ordering.Order) error { return o.Cancel("", noon) }),
			waiting("x", "sandbox", 6, noon.Add(2*time.Minute)), ""},
		"the first was shipped": {[]ordering.Order{delivery, b}, change(func(o *ordering.Order) error {
			return o.Ship(ordering.Shipment{Carrier: "post", Tracking: "1"}, noon)
		}), waiting("x", "sandbox", 6, noon.Add(2*time.Minute)), ""},
		"an order of nothing holds nothing": {[]ordering.Order{held, b}, nothing, free, ""},
		"nor do orders of nothing":          {[]ordering.Order{free, free, free}, nothing, waiting("x", "sandbox", 10, noon), ""},
	} {
		p, known := open(t, limits, x.before...)
		x.then(known)
		read := map[string]ordering.Order{}
		for _, id := range ordering.AsksEarlier(x.wants, []ordering.Placing{p}, limits) {
			read[id] = known[id]
		}
		_, err := ordering.Admit(&x.wants, []ordering.Placing{p}, read, limits)
		if x.code == "" && err != nil || x.code != "" && !fail.Is(err, x.code) {
			t.Errorf("%s: %v, want %q", name, err, x.code)
		}
	}
}

// TestARefusalSaysWhenTheFirstLapses, in the time of the shop.
func TestARefusalSaysWhenTheFirstLapses(t *testing.T) {
	limits := shop.Limits{OpenOrders: 2, OpenPieces: 10, OnDeliveryPieces: 10}
	p, known := open(t, limits, waiting("a", "sandbox", 1, noon.Add(time.Minute)), waiting("b", "sandbox", 1, noon))
	o := waiting("x", "sandbox", 1, noon.Add(2*time.Minute))
	_, err := ordering.Admit(&o, []ordering.Placing{{}, p}, known, limits)
	e, ok := errors.AsType[*fail.Error](err)
	if !ok {
		t.Fatal(err)
	}
	if at, _ := e.Args["time"].(time.Time); !at.Equal(noon.Add(30*time.Minute)) || at.Location().String() != "Asia/Shanghai" || e.Args["open"] != int64(2) {
		t.Errorf("refused with %+v", e.Args)
	}
}

// TestOneQuietContactAsksNothing: who is known to have paid and has little open costs no further read.
func TestOneQuietContactAsksNothing(t *testing.T) {
	limits := shop.DefaultLimits()
	o := waiting("x", "sandbox", 1, noon)
	entries := []ordering.Entry{{ID: "b", Pieces: 1, Due: noon.Add(1)}, {ID: "a", Pieces: 1}}
	for name, x := range map[string]struct {
		seen []ordering.Placing
		want int
	}{
		"never seen":          {[]ordering.Placing{{}}, 0},
		"returning":           {[]ordering.Placing{{Returning: true, Orders: entries}}, 0},
		"perhaps returning":   {[]ordering.Placing{{Orders: entries}}, 2},
		"one of two is":       {[]ordering.Placing{{Returning: true}, {Orders: entries}}, 2},
		"both have the same":  {[]ordering.Placing{{Orders: entries}, {Orders: entries}}, 2},
		"returning, but full": {[]ordering.Placing{{Returning: true, Orders: slices.Repeat(entries[:1], 10)}}, 1},
	} {
		if got := ordering.AsksEarlier(o, x.seen, limits); len(got) != x.want {
			t.Errorf("%s: %v is read", name, got)
		}
	}
}

// TestListsOfOrdersStayShort places many orders and lets everything happen to them: the list has a bound, and what it says
// of the next order is what all orders say.
func TestListsOfOrdersStayShort(t *testing.T) {
	limits := shop.DefaultLimits()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var p ordering.Placing
		known := map[string]ordering.Order{}
		now, patience := noon, rng.IntN(40)
		for n := range 40 {
			now = now.Add(time.Duration(rng.IntN(20)) * time.Minute)
			for id, o := range known {
				if o.Status() == ordering.Held && !now.Before(o.Terms.HoldUntil) {
					if err := o.Mature(now); err != nil {
						t.Fatal(err)
					}
				}
				known[id] = o
			}
			o := waiting(fmt.Sprint("order", n), "sandbox", 1, now)
			all, open := true, 0
			for _, x := range known {
				all = all && x.CameToNothing()
				if x.Status() == ordering.Held {
					open++
				}
			}
			read := map[string]ordering.Order{}
			for _, id := range ordering.AsksEarlier(o, []ordering.Placing{p}, limits) {
				read[id] = known[id]
			}
			after, err := ordering.Admit(&o, []ordering.Placing{p}, read, limits)
			if (err != nil) != (open >= limits.OpenOrders) {
				t.Fatalf("seed %d: %d are open: %v", seed, open, err)
			}
			if err != nil {
				continue
			}
			if p = after[0]; len(p.Orders) > ordering.MaxEntries || (o.Customer == ordering.NewCustomer) != all {
				t.Fatalf("seed %d: order %d is of a customer %q, all came to nothing: %v, %d are listed", seed, n, o.Customer, all, len(p.Orders))
			}
			switch rng.IntN(6) {
			case 0:
				err = o.Cancel("", now)
			case 1:
				if n > patience {
					err = o.Capture("p", o.Total, now)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			known[o.ID] = o
		}
	}
}

func TestPiecesOnDelivery(t *testing.T) {
	s := settings()
	s.Limits.OnDeliveryPieces = 3
	for _, x := range []struct {
		payment string
		pieces  int64
		code    string
	}{{ordering.OnDelivery, 3, ""}, {ordering.OnDelivery, 4, "on_delivery_pieces_many"}, {"sandbox", 4, ""}} {
		q, err := ordering.Price(basket(line("tea", x.pieces-1), line("cup", 1)), sold(), s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ordering.Place(ordering.Request{ID: "o", Payment: x.payment}, q, s, noon); (err == nil) != (x.code == "") || err != nil && !fail.Is(err, x.code) {
			t.Errorf("%d pieces by %s: %v", x.pieces, x.payment, err)
		}
	}
}

func TestWhoACustomerIs(t *testing.T) {
	for _, x := range []struct {
		c    ordering.Contact
		key  string
		keys []string
	}{
		{ordering.Contact{Phone: "+86138", Email: "a@b.cn"}, "+86138", []string{"+86138", "a@b.cn"}},
		{ordering.Contact{Phone: "+86138"}, "+86138", []string{"+86138"}},
		{ordering.Contact{Email: "a@b.cn"}, "a@b.cn", []string{"a@b.cn"}},
	} {
		if x.c.PersonKey() != x.key || !slices.Equal(x.c.Keys(), x.keys) {
			t.Errorf("%+v: %q, %q", x.c, x.c.PersonKey(), x.c.Keys())
		}
	}
}
