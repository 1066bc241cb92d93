package store

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/money"
)

var bookNoon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

// oldBook is a version as it was written before rules, and before the line of versions was kept.
func oldBook(v int64, from time.Time) Write {
	return Write{Table: Shop, Key: Key{"RULES", fmt.Sprintf("V#%010d", v)}, Guards: once(),
		Put: Item{"v": number(v), "from": text(from.Format(time.RFC3339Nano)), "default": number(1000 + v), "products": text(`{"tea":1500}`)}}
}

func publishBook(t *testing.T, s *Store, b commission.Book, from, now time.Time) {
	t.Helper()
	ctx := context.Background()
	p, err := s.Plan(ctx, now)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := p.Publish(commission.Draft{Book: b, Seen: p.Latest, From: from}, "CNY", commission.Notice{Days: 1, Zone: time.UTC}, commission.Market{}, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(ctx, pub); err != nil {
		t.Fatal(err)
	}
}

// TestOldRuleBooksStillCount reads a shop whose books were written before the line was kept, before and after it publishes
// again.
func TestOldRuleBooksStillCount(t *testing.T) {
	m := NewMaps()
	ctx := context.Background()
	for v := int64(2); v <= 9; v++ {
		apply(t, OpenMaps(m), oldBook(v, bookNoon.AddDate(0, 0, int(v))))
	}
	check := func(when string, at map[time.Time]int64) {
		t.Helper()
		for _, s := range []*Store{OpenMaps(m), OpenMaps(m)} { // a process that starts, and one that has read before
			for range 2 {
				for moment, want := range at {
					if b, err := s.BookAt(ctx, moment); err != nil || b.Version != want {
						t.Errorf("%s, at %s version %d counts, %v; want %d", when, moment, b.Version, err, want)
					}
				}
			}
		}
	}
	past := map[time.Time]int64{bookNoon: 1, bookNoon.AddDate(0, 0, 2): 2, bookNoon.AddDate(0, 0, 7).Add(time.Hour): 7, bookNoon.AddDate(0, 0, 9): 9}
	check("old", past)
	now := bookNoon.AddDate(0, 0, 20)
	p, err := OpenMaps(m).Plan(ctx, now)
	if err != nil || p.Latest != 9 || len(p.Books) != 1 || p.InForce().Default != 1009 || p.InForce().Products["tea"] != 1500 || p.InForce().InviterRate != 0 {
		t.Fatalf("plan %+v, %v", p, err)
	}
	raised := p.InForce()
	raised.Rules = []commission.Rule{{ID: "gold", Match: commission.Match{Tier: "gold"}, PerUnit: money.Of(700, "CNY")}}
	raised.Default = 2000
	publishBook(t, OpenMaps(m), raised, now.AddDate(0, 0, 1), now)
	past[now] = 9
	past[now.AddDate(0, 0, 1)] = 10
	check("published again", past)
	b, err := OpenMaps(m).BookAt(ctx, now.AddDate(0, 0, 1))
	raised.Version, raised.From = 10, now.AddDate(0, 0, 1)
	if err != nil || !reflect.DeepEqual(b, raised) {
		t.Errorf("the book came back as %+v, %v\nwant %+v", b, err, raised)
	}
}

// TestTheLineOfBooks publishes at random moments and compares what the store says of every moment with what was read then.
func TestTheLineOfBooks(t *testing.T) {
	notice := commission.Notice{Days: 5, Zone: time.UTC}
	withdrawn := 0
	rapid.Check(t, func(t *rapid.T) {
		m, ctx, now := NewMaps(), context.Background(), bookNoon
		long := OpenMaps(m)
		counted := map[time.Time]int64{}
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(1, 100).Draw(t, "hours")) * time.Hour)
			p, err := OpenMaps(m).Plan(ctx, now)
			if err != nil {
				t.Fatal(err)
			}
			before, err := OpenMaps(m).Plan(ctx, now.Add(-time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			counted[now.Add(-time.Minute)] = before.InForce().Version
			if again, err := long.Plan(ctx, now); err != nil || !reflect.DeepEqual(again, p) {
				t.Fatalf("a process that runs for long reads %+v, %v\nwant %+v", again, err, p)
			}
			d := commission.Draft{Book: p.InForce(), Seen: p.Latest, Withdraw: rapid.Bool().Draw(t, "withdraw")}
			d.Book.Default = money.BasisPoints(rapid.Int64Range(1, 20).Draw(t, "default") * 100)
			if n := rapid.IntRange(0, 12).Draw(t, "in"); n > 0 {
				d.From = now.AddDate(0, 0, n)
			}
			pub, err := p.Publish(d, "CNY", notice, commission.Market{}, now)
			if err != nil {
				continue
			}
			if d.Withdraw && len(pub.Line) > 1 {
				withdrawn++
			}
			if err := OpenMaps(m).Publish(ctx, pub); err != nil {
				t.Fatal(err)
			}
			after, err := long.Plan(ctx, now)
			if err != nil || after.Latest != pub.New[len(pub.New)-1].Version {
				t.Fatalf("after %+v: %+v, %v", pub, after, err)
			}
			for n := range 15 { // what is announced is what a look-up by time finds
				at := now.AddDate(0, 0, n)
				if b, err := long.BookAt(ctx, at); err != nil || b.Version != after.At(at).Version {
					t.Fatalf("on day %d version %d counts, %v; want %d", n, b.Version, err, after.At(at).Version)
				}
			}
			pub.New[0].Default++
			if err := long.Publish(ctx, pub); err == nil {
				t.Fatal("a version was published twice")
			}
		}
		var moments []time.Time
		for at := range counted {
			moments = append(moments, at)
		}
		books, err := OpenMaps(m).booksAt(ctx, moments)
		for at, version := range counted {
			if err != nil || books[at].Version != version {
				t.Fatalf("version %d counted on %s; now it is said to be %d, %v", version, at, books[at].Version, err)
			}
			if b, err := long.monthBook(ctx, at); err != nil || b.Version != version {
				t.Fatalf("version %d counted on %s; a month that began then has %d, %v", version, at, b.Version, err)
			}
		}
	})
	if withdrawn < 10 {
		t.Errorf("only %d books were withdrawn", withdrawn)
	}
}

// TestALookUpTakesFewCalls: how often a book was published does not matter to who looks up a moment, not even one before
// the first publication.
func TestALookUpTakesFewCalls(t *testing.T) {
	m := NewMaps()
	for i := range 60 {
		now := bookNoon.Add(time.Duration(i) * time.Hour)
		b := commission.FirstBook()
		b.Default += money.BasisPoints(i)
		publishBook(t, OpenMaps(m), b, time.Time{}, now)
	}
	for _, at := range []time.Time{bookNoon.Add(-time.Hour), bookNoon.Add(30 * time.Hour), bookNoon.Add(90 * time.Hour)} {
		s, calls := OpenMaps(m), 0
		m.Intercept = func(_ context.Context, c Call) Verdict {
			if !c.Done {
				calls++
			}
			return Pass
		}
		if _, err := s.BookAt(context.Background(), at); err != nil || calls > 3 {
			t.Errorf("the book of %s takes %d calls, %v", at, calls, err)
		}
		calls = 0
		if _, err := s.BookAt(context.Background(), at); err != nil || calls > 1 {
			t.Errorf("the book of %s takes %d calls again, %v", at, calls, err)
		}
	}
}

// TestWhatIsPublishedWithAProductStaysWhole: a product whose SKUs do not fit one transaction is written after them, in one
// with what is published beside it.
func TestWhatIsPublishedWithAProductStaysWhole(t *testing.T) {
	for variants := 60; variants <= 100; variants++ {
		m, ctx := NewMaps(), context.Background()
		s := OpenMaps(m)
		for day := range commission.MaxComing {
			publishBook(t, s, commission.FirstBook(), bookNoon.AddDate(0, 0, day+1), bookNoon)
		}
		plan, err := s.Plan(ctx, bookNoon)
		if err != nil {
			t.Fatal(err)
		}
		pub, err := plan.Set(commission.Edit{Products: map[string]money.BasisPoints{"wide": 2000}}, commission.Notice{Days: 1, Zone: time.UTC}, commission.Market{}, bookNoon)
		if err != nil || len(pub.New) != commission.MaxComing+1 {
			t.Fatalf("%+v, %v", pub, err)
		}
		p := catalogue.Product{ID: "wide", Title: "Wide", Status: catalogue.Active}
		for i := range variants {
			p.Variants = append(p.Variants, catalogue.Variant{SKU: fmt.Sprint("w", i), Price: money.Of(100, "CNY")})
		}
		together := map[int]int{}
		m.Intercept = func(_ context.Context, c Call) Verdict {
			n := 0
			for _, w := range c.Writes {
				if (w.Key.PK == "RULES" || w.Key.SK == "PRODUCT") && !w.checks() { // what is written ahead asks for the product as it was seen
					n++
				}
			}
			if c.Done {
				together[n]++
			}
			return Pass
		}
		if err := s.SaveProduct(ctx, catalogue.Product{}, p, nil, PublicationWrites(pub)...); err != nil {
			t.Fatal(err)
		}
		delete(together, 0)
		if want := 1 + 2*(commission.MaxComing+1); len(together) != 1 || together[want] != 1 {
			t.Errorf("%d variants: product and rules were written in calls of %v, want %d in one", variants, together, want)
		}
	}
}
