package statement_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/statement"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

var shanghai = zone("Asia/Shanghai")

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// local is an instant of Shanghai.
func local(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", text, shanghai)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// paid is an order of 100.00 that earns mei a tenth.
func paid(id string, c money.Currency) ordering.Order {
	amount := func(minor int64) money.Amount { return money.Of(minor, c) }
	return ordering.Order{ID: id, Version: 2, PlacedAt: local("2026-01-01 00:00:00"), Day: "2026-01-01", Terms: ordering.Terms{Zone: "UTC"}, Total: amount(10000), Shipping: amount(0), Tax: amount(0),
		Lines:    []ordering.Line{{SKU: "x", Product: "x", Quantity: 1, Unit: amount(10000), Net: amount(10000), Tax: amount(0)}},
		Captures: []ordering.Capture{{V: 2, PaymentID: "p", Amount: amount(10000)}},
		Awards: []ordering.Award{{V: 1, Winners: []ordering.Winner{{KOC: "mei", Code: "mei", Share: money.Whole}},
			Rates: []ordering.LineRate{{Rule: "default", RuleVersion: 1, Rate: 1000}}}}}
}

type fataler interface {
	Helper()
	Fatal(...any)
}

func settle(t fataler, s *store.Store, at time.Time, orders ...ordering.Order) {
	t.Helper()
	if n, err := s.SettleOrders(context.Background(), orders, func() time.Time { return at }); err != nil || n != len(orders) {
		t.Fatal("settled", n, err)
	}
}

func closeAt(t fataler, c statement.Closer, now time.Time) int {
	t.Helper()
	n, err := c.Close(context.Background(), "mei", now)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// closed are all closed statements in a currency, oldest first.
func closed(t fataler, s *store.Store, c money.Currency) []ledger.Statement {
	t.Helper()
	var out []ledger.Statement
	for after := ""; ; {
		page, next, err := s.Statements(context.Background(), "mei", after, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range page {
			if st.Currency == c {
				out = append(out, st)
			}
		}
		if after = next; next == "" {
			slices.Reverse(out)
			return out
		}
	}
}

func postings(t fataler, s *store.Store) []ledger.Posting {
	t.Helper()
	var out []ledger.Posting
	for after := ""; ; {
		page, next, err := s.Postings(context.Background(), "mei", after, 100, false)
		if err != nil {
			t.Fatal(err)
		}
		if out, after = append(out, page...), next; next == "" {
			return out
		}
	}
}

func TestMonthsCloseOneAfterAnother(t *testing.T) {
	s := storetest.Open(t)
	c := statement.Closer{Store: s, Zone: shanghai}
	if n := closeAt(t, c, local("2026-06-01 12:00:00")); n != 0 {
		t.Errorf("closed %d months of nobody", n)
	}
	settle(t, s, local("2026-01-31 23:59:59"), paid("a", "CNY"))
	settle(t, s, local("2026-02-01 00:00:00"), paid("b", "CNY"), paid("c", "CNY"))
	settle(t, s, local("2026-02-10 00:00:00"), paid("d", "USD"))
	if n := closeAt(t, c, local("2026-02-01 00:59:59")); n != 0 {
		t.Errorf("closed %d months before an hour was over", n)
	}
	if n := closeAt(t, c, local("2026-02-01 01:00:00")); n != 1 {
		t.Errorf("closed %d months, want 1", n)
	}
	settle(t, s, local("2026-04-03 00:00:00"), paid("e", "CNY"))
	if n := closeAt(t, c, local("2026-05-01 02:00:00")); n != 3+3 {
		t.Errorf("closed %d months, want February to April in two currencies", n)
	}
	if n := closeAt(t, c, local("2026-05-31 23:00:00")); n != 0 {
		t.Errorf("closed %d months again", n)
	}
	cny := closed(t, s, "CNY")
	for i, want := range []struct {
		period   ledger.Period
		postings int64
		closing  int64
		last     string
	}{{"2026-01", 1, 1000, "settle:a:2:mei"}, {"2026-02", 2, 3000, "settle:c:2:mei"}, {"2026-03", 0, 3000, ""}, {"2026-04", 1, 4000, "settle:e:2:mei"}} {
		st := cny[i]
		var prev ledger.Statement
		if i > 0 {
			prev = cny[i-1]
		}
		if err := st.Follows(prev); err != nil {
			t.Error(err)
		}
		if st.Period != want.period || st.Postings != want.postings || st.Closing.Pending != want.closing || st.Last != want.last {
			t.Errorf("%+v, want %+v", st, want)
		}
	}
	if st := cny[1]; !st.From.Equal(local("2026-02-01 00:00:00")) || !st.To.Equal(local("2026-03-01 00:00:00")) || !slices.Equal(st.Totals, []ledger.Total{{Kind: ledger.Accrual, Count: 2, Minor: 2000}}) {
		t.Errorf("%+v", st)
	}
	if usd := closed(t, s, "USD"); len(usd) != 3 || usd[0].Period != "2026-02" || usd[2].Closing.Pending != 1000 || usd[0].PrevHash != "" {
		t.Errorf("%+v", usd)
	}
}

// TestWhatComesAfterClosingIsInTheNextMonth posts with a clock that is late by weeks.
func TestWhatComesAfterClosingIsInTheNextMonth(t *testing.T) {
	s := storetest.Open(t)
	c := statement.Closer{Store: s, Zone: shanghai}
	settle(t, s, local("2026-03-10 12:00:00"), paid("a", "CNY"))
	closeAt(t, c, local("2026-04-02 00:00:00"))
	before := closed(t, s, "CNY")
	settle(t, s, local("2026-03-20 12:00:00"), paid("b", "CNY"))
	closeAt(t, c, local("2026-05-02 00:00:00"))
	all := closed(t, s, "CNY")
	if len(all) != 2 || all[0].Hash != before[0].Hash || all[1].Postings != 1 || all[1].Closing.Pending != 2000 {
		t.Errorf("%+v", all)
	}
	if p := postings(t, s)[1]; !p.At.Equal(local("2026-04-01 00:00:00")) {
		t.Errorf("it was posted at %s", p.At)
	}
}

// TestAShopThatMoves closes the next month at the new zone's midnight, and leaves no hour out.
func TestAShopThatMoves(t *testing.T) {
	s := storetest.Open(t)
	settle(t, s, local("2026-03-10 12:00:00"), paid("a", "CNY"))
	closeAt(t, statement.Closer{Store: s, Zone: shanghai}, local("2026-04-02 00:00:00"))
	settle(t, s, local("2026-04-01 00:30:00"), paid("b", "CNY")) // still March in Berlin
	closeAt(t, statement.Closer{Store: s, Zone: zone("Europe/Berlin")}, local("2026-05-02 00:00:00"))
	all := closed(t, s, "CNY")
	if len(all) != 2 || all[1].Postings != 1 || !all[1].From.Equal(local("2026-04-01 00:00:00")) || !all[1].To.Equal(local("2026-05-01 06:00:00")) {
		t.Errorf("%+v", all)
	}
}

func TestOneOfManyCloses(t *testing.T) {
	s := storetest.Open(t)
	settle(t, s, local("2026-01-10 12:00:00"), paid("a", "CNY"))
	settle(t, s, local("2026-03-10 12:00:00"), paid("b", "CNY"))
	var crowd sync.WaitGroup
	for i := range 6 {
		crowd.Go(func() {
			if _, err := (statement.Closer{Store: s, Zone: shanghai}).Close(context.Background(), "mei", local("2026-04-02 00:00:00").Add(time.Duration(i)*time.Second)); err != nil {
				t.Error(err)
			}
		})
	}
	crowd.Wait()
	var prev ledger.Statement
	for _, st := range closed(t, s, "CNY") {
		if err := st.Follows(prev); err != nil {
			t.Error(err)
		}
		prev = st
	}
	if prev.Period != "2026-03" || prev.Closing.Pending != 2000 {
		t.Errorf("%+v", prev)
	}
}

// TestStatementsAlwaysSumToTheLedger posts with clocks that are days off, in any zone, while months are closed in between,
// and ends anywhere: every posting is in exactly one statement, closed or open.
func TestStatementsAlwaysSumToTheLedger(t *testing.T) {
	zones := []*time.Location{shanghai, time.UTC, zone("America/New_York"), zone("America/Asuncion"), zone("Asia/Beirut"), zone("Pacific/Apia")}
	rapid.Check(t, func(t *rapid.T) {
		s := store.OpenMaps(store.NewMaps())
		c := statement.Closer{Store: s, Zone: rapid.SampledFrom(zones).Draw(t, "zone")}
		now := local("2026-01-15 00:00:00")
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 20*24*3600).Draw(t, "passes")) * time.Second)
			if rapid.IntRange(0, 2).Draw(t, "what") == 0 {
				closeAt(t, c, now)
				continue
			}
			off := time.Duration(rapid.Int64Range(-40*24*3600, 40*24*3600).Draw(t, "off")) * time.Second
			settle(t, s, now.Add(off), paid(fmt.Sprint("o", i), rapid.SampledFrom([]money.Currency{"CNY", "USD"}).Draw(t, "currency")))
		}
		r := statement.Reader{Closer: c, Now: now}
		open, err := r.Open(context.Background(), "mei")
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range ledger.Fold(postings(t, s)) {
			all := closed(t, s, b.Currency)
			for _, f := range open {
				if f.Currency == b.Currency {
					all = append(all, f.Statement)
				}
			}
			checkStatements(t, postings(t, s), all, b)
		}
	})
}

func checkStatements(t *rapid.T, postings []ledger.Posting, all []ledger.Statement, want ledger.Balances) {
	opening := ledger.Balances{Currency: want.Currency}
	in := map[string]int{}
	for i, st := range all {
		if st.Opening != opening {
			t.Fatalf("%s opens with %+v, the one before closes with %+v", st.Period, st.Opening, opening)
		}
		if i > 0 && (!st.From.Equal(all[i-1].To) || st.Period != all[i-1].Period.Next()) {
			t.Fatalf("%s begins at %s, %s ends at %s", st.Period, st.From, all[i-1].Period, all[i-1].To)
		}
		opening = st.Closing
		for _, p := range postings {
			if p.Currency == want.Currency && !p.At.Before(st.From) && (st.To.IsZero() || p.At.Before(st.To)) {
				in[p.ID]++
			}
		}
	}
	for _, p := range postings {
		if p.Currency == want.Currency && in[p.ID] != 1 {
			t.Fatalf("posting %s of %s is in %d statements", p.ID, p.At, in[p.ID])
		}
	}
	if opening != want {
		t.Fatalf("the statements sum to %+v, the ledger to %+v", opening, want)
	}
}
