package main

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"yundian/shared/attribution"
	"yundian/shared/koc"
	"yundian/shared/locale"
	"yundian/shared/web/webtest"
)

func (b *bench) form(t *testing.T, values url.Values, with ...string) webtest.Answer {
	t.Helper()
	r := webtest.Request{Method: "POST", Path: "/apply", Form: values, Header: map[string]string{"Accept": "text/html", "Accept-Language": "en"}}
	for i := 0; i+1 < len(with); i += 2 {
		r.Header[with[i]] = with[i+1]
	}
	return webtest.Do(t, routes(b.portal), r)
}

func TestApplyAsJSON(t *testing.T) {
	b := open(t)
	send := func(status int, body any, with ...string) webtest.Answer {
		t.Helper()
		return b.want(t, b.send(t, "", "POST", "/apply", body, with...), status)
	}
	mei := map[string]string{"handle": "mei", "name": "  小美 \u202E", "email": "mei@example.com", "story": "我每天穿"}
	if a := send(http.StatusCreated, mei); strings.TrimSpace(a.Body) != `{"handle":"mei","status":"applied"}` {
		t.Errorf("applied: %s", a)
	}
	p, err := b.store.KOC(t.Context(), "mei")
	if err != nil || p.Status() != koc.Applied || p.Name != "小美" || p.Story != "我每天穿" || p.Subject != "" {
		t.Fatalf("the applicant is %+v, %v", p, err)
	}
	send(http.StatusCreated, mei) // sent twice
	mei["email"] = "other@example.com"
	send(http.StatusConflict, mei)
	if again, _ := b.store.KOC(t.Context(), "mei"); again.Email != "mei@example.com" || again.Version != p.Version {
		t.Errorf("applying again changed %+v", again)
	}
	if a := send(http.StatusBadRequest, map[string]string{"handle": "A b", "name": "", "email": "x", "story": strings.Repeat("长", 3000)}); len(a.Problem(t).Errors) != 4 {
		t.Errorf("named %v", a.Problem(t).Errors)
	}
	good := map[string]string{"handle": "lin", "name": "Lin", "email": "lin@example.com"}
	send(http.StatusBadRequest, `{"handle": "lin", "name": "Lin", "email": "lin@example.com", "status": "approved"}`)
	send(http.StatusBadRequest, `{"handle": "lin", "name": "Lin", "email": "lin@example.com", "role": "operator"}`)
	send(http.StatusUnsupportedMediaType, `{}`, "Content-Type", "text/plain")
	send(http.StatusForbidden, good, "Origin", "https://evil.example")
	send(http.StatusForbidden, good, "Origin", "null")
	if _, err := b.store.KOC(t.Context(), "lin"); err == nil {
		t.Error("a refused application was kept")
	}
	send(http.StatusCreated, good)
}

func TestApplyByForm(t *testing.T) {
	b := open(t)
	page := webtest.Do(t, routes(b.portal), webtest.Request{Path: "/apply", Header: map[string]string{"Accept": "text/html", "Accept-Language": "zh-TW"}})
	if page.Status != http.StatusOK || !strings.Contains(page.Body, `name="handle"`) || !strings.Contains(page.Body, `lang="zh-Hant"`) {
		t.Fatalf("the form is %s", page)
	}
	hostile := url.Values{"handle": {"x"}, "name": {`"><img src=x onerror=alert(1)>`}, "email": {"no"}, "story": {"</textarea><script>alert(1)</script>"}}
	a := b.form(t, hostile)
	if a.Status != http.StatusBadRequest || strings.Contains(a.Body, "<script>alert") || strings.Contains(a.Body, "<img") || !strings.Contains(a.Body, "onerror=alert(1)") {
		t.Errorf("a refused form came back as %s", a)
	}
	if n := strings.Count(a.Body, `class="field-error"`); n != 2 {
		t.Errorf("%d fields are named", n)
	}
	if csp := a.Header.Get("Content-Security-Policy"); csp == "" || strings.Contains(csp, "unsafe-inline") {
		t.Errorf("policy %q", csp)
	}
	good := url.Values{"handle": {"mei"}, "name": {"小美"}, "email": {"mei@example.com"}, "story": {""}}
	if a := b.form(t, good, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); a.Status != http.StatusForbidden {
		t.Errorf("another site's form: %s", a)
	}
	if a := b.form(t, good, "Origin", "https://"+webtest.Host); a.Status != http.StatusCreated || !strings.Contains(a.Body, "Thank you") {
		t.Errorf("applied: %s", a)
	}
	if a := b.form(t, url.Values{"handle": {"mei"}, "name": {"x"}, "email": {"x@example.com"}}); a.Status != http.StatusConflict || !strings.Contains(a.Body, "mei") {
		t.Errorf("a taken handle: %s", a)
	}
}

func TestApplicationsPerSource(t *testing.T) {
	b := open(t)
	apply := func(n int) webtest.Answer {
		return b.send(t, "", "POST", "/apply", map[string]string{"handle": fmt.Sprintf("koc-%d", n), "name": "K", "email": "k@example.com"})
	}
	for n := range applyLimit {
		b.want(t, apply(n), http.StatusCreated)
	}
	b.want(t, apply(applyLimit), http.StatusTooManyRequests)
	if _, err := b.store.KOC(t.Context(), fmt.Sprintf("koc-%d", applyLimit)); err == nil {
		t.Error("one too many was kept")
	}
	b.at = b.at.AddDate(0, 0, 1)
	b.want(t, apply(applyLimit), http.StatusCreated)
}

func TestThePageIsStaticAndLockedDown(t *testing.T) {
	b := open(t)
	fetch := func(path string, with ...string) webtest.Answer { return b.send(t, "", "GET", path, nil, with...) }
	a := fetch("/portal")
	if a.Status != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		t.Fatalf("the page is %s", a)
	}
	csp := a.Header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "connect-src 'self' https://login.example;") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "script-src 'self';") {
		t.Errorf("policy %q", csp)
	}
	for _, inline := range []string{"<style", "style=\"", "onclick", "onload", "javascript:"} {
		if strings.Contains(a.Body, inline) {
			t.Errorf("the page holds %q, which its policy forbids", inline)
		}
	}
	if again := fetch("/portal", "If-None-Match", a.Header.Get("ETag")); again.Status != http.StatusNotModified || again.Body != "" {
		t.Errorf("asking again gave %s", again)
	}
	files, err := static.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Name() == "portal.html" {
			continue
		}
		if a := fetch("/portal/" + f.Name()); a.Status != http.StatusOK || a.Header.Get("Content-Type") == "" || a.Body == "" || a.Header.Get("ETag") == "" {
			t.Errorf("%s: %s", f.Name(), a)
		}
	}
	for _, name := range []string{"portal.html", "unknown.js", "main.go", "..%2fmain.go", "words.xx.json", "words..json", "config.json.js", "%", "?"} {
		if a := fetch("/portal/" + name); a.Status != http.StatusNotFound {
			t.Errorf("%q: %s", name, a)
		}
	}
	var c config
	fetch("/portal/config.json").Decode(t, &c)
	if c != (config{login{"https://login.example/pool", "portal"}, "openid yundian/koc", "云店"}) {
		t.Errorf("config is %+v", c)
	}
}

func TestLoginOrigins(t *testing.T) {
	for issuer, want := range map[string]string{
		"https://login.example/pool":                            "https://login.example",
		"http://127.0.0.1:8080/_local/issuer":                   "http://127.0.0.1:8080",
		"https://cognito-idp.ap-southeast-1.amazonaws.com/pool": "https://cognito-idp.ap-southeast-1.amazonaws.com https://*.auth.ap-southeast-1.amazoncognito.com",
		"https://cognito-idp.evil.example.amazonaws.com.evil/x": "https://cognito-idp.evil.example.amazonaws.com.evil",
		"":                         "",
		"https://login.example; x": "",
	} {
		if got := strings.Join(login{Issuer: issuer}.origins(), " "); got != want {
			t.Errorf("%q gives %q, want %q", issuer, got, want)
		}
	}
}

// said finds what the scripts say by its name, also where one of two names is chosen.
var said = regexp.MustCompile(`\bt\((?:[^()"]*\? )?"([a-z_]+)"(?: : "([a-z_]+)")?[,)]`)

// TestThePageSpeaksAllLanguages holds the page's words to what its scripts say, in every language.
func TestThePageSpeaksAllLanguages(t *testing.T) {
	b := open(t)
	scripts := ""
	files, err := static.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if text, err := static.ReadFile("static/" + f.Name()); err == nil && strings.HasSuffix(f.Name(), ".js") {
			scripts += string(text)
		}
	}
	used := strings.Fields("available_hint pending_hint in_payout_hint paid_hint debt_hint outcome_won outcome_lost " +
		"tax_withheld tax_withheld_hint fees fees_hint tab_earnings tab_links tab_orders tab_me profile_name profile_story profile_portrait profile_email")
	for _, m := range said.FindAllStringSubmatch(scripts, -1) {
		used = append(used, m[1])
		if m[2] != "" {
			used = append(used, m[2])
		}
	}
	if len(used) < 100 {
		t.Fatalf("found only %d words in the scripts", len(used))
	}
	for prefix, names := range map[string]string{
		"status_": "held confirmed paid shipped delivered cancelled expired",
		"kind_":   "accrual refund release payout clawback bonus adjustment tax fee",
		"rule_":   "default product inviter other month",
		"sub_":    "earnings entries withdraw statements links orders me webhooks",
		"payout_": "reserved approved rejected sending unknown paid failed",
		"cause_":  "withdrawal schedule operator",
		"cycle_":  "none weekly monthly",
		"tax_by_": "month year", "tax_text_": "month year",
		"rail_": "bank stripe sandbox", "account_": "bank stripe sandbox",
		"hook_": "active paused dead", "sent_": "due delivered failed kept",
		"problem_": "status redirect address timeout unreachable",
		"reason_": strings.Join([]string{attribution.WonByCode, attribution.WonByLink, attribution.NoEvidence, attribution.NoneEligible, attribution.LostToCode,
			attribution.LostToLaterLink, attribution.LostSameKOC, attribution.LostForged, attribution.LostExpired, attribution.LostFuture, attribution.LostMalformed,
			attribution.LostUnknown, attribution.LostNotApproved, attribution.LostSuspended}, " "),
	} {
		for name := range strings.FieldsSeq(names) {
			used = append(used, prefix+name)
		}
	}
	dynamic := regexp.MustCompile(`^(status|kind|reason|rule|channel|tab|sub|profile|outcome|login|payout|cause|cycle|tax|rail|account|hook|sent|problem)_|_hint$`)
	for _, l := range locale.Languages {
		words := map[string]any{}
		b.want(t, b.send(t, "", "GET", "/portal/words."+string(l)+".json", nil), http.StatusOK).Decode(t, &words)
		for _, name := range used {
			if words[name] == nil {
				t.Errorf("%s: no word %q", l, name)
			}
		}
		for name := range words {
			if !dynamic.MatchString(name) && !strings.Contains(scripts, `"`+name+`"`) {
				t.Errorf("%s: nobody says %q", l, name)
			}
		}
	}
}
