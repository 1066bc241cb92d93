package commission_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yundian/shared/commission"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

func yuan(minor int64) money.Amount { return money.Of(minor, "CNY") }

// paidOrder is an order of the given line nets and rates, paid and awarded.
func paidOrder(t *rapid.T) ordering.Order {
	o := ordering.Order{ID: "o", Version: 1, PlacedAt: noon, Shipping: yuan(rapid.Int64Range(0, 2000).Draw(t, "shipping")), Tax: yuan(0),
		Terms: ordering.Terms{Zone: "UTC", ReturnDays: 7, ReceiptDays: 15}}
	award := ordering.Award{Cause: ordering.CausePlacement, Winners: []ordering.Winner{{KOC: "mei", Share: money.Whole}}}
	o.Total = o.Shipping
	for i := range rapid.IntRange(1, 5).Draw(t, "lines") {
		net := rapid.Int64Range(0, 100_000).Draw(t, "net")
		o.Lines = append(o.Lines, ordering.Line{SKU: fmt.Sprint("s", i), Product: fmt.Sprint("p", i), Quantity: rapid.Int64Range(1, 9).Draw(t, "quantity"), Net: yuan(net), Tax: yuan(0)})
		award.Rates = append(award.Rates, ordering.LineRate{Rate: money.BasisPoints(rapid.Int64Range(0, 10_000).Draw(t, "rate"))})
		o.Total.Minor += net
	}
	if err := o.Capture("pay", o.Total, noon); err != nil {
		t.Fatal(err)
	}
	o.Version++
	if err := o.Decide(award); err != nil {
		t.Fatal(err)
	}
	o.Version++
	return o
}

// refund asks for something random; refusals are part of life.
func refund(t *rapid.T, o *ordering.Order, id string) {
	q := ordering.RefundRequest{ID: id, Reason: "r"}
	if rapid.Bool().Draw(t, "amountOnly") {
		a := yuan(rapid.Int64Range(0, max(1, o.Total.Minor)).Draw(t, "amount"))
		q.Amount = &a
	} else {
		l := o.Lines[rapid.IntRange(0, len(o.Lines)-1).Draw(t, "line")]
		q.Lines = []ordering.RefundLine{{SKU: l.SKU, Quantity: rapid.Int64Range(1, l.Quantity).Draw(t, "pieces")}}
	}
	if _, err := o.RequestRefund(q, noon); err == nil {
		o.Version++
	}
}

// dispute opens a dispute or ends one.
func dispute(t *rapid.T, o *ordering.Order) {
	n := ordering.DisputeNews{ID: rapid.SampledFrom([]string{"d1", "d2"}).Draw(t, "dispute"), PaymentID: "pay",
		Amount:  yuan(rapid.Int64Range(1, 2*max(1, o.Total.Minor)).Draw(t, "disputed")),
		Outcome: rapid.SampledFrom([]ordering.DisputeOutcome{ordering.DisputeOpened, ordering.DisputeWon, ordering.DisputeLost}).Draw(t, "outcome")}
	if d, known := o.Dispute(n.ID); known {
		n.Amount = d.Amount
	}
	if err := o.RecordDispute(n, noon); err == nil {
		o.Version++
	}
}

// fails says that a refund failed, or drops it if the bank has given the money back.
func fails(t *rapid.T, o *ordering.Order) {
	for _, r := range o.Refunds {
		if !r.Open() || !rapid.Bool().Draw(t, "fails") {
			continue
		}
		err := o.SettleRefund(ordering.Outcome{ID: r.ID}, noon)
		if o.Sending(r.ID) == ordering.SendNever {
			err = o.DropRefund(r.ID, noon)
		}
		if err != nil {
			t.Fatal(err)
		}
		o.Version++
	}
}

// TestPositionsHoldWhateverIsRefunded walks random histories and checks each position after each step.
func TestPositionsHoldWhateverIsRefunded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := paidOrder(t)
		release := rapid.IntRange(0, 8).Draw(t, "releaseAt")
		for step := range 8 {
			if step == release {
				o.Released = &ordering.Mark{V: o.Version + 1, At: noon}
				o.Version++
			}
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				dispute(t, &o)
			case 1:
				fails(t, &o)
			default:
				refund(t, &o, fmt.Sprint("r", step))
			}
			check(t, o)
		}
		for _, d := range o.Disputes {
			if d.Open() { // or its money could not go back
				if err := o.RecordDispute(ordering.DisputeNews{ID: d.ID, PaymentID: "pay", Amount: d.Amount, Outcome: ordering.DisputeWon}, noon); err != nil {
					t.Fatal(err)
				}
			}
		}
		if left := o.Refundable(); left.Minor > 0 { // the last refund takes back exactly the rest
			if _, err := o.RequestRefund(ordering.RefundRequest{ID: "rest", Reason: "r", Amount: &left}, noon); err != nil {
				t.Fatal(err)
			}
			o.Version++
		}
		target, err := commission.Target(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range target.Positions {
			if p.Net() != 0 {
				t.Fatalf("everything is refunded, but %+v remains", p)
			}
		}
	})
}

func check(t *rapid.T, o ordering.Order) {
	target, err := commission.Target(o)
	if err != nil {
		t.Fatal(err)
	}
	var lines int64
	for i := range o.Lines {
		lines += o.RefundedLine(i, 0).Gross()
	}
	if back := o.RefundedTotal().Minor; back > o.Captured().Minor || lines > back || back-lines > o.Shipping.Minor {
		t.Fatalf("%d of %d has gone back, %d of it by lines", back, o.Captured().Minor, lines)
	}
	explained(t, o, "mei", target)
	for _, p := range target.Positions {
		net := o.Lines[p.Line].Net.Minor
		if p.Accrued > net || p.Reversed < 0 || p.Clawed < 0 || p.Reversed+p.Clawed > p.Accrued || p.Pending() < 0 || p.Available() < 0 {
			t.Fatalf("line of %d stands at %+v", net, p)
		}
		if back := o.RefundedLine(p.Line, 0).Net.Minor; back > net {
			t.Fatalf("line of %d has %d refunded", net, back)
		}
		if o.Released != nil && p.Pending() != 0 {
			t.Fatalf("released, but %+v is still pending", p)
		}
	}
}

// TestALossCountsWhenItWasLost: a later decision comes after the dispute was opened and before it was lost.
func TestALossCountsWhenItWasLost(t *testing.T) {
	award := ordering.Award{Cause: ordering.CausePlacement, Winners: []ordering.Winner{{KOC: "mei", Share: money.Whole}}, Rates: []ordering.LineRate{{Rate: 1000}}}
	o := ordering.Order{ID: "o", Total: yuan(1000), Shipping: yuan(0), Tax: yuan(0), Lines: []ordering.Line{{SKU: "s", Quantity: 1, Net: yuan(1000), Tax: yuan(0)}}}
	bank := ordering.DisputeNews{ID: "d", PaymentID: "p", Amount: yuan(500), Outcome: ordering.DisputeOpened}
	tell := func(outcome ordering.DisputeOutcome) error {
		bank.Outcome = outcome
		return o.RecordDispute(bank, noon)
	}
	claim := award
	claim.Cause, claim.Winners = "claim", []ordering.Winner{{KOC: "lin", Share: money.Whole}}
	for _, act := range []func() error{func() error { return o.Capture("p", o.Total, noon) }, func() error { return o.Decide(award) },
		func() error { o.Released = &ordering.Mark{V: o.Version + 1, At: noon}; return nil }, func() error { return tell(ordering.DisputeOpened) },
		func() error { return o.Decide(claim) }, func() error { return tell(ordering.DisputeLost) }} {
		if err := act(); err != nil {
			t.Fatal(err)
		}
		o.Version++
	}
	target, err := commission.Target(o)
	want := []commission.Position{{KOC: "lin", Accrued: 100, Released: 100, Clawed: 50}, {KOC: "mei", Accrued: 100, Released: 100, Clawed: 100}}
	if err != nil || !slices.Equal(target.Positions, want) {
		t.Errorf("%+v, %v", target.Positions, err)
	}
}

func TestUnpaidAndUnattributedEarnNothing(t *testing.T) {
	line := ordering.Line{SKU: "s", Quantity: 1, Net: yuan(1000), Tax: yuan(0)}
	award := ordering.Award{Winners: []ordering.Winner{{KOC: "mei", Share: money.Whole}}, Rates: []ordering.LineRate{{Rate: 1000}}}
	paid := []ordering.Capture{{PaymentID: "p", Amount: yuan(1000)}}
	for name, o := range map[string]ordering.Order{
		"unpaid":       {Lines: []ordering.Line{line}, Total: yuan(1000), Awards: []ordering.Award{award}},
		"undecided":    {Lines: []ordering.Line{line}, Total: yuan(1000), Captures: paid},
		"nobody's":     {Lines: []ordering.Line{line}, Total: yuan(1000), Captures: paid, Awards: []ordering.Award{{Reason: "no_evidence"}}},
		"free of cost": {Lines: []ordering.Line{{SKU: "s", Quantity: 1, Net: yuan(0), Tax: yuan(0)}}, Total: yuan(0), Awards: []ordering.Award{award}},
	} {
		if target, err := commission.Target(o); err != nil || len(target.Positions) != 0 {
			t.Errorf("%s: %+v, %v", name, target, err)
		}
	}
}
