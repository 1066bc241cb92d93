package audit_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"yundian/shared/audit"
	"yundian/shared/catalogue"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/payout"
	"yundian/shared/shop"
	"yundian/shared/statement"
	"yundian/shared/store"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC) // 12:00 in Shanghai

func yuan(minor int64) money.Amount { return money.Of(minor, "CNY") }

// world is a shop with a product and KOCs, whose functions a test calls one by one.
type world struct {
	t  testing.TB
	s  *store.Store
	mu sync.Mutex
	at time.Time
}

// KOCs of every world: mei wins most orders, lin shares some with her, and zhou invited mei.
var handles = []string{"lin", "mei", "zhou"}

func newWorld(t testing.TB, s *store.Store) *world {
	t.Helper()
	w := &world{t: t, s: s, at: noon}
	for _, h := range handles {
		p, err := koc.NewProfile(h, "KOC "+h, h+"@example.com", noon)
		if err != nil {
			t.Fatal(err)
		}
		w.must(s.CreateKOC(context.Background(), p))
	}
	_, err := s.UpdateKOC(context.Background(), "mei", func(p *koc.Profile) error { p.Subject = "login of mei"; return nil },
		func(p koc.Profile) []store.Write { return []store.Write{store.LoginWrite(p.Subject, "mei")} })
	w.must(err)
	p := catalogue.Product{ID: "tea", Title: "Tea", Status: catalogue.Active, Variants: []catalogue.Variant{{SKU: "tea", Price: yuan(1001)}, {SKU: "cup", Price: yuan(333)}}}
	w.must(s.SaveProduct(context.Background(), catalogue.Product{}, p, map[string]int64{"tea": 100_000, "cup": 100_000}))
	return w
}

func (w *world) must(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatal(err)
	}
}

// now is a millisecond later every time, so that postings have an order.
func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(time.Millisecond)
	return w.at
}

// kind says who earns by an order.
type kind struct {
	winners []ordering.Winner
	months  []ordering.MonthTerm
	rate    money.BasisPoints
}

var (
	nobodys = kind{}
	meis    = kind{winners: []ordering.Winner{{KOC: "mei", Code: "mei", Share: money.Whole, Inviter: "zhou"}}, rate: 1000}
	shared  = kind{winners: []ordering.Winner{{KOC: "mei", Code: "mei", Share: 7001}, {KOC: "lin", Code: "lin", Share: 2999}}, rate: 1234}
	capped  = kind{winners: []ordering.Winner{{KOC: "mei", Code: "mei", Share: money.Whole}}, rate: 2000,
		months: []ordering.MonthTerm{{KOC: "mei", Rule: "cap", RuleVersion: 2, Lines: []int{0, 1}, Cap: 400}}}
	milestones = kind{winners: []ordering.Winner{{KOC: "lin", Code: "lin", Share: money.Whole}}, // without a commission
		months: []ordering.MonthTerm{{KOC: "lin", Rule: "bonus", RuleVersion: 2, Lines: []int{0}, Milestones: []ordering.Milestone{{Sales: 2500, Bonus: 400}}}}}
	kinds = []kind{nobodys, meis, shared, capped, milestones}
)

// place places an order and has it decided.
func (w *world) place(id string, k kind) {
	w.t.Helper()
	ctx := context.Background()
	sold, err := w.s.Sellables(ctx, []string{"tea", "cup"})
	w.must(err)
	q, err := ordering.Price([]ordering.BasketLine{{SKU: "tea", Quantity: 2}, {SKU: "cup", Quantity: 1}}, sold, shop.Default())
	w.must(err)
	o, err := ordering.Place(ordering.Request{ID: id, Person: "p1", Payment: "sandbox"}, q, shop.Default(), w.now())
	w.must(err)
	_, err = w.s.PlaceOrder(ctx, store.NewOrder{Order: o, Contact: ordering.Contact{Name: "陈静", Phone: "+8613800000000"}, Key: "key of the order " + id, Hash: id})
	w.must(err)
	rate := ordering.LineRate{Rule: "default", RuleVersion: 1, Rate: k.rate}
	w.change(id, func(o *ordering.Order) error {
		return o.Decide(ordering.Award{DecidedAt: w.now(), Cause: ordering.CausePlacement, Winners: k.winners, Months: k.months, InviterRate: 1000,
			BookVersion: 1, Rates: []ordering.LineRate{rate, rate}})
	})
}

func (w *world) change(id string, f func(*ordering.Order) error) {
	w.t.Helper()
	_, err := w.s.UpdateOrder(context.Background(), id, f)
	w.must(err)
}

// steps are what can happen to an order after it was placed; some are refused, as in life.
var steps = []func(w *world, o *ordering.Order) error{
	func(w *world, o *ordering.Order) error { return o.Capture("pay "+o.ID, o.Total, w.now()) },
	func(w *world, o *ordering.Order) error {
		return o.Ship(ordering.Shipment{Carrier: "SF", Tracking: "1"}, w.now())
	},
	func(w *world, o *ordering.Order) error { return o.Deliver(ordering.ByOperator, w.now()) },
	func(w *world, o *ordering.Order) error { return o.Mature(w.now().AddDate(0, 0, 60)) },
	func(w *world, o *ordering.Order) error {
		_, err := o.RequestRefund(ordering.RefundRequest{ID: fmt.Sprint(o.ID, " r", len(o.Refunds)), Reason: "r", Lines: []ordering.RefundLine{{SKU: "tea", Quantity: 1}}}, w.now())
		return err
	},
	func(w *world, o *ordering.Order) error {
		_, err := o.RequestRefund(ordering.RefundRequest{ID: fmt.Sprint(o.ID, " r", len(o.Refunds)), Reason: "r", Amount: new(yuan(77))}, w.now())
		return err
	},
	func(w *world, o *ordering.Order) error { // a lost dispute, and then a refund by the provider of what that took
		return o.RecordDispute(ordering.DisputeNews{ID: "d", PaymentID: "pay " + o.ID, Amount: o.Total, Outcome: ordering.DisputeLost}, w.now())
	},
	func(w *world, o *ordering.Order) error {
		return o.SettleRefund(ordering.Outcome{ID: "by the provider", ProviderID: "re", PaymentID: "pay " + o.ID, Amount: yuan(77), Succeeded: true}, w.now())
	},
	func(w *world, o *ordering.Order) error { return o.Cancel("changed my mind", w.now()) },
	func(w *world, o *ordering.Order) error { return o.Redrive(w.now()) },
}

// step lets something happen to an order, if it can.
func (w *world) step(id string, n int) {
	w.t.Helper()
	_, _ = w.s.UpdateOrder(context.Background(), id, func(o *ordering.Order) error { return steps[n](w, o) }) // refusals change nothing
}

// settle settles and counts orders as they are now.
func (w *world) settle(ids ...string) {
	w.t.Helper()
	ctx := context.Background()
	found, err := w.s.Orders(ctx, ids)
	w.must(err)
	var all []ordering.Order
	var facts []ledger.Fact
	for _, o := range found {
		all = append(all, o)
	}
	_, err = w.s.SettleOrders(ctx, all, w.now)
	w.must(err)
	upTo := map[string]int64{}
	for _, o := range all {
		upTo[o.ID] = o.Version
	}
	known, err := w.s.Facts(ctx, upTo)
	w.must(err)
	for _, o := range all {
		facts = append(facts, known[o.ID][o.Version])
	}
	w.must(w.s.CountFacts(ctx, facts))
}

// sold are orders of every kind that are paid, shipped and settled; every second one is released, and some of all is
// refunded before or after that.
func (w *world) sold(each int) []string {
	w.t.Helper()
	var ids []string
	for i := range each * len(kinds) {
		id := fmt.Sprintf("o%03d", i)
		ids = append(ids, id)
		w.place(id, kinds[i%len(kinds)])
		w.settle(id)
		for n := range 3 + i%2 {
			w.step(id, n)
			w.settle(id)
		}
		w.step(id, 4)
		w.settle(id)
	}
	return ids
}

// withdraw asks for a payout of a KOC's and says whether it was made: there may be too little.
func (w *world) withdraw(id, handle string, minor int64) bool {
	terms := payout.FirstTerms()
	terms.Currencies = []payout.CurrencyTerms{{Currency: "CNY", Minimum: 10, DebtCap: money.Whole / 2, Fee: payout.Fee{Fixed: 1},
		Tax: []payout.TaxTable{{From: "2026-01-01", Period: payout.Month, Brackets: []payout.Bracket{{Rate: 1000}}}}}}
	ask := payout.Ask{ID: payout.ID(id), KOC: handle, Currency: "CNY", Minor: minor, Cause: payout.Withdrawal, By: "s-" + handle, Day: "2026-03-01"}
	_, err := w.s.ReservePayout(context.Background(), ask, terms, method(), w.now())
	return err == nil
}

func method() payout.Method {
	return payout.Method{Version: 1, Rail: payout.Bank, Verified: &payout.Verification{By: "op", At: noon}}
}

// Ends of a payout.
const (
	rejected = iota
	failed
	paid
)

// conclude ends a payout, if it has not ended.
func (w *world) conclude(id string, how int) {
	ctx := context.Background()
	end := func(change func(*payout.Payout) error) {
		_, _ = w.s.UpdatePayout(ctx, payout.ID(id), w.now(), change) // refusals change nothing
	}
	if how == rejected {
		end(func(p *payout.Payout) error { return p.Reject("op", "", w.now()) })
		return
	}
	end(func(p *payout.Payout) error { return p.Approve(payout.Checker{By: "op", Method: method()}, w.now()) })
	end(func(p *payout.Payout) error {
		return p.Conclude(payout.Outcome{Paid: how == paid, At: w.now(), By: "op"})
	})
}

// adjust corrects a balance by hand; a second person says yes or no.
func (w *world) adjust(id, handle string, minor int64, yes bool) {
	w.t.Helper()
	ctx := context.Background()
	w.must(w.s.RequestAdjustment(ctx, ledger.Adjustment{ID: id, KOC: handle, Amount: yuan(minor), Reason: "late parcel", By: "op1", At: w.now()}))
	var err error
	if yes {
		_, err = w.s.ApproveAdjustment(ctx, id, ledger.Approver{By: "op2"}, w.now())
	} else {
		_, err = w.s.RejectAdjustment(ctx, id, "op2", "no", w.now())
	}
	w.must(err)
}

// closed pays, corrects, and closes March.
func (w *world) closed() {
	w.t.Helper()
	for i, how := range []int{paid, failed, rejected, -1} {
		id := fmt.Sprint("w", i)
		if !w.withdraw(id, "mei", 40) {
			w.t.Fatal("mei has too little")
		}
		if how >= 0 {
			w.conclude(id, how)
		}
	}
	w.adjust("a0", "mei", 50, true)
	w.adjust("a1", "mei", -5000, true)
	w.adjust("a2", "mei", 70, false)
	w.close(noon.AddDate(0, 1, 1)) // the 2nd of April
	w.adjust("a3", "mei", 60, true)
	w.close(noon.AddDate(0, 2, 1))
	w.at = w.at.Add(5 * 24 * time.Hour)
	w.file("f0", "w4", "lin")
	for n := range 3 {
		w.touch("mei-blog", noon, n)
		w.touch("mei-blog", w.at, n)
	}
	w.touch("mei", w.at, 0)
}

// days of touches: of one that is kept, and of one that is not any more.
const recent, longAgo = "2026-05-07", "2026-03-01"

// touch sees a link in a visitor's browser and counts it.
func (w *world) touch(code string, at time.Time, visitor int) {
	w.t.Helper()
	day, err := shop.Default().Day(at)
	w.must(err)
	t := store.Touch{Code: code, KOC: "mei", Day: day, Visitor: fmt.Sprint("visitor", visitor), At: at}
	w.must(w.s.SaveTouch(context.Background(), t))
	w.must(w.s.CountTouch(context.Background(), t))
}

// file puts a payout of a KOC's into a bank file.
func (w *world) file(id, payoutID, handle string) {
	w.t.Helper()
	ctx := context.Background()
	if !w.withdraw(payoutID, handle, 20) {
		w.t.Fatalf("%s has too little", handle)
	}
	f := payout.File{ID: id, Currency: "CNY", At: w.now(), By: "op", Payouts: []string{payout.ID(payoutID)}}
	w.must(w.s.BeginFile(ctx, f))
	f.Version = 1
	_, err := w.s.UpdatePayout(ctx, f.Payouts[0], w.now(), func(p *payout.Payout) error {
		if err := p.Approve(payout.Checker{By: "op", Method: method()}, w.now()); err != nil {
			return err
		}
		return p.ToFile(payout.Export{File: id, At: w.now(), By: "op"})
	}, store.OpenFileCheck(f))
	w.must(err)
	w.must(w.s.CloseFile(ctx, f))
}

// close closes what has ended by then.
func (w *world) close(at time.Time) {
	w.t.Helper()
	w.at = at
	zone, err := shop.Default().Zone()
	w.must(err)
	for _, h := range handles {
		_, err := statement.Closer{Store: w.s, Zone: zone}.Close(context.Background(), h, w.at)
		w.must(err)
	}
}

func (w *world) auditor() *audit.Auditor {
	return &audit.Auditor{Store: w.s, Now: w.now, Postings: audit.SlicePostings, Wait: func(ctx context.Context, _ int) error { return ctx.Err() }}
}

// run goes through all slices and adds them up.
func run(t testing.TB, a *audit.Auditor) audit.Report {
	t.Helper()
	var all audit.Report
	at := audit.Place{}
	for slices := 0; ; slices++ {
		r, next, err := a.Slice(context.Background(), at)
		if err != nil {
			t.Fatal(err)
		}
		all.Checked += r.Checked
		all.Unsettled += r.Unsettled
		all.Waiting = append(all.Waiting, r.Waiting...)
		all.Differences = append(all.Differences, r.Differences...)
		all.Left = append(all.Left, r.Left...)
		if at = next; at.Part == "" {
			return all
		}
		if slices > 1000 {
			t.Fatalf("the run does not end: %+v", at)
		}
	}
}
