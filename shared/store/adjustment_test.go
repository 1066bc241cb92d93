package store_test

import (
	"context"
	"fmt"
	"strings"
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

func requestAdjustment(t testing.TB, s *store.Store, id string, minor int64) ledger.Adjustment {
	t.Helper()
	a := ledger.Adjustment{ID: id, KOC: "mei", Amount: money.Of(minor, "CNY"), Reason: "late parcel", By: "op1", At: noon}
	if err := s.RequestAdjustment(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return a
}

var second = ledger.Approver{By: "op2", Subject: "s-mei"}

func TestAnAdjustmentIsPostedOnce(t *testing.T) {
	s := storetest.Open(t)
	grant(t, s, "o1", 300, 0)
	requestAdjustment(t, s, "a1", -500)
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = s.ApproveAdjustment(t.Context(), "a1", ledger.Approver{By: fmt.Sprint("checker", i)}, noon)
		})
	}
	wg.Wait()
	posted := 0
	for _, err := range errs {
		if err == nil {
			posted++
		} else if !fail.Is(err, "adjustment_status") {
			t.Error(err)
		}
	}
	if b := booked(t, s); posted != 1 || b.Available != 0 || b.Debt != -200 {
		t.Errorf("posted %d times: %+v", posted, b)
	}
	if _, err := s.RejectAdjustment(t.Context(), "a1", "op1", "no", noon); !fail.Is(err, "adjustment_status") {
		t.Errorf("rejected afterwards: %v", err)
	}
	if err := s.RequestAdjustment(t.Context(), ledger.Adjustment{ID: "a1", KOC: "lin", At: noon}); err == nil {
		t.Error("an adjustment was replaced by another wish")
	}
	if _, err := s.Adjustment(t.Context(), "a2"); !fail.Is(err, "adjustment_unknown") {
		t.Errorf("an unknown one: %v", err)
	}
}

// TestAdjustmentsRacePayoutsAndOrders: whatever comes first, available stays above zero and nobody owes who could have paid.
func TestAdjustmentsRacePayoutsAndOrders(t *testing.T) {
	s := storetest.Open(t)
	grant(t, s, "o0", 1000, 0)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var adjusted, reserved, granted int64 = 0, 0, 1000
	for i := range 6 {
		requestAdjustment(t, s, fmt.Sprint("a", i), -300)
		wg.Go(func() {
			a, err := s.ApproveAdjustment(t.Context(), fmt.Sprint("a", i), second, noon)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			} else if adjusted += a.Amount.Minor; a.Approved.Available+a.Approved.Debt != a.Amount.Minor {
				t.Errorf("%+v", a.Approved)
			}
		})
		wg.Go(func() {
			p, err := s.ReservePayout(t.Context(), wish(fmt.Sprint("p", i), 200), payout.FirstTerms(), method(1, payout.Bank), noon)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				reserved += p.Withdrawn
			case fail.KindOf(err) == fail.Internal:
				t.Error(err)
			}
		})
		wg.Go(func() {
			grant(t, s, fmt.Sprint("g", i), 100, 0)
			mu.Lock()
			defer mu.Unlock()
			granted += 100
		})
	}
	wg.Wait()
	b := booked(t, s)
	if b.Available+b.Debt+b.InPayout != granted+adjusted || b.Available < 0 {
		t.Errorf("%+v after %d granted, %d adjusted, %d reserved", b, granted, adjusted, reserved)
	}
}

// between runs something once, after an adjustment was decided and before it is written.
func between(do func(s *store.Store)) *store.Store {
	m := store.NewMaps()
	done := false
	m.Intercept = func(_ context.Context, c store.Call) store.Verdict {
		if c.Op == "TransactWriteItems" && !c.Done && !done && strings.HasPrefix(c.Writes[0].Key.PK, "ADJUST#") {
			done = true
			do(store.OpenMaps(m))
		}
		return store.Pass
	}
	return store.OpenMaps(m)
}

func TestNobodyOwesWhoCouldPay(t *testing.T) {
	for name, meanwhile := range map[string]int64{"more": 1000, "less": -60} {
		s := between(func(s *store.Store) { grant(t, s, "o2", meanwhile, 0) })
		grant(t, s, "o1", 100, 0)
		requestAdjustment(t, s, "a1", -300)
		after, err := s.ApproveAdjustment(t.Context(), "a1", second, noon)
		b := booked(t, s)
		if err != nil || b.Available != max(0, meanwhile-200) || b.Debt != min(0, meanwhile-200) || after.Approved.Available+after.Approved.Debt != -300 {
			t.Errorf("%s: %+v, %+v, %v", name, b, after.Approved, err)
		}
	}
}

func TestAdjustmentsComeAfterWhatIsClosed(t *testing.T) {
	end := noon.Add(time.Hour)
	for name, before := range map[string]bool{"before": true, "meanwhile": false} {
		s := between(func(s *store.Store) {
			if _, err := s.CloseUntil(t.Context(), "mei", "CNY", end); err != nil {
				t.Error(err)
			}
		})
		grant(t, s, "o1", 100, 0)
		if before {
			if done, err := s.CloseUntil(t.Context(), "mei", "CNY", end); err != nil || !done {
				t.Fatalf("closed %t, %v", done, err)
			}
		}
		requestAdjustment(t, s, "a1", 300)
		if _, err := s.ApproveAdjustment(t.Context(), "a1", second, noon); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, after := allPostings(t, s, "mei", end); len(after) != 1 {
			t.Errorf("%s: %d postings after the end", name, len(after))
		}
	}
}

func TestListsOfAdjustments(t *testing.T) {
	s := storetest.Open(t)
	for i := range 5 {
		a := ledger.Adjustment{ID: fmt.Sprint("a", i), KOC: []string{"mei", "lin"}[i%2], Amount: money.Of(10, "CNY"), Reason: "r", By: "op1", At: noon.Add(time.Duration(i) * time.Second)}
		if err := s.RequestAdjustment(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.ApproveAdjustment(t.Context(), "a2", second, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RejectAdjustment(t.Context(), "a3", "op2", "no", noon); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		f    store.AdjustmentFilter
		want string
	}{
		{store.AdjustmentFilter{}, "a4 a3 a2 a1 a0"}, {store.AdjustmentFilter{KOC: "mei"}, "a4 a2 a0"}, {store.AdjustmentFilter{State: ledger.Requested}, "a4 a1 a0"},
		{store.AdjustmentFilter{State: ledger.Approved, KOC: "mei"}, "a2"}, {store.AdjustmentFilter{State: ledger.Rejected, KOC: "mei"}, ""},
	} {
		var got []string
		for after, pages := "", 0; pages < 10; pages++ {
			list, next, err := s.ListAdjustments(t.Context(), c.f, after, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range list {
				got = append(got, a.ID)
			}
			if after = next; next == "" {
				break
			}
		}
		if fmt.Sprint(got) != "["+c.want+"]" {
			t.Errorf("%+v: %v, want %s", c.f, got, c.want)
		}
	}
}
