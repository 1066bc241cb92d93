package web_test

import (
	"net/http"
	"reflect"
	"testing"

	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

// callers keeps who a handler saw.
func callers(got *web.Caller, known *bool) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { *got, *known = web.CallerOf(r.Context()) })
}

func TestCaller(t *testing.T) {
	var got web.Caller
	var known bool
	adapter := web.New(callers(&got, &known))

	webtest.Send(t, t.Context(), adapter, "http-operator-api")
	want := web.Caller{Subject: "1a2b3c4d-50e1-7002-8f90-a1b2c3d4e5f6", ClientID: "3n4b5urk1ft4fl3mg5e62d9ado",
		Scopes: []string{"yundian/operator"}, Groups: []string{"koc", "operator"}}
	if !known || !reflect.DeepEqual(got, want) {
		t.Errorf("caller %+v, %v; want %+v", got, known, want)
	}
	if !got.In("operator") || got.In("auditor") || !got.May("yundian/operator") || got.May("yundian/koc") {
		t.Error("groups or scopes are misread")
	}
	webtest.Send(t, t.Context(), adapter, "http-page")
	if known {
		t.Errorf("a page has a caller: %+v", got)
	}
}

func TestGroups(t *testing.T) {
	for claim, want := range map[string][]string{
		"":                         nil,
		"[]":                       {},
		"[operator]":               {"operator"},
		"[koc operator]":           {"koc", "operator"},
		"operator":                 {"operator"},
		"koc operator":             {"koc operator"}, // one group with a blank, never two
		"[operators not-operator]": {"operators", "not-operator"},
		"[operator":                {"[operator"},
	} {
		event := webtest.Event(t, webtest.Request{Caller: &web.Caller{Subject: "s"}})
		event.RequestContext.Authorizer.JWT.Claims["groups"] = claim
		var got web.Caller
		var known bool
		web.New(callers(&got, &known), web.GroupsClaim("groups")).Handle(t.Context(), event)
		if !known || !reflect.DeepEqual(got.Groups, want) {
			t.Errorf("%q gives %q, want %q", claim, got.Groups, want)
		}
		if got.In("operator") != (claim == "operator" || claim == "[operator]" || claim == "[koc operator]") {
			t.Errorf("%q is an operator", claim)
		}
	}
}

func TestTokenWithoutSubjectIsNobody(t *testing.T) {
	var got web.Caller
	known := true
	webtest.Do(t, callers(&got, &known), webtest.Request{Caller: &web.Caller{Groups: []string{"operator"}}})
	if known {
		t.Error("a token without a subject is somebody")
	}
}

func TestBaseURL(t *testing.T) {
	for _, c := range []struct{ host, proto, public, want string }{
		{"shop.example", "https", "", "https://shop.example"},
		{"127.0.0.1:8080", "http", "", "http://127.0.0.1:8080"},
		{"[::1]:8080", "http", "", "http://[::1]:8080"},
		{"shop.example", "", "", "https://shop.example"},
		{"shop.example", "javascript", "", "https://shop.example"},
		{"shop.example", "https", "https://brand.example/", "https://brand.example"},
		{"evil.example/@shop.example", "https", "", ""},
		{"shop.example\r\nX: y", "https", "", ""},
		{"a b", "https", "", ""},
		{"", "https", "", ""},
	} {
		r := &http.Request{Host: c.host, Header: http.Header{"X-Forwarded-Proto": {c.proto}}}
		if got := web.BaseURL(r, c.public); got != c.want {
			t.Errorf("%+v gives %q", c, got)
		}
	}
}
