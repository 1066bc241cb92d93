package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/commission"
	"yundian/shared/ledger"
	"yundian/shared/locale"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/payout"
	"yundian/shared/store"
)

func (b *bench) balance(t *testing.T, handle string) Balance {
	t.Helper()
	got := get[Earnings](t, b, handle, "/v1/earnings").Balances
	if len(got) != 1 {
		t.Fatalf("balances are %+v", got)
	}
	return got[0]
}

func TestEarningsFollowTheOrder(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.koc(t, "lin")
	b.shelve(t, "tea", 5000)
	b.shelve(t, "cup", 3000)
	is := func(when string, want Balance, forecast ...Forecast) {
		t.Helper()
		want.Currency = "CNY"
		got := get[Earnings](t, b, "mei", "/v1/earnings")
		if len(got.Balances) != 1 || got.Balances[0] != want || !slices.Equal(got.Forecast, forecast) {
			t.Errorf("%s: %+v, want %+v %+v", when, got, want, forecast)
		}
	}
	is("before any order", Balance{})
	b.order(t, "o1", []string{"tea", "cup"}, "mei")
	is("placed", Balance{})
	b.pay(t, "o1")
	is("paid", Balance{Pending: 800})
	b.ship(t, "o1")
	is("shipped", Balance{Pending: 800}, Forecast{"2026-03-23", 800, "CNY"})
	b.refund(t, "o1", "price", 1600)
	is("a fifth refunded", Balance{Pending: 640}, Forecast{"2026-03-23", 640, "CNY"})
	b.at = b.at.AddDate(0, 0, 2)
	b.deliver(t, "o1")
	is("delivered", Balance{Pending: 640}, Forecast{"2026-03-10", 640, "CNY"})
	b.at = b.at.AddDate(0, 0, 8)
	is("due, not recorded yet", Balance{Pending: 640}, Forecast{"2026-03-11", 640, "CNY"})
	b.mature(t, "o1")
	is("released", Balance{Available: 640})
	b.refund(t, "o1", "rest", 6400)
	is("refunded after the release", Balance{Available: 640, Debt: 640})
	if got := b.balance(t, "lin"); got != (Balance{Currency: "CNY"}) {
		t.Errorf("lin has %+v", got)
	}
}

func TestEntriesSayWhy(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.koc(t, "lin")
	b.product(t, catalogue.Product{ID: "top", Title: "Top", Status: catalogue.Active, Options: []string{"Size"},
		Variants: []catalogue.Variant{{SKU: "top-s", Title: "S", Options: []string{"S"}, Price: money.Of(6000, "CNY")}}})
	b.shelve(t, "tea", 5000)
	b.order(t, "o1", []string{"tea", "top-s"}, "mei")
	b.pay(t, "o1")
	b.at = b.at.Add(time.Hour)
	b.ship(t, "o1")
	b.refund(t, "o1", "price", 1100)
	b.at = b.at.Add(time.Hour)
	b.order(t, "o2", []string{"tea"}, "mei")
	b.pay(t, "o2")

	a := b.want(t, b.send(t, "mei", "GET", "/v1/earnings/entries", nil), http.StatusOK)
	var raw struct{ Items []map[string]any }
	a.Decode(t, &raw)
	fields := []string{"amount", "at", "availableOn", "base", "currency", "id", "kind", "line", "orderId", "rate", "ruleId", "ruleVersion", "sku", "state", "text", "title"}
	if got := slices.Sorted(maps.Keys(raw.Items[0])); !slices.Equal(got, fields) {
		t.Errorf("an entry has %v", got)
	}
	if raw.Items[0]["availableOn"] != nil {
		t.Errorf("nobody knows yet when o2 becomes available: %v", raw.Items[0])
	}
	var page EntryPage
	a.Decode(t, &page)
	var told []string
	ids := map[string]bool{}
	for _, e := range page.Items {
		on := "-"
		if e.AvailableOn != nil {
			on = e.AvailableOn.Format(time.DateOnly)
		}
		told = append(told, fmt.Sprintf("%s %s %s %d=%d×%d %s v%d %s", e.OrderID, e.Title, e.Kind, e.Amount, e.Base, e.Rate, e.RuleID, e.RuleVersion, on))
		ids[e.ID] = true
	}
	want := []string{
		"o2 Title of tea accrual 500=5000×1000 default v1 -",
		"o1 Title of tea refund -50=5000×1000 default v1 2026-03-23", "o1 Top · S refund -60=6000×1000 default v1 2026-03-23",
		"o1 Title of tea accrual 500=5000×1000 default v1 2026-03-23", "o1 Top · S accrual 600=6000×1000 default v1 2026-03-23",
	}
	if !slices.Equal(told, want) || len(ids) != len(want) {
		t.Errorf("entries are\n%s\nwant\n%s\nids %v", strings.Join(told, "\n"), strings.Join(want, "\n"), ids)
	}

	for limit := 1; limit <= 6; limit++ {
		var paged []Entry
		var cursors []string
		for cursor := ""; ; {
			p := get[EntryPage](t, b, "mei", fmt.Sprintf("/v1/earnings/entries?limit=%d&cursor=%s", limit, cursor))
			if len(p.Items) > limit || p.Next != "" && len(p.Items) < limit {
				t.Fatalf("a page of %d has %d entries", limit, len(p.Items))
			}
			paged = append(paged, p.Items...)
			if cursor = p.Next; cursor == "" {
				break
			}
			cursors = append(cursors, cursor)
		}
		if x, y := asJSON(t, paged), asJSON(t, page.Items); x != y {
			t.Errorf("pages of %d give\n%s\nwant\n%s", limit, x, y)
		}
		for _, c := range cursors {
			b.want(t, b.send(t, "lin", "GET", "/v1/earnings/entries?cursor="+c, nil), http.StatusBadRequest)
			b.want(t, b.send(t, "mei", "GET", "/v1/links?cursor="+c, nil), http.StatusBadRequest)
		}
	}
	if got := get[EntryPage](t, b, "lin", "/v1/earnings/entries"); got.Items == nil || len(got.Items) != 0 || got.Next != "" {
		t.Errorf("lin sees %+v", got)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOrdersHideWhoBought(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.koc(t, "lin")
	b.shelve(t, "tea", 5000)
	for i := range 5 {
		b.at = b.at.Add(time.Minute)
		b.order(t, fmt.Sprintf("m%d", i), []string{"tea"}, "mei")
	}
	b.order(t, "l0", []string{"tea"}, "lin")
	b.pay(t, "m1")
	b.ship(t, "m1")
	b.change(t, "m1", func(o *ordering.Order) error { return o.Hold("many orders from one address", "operator", b.at) })
	b.pay(t, "m2")
	b.ship(t, "m2")
	b.change(t, "m3", func(o *ordering.Order) error { return o.Cancel("changed my mind", b.at) })

	a := b.want(t, b.send(t, "mei", "GET", "/v1/orders", nil), http.StatusOK)
	for _, secret := range []string{"陈", "138", "chen", "person", "杭州", "文三", "secret", "pay-m", "address\":", "tracking"} {
		if strings.Contains(a.Body, secret) {
			t.Errorf("a KOC sees %q:\n%s", secret, a.Body)
		}
	}
	var page EarnedPage
	a.Decode(t, &page)
	var told []string
	for _, o := range page.Items {
		on := "-"
		if o.AvailableOn != nil {
			on = o.AvailableOn.Format(time.DateOnly)
		}
		told = append(told, fmt.Sprintf("%s %s %d %d/%d %s %s", o.ID, o.Status, o.Total.Minor, o.Commission.Minor, o.Pending.Minor, on, o.OnHold))
	}
	want := []string{"m4 held 5000 0/0 - ", "m3 cancelled 5000 0/0 - ", "m2 shipped 5000 500/500 2026-03-23 ", "m1 shipped 5000 500/500 - many orders from one address", "m0 held 5000 0/0 - "}
	if !slices.Equal(told, want) {
		t.Errorf("orders are\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	if l := page.Items[2].Lines; len(l) != 1 || l[0].SKU != "tea" || l[0].Quantity != 1 || l[0].Net != money.Of(5000, "CNY") {
		t.Errorf("lines are %+v", l)
	}
	var ids []string
	var cursor, last string
	for {
		p := get[EarnedPage](t, b, "mei", "/v1/orders?limit=2&cursor="+cursor)
		for _, o := range p.Items {
			ids = append(ids, o.ID)
		}
		if cursor = p.Next; cursor == "" {
			break
		}
		last = cursor
	}
	if strings.Join(ids, " ") != "m4 m3 m2 m1 m0" {
		t.Errorf("paged through %v", ids)
	}
	b.want(t, b.send(t, "lin", "GET", "/v1/orders?cursor="+last, nil), http.StatusBadRequest)
	b.want(t, b.send(t, "mei", "GET", "/v1/orders?status=shipped&cursor="+last, nil), http.StatusBadRequest)
	b.want(t, b.send(t, "mei", "GET", "/v1/orders?status=lost", nil), http.StatusBadRequest)
	if got := get[EarnedPage](t, b, "mei", "/v1/orders?status=shipped").Items; len(got) != 2 {
		t.Errorf("shipped are %+v", got)
	}
}

func TestAttributionIsForThoseConsidered(t *testing.T) {
	b := open(t)
	for _, handle := range []string{"mei", "lin", "zhou"} {
		b.koc(t, handle)
	}
	b.shelve(t, "tea", 5000)
	b.order(t, "o1", []string{"tea"}, "lin", "mei")
	b.order(t, "o2", []string{"tea"})

	for handle, shown := range map[string][2]string{"mei": {"mei", "l···"}, "lin": {"m···", "lin"}} {
		got := get[Attribution](t, b, handle, "/v1/orders/o1/attribution")
		if got.OrderID != "o1" || got.Reason != "last_link" || len(got.Winners) != 1 || got.Winners[0] != (Winner{shown[0], 10000}) || len(got.Candidates) != 2 {
			t.Fatalf("%s sees %+v", handle, got)
		}
		if lost := got.Candidates[1]; lost.KOC != shown[1] || lost.Outcome != "lost" || lost.Reason != "later_link" || lost.Evidence != "link" || lost.At.IsZero() {
			t.Errorf("lin lost as %+v", lost)
		}
	}
	unknown := b.want(t, b.send(t, "zhou", "GET", "/v1/orders/nothing/attribution", nil), http.StatusNotFound)
	hidden := b.want(t, b.send(t, "zhou", "GET", "/v1/orders/o1/attribution", nil), http.StatusNotFound)
	if unknown.Problem(t).Type != hidden.Problem(t).Type || strings.ReplaceAll(unknown.Problem(t).Detail, "nothing", "o1") != hidden.Problem(t).Detail {
		t.Errorf("another's order is told apart:\n%s\n%s", unknown, hidden)
	}
	b.want(t, b.send(t, "mei", "GET", "/v1/orders/o2/attribution", nil), http.StatusNotFound)
	for _, id := range []string{"%", "o1#ORDER", "../o1", strings.Repeat("x", 190)} {
		if a := b.send(t, "mei", "GET", "/v1/orders/"+id+"/attribution", nil); a.Status != http.StatusNotFound {
			t.Errorf("%q: %s", id, a)
		}
	}

	// A later decision shows the first one too.
	b.change(t, "o1", func(o *ordering.Order) error {
		award, _ := o.Award()
		award.Cause, award.Winners = "claim c1", []ordering.Winner{{KOC: "lin", Code: "lin", Share: money.Whole}}
		return o.Decide(award)
	})
	got := get[Attribution](t, b, "mei", "/v1/orders/o1/attribution")
	if got.Winners[0].KOC != "l···" || got.Cause != "claim c1" || len(got.Earlier) != 1 || got.Earlier[0].Winners[0].KOC != "mei" ||
		got.Earned || len(got.Why) != 1 || got.Why[0].Code != "replaced" || len(got.Lines) != 1 {
		t.Errorf("after a claim mei sees %+v", got)
	}
}

// TestWhyAnOrderEarns: per line for who won, and for who lost what became of the own link; in the reader's language.
func TestWhyAnOrderEarns(t *testing.T) {
	b := open(t)
	for _, handle := range []string{"mei", "lin"} {
		b.koc(t, handle)
	}
	b.shelve(t, "tea", 5000)
	b.shelve(t, "cup", 3000)
	b.order(t, "o1", []string{"tea", "cup"}, "lin", "mei")
	why := func(handle, language string) (codes, text string, a Attribution) {
		t.Helper()
		b.want(t, b.send(t, handle, "GET", "/v1/orders/o1/attribution", nil, "Accept-Language", language), http.StatusOK).Decode(t, &a)
		for _, w := range a.Why {
			codes, text = codes+w.Code, text+w.Text
		}
		return codes, text, a
	}
	for language, want := range map[string]string{"en": "Not paid yet: it earns once it is paid.", "zh-CN": "还没付款，付款后才有佣金。", "zh-TW": "還沒付款，付款後才有佣金。"} {
		if codes, text, a := why("mei", language); codes != "unpaid" || text != want || a.Earned {
			t.Errorf("unpaid in %s: %s %s", language, codes, text)
		}
	}
	codes, text, lost := why("lin", "zh-TW")
	if codes != "later_link" || text == "" || lost.Earned || len(lost.Lines) != 0 {
		t.Errorf("lin lost: %s %s %+v", codes, text, lost.Lines)
	}
	b.pay(t, "o1")
	b.ship(t, "o1")
	b.deliver(t, "o1")
	b.change(t, "o1", func(o *ordering.Order) error {
		_, err := o.RequestRefund(ordering.RefundRequest{ID: "r", Reason: "x", Lines: []ordering.RefundLine{{SKU: "tea", Quantity: 1}}}, b.at)
		return err
	})
	codes, _, won := why("mei", "en")
	if codes != "" || !won.Earned || len(won.Lines) != 2 || won.Lines[0].Earned || won.Lines[0].Why[0].Code != "refunded" || !won.Lines[1].Earned || len(won.Lines[1].Why) != 0 {
		t.Errorf("one of two refunded: %+v", won)
	}
	b.change(t, "o1", func(o *ordering.Order) error { return o.Hold("same address as yours", "op", b.at) })
	listed := get[EarnedPage](t, b, "mei", "/v1/orders").Items[0]
	cup := listed.Lines[1]
	if !listed.Earned || cup.Commission.Minor != 300 || cup.Pending.Minor != 300 || cup.Rate != 1000 || cup.RuleID != "default" || cup.RuleVersion != 1 ||
		len(cup.Why) != 1 || cup.Why[0] != (Because{"on_hold", "The shop is looking into this order: same address as yours"}) {
		t.Errorf("held: %+v", listed)
	}
	if listed.Commission.Minor != 300 || listed.Lines[0].Commission.Minor != 0 {
		t.Errorf("sums: %+v", listed)
	}
	for _, handle := range []string{"mei", "lin"} {
		if a := b.send(t, handle, "GET", "/v1/orders/o1/attribution", nil); strings.Contains(a.Body, "chen") || strings.Contains(a.Body, "陈静") || strings.Contains(a.Body, "13800000000") {
			t.Errorf("%s reads about the shopper: %s", handle, a.Body)
		}
	}
}

func TestEntriesSayWhereTheirMoneyIs(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.shelve(t, "tea", 5000)
	b.order(t, "o1", []string{"tea"}, "mei")
	states := func() string {
		t.Helper()
		var out []string
		for _, e := range get[EntryPage](t, b, "mei", "/v1/earnings/entries").Items {
			out = append(out, fmt.Sprintf("%s%+d %s", e.Kind, e.Amount, e.State))
			if e.Text == "" || strings.Contains(e.Text, "portal.") || strings.ContainsAny(e.Text, "{}") {
				t.Errorf("%s says %q", e.ID, e.Text)
			}
		}
		return strings.Join(out, ", ")
	}
	is := func(when, want string) {
		t.Helper()
		if got := states(); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	b.pay(t, "o1")
	is("paid", "accrual+500 pending")
	b.refund(t, "o1", "price", 1000)
	is("a fifth refunded", "refund-100 reversed, accrual+500 pending")
	b.ship(t, "o1")
	b.deliver(t, "o1")
	b.at = b.at.AddDate(0, 0, 8)
	b.mature(t, "o1")
	is("released", "release+400 available, refund-100 reversed, accrual+500 available")
	b.at = b.at.Add(time.Minute)
	b.refund(t, "o1", "rest", 4000)
	is("refunded", "clawback-400 debt, release+400 available, refund-100 reversed, accrual+500 available")

	b.at = b.at.Add(time.Minute)
	a := ledger.Adjustment{ID: "a1", KOC: "mei", Amount: money.Of(900, "CNY"), Order: "o1", Reason: "lost in the post", By: "op1", At: b.at}
	if err := b.store.RequestAdjustment(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.ApproveAdjustment(t.Context(), "a1", ledger.Approver{By: "op2"}, b.at); err != nil {
		t.Fatal(err)
	}
	e := get[EntryPage](t, b, "mei", "/v1/earnings/entries?limit=1").Items[0]
	if e.State != "available" || e.OrderID != "o1" || e.AdjustmentID != "a1" || e.Reason != "lost in the post" || !strings.Contains(e.Text, "lost in the post") || e.Line != 0 || e.AvailableOn != nil {
		t.Errorf("an adjustment: %+v", e)
	}
	b.at = b.at.Add(time.Minute)
	ask := payout.Ask{ID: payout.ID("w"), KOC: "mei", Currency: "CNY", Minor: 1000, Cause: payout.Withdrawal, By: "s", Day: "2026-03-20"}
	p, err := b.store.ReservePayout(t.Context(), ask, payout.FirstTerms(), payout.Method{Version: 1, Rail: payout.Bank, Verified: &payout.Verification{By: "op", At: b.at}}, b.at)
	if err != nil {
		t.Fatal(err)
	}
	if got := states(); !strings.HasPrefix(got, "payout-400 debt, payout-600 in_payout, adjustment+900 available") {
		t.Errorf("withdrawn: %s", got)
	}
	b.at = b.at.Add(time.Minute)
	if _, err := b.store.UpdatePayout(t.Context(), p.ID, b.at, func(p *payout.Payout) error { return p.Reject("op", "no", b.at) }); err != nil {
		t.Fatal(err)
	}
	if got := states(); !strings.HasPrefix(got, "payout+600 available, payout-400 debt, payout-600 available") {
		t.Errorf("rejected: %s", got)
	}
}

// TestEntriesInWords: every kind of entry has its sentence, in every language.
func TestEntriesInWords(t *testing.T) {
	o := ordering.Order{Total: money.Of(100, "CNY"), Lines: []ordering.Line{{SKU: "s", Quantity: 3, Net: money.Of(100, "CNY")}}}
	seen := map[string]bool{}
	for _, e := range []ledger.Entry{
		{Kind: ledger.Accrual, Minor: 10, Base: 100, Rate: 1000}, {Kind: ledger.Accrual, Minor: 9, Base: 100, Rate: 1000}, {Kind: ledger.Accrual, Minor: -10},
		{Kind: ledger.Accrual, Minor: 6, PerUnit: 2}, {Kind: ledger.Accrual, Minor: 6, Rule: ledger.RuleInviter, Rate: 1250}, {Kind: ledger.Refunded, Minor: -1},
		{Kind: ledger.Refunded, Minor: 1}, {Kind: ledger.Release, Minor: 1}, {Kind: ledger.Release, Minor: 1, Reason: "month:2026-03"}, {Kind: ledger.Release, Minor: 1, Reason: payout.ReasonCredit},
		{Kind: ledger.Clawback, Minor: -1}, {Kind: ledger.Clawback, Minor: 1}, {Kind: ledger.Bonus, Minor: 1, Reason: "month:2026-03"}, {Kind: ledger.Bonus, Minor: -1, Reason: "month:2026-03"},
		{Kind: ledger.Adjusted, Minor: -1, Reason: "month:2026-03"}, {Kind: ledger.Adjusted, Minor: 1, Reason: "month:2026-03"}, {Kind: ledger.Adjusted, Minor: 1, Reason: "by hand"},
		{Kind: ledger.PayoutKind, Reason: payout.ReasonReserved}, {Kind: ledger.PayoutKind, Reason: payout.ReasonDebt}, {Kind: ledger.PayoutKind, Reason: payout.ReasonPaid},
		{Kind: ledger.PayoutKind, Reason: payout.ReasonReturned}, {Kind: ledger.Tax}, {Kind: ledger.Fee},
	} {
		for _, language := range locale.Languages {
			text := row{Entry: e, posting: ledger.Posting{Currency: "CNY"}}.text(locale.For(language), o)
			if text == "" || strings.Contains(text, "portal.") || strings.ContainsAny(text, "{}") || seen[string(language)+text] {
				t.Errorf("%+v in %s: %q", e, language, text)
			}
			seen[string(language)+text] = true
		}
	}
	for b, want := range map[money.BasisPoints]string{0: "0%", 1000: "10%", 1250: "12.5%", 1: "0.01%", 10_000: "100%", 1205: "12.05%"} {
		if got := percent(b); got != want {
			t.Errorf("%d is %s, want %s", b, got, want)
		}
	}
}

// TestEveryReasonHasWords in every language.
func TestEveryReasonHasWords(t *testing.T) {
	for _, code := range []commission.Why{commission.Undecided, commission.Lost, commission.Replaced, commission.Unpaid, commission.Cancelled, commission.Expired,
		commission.Free, commission.RateZero, commission.TooSmall, commission.Capped, commission.MonthCapped, commission.Shared, commission.Refunded,
		commission.PartlyRefunded, commission.ChargedBack, commission.OnHold, commission.Disputed, commission.ReturnOpen, commission.NotReceived} {
		for _, language := range locale.Languages {
			if !locale.For(language).Has("portal.why_" + string(code)) {
				t.Errorf("%s has no words in %s", code, language)
			}
		}
	}
}

func TestStats(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.koc(t, "lin")
	b.shelve(t, "tea", 5000)
	b.shelve(t, "cup", 3000)
	b.seen(t, "mei", 4)
	b.seen(t, "lin", 9)
	b.order(t, "o1", []string{"tea", "cup"}, "mei")
	b.pay(t, "o1")
	b.at = b.at.AddDate(0, 0, 3)
	b.seen(t, "mei_abc2345", 2)
	b.order(t, "o2", []string{"tea"}, "mei_abc2345")
	b.pay(t, "o2")
	b.refund(t, "o2", "half", 2500)

	got := get[Stats](t, b, "mei", "/v1/stats")
	if got.From != "2026-02-03" || got.To != "2026-03-04" || got.By != "day" || len(got.Items) != 30 {
		t.Fatalf("the last 30 days are %s to %s in %d lines", got.From, got.To, len(got.Items))
	}
	cny := func(minor int64) money.Amount { return money.Of(minor, "CNY") }
	want := map[string]Count{"2026-03-01": {4, 1, cny(8000), cny(800)}, "2026-03-04": {2, 1, cny(2500), cny(250)}}
	for _, line := range got.Items {
		if line.Count != want[line.Day].orNothing("CNY") || line.Link+line.Product != "" {
			t.Errorf("%+v, want %+v", line, want[line.Day])
		}
	}
	if got.Total != (Count{6, 2, cny(10500), cny(1050)}) {
		t.Errorf("total is %+v", got.Total)
	}
	links := get[Stats](t, b, "mei", "/v1/stats?by=link").Items
	if len(links) != 2 || links[0] != (Stat{Link: "mei", Count: Count{4, 1, cny(8000), cny(800)}}) || links[1].Link != "mei_abc2345" {
		t.Errorf("links are %+v", links)
	}
	products := get[Stats](t, b, "mei", "/v1/stats?by=product").Items
	if len(products) != 2 || products[0] != (Stat{Product: "tea", Count: Count{0, 2, cny(7500), cny(750)}}) || products[1].Commission != cny(300) {
		t.Errorf("products are %+v", products)
	}
	if one := get[Stats](t, b, "mei", "/v1/stats?from=2026-03-01&to=2026-03-01"); len(one.Items) != 1 || one.Total.Orders != 1 {
		t.Errorf("one day is %+v", one)
	}
	if same := get[Stats](t, b, "mei", "/v1/stats?from=2026-02-28T16:00:00Z&to=2026-03-01T23:59:59%2B08:00"); same.From != "2026-03-01" || same.To != "2026-03-01" || same.Total.Orders != 1 {
		t.Errorf("times do not mean their day in Shanghai: %+v", same)
	}
	if all := get[Stats](t, b, "mei", "/v1/stats?from=2025-03-04&to=2026-03-04"); len(all.Items) != 366 {
		t.Errorf("a year has %d days", len(all.Items))
	}
	for _, bad := range []string{"from=2026-03-02&to=2026-03-01", "from=2025-03-03&to=2026-03-04", "from=yesterday", "to=2026-02-30", "from=0000-01-01", "by=hour", "to=2026-3-1", "from=9999-12-31"} {
		b.want(t, b.send(t, "mei", "GET", "/v1/stats?"+bad, nil), http.StatusBadRequest)
	}
}

func TestPagesEndInsidePostings(t *testing.T) {
	var postings []ledger.Posting
	total := 0
	for i, n := range []int{5, 1, 7, 2} {
		p := ledger.Posting{ID: fmt.Sprintf("p%d", i), KOC: "mei", Order: fmt.Sprintf("o%d", i), V: 1, At: noon.Add(time.Duration(-i) * time.Minute)}
		for range n {
			p.Entries = append(p.Entries, ledger.Entry{Minor: int64(total)})
			total++
		}
		postings = append(postings, p)
	}
	for limit := 1; limit <= total+1; limit++ {
		next, at := int64(0), place{}
		for page := 0; ; page++ {
			left := postings
			for len(left) > 0 && at.after != "" && store.PostingCursor(left[0]) >= at.after {
				left = left[1:] // as the store does, newest first
			}
			items, end, more := cut(left, at, limit)
			for _, e := range items {
				if e.Minor != next {
					t.Fatalf("pages of %d: entry %d follows %d", limit, e.Minor, next-1)
				}
				next++
			}
			if !more || page > total {
				break
			}
			if at = end; len(items) != limit {
				t.Fatalf("a page of %d has %d entries", limit, len(items))
			}
		}
		if next != int64(total) {
			t.Errorf("pages of %d show %d of %d entries", limit, next, total)
		}
	}
	for _, text := range []string{"x", "|", "-1|a", "1"} {
		if _, err := parsePlace(text); err == nil {
			t.Errorf("%q was read as a place", text)
		}
	}
	if pl, err := parsePlace(place{"POST#1", 3}.String()); err != nil || pl != (place{"POST#1", 3}) {
		t.Errorf("a place came back as %+v, %v", pl, err)
	}
}
