package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"yundian/shared/locale"
	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

// show renders a page whose content is a text.
func show(t *testing.T, d web.LayoutData, content string) string {
	t.Helper()
	var b strings.Builder
	ctx := templ.WithChildren(t.Context(), templ.Raw(content))
	if err := web.Layout(d).Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLayout(t *testing.T) {
	page := show(t, web.LayoutData{
		Title: "Tea", Language: locale.English, Brand: "Wen & Co", Licence: "Licence 91330100", ICP: "浙ICP备0000001号", Notice: "广告",
		Description: "Good tea", Here: "/k/lin?a=1&lang=zh-Hans", NoIndex: true, Class: "shop",
		OG:   web.OpenGraph{Title: "Tea", Description: "Good", Image: "https://img.example/1.jpg", URL: "https://shop.example/s/1"},
		Head: templ.Raw(`<meta name="yundian-token" content="t">`),
	}, "<h1>Hello</h1>")
	for _, want := range []string{
		`<html lang="en">`, `<title>Tea · Wen &amp; Co</title>`, `content="Good tea"`, `name="robots" content="noindex"`,
		`property="og:image" content="https://img.example/1.jpg"`, `property="og:type" content="website"`, `name="yundian-token" content="t"`,
		`<h1>Hello</h1>`, `Licence 91330100`, `浙ICP备0000001号`, `广告`, `class="shop"`, `rel="stylesheet" href="/assets/store.`,
		`href="/k/lin?a=1&amp;lang=zh-Hant"`, `lang="en" aria-current="true"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %s\n%s", want, page)
		}
	}
	for _, bad := range []string{"<script", "style=", "onclick"} {
		if strings.Contains(page, bad) {
			t.Errorf("page has %s, which the policy forbids", bad)
		}
	}
}

func TestPlainLayout(t *testing.T) {
	page := show(t, web.LayoutData{Language: locale.Hans}, "")
	if !strings.Contains(page, "<title>云店</title>") || strings.Contains(page, "og:") || strings.Contains(page, "languages") {
		t.Error(page)
	}
}

func TestTextsAreInert(t *testing.T) {
	evil := `"><img src=x onerror=alert(1)></title><script>alert(1)</script>`
	page := show(t, web.LayoutData{Title: evil, Language: locale.English, Brand: evil, Licence: evil, ICP: evil, Notice: evil, Description: evil,
		Here: "//evil.example/" + evil + "?" + evil, Home: "javascript:alert(1)", OG: web.OpenGraph{Title: evil, Image: evil, URL: evil}}, "")
	for _, bad := range []string{"<script", "<img", `href="//`, "javascript:"} {
		if strings.Contains(page, bad) {
			t.Errorf("page has %s\n%s", bad, page)
		}
	}
}

func TestPage(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		web.Page(w, r, 200, templ.Raw("<p>hi</p>"))
	})
	a := webtest.Do(t, h, webtest.Request{Path: "/"})
	if a.Body != "<p>hi</p>" || a.Header.Get("Content-Type") != "text/html; charset=utf-8" || a.Header.Get("Cache-Control") != "public, max-age=60" ||
		!strings.Contains(a.Header.Get("Content-Security-Policy"), "script-src 'self'") || a.Header.Get("Referrer-Policy") != "same-origin" {
		t.Error(a)
	}
	captureLog(t)
	broken := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		io.WriteString(w, "half a page")
		return errors.New("no such field")
	})
	h = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		web.Page(w, r, 200, broken)
	}
	if a := webtest.Do(t, h, webtest.Request{Path: "/"}); a.Status != 500 || strings.Contains(a.Body, "half") || a.Header.Get("Cache-Control") != "no-store" {
		t.Error(a)
	}
}

func TestHere(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, web.Here(r)) })
	if a := webtest.Do(t, h, webtest.Request{Path: "/k/lin", Query: "a=1"}); a.Body != "/k/lin?a=1" {
		t.Error(a)
	}
}
