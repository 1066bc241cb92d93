package main

import (
	"net/http"
	"strings"
	"testing"

	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

func someone(subject string) *web.Caller {
	return &web.Caller{Subject: subject, ClientID: "console", Scopes: []string{scope}, Groups: []string{operator}}
}

func TestAdjustmentsTakeTwoPeople(t *testing.T) {
	b := open(t)
	b.approve(t, "mei")
	ask := func(minor int64, headers ...string) Adjustment {
		t.Helper()
		return decode[Adjustment](t, want(t, b.send(t, "POST", "/v1/admin/adjustments", body{"koc": "mei", "amount": amount(minor), "reason": "parcel was late"}, headers...), http.StatusCreated))
	}
	do := func(who, id, what string, with any, headers ...string) webtest.Answer {
		t.Helper()
		return b.as(t, someone(who), "POST", "/v1/admin/adjustments/"+id+"/"+what, with, headers...)
	}
	given := ask(500)
	if given.State != "requested" || given.By != "sub-operator" || given.Amount.Minor != 500 || given.Approved != nil {
		t.Fatalf("%+v", given)
	}
	wantCode(t, do("sub-operator", given.ID, "approve", nil), 403, "adjustment_maker")
	wantCode(t, b.as(t, caller(auditor), "POST", "/v1/admin/adjustments/"+given.ID+"/approve", nil), 403, "auditor_reads")
	balances, err := b.store.Balances(t.Context(), "mei")
	if err != nil || len(balances) != 0 {
		t.Errorf("posted before it was approved: %+v, %v", balances, err)
	}
	key := []string{"Idempotency-Key", "0123456789abcdef"}
	for range 2 { // the answer was lost
		a := decode[Adjustment](t, want(t, do("other", given.ID, "approve", nil, key...), 200))
		if a.State != "approved" || a.Approved.By != "other" || a.Approved.Available.Minor != 500 || a.Approved.Debt.Minor != 0 {
			t.Errorf("%+v", a)
		}
	}
	wantCode(t, do("third", given.ID, "approve", nil), 409, "adjustment_status")
	wantCode(t, do("third", given.ID, "reject", body{"reason": "no"}), 409, "adjustment_status")

	taken := ask(-800, "Idempotency-Key", "fedcba9876543210")
	if again := ask(-800, "Idempotency-Key", "fedcba9876543210"); again.ID != taken.ID {
		t.Errorf("one key, two adjustments: %s and %s", taken.ID, again.ID)
	}
	if a := decode[Adjustment](t, want(t, do("other", taken.ID, "approve", body{}), 200)); a.Approved.Available.Minor != -500 || a.Approved.Debt.Minor != 300 {
		t.Errorf("%+v", a.Approved)
	}
	rejected := ask(1)
	wantField(t, do("other", rejected.ID, "reject", body{"reason": " "}), "body.reason")
	if a := decode[Adjustment](t, want(t, do("sub-operator", rejected.ID, "reject", body{"reason": "typed wrongly"}), 200)); a.State != "rejected" || a.Rejected.Reason != "typed wrongly" {
		t.Errorf("taken back: %+v", a)
	}
	balances, err = b.store.Balances(t.Context(), "mei")
	if err != nil || len(balances) != 1 || balances[0].Available != 0 || balances[0].Debt != -300 {
		t.Errorf("%+v, %v", balances, err)
	}
	for path, want := range map[string]string{"": rejected.ID + taken.ID + given.ID, "?state=approved": taken.ID + given.ID, "?state=requested": "", "?koc=lin": "", "?limit=1": rejected.ID} {
		var got string
		page := get[AdjustmentPage](t, b, "/v1/admin/adjustments"+path)
		for _, x := range page.Items {
			got += x.ID
		}
		if got != want || (page.Next != "") != (path == "?limit=1") {
			t.Errorf("%q lists %s, next %q; want %s", path, got, page.Next, want)
		}
	}
	if a := get[Adjustment](t, b, "/v1/admin/adjustments/"+taken.ID); a.Reason != "parcel was late" || a.Approved.Debt.Minor != 300 {
		t.Errorf("%+v", a)
	}
	v := get[Verification](t, b, "/v1/admin/verify")
	for v.Next != "" {
		v = get[Verification](t, b, "/v1/admin/verify?cursor="+v.Next)
		if len(v.Differences) != 0 {
			t.Errorf("%+v", v.Differences)
		}
	}
}

func TestAdjustmentsThatAreRefused(t *testing.T) {
	b := open(t)
	b.approve(t, "mei")
	fine := func(change body) body {
		w := body{"koc": "mei", "amount": amount(1), "reason": "r"}
		for k, v := range change {
			w[k] = v
		}
		return w
	}
	for location, change := range map[string]body{"body.koc": {"koc": "nobody"}, "body.amount": {"amount": amount(0)}, "body.orderId": {"orderId": "../o1"},
		"body.amount.currency": {"amount": body{"amount": 1, "currency": "EUR"}}, "body.reason": {"reason": "\u200b"}, "body.by": {"by": "me"}} {
		wantField(t, b.send(t, "POST", "/v1/admin/adjustments", fine(change)), location)
	}
	for _, change := range []body{{"orderId": "o1"}, {"amount": amount(100_000_001)}, {"amount": amount(-100_000_001)}, {"reason": strings.Repeat("x", 501)}, {"amount": 5}, {"amount": body{"amount": 1.5, "currency": "CNY"}}} {
		want(t, b.send(t, "POST", "/v1/admin/adjustments", fine(change)), 400)
	}
	for _, path := range []string{"x", "a1", "aNOBODY", "a%2f"} {
		want(t, b.send(t, "GET", "/v1/admin/adjustments/"+path, nil), 404)
		want(t, b.send(t, "POST", "/v1/admin/adjustments/"+path+"/approve", nil), 404)
	}
	if page := get[AdjustmentPage](t, b, "/v1/admin/adjustments"); len(page.Items) != 0 {
		t.Errorf("a refused wish left %+v", page.Items)
	}
}
