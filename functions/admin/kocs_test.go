package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"yundian/shared/koc"
	"yundian/shared/web/webtest"
)

func mei() body { return body{"handle": "mei", "name": "小美", "email": "mei@example.com"} }

func TestKOCs(t *testing.T) {
	b := open(t)
	a := decode[KOC](t, want(t, b.send(t, "POST", "/v1/admin/kocs", mei()), 201))
	if a.ID != "mei" || a.Handle != "mei" || a.Status != "applied" || a.Bound {
		t.Fatalf("created %+v", a)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/kocs", mei()), 409, "handle_taken")
	wantField(t, b.send(t, "POST", "/v1/admin/kocs", body{"handle": "-", "name": "x", "email": "x"}), "body.handle")

	first := decode[Approval](t, want(t, b.send(t, "POST", "/v1/admin/kocs/mei/approve", nil), 200))
	if first.Status != "approved" || len(first.Invite) < 20 || first.InviteURL != "https://"+webtest.Host+"/portal#invite="+first.Invite || first.ExpiresAt == nil {
		t.Fatalf("approved %+v", first)
	}
	// A lost invitation is replaced; the old one is worth nothing any more.
	second := decode[Approval](t, want(t, b.send(t, "POST", "/v1/admin/kocs/mei/approve", body{}), 200))
	p, err := b.store.KOC(t.Context(), "mei")
	if err != nil || second.Invite == first.Invite || p.Invite != koc.InviteHash(second.Invite) {
		t.Errorf("second approval %+v, profile %+v, %v", second, p, err)
	}
	for _, invite := range []string{first.Invite, second.Invite} {
		if handle, err := b.store.InvitedKOC(t.Context(), koc.InviteHash(invite)); err != nil || handle != "mei" {
			t.Errorf("invitation leads to %q, %v", handle, err)
		}
	}
	if strings.Contains(fmt.Sprintf("%+v", p), second.Invite) {
		t.Error("the invitation itself is kept")
	}

	if s := decode[KOC](t, want(t, b.send(t, "POST", "/v1/admin/kocs/mei/suspend", body{"reason": "刷单"}), 200)); s.Status != "suspended" || s.Standings[2].Reason != "刷单" {
		t.Errorf("suspended %+v", s)
	}
	want(t, b.send(t, "POST", "/v1/admin/kocs/mei/suspend", body{}), 200) // a reason is not required
	if p, err := b.store.KOC(t.Context(), "mei"); err != nil || p.Status() != koc.Suspended || p.Invite != "" {
		t.Errorf("profile %+v, %v", p, err)
	}
	want(t, b.send(t, "POST", "/v1/admin/kocs/nobody/approve", nil), 404)
	want(t, b.send(t, "POST", "/v1/admin/kocs/nobody/suspend", body{"reason": "x"}), 404)
	if page := get[KOCPage](t, b, "/v1/admin/kocs?status=suspended"); len(page.Items) != 1 || page.Items[0].Handle != "mei" {
		t.Errorf("page %+v", page)
	}
	if page := get[KOCPage](t, b, "/v1/admin/kocs?status=approved"); len(page.Items) != 0 || page.Next != "" {
		t.Errorf("page %+v", page)
	}
}

func TestApproveBoundKOC(t *testing.T) {
	b := open(t)
	b.approve(t, "mei")
	_, err := b.store.UpdateKOC(t.Context(), "mei", func(p *koc.Profile) error { p.Subject, p.Invite = "login", ""; return nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/kocs/mei/approve", nil), 409, "koc_already_approved")
	want(t, b.send(t, "POST", "/v1/admin/kocs/mei/suspend", body{"reason": "x"}), 200)
	a := want(t, b.send(t, "POST", "/v1/admin/kocs/mei/approve", nil), 200)
	if got := decode[Approval](t, a); got.Status != "approved" || got.Invite != "" || !got.Bound {
		t.Errorf("approved again %s", a)
	}
	if handle, err := b.store.InvitedKOC(t.Context(), koc.InviteHash(b.last())); err != nil || handle != "" {
		t.Errorf("an invitation that nobody was given leads to %q, %v", handle, err)
	}
}

// TestApproveWithKey: the same key gives the same invitation, although only its hash is kept.
func TestApproveWithKey(t *testing.T) {
	b := open(t)
	want(t, b.send(t, "POST", "/v1/admin/kocs", mei()), 201)
	want(t, b.send(t, "POST", "/v1/admin/kocs", body{"handle": "bob", "name": "Bob", "email": "bob@example.com"}), 201)
	var answers [4]webtest.Answer
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			answers[i] = b.send(t, "POST", "/v1/admin/kocs/mei/approve", nil, "Idempotency-Key", "approve-key-0001")
		})
	}
	group.Wait()
	first := decode[Approval](t, want(t, answers[0], 200))
	for _, a := range answers {
		if got := decode[Approval](t, want(t, a, 200)); got.Invite == "" || got.Invite != first.Invite {
			t.Errorf("answer %s", a)
		}
	}
	p, err := b.store.KOC(t.Context(), "mei")
	if err != nil || p.Invite != koc.InviteHash(first.Invite) || len(p.Standings) != 2 {
		t.Errorf("profile %+v, %v", p, err)
	}
	if bo := decode[Approval](t, want(t, b.send(t, "POST", "/v1/admin/kocs/bob/approve", nil, "Idempotency-Key", "approve-key-0001"), 200)); bo.Invite == first.Invite {
		t.Error("two KOCs have the same invitation")
	}
	// Once it is replaced or used, the key does not bring it back.
	want(t, b.send(t, "POST", "/v1/admin/kocs/mei/approve", nil), 200)
	if again := decode[Approval](t, want(t, b.send(t, "POST", "/v1/admin/kocs/mei/approve", nil, "Idempotency-Key", "approve-key-0001"), 200)); again.Invite != "" {
		t.Errorf("an invitation that was replaced came back: %+v", again)
	}
}

func TestCreateKOCWithKey(t *testing.T) {
	b := open(t)
	for range 2 {
		want(t, b.send(t, "POST", "/v1/admin/kocs", mei(), "Idempotency-Key", "create-key-00001"), 201)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/kocs", body{"handle": "bob", "name": "Bob", "email": "bob@example.com"}, "Idempotency-Key", "create-key-00001"), 422, "idempotency_mismatch")
	want(t, b.send(t, "POST", "/v1/admin/kocs/bob/approve", nil), 404)
}

func TestListKOCs(t *testing.T) {
	b := open(t)
	for i := range 5 {
		b.approve(t, fmt.Sprint("koc-", i))
		b.at = b.at.Add(time.Minute)
	}
	var handles []string
	for cursor := ""; ; {
		page := get[KOCPage](t, b, "/v1/admin/kocs?limit=2&status=approved&cursor="+cursor)
		for _, k := range page.Items {
			handles = append(handles, k.Handle)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if got := strings.Join(handles, " "); got != "koc-0 koc-1 koc-2 koc-3 koc-4" {
		t.Errorf("KOCs %s", got)
	}
}

// TestAKOCIsKnownFromTheStart: an order with a new KOC's own e-mail or phone is recognised before the KOC has ever logged in.
func TestAKOCIsKnownFromTheStart(t *testing.T) {
	b := open(t)
	want(t, b.send(t, "POST", "/v1/admin/kocs", map[string]string{"handle": "mei", "name": "Mei", "email": "Mei@example.com", "phone": "+86 138 0000 0000"}), 201)
	p, err := b.store.KOC(t.Context(), "mei")
	if err != nil || p.Phone != "+8613800000000" || !p.Identity.Meet(b.identity.Email("mei@example.com")) || !p.Identity.Meet(b.identity.Phone("+8613800000000")) {
		t.Errorf("%+v, %v", p, err)
	}
	want(t, b.send(t, "POST", "/v1/admin/kocs", map[string]string{"handle": "lin", "name": "Lin", "email": "lin@example.com", "phone": "138 0000 0000"}), 400)
}

// TestOperatorsChangeAnAddressByTheSameRules: an operator may be mistaken, or whoever has an operator's login.
func TestOperatorsChangeAnAddressByTheSameRules(t *testing.T) {
	b := open(t)
	want(t, b.send(t, "POST", "/v1/admin/kocs", map[string]string{"handle": "mei", "name": "Mei", "email": "mei@example.com"}), 201)
	var k KOC
	want(t, b.send(t, "PATCH", "/v1/admin/kocs/mei", map[string]string{"email": "New@example.com", "phone": "+86 138 0000 0000"}), 200).Decode(t, &k)
	if k.Email != "mei@example.com" || k.Pending != "new@example.com" || k.Phone != "+8613800000000" || k.HeldUntil != nil {
		t.Errorf("asked: %+v", k)
	}
	want(t, b.send(t, "PATCH", "/v1/admin/kocs/mei", map[string]string{"email": "nowhere"}), 400)
	if _, err := b.store.UpdateKOC(t.Context(), "mei", func(p *koc.Profile) error { return p.ConfirmEmail(1, 72*time.Hour, b.at) }, nil); err != nil {
		t.Fatal(err)
	}
	want(t, b.send(t, "GET", "/v1/admin/kocs/mei", nil), 200).Decode(t, &k)
	if k.Email != "new@example.com" || k.HeldUntil == nil || k.Tier != "" {
		t.Errorf("confirmed: %+v", k)
	}
	want(t, b.send(t, "POST", "/v1/admin/kocs/mei/suspend", map[string]string{"reason": "fraud"}), 200)
	want(t, b.send(t, "PATCH", "/v1/admin/kocs/mei", map[string]string{"email": "x@example.com"}), 409)
	want(t, b.send(t, "PATCH", "/v1/admin/kocs/mei", map[string]string{"tier": "gold"}), 200)
}
