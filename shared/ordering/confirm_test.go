package ordering_test

import (
	"testing"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ordering"
)

// onDelivery is an order of one tea by a payment, placed in a shop that asks for a confirmation above a total.
func onDelivery(t *testing.T, payment string, above int64) ordering.Order {
	t.Helper()
	s := settings()
	s.Limits.ConfirmAbove, s.Limits.ConfirmHours = above, 48
	q, err := ordering.Price(basket(line("tea", 1)), sold(), s)
	if err != nil {
		t.Fatal(err)
	}
	o, err := ordering.Place(ordering.Request{ID: "o", Payment: payment}, q, s, noon)
	if err != nil {
		t.Fatal(err)
	}
	o.Version = 1
	o.Awards = []ordering.Award{{}}
	return o
}

func ship(o *ordering.Order) error {
	return o.Ship(ordering.Shipment{Carrier: "post", Tracking: "1"}, noon)
}

// TestWhoHasToConfirm: orders that are paid on delivery, above a total. 61.00 is what one tea costs with shipping and tax.
func TestWhoHasToConfirm(t *testing.T) {
	for _, x := range []struct {
		payment string
		above   int64
		want    bool
	}{{ordering.OnDelivery, 6099, true}, {ordering.OnDelivery, 6100, false}, {ordering.OnDelivery, 0, false}, {"sandbox", 1, false}} {
		o := onDelivery(t, x.payment, x.above)
		if o.Unconfirmed() != x.want || x.want != o.Terms.ConfirmUntil.Equal(noon.Add(48*time.Hour)) {
			t.Errorf("%s of %d above %d waits for a confirmation: %v, until %s", x.payment, o.Total.Minor, x.above, o.Unconfirmed(), o.Terms.ConfirmUntil)
		}
		if err := ship(&o); x.payment == ordering.OnDelivery && fail.Is(err, "order_unconfirmed") != x.want {
			t.Errorf("%s above %d is shipped: %v", x.payment, x.above, err)
		}
	}
}

func TestConfirmation(t *testing.T) {
	end := noon.Add(48 * time.Hour)
	o := onDelivery(t, ordering.OnDelivery, 1)
	if o.Status() != ordering.Confirmed || !o.DueAt().Equal(end) {
		t.Fatalf("%s, due %s", o.Status(), o.DueAt())
	}
	if err := o.Mature(end.Add(-1)); err != nil || o.Status() != ordering.Confirmed {
		t.Fatalf("%s, %v", o.Status(), err)
	}
	lapsed := o.Clone()
	if err := lapsed.Mature(end); err != nil || lapsed.Status() != ordering.Expired || lapsed.Expired.Reason != ordering.NotConfirmed {
		t.Fatalf("%s, %v", lapsed.Status(), err)
	}
	if moves := ordering.StockMoves(o, lapsed); len(moves) != 1 || moves[0].Available != 1 || moves[0].Reserved != -1 {
		t.Errorf("stock of an order that nobody confirmed: %+v", moves)
	}
	if err := lapsed.Confirm("operator", end); !fail.Is(err, "order_status_confirm") {
		t.Errorf("confirmed after the end: %v", err)
	}
	late := o.Clone() // nobody has looked at the clock yet
	if err := late.Confirm("shopper", end.Add(time.Hour)); err != nil || late.Unconfirmed() {
		t.Errorf("confirmed late: %v", err)
	}
	if err := o.Confirm("shopper", noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	o.Version++
	for _, by := range []string{"shopper", "operator"} {
		if err := o.Confirm(by, end); err != nil || o.Confirmation.By != "shopper" || o.Confirmation.V != 2 || !o.Confirmation.At.Equal(noon.Add(time.Hour)) {
			t.Errorf("confirmed again: %+v, %v", o.Confirmation, err)
		}
	}
	if unshipped := noon.AddDate(0, 0, ordering.UnshippedDays); !o.DueAt().Equal(unshipped) || !o.OpenUntil().Equal(unshipped) {
		t.Errorf("a confirmed order is due %s and open until %s", o.DueAt(), o.OpenUntil())
	}
	if err := o.Mature(end); err != nil || o.Status() != ordering.Confirmed {
		t.Errorf("%s, %v", o.Status(), err)
	}
	if o.AsPlaced().Confirmation != nil {
		t.Error("an order is confirmed as it is placed")
	}
	if err := ship(&o); err != nil {
		t.Error(err)
	}
	for name, wrong := range map[string]func(*ordering.Order) error{
		"held": func(o *ordering.Order) error { *o = onDelivery(t, "sandbox", 1); return nil },
		"cancelled": func(o *ordering.Order) error {
			*o = onDelivery(t, ordering.OnDelivery, 1)
			return o.Cancel("", noon)
		},
	} {
		var o ordering.Order
		if err := wrong(&o); err != nil {
			t.Fatal(err)
		}
		if err := o.Confirm("operator", noon); !fail.Is(err, "order_status_confirm") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAConfirmedOrderStaysOpen: a contact's list was written before the confirmation, and what it lists counts beyond the time
// to confirm.
func TestAConfirmedOrderStaysOpen(t *testing.T) {
	limits := settings().Limits
	limits.OpenOrders = 1
	o := onDelivery(t, ordering.OnDelivery, 1)
	p, known := open(t, limits, o)
	confirmed := known["o"]
	if err := confirmed.Confirm("shopper", noon); err != nil {
		t.Fatal(err)
	}
	next := waiting("x", "sandbox", 1, o.Terms.ConfirmUntil)
	for name, x := range map[string]struct {
		earlier ordering.Order
		refused bool
	}{"waits no more": {known["o"], false}, "confirmed": {confirmed, true}} {
		_, err := ordering.Admit(&next, []ordering.Placing{p}, map[string]ordering.Order{"o": x.earlier}, limits)
		if fail.Is(err, "open_orders_many") != x.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}
