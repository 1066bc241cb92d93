package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"yundian/shared/commission"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/ordering"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

// TestOnePublicationWins publishes the same plan many times at once: one is made, with everything it says.
func TestOnePublicationWins(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	p, err := s.Plan(ctx, noon)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	results := make([]error, 12)
	for i := range results {
		b := p.InForce()
		b.Rules = []commission.Rule{{ID: fmt.Sprint("r", i), Match: commission.Match{Tag: "tea"}, Rate: 2000}}
		pub, err := p.Publish(commission.Draft{Book: b, Seen: p.Latest, From: noon.AddDate(0, 0, i)}, "CNY", commission.Notice{Days: 14, Zone: time.UTC}, commission.Market{}, noon)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { results[i] = s.Publish(ctx, pub) })
	}
	wg.Wait()
	after, err := s.Plan(ctx, noon)
	if err != nil || after.Latest != 2 {
		t.Fatalf("plan %+v, %v", after, err)
	}
	won := 0
	for i, err := range results {
		switch {
		case err == nil:
			won++
			if b := after.At(noon.AddDate(0, 0, i)); b.Rules[0].ID != fmt.Sprint("r", i) || b.From != noon.AddDate(0, 0, i) {
				t.Errorf("publication %d won, but %+v counts", i, b)
			}
		case !fail.Is(err, "changed_meanwhile"):
			t.Errorf("publication %d: %v", i, err)
		}
	}
	if won != 1 {
		t.Errorf("%d publications of one version were made", won)
	}
}

// once places an order through the whole of placing: read, decide, write.
func placeOnce(t testing.TB, s *store.Store, id string) (ordering.Order, error) {
	t.Helper()
	n := placement(t, s, id, "key-of-"+id, 1, "tea")
	return s.PlaceOnce(context.Background(), store.Wanted{SKUs: []string{"tea"}, Key: "key-of-" + id, Hash: "h", Contacts: []string{n.Order.Person}},
		func(store.Checkout) (store.NewOrder, error) { return n, nil })
}

func buyers(t testing.TB, s *store.Store, prefix string, orders int) (fresh []string) {
	t.Helper()
	var wg sync.WaitGroup
	placed := make([]ordering.Order, orders)
	for i := range placed {
		wg.Go(func() {
			o, err := placeOnce(t, s, fmt.Sprint(prefix, i))
			if err != nil {
				t.Error(err)
			}
			placed[i] = o
		})
	}
	wg.Wait()
	for _, o := range placed {
		kept, err := s.Order(context.Background(), o.ID)
		if err != nil || kept.Customer != o.Customer {
			t.Errorf("placed as %q, kept as %q, %v", o.Customer, kept.Customer, err)
		}
		if o.Buyer() == ordering.NewCustomer {
			fresh = append(fresh, o.ID)
		}
	}
	return fresh
}

// TestOneOrderIsTheFirst places orders of one person at the same time: exactly one is that of a new customer, and the others
// wait beside it. When all have come to nothing another one may be; once one was paid, none.
func TestOneOrderIsTheFirst(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	shelve(t, s, "tea", 100)
	change := func(id string, f func(*ordering.Order) error) {
		t.Helper()
		if _, err := s.UpdateOrder(ctx, id, f); err != nil {
			t.Fatal(err)
		}
	}
	first := buyers(t, s, "a", 6)
	if len(first) != 1 {
		t.Fatalf("new customers: %v", first)
	}
	if again := buyers(t, s, "b", 3); len(again) != 0 {
		t.Errorf("new customers while the first order waits: %v", again)
	}
	change(first[0], func(o *ordering.Order) error { return o.Mature(o.Terms.HoldUntil) })
	if again := buyers(t, s, "c", 1); len(again) != 0 {
		t.Errorf("new customers while orders beside the first one wait: %v", again)
	}
	for i := range 6 {
		if id := fmt.Sprint("a", i); id != first[0] {
			change(id, func(o *ordering.Order) error { return o.Cancel("changed my mind", noon) })
		}
	}
	for _, id := range []string{"b0", "b1", "b2", "c0"} {
		change(id, func(o *ordering.Order) error { return o.Mature(o.Terms.HoldUntil) })
	}
	second := buyers(t, s, "d", 6)
	if len(second) != 1 {
		t.Fatalf("new customers after all orders came to nothing: %v", second)
	}
	for i, f := range []func(*ordering.Order) error{
		func(o *ordering.Order) error { return o.Capture("pay", o.Total, noon) },
		func(o *ordering.Order) error { return o.Cancel("changed my mind", noon) }, // paid before, so they have been here
	} {
		change(second[0], f)
		if again := buyers(t, s, fmt.Sprint("e", i), 2); len(again) != 0 {
			t.Errorf("new customers after a paid order: %v", again)
		}
	}
	// The same key again is the same order, and still the first.
	if o, err := placeOnce(t, s, second[0]); err != nil || o.Buyer() != ordering.NewCustomer {
		t.Errorf("placed again: %+v, %v", o.Customer, err)
	}
}

// TestWhoIsNewIsAQuestionAboutAllOrders walks through the orders of one person, one after the other: an order is that of a new
// customer when every order before it has come to nothing, in whatever way and however late that is known.
func TestWhoIsNewIsAQuestionAboutAllOrders(t *testing.T) {
	expire := func(o *ordering.Order) error { return o.Mature(o.Terms.HoldUntil) }
	cancel := func(o *ordering.Order) error { return o.Cancel("changed my mind", noon) }
	pay := func(o *ordering.Order) error { return o.Capture("pay-"+o.ID, o.Total, noon) }
	late := func(o *ordering.Order) error { return o.CaptureLate("late-"+o.ID, o.Total, true, noon) }
	tooLate := func(o *ordering.Order) error { return o.CaptureLate("late-"+o.ID, o.Total, false, noon) }
	deliver := func(o *ordering.Order) error {
		if err := o.Ship(ordering.Shipment{Carrier: "post", Tracking: "1"}, noon); err != nil {
			return err
		}
		return o.Deliver("shopper", noon)
	}
	type step struct {
		order string            // a new one
		want  ordering.Customer // of the new one
		to    string            // or an order to which something happens
		do    func(*ordering.Order) error
	}
	const isNew, returning = ordering.NewCustomer, ordering.Returning
	many := []step{}
	for i := range 25 { // more than can be listed
		id := fmt.Sprint("x", i)
		many = append(many, step{order: id, want: isNew}, step{to: id, do: expire})
	}
	for name, steps := range map[string][]step{
		"the first expires, the second is paid": {{order: "1", want: isNew}, {order: "2", want: returning}, {to: "1", do: expire}, {to: "2", do: pay},
			{to: "2", do: deliver}, {order: "3", want: returning}, {order: "4", want: returning}},
		"the second is paid before the first expires": {{order: "1", want: isNew}, {order: "2", want: returning}, {to: "2", do: pay}, {to: "1", do: expire},
			{order: "3", want: returning}},
		"the first is cancelled, the second waits": {{order: "1", want: isNew}, {order: "2", want: returning}, {to: "1", do: cancel}, {order: "3", want: returning}},
		"both come to nothing":                     {{order: "1", want: isNew}, {order: "2", want: returning}, {to: "1", do: expire}, {to: "2", do: cancel}, {order: "3", want: isNew}},
		"the second was paid and given back": {{order: "1", want: isNew}, {order: "2", want: returning}, {to: "1", do: expire}, {to: "2", do: pay}, {to: "2", do: cancel},
			{order: "3", want: returning}},
		"paid late, after another first": {{order: "1", want: isNew}, {to: "1", do: expire}, {order: "2", want: isNew}, {to: "2", do: cancel}, {order: "3", want: isNew},
			{to: "3", do: cancel}, {to: "1", do: late}, {order: "4", want: returning}, {to: "1", do: cancel}, {order: "5", want: returning}},
		"paid too late":                          {{order: "1", want: isNew}, {to: "1", do: expire}, {to: "1", do: tooLate}, {order: "2", want: isNew}},
		"many expire, and the last is paid late": append(slices.Clone(many), step{to: "x24", do: late}, step{order: "y", want: returning}),
	} {
		t.Run(name, func(t *testing.T) {
			s := store.OpenMaps(store.NewMaps())
			shelve(t, s, "tea", 100)
			for _, x := range steps {
				if x.order == "" {
					change(t, s, x.to, x.do)
				} else if o, err := placeOnce(t, s, x.order); err != nil || o.Customer != x.want {
					t.Fatalf("order %s is of a customer %q, %v; want %q", x.order, o.Customer, err, x.want)
				}
			}
		})
	}
}

// TestTermsAreThoseOfThePlacement decides orders that were placed at different times: tier, inviter, standing and book are
// those of the placement, and rules about months those of the month's beginning.
func TestTermsAreThoseOfThePlacement(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	shelve(t, s, "tea", 100)
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	write := func(p koc.Profile) {
		t.Helper()
		if err := s.CreateKOC(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	approved := func(handle string, from time.Time) koc.Profile {
		return koc.Profile{Handle: handle, Standings: []koc.Standing{{Status: koc.Approved, From: from}}}
	}
	ana := approved("ana", day(-50))
	ana.Standings = append(ana.Standings, koc.Standing{Status: koc.Suspended, From: day(20)})
	mei := approved("mei", day(-50))
	mei.Tiers = []koc.Tier{{Name: "gold", From: day(3)}, {Name: "", From: day(12)}}
	mei.Inviter = &koc.Invitation{KOC: "ana", From: day(7)}
	write(ana)
	write(mei)
	publish := func(b commission.Book, now time.Time) {
		t.Helper()
		p, err := s.Plan(ctx, now)
		if err != nil {
			t.Fatal(err)
		}
		pub, err := p.Publish(commission.Draft{Book: b, Seen: p.Latest}, "CNY", commission.Notice{Days: 0, Zone: time.UTC}, commission.Market{}, now)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Publish(ctx, pub); err != nil {
			t.Fatal(err)
		}
	}
	b := commission.FirstBook()
	b.Rules = []commission.Rule{{ID: "gold", Match: commission.Match{Tier: "gold"}, PerUnit: yuan(900), LineCap: yuan(2000)},
		{ID: "welcome", Match: commission.Match{Customer: "new"}, Rate: 1100}}
	b.InviterRate = 500
	b.MonthRules = []commission.MonthRule{{ID: "more", Match: commission.Match{Product: "tea"}, Milestones: []commission.Milestone{{Sales: yuan(100), Bonus: yuan(10)}}}}
	publish(b, day(5)) // version 2, in the middle of March
	b.MonthRules = append(b.MonthRules, commission.MonthRule{ID: "gold-more", Match: commission.Match{Tier: "gold"}, Milestones: b.MonthRules[0].Milestones})
	b.InviterRate = 600
	publish(b, day(40)) // version 3, on the 10th of April
	var ids []string
	for i, at := range []time.Time{day(0), day(4), day(6), day(8), day(13), day(25), day(35), day(41)} {
		n := placement(t, s, fmt.Sprint("o", i), fmt.Sprint("key", i), 1, "tea")
		n.Order.PlacedAt, n.Order.Day = at, at.Format(time.DateOnly)
		n.Order.Evidence = []ordering.Evidence{{Kind: ordering.ByCode, Code: "mei", At: at}}
		if i == 5 {
			n.Order.Customer = ordering.NewCustomer
		}
		place(t, s, n)
		ids = append(ids, n.Order.ID)
	}
	if err := s.AttributeOrders(ctx, ids, func() time.Time { return day(60) }); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"book 1 default 1000+0 by  at 0 []",
		"book 1 default 1000+0 by  at 0 []",       // gold, but no rule about it yet
		"book 2 gold 0+900 by  at 0 []",           // not invited yet
		"book 2 gold 0+900 by ana at 500 []",      // March began without rules about months
		"book 2 default 1000+0 by ana at 500 []",  // gold no more
		"book 2 welcome 1100+0 by  at 0 []",       // the inviter is suspended
		"book 2 default 1000+0 by  at 0 [more 2]", // April began with version 2
		"book 3 default 1000+0 by  at 0 [more 2]",
	}
	for i, id := range ids {
		o, err := s.Order(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := o.Award()
		r := a.Rates[0]
		var months []string
		for _, m := range a.Months {
			months = append(months, fmt.Sprint(m.Rule, " ", m.RuleVersion))
		}
		got := fmt.Sprintf("book %d %s %d+%d by %s at %d %v", a.BookVersion, r.Rule, r.Rate, r.PerUnit, a.Winners[0].Inviter, a.InviterRate, months)
		if got != want[i] {
			t.Errorf("order %d, placed %s: %s, want %s", i, o.PlacedAt, got, want[i])
		}
	}
}
