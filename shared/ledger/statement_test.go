package ledger_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yundian/shared/ledger"
	"yundian/shared/money"
)

// somePostings are a KOC's postings in the order of the store, many of them close to where a month of the zone begins.
func somePostings(t *rapid.T, zone *time.Location) []ledger.Posting {
	first := ledger.Period("2025-09")
	var out []ledger.Posting
	for i := range rapid.IntRange(1, 40).Draw(t, "postings") {
		p := first
		for range rapid.IntRange(0, 14).Draw(t, "month") {
			p = p.Next()
		}
		at := p.Start(zone)
		switch rapid.IntRange(0, 3).Draw(t, "when") {
		case 0:
			at = at.Add(time.Duration(rapid.Int64Range(-5, 5).Draw(t, "ms")) * time.Millisecond)
		case 1:
			at = at.Add(time.Duration(rapid.Int64Range(-200, 200).Draw(t, "minutes")) * time.Minute)
		default:
			at = at.Add(time.Duration(rapid.Int64Range(0, 40*24*3600).Draw(t, "seconds")) * time.Second)
		}
		posting := ledger.Posting{ID: fmt.Sprint("p", i), KOC: "mei", Order: fmt.Sprint("o", i), V: 1, At: at, PlacedAt: at, Currency: "CNY"}
		if rapid.IntRange(0, 3).Draw(t, "currency") == 0 {
			posting.Currency = "USD"
		}
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			minor := rapid.Int64Range(-1000, 1000).Draw(t, "minor")
			accounts := rapid.Permutation([]ledger.Account{ledger.Pending, ledger.Available, ledger.Debt, ledger.InPayout, ledger.Paid, ledger.TaxWithheld, ledger.Fees, ledger.Expense}).Draw(t, "accounts")
			posting.Entries = append(posting.Entries, ledger.Entry{SKU: "s", Kind: rapid.SampledFrom(ledger.Kinds).Draw(t, "kind"), Minor: minor,
				Legs: []ledger.Leg{{Account: accounts[0], Minor: minor}, {Account: accounts[1], Minor: -minor}}})
		}
		out = append(out, posting)
	}
	slices.SortFunc(out, func(a, b ledger.Posting) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return out
}

// closeAll closes month after month in one currency until everything is closed.
func closeAll(t *rapid.T, postings []ledger.Posting, zone *time.Location, currency money.Currency) []ledger.Statement {
	var out []ledger.Statement
	var prev ledger.Statement
	period := ledger.PeriodAt(postings[0].At, zone)
	from := period.Start(zone)
	for last := postings[len(postings)-1].At; !from.After(last); period = period.Next() {
		next := ledger.Statement{KOC: "mei", Period: period, Currency: currency, From: from, To: period.Next().Start(zone)}
		next.ClosedAt = next.To.Add(time.Hour)
		c := ledger.Close(prev, next)
		for _, p := range postings {
			if !p.At.Before(next.From) && p.At.Before(next.To) {
				if err := c.Add(p); err != nil {
					t.Fatal(err)
				}
			}
		}
		prev = c.End()
		from = prev.To
		out = append(out, prev)
	}
	return out
}

func TestStatementsSumToTheLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		postings := somePostings(t, zone)
		for _, currency := range []money.Currency{"CNY", "USD"} {
			all := closeAll(t, postings, zone, currency)
			var prev ledger.Statement
			var count, entries int64
			sum := ledger.Balances{Currency: currency}
			for _, s := range all {
				if err := s.Follows(prev); err != nil {
					t.Fatal(err)
				}
				if s.To.Sub(s.From) < 27*24*time.Hour || s.To.Sub(s.From) > 32*24*time.Hour {
					t.Fatalf("%s lasts %s", s.Period, s.To.Sub(s.From))
				}
				count += s.Postings
				for _, total := range s.Totals {
					entries += total.Count
				}
				change := s.Closing.Plus(negative(s.Opening))
				sum = sum.Plus(change)
				prev = s
			}
			var want ledger.Balances
			var postingsWant, entriesWant int64
			for _, p := range postings {
				if p.Currency == currency {
					want = want.Plus(ledger.Fold([]ledger.Posting{p})[0])
					postingsWant, entriesWant = postingsWant+1, entriesWant+int64(len(p.Entries))
				}
			}
			if want.Currency = currency; sum != want || prev.Closing != want || count != postingsWant || entries != entriesWant {
				t.Fatalf("%d statements in %s sum to %+v of %d postings, the ledger to %+v of %d", len(all), currency, sum, count, want, postingsWant)
			}
		}
	})
}

func negative(b ledger.Balances) ledger.Balances {
	return ledger.Balances{Pending: -b.Pending, Available: -b.Available, Debt: -b.Debt, InPayout: -b.InPayout, Paid: -b.Paid, TaxWithheld: -b.TaxWithheld, Fees: -b.Fees}
}

// TestTheLastHashHoldsEverything changes, removes or adds something anywhere in the past: the last hash is another one, and
// so is that of the period.
func TestTheLastHashHoldsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := time.UTC
		postings := somePostings(t, zone)
		for i := range postings {
			postings[i].Currency = "CNY"
		}
		before := closeAll(t, postings, zone, "CNY")
		i := rapid.IntRange(0, len(postings)-1).Draw(t, "posting")
		after := alterOne(t, postings, i)
		if len(after) == 0 {
			return
		}
		changed := closeAll(t, after, zone, "CNY")
		if a, b := before[len(before)-1], changed[len(changed)-1]; a.Hash == b.Hash {
			t.Fatalf("%+v and %+v have one hash", a, b)
		}
		if again := closeAll(t, postings, zone, "CNY"); again[len(again)-1].Hash != before[len(before)-1].Hash {
			t.Fatal("the same postings have two hashes")
		}
	})
}

// alterOne changes one thing about one posting, in a copy.
func alterOne(t *rapid.T, postings []ledger.Posting, i int) []ledger.Posting {
	out := slices.Clone(postings)
	p := &out[i]
	p.Entries = slices.Clone(p.Entries)
	for j := range p.Entries {
		p.Entries[j].Legs = slices.Clone(p.Entries[j].Legs)
	}
	changes := []func(){
		func() { out = slices.Delete(out, i, i+1) },
		func() { extra := *p; extra.ID += "x"; out = slices.Insert(out, i+1, extra) },
		func() { p.ID += "x" }, func() { p.Order += "x" }, func() { p.Payout = "x" }, func() { p.Adjustment = "x" }, func() { p.V++ },
		func() { p.At = p.At.Add(time.Microsecond) }, func() { p.PlacedAt = p.PlacedAt.Add(time.Second) },
		func() { p.Entries = append(p.Entries, ledger.Entry{}) },
	}
	if len(p.Entries) > 0 {
		e := &p.Entries[0]
		changes = append(changes, func() { e.Line++ }, func() { e.SKU += "x" }, func() { e.Product += "x" }, func() { e.Kind += "x" }, func() { e.Minor++ },
			func() { e.Base++ }, func() { e.Rate++ }, func() { e.PerUnit++ }, func() { e.Rule += "x" }, func() { e.RuleVersion++ }, func() { e.Reason += "x" }, func() { e.Order += "x" },
			func() { e.Legs[0].Minor++; e.Legs[1].Minor-- }, func() { e.Legs[0].Account += "x" }, func() { p.Entries = p.Entries[1:] })
	}
	rapid.SampledFrom(changes).Draw(t, "change")()
	return out
}

// TestEveryFieldIsInTheHash: whoever adds a field to postings, entries or legs has to add it to the hash.
func TestEveryFieldIsInTheHash(t *testing.T) {
	hash := func(p ledger.Posting) string {
		c := ledger.Close(ledger.Statement{}, ledger.Statement{KOC: "mei", Period: "2026-03", Currency: "CNY", From: noon, To: noon.Add(time.Hour)})
		if err := c.Add(p); err != nil {
			t.Fatal(err)
		}
		return c.End().Hash
	}
	plain := func() ledger.Posting {
		return ledger.Posting{KOC: "mei", At: noon, Currency: "CNY", Entries: []ledger.Entry{{Legs: []ledger.Leg{{}}}}}
	}
	was := hash(plain())
	vary := func(what reflect.Type, of func(*ledger.Posting) reflect.Value) {
		for i := range what.NumField() {
			if name := what.Field(i).Name; name == "KOC" || name == "Currency" || name == "Entries" || name == "Legs" {
				continue // in the head, or varied below
			}
			p := plain()
			switch f := of(&p).Field(i); f.Kind() {
			case reflect.String:
				f.SetString("x")
			case reflect.Int, reflect.Int64:
				f.SetInt(1)
			default:
				f.Set(reflect.ValueOf(noon.Add(time.Minute)))
			}
			if hash(p) == was {
				t.Errorf("%s.%s is not in the hash", what.Name(), what.Field(i).Name)
			}
		}
	}
	vary(reflect.TypeFor[ledger.Posting](), func(p *ledger.Posting) reflect.Value { return reflect.ValueOf(p).Elem() })
	vary(reflect.TypeFor[ledger.Entry](), func(p *ledger.Posting) reflect.Value { return reflect.ValueOf(&p.Entries[0]).Elem() })
	vary(reflect.TypeFor[ledger.Leg](), func(p *ledger.Posting) reflect.Value { return reflect.ValueOf(&p.Entries[0].Legs[0]).Elem() })
}

func TestStatementsRefuseWhatIsNotTheirs(t *testing.T) {
	from := noon
	head := ledger.Statement{KOC: "mei", Period: "2026-03", Currency: "CNY", From: from, To: from.Add(time.Hour)}
	for name, p := range map[string]ledger.Posting{
		"another KOC's":     {KOC: "lin", Currency: "CNY", At: from},
		"before the period": {KOC: "mei", Currency: "CNY", At: from.Add(-time.Millisecond)},
		"after it":          {KOC: "mei", Currency: "CNY", At: head.To},
	} {
		if err := ledger.Close(ledger.Statement{}, head).Add(p); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	c := ledger.Close(ledger.Statement{}, head)
	if err := c.Add(ledger.Posting{KOC: "mei", Currency: "CNY", At: from.Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if err := c.Add(ledger.Posting{KOC: "mei", Currency: "CNY", At: from}); err == nil {
		t.Error("an earlier posting came after a later one")
	}
	first := ledger.Close(ledger.Statement{}, head).End()
	next := ledger.Close(first, ledger.Statement{KOC: "mei", Period: "2026-04", Currency: "CNY", From: first.To, To: first.To.Add(time.Hour)}).End()
	for name, s := range map[string]ledger.Statement{
		"a gap":            {Period: "2026-04", Currency: "CNY", From: first.To.Add(1), PrevHash: first.Hash, Opening: next.Opening},
		"a month left out": {Period: "2026-05", Currency: "CNY", From: first.To, PrevHash: first.Hash, Opening: next.Opening},
		"another opening":  {Period: "2026-04", Currency: "CNY", From: first.To, PrevHash: first.Hash, Opening: ledger.Balances{Currency: "CNY", Paid: 1}},
		"another hash":     {Period: "2026-04", Currency: "CNY", From: first.To, PrevHash: "x", Opening: next.Opening},
	} {
		if next.Follows(first) != nil || s.Follows(first) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
