package ledger_test

import (
	"reflect"
	"testing"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

// life walks one order of two cups (20.00 at 10 %) and a tea (50.00 at 15 %) with shipping of 8.00: it earns 9.50.
type life struct {
	t       *testing.T
	o       ordering.Order
	applied ledger.Applied
	posted  []ledger.Posting
	past    []ledger.Settlement
}

const (
	lifeTotal   = 7800
	lifeCups    = 200
	lifeTea     = 750
	lifeEarning = lifeCups + lifeTea
)

func begin(t *testing.T, payment string) *life {
	line := func(sku string, quantity, net int64) ordering.Line {
		return ordering.Line{SKU: sku, Product: sku, Quantity: quantity, Net: yuan(net), Tax: yuan(0)}
	}
	l := &life{t: t, o: ordering.Order{ID: "o", PlacedAt: noon, Day: "2026-03-01", Payment: payment, Shipping: yuan(800), Tax: yuan(0), Total: yuan(lifeTotal),
		Lines: []ordering.Line{line("cup", 2, 2000), line("tea", 1, 5000)}, Terms: ordering.Terms{Zone: "UTC", ReturnDays: 7, ReceiptDays: 15, HoldUntil: noon.Add(time.Hour)}}}
	l.do(func(o *ordering.Order) error {
		return o.Decide(ordering.Award{Cause: ordering.CausePlacement, Winners: []ordering.Winner{{KOC: "mei", Share: money.Whole}},
			Rates: []ordering.LineRate{{Rule: "default", Rate: 1000}, {Rule: "tea", Rate: 1500}}})
	})
	return l
}

// do changes the order and settles it, as the stream would.
func (l *life) do(act func(o *ordering.Order) error) {
	l.t.Helper()
	if err := act(&l.o); err != nil {
		l.t.Fatal(err)
	}
	l.o.Version++
	s, _, err := ledger.Settle(l.o, l.applied, ledger.Months{}, noon)
	if err != nil {
		l.t.Fatal(err)
	}
	l.applied, l.posted, l.past = s.Applied, append(l.posted, s.Postings...), append(l.past, s)
	l.remembers()
}

// remembers settles every version of the order again, as it can be seen in the last one.
func (l *life) remembers() {
	l.t.Helper()
	var applied ledger.Applied
	for _, was := range l.past {
		s, _, err := ledger.Settle(l.o.AsOf(was.Applied.V), applied, ledger.Months{}, noon)
		if err != nil || !reflect.DeepEqual(s, was) {
			l.t.Fatalf("version %d as seen from version %d settles as\n%+v, %v\nwas\n%+v", was.Applied.V, l.o.Version, s, err, was)
		}
		applied = s.Applied
	}
}

func (l *life) refused(code string, act func(o *ordering.Order) error) {
	l.t.Helper()
	o := l.o.Clone()
	if err := act(&o); !fail.Is(err, code) {
		l.t.Errorf("%v, want %s", err, code)
	}
}

// stands compares the fold of everything posted with three figures; debt is what is owed.
func (l *life) stands(when string, pending, available, debt int64) {
	l.t.Helper()
	var b ledger.Balances
	for _, x := range ledger.Fold(l.posted) {
		b = x
	}
	if b.Pending != pending || b.Available != available || b.Debt != -debt {
		l.t.Errorf("%s: %d pending, %d available, %d owed; want %d, %d, %d", when, b.Pending, b.Available, -b.Debt, pending, available, debt)
	}
}

func pay(o *ordering.Order) error { return o.Capture("p1", o.Total, noon) }

func ship(o *ordering.Order) error {
	return o.Ship(ordering.Shipment{Carrier: "SF", Tracking: "1"}, noon)
}

func received(o *ordering.Order) error { return o.Deliver(ordering.ByOperator, noon) }

func release(o *ordering.Order) error { return o.Mature(noon.AddDate(0, 0, 8)) }

func cancel(o *ordering.Order) error { return o.Cancel("", noon) }

func refund(id, sku string, pieces int64, amounts ...int64) func(o *ordering.Order) error {
	q := ordering.RefundRequest{ID: id, Reason: "r"}
	switch {
	case sku == "shipping":
		a := yuan(amounts[0])
		q.Shipping = &a
	case sku == "":
		a := yuan(amounts[0])
		q.Amount = &a
	default:
		q.Lines = []ordering.RefundLine{{SKU: sku, Quantity: pieces}}
		if len(amounts) > 0 {
			a := yuan(amounts[0])
			q.Lines[0].Amount = &a
		}
	}
	return func(o *ordering.Order) error {
		_, err := o.RequestRefund(q, noon)
		return err
	}
}

func ends(id string, succeeded bool) func(o *ordering.Order) error {
	return func(o *ordering.Order) error {
		return o.SettleRefund(ordering.Outcome{ID: id, Succeeded: succeeded}, noon)
	}
}

// atProvider is a refund that somebody makes on the provider's own pages.
func atProvider(id string, minor int64) func(o *ordering.Order) error {
	return func(o *ordering.Order) error {
		return o.SettleRefund(ordering.Outcome{ID: id, PaymentID: "p1", Amount: yuan(minor), Succeeded: true}, noon)
	}
}

func bank(outcome ordering.DisputeOutcome, minor int64) func(o *ordering.Order) error {
	return func(o *ordering.Order) error {
		return o.RecordDispute(ordering.DisputeNews{ID: "d", PaymentID: "p1", Amount: yuan(minor), Outcome: outcome}, noon)
	}
}

type acts []func(o *ordering.Order) error

// takenBack are all ways in which money goes back, and what of 9.50 they take with it.
var takenBack = []struct {
	name string
	acts acts
	back int64
}{
	{"nothing", nil, 0},
	{"a line in full", acts{refund("r", "tea", 1)}, lifeTea},
	{"one of two pieces", acts{refund("r", "cup", 1)}, 100},
	{"a price reduction", acts{refund("r", "tea", 0, 333)}, 50},                                        // 750 × 333 ÷ 5000 = 49.95
	{"several on one line", acts{refund("r1", "cup", 0, 7), refund("r2", "cup", 1)}, 101},              // 200 × 1007 ÷ 2000 = 100.7
	{"several that bring back all", acts{refund("r1", "cup", 0, 7), refund("r2", "cup", 2)}, lifeCups}, // the last takes exactly the rest
	{"an amount only", acts{refund("r", "", 0, 700)}, 95},                                              // 200 of cups and 500 of tea
	{"an amount that reaches shipping", acts{refund("r", "", 0, 7500)}, lifeEarning},
	{"shipping only", acts{refund("r", "shipping", 0, 800)}, 0},
	{"everything", acts{refund("r", "", 0, lifeTotal)}, lifeEarning},
	{"a refund that succeeds", acts{refund("r", "tea", 1), ends("r", true), ends("r", true)}, lifeTea},
	{"a refund that fails", acts{refund("r", "tea", 1), ends("r", false)}, 0},
	{"one that fails and one that does not", acts{refund("r1", "tea", 1), ends("r1", false), refund("r2", "tea", 0, 1000)}, 150},
	{"at the provider", acts{atProvider("re", 700)}, 95},
	{"a dispute that is open and won", acts{bank("open", lifeTotal), bank("won", lifeTotal)}, 0},
	{"a dispute that is lost", acts{bank("open", lifeTotal), bank("lost", lifeTotal)}, lifeEarning},
	{"a dispute about a part", acts{bank("lost", 700)}, 95},
	{"lost for more than was paid", acts{bank("lost", 2*lifeTotal)}, lifeEarning},
	{"refunded and then lost in full", acts{refund("r", "tea", 1), ends("r", true), bank("lost", lifeTotal)}, lifeEarning},
	{"lost and then refunded by the provider", acts{bank("lost", lifeTotal), atProvider("re", 5000)}, lifeEarning},
	{"lost while a refund fails", acts{refund("r", "tea", 1), bank("lost", lifeTotal), ends("r", false)}, lifeEarning},
	{"lost in part while a refund fails", acts{refund("r", "", 0, lifeTotal), bank("lost", 1400), ends("r", false)}, 190}, // 400 of cups, 1000 of tea
}

func TestEveryWayBackBeforeTheRelease(t *testing.T) {
	for _, c := range takenBack {
		t.Run(c.name, func(t *testing.T) {
			l := begin(t, "sandbox")
			for _, act := range append(acts{pay}, c.acts...) {
				l.do(act)
			}
			l.stands("before the release", lifeEarning-c.back, 0, 0)
			if l.o.Withdrawn == nil && l.o.RefundedTotal().Minor < lifeTotal { // or there is nothing to send
				l.do(ship)
				l.do(received)
				l.do(release)
				l.stands("released", 0, lifeEarning-c.back, 0)
			}
		})
	}
}

func TestEveryWayBackBetweenReceiptAndRelease(t *testing.T) {
	for _, c := range takenBack {
		t.Run(c.name, func(t *testing.T) {
			l := begin(t, "sandbox")
			for _, act := range append(acts{pay, ship, received}, c.acts...) {
				l.do(act)
			}
			l.stands("before the release", lifeEarning-c.back, 0, 0)
			l.do(release)
			l.stands("released", 0, lifeEarning-c.back, 0)
		})
	}
}

func TestEveryWayBackAfterTheReleaseIsDebt(t *testing.T) {
	for _, c := range takenBack {
		t.Run(c.name, func(t *testing.T) {
			l := begin(t, "sandbox")
			for _, act := range append(acts{pay, ship, received, release}, c.acts...) {
				l.do(act)
			}
			l.stands("after the release", 0, lifeEarning, c.back)
		})
	}
}

// TestOneHalfBeforeAndOneAfter: what went back before the release never became available, what follows is owed.
func TestOneHalfBeforeAndOneAfter(t *testing.T) {
	for _, c := range []struct {
		name                    string
		before, after           acts
		pending, release, owing int64
	}{
		{"pieces", acts{refund("r1", "cup", 1)}, acts{refund("r2", "cup", 1)}, 850, 850, 100},
		{"thirds of a cent", acts{refund("r1", "cup", 0, 3)}, acts{refund("r2", "cup", 0, 3)}, 950, 950, 1}, // 0.3 rounds to nothing, 0.6 to one
		{"refund, then lost dispute", acts{refund("r1", "tea", 1)}, acts{bank("lost", lifeTotal)}, 200, 200, 200},
		{"lost dispute, then refund", acts{bank("lost", 700)}, acts{refund("r1", "", 0, 7100)}, 855, 855, 855},
		{"a refund that fails too late", acts{refund("r1", "tea", 1)}, acts{ends("r1", false)}, 200, 200 + lifeTea, 0},
		{"one that fails, with a lost dispute behind it", acts{refund("r1", "tea", 1)}, acts{bank("lost", lifeTotal), ends("r1", false)}, 200, lifeEarning, lifeEarning},
		{"a lost dispute, and its refund fails too late", acts{refund("r1", "tea", 1), bank("lost", lifeTotal)}, acts{ends("r1", false)}, 0, 0, 0},
		{"won after the release", nil, acts{bank("open", 700), bank("won", 700)}, 950, 950, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := begin(t, "sandbox")
			for _, act := range append(acts{pay, ship, received}, c.before...) {
				l.do(act)
			}
			l.stands("before the release", c.pending, 0, 0)
			l.do(release)
			for _, act := range c.after {
				l.do(act)
			}
			l.stands("in the end", 0, c.release, c.owing)
		})
	}
}

func TestCancellingInEveryState(t *testing.T) {
	for _, c := range []struct {
		name, payment string
		acts          acts
		refusal       string // why it cannot be cancelled
		pending       int64  // before
		available     int64
	}{
		{"held", "sandbox", nil, "", 0, 0},
		{"paid", "sandbox", acts{pay}, "", lifeEarning, 0},
		{"partly refunded", "sandbox", acts{pay, refund("r", "tea", 1)}, "", lifeCups, 0},
		{"disputed", "sandbox", acts{pay, bank("open", lifeTotal)}, "", lifeEarning, 0},
		{"confirmed", ordering.OnDelivery, nil, "", 0, 0},
		{"shipped", "sandbox", acts{pay, ship}, "order_status_cancel", lifeEarning, 0},
		{"delivered", "sandbox", acts{pay, ship, received}, "order_status_cancel", lifeEarning, 0},
		{"released", "sandbox", acts{pay, ship, received, release}, "order_status_cancel", 0, lifeEarning},
		{"paid on delivery", ordering.OnDelivery, acts{ship, received}, "order_status_cancel", lifeEarning, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := begin(t, c.payment)
			for _, act := range c.acts {
				l.do(act)
			}
			l.stands("before", c.pending, c.available, 0)
			if c.refusal != "" {
				l.refused(c.refusal, cancel)
				return
			}
			l.do(cancel)
			l.stands("cancelled", 0, 0, 0)
			for _, r := range l.o.Refunds { // whatever becomes of the refund: nothing was sold
				if r.Open() {
					l.do(ends(r.ID, false))
				}
			}
			l.stands("its refund failed", 0, 0, 0)
			if c.payment == "sandbox" {
				l.do(pay)
				l.stands("paid after the end", 0, 0, 0)
			}
		})
	}
}

func TestReturnsAreClosedBeforeTheRelease(t *testing.T) {
	ask := func(o *ordering.Order) error {
		_, err := o.RequestReturn([]ordering.BasketLine{{SKU: "tea", Quantity: 1}}, noon)
		return err
	}
	closed := func(outcome ordering.ReturnOutcome) func(o *ordering.Order) error {
		return func(o *ordering.Order) error {
			return o.CloseReturn("r1", ordering.ReturnDecision{Outcome: outcome, Refund: ordering.RefundRequest{ID: "r1"}}, noon)
		}
	}
	for outcome, c := range map[string]struct {
		acts      acts
		available int64
	}{
		"declined":                {acts{closed(ordering.Declined)}, lifeEarning},
		"accepted":                {acts{closed(ordering.Accepted)}, lifeCups},
		"refunded, then accepted": {acts{refund("r", "tea", 1), closed(ordering.Accepted)}, lifeCups},
	} {
		l := begin(t, "sandbox")
		for _, act := range (acts{pay, ship, received, ask, release}) {
			l.do(act)
		}
		l.stands("an open return after the window", lifeEarning, 0, 0)
		for _, act := range append(c.acts, release) {
			l.do(act)
		}
		l.stands(outcome, 0, c.available, 0)
	}
}

func TestNewsBeforeThePayment(t *testing.T) {
	for name, c := range map[string]struct {
		acts acts
		want int64
	}{
		"a refund":        {acts{atProvider("re", 700)}, lifeEarning - 95},
		"all of it":       {acts{atProvider("re", lifeTotal)}, 0},
		"a lost dispute":  {acts{bank("lost", 700)}, lifeEarning - 95},
		"an open dispute": {acts{bank("open", 700)}, lifeEarning},
		"both":            {acts{bank("lost", lifeTotal), atProvider("re", 700)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			l := begin(t, "sandbox")
			for _, act := range c.acts {
				l.do(act)
			}
			l.stands("unpaid", 0, 0, 0)
			l.do(pay)
			l.stands("then paid", c.want, 0, 0)
		})
	}
}
