package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"yundian/shared/fail"
	"yundian/shared/locale"
	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"

func failing(err error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { web.WriteProblem(w, r, err) })
}

func TestStatusOfErrors(t *testing.T) {
	captureLog(t)
	for _, c := range []struct {
		err  error
		want int
	}{
		{fail.New(fail.Invalid, "x", "x", nil), 400},
		{fail.New(fail.NotFound, "x", "x", nil), 404},
		{fail.New(fail.Conflict, "x", "x", nil), 409},
		{fail.New(fail.Denied, "x", "x", nil), 403},
		{fail.New(fail.TooMany, "x", "x", nil), 429},
		{fail.New(fail.Internal, "x", "x", nil), 500},
		{fail.New(fail.Kind(99), "x", "x", nil), 500},
		{errors.New("x"), 500},
		{fmt.Errorf("load order: %w", fail.New(fail.NotFound, "x", "x", nil)), 404},
		{fail.New(fail.Conflict, web.CodeIdempotency, "x", nil), 422},
		{fail.New(fail.Invalid, web.CodeMethod, "x", nil), 405},
		{web.TooLarge(5), 413},
		{web.WrongType("text/csv"), 415},
		{&http.MaxBytesError{Limit: 5}, 413},
		{fmt.Errorf("read: %w", context.DeadlineExceeded), 503},
		{fmt.Errorf("read: %w", context.Canceled), 503},
	} {
		a := webtest.Do(t, failing(c.err), webtest.Request{Path: "/"})
		if p := a.Problem(t); p.Status != c.want || p.Title == "" || strings.HasPrefix(p.Title, "web.") || p.Detail == "" || p.Instance != "test-request" {
			t.Errorf("%v gives %s", c.err, a)
		}
		page := webtest.Do(t, failing(c.err), webtest.Request{Path: "/", Header: map[string]string{"Accept": browser}})
		if page.Status != c.want || !strings.HasPrefix(page.Body, "<!doctype html>") || !strings.Contains(page.Body, "test-request") {
			t.Errorf("%v gives %s", c.err, page)
		}
	}
}

func TestInternalErrorsStayInside(t *testing.T) {
	for _, err := range []error{
		errors.New("ConditionalCheckFailed on table people, phone +8613800000000"),
		fail.New(fail.Internal, "x", "ConditionalCheckFailed on table people", nil),
	} {
		log := captureLog(t)
		for _, accept := range []string{"application/json", browser, ""} {
			a := webtest.Do(t, failing(err), webtest.Request{Path: "/", Header: map[string]string{"Accept": accept}})
			if a.Status != 500 || strings.Contains(a.String(), "Conditional") {
				t.Error(a)
			}
		}
		if text := log.String(); !strings.Contains(text, "ConditionalCheckFailed") || !strings.Contains(text, "test-request") {
			t.Errorf("the cause is not in the log: %s", text)
		}
	}
}

func TestProblemSpeaksTheCallersLanguage(t *testing.T) {
	err := fail.NewFields([]fail.Field{web.Fault("body.lines[0].quantity", "field_max", "99")})
	for _, c := range []struct{ query, accept, title, message, language string }{
		{"", "zh-TW,zh;q=0.9", "無法接受這個請求", "99", "zh-Hant"},
		{"", "zh-CN", "无法接受这个请求", "99", "zh-Hans"},
		{"lang=en", "zh-CN", "This request cannot be accepted", "This must be at most 99.", "en"},
		{"lang=xx", "zh-CN", "无法接受这个请求", "99", "zh-Hans"},
		{"", "", "This request cannot be accepted", "This must be at most 99.", "en"},
	} {
		a := webtest.Do(t, failing(err), webtest.Request{Path: "/", Query: c.query, Header: map[string]string{"Accept-Language": c.accept}})
		p := a.Problem(t)
		if p.Title != c.title || a.Header.Get("Content-Language") != c.language || !strings.Contains(a.Header.Get("Vary"), "Accept-Language") {
			t.Error(a)
		}
		if len(p.Errors) != 1 || p.Errors[0].Location != "body.lines[0].quantity" || !strings.Contains(p.Errors[0].Message, c.message) {
			t.Error(a)
		}
	}
}

func TestShopsLanguageIsTheFallback(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.WriteProblem(w, web.WithLanguage(r, locale.Hant), fail.New(fail.NotFound, "x", "x", nil))
	})
	if p := webtest.Do(t, h, webtest.Request{Path: "/"}).Problem(t); p.Title != "沒有找到" {
		t.Error(p.Title)
	}
}

func TestWhoGetsPages(t *testing.T) {
	for accept, want := range map[string][2]bool{ // HTML, JSON
		"":                                    {false, false},
		"*/*":                                 {false, false},
		browser:                               {true, false},
		"text/html":                           {true, false},
		"application/json":                    {false, true},
		"application/json, text/html":         {false, true},
		"text/html;q=0.9, application/json":   {false, true},
		"application/json;q=0.1, text/html":   {true, false},
		"text/html;q=0":                       {false, false},
		"text/html;q=x":                       {false, false},
		"application/problem+json, */*;q=0.1": {false, true},
		"TEXT/HTML":                           {true, false},
		strings.Repeat("a/b,", 1000) + "text/html": {false, false},
	} {
		r := &http.Request{Header: http.Header{"Accept": {accept}}}
		if html, json := web.WantsHTML(r), web.WantsJSON(r); html != want[0] || json != want[1] {
			t.Errorf("%.60q: page %v, JSON %v", accept, html, json)
		}
	}
}

func TestProblemPageIsInert(t *testing.T) {
	err := fail.New(fail.Invalid, "no_such_code", "<script>alert({x})</script>", fail.Args{"x": `"><img src=x onerror=alert(1)>`})
	a := webtest.Do(t, failing(err), webtest.Request{Path: `//evil.example/"><script>`, Query: "a=%22%3E%3Cscript%3E&lang=en", Header: map[string]string{"Accept": browser}})
	if strings.Contains(a.Body, "<script") || strings.Contains(a.Body, "<img") || strings.Contains(a.Body, `href="//`) {
		t.Error(a)
	}
	policy := a.Header.Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("policy %q", policy)
	}
}

func TestProblemWithMore(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.WriteProblemWith(w, r, fail.New(fail.Conflict, "x", "x", nil), map[string]any{"quote": map[string]int{"total": 5}, "status": "shadowed"})
	})
	a := webtest.Do(t, h, webtest.Request{Path: "/"})
	if p := a.Problem(t); p.Status != 409 || !strings.Contains(a.Body, `"quote":{"total":5}`) || p.Instance == "" {
		t.Error(a)
	}
	if page := webtest.Do(t, h, webtest.Request{Path: "/", Header: map[string]string{"Accept": browser}}); !strings.HasPrefix(page.Body, "<!doctype html>") {
		t.Error(page)
	}
}

func TestListsAreNeverNull(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.WriteJSON(w, r, 200, struct {
			Items []int          `json:"items"`
			By    map[string]int `json:"by"`
			Next  string         `json:"next,omitempty"`
			Zero  int            `json:"zero,omitempty"`
			Text  string         `json:"text"`
		}{Text: "<&>"})
	})
	if a := webtest.Do(t, h, webtest.Request{Path: "/"}); a.Body != `{"items":[],"by":{},"text":"<&>"}`+"\n" {
		t.Error(a)
	}
}
