package main

import (
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"yundian/infra/rules"
	"yundian/shared/koc"
	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

func TestRoutesAreTheTemplates(t *testing.T) {
	declared, err := rules.Routes("portal")
	if err != nil {
		t.Fatal(err)
	}
	mux, described := serve(&portal{})
	methods := map[string][]string{"/portal": {"GET"}, "/portal/{file}": {"GET"}, "/apply": {"GET", "POST"}, "/confirm-email/{handle}": {"GET", "POST"}}
	for path, item := range described.OpenAPI().Paths {
		for method, o := range map[string]bool{"GET": item.Get != nil, "POST": item.Post != nil, "PUT": item.Put != nil, "PATCH": item.Patch != nil, "DELETE": item.Delete != nil} {
			if o {
				methods[path] = append(methods[path], method)
			}
		}
	}
	for _, route := range declared {
		if len(methods[route.Path]) == 0 {
			t.Errorf("the template declares %s, which nothing serves", route.Path)
		}
		if api := strings.HasPrefix(route.Path, "/v1/"); api != (len(route.Scopes) == 1 && route.Scopes[0] == scope) {
			t.Errorf("%s asks for scopes %q", route.Path, route.Scopes)
		}
		for _, method := range methods[route.Path] {
			r, err := http.NewRequest(method, route.Path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, pattern := mux.Handler(r); pattern != method+" "+route.Path {
				t.Errorf("%s %s is served by %q", method, route.Path, pattern)
			}
		}
		delete(methods, route.Path)
	}
	if len(methods) > 0 {
		t.Errorf("served and not declared in the template: %v", methods)
	}
}

// apiRoutes are requests to every operation, with a body that each of them accepts as JSON.
var apiRoutes = []struct {
	method, path string
	body         any
}{
	{"GET", "/v1/me", nil}, {"PATCH", "/v1/me", map[string]any{}},
	{"GET", "/v1/links", nil}, {"POST", "/v1/links", map[string]any{"target": "storefront", "channel": "wechat"}},
	{"GET", "/v1/shelf", nil}, {"PUT", "/v1/shelf", map[string]any{"items": []any{}}},
	{"GET", "/v1/products", nil}, {"GET", "/v1/earnings", nil}, {"GET", "/v1/earnings/entries", nil},
	{"GET", "/v1/withdrawals", nil}, {"POST", "/v1/withdrawals", map[string]any{"amount": 5000, "currency": "CNY"}},
	{"GET", "/v1/orders", nil}, {"GET", "/v1/orders/o1/attribution", nil}, {"GET", "/v1/stats", nil},
	{"GET", "/v1/webhooks", nil}, {"POST", "/v1/webhooks", map[string]any{"url": "https://a.example/in"}}, {"GET", "/v1/webhooks/o1", nil},
	{"PATCH", "/v1/webhooks/o1", map[string]any{}}, {"DELETE", "/v1/webhooks/o1", nil}, {"POST", "/v1/webhooks/o1/rotate", nil}, {"POST", "/v1/webhooks/o1/test", nil},
	{"GET", "/v1/webhooks/o1/deliveries", nil}, {"POST", "/v1/webhooks/o1/redeliver", map[string]any{"from": "2026-03-01T00:00:00Z"}},
}

func TestOnlyApprovedKOCsGetIn(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.koc(t, "lin")
	if _, err := b.store.UpdateKOC(t.Context(), "lin", func(p *koc.Profile) error { return p.Suspend("fraud", b.at) }, nil); err != nil {
		t.Fatal(err)
	}
	strangers := map[string]*web.Caller{
		"no login": nil, "unbound login": caller("nobody"), "suspended": caller("lin"),
		"no scope":        {Subject: subject("mei")},
		"operator":        {Subject: subject("mei"), Scopes: []string{"yundian/operator"}, Groups: []string{"operator"}},
		"look-alike":      {Subject: subject("mei"), Scopes: []string{"yundian/koc2", "xyundian/koc"}},
		"subject in case": {Subject: strings.ToUpper(subject("mei")), Scopes: []string{scope}},
	}
	for _, route := range apiRoutes {
		for name, who := range strangers {
			a := webtest.Do(t, routes(b.portal), webtest.Request{Method: route.method, Path: route.path, JSON: route.body, Caller: who})
			if name == "suspended" && route.method == http.MethodGet {
				continue
			}
			if a.Status != http.StatusForbidden {
				t.Errorf("%s: %s %s gave %s", name, route.method, route.path, a)
				continue
			}
			a.Problem(t)
		}
		if a := b.send(t, "mei", route.method, route.path, route.body); a.Status >= 300 && !strings.Contains(route.path, "o1") && (a.Status != http.StatusConflict || route.path != "/v1/withdrawals") {
			t.Errorf("mei: %s %s gave %s", route.method, route.path, a)
		}
	}
	if p, err := b.store.KOC(t.Context(), "lin"); err != nil || p.Shelf != nil {
		t.Errorf("a suspended KOC's request left a trace: %+v, %v", p, err)
	}
}

func TestNobodyAsksForAnother(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.koc(t, "lin")
	for _, route := range apiRoutes {
		if route.method != "GET" || strings.Contains(route.path, "o1") {
			continue
		}
		b.want(t, b.send(t, "mei", "GET", route.path+"?koc=lin", nil), http.StatusForbidden)
		b.want(t, b.send(t, "mei", "GET", route.path+"?koc=mei&koc=lin", nil), http.StatusForbidden)
		b.want(t, b.send(t, "mei", "GET", route.path+"?koc=mei", nil), http.StatusOK)
	}
}

func TestUnknownMembersAreRefused(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"PATCH", "/v1/me", `{"handle": "lin"}`, 400}, {"PATCH", "/v1/me", `{"status": "approved"}`, 400}, {"PATCH", "/v1/me", `{"role": "operator"}`, 400},
		{"PATCH", "/v1/me", `{"payout": {"iban": "x"}}`, 400}, {"PATCH", "/v1/me", `{"payout": {"rail": "bank", "account": "6222020200012345678", "name": "Mei", "verified": true}}`, 400},
		{"POST", "/v1/withdrawals", `{"amount": 5000, "currency": "CNY", "koc": "lin"}`, 400}, {"POST", "/v1/withdrawals", `{"amount": 0, "currency": "CNY"}`, 400},
		{"POST", "/v1/withdrawals", `{"amount": -1, "currency": "CNY"}`, 400}, {"POST", "/v1/withdrawals", `{"amount": 50.5, "currency": "CNY"}`, 400},
		{"POST", "/v1/withdrawals", `{"amount": "5000", "currency": "CNY"}`, 400}, {"POST", "/v1/withdrawals", `{"amount": 9223372036854775808, "currency": "CNY"}`, 400},
		{"POST", "/v1/withdrawals", `{"amount": 5000, "currency": "XYZ"}`, 400}, {"POST", "/v1/withdrawals", `{"amount": 5000}`, 400}, {"PATCH", "/v1/me", `{"Name": "x"}`, 400}, {"PATCH", "/v1/me", `{"name": null, "name": "x"}`, 400},
		{"POST", "/v1/me", `{"invite": "x", "kocId": "lin"}`, 400}, {"POST", "/v1/me", `{}`, 400}, {"POST", "/v1/me", ``, 400},
		{"POST", "/v1/links", `{"target": "storefront", "channel": "wechat", "rate": 10000}`, 400},
		{"POST", "/v1/links", `{"target": "storefront", "channel": "wechat", "koc": "lin"}`, 400},
		{"POST", "/v1/links", `{"target": "storefront"}`, 400}, {"POST", "/v1/links", `{"target": 1, "channel": "wechat"}`, 400},
		{"POST", "/v1/links", `[]`, 400}, {"POST", "/v1/links", `{"target": "storefront", "channel": "wechat"} x`, 400},
		{"PUT", "/v1/shelf", `{"items": [{"product": "tea", "note": "", "price": 1}]}`, 400}, {"PUT", "/v1/shelf", `{"items": null}`, 400},
		{"PUT", "/v1/shelf", strings.Repeat("[", 400), 400}, {"PUT", "/v1/shelf", `{"items": ["` + strings.Repeat("a", 600<<10) + `"]}`, 413}, {"POST", "/v1/links", `{"target": "` + strings.Repeat("a", 300<<10) + `"}`, 413},
	} {
		b.want(t, b.send(t, "mei", c.method, c.path, c.body), c.status)
	}
	b.want(t, b.send(t, "mei", "PATCH", "/v1/me", `{"name": "x"}`, "Content-Type", "text/plain"), 415)
	if me := get[Me](t, b, "mei", "/v1/me"); me.Name != "KOC mei" || me.Handle != "mei" {
		t.Errorf("refused requests changed %+v", me)
	}
}

func TestWrongMethods(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	for _, c := range [][2]string{{"DELETE", "/v1/me"}, {"PUT", "/v1/links"}, {"POST", "/v1/shelf"}, {"POST", "/v1/earnings"}, {"DELETE", "/v1/orders"}, {"PUT", "/apply"}, {"POST", "/portal"}} {
		if a := b.want(t, b.send(t, "mei", c[0], c[1], nil), http.StatusMethodNotAllowed); a.Header.Get("Allow") == "" {
			t.Errorf("%v: no Allow", c)
		}
	}
}

func TestAnInvitationBindsOneLoginOnce(t *testing.T) {
	b := open(t)
	b.invited(t, "mei", "invitation of mei")
	b.invited(t, "lin", "invitation of lin")
	invite := func(text string) map[string]string { return map[string]string{"invite": text} }
	bad := b.want(t, b.send(t, "mei", "POST", "/v1/me", invite("unknown")), http.StatusBadRequest)

	var me Me
	b.want(t, b.send(t, "mei", "POST", "/v1/me", invite("invitation of mei")), http.StatusOK).Decode(t, &me)
	if me.Handle != "mei" || me.Status != "approved" || me.URL != "https://"+webtest.Host+"/s/mei" || me.Shop.Currency != "CNY" || me.Shop.DefaultRate != 1000 {
		t.Errorf("bound as %+v", me)
	}
	b.want(t, b.send(t, "mei", "POST", "/v1/me", invite("invitation of mei")), http.StatusOK) // sent again
	if got := get[Me](t, b, "mei", "/v1/me"); !reflect.DeepEqual(got, me) {
		t.Errorf("me is %+v, want %+v", got, me)
	}
	used := b.want(t, b.send(t, "thief", "POST", "/v1/me", invite("invitation of mei")), http.StatusBadRequest)
	if used.Problem(t).Detail != bad.Problem(t).Detail || used.Problem(t).Type != bad.Problem(t).Type {
		t.Errorf("a used invitation is told apart from an unknown one:\n%s\n%s", used, bad)
	}
	b.want(t, b.send(t, "mei", "POST", "/v1/me", invite("invitation of lin")), http.StatusConflict)
	b.want(t, b.send(t, "lin", "POST", "/v1/me", invite("invitation of lin")), http.StatusOK) // still unused

	b.invited(t, "old", "invitation of old")
	b.at = b.at.AddDate(0, 0, koc.InviteDays+1)
	late := b.want(t, b.send(t, "old", "POST", "/v1/me", invite("invitation of old")), http.StatusBadRequest)
	if late.Problem(t).Detail != bad.Problem(t).Detail {
		t.Errorf("an old invitation is told apart: %s", late)
	}
	for _, text := range []string{"", strings.Repeat("x", 10_000), "\x00", "%00"} {
		b.want(t, b.send(t, "old", "POST", "/v1/me", invite(text)), http.StatusBadRequest)
	}
}

func TestLoginsRaceForOneInvitation(t *testing.T) {
	b := open(t)
	b.invited(t, "mei", "invitation of mei")
	var all sync.WaitGroup
	status := make([]int, 10)
	names := strings.Fields("a b c d e f g h i j")
	for i := range status {
		all.Go(func() {
			status[i] = b.send(t, names[i], "POST", "/v1/me", map[string]string{"invite": "invitation of mei"}).Status
		})
	}
	all.Wait()
	won := 0
	for i, s := range status {
		switch s {
		case http.StatusOK:
			won++
			b.want(t, b.send(t, names[i], "GET", "/v1/me", nil), http.StatusOK)
		case http.StatusBadRequest:
			b.want(t, b.send(t, names[i], "GET", "/v1/me", nil), http.StatusForbidden)
		default:
			t.Errorf("login %s got %d", names[i], s)
		}
	}
	if won != 1 {
		t.Errorf("%d logins won: %v", won, status)
	}
}

func TestSuspensionWorksAtOnce(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.want(t, b.send(t, "mei", "GET", "/v1/earnings", nil), http.StatusOK)
	suspend := func(p *koc.Profile) error { return p.Suspend("fraud", b.at) }
	if _, err := b.store.UpdateKOC(t.Context(), "mei", suspend, nil); err != nil {
		t.Fatal(err)
	}
	for _, route := range apiRoutes {
		a := b.send(t, "mei", route.method, route.path, route.body)
		switch {
		case route.method != http.MethodGet:
			if a.Problem(t).Type != "urn:yundian:problem:koc_suspended" {
				t.Errorf("%s %s: %s", route.method, route.path, a)
			}
		case a.Status != http.StatusOK && !(a.Status == http.StatusNotFound && strings.Contains(route.path, "o1")):
			t.Errorf("what was earned cannot be read: %s %s", route.path, a)
		}
	}
	if me := get[Me](t, b, "mei", "/v1/me"); me.Status != "suspended" {
		t.Errorf("reads %+v", me)
	}
	b.want(t, b.send(t, "mei", "POST", "/v1/me", map[string]string{"invite": "invitation of mei"}), http.StatusForbidden)
}

func TestEditMe(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	var me Me
	b.want(t, b.send(t, "mei", "PATCH", "/v1/me", map[string]string{"story": "我每天穿。\u202E<img src=x onerror=alert(1)>", "portrait": "https://cdn.example.com/mei.jpg"}), http.StatusOK).Decode(t, &me)
	if me.Story != "我每天穿。<img src=x onerror=alert(1)>" || me.Name != "KOC mei" || me.Portrait != "https://cdn.example.com/mei.jpg" {
		t.Errorf("edited to %+v", me)
	}
	a := b.want(t, b.send(t, "mei", "PATCH", "/v1/me", map[string]string{"name": "", "email": "no", "story": strings.Repeat("长", 2001), "portrait": "https://10.0.0.1/x.jpg"}), http.StatusBadRequest)
	if got := a.Problem(t).Errors; len(got) != 4 {
		t.Errorf("named %v", got)
	}
	if again := get[Me](t, b, "mei", "/v1/me"); !reflect.DeepEqual(again, me) {
		t.Errorf("a refused edit changed %+v", again)
	}
}

func TestKeysMakeWritesRepeatable(t *testing.T) {
	b := open(t)
	b.koc(t, "mei")
	b.koc(t, "lin")
	const key = "0123456789abcdef"
	send := func(handle, name string) webtest.Answer {
		return b.send(t, handle, "PATCH", "/v1/me", map[string]string{"name": name}, "Idempotency-Key", key)
	}
	b.want(t, send("mei", "一"), http.StatusOK)
	b.want(t, b.send(t, "mei", "PATCH", "/v1/me", map[string]string{"name": "二"}), http.StatusOK)
	b.want(t, send("mei", "一"), http.StatusOK) // answered, not done again
	if me := get[Me](t, b, "mei", "/v1/me"); me.Name != "二" {
		t.Errorf("a repeated request was done again: %q", me.Name)
	}
	if a := b.want(t, send("mei", "三"), http.StatusUnprocessableEntity); a.Problem(t).Type != "urn:yundian:problem:"+web.CodeIdempotency {
		t.Errorf("another body: %s", a)
	}
	b.want(t, send("lin", "三"), http.StatusOK) // somebody else's key
	for _, bad := range []string{"short", strings.Repeat("a", 129), "键键键键键键键键键键键键键键键键", "0123456789abcdef,0123456789abcdef"} {
		b.want(t, b.send(t, "mei", "PATCH", "/v1/me", map[string]string{}, "Idempotency-Key", bad), http.StatusBadRequest)
	}
}
