package demo

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	provider "yundian/infra/local/sandbox" // the plan has a name "sandbox" of its own
	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/seal"
	"yundian/shared/shop"
)

// counter is a seeding as of a moment with everything that deciding about orders needs, and no store.
func counter(t *testing.T, now time.Time) (*seeding, map[string]catalogue.Sellable, shop.Settings) {
	t.Helper()
	keys, err := seal.Parse(`{"1": "0123456789abcdef"}`)
	if err != nil {
		t.Fatal(err)
	}
	box, err := provider.New(provider.Options{Key: "k", WebhookURL: "http://127.0.0.1/", Now: time.Now, DataFile: filepath.Join(t.TempDir(), "books")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Close() })
	s := &seeding{Target: Target{URL: "http://127.0.0.1", Keys: keys, Identity: []byte("identity"), Now: now, Paid: box.Enter}, links: map[string]koc.Link{}}
	for _, k := range KOCs {
		for i, l := range k.Links {
			s.links[l.Name] = koc.Link{Code: k.Handle + "_" + strings.Repeat("a", i+1), KOC: k.Handle}
		}
	}
	sold := map[string]catalogue.Sellable{}
	for _, p := range Products {
		for _, v := range p.Variants {
			sold[v.SKU] = catalogue.Sellable{SKU: v.SKU, Product: p.ID, Title: p.Title, Price: money.Of(v.Price, currency), Status: catalogue.Active,
				Stock: catalogue.Stock{Available: v.Stock}}
		}
	}
	settings := shop.Default()
	settings.Shipping = shop.Shipping{Fee: House.ShippingFee, FreeFrom: House.FreeFrom}
	settings.Windows = shop.Windows{AttributionDays: House.AttributionDays, ReturnDays: House.ReturnDays, ReceiptDays: House.ReceiptDays, HoldMinutes: House.HoldMinutes}
	return s, sold, settings
}

// Whatever time it is when the shop is seeded, every order ends as the plan says, nothing is dated after the seeding or
// before what caused it, and nothing but the order just placed is left for time to change at once.
func TestThePlanHoldsAtAnyTimeOfDay(t *testing.T) {
	for _, clock := range []string{"2026-03-01T00:00:30+08:00", "2026-03-01T00:21:00+08:00", "2026-05-31T12:00:00+08:00", "2026-12-31T23:59:30+08:00"} {
		t.Run(clock, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, clock)
			if err != nil {
				t.Fatal(err)
			}
			s, sold, settings := counter(t, now)
			seen := map[string]bool{}
			for i, plan := range Orders {
				p := planned{plan, i + 1}
				n, err := s.newOrder(p, sold, settings)
				if err != nil {
					t.Fatal(err)
				}
				if seen[n.Order.ID] {
					t.Errorf("order %d has another one's id %s", p.n, n.Order.ID)
				}
				seen[n.Order.ID] = true
				checkPlaced(t, p, n.Order, now)
				if err := n.Order.Decide(ordering.Award{Cause: ordering.CausePlacement}); err != nil { // attribute does so at once
					t.Fatal(err)
				}
				live(t, s, p, n.Order)
			}
		})
	}
}

func checkPlaced(t *testing.T, p planned, o ordering.Order, now time.Time) {
	t.Helper()
	if o.PlacedAt.After(now) || o.PlacedAt.Before(now.AddDate(0, 0, -weeks)) {
		t.Errorf("order %d is placed at %s", p.n, o.PlacedAt)
	}
	want := 0
	if p.Link != "" {
		want++
	}
	if p.Code != "" {
		want++
	}
	if len(o.Evidence) != want {
		t.Errorf("order %d has evidence %+v", p.n, o.Evidence)
	}
	for _, e := range o.Evidence {
		if e.Problem != "" {
			t.Errorf("order %d: %s is %s", p.n, e.Code, e.Problem)
		}
	}
}

// live takes every step of an order and checks where it ends.
func live(t *testing.T, s *seeding, p planned, o ordering.Order) {
	t.Helper()
	o.Version = 1
	last := o.PlacedAt
	for _, x := range s.steps(p, o) {
		if x.do == nil {
			continue
		}
		if x.done(o) {
			t.Errorf("%s: done before it was", x.name)
		}
		before := o.Clone()
		if err := x.do(&o); err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		if !x.done(o) {
			t.Errorf("%s: not done", x.name)
		}
		at := newest(before, o)
		if at.Before(last) || at.After(s.Now) {
			t.Errorf("%s at %s, after %s and as of %s", x.name, at, last, s.Now)
		}
		last = at
		o.Version++
	}
	if got := end(o); got != p.Ends {
		t.Errorf("order %d ends %s, the plan says %s", p.n, got, p.Ends)
	}
	if due := o.DueAt(); !due.IsZero() && !due.After(s.Now) {
		t.Errorf("order %d is due at %s already", p.n, due)
	}
	for _, r := range o.Refunds {
		if r.Open() {
			t.Errorf("order %d: refund %s is open", p.n, r.ID)
		}
	}
}

// end is the word of the plan for where an order stands.
func end(o ordering.Order) string {
	if o.Released != nil {
		return "released"
	}
	return string(o.Status())
}

// newest is the time of the latest fact that an order has and did not have before.
func newest(before, o ordering.Order) time.Time {
	var at time.Time
	see := func(t time.Time) {
		if t.After(at) {
			at = t
		}
	}
	mark := func(m *ordering.Mark) {
		if m != nil && m.V > before.Version {
			see(m.At)
		}
	}
	for _, m := range []*ordering.Mark{o.Released, o.Cancelled, o.Expired, o.Revived} {
		mark(m)
	}
	if o.Delivered != nil && o.Delivered.V > before.Version {
		see(o.Delivered.At)
	}
	for _, c := range o.Captures[len(before.Captures):] {
		see(c.At)
	}
	for _, r := range o.Refunds[len(before.Refunds):] {
		see(r.At)
		mark(r.Succeeded)
	}
	for _, x := range o.Shipments[len(before.Shipments):] {
		see(x.At)
	}
	for _, x := range o.Returns[len(before.Returns):] {
		see(x.At)
	}
	for _, x := range o.Holds[len(before.Holds):] {
		see(x.At)
	}
	return at
}
