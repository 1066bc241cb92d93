package letter

import (
	"slices"
	"testing"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/payout"
	"yundian/shared/webhook"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestPaidOrdersHaveOneLetter(t *testing.T) {
	first, ok := ForOrder(ledger.Fact{Order: "o1", V: 2, At: noon, Counted: true})
	later, again := ForOrder(ledger.Fact{Order: "o1", V: 9, At: noon.Add(time.Hour), Counted: true})
	if !ok || !again || first.ID != later.ID || first.Order != "o1" {
		t.Errorf("%+v, %+v", first, later)
	}
	if l, asks := ForOrder(ledger.Fact{Order: "o1", V: 1, At: noon, Unconfirmed: true}); !asks || l.Kind != OrderConfirm || l.ID == first.ID {
		t.Errorf("an order that waits for its confirmation: %+v, %v", l, asks)
	}
	if _, unpaid := ForOrder(ledger.Fact{Order: "o1", V: 1, At: noon}); unpaid {
		t.Error("an unpaid order has a letter")
	}
}

func TestTooLate(t *testing.T) {
	yuan := func(minor int64) money.Amount { return money.Of(minor, "CNY") }
	for name, tt := range map[string]struct {
		o    ordering.Order
		want bool
	}{
		"just paid":           {ordering.Order{PlacedAt: noon.AddDate(0, 0, -3), Total: yuan(100), Captures: []ordering.Capture{{Amount: yuan(100), At: noon.Add(-Late)}}}, false},
		"paid before":         {ordering.Order{PlacedAt: noon.AddDate(0, 0, -3), Total: yuan(100), Captures: []ordering.Capture{{Amount: yuan(100), At: noon.Add(-Late - time.Second)}}}, true},
		"the second paid it":  {ordering.Order{Total: yuan(100), Captures: []ordering.Capture{{Amount: yuan(40), At: noon.AddDate(0, 0, -9)}, {Amount: yuan(60), At: noon}}}, false},
		"paid again by error": {ordering.Order{Total: yuan(100), Captures: []ordering.Capture{{Amount: yuan(100), At: noon.AddDate(0, 0, -9)}, {Amount: yuan(100), At: noon}}}, true},
		"nothing to pay":      {ordering.Order{PlacedAt: noon, Total: yuan(0)}, false},
		"nothing, long ago":   {ordering.Order{PlacedAt: noon.AddDate(0, 0, -9), Total: yuan(0)}, true},
	} {
		l, _ := ForOrder(ledger.Fact{Order: "o1", At: noon, Counted: true})
		if got := l.TooLate(tt.o); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestOnlyMoneyThatLeftHasALetter(t *testing.T) {
	none, reserved := payout.Payout{}, payout.Payout{ID: payout.ID("w"), KOC: "mei", Version: 1, Currency: "CNY", Withdrawn: 1000, Gross: 1000, Tax: 100, Fee: 30, Net: 870}
	paid, returned := reserved, reserved
	paid.Version, paid.Outcome = 2, &payout.Outcome{Paid: true, At: noon}
	returned.Version, returned.Outcome = 2, &payout.Outcome{At: noon, Reason: "closed"}
	for name, tt := range map[string]struct {
		before, after payout.Payout
		want          bool
	}{"reserved": {none, reserved, false}, "paid": {reserved, paid, true}, "returned": {reserved, returned, false}} {
		m, ok, err := payout.Moves(tt.before, tt.after, noon)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		l, got := ForPayout(m.Posting)
		if got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
		if got && (l.Net.Minor != 870 || l.Tax.Minor != 100 || l.Fee.Minor != 30 || l.Gross().Minor != 1000 || l.KOC != "mei" || l.Payout != reserved.ID) {
			t.Errorf("%s: %+v", name, l)
		}
	}
	if _, ok := ForPayout(ledger.Posting{ID: "settle:o1:1:mei", KOC: "mei", Order: "o1", Currency: "CNY"}); ok {
		t.Error("an order's posting has a letter about a payout")
	}
}

func TestDeadEndpoints(t *testing.T) {
	x := webhook.NewEndpoint("e1", "https://a.example/", nil, "", noon)
	if _, ok := ForDead("mei", x); ok {
		t.Error("a living endpoint has a letter")
	}
	x.Dead = noon
	if l, ok := ForDead("mei", x); !ok || l.KOC != "mei" || l.Webhook != x.URL {
		t.Errorf("%+v, %v", l, ok)
	}
	if _, ok := ForDead(webhook.Operators, x); ok {
		t.Error("operators have a letter")
	}
}

// TestLettersAboutTheAccount: each change has letters of its own, also to the address of before.
func TestLettersAboutTheAccount(t *testing.T) {
	ids := map[string]bool{}
	for _, l := range slices.Concat(ForPayee("mei", 1, noon, time.Time{}), ForPayee("mei", 2, noon, noon), ForEmailAsked("mei", 1, noon), ForEmailAsked("mei", 2, noon),
		[]Letter{ForEmailChanged("mei", 1, noon, noon)}) {
		if ids[l.ID] || l.KOC != "mei" || l.Until.IsZero() != (l.Kind != EmailChanged && (l.Kind != PayeeChanged || l.ID[len("payee_changed:mei:")] == '1')) {
			t.Errorf("%+v", l)
		}
		ids[l.ID] = true
	}
	if l := ForPayee("mei", 1, noon, noon); len(ids) != 9 || l[0].Former || !l[1].Former {
		t.Errorf("%v", ids)
	}
}
