package main

import (
	"net/http"
	"strings"
	"testing"

	"yundian/shared/identity"
	"yundian/shared/koc"
	"yundian/shared/ordering"
)

// TestWhatIsTheKOCsOwnIsKnownFromTheStart: the profile keeps the hashes of everything by which a KOC is reached, written with
// it, and those of what was there before.
func TestWhatIsTheKOCsOwnIsKnownFromTheStart(t *testing.T) {
	b := open(t)
	known := func(handle string) identity.Hashes {
		t.Helper()
		p, err := b.store.KOC(t.Context(), handle)
		if err != nil {
			t.Fatal(err)
		}
		return p.Identity
	}
	b.want(t, b.send(t, "", "POST", "/apply", application{Handle: "lin", Name: "林", Email: "Lin+shop@example.com"}), http.StatusCreated)
	if !known("lin").Meet(b.identity.Email("lin@example.com")) {
		t.Errorf("an applicant's e-mail is not known: %v", known("lin"))
	}
	b.koc(t, "mei")
	edit := func(body any) Me {
		t.Helper()
		var me Me
		b.want(t, b.send(t, "mei", "PATCH", "/v1/me", body), http.StatusOK).Decode(t, &me)
		return me
	}
	if me := edit(map[string]any{"phone": "００８６ 138－0000－0000"}); me.Phone != "+8613800000000" || !known("mei").Meet(b.identity.Phone("+8613800000000")) {
		t.Errorf("phone %q, known %v", me.Phone, known("mei"))
	}
	home := map[string]string{"country": "cn", "region": "浙江省", "city": "杭州市", "line1": "文三路　１号"}
	payee := bankWith(map[string]any{"phone": "+86 139 0000 0000", "address": home})
	door := b.identity.Place(identity.Place{Country: "CN", Region: "浙江", City: "杭州", Line: "文三路1号"})
	if me := edit(payee); me.Payout.Contact.Phone != "+8613900000000" || me.Payout.Contact.Address.Line1 != "文三路 １号" || me.Payout.HeldUntil != nil {
		t.Errorf("payout contact %+v", me.Payout)
	}
	edit(map[string]any{"phone": ""})
	for what, h := range map[string]identity.Hashes{"e-mail": b.identity.Email("mei@example.com"), "payout phone": b.identity.Phone("8613900000000"), "address": door,
		"phone of before": b.identity.Phone("+8613800000000")} {
		if !known("mei").Meet(h) {
			t.Errorf("the %s is not known: %v", what, known("mei"))
		}
	}
	p, err := b.store.Payee(t.Context(), "mei")
	if err != nil || strings.Contains(p.Sealed, "139") {
		t.Errorf("the contact is stored in plain text: %+v, %v", p, err)
	}
}

// bankWith is a bank account with a contact; without one for nil.
func bankWith(contact map[string]any) map[string]any {
	method := map[string]any{"rail": "bank", "account": "6222020200012345678", "name": "陈静"}
	if contact != nil {
		method["contact"] = contact
	}
	return map[string]any{"payout": method}
}

// TestAPayoutContactMovesNoMoney: a contact can change without a hold, stays when an edit does not name it, and is refused in
// words.
func TestAPayoutContactMovesNoMoney(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	edit := func(contact map[string]any, status int) Me {
		t.Helper()
		a := b.want(t, b.send(t, "mei", "PATCH", "/v1/me", bankWith(contact)), status)
		var me Me
		if status == http.StatusOK {
			a.Decode(t, &me)
		}
		return me
	}
	edit(nil, http.StatusOK)
	b.verify(t, "mei")
	if me := edit(map[string]any{"phone": "+86 139 0000 0000"}, http.StatusOK); me.Payout.HeldUntil != nil || !me.Payout.Verified || me.Payout.Contact.Phone == "" {
		t.Errorf("with a contact %+v", me.Payout)
	}
	if me := edit(nil, http.StatusOK); me.Payout.Contact.Phone != "+8613900000000" {
		t.Errorf("a contact was lost: %+v", me.Payout)
	}
	for _, wrong := range []map[string]any{{"phone": "139 0000 0000"}, {"phone": "call me"}, {"address": map[string]string{"line1": "文三路 1 号"}},
		{"address": map[string]string{"country": "CHN", "city": "杭州", "line1": "文三路 1 号"}}, {"address": map[string]string{"country": "CN", "city": "杭\x00州", "line1": "文三路 1 号"}}} {
		edit(wrong, http.StatusBadRequest)
	}
	b.want(t, b.send(t, "mei", "PATCH", "/v1/me", map[string]string{"phone": "139 0000 0000"}), http.StatusBadRequest)
	if me := get[Me](t, b, "mei", "/v1/me"); me.Payout.Contact != (HolderContact{Phone: "+8613900000000"}) || me.Phone != "" {
		t.Errorf("refused edits changed %+v", me)
	}
}

// TestHashesOfFunctionsMeet: what checkout keeps of an order is compared with what the portal keeps of a KOC.
func TestHashesOfFunctionsMeet(t *testing.T) {
	key := identity.Key("one key of both")
	var p koc.Profile
	p.Email, p.Phone = "mei@example.com", "+8613800000000"
	p.Recognise(key, nil)
	for _, c := range []ordering.Contact{{Phone: "+8613800000000"}, {Email: "mei@example.com"}} {
		if !p.Identity.Meet(ordering.IdentityOf(key, c, ordering.Address{})) {
			t.Errorf("%+v is not recognised", c)
		}
	}
}
