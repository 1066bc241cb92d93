package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/payout"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

// grant posts amounts to a KOC's accounts as an order would.
func grant(t testing.TB, s *store.Store, id string, available, debt int64) {
	t.Helper()
	p := ledger.Posting{ID: "settle:" + id, KOC: "mei", Order: id, V: 1, At: noon, PlacedAt: noon, Currency: "CNY", Entries: []ledger.Entry{
		{Kind: ledger.Accrual, Minor: available, Legs: []ledger.Leg{{Account: ledger.Available, Minor: available}, {Account: ledger.Expense, Minor: -available}}},
		{Kind: ledger.Clawback, Minor: -debt, Legs: []ledger.Leg{{Account: ledger.Debt, Minor: -debt}, {Account: ledger.Expense, Minor: debt}}}}}
	st := ledger.Settlement{Order: id, Applied: ledger.Applied{V: 1}, Postings: []ledger.Posting{p}, Fact: ledger.Fact{Order: id, V: 1, At: noon}}
	if late, err := s.Settle(context.Background(), []ledger.Settlement{st}); err != nil || len(late) > 0 {
		t.Fatalf("grant: %v, %v", late, err)
	}
}

func method(version int64, rail string) payout.Method {
	return payout.Method{Version: version, Rail: rail, Verified: &payout.Verification{By: "op", At: noon}}
}

func wish(id string, minor int64) payout.Ask {
	return payout.Ask{ID: payout.ID(id), KOC: "mei", Currency: "CNY", Minor: minor, Cause: payout.Withdrawal, By: "s-mei", Day: "2026-03-01"}
}

// taxed are terms that withhold a tenth, under a table of the year.
func taxed() payout.Terms {
	t := payout.FirstTerms()
	t.Currencies = []payout.CurrencyTerms{{Currency: "CNY", Minimum: 100, DebtCap: money.Whole / 2, Fee: payout.Fee{Fixed: 50},
		Tax: []payout.TaxTable{{From: "2026-01-01", Period: payout.Year, Brackets: []payout.Bracket{{Rate: 1000}}}}}}
	return t
}

// booked are the balances of mei, which must be the fold of her postings.
func booked(t testing.TB, s *store.Store) ledger.Balances {
	t.Helper()
	stored, err := s.Balances(context.Background(), "mei")
	if err != nil || len(stored) != 1 {
		t.Fatalf("balances %+v, %v", stored, err)
	}
	postings, next, err := s.Postings(context.Background(), "mei", "", 200, false)
	if err != nil || next != "" {
		t.Fatalf("postings: %v", err)
	}
	if folded := ledger.Fold(postings); !slices.Equal(folded, stored) {
		t.Fatalf("stored %+v, postings fold to %+v", stored, folded)
	}
	if stored[0].Available < 0 {
		t.Fatalf("%+v", stored[0])
	}
	return stored[0]
}

func reserve(t testing.TB, s *store.Store, id string, minor int64, rail string) payout.Payout {
	t.Helper()
	p, err := s.ReservePayout(context.Background(), wish(id, minor), taxed(), method(1, rail), noon)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func update(t testing.TB, s *store.Store, id string, change func(*payout.Payout) error) payout.Payout {
	t.Helper()
	p, err := s.UpdatePayout(context.Background(), id, noon, change)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func approve(rail string) func(*payout.Payout) error {
	return func(p *payout.Payout) error {
		return p.Approve(payout.Checker{By: "op", Method: method(1, rail)}, noon)
	}
}

func conclude(paid bool) func(*payout.Payout) error {
	return func(p *payout.Payout) error { return p.Conclude(payout.Outcome{Paid: paid, At: noon, By: "op"}) }
}

// TestWithdrawalsNeverReserveMoreThanAvailable: twenty at once want six times what there is.
func TestWithdrawalsNeverReserveMoreThanAvailable(t *testing.T) {
	for name, terms := range map[string]payout.Terms{"untaxed": payout.FirstTerms(), "taxed": taxed()} {
		t.Run(name, func(t *testing.T) {
			s, ctx := storetest.Open(t), context.Background()
			grant(t, s, "o1", 10_000, 0)
			var mu sync.Mutex
			made := 0
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					_, err := s.ReservePayout(ctx, wish(fmt.Sprint(i), 3000), terms, method(1, payout.Bank), noon)
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						made++
					} else if !fail.Is(err, "payout_above_available") {
						t.Errorf("refused with %v", err)
					}
				})
			}
			wg.Wait()
			if b := booked(t, s); made != 3 || b.Available != 1000 || b.InPayout != 9000 {
				t.Errorf("%d payouts, balances %+v", made, b)
			}
		})
	}
}

func TestOneIDIsOnePayout(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	grant(t, s, "o1", 10_000, 0)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if p, err := s.ReservePayout(ctx, wish("x", 1000), taxed(), method(1, payout.Bank), noon); err != nil || p.Version != 1 {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
	wg.Wait()
	if b := booked(t, s); b.Available != 9000 || b.InPayout != 1000 {
		t.Errorf("balances %+v", b)
	}
	// Also after it has ended, and for another amount: the cause has had its effect.
	id := payout.ID("x")
	update(t, s, id, func(p *payout.Payout) error { return p.Reject("op", "", noon) })
	if p, err := s.ReservePayout(ctx, wish("x", 5000), taxed(), method(1, payout.Bank), noon); err != nil || p.Status() != payout.Rejected {
		t.Errorf("again: %+v, %v", p, err)
	}
}

func TestAPayoutsWay(t *testing.T) {
	for name, tt := range map[string]struct {
		steps []func(*payout.Payout) error
		want  ledger.Balances
		taxed int64 // of the next payout's 1000
	}{
		"paid": {[]func(*payout.Payout) error{approve(payout.Stripe), func(p *payout.Payout) error { return p.Send(noon) }, conclude(true), conclude(true)},
			ledger.Balances{Currency: "CNY", Available: 6000, Debt: -1000, Paid: 1750, TaxWithheld: 200, Fees: 50}, 50},
		"failed": {[]func(*payout.Payout) error{approve(payout.Stripe), func(p *payout.Payout) error { return p.Send(noon) }, conclude(false), conclude(false)},
			ledger.Balances{Currency: "CNY", Available: 8000, Debt: -1000}, 50},
		"rejected": {[]func(*payout.Payout) error{func(p *payout.Payout) error { return p.Reject("op", "", noon) }, func(p *payout.Payout) error { return p.Reject("op", "", noon) }},
			ledger.Balances{Currency: "CNY", Available: 8000, Debt: -1000}, 50},
		"waiting": {[]func(*payout.Payout) error{approve(payout.Bank)},
			ledger.Balances{Currency: "CNY", Available: 6000, Debt: -1000, InPayout: 2000}, 50},
	} {
		t.Run(name, func(t *testing.T) {
			s, ctx := storetest.Open(t), context.Background()
			grant(t, s, "o1", 10_000, 3000)
			p := reserve(t, s, "x", 4000, payout.Stripe)
			if p.Netted != 2000 || p.Gross != 2000 || p.Tax != 200 || p.Fee != 50 || p.Net != 1750 {
				t.Fatalf("%+v", p)
			}
			for _, step := range tt.steps {
				p = update(t, s, p.ID, step)
			}
			stored, err := s.Payout(ctx, p.ID)
			if err != nil || !stored.Equal(p) {
				t.Errorf("stored %+v, %v; want %+v", stored, err, p)
			}
			if b := booked(t, s); b != tt.want {
				t.Errorf("balances %+v, want %+v", b, tt.want)
			}
			next := reserve(t, s, "y", 1000, payout.Bank)
			if next.Tax != tt.taxed {
				t.Errorf("the next one is taxed %d, want %d", next.Tax, tt.taxed)
			}
		})
	}
}

// TestATransferThatCameBackIsNotTaxed: brackets go by what stays paid.
func TestATransferThatCameBackIsNotTaxed(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	grant(t, s, "o1", 100_000, 0)
	terms := taxed()
	terms.Currencies[0].Fee = payout.Fee{}
	terms.Currencies[0].Tax[0].Brackets = []payout.Bracket{{}, {Over: 10_000, Rate: 2000, Deduction: 2000}}
	take := func(id string) payout.Payout {
		t.Helper()
		p, err := s.ReservePayout(ctx, wish(id, 10_000), terms, method(1, payout.Bank), noon)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := take("1")
	if second := take("2"); first.Tax != 0 || second.Tax != 2000 {
		t.Fatalf("withheld %d and %d", first.Tax, second.Tax)
	}
	update(t, s, payout.ID("2"), func(p *payout.Payout) error { return p.Reject("op", "", noon) })
	if third := take("3"); third.Tax != 2000 {
		t.Errorf("after one came back %d are withheld, want 2000", third.Tax)
	}
}

// TestContradictionsPostNothing: the second word on a payout that has ended is refused.
func TestContradictionsPostNothing(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	grant(t, s, "o1", 10_000, 0)
	for i, paid := range []bool{true, false} {
		p := reserve(t, s, fmt.Sprint(i), 1000, payout.Bank)
		update(t, s, p.ID, approve(payout.Bank))
		update(t, s, p.ID, conclude(paid))
		before := booked(t, s)
		if _, err := s.UpdatePayout(ctx, p.ID, noon, conclude(!paid)); !fail.Is(err, "payout_contradicted") {
			t.Errorf("contradicted with %v", err)
		}
		if after := booked(t, s); after != before {
			t.Errorf("balances %+v, before %+v", after, before)
		}
	}
}

// TestOneOfManyDoesIt: of many who do the same at once, one does it.
func TestOneOfManyDoesIt(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	grant(t, s, "o1", 10_000, 0)
	p := reserve(t, s, "x", 4000, payout.Stripe)
	together := func(step func(i int) func(*payout.Payout) error) (done int) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_, err := s.UpdatePayout(ctx, p.ID, noon, step(i))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					done++
				} else if fail.KindOf(err) != fail.Conflict {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		return done
	}
	if n := together(func(i int) func(*payout.Payout) error {
		return func(p *payout.Payout) error {
			return p.Approve(payout.Checker{By: fmt.Sprint("op", i), Method: method(1, payout.Stripe)}, noon)
		}
	}); n != 1 {
		t.Errorf("%d approved it", n)
	}
	if n := together(func(int) func(*payout.Payout) error { return func(p *payout.Payout) error { return p.Send(noon) } }); n != 1 {
		t.Errorf("%d sent it", n)
	}
	if n := together(func(int) func(*payout.Payout) error { return conclude(true) }); n != 8 {
		t.Errorf("%d of 8 who say the same were heard", n)
	}
	if b := booked(t, s); b.Paid != 3550 || b.TaxWithheld != 400 || b.Fees != 50 || b.InPayout != 0 {
		t.Errorf("balances %+v", b)
	}
}

// TestDebtIsRepaidOnce: debt, or what the brand owes there, may change between reading and reserving.
func TestDebtIsRepaidOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		debt, meanwhile int64 // the first is owed by the KOC; the other is what debt grows by meanwhile
		netted, credit  int64
	}{
		"debt went":    {debt: 3000, meanwhile: -2500, netted: 500},
		"debt came":    {debt: 3000, meanwhile: 2000, netted: 3000},
		"credit went":  {debt: -3000, meanwhile: 2500, credit: 500},
		"credit came":  {debt: -3000, meanwhile: -500, credit: 3000},
		"credit anew":  {debt: 100, meanwhile: -1100, credit: 1000},
		"debt instead": {debt: -100, meanwhile: 1100, netted: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			m := store.NewMaps()
			s := store.OpenMaps(m)
			grant(t, s, "o1", 20_000, tt.debt)
			struck := false
			m.Intercept = func(_ context.Context, c store.Call) store.Verdict {
				if c.Op == "TransactWriteItems" && !c.Done && !struck {
					struck = true
					grant(t, store.OpenMaps(m), "o2", 0, tt.meanwhile)
				}
				return store.Pass
			}
			p, err := s.ReservePayout(context.Background(), wish("x", 10_000), payout.FirstTerms(), method(1, payout.Bank), noon)
			if err != nil || !struck {
				t.Fatalf("%v, struck %t", err, struck)
			}
			if p.Netted != tt.netted || p.Credit != tt.credit {
				t.Errorf("netted %d, credit %d; want %d and %d", p.Netted, p.Credit, tt.netted, tt.credit)
			}
			b := booked(t, s)
			if want := -tt.debt - tt.meanwhile + tt.netted - tt.credit; b.Debt != want || b.Available != 20_000-10_000+tt.credit {
				t.Errorf("balances %+v, want debt %d", b, want)
			}
		})
	}
}

// TestTaxIsWorkedOutFromWhatIsWithheld: another payout comes, or comes back, between reading the sum and reserving.
func TestTaxIsWorkedOutFromWhatIsWithheld(t *testing.T) {
	terms := taxed()
	terms.Currencies[0].Tax[0].Brackets = []payout.Bracket{{}, {Over: 10_000, Rate: 1000, Deduction: 1000}}
	take := func(t *testing.T, s *store.Store, id string) payout.Payout {
		t.Helper()
		p, err := s.ReservePayout(context.Background(), wish(id, 10_000), terms, method(1, payout.Bank), noon)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, tt := range map[string]struct {
		meanwhile func(t *testing.T, s *store.Store)
		tax       int64
	}{
		"another one": {func(t *testing.T, s *store.Store) { take(t, s, "between") }, 1000},
		"one back": {func(t *testing.T, s *store.Store) {
			update(t, s, payout.ID("before"), func(p *payout.Payout) error { return p.Reject("op", "", noon) })
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m := store.NewMaps()
			s := store.OpenMaps(m)
			grant(t, s, "o1", 100_000, 0)
			take(t, s, "before")
			struck := false
			m.Intercept = func(_ context.Context, c store.Call) store.Verdict {
				if c.Op == "TransactWriteItems" && !c.Done && !struck {
					struck = true
					tt.meanwhile(t, store.OpenMaps(m))
				}
				return store.Pass
			}
			if p := take(t, s, "x"); !struck || p.Tax != tt.tax {
				t.Errorf("withheld %d, want %d, struck %t", p.Tax, tt.tax, struck)
			}
		})
	}
}

// TestPayoutsRespectClosedStatements: a clock that is late posts at the end of what is closed.
func TestPayoutsRespectClosedStatements(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	grant(t, s, "o1", 10_000, 0)
	end := noon.Add(time.Hour)
	closeAt := func(at time.Time) {
		t.Helper()
		if done, err := s.CloseUntil(ctx, "mei", "CNY", at); err != nil || !done {
			t.Fatalf("closed %t, %v", done, err)
		}
	}
	closeAt(end)
	p := reserve(t, s, "x", 4000, payout.Bank)
	update(t, s, p.ID, approve(payout.Bank))
	closeAt(end.Add(time.Hour))
	update(t, s, p.ID, conclude(true))
	postings, _, err := s.Postings(ctx, "mei", "", 10, false)
	if err != nil || len(postings) != 3 || !postings[1].At.Equal(end) || !postings[2].At.Equal(end.Add(time.Hour)) {
		t.Errorf("%+v, %v", postings, err)
	}
	if booked(t, s).Paid == 0 {
		t.Error("not paid")
	}
}

func TestListsOfPayouts(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	grant(t, s, "o1", 100_000, 0)
	var all []string // newest first
	for i := range 7 {
		a := wish(fmt.Sprint(i), 1000)
		p, err := s.ReservePayout(ctx, a, taxed(), method(1, []string{payout.Bank, payout.Stripe}[i%2]), noon.Add(time.Duration(i)*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		all = append([]string{p.ID}, all...)
	}
	for _, i := range []int{1, 3, 4} {
		update(t, s, payout.ID(fmt.Sprint(i)), approve([]string{payout.Bank, payout.Stripe}[i%2]))
	}
	pages := func(f store.PayoutFilter) (ids []string) {
		after := ""
		for range 20 {
			page, next, err := s.ListPayouts(ctx, f, after, 2)
			if err != nil || len(page) > 2 {
				t.Fatalf("%d, %v", len(page), err)
			}
			for _, p := range page {
				ids = append(ids, p.ID)
			}
			if after = next; next == "" {
				return ids
			}
		}
		t.Fatal("the list has no end")
		return nil
	}
	approved := []string{payout.ID("4"), payout.ID("3"), payout.ID("1")}
	for _, tt := range []struct {
		f    store.PayoutFilter
		want []string
	}{
		{store.PayoutFilter{}, all}, {store.PayoutFilter{KOC: "mei"}, all}, {store.PayoutFilter{KOC: "ana"}, nil},
		{store.PayoutFilter{Status: payout.Approved}, approved}, {store.PayoutFilter{KOC: "mei", Status: payout.Approved}, approved},
		{store.PayoutFilter{Status: payout.Paid}, nil},
	} {
		if got := pages(tt.f); !slices.Equal(got, tt.want) {
			t.Errorf("%+v lists %v, want %v", tt.f, got, tt.want)
		}
	}
	due, err := s.DuePayouts(ctx, noon, 10)
	if want := []string{payout.ID("1"), payout.ID("3")}; err != nil || len(due) != 2 || !slices.Contains(due, want[0]) || !slices.Contains(due, want[1]) {
		t.Errorf("due are %v, %v; want %v", due, err, want)
	}
	if due, err := s.DuePayouts(ctx, noon.Add(-time.Second), 10); err != nil || len(due) != 0 {
		t.Errorf("due before their time: %v, %v", due, err)
	}
	if due, err := s.DuePayouts(ctx, noon, 1); err != nil || len(due) != 1 {
		t.Errorf("at most one: %v, %v", due, err)
	}
	bank, err := s.BankPayouts(ctx, "CNY", noon, 10)
	if err != nil || len(bank) != 1 || bank[0].ID != payout.ID("4") {
		t.Errorf("for the bank %+v, %v", bank, err)
	}
	if bank, err := s.BankPayouts(ctx, "EUR", noon, 10); err != nil || len(bank) != 0 {
		t.Errorf("in euro %+v, %v", bank, err)
	}
	if _, err := s.Payout(ctx, payout.ID("none")); !fail.Is(err, "payout_unknown") {
		t.Errorf("an unknown payout: %v", err)
	}
}

func TestPayoutTermsOfTheirTime(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	first, err := s.PayoutTermsAt(ctx, noon)
	if err != nil || first.Version != 1 || first.HoldHours != payout.HoldHours {
		t.Fatalf("%+v, %v", first, err)
	}
	second, err := first.Next(payout.Terms{HoldHours: 48, From: noon.Add(time.Hour)}, noon, "2026-03-01")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PublishPayoutTerms(ctx, second); err != nil {
		t.Fatal(err)
	}
	other := second
	other.HoldHours++
	if err := s.PublishPayoutTerms(ctx, other); !fail.Is(err, "changed_meanwhile") {
		t.Errorf("published twice: %v", err)
	}
	for at, want := range map[time.Time]int64{noon: 1, noon.Add(time.Hour): 2} {
		if got, err := s.PayoutTermsAt(ctx, at); err != nil || got.Version != want {
			t.Errorf("at %s version %d, %v; want %d", at, got.Version, err, want)
		}
	}
	if got, err := s.PayoutTerms(ctx); err != nil || got.Version != 2 || got.HoldHours != 48 {
		t.Errorf("the latest: %+v, %v", got, err)
	}
}

// savePayee adds a version of mei's method beside a change of her profile, as the portal does.
func savePayee(s *store.Store, m payout.Method) error {
	return s.SaveReplies(context.Background(), store.PayeeWrites("mei", m))
}

// changed is the next method of mei, under another name.
func changed(t *testing.T, before payout.Method, sealed string, at time.Time) payout.Method {
	t.Helper()
	m, err := payout.Change(before, payout.Method{Rail: payout.Bank, Sealed: sealed}, false, time.Hour, at)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestPayoutMethods(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	if m, err := s.Payee(ctx, "mei"); err != nil || m.Version != 0 {
		t.Fatalf("%+v, %v", m, err)
	}
	if _, err := s.VerifyPayee(ctx, "mei", 0, "op", noon); !fail.Is(err, "changed_meanwhile") {
		t.Errorf("nothing was verified: %v", err)
	}
	first := changed(t, payout.Method{}, "one", noon)
	if err := savePayee(s, first); err != nil {
		t.Fatal(err)
	}
	if _, err := s.VerifyPayee(ctx, "mei", 2, "op", noon); !fail.Is(err, "changed_meanwhile") {
		t.Errorf("a version that is not there: %v", err)
	}
	verified, err := s.VerifyPayee(ctx, "mei", 1, "op", noon)
	if err != nil || verified.Verified == nil {
		t.Fatalf("%+v, %v", verified, err)
	}
	if again, err := s.VerifyPayee(ctx, "mei", 1, "op2", noon); err != nil || again.Verified.By != "op" {
		t.Errorf("again: %+v, %v", again, err)
	}
	next := changed(t, verified, "two", noon.Add(time.Second))
	if err := savePayee(s, next); err != nil {
		t.Fatal(err)
	}
	rival := next
	rival.Sealed = "three"
	if err := savePayee(s, rival); !store.PayeeTaken(err) {
		t.Errorf("the same version twice: %v", err)
	}
	if _, err := s.VerifyPayee(ctx, "mei", 1, "op", noon); !fail.Is(err, "changed_meanwhile") {
		t.Errorf("what was replaced was verified: %v", err)
	}
	now, err := s.Payee(ctx, "mei")
	if err != nil || now.Sealed != "two" || now.Verified != nil {
		t.Errorf("%+v, %v", now, err)
	}
	old := store.PayeeVersion{KOC: "mei", Version: 1}
	found, err := s.Payees(ctx, []store.PayeeVersion{old, {KOC: "mei", Version: 3}})
	if err != nil || len(found) != 1 || found[old].Sealed != "one" {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestTheFirstWordOnANameStays: another operator verifies it between reading and writing.
func TestTheFirstWordOnANameStays(t *testing.T) {
	m := store.NewMaps()
	s, ctx := store.OpenMaps(m), context.Background()
	if err := savePayee(s, changed(t, payout.Method{}, "one", noon)); err != nil {
		t.Fatal(err)
	}
	struck := false
	m.Intercept = func(_ context.Context, c store.Call) store.Verdict {
		if c.Op == "PutItem" && !c.Done && !struck {
			struck = true
			if _, err := store.OpenMaps(m).VerifyPayee(ctx, "mei", 1, "first", noon); err != nil {
				t.Error(err)
			}
		}
		return store.Pass
	}
	if after, err := s.VerifyPayee(ctx, "mei", 1, "second", noon); err != nil || !struck || after.Verified.By != "first" {
		t.Errorf("%+v, %v", after, err)
	}
}

func TestBankFilesAreFilledOneByOne(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	grant(t, s, "o1", 100_000, 0)
	for _, id := range []string{"1", "2"} {
		update(t, s, reserve(t, s, id, 1000, payout.Bank).ID, approve(payout.Bank))
	}
	file := payout.File{ID: "f1", Currency: "CNY", At: noon, By: "op", Payouts: []string{payout.ID("1"), payout.ID("2")}}
	if _, err := s.BankFile(ctx, "f1"); !fail.Is(err, "bank_file_unknown") {
		t.Errorf("an unknown file: %v", err)
	}
	var begun sync.Map
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			f := file
			f.ID = fmt.Sprint("f", i)
			if err := s.BeginFile(ctx, f); err == nil {
				begun.Store(f.ID, true)
			} else if !fail.Is(err, "changed_meanwhile") {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	open, ok, err := s.OpenFile(ctx, "CNY")
	if err != nil || !ok || len(open.Payouts) != 2 {
		t.Fatalf("%+v, %t, %v", open, ok, err)
	}
	n := 0
	begun.Range(func(id, _ any) bool { n++; return id == open.ID })
	if n != 1 {
		t.Errorf("%d files were begun", n)
	}
	mark := func(id string) error {
		_, err := s.UpdatePayout(ctx, payout.ID(id), noon, func(p *payout.Payout) error { return p.ToFile(payout.Export{File: open.ID, At: noon, By: "op"}) }, store.OpenFileCheck(open))
		return err
	}
	if err := mark("1"); err != nil {
		t.Fatal(err)
	}
	if err := mark("1"); err != nil {
		t.Errorf("marked again: %v", err)
	}
	if err := s.CloseFile(ctx, open); err != nil {
		t.Fatal(err)
	}
	if err := s.CloseFile(ctx, open); !fail.Is(err, "changed_meanwhile") {
		t.Errorf("closed twice: %v", err)
	}
	if err := mark("2"); !store.FileClosed(err) {
		t.Errorf("marked after the file was closed: %v", err)
	}
	if _, ok, err := s.OpenFile(ctx, "CNY"); ok || err != nil {
		t.Errorf("still open, %v", err)
	}
	if bank, err := s.BankPayouts(ctx, "CNY", noon, 10); err != nil || len(bank) != 1 || bank[0].ID != payout.ID("2") {
		t.Errorf("left for the next file: %+v, %v", bank, err)
	}
	later := payout.File{ID: "g", Currency: "CNY", At: noon.Add(time.Minute), By: "op"}
	if err := s.BeginFile(ctx, later); err != nil {
		t.Errorf("the next file: %v", err)
	}
	files, next, err := s.ListBankFiles(ctx, "", 10)
	if err != nil || next != "" || len(files) != 2 || files[0].ID != "g" || !files[1].Closed {
		t.Errorf("%+v, %v", files, err)
	}
}

// TestOneFileIsBegunAtATime: another one is begun between reading the series and beginning; and no file is begun anew.
func TestOneFileIsBegunAtATime(t *testing.T) {
	m := store.NewMaps()
	s, ctx := store.OpenMaps(m), context.Background()
	file := func(id string) payout.File {
		return payout.File{ID: id, Currency: "CNY", At: noon, By: "op", Payouts: []string{id}}
	}
	struck := false
	m.Intercept = func(_ context.Context, c store.Call) store.Verdict {
		if c.Op == "TransactWriteItems" && !c.Done && !struck {
			struck = true
			if err := store.OpenMaps(m).BeginFile(ctx, file("between")); err != nil {
				t.Error(err)
			}
		}
		return store.Pass
	}
	if err := s.BeginFile(ctx, file("late")); !struck || !fail.Is(err, "changed_meanwhile") {
		t.Errorf("begun beside another one: %v, struck %t", err, struck)
	}
	open, _, err := s.OpenFile(ctx, "CNY")
	if err != nil || open.ID != "between" {
		t.Fatalf("%+v, %v", open, err)
	}
	if err := s.CloseFile(ctx, open); err != nil {
		t.Fatal(err)
	}
	if err := s.BeginFile(ctx, file("between")); !fail.Is(err, "changed_meanwhile") {
		t.Errorf("a closed file was begun anew: %v", err)
	}
	if closed, err := s.BankFile(ctx, "between"); err != nil || !closed.Closed {
		t.Errorf("%+v, %v", closed, err)
	}
}

func TestARunHasOneDriver(t *testing.T) {
	s, ctx := storetest.Open(t), context.Background()
	run, err := s.PayRun(ctx, "CNY", "2026-03-01")
	if err != nil || run.Version != 0 || run.Done {
		t.Fatalf("%+v, %v", run, err)
	}
	other := run
	run.Advance("mei", 1)
	if err := s.SavePayRun(ctx, run); err != nil {
		t.Fatal(err)
	}
	if err := s.SavePayRun(ctx, other); !fail.Is(err, "changed_meanwhile") {
		t.Errorf("moved on from an outdated place: %v", err)
	}
	if run, err = s.PayRun(ctx, "CNY", "2026-03-01"); err != nil || run.After != "mei" || run.Version != 1 {
		t.Errorf("%+v, %v", run, err)
	}
	run.Advance("", 0)
	if run.Done || run.After != "" || run.Passes != 1 {
		t.Errorf("after a failure the pass is made again: %+v", run)
	}
	run.Advance("", 0)
	if !run.Done {
		t.Errorf("after a clean pass: %+v", run)
	}
}
