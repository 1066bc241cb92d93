package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"yundian/shared/payout"
	"yundian/shared/web"
)

// TestPayoutsAreApprovedTogether: each payout is decided about by itself. What is refused says why, and nothing is approved
// twice, whoever sends what again.
func TestPayoutsAreApprovedTogether(t *testing.T) {
	b := open(t)
	b.payable(t, "mei", 20_000)
	b.payable(t, "bob", 20_000)
	b.payable(t, "eve", 20_000)
	var ids []string
	for i := range 12 {
		ids = append(ids, b.reserved(t, []string{"mei", "bob"}[i%2], 1000).ID)
	}
	own := decode[Payout](t, want(t, b.as(t, second(), "POST", "/v1/admin/payouts", body{"koc": "mei", "amount": 1000, "currency": "CNY"}), http.StatusCreated)).ID
	kept := b.reserved(t, "eve", 1000).ID
	want(t, b.send(t, "POST", "/v1/admin/kocs/eve/suspend", body{"reason": "bought through her own link"}), http.StatusOK)
	nobody := payout.ID("operator", "nobody")
	all := slices.Concat(ids[:6], []string{own, kept, nobody, "../../kocs"}, ids[6:])
	send := func(who *web.Caller, key string, ids []string, with ...string) PayoutApprovals {
		t.Helper()
		return decode[PayoutApprovals](t, want(t, b.as(t, who, "POST", "/v1/admin/payouts/approve", body{"ids": ids}, append([]string{"Idempotency-Key", key}, with...)...), http.StatusOK))
	}
	got := send(second(), "the payouts of march 2026", all, "Accept-Language", "zh-Hant")
	var codes []string
	for _, e := range got.Errors {
		codes = append(codes, e.ID+" "+e.Code)
		if e.Message == "" || strings.Contains(e.Message, "payout") {
			t.Errorf("%s says %q in Chinese", e.ID, e.Message)
		}
	}
	wanted := []string{own + " payout_maker", kept + " payee_suspended", nobody + " payout_unknown", "../../kocs payout_unknown"}
	if got.Approved != 12 || !slices.Equal(got.IDs, ids) || !slices.Equal(codes, wanted) {
		t.Fatalf("%d approved, %v", got.Approved, codes)
	}
	if again := send(second(), "the payouts of march 2026", all, "Accept-Language", "zh-Hant"); !slices.Equal(again.IDs, got.IDs) || !slices.Equal(again.Errors, got.Errors) {
		t.Errorf("sent again, the answer is %+v", again)
	}
	wantCode(t, b.as(t, second(), "POST", "/v1/admin/payouts/approve", body{"ids": ids[:2]}, "Idempotency-Key", "the payouts of march 2026"), http.StatusUnprocessableEntity, "idempotency_mismatch")
	third := &web.Caller{Subject: "sub-third", ClientID: "console", Scopes: []string{scope}, Groups: []string{operator}}
	if other := send(third, "another click on march", ids); other.Approved != 0 || len(other.Errors) != 12 || other.Errors[0].Code != "payout_status" {
		t.Errorf("under another key: %+v", other)
	}
	for _, id := range ids {
		if p := get[Payout](t, b, "/v1/admin/payouts/"+id); p.Status != "approved" || len(p.Approvals) != 1 || p.Approvals[0].By != "sub-second" {
			t.Errorf("%s is %s with %+v", id, p.Status, p.Approvals)
		}
	}
	for _, id := range []string{own, kept} {
		if p := get[Payout](t, b, "/v1/admin/payouts/"+id); p.Status == "approved" || len(p.Approvals) != 0 {
			t.Errorf("%s is %s with %+v", id, p.Status, p.Approvals)
		}
	}
}

// TestPayoutsApprovedTogetherByMany: requests under one key at once approve each payout once and get one answer.
func TestPayoutsApprovedTogetherByMany(t *testing.T) {
	b := open(t)
	b.payable(t, "mei", 20_000)
	var ids []string
	for range 5 {
		ids = append(ids, b.reserved(t, "mei", 1000).ID)
	}
	var wait sync.WaitGroup
	answers := make([]PayoutApprovals, 8)
	for i := range answers {
		wait.Go(func() {
			a := b.as(t, second(), "POST", "/v1/admin/payouts/approve", body{"ids": ids}, "Idempotency-Key", "one click on everything")
			if a.Status != http.StatusOK {
				t.Errorf("answered %s", a)
				return
			}
			answers[i] = decode[PayoutApprovals](t, a)
		})
	}
	wait.Wait()
	for i, a := range answers {
		if !slices.Equal(a.IDs, ids) || len(a.Errors) != 0 {
			t.Errorf("answer %d: %+v", i, a)
		}
	}
	for _, id := range ids {
		if p := get[Payout](t, b, "/v1/admin/payouts/"+id); p.Status != "approved" || len(p.Approvals) != 1 {
			t.Errorf("%s is %s with %+v", id, p.Status, p.Approvals)
		}
	}
}

// TestInterruptedApprovalsGoOn: after a request that ended in the middle, the same one approves the rest and answers for all.
func TestInterruptedApprovalsGoOn(t *testing.T) {
	b := open(t)
	b.payable(t, "mei", 20_000)
	ids := []string{b.reserved(t, "mei", 1000).ID, b.reserved(t, "mei", 1000).ID, b.reserved(t, "mei", 1000).ID}
	in := &approvePayoutsInput{}
	in.Key, in.Body.IDs = "interrupted in the middle", ids
	ctx := context.WithValue(t.Context(), visitKey{}, visit{subject: second().Subject, route: "POST /v1/admin/payouts/approve"})
	for _, id := range ids[:2] {
		if refused, err := b.admin.approveOne(ctx, in, id); refused != nil || err != nil {
			t.Fatalf("%+v, %v", refused, err)
		}
	}
	got := decode[PayoutApprovals](t, want(t, b.as(t, second(), "POST", "/v1/admin/payouts/approve", body{"ids": ids}, "Idempotency-Key", in.Key), http.StatusOK))
	if !slices.Equal(got.IDs, ids) || len(got.Errors) != 0 {
		t.Errorf("answered %+v", got)
	}
}

func TestPayoutsThatCannotBeApprovedTogether(t *testing.T) {
	b := open(t)
	many := make([]string, 101)
	for i := range many {
		many[i] = payout.ID("operator", fmt.Sprint(i))
	}
	for name, ids := range map[string]any{"none": []string{}, "too many": many, "one twice": []string{many[0], many[0]}, "no list": many[0], "nothing": nil} {
		if p := want(t, b.as(t, second(), "POST", "/v1/admin/payouts/approve", body{"ids": ids}), http.StatusBadRequest).Problem(t); len(p.Errors) == 0 {
			t.Errorf("%s: no field is named", name)
		}
	}
	if got := decode[PayoutApprovals](t, want(t, b.as(t, second(), "POST", "/v1/admin/payouts/approve", body{"ids": many[:100]}), http.StatusOK)); len(got.Errors) != 100 {
		t.Errorf("%d of 100 unknown ones are refused", len(got.Errors))
	}
	if a := want(t, b.as(t, second(), "GET", "/v1/admin/payouts/approve", nil), http.StatusMethodNotAllowed); a.Header.Get("Allow") != "POST" {
		t.Errorf("405 without Allow: %s", a)
	}
	wantCode(t, b.as(t, caller(auditor), "POST", "/v1/admin/payouts/approve", body{"ids": many[:1]}), http.StatusForbidden, "auditor_reads")
}
