package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"yundian/shared/koc"
	"yundian/shared/web/webtest"
)

// confirm opens or presses a link to confirm an address, as a browser or as a program.
func (b *bench) confirm(t *testing.T, method, address string, form bool) webtest.Answer {
	t.Helper()
	path, query, _ := strings.Cut(address, "?")
	r := webtest.Request{Method: method, Path: path, Header: map[string]string{"Accept-Language": "en"}}
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case method == http.MethodGet:
		r.Query = query
		if form {
			r.Header["Accept"] = "text/html"
		} else {
			r.Header["Accept"] = "application/json"
		}
	case form:
		r.Form = url.Values{"secret": values["secret"]}
		r.Header["Accept"], r.Header["Origin"] = "text/html", "https://"+webtest.Host
	default:
		r.JSON = map[string]string{"secret": values.Get("secret")}
	}
	return webtest.Do(t, routes(b.portal), r)
}

func (b *bench) profile(t *testing.T, handle string) koc.Profile {
	t.Helper()
	p, err := b.store.KOC(t.Context(), handle)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestANewEmailAddress goes from entering it over the letter's page to the payouts that wait.
func TestANewEmailAddress(t *testing.T) {
	b := open(t)
	b.payable(t, "mei")
	var me Me
	b.want(t, b.send(t, "mei", "PATCH", "/v1/me", map[string]string{"email": "New@example.com", "name": "Mei"}), http.StatusOK).Decode(t, &me)
	if me.Email != "mei@example.com" || me.Pending != "new@example.com" || me.Name != "Mei" || me.Payout.HeldUntil != nil {
		t.Errorf("entered: %+v", me)
	}
	link := b.keys.EmailPath("mei", 1, "new@example.com")
	for range 2 { // programs that look for viruses open links
		if a := b.want(t, b.confirm(t, "GET", link, true), http.StatusOK); !strings.Contains(a.Body, "new@example.com") || !strings.Contains(a.Body, `<form method="post"`) || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("the page: %s", a)
		}
	}
	if p := b.profile(t, "mei"); p.Email != "mei@example.com" || p.Identity.Meet(b.identity.Email("new@example.com")) {
		t.Errorf("opening the link changed %+v", p)
	}
	b.at = b.at.Add(47 * time.Hour)
	if a := b.want(t, b.confirm(t, "POST", link, true), http.StatusOK); !strings.Contains(a.Body, "Letters go to new@example.com from now on.") || strings.Contains(a.Body, "<form method") {
		t.Errorf("confirmed: %s", a)
	}
	until := b.at.Add(72 * time.Hour)
	me = get[Me](t, b, "mei", "/v1/me")
	if p := b.profile(t, "mei"); me.Email != "new@example.com" || me.Pending != "" || !me.Payout.HeldUntil.Equal(until) || !p.Identity.Meet(b.identity.Email("new@example.com")) || !p.Identity.Meet(b.identity.Email("mei@example.com")) {
		t.Errorf("afterwards %+v, %+v", me, p)
	}
	b.at = b.at.Add(time.Hour)
	var again emailAnswer
	b.want(t, b.confirm(t, "POST", link, false), http.StatusOK).Decode(t, &again)
	if version := b.profile(t, "mei").Version; !again.Confirmed || !again.HeldUntil.Equal(until) || again.Email != "new@example.com" || get[Me](t, b, "mei", "/v1/me").Payout.HeldUntil.Equal(b.at.Add(72*time.Hour)) {
		t.Errorf("pressed again: %+v, version %d", again, version)
	}
	b.refused(t, b.send(t, "mei", "POST", "/v1/withdrawals", withdrawal(5000), "Idempotency-Key", "withdrawal while held"), http.StatusConflict, "payout_held")
	b.at = until
	b.want(t, b.send(t, "mei", "POST", "/v1/withdrawals", withdrawal(5000), "Idempotency-Key", "withdrawal afterwards"), http.StatusCreated)
}

// TestLinksThatConfirmNothing: whatever is wrong with a link has one answer and leaves everything as it was.
func TestLinksThatConfirmNothing(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.koc(t, "lin")
	enter := func(email string) {
		t.Helper()
		b.want(t, b.send(t, "mei", "PATCH", "/v1/me", map[string]string{"email": email}), http.StatusOK)
	}
	enter("first@example.com")
	enter("new@example.com")
	good := b.keys.EmailPath("mei", 2, "new@example.com")
	for name, link := range map[string]string{
		"replaced":        b.keys.EmailPath("mei", 1, "first@example.com"),
		"another address": b.keys.EmailPath("mei", 2, "thief@example.com"),
		"another KOC's":   strings.Replace(good, "/mei", "/lin", 1),
		"nobody's":        strings.Replace(good, "/mei", "/nobody", 1),
		"no handle":       strings.Replace(good, "/mei", "/No%20Body", 1),
		"another number":  strings.Replace(good, "secret=2", "secret=3", 1),
		"cut":             good[:len(good)-1],
		"no secret":       "/confirm-email/mei",
		"no form":         "/confirm-email/mei?secret=x",
		"huge":            "/confirm-email/mei?secret=2." + strings.Repeat("a", 5000),
	} {
		for _, a := range []webtest.Answer{b.confirm(t, "GET", link, true), b.confirm(t, "GET", link, false), b.confirm(t, "POST", link, true), b.confirm(t, "POST", link, false)} {
			if a.Status != http.StatusNotFound || !strings.Contains(a.Body, "This link is not valid") || strings.Contains(a.Body, "@example.com") {
				t.Errorf("%s: %.600s", name, a)
			}
		}
	}
	foreign := webtest.Request{Method: "POST", Path: "/confirm-email/mei", Form: url.Values{"secret": {strings.TrimPrefix(good, "/confirm-email/mei?secret=")}}, Header: map[string]string{"Origin": "https://evil.example"}}
	if a := webtest.Do(t, routes(b.portal), foreign); a.Status != http.StatusForbidden {
		t.Errorf("from another site: %s", a)
	}
	late := b.at
	b.at = b.at.Add(koc.ConfirmHours * time.Hour)
	b.want(t, b.confirm(t, "POST", good, false), http.StatusNotFound)
	if me := get[Me](t, b, "mei", "/v1/me"); me.Pending != "" || me.Email != "mei@example.com" {
		t.Errorf("too late: %+v", me)
	}
	b.at = late
	if _, err := b.store.UpdateKOC(t.Context(), "mei", func(p *koc.Profile) error { return p.Suspend("fraud", b.at) }, nil); err != nil {
		t.Fatal(err)
	}
	b.want(t, b.send(t, "mei", "PATCH", "/v1/me", map[string]string{"email": "x@example.com"}), http.StatusForbidden)
	b.want(t, b.confirm(t, "POST", good, false), http.StatusForbidden)
	if p := b.profile(t, "mei"); p.Email != "mei@example.com" || len(p.Emails) > 0 {
		t.Errorf("a suspended KOC changed %+v", p)
	}
}

// TestEnteringAnAddress: the one in force withdraws another, and nobody has the shop write to strangers all day.
func TestEnteringAnAddress(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	enter := func(email string, status int) Me {
		t.Helper()
		a := b.want(t, b.send(t, "mei", "PATCH", "/v1/me", map[string]string{"email": email}), status)
		if status != http.StatusOK {
			return Me{}
		}
		var me Me
		a.Decode(t, &me)
		return me
	}
	enter("new@example.com", http.StatusOK)
	if me := enter("mei@example.com", http.StatusOK); me.Pending != "" || me.Email != "mei@example.com" {
		t.Errorf("withdrawn: %+v", me)
	}
	for range koc.MaxAsksADay - 1 {
		enter("new@example.com", http.StatusOK)
	}
	enter("new@example.com", http.StatusTooManyRequests)
	if p := b.profile(t, "mei"); p.EmailChange.N != koc.MaxAsksADay {
		t.Errorf("asked %+v", p.EmailChange)
	}
}
