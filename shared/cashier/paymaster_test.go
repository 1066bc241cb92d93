package cashier_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/fail"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/once"
	"yundian/shared/payout"
	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/store"
)

// office is a paymaster on the real store with the real sandbox as its rail.
type office struct {
	cashier.Paymaster
	till *till
	now  time.Time
}

var ten = time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC) // 10:00 in the shop

func payeeBox(t *testing.T) seal.Box {
	t.Helper()
	box, err := seal.ParseBox(`{"k1": "a key of the payees in tests"}`)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func openOffice(t *testing.T) *office {
	t.Helper()
	x := &office{till: open(t), now: ten}
	rails, err := provider.NewRails([]string{payout.Bank, payout.Sandbox}, strings.TrimPrefix(x.till.address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	x.Paymaster = cashier.Paymaster{Store: x.till.Store, Rails: rails, Box: payeeBox(t)}
	join(t, x.Paymaster, "mei", 10_000)
	return x
}

// join adds an approved KOC with a verified method and money.
func join(t *testing.T, m cashier.Paymaster, handle string, available int64) {
	t.Helper()
	ctx := context.Background()
	p, err := koc.NewProfile(handle, "Mei", handle+"@example.com", ten)
	if err == nil {
		err = p.Approve("h-"+handle, ten)
	}
	if err == nil {
		err = m.Store.CreateKOC(ctx, p)
	}
	if err == nil && available > 0 {
		_, err = m.Store.Settle(ctx, []ledger.Settlement{{Order: "o-" + handle, Applied: ledger.Applied{V: 1}, Fact: ledger.Fact{Order: "o-" + handle, V: 1, At: ten},
			Postings: []ledger.Posting{{ID: "settle:" + handle, KOC: handle, Order: "o-" + handle, V: 1, At: ten, Currency: "CNY", Entries: []ledger.Entry{
				{Kind: ledger.Release, Minor: available, Legs: []ledger.Leg{{Account: ledger.Available, Minor: available}, {Account: ledger.Expense, Minor: -available}}}}}}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	change(t, m, handle, "acct-"+handle, ten)
}

// change gives a KOC another account under the same, verified name.
func change(t *testing.T, m cashier.Paymaster, handle, account string, at time.Time) payout.Method {
	t.Helper()
	ctx := context.Background()
	sealed, err := cashier.SealPayee(m.Box, handle, payout.Destination{Account: account, Name: "Mei"})
	if err != nil {
		t.Fatal(err)
	}
	before, err := m.Store.Payee(ctx, handle)
	if err != nil {
		t.Fatal(err)
	}
	next, err := payout.Change(before, payout.Method{Rail: payout.Sandbox, Sealed: sealed}, true, 72*time.Hour, at)
	if err != nil {
		t.Fatal(err)
	}
	next.Verify("op", at)
	if err := m.Store.SaveReplies(ctx, store.PayeeWrites(handle, next)); err != nil {
		t.Fatal(err)
	}
	return next
}

// approved is a payout of 40.00 that the sandbox will be given next.
func (x *office) approved(t *testing.T) payout.Payout {
	t.Helper()
	method, err := x.Store.Payee(t.Context(), "mei")
	if err != nil {
		t.Fatal(err)
	}
	a := payout.Ask{ID: payout.ID("x"), KOC: "mei", Currency: "CNY", Minor: 4000, Cause: payout.Withdrawal, By: "s-mei", Day: "2026-03-10"}
	p, err := x.Store.ReservePayout(t.Context(), a, payout.FirstTerms(), method, x.now)
	if err != nil {
		t.Fatal(err)
	}
	return x.update(t, p.ID, func(p *payout.Payout) error { return p.Approve(payout.Checker{By: "op", Method: method}, x.now) })
}

func (x *office) update(t *testing.T, id string, change func(*payout.Payout) error) payout.Payout {
	t.Helper()
	p, err := x.Store.UpdatePayout(t.Context(), id, x.now, change)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sandbox decides what becomes of the next transfers, or of those that are pending.
func (x *office) sandbox(t *testing.T, path, body string) {
	t.Helper()
	resp, err := http.Post(x.till.address+provider.SandboxPath+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %s", path, body, resp.Status)
	}
}

// sends is how often each transfer arrived at the sandbox.
func (x *office) sends(t *testing.T) []int {
	t.Helper()
	resp, err := http.Get(x.till.address + provider.SandboxPath + "/transfers")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var books struct{ Transfers []struct{ Sends int } }
	if err := json.NewDecoder(resp.Body).Decode(&books); err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, transfer := range books.Transfers {
		out = append(out, transfer.Sends)
	}
	return out
}

// drive does what is due after a while and compares where the payout stands.
func (x *office) drive(t *testing.T, id string, after time.Duration, want payout.Status) payout.Payout {
	t.Helper()
	x.now = x.now.Add(after)
	p, err := x.Drive(t.Context(), id, x.now)
	if err != nil {
		t.Fatalf("after %s: %v", after, err)
	}
	if p.Status() != want {
		t.Fatalf("after %s the payout is %s, want %s: %+v", after, p.Status(), want, p.Transfer)
	}
	return p
}

func (x *office) balances(t *testing.T) ledger.Balances {
	t.Helper()
	b, err := x.Store.Balances(t.Context(), "mei")
	if err != nil || len(b) != 1 {
		t.Fatalf("%+v, %v", b, err)
	}
	return b[0]
}

var (
	paidOut  = ledger.Balances{Currency: "CNY", Available: 6000, Paid: 4000}
	cameBack = ledger.Balances{Currency: "CNY", Available: 10_000}
)

// step is what happens after a while, and where the payout stands then.
type step struct {
	control, body string // of the sandbox, before
	after         time.Duration
	want          payout.Status
}

// TestPayoutsLeaveOnce: whatever the rail answers, or does not, each payout arrives there once, and what is on record ends
// as the rail has it.
func TestPayoutsLeaveOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		steps []step
		sends []int
		want  ledger.Balances
	}{
		"paid at once": {[]step{{"", "", 0, payout.Paid}, {"", "", time.Hour, payout.Paid}}, []int{1}, paidOut},
		"refused":      {[]step{{"/next", `{"transfer": "refuse"}`, 0, payout.Failed}, {"", "", time.Hour, payout.Failed}}, nil, cameBack},
		"pending, then paid": {[]step{{"/next", `{"transfer": "pending"}`, 0, payout.Sending}, {"", "", time.Minute, payout.Sending},
			{"", "", 3 * time.Minute, payout.Sending}, {"/settle", `{"state": "paid"}`, time.Hour, payout.Paid}}, []int{1}, paidOut},
		"pending, then failed": {[]step{{"/next", `{"transfer": "fail"}`, 0, payout.Sending}, {"", "", time.Hour, payout.Failed}}, []int{1}, cameBack},
		"answer lost": {[]step{{"/next", `{"transfer": "lost"}`, 0, payout.Unknown}, {"", "", time.Minute, payout.Unknown},
			{"", "", 3 * time.Minute, payout.Paid}}, []int{1}, paidOut},
		"never received": {[]step{{"/next", `{"transfer": "unreceived"}`, 0, payout.Unknown}, {"", "", time.Minute, payout.Unknown},
			{"", "", 3 * time.Minute, payout.Paid}}, []int{1}, paidOut},
		"never received, then lost": {[]step{{"/next", `{"transfer": "unreceived"}`, 0, payout.Unknown}, {"/next", `{"transfer": "lost"}`, 4 * time.Minute, payout.Unknown},
			{"", "", 24 * time.Hour, payout.Paid}}, []int{1}, paidOut},
		"never received twice": {[]step{{"/next", `{"transfer": "unreceived", "times": 2}`, 0, payout.Unknown}, {"", "", 4 * time.Minute, payout.Unknown},
			{"", "", 24 * time.Hour, payout.Paid}}, []int{1}, paidOut},
	} {
		t.Run(name, func(t *testing.T) {
			x := openOffice(t)
			p := x.approved(t)
			for _, s := range tt.steps {
				if s.control != "" {
					x.sandbox(t, s.control, s.body)
				}
				x.drive(t, p.ID, s.after, s.want)
			}
			if got := x.sends(t); len(tt.sends) > 0 && !slices.Equal(got, tt.sends) {
				t.Errorf("arrived %v times, want %v", got, tt.sends)
			}
			if b := x.balances(t); b != tt.want {
				t.Errorf("balances %+v, want %+v", b, tt.want)
			}
		})
	}
}

// TestACrashAroundSending: the process ends between the record and the sending, or between the sending and its outcome.
func TestACrashAroundSending(t *testing.T) {
	for _, left := range []bool{false, true} {
		x := openOffice(t)
		p := x.approved(t)
		x.update(t, p.ID, func(p *payout.Payout) error { return p.Send(x.now) })
		if left {
			rail, err := x.Rails.Sender(t.Context(), payout.Sandbox)
			if err == nil {
				_, err = rail.Send(t.Context(), provider.Transfer{ID: p.ID, Amount: p.Amount(), Account: "acct-mei", Name: "Mei"})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		x.drive(t, p.ID, time.Minute, payout.Sending) // whoever recorded it may still be at it
		x.drive(t, p.ID, time.Minute, payout.Paid)
		if got := x.sends(t); !slices.Equal(got, []int{1}) || x.balances(t) != paidOut {
			t.Errorf("arrived %v times, balances %+v", got, x.balances(t))
		}
	}
}

// late is a rail on which something else happens while a look-up's answer is on its way, and whose transfers get lost.
type late struct {
	provider.Rail
	meanwhile func()
	sends     int
}

func (r *late) Lookup(ctx context.Context, id string) (provider.TransferResult, error) {
	result, err := r.Rail.Lookup(ctx, id)
	if then := r.meanwhile; then != nil {
		r.meanwhile = nil
		then()
	}
	return result, err
}

func (r *late) Send(context.Context, provider.Transfer) (provider.TransferResult, error) {
	r.sends++
	return provider.TransferResult{}, errors.New("no answer yet")
}

// TestAnOldAnswerSendsNothing: two runs ask about a payout, both hear that it never arrived, and one of them has sent it
// again before the other comes to record that: what it has sent may still be on its way.
func TestAnOldAnswerSendsNothing(t *testing.T) {
	x := openOffice(t)
	p := x.approved(t)
	x.update(t, p.ID, func(p *payout.Payout) error { return p.Send(x.now) })
	sandbox, err := x.Rails.Sender(t.Context(), payout.Sandbox)
	if err != nil {
		t.Fatal(err)
	}
	rail := &late{Rail: sandbox}
	if x.Rails, err = provider.NewRails([]string{payout.Sandbox}, "", rail); err != nil {
		t.Fatal(err)
	}
	rail.meanwhile = func() { x.drive(t, p.ID, 0, payout.Unknown) }
	p = x.drive(t, p.ID, 2*time.Minute, payout.Unknown)
	if rail.sends != 1 || p.Transfer.Missing || !p.DueAt().After(x.now) {
		t.Errorf("sent %d times at once, %+v", rail.sends, p.Transfer)
	}
}

func TestWhatKeepsAPayoutFromLeaving(t *testing.T) {
	t.Run("another method", func(t *testing.T) {
		x := openOffice(t)
		p := x.approved(t)
		changed := change(t, x.Paymaster, "mei", "thief", x.now)
		if p = x.drive(t, p.ID, time.Minute, payout.Reserved); len(p.Reopened) != 1 || x.sends(t) != nil {
			t.Errorf("%+v, sent %v", p, x.sends(t))
		}
		// Approved again, it waits until the KOC has had time to see the change.
		x.update(t, p.ID, func(p *payout.Payout) error { return p.Approve(payout.Checker{By: "op", Method: changed}, x.now) })
		x.drive(t, p.ID, 71*time.Hour, payout.Approved)
		x.drive(t, p.ID, time.Hour, payout.Paid)
	})
	t.Run("another e-mail address", func(t *testing.T) {
		x := openOffice(t)
		p := x.approved(t)
		if _, err := x.Store.UpdateKOC(t.Context(), "mei", func(k *koc.Profile) error {
			if err := k.AskEmail("thief@example.com", x.now); err != nil {
				return err
			}
			return k.ConfirmEmail(1, 72*time.Hour, x.now)
		}, nil); err != nil {
			t.Fatal(err)
		}
		_, err := x.Reserve(t.Context(), payout.Ask{ID: payout.ID("y"), KOC: "mei", Currency: "CNY", Minor: 1000, Cause: payout.Withdrawal, By: "s-mei"}, x.now)
		if !fail.Is(err, "payout_held") {
			t.Errorf("another withdrawal: %v", err)
		}
		if p = x.drive(t, p.ID, time.Minute, payout.Reserved); len(p.Reopened) != 1 || x.sends(t) != nil {
			t.Errorf("%+v, sent %v", p, x.sends(t))
		}
		if p, err = x.Approve(t.Context(), p, "op", x.now); err != nil {
			t.Fatal(err)
		}
		x.drive(t, p.ID, 71*time.Hour, payout.Approved)
		x.drive(t, p.ID, time.Hour, payout.Paid)
	})
	t.Run("suspended", func(t *testing.T) {
		x := openOffice(t)
		p := x.approved(t)
		stand := func(change func(*koc.Profile) error) {
			if _, err := x.Store.UpdateKOC(t.Context(), "mei", change, nil); err != nil {
				t.Fatal(err)
			}
		}
		stand(func(k *koc.Profile) error { return k.Suspend("", x.now) })
		p = x.drive(t, p.ID, time.Minute, payout.Waiting)
		if due, err := x.Store.DuePayouts(t.Context(), x.now.AddDate(1, 0, 0), 10); err != nil || len(due) != 0 {
			t.Errorf("a payout that waits for a person is due for the function: %v, %v", due, err)
		}
		version := p.Version
		if p = x.drive(t, p.ID, time.Hour, payout.Waiting); p.Version != version {
			t.Errorf("looking at it again changed it: %+v", p)
		}
		stand(func(k *koc.Profile) error { return k.Approve("h", x.now) })
		x.drive(t, p.ID, time.Minute, payout.Waiting) // somebody has to say so
		p, err := x.Release(t.Context(), p, payout.Release{By: "op", At: x.now})
		if err != nil || p.Status() != payout.Approved || x.sends(t) != nil {
			t.Fatalf("released %+v, %v, sent %v", p, err, x.sends(t))
		}
		x.drive(t, p.ID, time.Minute, payout.Paid)
	})
	t.Run("released while suspended", func(t *testing.T) {
		x := openOffice(t)
		p := x.approved(t)
		profile, err := x.Store.UpdateKOC(t.Context(), "mei", func(k *koc.Profile) error { return k.Suspend("", x.now) }, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := x.KeepBack(t.Context(), profile, x.now); err != nil {
				t.Fatal(err)
			}
		}
		p = x.drive(t, p.ID, 0, payout.Waiting)
		if len(p.Waits) != 1 {
			t.Errorf("%+v", p.Waits)
		}
		if _, err := x.Release(t.Context(), p, payout.Release{By: "op", At: x.now}); err != nil {
			t.Fatal(err)
		}
		x.drive(t, p.ID, time.Minute, payout.Paid)
	})
	t.Run("made while its KOC was being suspended", func(t *testing.T) {
		x := openOffice(t)
		p := x.approved(t)
		if _, err := x.Store.UpdateKOC(t.Context(), "mei", func(k *koc.Profile) error { return k.Suspend("", x.now) }, nil); err != nil {
			t.Fatal(err)
		}
		p, err := x.Release(t.Context(), p, payout.Release{By: "op", At: x.now})
		if err != nil || p.Status() != payout.Approved || len(p.Waits) != 1 {
			t.Fatalf("%+v, %v", p, err)
		}
		x.drive(t, p.ID, time.Minute, payout.Paid)
	})
	t.Run("not approved", func(t *testing.T) {
		x := openOffice(t)
		p := x.approved(t)
		x.update(t, p.ID, func(p *payout.Payout) error { return p.Reopen("", x.now) })
		x.drive(t, p.ID, time.Hour, payout.Reserved)
		if x.sends(t) != nil {
			t.Error("sent")
		}
	})
	for name, broken := range map[string]func(*office){
		"no rail": func(x *office) { x.Rails, _ = provider.NewRails([]string{payout.Bank}, "") },
		"no key":  func(x *office) { x.Box, _ = seal.ParseBox(`{"k9": "another key of the payees"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			x := openOffice(t)
			p := x.approved(t)
			fine := x.Paymaster
			broken(x)
			if _, err := x.Drive(t.Context(), p.ID, x.now); err == nil || fail.KindOf(err) != fail.Internal || strings.Contains(err.Error(), "acct") {
				t.Errorf("%v", err)
			}
			x.Paymaster = fine
			if p, err := x.Store.Payout(t.Context(), p.ID); err != nil || p.Transfer != nil {
				t.Errorf("on record as sent: %+v, %v", p.Transfer, err)
			}
			x.drive(t, p.ID, 0, payout.Paid)
		})
	}
}

// TestContradictionsAreKeptForPeople: a word against the outcome posts nothing and stays with the payout.
func TestContradictionsAreKeptForPeople(t *testing.T) {
	x := openOffice(t)
	p := x.drive(t, x.approved(t).ID, 0, payout.Paid)
	for range 2 {
		if _, err := x.Conclude(t.Context(), p.ID, payout.Outcome{At: x.now, By: "late", Reason: "came back"}); !fail.Is(err, "payout_contradicted") {
			t.Errorf("%v", err)
		}
	}
	now, err := x.Store.Payout(t.Context(), p.ID)
	if err != nil || now.Status() != payout.Paid || len(now.Disputed) != 2 || now.Disputed[0].Reason != "came back" {
		t.Errorf("%+v, %v", now, err)
	}
	if b := x.balances(t); b != paidOut {
		t.Errorf("balances %+v", b)
	}
}

// scheduled are terms that pay out on the tenth.
func scheduled(t *testing.T, s *store.Store, from time.Time) {
	t.Helper()
	terms, err := payout.FirstTerms().Next(payout.Terms{HoldHours: 72, Currencies: []payout.CurrencyTerms{{Currency: "CNY", Minimum: 1000,
		Schedule: payout.Schedule{Every: payout.Monthly, Day: 10}}}}, from, from.Format(time.DateOnly))
	if err == nil {
		err = s.PublishPayoutTerms(context.Background(), terms)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func all() bool { return true }

func payoutsOf(t *testing.T, s *store.Store, handle string) []payout.Payout {
	t.Helper()
	found, _, err := s.ListPayouts(context.Background(), store.PayoutFilter{KOC: handle}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestScheduledPayouts(t *testing.T) {
	m := cashier.Paymaster{Store: store.OpenMaps(store.NewMaps()), Box: payeeBox(t)}
	ctx := context.Background()
	scheduled(t, m.Store, ten.AddDate(0, 0, -20))
	for handle, available := range map[string]int64{"rich": 10_000, "enough": 1000, "poor": 999, "none": 0, "gone": 5000, "moved": 5000} {
		join(t, m, handle, available)
	}
	if _, err := m.Store.UpdateKOC(ctx, "gone", func(k *koc.Profile) error { return k.Suspend("", ten) }, nil); err != nil {
		t.Fatal(err)
	}
	change(t, m, "moved", "elsewhere", ten.Add(-time.Hour))
	midnight := time.Date(2026, 3, 9, 16, 0, 0, 0, time.UTC) // in the shop
	made := func() (out []string) {
		for _, handle := range []string{"rich", "enough", "poor", "none", "gone", "moved"} {
			for _, p := range payoutsOf(t, m.Store, handle) {
				out = append(out, fmt.Sprint(handle, " ", p.Withdrawn, " ", p.By, " ", p.ID == payout.ScheduledID(handle, "2026-03-10", "CNY")))
			}
		}
		return out
	}
	run := func(at time.Time) {
		t.Helper()
		if err := m.Schedule(ctx, at, all); err != nil {
			t.Fatal(err)
		}
	}
	run(midnight.Add(-time.Minute))
	if got := made(); got != nil {
		t.Errorf("before the day: %v", got)
	}
	for range 3 {
		run(midnight)
		run(midnight.AddDate(0, 0, 20))
	}
	if got, want := made(), []string{"rich 10000 schedule true", "enough 1000 schedule true"}; !slices.Equal(got, want) {
		t.Errorf("made %v, want %v", got, want)
	}
	next := time.Date(2026, 4, 10, 4, 0, 0, 0, time.UTC)
	run(next)
	if got := payoutsOf(t, m.Store, "moved"); len(got) != 1 || got[0].Withdrawn != 5000 || got[0].Day != "2026-04-10" {
		t.Errorf("a month later, after the hold: %+v", got)
	}
}

// TestASchedulePaysNothingForDaysBeforeIt: it was chosen after the day's midnight.
func TestASchedulePaysNothingForDaysBeforeIt(t *testing.T) {
	m := cashier.Paymaster{Store: store.OpenMaps(store.NewMaps()), Box: payeeBox(t)}
	join(t, m, "mei", 5000)
	scheduled(t, m.Store, ten)
	for _, at := range []time.Time{ten, ten.AddDate(0, 0, 5)} {
		if err := m.Schedule(context.Background(), at, all); err != nil || payoutsOf(t, m.Store, "mei") != nil {
			t.Errorf("on %s: %v", at, err)
		}
	}
}

// TestOneFailureHoldsUpNobody: a KOC whose method cannot be read gets the payout in another pass, and the others get theirs
// in this one.
func TestOneFailureHoldsUpNobody(t *testing.T) {
	tables := store.NewMaps()
	m := cashier.Paymaster{Store: store.OpenMaps(tables), Box: payeeBox(t)}
	ctx := context.Background()
	scheduled(t, m.Store, ten.AddDate(0, 0, -20))
	var handles []string
	for i := range 120 { // more than a page
		handles = append(handles, fmt.Sprintf("koc%03d", i))
		join(t, m, handles[i], 5000)
	}
	made := func() (n int) {
		for _, handle := range handles {
			n += len(payoutsOf(t, m.Store, handle))
		}
		return n
	}
	tables.Intercept = func(_ context.Context, c store.Call) store.Verdict {
		if slices.ContainsFunc(c.Places(), func(p store.Place) bool { return p.Key.PK == "PAYEE#koc007" }) {
			return store.Throttle
		}
		return store.Pass
	}
	if err := m.Schedule(ctx, ten, all); err == nil {
		t.Errorf("nobody learns of the failure: %v", err)
	}
	if n := made(); n != 119 {
		t.Errorf("%d payouts beside the failure, want 119", n)
	}
	tables.Intercept = nil
	if err := m.Schedule(ctx, ten, all); err != nil || made() != 120 {
		t.Errorf("%d payouts in the end, %v", made(), err)
	}
	run, err := m.Store.PayRun(ctx, "CNY", "2026-03-10")
	if err != nil || !run.Done || run.Passes != 2 {
		t.Errorf("%+v, %v", run, err)
	}
}

// TestAScheduleGoesOnWhereItStopped: a page at a time, when there is time for no more.
func TestAScheduleGoesOnWhereItStopped(t *testing.T) {
	m := cashier.Paymaster{Store: store.OpenMaps(store.NewMaps()), Box: payeeBox(t)}
	scheduled(t, m.Store, ten.AddDate(0, 0, -20))
	for i := range 250 {
		join(t, m, fmt.Sprintf("koc%03d", i), 5000)
	}
	for _, want := range []int{100, 200, 250, 250} {
		if err := m.Schedule(context.Background(), ten, func() bool { return false }); err != nil {
			t.Fatal(err)
		}
		payouts, after := 0, ""
		for range 10 {
			page, next, err := m.Store.ListPayouts(context.Background(), store.PayoutFilter{}, after, 100)
			if err != nil {
				t.Fatal(err)
			}
			if payouts += len(page); next == "" {
				break
			}
			after = next
		}
		if payouts != want {
			t.Errorf("%d payouts, want %d", payouts, want)
		}
	}
}

// toBank is an approved payout that waits for a bank file.
func toBank(t *testing.T, m cashier.Paymaster, handle string) {
	t.Helper()
	join(t, m, handle, 5000)
	ctx := context.Background()
	sealed, err := cashier.SealPayee(m.Box, handle, payout.Destination{Account: "DE-" + handle, Name: "Mei"})
	if err != nil {
		t.Fatal(err)
	}
	before, err := m.Store.Payee(ctx, handle)
	if err != nil {
		t.Fatal(err)
	}
	method, err := payout.Change(before, payout.Method{Rail: payout.Bank, Sealed: sealed}, true, 0, ten)
	if err != nil {
		t.Fatal(err)
	}
	method.Verify("op", ten)
	if err := m.Store.SaveReplies(ctx, store.PayeeWrites(handle, method)); err != nil {
		t.Fatal(err)
	}
	p, err := m.Store.ReservePayout(ctx, payout.Ask{ID: payout.ID(handle), KOC: handle, Currency: "CNY", Minor: 4000, Cause: payout.Withdrawal,
		By: "s-" + handle, Day: "2026-03-10"}, payout.FirstTerms(), method, ten)
	if err == nil {
		_, err = m.Store.UpdatePayout(ctx, p.ID, ten, func(p *payout.Payout) error { return p.Approve(payout.Checker{By: "op", Method: method}, ten) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

// filer asks for bank files as the console does; between lets something happen before the file is closed.
type filer struct {
	m       cashier.Paymaster
	by      string
	between func()
}

func (f filer) ask(t *testing.T, key string) (string, error) {
	t.Helper()
	ctx := context.Background()
	wish := once.Wish{Owner: f.by, Route: "POST /v1/admin/payout-files", Key: key, Body: "CNY"}
	return once.Do(ctx, f.m.Store, wish, ten, func(record once.Record[string]) (string, error) {
		made, err := f.m.MakeFile(ctx, payout.File{ID: cashier.FileID(f.by, key), Currency: "CNY", At: ten, By: f.by},
			func(file payout.File) ([]store.Write, error) {
				if f.between != nil {
					f.between()
				}
				return record(file.ID)
			})
		if err == nil && !made.Closed {
			t.Errorf("file %s was answered while it is open", made.ID)
		}
		return made.ID, err
	})
}

// TestAFileIsTheAnswerToItsKeyForEver: whoever closes it, each wish that was answered with a file is answered with the same
// one again, although more payouts wait for a file by then.
func TestAFileIsTheAnswerToItsKeyForEver(t *testing.T) {
	const mine, theirs = "key-of-the-first-one", "key-of-the-second-one"
	ways := map[string]func(t *testing.T, a, b filer) (mine, theirs string){
		"both close it": func(t *testing.T, a, b filer) (first, second string) {
			a.between = func() { second, _ = b.ask(t, theirs) }
			first, _ = a.ask(t, mine)
			return first, second
		},
		"both complete what a crash has left": func(t *testing.T, a, b filer) (first, second string) {
			crash := errors.New("the process ended")
			_, err := a.m.MakeFile(t.Context(), payout.File{ID: cashier.FileID("third"), Currency: "CNY", At: ten, By: "c"},
				func(payout.File) ([]store.Write, error) { return nil, crash })
			if !errors.Is(err, crash) {
				t.Fatal(err)
			}
			a.between = func() { second, _ = b.ask(t, theirs) }
			first, _ = a.ask(t, mine)
			a.between = nil
			return first, second
		},
		"one key twice at once": func(t *testing.T, a, _ filer) (first, second string) {
			again := a
			a.between = func() { second, _ = again.ask(t, mine) }
			first, _ = a.ask(t, mine)
			return first, second
		},
		"a crash, and somebody else completes it": func(t *testing.T, a, b filer) (first, second string) {
			crash := errors.New("the process ended")
			_, err := a.m.MakeFile(t.Context(), payout.File{ID: cashier.FileID(a.by, mine), Currency: "CNY", At: ten, By: a.by},
				func(payout.File) ([]store.Write, error) { return nil, crash })
			if !errors.Is(err, crash) {
				t.Fatal(err)
			}
			second, _ = b.ask(t, theirs)
			toBank(t, a.m, "more") // and a third file is being filled when the first wish comes again
			_, _ = a.m.MakeFile(t.Context(), payout.File{ID: cashier.FileID("third"), Currency: "CNY", At: ten, By: "c"},
				func(payout.File) ([]store.Write, error) { return nil, crash })
			first, _ = a.ask(t, mine)
			return first, second
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			m := cashier.Paymaster{Store: store.OpenMaps(store.NewMaps()), Box: payeeBox(t), OneByOne: true}
			toBank(t, m, "mei")
			a, b := filer{m: m, by: "a"}, filer{m: m, by: "b"}
			first, second := way(t, a, b)
			if first == "" || first != second {
				t.Fatalf("answered %q and %q, want one file", first, second)
			}
			toBank(t, m, "later")
			for _, key := range []string{mine, mine} {
				if again, err := a.ask(t, key); again != first || err != nil {
					t.Errorf("sent again, it is answered %q, was %q: %v", again, first, err)
				}
			}
			files, _, err := m.Store.ListBankFiles(t.Context(), "", 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if f.ID != first && f.ID != cashier.FileID("third") {
					t.Errorf("another file was made: %+v", f)
				}
			}
		})
	}
}

// TestTwoBeginAFileAtOnce: whose file comes second helps to fill the first one, and both are answered with it.
func TestTwoBeginAFileAtOnce(t *testing.T) {
	tables := store.NewMaps()
	m := cashier.Paymaster{Store: store.OpenMaps(tables), Box: payeeBox(t), OneByOne: true}
	toBank(t, m, "mei")
	var other string
	met := false
	begins := func(w store.Write) bool { return w.Key.SK == "SERIES" }
	tables.Intercept = func(_ context.Context, c store.Call) store.Verdict {
		if slices.ContainsFunc(c.Writes, begins) && !c.Done && !met {
			met = true
			_, err := m.MakeFile(t.Context(), payout.File{ID: cashier.FileID("b"), Currency: "CNY", At: ten, By: "b"},
				func(f payout.File) ([]store.Write, error) { other = f.ID; return nil, errors.New("the process ended") })
			if err == nil {
				t.Error("it was to end before closing")
			}
		}
		return store.Pass
	}
	if id, err := (filer{m: m, by: "a"}).ask(t, "key-of-the-first-one"); err != nil || id != other {
		t.Errorf("answered %q, %v, want the file %q that was begun meanwhile", id, err, other)
	}
}
