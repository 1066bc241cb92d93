package commission_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yundian/shared/commission"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// explained: the figures are those of the target, and whatever earns nothing, or is not available, has a reason.
func explained(t *rapid.T, o ordering.Order, koc string, target commission.Standing) {
	lines, err := commission.Explain(o, koc)
	if err != nil || len(lines) != len(o.Lines) {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, e := range lines {
		var want commission.Position
		for _, p := range target.Positions {
			if p.Line == i && p.KOC == koc {
				want.Accrued, want.Reversed, want.Released, want.Clawed = want.Accrued+p.Accrued, want.Reversed+p.Reversed, want.Released+p.Released, want.Clawed+p.Clawed
			}
		}
		if e.Accrued != want.Accrued || e.Net() != want.Net() || e.Released != want.Released || e.Line != i {
			t.Fatalf("explained %+v, stands at %+v", e, want)
		}
		if e.Net() == 0 && len(e.Why) == 0 {
			t.Fatalf("line %d earns nothing for no reason: %+v of %+v", i, e, o)
		}
		if e.Pending() > 0 && o.AvailableOn().IsZero() && len(e.Why) == 0 {
			t.Fatalf("line %d is kept back for no reason: %+v", i, e)
		}
	}
}

// sale is a paid order of three lines, 100.00 each, at 10 %, decided in favour of mei, whom ana had invited.
func sale() ordering.Order {
	o := ordering.Order{ID: "o", Version: 1, PlacedAt: noon, Day: "2026-03-01", Payment: "sandbox", Total: yuan(30_000), Shipping: yuan(0), Tax: yuan(0),
		Terms: ordering.Terms{Zone: "UTC", ReturnDays: 7, ReceiptDays: 15, HoldUntil: noon.Add(time.Hour)}}
	award := ordering.Award{Cause: ordering.CausePlacement, Winners: []ordering.Winner{{KOC: "mei", Share: money.Whole, Inviter: "ana"}}, InviterRate: 500, BookVersion: 3}
	for i := range 3 {
		o.Lines = append(o.Lines, ordering.Line{SKU: fmt.Sprint("s", i), Quantity: 2, Net: yuan(10_000), Tax: yuan(0)})
		award.Rates = append(award.Rates, ordering.LineRate{Rule: "default", RuleVersion: 3, Rate: 1000})
	}
	o.Awards = []ordering.Award{award}
	return o
}

func TestEveryReasonIsSaid(t *testing.T) {
	paid := func(o *ordering.Order) error { return o.Capture("pay", o.Total, noon) }
	refund := func(sku string, pieces int64) func(o *ordering.Order) error {
		return func(o *ordering.Order) error {
			_, err := o.RequestRefund(ordering.RefundRequest{ID: sku, Reason: "r", Lines: []ordering.RefundLine{{SKU: sku, Quantity: pieces}}}, noon)
			return err
		}
	}
	dispute := func(outcome ordering.DisputeOutcome, minor int64) func(o *ordering.Order) error {
		return func(o *ordering.Order) error {
			return o.RecordDispute(ordering.DisputeNews{ID: "d", PaymentID: "pay", Amount: yuan(minor), Outcome: outcome}, noon)
		}
	}
	rates := func(rates ...ordering.LineRate) func(o *ordering.Order) error {
		return func(o *ordering.Order) error { o.Awards[0].Rates = rates; return nil }
	}
	received := func(o *ordering.Order) error {
		if err := o.Ship(ordering.Shipment{Carrier: "SF", Tracking: "1"}, noon); err != nil {
			return err
		}
		return o.Deliver("operator", noon)
	}
	claimed := func(o *ordering.Order) error {
		a := o.Awards[0]
		a.Cause, a.Winners = "claim", []ordering.Winner{{KOC: "lin", Share: 4000}, {KOC: "zoe", Share: 6000}}
		return o.Decide(a)
	}
	type acts []func(o *ordering.Order) error
	whole := ordering.LineRate{Rate: 1000}
	for name, c := range map[string]struct {
		acts acts
		koc  string
		want string // codes of the three lines
	}{
		"undecided":      {acts{func(o *ordering.Order) error { o.Awards = nil; return nil }}, "mei", "undecided|undecided|undecided"},
		"unpaid":         {acts{}, "mei", "unpaid|unpaid|unpaid"},
		"lost":           {acts{paid}, "lin", "lost|lost|lost"},
		"replaced":       {acts{paid, claimed}, "mei", "replaced|replaced|replaced"},
		"no longer hers": {acts{paid, claimed}, "ana", "replaced|replaced|replaced"},
		"shared":         {acts{paid, claimed, received}, "lin", "shared|shared|shared"},
		"cancelled":      {acts{func(o *ordering.Order) error { return o.Cancel("", noon) }}, "mei", "cancelled|cancelled|cancelled"},
		"given back":     {acts{paid, func(o *ordering.Order) error { return o.Cancel("", noon) }}, "mei", "cancelled|cancelled|cancelled"},
		"expired":        {acts{func(o *ordering.Order) error { return o.Mature(noon.Add(time.Hour)) }}, "mei", "expired|expired|expired"},
		"on its way":     {acts{paid}, "mei", "not_received|not_received|not_received"},
		"received":       {acts{paid, received}, "mei", "||"},
		"released":       {acts{paid, received, func(o *ordering.Order) error { return o.Mature(noon.AddDate(0, 0, 8)) }}, "mei", "||"},
		"refunded":       {acts{paid, refund("s0", 2), refund("s1", 1), received}, "mei", "refunded|partly_refunded|"},
		"charged back":   {acts{paid, received, dispute(ordering.DisputeLost, 30_000)}, "mei", "charged_back|charged_back|charged_back"},
		"both":           {acts{paid, refund("s0", 1), received, dispute(ordering.DisputeLost, 25_000)}, "mei", "refunded charged_back|charged_back|charged_back"},
		"disputed":       {acts{paid, received, dispute(ordering.DisputeOpened, 1)}, "mei", "disputed|disputed|disputed"},
		"held and asked back": {acts{paid, received, func(o *ordering.Order) error { return o.Hold("same address", "op", noon) }, func(o *ordering.Order) error {
			_, err := o.RequestReturn(nil, noon)
			return err
		}}, "mei", "on_hold return_open|on_hold return_open|on_hold return_open"},
		"rates": {acts{rates(ordering.LineRate{}, ordering.LineRate{Rate: 1000, LineCap: 500}, ordering.LineRate{PerUnit: 6000}), paid, received}, "mei", "rate_zero|capped|capped"},
		"order": {acts{rates(ordering.LineRate{Rule: "o", Rate: 1000, OrderCap: 1500}, ordering.LineRate{Rule: "o", Rate: 1000, OrderCap: 1500}, whole), paid, received}, "mei", "capped|capped|"},
		"month": {acts{paid, received, func(o *ordering.Order) error {
			o.Awards[0].Months = []ordering.MonthTerm{{KOC: "mei", Rule: "cap", Lines: []int{1}, Cap: 10}, {KOC: "mei", Rule: "bonus", Lines: []int{2}, Milestones: []ordering.Milestone{{Sales: 1, Bonus: 1}}}}
			return nil
		}}, "mei", "|month_cap|"},
		"small": {acts{func(o *ordering.Order) error {
			o.Lines[0].Net, o.Lines[1].Net, o.Total = yuan(0), yuan(4), yuan(10_004)
			return nil
		}, paid, received}, "mei", "free|too_small|"},
		"inviter":           {acts{paid, received}, "ana", "||"},
		"inviter, switched": {acts{func(o *ordering.Order) error { o.Awards[0].InviterRate = 0; return nil }, paid, received}, "ana", "rate_zero|rate_zero|rate_zero"},
	} {
		o := sale()
		for _, act := range c.acts {
			if err := act(&o); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			o.Version++
		}
		lines, err := commission.Explain(o, c.koc)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range lines {
			var codes []string
			for _, w := range e.Why {
				codes = append(codes, string(w))
			}
			got = append(got, strings.Join(codes, " "))
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, want %q", name, strings.Join(got, "|"), c.want)
		}
	}
	o := sale()
	if err := paid(&o); err != nil {
		t.Fatal(err)
	}
	lines, err := commission.Explain(o, "ana")
	if err != nil || lines[0].Rate.Rule != "inviter" || lines[0].Rate.Rate != 500 || lines[0].Accrued != 50 || !slices.Equal(lines[0].Why, []commission.Why{commission.NotReceived}) {
		t.Errorf("whoever invited the winner: %+v, %v", lines[0], err)
	}
}
