package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	lambda "github.com/aws/aws-lambda-go/events"

	"yundian/events"
	"yundian/shared/cashier"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/payout"
	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/store"
)

var noon = time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC)

// desk is a payer on maps whose rail is the test's own.
type desk struct {
	payer
	tables  *store.Maps
	mu      sync.Mutex
	sent    map[string]int
	lookups int
	fails   bool // whether the rail answers at all
}

func (d *desk) Name() string { return payout.Stripe }

func (d *desk) Send(_ context.Context, t provider.Transfer) (provider.TransferResult, error) {
	if d.fails {
		return provider.TransferResult{}, errors.New("no route to the rail")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent[t.ID]++
	return provider.TransferResult{State: provider.TransferPaid, ProviderID: "tr_" + t.ID}, nil
}

func (d *desk) Lookup(_ context.Context, id string) (provider.TransferResult, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lookups++
	if d.fails {
		return provider.TransferResult{}, errors.New("no route to the rail")
	}
	if d.sent[id] > 0 {
		return provider.TransferResult{State: provider.TransferPaid, ProviderID: "tr_" + id}, nil
	}
	return provider.TransferResult{}, provider.TransferUnknown()
}

func box(t *testing.T, key string) seal.Box {
	t.Helper()
	b, err := seal.ParseBox(fmt.Sprintf(`{"k1": %q}`, key))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{sent: map[string]int{}, tables: store.NewMaps()}
	rails, err := provider.NewRails([]string{payout.Stripe}, "", d)
	if err != nil {
		t.Fatal(err)
	}
	d.paymaster = cashier.Paymaster{Store: store.OpenMaps(d.tables), Rails: rails, Box: box(t, "the key of this function")}
	return d
}

// approved is a payout that is due now, to a KOC of its own whose account is sealed under a key.
func (d *desk) approved(t *testing.T, handle, key string) string {
	t.Helper()
	ctx, s := context.Background(), d.paymaster.Store
	p, err := koc.NewProfile(handle, "Mei", handle+"@example.com", noon)
	if err == nil {
		err = p.Approve("h-"+handle, noon)
	}
	if err == nil {
		err = s.CreateKOC(ctx, p)
	}
	if err == nil {
		_, err = s.Settle(ctx, []ledger.Settlement{{Order: handle, Applied: ledger.Applied{V: 1}, Fact: ledger.Fact{Order: handle, V: 1, At: noon},
			Postings: []ledger.Posting{{ID: "settle:" + handle, KOC: handle, Order: handle, V: 1, At: noon, Currency: "CNY", Entries: []ledger.Entry{
				{Kind: ledger.Release, Minor: 9000, Legs: []ledger.Leg{{Account: ledger.Available, Minor: 9000}, {Account: ledger.Expense, Minor: -9000}}}}}}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := cashier.SealPayee(box(t, key), handle, payout.Destination{Account: "acct_1032D82eZvKYlo2C", Name: "Mei"})
	if err != nil {
		t.Fatal(err)
	}
	m := payout.Method{Version: 1, Rail: payout.Stripe, Sealed: sealed, At: noon, Verified: &payout.Verification{By: "op", At: noon}}
	if err := s.SaveReplies(ctx, store.PayeeWrites(handle, m)); err != nil {
		t.Fatal(err)
	}
	made, err := s.ReservePayout(ctx, payout.Ask{ID: payout.ID(handle), KOC: handle, Currency: "CNY", Minor: 5000, Cause: payout.Withdrawal, By: "s", Day: "2026-03-10"},
		payout.FirstTerms(), m, noon)
	if err == nil {
		_, err = s.UpdatePayout(ctx, made.ID, noon, func(p *payout.Payout) error { return p.Approve(payout.Checker{By: "op", Method: m}, noon) })
	}
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

func (d *desk) fire(ctx context.Context, t *testing.T, at time.Time) error {
	t.Helper()
	var e lambda.CloudWatchEvent
	sample, err := events.Load("schedule")
	if err == nil {
		err = json.Unmarshal(sample, &e)
	}
	if err != nil {
		t.Fatal(err)
	}
	e.Time = at
	return d.run(ctx, e)
}

func (d *desk) is(t *testing.T, id string, want payout.Status) {
	t.Helper()
	if p, err := d.paymaster.Store.Payout(context.Background(), id); err != nil || p.Status() != want {
		t.Errorf("%s is %s, want %s; %v", p.KOC, p.Status(), want, err)
	}
}

// TestOneFailureHoldsUpNoOther: of twenty payouts the account of one cannot be read.
func TestOneFailureHoldsUpNoOther(t *testing.T) {
	d := open(t)
	broken := d.approved(t, "broken", "a key that has been lost")
	var fine []string
	for i := range 19 {
		fine = append(fine, d.approved(t, fmt.Sprintf("koc%02d", i), "the key of this function"))
	}
	ctx := context.Background()
	if err := d.fire(ctx, t, noon.Add(-time.Minute)); err != nil || len(d.sent) != 0 {
		t.Errorf("before their time %d were sent, %v", len(d.sent), err)
	}
	for range 2 {
		if err := d.fire(ctx, t, noon); err == nil || !strings.Contains(err.Error(), broken) || strings.Contains(err.Error(), "acct_") {
			t.Errorf("the failure: %v", err)
		}
	}
	d.is(t, broken, payout.Approved)
	for _, id := range fine {
		if d.is(t, id, payout.Paid); d.sent[id] != 1 {
			t.Errorf("sent %d times", d.sent[id])
		}
	}
}

// TestARailThatIsAwayIsAskedLessAndLess, by the events' own time, and then everything is sent once.
func TestARailThatIsAwayIsAskedLessAndLess(t *testing.T) {
	d := open(t)
	id := d.approved(t, "mei", "the key of this function")
	d.fails = true
	ctx, at := context.Background(), noon
	for ; at.Before(noon.Add(time.Hour)); at = at.Add(time.Minute) {
		if err := d.fire(ctx, t, at); err != nil {
			t.Fatalf("an answer that is missing is no failure of the run: %v", err)
		}
		d.is(t, id, payout.Unknown)
	}
	if d.lookups != 3 { // after 4, 8 and 16 minutes
		t.Errorf("asked %d times within an hour", d.lookups)
	}
	d.fails = false
	for ; at.Before(noon.Add(3 * time.Hour)); at = at.Add(time.Minute) {
		if err := d.fire(ctx, t, at); err != nil {
			t.Fatal(err)
		}
	}
	if d.is(t, id, payout.Paid); d.sent[id] != 1 {
		t.Errorf("sent %d times", d.sent[id])
	}
}

// TestNothingIsBegunShortOfTheDeadline: what is begun must have the time to end.
func TestNothingIsBegunShortOfTheDeadline(t *testing.T) {
	d := open(t)
	id := d.approved(t, "mei", "the key of this function")
	ctx, cancel := context.WithTimeout(context.Background(), margin-time.Second)
	defer cancel()
	if err := d.fire(ctx, t, noon); err != nil || len(d.sent) != 0 {
		t.Errorf("sent %d, %v", len(d.sent), err)
	}
	d.is(t, id, payout.Approved)
}

// together runs the schedule, and once more when the first run is about to make its call number n, or just after that; more
// says whether it made so many.
func (d *desk) together(t *testing.T, n int, after bool, at time.Time) (more bool, err error) {
	t.Helper()
	calls, other := 0, false
	var failed error
	d.tables.Intercept = func(ctx context.Context, c store.Call) store.Verdict {
		d.mu.Lock()
		if !other && c.Done == after {
			calls++
		}
		meet := calls == n && !other
		other = other || meet
		d.mu.Unlock()
		if meet {
			failed = d.fire(ctx, t, at)
		}
		return store.Pass
	}
	defer func() { d.tables.Intercept = nil }()
	err = d.fire(context.Background(), t, at)
	return other, errors.Join(err, failed)
}

// TestTwoRunsAtOnce: at whatever call of one run another one comes, neither fails, and everything happens once.
func TestTwoRunsAtOnce(t *testing.T) {
	const key = "the key of this function"
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, d *desk) (payout string)
		at      time.Time
		want    payout.Status
		sent    int
	}{
		"approved": {func(t *testing.T, d *desk) string { return d.approved(t, "mei", key) }, noon, payout.Paid, 1},
		"method changed since": {func(t *testing.T, d *desk) string {
			id := d.approved(t, "mei", key)
			m := payout.Method{Version: 2, Rail: payout.Stripe, Sealed: "another", At: noon}
			if err := d.paymaster.Store.SaveReplies(context.Background(), store.PayeeWrites("mei", m)); err != nil {
				t.Fatal(err)
			}
			return id
		}, noon, payout.Reserved, 0},
		"never received": {func(t *testing.T, d *desk) string {
			id := d.approved(t, "mei", key)
			d.fails = true
			if err := d.fire(context.Background(), t, noon); err != nil {
				t.Fatal(err)
			}
			d.fails = false
			return id
		}, noon.Add(time.Hour), payout.Paid, 1},
		"sent, without an answer": {func(t *testing.T, d *desk) string {
			id := d.approved(t, "mei", key)
			d.fails = true
			if err := d.fire(context.Background(), t, noon); err != nil {
				t.Fatal(err)
			}
			d.fails, d.sent[id] = false, 1
			return id
		}, noon.Add(time.Hour), payout.Paid, 1},
		"scheduled": {func(t *testing.T, d *desk) string {
			d.approved(t, "mei", key)
			d.scheduled(t)
			return payout.ScheduledID("mei", "2026-03-10", "CNY")
		}, noon, payout.Reserved, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for _, after := range []bool{false, true} {
				n := 1
				for more := true; more; n++ {
					d := open(t)
					id := tt.prepare(t, d)
					var err error
					if more, err = d.together(t, n, after, tt.at); err != nil {
						t.Errorf("the other run at call %d (after it: %t): %v", n, after, err)
					}
					if d.is(t, id, tt.want); d.sent[id] != tt.sent {
						t.Errorf("the other run at call %d (after it: %t): sent %d times, want %d", n, after, d.sent[id], tt.sent)
					}
				}
				if n < 5 {
					t.Errorf("a run made only %d calls", n)
				}
			}
		})
	}
}

// scheduled are terms that pay out on the tenth what has been available for longer.
func (d *desk) scheduled(t *testing.T) {
	t.Helper()
	from := noon.AddDate(0, 0, -20)
	terms, err := payout.FirstTerms().Next(payout.Terms{HoldHours: 72, Currencies: []payout.CurrencyTerms{{Currency: "CNY", Minimum: 1000,
		Schedule: payout.Schedule{Every: payout.Monthly, Day: 10}}}}, from, from.Format(time.DateOnly))
	if err == nil {
		err = d.paymaster.Store.PublishPayoutTerms(context.Background(), terms)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestTwoRunsSideBySide: two processes really run at the same time, over payouts of every kind.
func TestTwoRunsSideBySide(t *testing.T) {
	d := open(t)
	d.scheduled(t)
	var ids []string
	for i := range 30 {
		ids = append(ids, d.approved(t, fmt.Sprintf("koc%02d", i), "the key of this function"))
	}
	failures := make([]error, 2)
	var runs sync.WaitGroup
	for i := range failures {
		runs.Go(func() { failures[i] = d.fire(context.Background(), t, noon) })
	}
	runs.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Error(err)
	}
	for i, id := range ids {
		if d.is(t, id, payout.Paid); d.sent[id] != 1 {
			t.Errorf("sent %d times", d.sent[id])
		}
		d.is(t, payout.ScheduledID(fmt.Sprintf("koc%02d", i), "2026-03-10", "CNY"), payout.Reserved)
	}
}
