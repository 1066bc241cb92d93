package ordering_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// disputed is news about a dispute of the first payment.
func disputed(outcome ordering.DisputeOutcome, minor int64) ordering.DisputeNews {
	return ordering.DisputeNews{ID: "sandbox:dp", PaymentID: "p1", Amount: yuan(minor), Reason: "fraudulent", Outcome: outcome}
}

func record(t *testing.T, o *ordering.Order, n ordering.DisputeNews) {
	t.Helper()
	if err := o.RecordDispute(n, noon); err != nil {
		t.Fatalf("%s: %v", n.Outcome, err)
	}
	o.Version++
}

// permutations of the numbers below n.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var out [][]int
	for _, p := range permutations(n - 1) {
		for i := range n {
			q := append([]int{}, p[:i]...)
			out = append(out, append(append(q, n-1), p[i:]...))
		}
	}
	return out
}

// TestDisputeNewsConverge tells payment, a refund made at the provider and a dispute in every order, each twice.
func TestDisputeNewsConverge(t *testing.T) {
	const total = 7918 + 300 // two cups 1998 + tax 120, tea 5000 + tax 300, shipping 800
	for _, c := range []struct {
		outcome          ordering.DisputeOutcome
		disputed, refund int64
		gone, left       int64
	}{
		{ordering.DisputeWon, total, 0, 0, total}, {ordering.DisputeLost, total, 0, total, 0},
		{ordering.DisputeOpened, total, 0, 0, 0}, {ordering.DisputeOpened, 3000, 0, 0, total - 3000},
		{ordering.DisputeLost, 3000, 0, 3000, total - 3000}, {ordering.DisputeWon, 3000, 500, 500, total - 500},
		{ordering.DisputeLost, 3000, 500, 3500, total - 3500}, {ordering.DisputeLost, total, 500, total, 0},
		{ordering.DisputeLost, total, total, total, 0}, {ordering.DisputeOpened, total, total, total, 0},
		{ordering.DisputeLost, 2 * total, 500, total, 0},
	} {
		facts := []func(o *ordering.Order) error{
			func(o *ordering.Order) error { return o.Capture("p1", o.Total, noon) },
			func(o *ordering.Order) error {
				if c.refund == 0 {
					return nil
				}
				return o.SettleRefund(ordering.Outcome{ID: "sandbox:re", PaymentID: "p1", Amount: yuan(c.refund), Succeeded: true}, noon)
			},
			func(o *ordering.Order) error {
				return o.RecordDispute(disputed(ordering.DisputeOpened, c.disputed), noon)
			},
			func(o *ordering.Order) error { return o.RecordDispute(disputed(c.outcome, c.disputed), noon) },
		}
		for _, order := range permutations(len(facts)) {
			o := placed(t, "sandbox")
			if o.Total.Minor != total {
				t.Fatalf("the order's total is %s", o.Total)
			}
			for _, i := range append(order, order...) {
				before := o.Clone()
				if err := facts[i](&o); err != nil {
					t.Fatalf("%+v in the order %v: %v", c, order, err)
				}
				if !o.Equal(before) {
					o.Version++
				}
				o = stored(t, o)
			}
			if got := o.RefundedTotal().Minor; got != c.gone || o.Refundable().Minor != c.left || len(o.Disputes) != 1 || o.Disputes[0].State() != string(c.outcome) {
				t.Errorf("%+v in the order %v: %d gone, %s left, %+v", c, order, got, o.Refundable(), o.Disputes)
			}
			account(t, o)
		}
	}
}

// stored is an order as it is read again: amounts of nothing have lost their currency.
func stored(t *testing.T, o ordering.Order) ordering.Order {
	t.Helper()
	text, err := json.Marshal(o)
	var back ordering.Order
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// account holds what has gone back against the lines and shipping that it was taken from.
func account(t *testing.T, o ordering.Order) {
	t.Helper()
	var gross int64
	for i, l := range o.Lines {
		back := o.RefundedLine(i, 0)
		if back.Net.Minor > l.Net.Minor || back.Tax.Minor > l.Tax.Minor {
			t.Errorf("%s: %+v has gone back of %s and %s tax", l.SKU, back, l.Net, l.Tax)
		}
		gross += back.Gross()
	}
	if shipping := o.RefundedTotal().Minor - gross; shipping < 0 || shipping > o.Shipping.Minor {
		t.Errorf("%d of shipping of %s has gone back", shipping, o.Shipping)
	}
}

func TestDisputesThatDoNotFit(t *testing.T) {
	paid, _ := walk(placed(t, "sandbox"), "pay")
	euro := disputed(ordering.DisputeOpened, 100)
	euro.Amount = money.Of(100, "EUR")
	for name, n := range map[string]ordering.DisputeNews{"euro": euro, "nothing": disputed(ordering.DisputeOpened, 0), "less": disputed(ordering.DisputeLost, -1),
		"overflow": disputed(ordering.DisputeLost, money.MaxMinor+1)} {
		o := paid.Clone()
		if err := o.RecordDispute(n, noon); !fail.Is(err, "dispute_differs") || !o.Equal(paid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range [][2]ordering.DisputeOutcome{{ordering.DisputeWon, ordering.DisputeLost}, {ordering.DisputeLost, ordering.DisputeWon}} {
		o := paid.Clone()
		record(t, &o, disputed(c[0], 100))
		if err := o.RecordDispute(disputed(c[1], 100), noon); !fail.Is(err, "dispute_contradiction") {
			t.Errorf("%s, then %s: %v", c[0], c[1], err)
		}
		if err := o.RecordDispute(disputed(c[0], 101), noon); !fail.Is(err, "dispute_differs") {
			t.Errorf("another amount: %v", err)
		}
		other := disputed(c[0], 100)
		other.PaymentID = "p2"
		if err := o.RecordDispute(other, noon); !fail.Is(err, "dispute_differs") {
			t.Errorf("another payment: %v", err)
		}
	}
	many := paid.Clone()
	for i := range ordering.MaxDisputes + 1 {
		n := disputed(ordering.DisputeOpened, 1)
		n.ID = fmt.Sprint(i)
		if err := many.RecordDispute(n, noon); (err != nil) != (i == ordering.MaxDisputes) || err != nil && !fail.Is(err, "disputes_too_many") {
			t.Errorf("dispute %d: %v", i+1, err)
		}
	}
}

func TestReleaseWaitsForDisputes(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay ship")
	if err := o.Decide(ordering.Award{Cause: ordering.CausePlacement}); err != nil {
		t.Fatal(err)
	}
	onWay := o.Clone()
	record(t, &onWay, disputed(ordering.DisputeOpened, 100))
	if !onWay.AvailableOn().IsZero() {
		t.Errorf("disputed on its way, and available on %s", onWay.AvailableOn())
	}
	if err := o.Deliver("operator", noon); err != nil {
		t.Fatal(err)
	}
	window := noon.AddDate(0, 0, 7)
	record(t, &o, disputed(ordering.DisputeOpened, 100))
	if err := o.Mature(window); err != nil || o.Released != nil || !o.DueAt().IsZero() || !o.AvailableOn().IsZero() || o.OpenDispute() == nil {
		t.Errorf("released while the bank decides: %+v, due %s, %v", o.Released, o.DueAt(), err)
	}
	for _, outcome := range []ordering.DisputeOutcome{ordering.DisputeWon, ordering.DisputeLost} {
		x := o.Clone()
		record(t, &x, disputed(outcome, 100))
		if !x.DueAt().Equal(window) || !x.AvailableOn().Equal(window) {
			t.Errorf("%s: due %s", outcome, x.DueAt())
		}
		if err := x.Mature(window); err != nil || x.Released == nil {
			t.Errorf("%s: not released, %v", outcome, err)
		}
	}
	second := o.Clone()
	record(t, &second, disputed(ordering.DisputeWon, 100))
	about := disputed(ordering.DisputeOpened, second.Total.Minor)
	about.ID, about.PaymentID = "other", "p2" // of a second payment, which goes back anyway
	record(t, &second, about)
	if second.OpenDispute() != nil || second.Refundable() != second.Total {
		t.Errorf("a dispute about a surplus payment counts: %s refundable", second.Refundable())
	}
}

func TestRefundsOfWhatIsDisputed(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay")
	record(t, &o, disputed(ordering.DisputeOpened, 3000))
	ask := func(o ordering.Order, minor int64) error {
		amount := yuan(minor)
		_, err := o.RequestRefund(ordering.RefundRequest{ID: "r", Reason: "x", Amount: &amount}, noon)
		return err
	}
	rest := o.Total.Minor - 3000
	if err := ask(o.Clone(), rest+1); !fail.Is(err, "refund_disputed") {
		t.Errorf("more than the bank leaves: %v", err)
	}
	if err := ask(o.Clone(), rest); err != nil {
		t.Errorf("what is not disputed: %v", err)
	}
	won, lost := o.Clone(), o.Clone()
	record(t, &won, disputed(ordering.DisputeWon, 3000))
	record(t, &lost, disputed(ordering.DisputeLost, 3000))
	if err := ask(won, o.Total.Minor); err != nil {
		t.Errorf("after it was won: %v", err)
	}
	if err := ask(lost, rest+1); !fail.Is(err, "refund_too_large") {
		t.Errorf("after it was lost: %v", err)
	}
	if moves := ordering.StockMoves(o, lost); len(moves) != 0 {
		t.Errorf("a lost dispute moved stock: %+v", moves)
	}
	record(t, &o, ordering.DisputeNews{ID: "all", PaymentID: "p1", Amount: o.Total, Outcome: ordering.DisputeLost})
	if err := o.Ship(ordering.Shipment{Carrier: "SF", Tracking: "1"}, noon); !fail.Is(err, "order_refunded") || o.Withdrawn != nil {
		t.Errorf("goods whose money is gone: %v, %+v", err, o.Withdrawn)
	}
}

// TestSendingRefundsOfDisputedPayments: a refund was on record before the dispute, and had not been sent.
func TestSendingRefundsOfDisputedPayments(t *testing.T) {
	total := placed(t, "sandbox").Total.Minor
	for name, c := range map[string]struct {
		refund, disputed int64
		open, won, lost  ordering.Sending
	}{
		"all of all":   {total, total, ordering.SendLater, ordering.SendNow, ordering.SendNever},
		"part of all":  {1000, total, ordering.SendLater, ordering.SendNow, ordering.SendNever},
		"beside it":    {1000, total - 1000, ordering.SendNow, ordering.SendNow, ordering.SendNow},
		"too much":     {1001, total - 1000, ordering.SendLater, ordering.SendNow, ordering.SendNever},
		"all of parts": {total, 1, ordering.SendLater, ordering.SendNow, ordering.SendNever},
	} {
		o, _ := walk(placed(t, "sandbox"), "pay")
		amount := yuan(c.refund)
		if _, err := o.RequestRefund(ordering.RefundRequest{ID: "r", Reason: "x", Amount: &amount}, noon); err != nil {
			t.Fatal(err)
		}
		record(t, &o, disputed(ordering.DisputeOpened, c.disputed))
		won, lost := o.Clone(), o.Clone()
		record(t, &won, disputed(ordering.DisputeWon, c.disputed))
		record(t, &lost, disputed(ordering.DisputeLost, c.disputed))
		if o.Sending("r") != c.open || won.Sending("r") != c.won || lost.Sending("r") != c.lost {
			t.Errorf("%s: open %d, won %d, lost %d", name, o.Sending("r"), won.Sending("r"), lost.Sending("r"))
		}
		if c.lost != ordering.SendNever {
			continue
		}
		for range 2 {
			if err := lost.DropRefund("r", noon); err != nil {
				t.Fatal(err)
			}
		}
		rest := min(c.refund, total-c.disputed) // goes back instead
		if len(lost.Refunds) != 1+int(min(rest, 1)) || rest > 0 && (lost.Refunds[1].Amount.Minor != rest || lost.Sending(lost.Refunds[1].ID) != ordering.SendNow) {
			t.Errorf("%s: %+v, want one more of %d", name, lost.Refunds, rest)
		}
		if got := lost.RefundedTotal().Minor; got != c.disputed+rest || lost.Disputes[0].Beyond.Minor != 0 || lost.Refunds[0].State() != "failed" {
			t.Errorf("%s: %d has gone back, %s beyond", name, got, lost.Disputes[0].Beyond)
		}
		account(t, stored(t, lost))
	}
}

func TestTheSecondOfTwoRefundsWaits(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay")
	half := yuan(o.Total.Minor / 2)
	for _, id := range []string{"r1", "r2"} {
		if _, err := o.RequestRefund(ordering.RefundRequest{ID: id, Reason: "x", Amount: &half}, noon); err != nil {
			t.Fatal(err)
		}
	}
	record(t, &o, disputed(ordering.DisputeOpened, half.Minor))
	if o.Sending("r1") != ordering.SendNow || o.Sending("r2") != ordering.SendLater {
		t.Errorf("first %d, second %d", o.Sending("r1"), o.Sending("r2"))
	}
}

func TestADisputeWonAfterTheEndGoesBack(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay")
	record(t, &o, disputed(ordering.DisputeOpened, 3000))
	if err := o.Cancel("", noon); err != nil || len(o.Refunds) != 1 || o.Refunds[0].Amount.Minor != o.Total.Minor-3000 {
		t.Fatalf("cancelled while disputed: %+v, %v", o.Refunds, err)
	}
	o.Version++
	failed := o.Clone()
	if err := failed.SettleRefund(ordering.Outcome{ID: o.Refunds[0].ID}, noon); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]ordering.Order{"open": o.Clone(), "failed": failed} {
		record(t, &x, disputed(ordering.DisputeWon, 3000))
		record(t, &x, disputed(ordering.DisputeWon, 3000))
		if len(x.Refunds) != 2 || x.Refunds[1].Amount.Minor != 3000 {
			t.Errorf("%s: the shop keeps what it has sold nothing for: %+v", name, x.Refunds)
		}
	}
	lost := o.Clone()
	record(t, &lost, disputed(ordering.DisputeLost, 3000))
	if len(lost.Refunds) != 1 || lost.RefundedTotal() != lost.Total {
		t.Errorf("lost: %+v", lost.Refunds)
	}
	late, _ := walk(placed(t, "sandbox"), "cancel")
	record(t, &late, disputed(ordering.DisputeOpened, late.Total.Minor))
	if err := late.Capture("p1", late.Total, noon); err != nil || len(late.Refunds) != 0 {
		t.Errorf("paid after the end, and disputed: %+v, %v", late.Refunds, err)
	}
	if record(t, &late, disputed(ordering.DisputeWon, late.Total.Minor)); len(late.Refunds) != 1 || late.Refunds[0].Amount != late.Total {
		t.Errorf("then won: %+v", late.Refunds)
	}
}

// A refund that failed is for people to look at: the bank's decision does not send it again.
func TestADisputeWonSendsNoFailedRefundAgain(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay cancel")
	if err := o.SettleRefund(ordering.Outcome{ID: o.Refunds[0].ID}, noon); err != nil {
		t.Fatal(err)
	}
	record(t, &o, disputed(ordering.DisputeOpened, 3000))
	if record(t, &o, disputed(ordering.DisputeWon, 3000)); len(o.Refunds) != 1 {
		t.Errorf("%+v", o.Refunds)
	}
}

func TestTwoRefundsAreDropped(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay")
	for i, minor := range []int64{1000, o.Total.Minor - 1000} {
		amount := yuan(minor)
		if _, err := o.RequestRefund(ordering.RefundRequest{ID: fmt.Sprint("r", i), Reason: "x", Amount: &amount}, noon); err != nil {
			t.Fatal(err)
		}
	}
	record(t, &o, disputed(ordering.DisputeLost, o.Total.Minor-218))
	for i := 0; i < len(o.Refunds); i++ {
		if r := o.Refunds[i]; r.Open() && o.Sending(r.ID) == ordering.SendNever {
			if err := o.DropRefund(r.ID, noon); err != nil {
				t.Fatal(err)
			}
		}
		account(t, o)
	}
	if n := len(o.Refunds); n != 3 || o.Refunds[2].Amount.Minor != 218 || o.Sending(o.Refunds[2].ID) != ordering.SendNow || o.RefundedTotal() != o.Total {
		t.Errorf("%+v", o.Refunds)
	}
}

func TestShippingIsLostOnce(t *testing.T) {
	o, _ := walk(placed(t, "sandbox"), "pay")
	if _, err := o.RequestRefund(ordering.RefundRequest{ID: "r1", Reason: "x", Lines: []ordering.RefundLine{{SKU: "tea", Quantity: 1}}}, noon); err != nil {
		t.Fatal(err)
	}
	record(t, &o, disputed(ordering.DisputeLost, 2118+500)) // both cups and a part of shipping
	if err := o.SettleRefund(ordering.Outcome{ID: "r1"}, noon); err != nil {
		t.Fatal(err)
	}
	shipping := o.Shipping
	if _, err := o.RequestRefund(ordering.RefundRequest{ID: "r2", Reason: "x", Shipping: &shipping}, noon); !fail.Is(err, "refund_too_large") {
		t.Errorf("shipping goes back twice: %v", err)
	}
}

// TestDisputesOfTheOtherPayment: told of before any payment, and then another payment turns out to count.
func TestDisputesOfTheOtherPayment(t *testing.T) {
	o := placed(t, "sandbox")
	record(t, &o, disputed(ordering.DisputeLost, 3000))
	if err := o.Capture("p2", o.Total, noon); err != nil || o.RefundedTotal().Minor != 0 || o.Refundable() != o.Total || o.Disputes[0].Beyond.Minor != 3000 {
		t.Errorf("%s has gone back, %s left: %+v, %v", o.RefundedTotal(), o.Refundable(), o.Disputes, err)
	}
	if err := o.Capture("p1", o.Total, noon); err != nil || len(o.Refunds) != 1 || o.Sending(o.Refunds[0].ID) != ordering.SendNever {
		t.Errorf("the surplus is sent back although the bank took of it: %+v, %v", o.Refunds, err)
	}
	if err := o.DropRefund(o.Refunds[0].ID, noon); err != nil || len(o.Refunds) != 2 || !o.Refunds[1].Surplus || o.Refunds[1].Amount.Minor != o.Total.Minor-3000 {
		t.Errorf("the rest of the surplus: %+v, %v", o.Refunds, err)
	}
}
