package ledger_test

import (
	"fmt"
	"math/rand/v2"
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
		Terms: ordering.Terms{ReturnDays: 7, ReceiptDays: 15, HoldUntil: noon.Add(time.Hour)}}
	award := ordering.Award{Cause: ordering.CausePlacement, Winners: []ordering.Winner{{KOC: "mei", Code: "mei_1", Share: money.Whole}}}
	for i := range rapid.IntRange(1, 3).Draw(t, "lines") {
		net := rapid.Int64Range(0, 9999).Draw(t, "net")
		o.Lines = append(o.Lines, ordering.Line{SKU: fmt.Sprint("s", i), Product: fmt.Sprint("p", i), Quantity: 3, Net: yuan(net), Tax: yuan(0)})
		award.Rates = append(award.Rates, ordering.LineRate{Rate: money.BasisPoints(rapid.Int64Range(0, 10_000).Draw(t, "rate"))})
		o.Total.Minor += net
	}
	versions := []ordering.Order{o}
	steps := []func(o *ordering.Order) error{
		func(o *ordering.Order) error { return o.Decide(award) },
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
	for range rapid.IntRange(1, 14).Draw(t, "steps") {
		next := versions[len(versions)-1].Clone()
		if err := steps[rapid.IntRange(0, len(steps)-1).Draw(t, "step")](&next); err != nil || next.Equal(versions[len(versions)-1]) {
			continue
		}
		next.Version++
		versions = append(versions, next)
	}
	return versions
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
			compareForecast(t, last, target, expected)
		}
	})
}

func deliver(t *rapid.T, arrivals []ordering.Order) (posted []ledger.Posting, expected map[string]int64) {
	var applied ledger.Applied
	expected = map[string]int64{}
	for _, o := range arrivals {
		s, due, err := ledger.Settle(o, applied, noon)
		if err != nil {
			t.Fatal(err)
		}
		if due != (o.Version > applied.V) {
			t.Fatalf("version %d after %d: due %v", o.Version, applied.V, due)
		}
		if due {
			applied, posted = s.Applied, append(posted, s.Postings...)
			for _, e := range s.Expected {
				expected[e.Day] += e.Minor
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
	for day, minor := range expected {
		if day != last.AvailableDay() && minor != 0 {
			t.Fatalf("the forecast has %d on %s, the order's day is %q", minor, day, last.AvailableDay())
		}
	}
	if day := last.AvailableDay(); day != "" && expected[day] != pending {
		t.Fatalf("the forecast has %d on %s, pending are %d", expected[day], day, pending)
	}
}

func compare(t *rapid.T, target []commission.Position, posted []ledger.Posting) {
	var want ledger.Balances
	for _, p := range target {
		want.Pending += p.Pending()
		want.Available += p.Available()
		want.Debt -= p.Debt()
	}
	var got ledger.Balances
	for _, b := range ledger.Fold(posted) {
		got = b
	}
	got.Currency = ""
	if got != want {
		t.Fatalf("posted %+v, the order stands at %+v", got, want)
	}
	var sum int64
	for _, p := range posted {
		for _, e := range p.Entries {
			for _, l := range e.Legs {
				sum += l.Minor
			}
		}
	}
	if sum != 0 || got.Available < 0 || got.Pending < 0 || got.Debt > 0 {
		t.Fatalf("legs sum to %d, balances %+v", sum, got)
	}
}

func TestStatisticsFollowTheLastFact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := history(t)
		sum := map[string]ledger.Tally{}
		var before ledger.Fact
		for _, o := range versions {
			s, _, err := ledger.Settle(o, ledger.Applied{}, noon)
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
