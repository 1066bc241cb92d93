package ledger_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"yundian/shared/fail"
	"yundian/shared/ledger"
	"yundian/shared/money"
)

func wanted(minor int64) ledger.Adjustment {
	return ledger.Adjustment{ID: "a1", Version: 1, KOC: "mei", Amount: yuan(minor), Order: "o1", Reason: "late parcel", By: "op1", At: noon}
}

func TestAdjustmentsMoveTheirAmount(t *testing.T) {
	for name, c := range map[string]struct {
		amount, available, debt   int64 // before; debt in the account's own sign
		nowAvailable, nowBalanced int64
	}{
		"given":                     {500, 100, 0, 600, 0},
		"given to one who owes":     {500, 100, -300, 600, -300},
		"taken":                     {-500, 700, 0, 200, 0},
		"taken to the last":         {-500, 500, 0, 0, 0},
		"more than there is":        {-500, 200, 0, 0, -300},
		"from nothing":              {-500, 0, -40, 0, -540},
		"from one whom we owe":      {-500, 0, 300, 0, -200},
		"more than there is of two": {-500, 200, 300, 0, 0},
	} {
		a := wanted(c.amount)
		p, err := a.Approve(ledger.Approver{By: "op2", Subject: "s-mei"}, ledger.Balances{Currency: "CNY", Available: c.available, Debt: c.debt}, noon)
		if err != nil {
			t.Fatal(err)
		}
		b := ledger.Balances{Currency: "CNY", Available: c.available, Debt: c.debt}.Plus(ledger.Fold([]ledger.Posting{p})[0])
		if b.Available != c.nowAvailable || b.Debt != c.nowBalanced || p.Check() != nil || a.State() != ledger.Approved {
			t.Errorf("%s: %+v of %+v", name, b, p)
		}
		if e := p.Entries[0]; e.Minor != c.amount || e.Kind != ledger.Adjusted || e.Reason != "late parcel" || e.Order != "o1" || p.Adjustment != "a1" || p.Source() != "a1" || p.V != 2 {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestAdjustmentsNeedTwoPeople(t *testing.T) {
	approve := func(a *ledger.Adjustment, by string) error {
		_, err := a.Approve(ledger.Approver{By: by, Subject: "s-mei"}, ledger.Balances{}, noon)
		return err
	}
	a := wanted(100)
	for by, code := range map[string]string{"op1": "adjustment_maker", "s-mei": "adjustment_own"} {
		if err := approve(&a, by); !fail.Is(err, code) || fail.KindOf(err) != fail.Denied || a.State() != ledger.Requested {
			t.Errorf("approved by %s: %v", by, err)
		}
	}
	rejected := a
	if err := rejected.Reject("op1", "", noon); fail.KindOf(err) != fail.Invalid {
		t.Errorf("rejected without a reason: %v", err)
	}
	if err := rejected.Reject("op1", strings.Repeat("因", 501), noon); fail.KindOf(err) != fail.Invalid {
		t.Errorf("rejected with too long a reason: %v", err)
	}
	long := a
	if err := long.Reject("op1", strings.Repeat("因", 500), noon); err != nil {
		t.Errorf("rejected with a long reason: %v", err)
	}
	if err := rejected.Reject("op1", "typed wrongly", noon); err != nil || rejected.State() != ledger.Rejected {
		t.Errorf("taken back: %v", err)
	}
	if err := approve(&a, "op2"); err != nil {
		t.Fatal(err)
	}
	for _, x := range []*ledger.Adjustment{&a, &rejected} {
		if err := approve(x, "op3"); !fail.Is(err, "adjustment_status") {
			t.Errorf("decided twice: %v", err)
		}
		if err := x.Reject("op3", "no", noon); !fail.Is(err, "adjustment_status") {
			t.Errorf("rejected afterwards: %v", err)
		}
	}
	full := wanted(1)
	if _, err := full.Approve(ledger.Approver{By: "op2"}, ledger.Balances{Available: money.MaxMinor}, noon); !fail.Is(err, "adjustment_overflow") {
		t.Errorf("beyond what can be counted: %v", err)
	}
	owing := wanted(-1)
	if _, err := owing.Approve(ledger.Approver{By: "op2"}, ledger.Balances{Debt: -money.MaxMinor}, noon); !fail.Is(err, "adjustment_overflow") {
		t.Errorf("owing beyond what can be counted: %v", err)
	}
}

func TestAdjustmentsThatNobodyShouldApprove(t *testing.T) {
	for name, change := range map[string]func(*ledger.Adjustment){
		"nothing":         func(a *ledger.Adjustment) { a.Amount.Minor = 0 },
		"too much":        func(a *ledger.Adjustment) { a.Amount.Minor = ledger.MaxAdjustment + 1 },
		"too much taken":  func(a *ledger.Adjustment) { a.Amount.Minor = -ledger.MaxAdjustment - 1 },
		"all there is":    func(a *ledger.Adjustment) { a.Amount.Minor = -1 << 63 },
		"other money":     func(a *ledger.Adjustment) { a.Amount.Currency = "EUR" },
		"no money":        func(a *ledger.Adjustment) { a.Amount.Currency = "" },
		"no reason":       func(a *ledger.Adjustment) { a.Reason = "" },
		"a long reason":   func(a *ledger.Adjustment) { a.Reason = strings.Repeat("字", 501) },
		"fine":            func(*ledger.Adjustment) {},
		"the most":        func(a *ledger.Adjustment) { a.Amount.Minor = -ledger.MaxAdjustment },
		"an old currency": func(a *ledger.Adjustment) { a.Amount.Currency = "TWD" },
	} {
		a := wanted(100)
		change(&a)
		err := a.Check([]money.Currency{"CNY", "TWD"})
		if ok := name == "fine" || name == "the most" || name == "an old currency"; ok != (err == nil) || err != nil && fail.KindOf(err) != fail.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoAdjustmentTakesMoreThanIsAvailable posts random adjustments one after the other.
func TestNoAdjustmentTakesMoreThanIsAvailable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b ledger.Balances
		var sum int64
		for range rapid.IntRange(1, 10).Draw(t, "adjustments") {
			a := wanted(rapid.Int64Range(-ledger.MaxAdjustment, ledger.MaxAdjustment).Draw(t, "amount"))
			before := b
			p, err := a.Approve(ledger.Approver{By: "op2"}, b, noon)
			if err != nil || p.Check() != nil {
				t.Fatal(err, p)
			}
			b = b.Plus(ledger.Fold([]ledger.Posting{p})[0])
			if sum += a.Amount.Minor; b.Available < 0 || b.Available+b.Debt != sum || b.Debt < before.Debt && b.Available > 0 {
				t.Fatalf("%+v became %+v by %d", before, b, a.Amount.Minor)
			}
		}
	})
}
