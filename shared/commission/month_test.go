package commission_test

import (
	"testing"

	"pgregory.net/rapid"

	"yundian/shared/commission"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

func monthSums(t *rapid.T) commission.MonthSums {
	s := commission.MonthSums{Pending: rapid.Int64Range(0, 900).Draw(t, "pending"), Released: rapid.Int64Range(0, 900).Draw(t, "released"),
		Sales: rapid.Int64Range(0, 900).Draw(t, "sales"), SalesReleased: rapid.Int64Range(0, 900).Draw(t, "salesReleased")}
	s.Clawed = rapid.Int64Range(0, s.Released).Draw(t, "clawed")
	s.SalesReturned = rapid.Int64Range(0, s.SalesReleased).Draw(t, "returned")
	return s
}

// TestACapKeepsEveryAccountOnItsSide checks that a capped month pays exactly the cap at most, and that no account
// changes its sign.
func TestACapKeepsEveryAccountOnItsSide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, terms := monthSums(t), commission.MonthTerms{Cap: rapid.Int64Range(1, 1500).Draw(t, "cap")}
		a := terms.Adjust(s)
		earned := s.Pending + s.Released - s.Clawed
		if got, want := earned+a.Total(), min(earned, terms.Cap); got != want {
			t.Fatalf("%+v capped at %d pays %d, want %d", s, terms.Cap, got, want)
		}
		if s.Pending+a.Pending < 0 || s.Released+a.Available < 0 || -s.Clawed+a.Debt > 0 {
			t.Fatalf("%+v adjusted by %+v", s, a)
		}
		more := s
		released := rapid.Int64Range(0, s.Pending).Draw(t, "release")
		more.Pending, more.Released = s.Pending-released, s.Released+released
		if b := terms.Adjust(more); b.Available-a.Available < -released {
			t.Fatalf("releasing %d takes %d from available", released, a.Available-b.Available)
		}
	})
}

// An award whose terms about months do not fit its order earns nothing by guesses.
func TestTermsOfOtherOrders(t *testing.T) {
	for name, c := range map[string]struct {
		koc  string
		line int
		ok   bool
	}{"fits": {"mei", 0, true}, "another KOC": {"bob", 0, false}, "before the first line": {"mei", -1, false}, "after the last line": {"mei", 1, false}} {
		o := ordering.Order{Day: "2026-03-01", Lines: []ordering.Line{{SKU: "s", Quantity: 1, Net: yuan(1000), Tax: yuan(0)}}, Total: yuan(1000),
			Captures: []ordering.Capture{{PaymentID: "p", Amount: yuan(1000)}},
			Awards: []ordering.Award{{Winners: []ordering.Winner{{KOC: "mei", Share: money.Whole}}, Rates: []ordering.LineRate{{Rate: 1000}},
				Months: []ordering.MonthTerm{{KOC: c.koc, Rule: "most", Lines: []int{c.line}, Cap: 50}}}}}
		if target, err := commission.Target(o); (err == nil) != c.ok || c.ok && len(target.Months) != 1 {
			t.Errorf("%s: %+v, %v", name, target, err)
		}
	}
}

func TestTheHighestMilestoneIsPaidAndClaimedBack(t *testing.T) {
	terms := commission.MonthTerms{Milestones: []ordering.Milestone{{Sales: 100, Bonus: 10}, {Sales: 500, Bonus: 80}}}
	for _, c := range []struct {
		sums commission.MonthSums
		want commission.Adjustment
	}{
		{commission.MonthSums{Sales: 99}, commission.Adjustment{}},
		{commission.MonthSums{Sales: 100}, commission.Adjustment{Pending: 10}},
		{commission.MonthSums{Sales: 400, SalesReleased: 100}, commission.Adjustment{Pending: 70, Available: 10}},
		{commission.MonthSums{SalesReleased: 600}, commission.Adjustment{Available: 80}},
		{commission.MonthSums{SalesReleased: 600, SalesReturned: 101}, commission.Adjustment{Available: 80, Debt: -70}},
		{commission.MonthSums{SalesReleased: 600, SalesReturned: 600}, commission.Adjustment{Available: 80, Debt: -80}},
		{commission.MonthSums{Sales: 400, SalesReleased: 600, SalesReturned: 550}, commission.Adjustment{Pending: 10, Available: 80, Debt: -80}},
	} {
		if got := terms.Adjust(c.sums); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.sums, got, c.want)
		}
	}
}
