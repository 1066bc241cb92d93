package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/koc"
	"yundian/shared/ledger"
	"yundian/shared/payout"
	"yundian/shared/store"
	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

// second is another operator than the one of send.
func second() *web.Caller {
	return &web.Caller{Subject: "sub-second", ClientID: "console", Scopes: []string{scope}, Groups: []string{operator}}
}

// payee adds an approved KOC with money and a method that nobody has verified yet.
func (b *bench) payee(t *testing.T, handle string, available int64) {
	t.Helper()
	b.approve(t, handle)
	ctx := context.Background()
	p := ledger.Posting{ID: "settle:" + handle, KOC: handle, Order: "o-" + handle, V: 1, At: b.now(), Currency: "CNY", Entries: []ledger.Entry{
		{Kind: ledger.Release, Minor: available, Legs: []ledger.Leg{{Account: ledger.Available, Minor: available}, {Account: ledger.Expense, Minor: -available}}}}}
	if _, err := b.store.Settle(ctx, []ledger.Settlement{{Order: p.Order, Applied: ledger.Applied{V: 1}, Fact: ledger.Fact{Order: p.Order, V: 1, At: b.at}, Postings: []ledger.Posting{p}}}); err != nil {
		t.Fatal(err)
	}
	b.move(t, handle, "6222020200000000001")
}

// move gives a KOC another account.
func (b *bench) move(t *testing.T, handle, account string) {
	t.Helper()
	ctx := context.Background()
	d, err := payout.NewDestination(payout.Bank, account, "陈静 "+handle)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := cashier.SealPayee(b.paymaster.Box, handle, d)
	if err != nil {
		t.Fatal(err)
	}
	before, err := b.store.Payee(ctx, handle)
	if err != nil {
		t.Fatal(err)
	}
	next, err := payout.Change(before, payout.Method{Rail: payout.Bank, Sealed: sealed, Mask: d.Mask()}, true, 72*time.Hour, b.now())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.SaveReplies(ctx, store.PayeeWrites(handle, next)); err != nil {
		t.Fatal(err)
	}
}

// payable is payee with a verified method.
func (b *bench) payable(t *testing.T, handle string, available int64) {
	t.Helper()
	b.payee(t, handle, available)
	want(t, b.send(t, "POST", "/v1/admin/kocs/"+handle+"/payee/verify", body{"version": 1}), http.StatusOK)
}

// reserved makes a payout as the first operator.
func (b *bench) reserved(t *testing.T, handle string, minor int64) Payout {
	t.Helper()
	return decode[Payout](t, want(t, b.send(t, "POST", "/v1/admin/payouts", body{"koc": handle, "amount": minor, "currency": "CNY"}), http.StatusCreated))
}

// approved makes a payout that the second operator approves.
func (b *bench) approved(t *testing.T, handle string, minor int64) Payout {
	t.Helper()
	p := b.reserved(t, handle, minor)
	return decode[Payout](t, want(t, b.as(t, second(), "POST", "/v1/admin/payouts/"+p.ID+"/approve", nil), http.StatusOK))
}

func (b *bench) balances(t *testing.T, handle string) ledger.Balances {
	t.Helper()
	found, err := b.store.Balances(context.Background(), handle)
	if err != nil || len(found) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	return found[0]
}

func TestAPayoutTakesTwoPeople(t *testing.T) {
	b := open(t)
	b.payable(t, "mei", 10_000)
	p := b.reserved(t, "mei", 4000)
	if p.Status != "reserved" || p.By != "sub-operator" || p.Cause != "operator" || p.Net != 4000 || p.Rail != "bank" {
		t.Fatalf("%+v", p)
	}
	at := "/v1/admin/payouts/" + p.ID
	wantCode(t, b.send(t, "POST", at+"/approve", nil), 403, "payout_maker")
	wantCode(t, b.send(t, "POST", at+"/result", body{"outcome": "paid"}), 403, "payout_maker")
	wantCode(t, b.as(t, second(), "POST", at+"/result", body{"outcome": "paid"}), 409, "payout_status")
	wantCode(t, b.as(t, caller(auditor), "POST", at+"/approve", nil), 403, "auditor_reads")
	for range 2 { // repeated with its key
		p = decode[Payout](t, want(t, b.as(t, second(), "POST", at+"/approve", nil, "Idempotency-Key", "approval of the payout"), http.StatusOK))
	}
	if p.Status != "approved" || len(p.Approvals) != 1 || p.Approvals[0].By != "sub-second" {
		t.Fatalf("%+v", p)
	}
	wantCode(t, b.as(t, second(), "POST", at+"/approve", nil), 409, "payout_status")
	wantCode(t, b.send(t, "POST", at+"/result", body{"outcome": "paid"}), 403, "payout_maker")
	want(t, b.as(t, second(), "POST", at+"/result", body{"outcome": "maybe"}), 400)
	want(t, b.as(t, second(), "POST", at+"/result", body{"outcome": "paid", "amount": 1}), 400)
	for range 2 {
		p = decode[Payout](t, want(t, b.as(t, second(), "POST", at+"/result", body{"outcome": "paid", "reference": "B-1"}), http.StatusOK))
		if p.Status != "paid" || p.Outcome.Reference != "B-1" || p.Outcome.By != "sub-second" {
			t.Fatalf("%+v", p)
		}
	}
	wantCode(t, b.as(t, second(), "POST", at+"/result", body{"outcome": "failed"}), 409, "payout_contradicted")
	wantCode(t, b.as(t, second(), "POST", at+"/reject", body{"reason": "no"}), 409, "payout_status")
	if p = get[Payout](t, b, at); p.Status != "paid" || len(p.Disputed) != 1 || p.Disputed[0].Outcome != "failed" {
		t.Errorf("%+v", p)
	}
	if got := b.balances(t, "mei"); got != (ledger.Balances{Currency: "CNY", Available: 6000, Paid: 4000}) {
		t.Errorf("balances %+v", got)
	}
}

func TestPayoutsComeBack(t *testing.T) {
	b := open(t)
	b.payable(t, "mei", 10_000)
	rejected, failed := b.reserved(t, "mei", 4000), b.approved(t, "mei", 3000)
	p := decode[Payout](t, want(t, b.send(t, "POST", "/v1/admin/payouts/"+rejected.ID+"/reject", body{"reason": "a mistake"}), http.StatusOK))
	if p.Status != "rejected" || p.Rejected.Reason != "a mistake" {
		t.Errorf("%+v", p)
	}
	p = decode[Payout](t, want(t, b.as(t, second(), "POST", "/v1/admin/payouts/"+failed.ID+"/result", body{"outcome": "failed", "reason": "no such account"}), http.StatusOK))
	if p.Status != "failed" || p.Outcome.Reason != "no such account" {
		t.Errorf("%+v", p)
	}
	if got := b.balances(t, "mei"); got != (ledger.Balances{Currency: "CNY", Available: 10_000}) {
		t.Errorf("balances %+v", got)
	}
}

func TestPayoutsThatAreRefused(t *testing.T) {
	b := open(t)
	b.payable(t, "mei", 10_000)
	b.payee(t, "new", 10_000)
	b.payable(t, "gone", 10_000)
	b.approve(t, "bare")
	p := b.reserved(t, "gone", 1000)
	want(t, b.send(t, "POST", "/v1/admin/kocs/gone/suspend", nil), http.StatusOK)
	for _, c := range []struct {
		body   body
		status int
		code   string
	}{
		{body{"koc": "nobody", "currency": "CNY"}, 404, "koc_unknown"}, {body{"koc": "A B", "currency": "CNY"}, 404, "koc_unknown"},
		{body{"koc": "bare", "currency": "CNY"}, 409, "payee_missing"}, {body{"koc": "new", "currency": "CNY"}, 409, "payee_unverified"},
		{body{"koc": "gone", "currency": "CNY"}, 409, "payee_suspended"}, {body{"koc": "mei", "amount": 999, "currency": "CNY"}, 409, "payout_below_minimum"},
		{body{"koc": "mei", "amount": 10_001, "currency": "CNY"}, 409, "payout_above_available"}, {body{"koc": "mei", "currency": "EUR"}, 409, "payout_below_minimum"},
		{body{"koc": "mei", "amount": 1000, "currency": "ABC"}, 400, "invalid_fields"}, {body{"koc": "mei", "amount": -1, "currency": "CNY"}, 400, "invalid_fields"},
		{body{"koc": "mei", "amount": 1000.5, "currency": "CNY"}, 400, "invalid_fields"}, {body{"koc": "mei", "amount": 1000, "currency": "CNY", "net": 1}, 400, "invalid_fields"},
		{body{"amount": 1000, "currency": "CNY"}, 400, "invalid_fields"},
	} {
		wantCode(t, b.send(t, "POST", "/v1/admin/payouts", c.body), c.status, c.code)
	}
	wantCode(t, b.as(t, second(), "POST", "/v1/admin/payouts/"+p.ID+"/approve", nil), 409, "payee_suspended")
	for _, id := range []string{"x", payout.ID("none"), "%3Fp", "PAYOUT%23x"} {
		for _, what := range []string{"/approve", "/reject", "/release"} {
			wantCode(t, b.send(t, "POST", "/v1/admin/payouts/"+id+what, nil), 404, "payout_unknown")
		}
		wantCode(t, b.send(t, "POST", "/v1/admin/payouts/"+id+"/result", body{"outcome": "paid"}), 404, "payout_unknown")
		wantCode(t, b.send(t, "GET", "/v1/admin/payouts/"+id, nil), 404, "payout_unknown")
	}
	if got := get[PayoutPage](t, b, "/v1/admin/payouts?koc=mei"); len(got.Items) != 0 {
		t.Errorf("refused requests left %+v", got)
	}
}

// TestPayoutsOfASuspendedKOC: they wait where operators see them, and go on or end on an operator's word.
func TestPayoutsOfASuspendedKOC(t *testing.T) {
	b := open(t)
	b.payable(t, "gone", 10_000)
	first, second1 := b.reserved(t, "gone", 2000), b.reserved(t, "gone", 3000)
	want(t, b.as(t, second(), "POST", "/v1/admin/payouts/"+first.ID+"/approve", nil), http.StatusOK)
	want(t, b.send(t, "POST", "/v1/admin/kocs/gone/suspend", body{"reason": "looking into it"}), http.StatusOK)
	if waiting := get[PayoutPage](t, b, "/v1/admin/payouts?status=waiting"); len(waiting.Items) != 2 || waiting.Items[0].Waits[0].Released != nil {
		t.Fatalf("waiting %+v", waiting)
	}
	path := "/v1/admin/payouts/" + first.ID
	wantCode(t, b.send(t, "POST", path+"/release", nil), 403, "payout_maker")
	wantCode(t, b.as(t, caller(auditor), "POST", path+"/release", nil), 403, "auditor_reads")
	released := decode[Payout](t, want(t, b.as(t, second(), "POST", path+"/release", body{"reason": "it was earned"}), http.StatusOK))
	if w := released.Waits; released.Status != "approved" || len(w) != 1 || w[0].Released.Reason != "it was earned" {
		t.Errorf("released %+v", released)
	}
	wantCode(t, b.as(t, second(), "POST", path+"/release", nil), 409, "payout_status")
	rejected := decode[Payout](t, want(t, b.as(t, second(), "POST", "/v1/admin/payouts/"+second1.ID+"/reject", body{"reason": "not hers"}), http.StatusOK))
	if rejected.Status != "rejected" {
		t.Errorf("rejected %+v", rejected)
	}
	// What is left goes out if somebody says so knowingly, and somebody else agrees.
	wantCode(t, b.send(t, "POST", "/v1/admin/payouts", body{"koc": "gone", "currency": "CNY"}), 409, "payee_suspended")
	made := decode[Payout](t, want(t, b.send(t, "POST", "/v1/admin/payouts", body{"koc": "gone", "currency": "CNY", "suspended": true}), http.StatusCreated))
	if made.Status != "reserved" || made.Amount != 8000 || made.Waits[0].Released == nil {
		t.Errorf("made %+v", made)
	}
	if p := decode[Payout](t, want(t, b.as(t, second(), "POST", "/v1/admin/payouts/"+made.ID+"/approve", nil), http.StatusOK)); p.Status != "approved" {
		t.Errorf("approved %+v", p)
	}
}

// TestNobodyPaysThemselves: an operator who is a KOC too neither approves nor verifies what is their own.
func TestNobodyPaysThemselves(t *testing.T) {
	b := open(t)
	b.payable(t, "mei", 10_000)
	p := b.reserved(t, "mei", 1000)
	if _, err := b.store.UpdateKOC(t.Context(), "mei", func(k *koc.Profile) error { k.Subject = "sub-second"; return nil }, nil); err != nil {
		t.Fatal(err)
	}
	wantCode(t, b.as(t, second(), "POST", "/v1/admin/payouts/"+p.ID+"/approve", nil), 403, "payout_own")
	wantCode(t, b.as(t, second(), "POST", "/v1/admin/kocs/mei/payee/verify", body{"version": 1}), 403, "payout_own")
	// Nor says that the money never left, which would make it available once more.
	third := second()
	third.Subject = "sub-third"
	want(t, b.as(t, third, "POST", "/v1/admin/payouts/"+p.ID+"/approve", nil), http.StatusOK)
	wantCode(t, b.as(t, second(), "POST", "/v1/admin/payouts/"+p.ID+"/result", body{"outcome": "failed"}), 403, "payout_own")
	f, _ := b.file(t)
	if e := want(t, b.answer(t, second(), f.ID, p.ID+",10.00,CNY,failed,,\n"), http.StatusBadRequest).Problem(t).Errors; len(e) != 1 || e[0].Location != "line[2]" {
		t.Errorf("%+v", e)
	}
	if got := b.balances(t, "mei"); got.InPayout != 1000 || got.Available != 9000 {
		t.Errorf("%+v", got)
	}
}

// TestAChangeOfMethodNeedsAnotherApproval and time.
func TestAChangeOfMethodNeedsAnotherApproval(t *testing.T) {
	b := open(t)
	b.payable(t, "mei", 10_000)
	p := b.approved(t, "mei", 1000)
	at := "/v1/admin/payouts/" + p.ID
	b.move(t, "mei", "6222020200000000002")
	wantCode(t, b.as(t, second(), "POST", at+"/result", body{"outcome": "paid"}), 409, "payee_changed")
	wantCode(t, b.send(t, "POST", "/v1/admin/payout-files", body{"currency": "CNY"}), 409, "bank_file_empty")
	p = get[Payout](t, b, at)
	if p.Status != "reserved" || len(p.Reopened) != 1 || p.Reopened[0].Reason != "method_changed" {
		t.Fatalf("%+v", p)
	}
	p = decode[Payout](t, want(t, b.as(t, second(), "POST", at+"/approve", nil), http.StatusOK))
	if p.Status != "approved" || p.Approvals[1].NotBefore == nil {
		t.Fatalf("%+v", p)
	}
	wantCode(t, b.as(t, second(), "POST", at+"/result", body{"outcome": "paid"}), 409, "payout_held")
	wantCode(t, b.send(t, "POST", "/v1/admin/payout-files", body{"currency": "CNY"}), 409, "bank_file_empty")
	b.at = b.at.Add(72 * time.Hour)
	want(t, b.as(t, second(), "POST", at+"/result", body{"outcome": "paid"}), http.StatusOK)
}

func TestPayoutsAreListed(t *testing.T) {
	b := open(t)
	b.payable(t, "mei", 10_000)
	b.payable(t, "lin", 10_000)
	var all []string
	for i := range 5 {
		p := b.reserved(t, []string{"mei", "lin"}[i%2], 1000)
		all = append([]string{p.ID}, all...)
	}
	want(t, b.as(t, second(), "POST", "/v1/admin/payouts/"+all[3]+"/approve", nil), http.StatusOK)
	list := func(query string) (ids []string) {
		cursor := ""
		for range 10 {
			page := get[PayoutPage](t, b, "/v1/admin/payouts?limit=2&cursor="+cursor+query)
			for _, p := range page.Items {
				ids = append(ids, p.ID)
			}
			if cursor = page.Next; cursor == "" {
				return ids
			}
			want(t, b.as(t, second(), "GET", "/v1/admin/payouts?limit=2&cursor="+cursor+query, nil), http.StatusBadRequest)
			want(t, b.send(t, "GET", "/v1/admin/payouts?status=paid&cursor="+cursor, nil), http.StatusBadRequest)
		}
		t.Fatal("the list has no end")
		return nil
	}
	for query, ids := range map[string][]string{"": all, "&koc=lin": {all[1], all[3]}, "&status=approved": {all[3]}, "&koc=lin&status=reserved": {all[1]}, "&koc=nobody": nil} {
		if got := list(query); !slices.Equal(got, ids) {
			t.Errorf("%q lists %v, want %v", query, got, ids)
		}
	}
	want(t, b.send(t, "GET", "/v1/admin/payouts?status=lost", nil), http.StatusBadRequest)
	wantField(t, b.send(t, "GET", "/v1/admin/payouts?koc=A%20B", nil), "query.koc")
	want(t, b.as(t, caller(auditor), "GET", "/v1/admin/payouts", nil), http.StatusOK)
	wantCode(t, b.as(t, &web.Caller{Subject: "s", Scopes: []string{"yundian/koc"}}, "GET", "/v1/admin/payouts", nil), 403, "operator_only")
}

func TestPayees(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))

	b := open(t)
	b.approve(t, "bare")
	b.payee(t, "mei", 10_000)
	wantCode(t, b.send(t, "GET", "/v1/admin/kocs/bare/payee", nil), 404, "payee_none")
	wantCode(t, b.send(t, "POST", "/v1/admin/kocs/bare/payee/verify", body{"version": 1}), 404, "payee_none")
	for _, path := range []string{"nobody", "A%20B"} {
		wantCode(t, b.send(t, "GET", "/v1/admin/kocs/"+path+"/payee", nil), 404, "koc_unknown")
		wantCode(t, b.send(t, "POST", "/v1/admin/kocs/"+path+"/payee/verify", body{"version": 1}), 404, "koc_unknown")
	}
	p := get[Payee](t, b, "/v1/admin/kocs/mei/payee")
	if p.Account != "6222020200000000001" || p.Name != "陈静 mei" || p.Verified != nil || p.Version != 1 {
		t.Errorf("%+v", p)
	}
	seen := decode[Payee](t, want(t, b.as(t, caller(auditor), "GET", "/v1/admin/kocs/mei/payee", nil), http.StatusOK))
	if seen.Account != "••••0001" || seen.Name != "" {
		t.Errorf("an auditor sees %+v", seen)
	}
	wantCode(t, b.as(t, caller(auditor), "POST", "/v1/admin/kocs/mei/payee/verify", body{"version": 1}), 403, "auditor_reads")
	b.move(t, "mei", "6222020200000000002")
	wantCode(t, b.send(t, "POST", "/v1/admin/kocs/mei/payee/verify", body{"version": 1}), 409, "changed_meanwhile")
	p = decode[Payee](t, want(t, b.send(t, "POST", "/v1/admin/kocs/mei/payee/verify", body{"version": 2}), http.StatusOK))
	if p.Verified == nil || p.Verified.By != "sub-operator" || p.HeldUntil == nil {
		t.Errorf("%+v", p)
	}
	text := log.String()
	if !strings.Contains(text, "payout method shown") || !strings.Contains(text, "to=sub-operator") || strings.Contains(text, "to=sub-auditor") {
		t.Errorf("who looked is not in the log: %s", text)
	}
	if strings.Contains(text, "6222") || strings.Contains(text, "陈") {
		t.Errorf("what was seen is in the log: %s", text)
	}
}

// file makes a bank file and reads its lines.
func (b *bench) file(t *testing.T, with ...string) (PayoutFile, string) {
	t.Helper()
	f := decode[PayoutFile](t, want(t, b.send(t, "POST", "/v1/admin/payout-files", body{"currency": "CNY"}, with...), http.StatusCreated))
	a := want(t, b.send(t, "GET", "/v1/admin/payout-files/"+f.ID, nil), http.StatusOK)
	if a.Header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(a.Header.Get("Content-Disposition"), f.ID) || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", a.Header)
	}
	return f, a.Body
}

func (b *bench) answer(t *testing.T, who *web.Caller, id, lines string, with ...string) webtest.Answer {
	t.Helper()
	return b.as(t, who, "POST", "/v1/admin/payout-files/"+id+"/result", "payout,amount,currency,outcome,reference,reason\n"+lines, append([]string{"Content-Type", "text/csv"}, with...)...)
}

func TestBankFiles(t *testing.T) {
	b := open(t)
	wantCode(t, b.send(t, "POST", "/v1/admin/payout-files", body{"currency": "CNY"}), 409, "bank_file_empty")
	wantField(t, b.send(t, "POST", "/v1/admin/payout-files", body{"currency": "ABC"}), "body.currency")
	b.payable(t, "mei", 10_000)
	b.payable(t, "lin", 10_000)
	one, two := b.approved(t, "mei", 1234), b.approved(t, "lin", 2000)
	left := b.reserved(t, "mei", 1000)
	f, lines := b.file(t, "Idempotency-Key", "file of the tenth of march")
	if !slices.Equal(f.Payouts, []string{one.ID, two.ID}) || f.Total.Minor != 3234 {
		t.Errorf("%+v", f)
	}
	wantLines := "\ufeffpayout,name,account,amount,currency,reference\r\n" +
		one.ID + ",陈静 mei,6222020200000000001,12.34,CNY,Commission 2026-03-01\r\n" + two.ID + ",陈静 lin,6222020200000000001,20.00,CNY,Commission 2026-03-01\r\n"
	if lines != wantLines {
		t.Errorf("%q\nwant\n%q", lines, wantLines)
	}
	// The KOC's next account is none of this file's.
	b.move(t, "mei", "6222020200000000009")
	if again, same := b.file(t, "Idempotency-Key", "file of the tenth of march"); again.ID != f.ID || same != lines {
		t.Errorf("again %+v\n%q", again, same)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/payout-files", body{"currency": "CNY"}), 409, "bank_file_empty")
	if p := get[Payout](t, b, "/v1/admin/payouts/"+one.ID); p.Status != "sending" || p.File != f.ID {
		t.Errorf("%+v", p)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/payouts/"+one.ID+"/reject", nil), 409, "payout_status")
	wantCode(t, b.as(t, caller(auditor), "GET", "/v1/admin/payout-files/"+f.ID, nil), 403, "accounts_operator_only")
	page := decode[PayoutFilePage](t, want(t, b.as(t, caller(auditor), "GET", "/v1/admin/payout-files", nil), http.StatusOK))
	if len(page.Items) != 1 || page.Items[0].ID != f.ID || page.Items[0].Open {
		t.Errorf("%+v", page)
	}
	for _, id := range []string{"x", cashier.FileID("none"), one.ID, "CNY"} {
		wantCode(t, b.send(t, "GET", "/v1/admin/payout-files/"+id, nil), 404, "bank_file_unknown")
		wantCode(t, b.answer(t, second(), id, ""), 404, "bank_file_unknown")
	}

	paid, failed := one.ID+",12.34,CNY,paid,B-1,\n", two.ID+",20.00,CNY,failed,,no such account\n"
	for name, c := range map[string]struct {
		who   *web.Caller
		lines string
		line  string
	}{
		"unknown payout":        {second(), paid + left.ID + ",10.00,CNY,paid,,\n", "line[3]"},
		"another amount":        {second(), paid + two.ID + ",20.01,CNY,paid,,\n", "line[3]"},
		"another currency":      {second(), paid + two.ID + ",20.00,USD,paid,,\n", "line[3]"},
		"twice":                 {second(), paid + failed + paid, "line[4]"},
		"another word":          {second(), paid + two.ID + ",20.00,CNY,perhaps,,\n", "line[3]"},
		"by who made a payout":  {caller(operator), paid, "line[2]"},
		"a float":               {second(), one.ID + ",1.234e1,CNY,paid,,\n", "line[2]"},
		"a mark where none may": {second(), paid + "\"" + failed, "line[3]"},
	} {
		found := false
		a := want(t, b.answer(t, c.who, f.ID, c.lines), http.StatusBadRequest)
		for _, e := range a.Problem(t).Errors {
			found = found || strings.HasPrefix(e.Location, c.line)
		}
		if !found {
			t.Errorf("%s: want %s, got %s", name, c.line, a)
		}
	}
	want(t, b.as(t, second(), "POST", "/v1/admin/payout-files/"+f.ID+"/result", "{}"), http.StatusUnsupportedMediaType)
	if got := b.balances(t, "mei"); got.Paid != 0 || got.InPayout != 2234 {
		t.Errorf("refused answers moved %+v", got)
	}
	for range 2 {
		if r := decode[PayoutFileResult](t, want(t, b.answer(t, second(), f.ID, paid), http.StatusOK)); r.Paid != 1 || r.Failed != 0 || !slices.Equal(r.Open, []string{two.ID}) {
			t.Errorf("%+v", r)
		}
	}
	for range 2 {
		if r := decode[PayoutFileResult](t, want(t, b.answer(t, second(), f.ID, paid+failed, "Idempotency-Key", "the bank's second file"), http.StatusOK)); r.Paid != 1 || r.Failed != 1 || len(r.Open) != 0 || r.Open == nil {
			t.Errorf("%+v", r)
		}
	}
	want(t, b.answer(t, second(), f.ID, paid, "Idempotency-Key", "the bank's second file"), http.StatusUnprocessableEntity)
	a := want(t, b.answer(t, second(), f.ID, one.ID+",12.34,CNY,failed,,\n"), http.StatusBadRequest)
	if e := a.Problem(t).Errors; len(e) != 1 || e[0].Location != "line[2]" || !strings.Contains(e[0].Message, "paid") {
		t.Errorf("%s", a)
	}
	if got := b.balances(t, "mei"); got.Paid != 1234 || got.InPayout != 1000 || got.Available != 7766 {
		t.Errorf("mei %+v", got)
	}
	if got := b.balances(t, "lin"); got.Available != 10_000 || got.InPayout != 0 {
		t.Errorf("lin %+v", got)
	}
}

// TestABankFileSurvivesACrash: what was begun is completed by the next one, before anything else comes into a file.
func TestABankFileSurvivesACrash(t *testing.T) {
	b := open(t)
	b.payable(t, "mei", 10_000)
	one, two := b.approved(t, "mei", 1000), b.approved(t, "mei", 2000)
	begun := payout.File{ID: cashier.FileID("begun"), Currency: "CNY", At: b.now(), By: "sub-first", Payouts: []string{one.ID, two.ID}}
	if err := b.store.BeginFile(t.Context(), begun); err != nil {
		t.Fatal(err)
	}
	wantCode(t, b.send(t, "GET", "/v1/admin/payout-files/"+begun.ID, nil), 409, "bank_file_open")
	wantCode(t, b.answer(t, second(), begun.ID, ""), 409, "bank_file_open")
	want(t, b.send(t, "POST", "/v1/admin/payouts/"+two.ID+"/reject", nil), http.StatusOK) // not marked yet
	three := b.approved(t, "mei", 3000)
	f, lines := b.file(t)
	if f.ID != begun.ID || f.By != "sub-first" || !slices.Equal(f.Payouts, []string{one.ID}) || strings.Contains(lines, two.ID) {
		t.Errorf("%+v\n%s", f, lines)
	}
	next, _ := b.file(t)
	if next.ID == begun.ID || !slices.Equal(next.Payouts, []string{three.ID}) {
		t.Errorf("%+v", next)
	}
}

func TestPayoutTerms(t *testing.T) {
	b := open(t)
	first := get[PayoutTerms](t, b, "/v1/admin/payout-terms")
	if first.Version != 1 || first.HoldHours != 72 || len(first.Currencies) != 0 || first.Currencies == nil {
		t.Errorf("%+v", first)
	}
	yuan := func(rate int64) body {
		return body{"currency": "CNY", "minimum": 5000, "debtCap": 5000, "fee": body{"fixed": 100}, "schedule": body{"every": "monthly", "day": 10},
			"tax": []body{{"from": "2026-03-01", "period": "year", "source": "tax office", "brackets": []body{{"over": 0, "rate": rate}, {"over": 3_600_000, "rate": rate + 700, "deduction": 252_000}}}}}
	}
	publish := func(version int64, currencies ...body) webtest.Answer {
		return b.send(t, "POST", "/v1/admin/payout-terms", body{"version": version, "currencies": append([]body{}, currencies...)})
	}
	for range 2 {
		a := want(t, b.send(t, "POST", "/v1/admin/payout-terms", body{"version": 1, "holdHours": 48, "currencies": []body{yuan(300)}}, "Idempotency-Key", "terms of march 2026"), http.StatusCreated)
		if x := decode[PayoutTerms](t, a); x.Version != 2 || x.HoldHours != 48 || len(x.Currencies) != 1 || x.Currencies[0].Tax[0].Brackets[1].Rate != 1000 || x.Currencies[0].Schedule.Every != "monthly" {
			t.Errorf("%+v", x)
		}
	}
	wantCode(t, publish(1, yuan(300)), 409, "changed_meanwhile")
	wantField(t, publish(2, yuan(301)), "body.currencies[0].tax[0]")
	wantField(t, publish(2), "body.currencies[0]")
	wantField(t, publish(2, yuan(300), yuan(300)), "body.currencies[1].currency")
	wantField(t, b.send(t, "POST", "/v1/admin/payout-terms", body{"version": 2, "from": "2026-02-01T00:00:00Z", "currencies": []body{yuan(300)}}), "body.from")
	gap := yuan(300)
	gap["currency"], gap["tax"] = "EUR", []body{{"from": "2026-03-01", "period": "year", "brackets": []body{{"over": 0, "rate": 300}, {"over": 1000, "rate": 1000}}}}
	wantField(t, publish(2, yuan(300), gap), "body.currencies[1].tax[0].brackets[1].deduction")
	wantCode(t, b.as(t, caller(auditor), "POST", "/v1/admin/payout-terms", body{"version": 2, "currencies": []body{}}), 403, "auditor_reads")
	want(t, b.send(t, "POST", "/v1/admin/payout-terms", body{"version": 2, "currencies": []body{{"currency": "CNY", "minimum": 1.5, "debtCap": 0}}}), 400)
	if x := get[PayoutTerms](t, b, "/v1/admin/payout-terms"); x.Version != 2 {
		t.Errorf("refused requests published %+v", x)
	}
	b.payable(t, "mei", 50_000)
	wantCode(t, b.send(t, "POST", "/v1/admin/payouts", body{"koc": "mei", "amount": 4999, "currency": "CNY"}), 409, "payout_below_minimum")
	p := b.reserved(t, "mei", 10_000)
	if p.Terms != 2 || p.Tax != 300 || p.Fee != 100 || p.Net != 9600 || p.TaxPeriod != "2026-03-01" {
		t.Errorf("%+v", p)
	}
}
