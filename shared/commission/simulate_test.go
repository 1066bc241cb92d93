package commission_test

import (
	"fmt"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"yundian/shared/commission"
	"yundian/shared/koc"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

var world = map[string]koc.Profile{
	"ann": {Handle: "ann", Standings: []koc.Standing{{Status: koc.Approved, From: days(-9)}}, Tiers: []koc.Tier{{Name: "gold", From: days(1)}}},
	"bob": {Handle: "bob", Standings: []koc.Standing{{Status: koc.Approved, From: days(-9)}}, Inviter: &koc.Invitation{KOC: "ann", From: days(0)}},
}

// pastOrder is a paid order of the small world, frozen under a book, with refunds and perhaps released.
func pastOrder(t *rapid.T, id string, book commission.Book) ordering.Order {
	o := ordering.Order{ID: id, Version: 1, PlacedAt: days(rapid.IntRange(-1, 40).Draw(t, "day")), Shipping: yuan(0), Tax: yuan(0), Total: yuan(0),
		Customer: rapid.SampledFrom([]ordering.Customer{"", ordering.NewCustomer}).Draw(t, "customer"), Terms: ordering.Terms{Zone: "Asia/Shanghai"}}
	o.Day = o.PlacedAt.In(shanghai).Format("2006-01-02")
	for i := range rapid.IntRange(1, 3).Draw(t, "lines") {
		net := rapid.Int64Range(0, 9000).Draw(t, "net")
		o.Lines = append(o.Lines, ordering.Line{SKU: fmt.Sprint("s", i), Product: rapid.SampledFrom(worldProducts[1:]).Draw(t, "product"),
			Tags: rapid.SampledFrom(worldTags).Draw(t, "tags"), Quantity: rapid.Int64Range(1, 3).Draw(t, "quantity"), Net: yuan(net), Tax: yuan(0)})
		o.Total.Minor += net
	}
	award := ordering.Award{Cause: ordering.CausePlacement, Winners: []ordering.Winner{{KOC: rapid.SampledFrom(worldKOCs[1:]).Draw(t, "winner"), Share: money.Whole}}}
	step := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
		o.Version++
	}
	step(o.Decide(commission.Freeze(o, award, world, book, book)))
	step(o.Capture("pay", o.Total, noon))
	for i := range 2 {
		if rapid.Bool().Draw(t, "release") && o.Released == nil {
			o.Released = &ordering.Mark{V: o.Version + 1, At: noon}
			o.Version++
		}
		refund(t, &o, fmt.Sprint("r", i))
	}
	return o
}

// TestSimulationsAddUp: a simulation in slices, in any order, comes to what one look at all orders gives; a month comes to
// what its rule makes of its sums; and the book that counted changes nothing.
func TestSimulationsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		books := rapid.SliceOfN(rapid.Custom(randomBook), 2, 2).Draw(t, "books")
		for _, b := range books {
			if b.Check("CNY") != nil {
				return
			}
		}
		counted, draft := books[0], books[1]
		draft.Version = counted.Version + 1
		var orders []ordering.Order
		for i := range rapid.IntRange(1, 6).Draw(t, "orders") {
			orders = append(orders, pastOrder(t, fmt.Sprint("o", i), counted))
		}
		whole, same := commission.NewSimulation(draft, nil), commission.NewSimulation(counted, nil)
		for _, o := range orders {
			if err := whole.Add(o, world); err != nil {
				t.Fatal(err)
			}
			if err := same.Add(o, world); err != nil {
				t.Fatal(err)
			}
		}
		for k, e := range same.Earned {
			if e.Changed() || e.MonthsWas != e.MonthsWould {
				t.Fatalf("the book that counted changes %s to %+v", k.KOC, e)
			}
		}
		sum := map[commission.Earner]commission.Earned{}
		var months map[commission.MonthKey]commission.MonthPair
		for _, o := range rapid.Permutation(orders).Draw(t, "order") {
			slice := commission.NewSimulation(draft, maps.Clone(months))
			if err := slice.Add(o, world); err != nil {
				t.Fatal(err)
			}
			for k, e := range slice.Earned {
				sum[k] = sum[k].Plus(e)
			}
			months = slice.Months
		}
		for k, e := range whole.Earned {
			if sum[k] != e {
				t.Fatalf("%s: slices come to %+v, the whole to %+v", k.KOC, sum[k], e)
			}
		}
		was := map[string]int64{}
		for _, o := range orders {
			target, err := commission.Target(o)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range target.Positions {
				was[p.KOC] += p.Net()
			}
		}
		for k, e := range whole.Earned {
			if e.Was-e.MonthsWas != was[k.KOC] {
				t.Fatalf("%s is said to have earned %+v, and earned %d by orders", k.KOC, e, was[k.KOC])
			}
		}
	})
}
