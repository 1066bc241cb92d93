package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"yundian/shared/payout"
	"yundian/shared/web/webtest"
)

// earn gives a KOC 500.00 that can be withdrawn.
func (b *bench) earn(t *testing.T, handle string) {
	t.Helper()
	b.shelve(t, "gold-"+handle, 500_000)
	b.order(t, "o-"+handle, []string{"gold-" + handle}, handle)
	b.pay(t, "o-"+handle)
	b.ship(t, "o-"+handle)
	b.deliver(t, "o-"+handle)
	b.at = b.at.AddDate(0, 0, 8)
	b.mature(t, "o-"+handle)
	if got := b.balance(t, handle).Available; got != 50_000 {
		t.Fatalf("%s has %d available", handle, got)
	}
}

func bank(account, name string) map[string]any {
	return map[string]any{"payout": map[string]string{"rail": "bank", "account": account, "name": name}}
}

// payable gives a KOC money and a verified method.
func (b *bench) payable(t *testing.T, handle string) {
	t.Helper()
	b.koc(t, handle)
	b.earn(t, handle)
	b.want(t, b.send(t, handle, "PATCH", "/v1/me", bank("6222 0202 0001 2345 678", "陈静")), http.StatusOK)
	b.verify(t, handle)
}

func (b *bench) verify(t *testing.T, handle string) {
	t.Helper()
	m, err := b.store.Payee(t.Context(), handle)
	if err == nil {
		_, err = b.store.VerifyPayee(t.Context(), handle, m.Version, "op", b.at)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func withdrawal(amount int64) map[string]any {
	return map[string]any{"amount": amount, "currency": "CNY"}
}

// refused wants a refusal by its code.
func (b *bench) refused(t *testing.T, a webtest.Answer, status int, code string) {
	t.Helper()
	if p := b.want(t, a, status).Problem(t); p.Type != "urn:yundian:problem:"+code {
		t.Errorf("want %s, got %s", code, a)
	}
}

func TestPayoutMethod(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))

	b := open(t)
	b.koc(t, "mei")
	if me := get[Me](t, b, "mei", "/v1/me"); me.Payout != nil || !reflect.DeepEqual(me.Shop.PayoutRails, []string{"bank", "stripe"}) {
		t.Errorf("at first %+v, rails %v", me.Payout, me.Shop.PayoutRails)
	}
	edit := func(body any, with ...string) PayoutMethod {
		t.Helper()
		var me Me
		b.want(t, b.send(t, "mei", "PATCH", "/v1/me", body, with...), http.StatusOK).Decode(t, &me)
		return *me.Payout
	}
	first := edit(bank("6222 0202 0001 2345 678", "  陈 静 "))
	if want := (PayoutMethod{Rail: "bank", Account: "••••5678", Name: "陈 静", ChangedAt: b.at}); first != want {
		t.Errorf("%+v, want %+v", first, want)
	}
	stored, err := b.store.Payee(t.Context(), "mei")
	if err != nil || strings.Contains(fmt.Sprintf("%+v", stored), "62220202") || strings.Contains(fmt.Sprintf("%+v", stored), "陈") {
		t.Errorf("stored in plain text: %+v, %v", stored, err)
	}
	b.verify(t, "mei")
	b.at = b.at.Add(time.Hour)
	if again := edit(bank("6222020200012345678", "陈 静")); !again.Verified || again.HeldUntil != nil || !again.ChangedAt.Equal(first.ChangedAt) {
		t.Errorf("the same again: %+v", again)
	}
	held := b.at.Add(72 * time.Hour)
	if moved := edit(bank("6222020200019999999", "陈 静"), "Idempotency-Key", "change of account"); !moved.Verified || !moved.HeldUntil.Equal(held) {
		t.Errorf("another account: %+v", moved)
	}
	b.want(t, b.send(t, "mei", "PATCH", "/v1/me", bank("6222020200018888888", "陈 静"), "Idempotency-Key", "change of account"), http.StatusUnprocessableEntity)
	b.at = b.at.Add(time.Hour)
	if renamed := edit(bank("6222020200019999999", "陈靜")); renamed.Verified || !renamed.HeldUntil.Equal(held.Add(time.Hour)) {
		t.Errorf("another name: %+v", renamed)
	}
	b.at = b.at.Add(72 * time.Hour)
	if me := get[Me](t, b, "mei", "/v1/me"); me.Payout.HeldUntil != nil {
		t.Errorf("still held: %+v", me.Payout)
	}
	if text := log.String(); strings.Contains(text, "6222") || strings.Contains(text, "陈") {
		t.Errorf("in the log: %s", text)
	}
}

func TestPayoutMethodsThatAreRefused(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	for _, c := range []struct{ rail, account, name, location string }{
		{"cash", "6222020200012345678", "Mei", "body.payout.rail"}, {"sandbox", "x", "Mei", "body.payout.rail"}, {"", "6222020200012345678", "Mei", "body.payout.rail"},
		{"bank", "123", "Mei", "body.payout.account"}, {"bank", "=HYPERLINK(1)", "Mei", "body.payout.account"}, {"stripe", "6222020200012345678", "Mei", "body.payout.account"},
		{"bank", "6222020200012345678", "", "body.payout.name"}, {"bank", "6222020200012345678", "Mei\x1b[8m", "body.payout.name"},
		{"bank", "6222020200012345678", "\u200b\u3164", "body.payout.name"}, {"bank", "6222020200012345678", "Mei\x00", "body.payout.name"},
		{"bank", "6222020200012345678", strings.Repeat("静", 81), "body.payout.name"}, {"bank", strings.Repeat("6", 81), "Mei", "body.payout.account"},
	} {
		body := map[string]any{"name": "changed too", "payout": map[string]string{"rail": c.rail, "account": c.account, "name": c.name}}
		a := b.want(t, b.send(t, "mei", "PATCH", "/v1/me", body), http.StatusBadRequest)
		if p := a.Problem(t); len(p.Errors) != 1 || p.Errors[0].Location != c.location || strings.Contains(a.Body, "62220202") {
			t.Errorf("%+v: %s", c, a)
		}
	}
	if me := get[Me](t, b, "mei", "/v1/me"); me.Payout != nil || me.Name != "KOC mei" {
		t.Errorf("refused requests changed %+v", me)
	}
}

func TestWithdrawalsThatAreRefused(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.earn(t, "mei")
	ask := func(body any, with ...string) webtest.Answer {
		return b.send(t, "mei", "POST", "/v1/withdrawals", body, append(with, "Idempotency-Key", "the same key for all")...)
	}
	b.refused(t, ask(withdrawal(5000)), http.StatusConflict, "payee_missing")
	b.want(t, b.send(t, "mei", "PATCH", "/v1/me", bank("6222020200012345678", "陈静")), http.StatusOK)
	b.refused(t, ask(withdrawal(5000)), http.StatusConflict, "payee_unverified")
	b.verify(t, "mei")
	b.refused(t, ask(withdrawal(999)), http.StatusConflict, "payout_below_minimum")
	b.refused(t, ask(withdrawal(50_001)), http.StatusConflict, "payout_above_available")
	b.refused(t, ask(map[string]any{"amount": 5000, "currency": "EUR"}), http.StatusConflict, "payout_above_available")
	b.refused(t, ask(map[string]any{"amount": 5000, "currency": "cny"}), http.StatusBadRequest, "invalid_fields")
	b.want(t, b.send(t, "mei", "PATCH", "/v1/me", bank("6222020200019999999", "陈静")), http.StatusOK)
	held := ask(withdrawal(5000))
	b.refused(t, held, http.StatusConflict, "payout_held")
	if until := b.at.Add(72 * time.Hour).Format(time.RFC3339); !strings.Contains(held.Body, until) {
		t.Errorf("does not say %s: %s", until, held)
	}
	if a := ask(withdrawal(5000), "Accept-Language", "zh-CN"); !strings.Contains(a.Body, "收款方式或邮箱刚刚更改") {
		t.Errorf("not in the caller's language: %s", a)
	}
	// No trace: nothing listed, nothing moved, and the key is as good as new.
	if page := get[WithdrawalPage](t, b, "mei", "/v1/withdrawals"); len(page.Items) != 0 || page.Items == nil {
		t.Errorf("listed: %+v", page)
	}
	if got := b.balance(t, "mei"); got.Available != 50_000 || got.InPayout != 0 {
		t.Errorf("balance %+v", got)
	}
	b.at = b.at.Add(72 * time.Hour)
	b.want(t, ask(withdrawal(7000)), http.StatusCreated)
}

func TestAWithdrawalIsMadeOncePerKey(t *testing.T) {
	b := open(t)
	b.payable(t, "mei")
	var made []Withdrawal
	for range 3 {
		var w Withdrawal
		b.want(t, b.send(t, "mei", "POST", "/v1/withdrawals", withdrawal(5000), "Idempotency-Key", "withdrawal of march"), http.StatusCreated).Decode(t, &w)
		made = append(made, w)
	}
	want := Withdrawal{ID: made[0].ID, Status: "reserved", Amount: 5000, Currency: "CNY", Gross: 5000, Net: 5000, Cause: "withdrawal", CreatedAt: b.at}
	for _, w := range made {
		if w != want {
			t.Errorf("%+v, want %+v", w, want)
		}
	}
	b.want(t, b.send(t, "mei", "POST", "/v1/withdrawals", withdrawal(6000), "Idempotency-Key", "withdrawal of march"), http.StatusUnprocessableEntity)
	for range 2 { // under another key each is another one
		b.want(t, b.send(t, "mei", "POST", "/v1/withdrawals", withdrawal(2000)), http.StatusCreated)
	}
	if got := b.balance(t, "mei"); got.Available != 41_000 || got.InPayout != 9000 {
		t.Errorf("balance %+v", got)
	}
}

// TestAWithdrawalNeedsAKey: without one nothing is withdrawn, and the refusal says what to send.
func TestAWithdrawalNeedsAKey(t *testing.T) {
	b := open(t)
	b.payable(t, "mei")
	for _, key := range []string{"", "short", " a blank before it is no key"} {
		for language, says := range map[string]string{"en": "Send a key of 16 to 128", "zh-Hans": "请发送由 16 到 128 个", "zh-Hant": "請發送由 16 到 128 個"} {
			a := b.want(t, b.send(t, "mei", "POST", "/v1/withdrawals", withdrawal(5000), "Idempotency-Key", key, "Accept-Language", language), http.StatusBadRequest)
			if p := a.Problem(t); len(p.Errors) != 1 || p.Errors[0].Location != "header.Idempotency-Key" || !strings.HasPrefix(p.Errors[0].Message, says) {
				t.Errorf("key %q in %s: %s", key, language, a)
			}
		}
	}
	if page := get[WithdrawalPage](t, b, "mei", "/v1/withdrawals"); len(page.Items) != 0 {
		t.Errorf("withdrawn without a key: %+v", page)
	}
	if got := b.balance(t, "mei"); got.Available != 50_000 {
		t.Errorf("balance %+v", got)
	}
}

// TestAWithdrawalAskedForTwiceAtOnce is made once, and both are answered the same.
func TestAWithdrawalAskedForTwiceAtOnce(t *testing.T) {
	b := open(t)
	b.payable(t, "mei")
	mux := routes(b.portal)
	answers := make([]webtest.Answer, 8)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			answers[i] = webtest.Do(t, mux, webtest.Request{Method: "POST", Path: "/v1/withdrawals", JSON: withdrawal(5000), Caller: caller("mei"), Key: "one impatient thumb"})
		})
	}
	wg.Wait()
	for _, a := range answers {
		if a.Status != http.StatusCreated || a.Body != answers[0].Body {
			t.Errorf("answered %s, and %s", a, answers[0])
		}
	}
	if got := b.balance(t, "mei"); got.Available != 45_000 || got.InPayout != 5000 {
		t.Errorf("balance %+v", got)
	}
}

// TestWithdrawalsAtOnce: twenty requests want six times what there is.
func TestWithdrawalsAtOnce(t *testing.T) {
	b := open(t)
	b.payable(t, "mei")
	mux := routes(b.portal)
	var mu sync.Mutex
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			a := webtest.Do(t, mux, webtest.Request{Method: "POST", Path: "/v1/withdrawals", JSON: withdrawal(15_000), Caller: caller("mei"),
				Header: map[string]string{"Idempotency-Key": fmt.Sprintf("key of withdrawal %d", i)}})
			mu.Lock()
			defer mu.Unlock()
			statuses[a.Status]++
		})
	}
	wg.Wait()
	if got := b.balance(t, "mei"); got.Available != 5000 || got.InPayout != 45_000 || statuses[201] != 3 || statuses[409] != 17 {
		t.Errorf("balance %+v, answers %v", got, statuses)
	}
}

func TestWithdrawalsAreListed(t *testing.T) {
	b := open(t)
	b.payable(t, "mei")
	b.koc(t, "lin")
	var ids []string
	for i := range 5 {
		b.at = b.at.Add(time.Second)
		var w Withdrawal
		b.want(t, b.send(t, "mei", "POST", "/v1/withdrawals", withdrawal(2000+int64(i))), http.StatusCreated).Decode(t, &w)
		ids = append([]string{w.ID}, ids...)
	}
	update := func(id string, change func(*payout.Payout) error) {
		t.Helper()
		if _, err := b.store.UpdatePayout(t.Context(), id, b.at, change); err != nil {
			t.Fatal(err)
		}
	}
	m, err := b.store.Payee(t.Context(), "mei")
	if err != nil {
		t.Fatal(err)
	}
	update(ids[0], func(p *payout.Payout) error { return p.Reject("op", "name differs", b.at) })
	b.at = b.at.Add(time.Second) // what happens at one instant is listed by id
	update(ids[1], func(p *payout.Payout) error { return p.Approve(payout.Checker{By: "op", Method: m}, b.at) })
	update(ids[1], func(p *payout.Payout) error {
		return p.Conclude(payout.Outcome{Paid: true, By: "op", At: b.at, Reference: "B-17"})
	})
	var listed []Withdrawal
	for cursor, n := "", 0; ; n++ {
		page := get[WithdrawalPage](t, b, "mei", "/v1/withdrawals?limit=2&cursor="+cursor)
		listed = append(listed, page.Items...)
		if cursor = page.Next; cursor == "" || n > 5 {
			break
		}
		b.want(t, b.send(t, "lin", "GET", "/v1/withdrawals?cursor="+cursor, nil), http.StatusBadRequest)
	}
	var got []string
	for _, w := range listed {
		got = append(got, w.ID)
	}
	if !reflect.DeepEqual(got, ids) {
		t.Fatalf("listed %v, want %v", got, ids)
	}
	if w := listed[0]; w.Status != "rejected" || w.Reason != "name differs" || w.EndedAt == nil {
		t.Errorf("the rejected one: %+v", w)
	}
	if w := listed[1]; w.Status != "paid" || w.Reference != "B-17" || !w.EndedAt.Equal(b.at) {
		t.Errorf("the paid one: %+v", w)
	}
	if page := get[WithdrawalPage](t, b, "lin", "/v1/withdrawals"); len(page.Items) != 0 {
		t.Errorf("lin sees %+v", page)
	}
	var told []string
	for _, e := range get[EntryPage](t, b, "mei", "/v1/earnings/entries?limit=6").Items {
		told = append(told, fmt.Sprint(e.Kind, " ", e.Amount, " ", e.Reason, " ", e.PayoutID == ids[0], " ", e.OrderID))
	}
	if told[0] != "payout 2003 paid false " && told[1] != "payout 2003 paid false " {
		t.Errorf("entries %q", told)
	}
	if all := strings.Join(told, "\n"); !strings.Contains(all, "payout 2004 returned true ") || !strings.Contains(all, "payout -2004 reserved true ") {
		t.Errorf("entries %q", told)
	}
}

func TestEarningsSayTheTermsOfPayouts(t *testing.T) {
	b := open(t)
	b.payable(t, "mei")
	if got := get[Earnings](t, b, "mei", "/v1/earnings").Terms; len(got) != 1 || !reflect.DeepEqual(got[0], WithdrawalTerms{Currency: "CNY", Minimum: 1000, Cycle: "none", DebtCap: 5000}) {
		t.Errorf("at first %+v", got)
	}
	terms, err := payout.FirstTerms().Next(payout.Terms{HoldHours: 24, Currencies: []payout.CurrencyTerms{{Currency: "CNY", Minimum: 5000, DebtCap: 2000,
		Fee: payout.Fee{Fixed: 100, Rate: 50}, Schedule: payout.Schedule{Every: payout.Monthly, Day: 10},
		Tax: []payout.TaxTable{{From: b.at.Format(time.DateOnly), Period: payout.Year, Source: "tax office", Brackets: []payout.Bracket{{Rate: 1000}}}}}}}, b.at, "2026-03-01")
	if err == nil {
		err = b.store.PublishPayoutTerms(t.Context(), terms)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := WithdrawalTerms{Currency: "CNY", Minimum: 5000, Cycle: "monthly", NextDate: "2026-03-10", DebtCap: 2000, Fee: FeeTerms{Fixed: 100, Rate: 50},
		Tax: &TaxNote{Period: "year", From: b.at.Format(time.DateOnly), Source: "tax office", Brackets: []TaxBracket{{Rate: 1000}}}}
	if got := get[Earnings](t, b, "mei", "/v1/earnings").Terms; len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	b.refused(t, b.send(t, "mei", "POST", "/v1/withdrawals", withdrawal(4999)), http.StatusConflict, "payout_below_minimum")
	var w Withdrawal
	b.want(t, b.send(t, "mei", "POST", "/v1/withdrawals", withdrawal(10_000)), http.StatusCreated).Decode(t, &w)
	if w.Tax != 1000 || w.Fee != 150 || w.Net != 8850 {
		t.Errorf("%+v", w)
	}
}

// TestARailsWordsAreForOperators: what Stripe says of a transfer may tell how much money the shop has there.
func TestARailsWordsAreForOperators(t *testing.T) {
	p := payout.Payout{To: payout.Target{Version: 1, Rail: payout.Stripe}, Outcome: &payout.Outcome{At: noon, By: payout.Stripe, Reason: "balance_insufficient"}}
	if w := viewWithdrawal(p); w.Status != "failed" || w.Reason != "" || w.EndedAt == nil {
		t.Errorf("of the rail: %+v", w)
	}
	p.Outcome.By, p.Outcome.Reason = "sub-operator", "no such account"
	if w := viewWithdrawal(p); w.Reason != "no such account" {
		t.Errorf("of an operator: %+v", w)
	}
}
