package ledger_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yundian/shared/commission"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

func yuan(minor int64) money.Amount { return money.Of(minor, "CNY") }

// history is an order's versions, each a fact further than the one before.
func history(t *rapid.T) []ordering.Order {
	o := ordering.Order{ID: "o", Version: 1, PlacedAt: noon, Day: "2026-03-01", Payment: "sandbox", Shipping: yuan(500), Total: yuan(500), Tax: yuan(0),
		Terms: ordering.Terms{Zone: "UTC", ReturnDays: 7, ReceiptDays: 15, HoldUntil: noon.Add(time.Hour)}}
	award := ordering.Award{Cause: ordering.CausePlacement, Winners: []ordering.Winner{{KOC: "mei", Code: "mei_1", Share: money.Whole}}}
	if rapid.Bool().Draw(t, "invited") {
		award.Winners[0].Inviter, award.InviterRate = "ana", money.BasisPoints(rapid.Int64Range(1, 10_000).Draw(t, "inviterRate"))
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "lines") {
		net := rapid.Int64Range(0, 9999).Draw(t, "net")
		o.Lines = append(o.Lines, ordering.Line{SKU: fmt.Sprint("s", i), Product: fmt.Sprint("p", i), Quantity: 3, Net: yuan(net), Tax: yuan(0)})
		award.Rates = append(award.Rates, rate(t))
		o.Total.Minor += net
	}
	award.Months = months(t, len(o.Lines))
	versions := []ordering.Order{o}
	claim := award // somebody else turns out to have earned the order, or half of it
	claim.Cause, claim.Winners = "claim", []ordering.Winner{{KOC: "lin", Share: 4000}, {KOC: "mei", Share: 6000}}
	steps := []func(o *ordering.Order) error{
		func(o *ordering.Order) error { return o.Decide(award) },
		func(o *ordering.Order) error {
			if len(o.Awards) == 0 || len(o.Awards) > 2 {
				return nil
			}
			return o.Decide(claim)
		},
		func(o *ordering.Order) error { return o.Capture("pay", o.Total, noon) },
		func(o *ordering.Order) error { return o.Ship(ordering.Shipment{Carrier: "SF", Tracking: "1"}, noon) },
		func(o *ordering.Order) error { return o.Deliver("operator", noon) },
		func(o *ordering.Order) error {
			return o.Mature(noon.AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "days")))
		},
		func(o *ordering.Order) error { return o.Cancel("", noon) },
		func(o *ordering.Order) error {
			a := yuan(rapid.Int64Range(1, 5000).Draw(t, "refund"))
			_, err := o.RequestRefund(ordering.RefundRequest{ID: fmt.Sprint("r", o.Version), Reason: "r", Amount: &a}, noon)
			return err
		},
		func(o *ordering.Order) error {
			if len(o.Refunds) == 0 {
				return nil
			}
			return o.SettleRefund(ordering.Outcome{ID: o.Refunds[0].ID, Succeeded: rapid.Bool().Draw(t, "succeeds")}, noon)
		},
	}
	steps = append(steps, disputes(t)...)
	for range rapid.IntRange(1, 18).Draw(t, "steps") {
		next := versions[len(versions)-1].Clone()
		if err := steps[rapid.IntRange(0, len(steps)-1).Draw(t, "step")](&next); err != nil || next.Equal(versions[len(versions)-1]) {
			continue
		}
		next.Version++
		versions = append(versions, next)
	}
	return versions
}

// disputes are what may happen at the shopper's bank, also about money that nobody has told of yet.
func disputes(t *rapid.T) []func(o *ordering.Order) error {
	tell := func(outcome ordering.DisputeOutcome) func(o *ordering.Order) error {
		return func(o *ordering.Order) error {
			n := ordering.DisputeNews{ID: rapid.SampledFrom([]string{"d1", "d2"}).Draw(t, "dispute"), Outcome: outcome,
				PaymentID: rapid.SampledFrom([]string{"pay", "pay", "pay", "second"}).Draw(t, "payment"), Amount: yuan(rapid.Int64Range(1, 20_000).Draw(t, "disputed"))}
			if d, known := o.Dispute(n.ID); known {
				n.Amount, n.PaymentID = d.Amount, d.PaymentID
			}
			return o.RecordDispute(n, noon)
		}
	}
	return []func(o *ordering.Order) error{tell(ordering.DisputeOpened), tell(ordering.DisputeWon), tell(ordering.DisputeLost),
		func(o *ordering.Order) error {
			for _, r := range o.Refunds {
				if r.Open() && o.Sending(r.ID) == ordering.SendNever {
					return o.DropRefund(r.ID, noon)
				}
			}
			return nil
		},
		func(o *ordering.Order) error { // at the provider's own pages, perhaps of what a dispute took
			return o.SettleRefund(ordering.Outcome{ID: fmt.Sprint("p", o.Version), PaymentID: "pay", Amount: yuan(rapid.Int64Range(1, 5000).Draw(t, "adopted")), Succeeded: true}, noon)
		}}
}

// rate is a rate or an amount per piece, with or without caps.
func rate(t *rapid.T) ordering.LineRate {
	r := ordering.LineRate{Rule: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "rule"), Rate: money.BasisPoints(rapid.Int64Range(0, 10_000).Draw(t, "rate"))}
	if rapid.IntRange(0, 3).Draw(t, "fixed") == 0 {
		r.PerUnit = rapid.Int64Range(1, 5000).Draw(t, "perUnit")
	}
	if rapid.IntRange(0, 3).Draw(t, "lineCapped") == 0 {
		r.LineCap = rapid.Int64Range(1, 5000).Draw(t, "lineCap")
	}
	if rapid.IntRange(0, 3).Draw(t, "orderCapped") == 0 {
		r.OrderCap = rapid.Int64Range(1, 5000).Draw(t, "orderCap")
	}
	return r
}

// months are terms that look at some of the lines of mei's month.
func months(t *rapid.T, lines int) []ordering.MonthTerm {
	var out []ordering.MonthTerm
	all := make([]int, lines)
	for i := range all {
		all[i] = i
	}
	if rapid.Bool().Draw(t, "capped") {
		out = append(out, ordering.MonthTerm{KOC: "mei", Rule: "cap", RuleVersion: 3, Lines: all, Cap: rapid.Int64Range(1, 8000).Draw(t, "cap")})
	}
	if rapid.Bool().Draw(t, "milestones") {
		first := rapid.Int64Range(1, 9000).Draw(t, "first")
		out = append(out, ordering.MonthTerm{KOC: "mei", Rule: "bonus", RuleVersion: 3, Lines: all[:1],
			Milestones: []ordering.Milestone{{Sales: first, Bonus: 100}, {Sales: first + 1000, Bonus: 700}}})
	}
	return out
}

// TestEveryArrivalEndsInTheSameBalances delivers the versions of one order shuffled, repeated and with losses, always
// with the last one somewhere, and compares what is posted with what follows from the last version.
func TestEveryArrivalEndsInTheSameBalances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := history(t)
		last := versions[len(versions)-1]
		target, err := commission.Target(last)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range 5 {
			arrivals := []ordering.Order{last}
			for range 2 * len(versions) {
				arrivals = append(arrivals, versions[random.IntN(len(versions))])
			}
			random.Shuffle(len(arrivals), func(i, j int) { arrivals[i], arrivals[j] = arrivals[j], arrivals[i] })
			posted, expected := deliver(t, arrivals)
			compare(t, target, posted)
			compareForecast(t, last, target.Positions, expected)
		}
	})
}

func deliver(t *rapid.T, arrivals []ordering.Order) (posted []ledger.Posting, expected map[string]int64) {
	var applied ledger.Applied
	months := ledger.Months{}
	balances := map[string]ledger.Balances{}
	expected = map[string]int64{}
	for _, o := range arrivals {
		s, due, err := ledger.Settle(o, applied, months, noon)
		if err != nil {
			t.Fatal(err)
		}
		if due != (o.Version > applied.V) {
			t.Fatalf("version %d after %d: due %v", o.Version, applied.V, due)
		}
		if due {
			applied, posted = s.Applied, append(posted, s.Postings...)
			for _, p := range s.Postings {
				b := balances[p.KOC].Plus(ledger.Fold([]ledger.Posting{p})[0])
				if balances[p.KOC] = b; b.Available < 0 || b.Pending < 0 || b.Debt > 0 {
					t.Fatalf("%s stands at %+v after version %d", p.KOC, b, o.Version)
				}
			}
			for _, e := range s.Expected {
				expected[e.Day] += e.Minor
			}
			for _, m := range s.Months {
				if !slices.ContainsFunc(s.Postings, func(p ledger.Posting) bool { return p.KOC == m.Key.KOC }) {
					t.Fatalf("version %d moves %+v, and no posting leads there", o.Version, m.Key)
				}
			}
		}
	}
	return posted, expected
}

// compareForecast: what is pending stands on the day of the last version, and nothing on any other day.
func compareForecast(t *rapid.T, last ordering.Order, target []commission.Position, expected map[string]int64) {
	var pending int64
	for _, p := range target {
		pending += p.Pending()
	}
	on, err := last.AvailableDay()
	if err != nil {
		t.Fatal(err)
	}
	for day, minor := range expected {
		if day != on && minor != 0 {
			t.Fatalf("the forecast has %d on %s, the order's day is %q", minor, day, on)
		}
	}
	if on != "" && expected[on] != pending {
		t.Fatalf("the forecast has %d on %s, pending are %d", expected[on], on, pending)
	}
}

// compare holds the fold of what was posted against what follows from the last version, KOC by KOC.
func compare(t *rapid.T, target commission.Standing, posted []ledger.Posting) {
	want := map[string]ledger.Balances{}
	for _, p := range target.Positions {
		if p.Net() < 0 || p.Reversed < 0 || p.Clawed < 0 || p.Clawed > p.Released || p.Pending() < 0 {
			t.Fatalf("position %+v", p)
		}
		want[p.KOC] = want[p.KOC].Plus(ledger.Balances{Pending: p.Pending(), Available: p.Available(), Debt: -p.Debt()})
	}
	for _, m := range target.Months {
		a := m.Terms.Adjust(m.Sums)
		want[m.Key.KOC] = want[m.Key.KOC].Plus(ledger.Balances{Pending: a.Pending, Available: a.Available, Debt: a.Debt})
	}
	byKOC := map[string][]ledger.Posting{}
	for _, p := range posted {
		byKOC[p.KOC] = append(byKOC[p.KOC], p)
		var sum int64
		for _, l := range p.Legs() {
			sum += l.Minor
		}
		if sum != 0 || p.Check() != nil {
			t.Fatalf("the legs of %+v sum to %d", p, sum)
		}
	}
	for _, koc := range []string{"mei", "ana", "lin"} {
		var got ledger.Balances
		for _, b := range ledger.Fold(byKOC[koc]) {
			got = b
		}
		if got.Currency = ""; got != want[koc] {
			t.Fatalf("%s: posted %+v, the order stands at %+v", koc, got, want[koc])
		}
	}
}

func TestStatisticsFollowTheLastFact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := history(t)
		sum := map[string]ledger.Tally{}
		var before ledger.Fact
		for _, o := range versions {
			s, _, err := ledger.Settle(o, ledger.Applied{}, ledger.Months{}, noon)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range ledger.Tallies(before, s.Fact) {
				y := sum[x.Heading]
				sum[x.Heading] = ledger.Tally{Orders: y.Orders + x.Orders, Sales: y.Sales + x.Sales, Commission: y.Commission + x.Commission}
			}
			before = s.Fact
		}
		for _, x := range ledger.Tallies(ledger.Fact{}, before) {
			if got := sum[x.Heading]; got.Orders != x.Orders || got.Sales != x.Sales || got.Commission != x.Commission {
				t.Fatalf("%s counted %+v step by step and %+v at once", x.Heading, got, x)
			}
		}
	})
}

func TestAPostingOffBalanceIsRefused(t *testing.T) {
	for _, off := range []int64{-1, 0, 1} {
		p := ledger.Posting{ID: "p", Entries: []ledger.Entry{
			{Kind: ledger.Adjusted, Legs: []ledger.Leg{{Account: ledger.Available, Minor: 5}, {Account: ledger.Adjustments, Minor: -5}}},
			{Kind: ledger.Adjusted, Legs: []ledger.Leg{{Account: ledger.Available, Minor: 5 + off}, {Account: ledger.Adjustments, Minor: -5}}},
		}}
		if err := p.Check(); (err == nil) != (off == 0) {
			t.Errorf("off by %d: %v", off, err)
		}
	}
}
