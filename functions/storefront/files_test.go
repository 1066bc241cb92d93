package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"image/png"
	"regexp"
	"strings"
	"testing"

	"github.com/skip2/go-qrcode"

	"yundian/shared/shop"
)

func TestHome(t *testing.T) {
	b := open(t)
	p := b.page("/")
	p.wants("云店", "店铺正在布置")
	if p.token() != "" || len(p.all("form")) != 0 || p.answer.Header.Get("Cache-Control") != "public, max-age=60" {
		t.Errorf("an empty shop's page: %.400s", p.answer)
	}
	b.tea("longjing", "龙井", 16800, 5)
	b.koc("mei", "小梅", "longjing", "")
	b.settings(func(s *shop.Settings) {
		s.Brand, s.Tagline, s.Hero, s.DefaultShelf = "山隅", "一席茶，一隅山。", "/hero.jpg", []string{"longjing", "gone"}
	})
	token := b.sign("mei_abc2345", b.at)
	p = b.page("/?t=" + token + "&b=longjing*1")
	p.wants("山隅", "一席茶，一隅山。", "小梅", "龙井")
	if p.token() != "" || p.meta("og:image") != "https://shop.example/hero.jpg" {
		t.Errorf("token %q, picture %q", p.token(), p.meta("og:image"))
	}
	if shelf := b.page(p.link("小梅")); shelf.token() != token {
		t.Errorf("the token is lost on the brand's page: %s", shelf.token())
	}
}

func TestQR(t *testing.T) {
	b := open(t)
	b.koc("mei", "小梅")
	code := b.link("mei", "storefront", "abc2345")
	want, err := qrcode.New("https://shop.example/s/"+code, qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	a := b.do("/s/" + code + "/qr")
	if a.Status != 200 || a.Header.Get("Content-Type") != "image/svg+xml" || a.Header.Get("Cache-Control") != "public, max-age=3600" {
		t.Fatalf("%.300s", a)
	}
	if err := xml.Unmarshal([]byte(a.Body), new(struct{})); err != nil {
		t.Errorf("the SVG is not well-formed: %v", err)
	}
	if got := painted(a.Body); got != dark(want.Bitmap()) {
		t.Errorf("the SVG paints %d modules, the code has %d", got, dark(want.Bitmap()))
	}
	a = b.do("/s/" + code + "/qr?format=png")
	picture, err := png.Decode(bytes.NewReader([]byte(a.Body)))
	if err != nil || a.Header.Get("Content-Type") != "image/png" || picture.Bounds().Dx() != 720 {
		t.Errorf("%v, %.200s", err, a)
	}
	if short := b.do("/s/" + code[:6] + "/qr"); short.Status != 200 || painted(short.Body) == painted(a.Body) {
		t.Errorf("a code without its end: %d", short.Status)
	}
	if a := b.do("/s/" + code + "/qr?format=gif"); a.Status != 400 {
		t.Errorf("an unknown format: %.300s", a)
	}
}

var run = regexp.MustCompile(`M\d+ \d+h(\d+)v1h-(\d+)z`)

// painted is how many modules an SVG fills.
func painted(svg string) int {
	n := 0
	for _, m := range run.FindAllStringSubmatch(svg, -1) {
		var width int
		if err := json.Unmarshal([]byte(m[1]), &width); err == nil && m[1] == m[2] {
			n += width
		}
	}
	return n
}

func dark(bitmap [][]bool) int {
	n := 0
	for _, row := range bitmap {
		for _, black := range row {
			if black {
				n++
			}
		}
	}
	return n
}

func TestFiles(t *testing.T) {
	b := open(t)
	b.koc("mei", "小梅")
	p := b.page("/k/mei")
	sheet, script := attribute(p.one("link", "rel", "stylesheet"), "href"), attribute(p.all("script")[0], "src")
	icon := attribute(p.one("link", "rel", "icon"), "href")
	for path, kind := range map[string]string{sheet: "text/css; charset=utf-8", script: "text/javascript; charset=utf-8", icon: "image/svg+xml"} {
		a := b.do(path)
		if a.Status != 200 || a.Header.Get("Content-Type") != kind || a.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || a.Body == "" {
			t.Errorf("%s: %.200s", path, a)
		}
	}
	for path, want := range map[string]string{"/assets/store.000000000000.css": "public, max-age=60", "/assets/store.css": "public, max-age=60"} {
		if a := b.do(path); a.Status != 200 || a.Header.Get("Cache-Control") != want {
			t.Errorf("%s: %.200s", path, a)
		}
	}
	for _, path := range []string{"/assets/nothing.css", "/assets/store.js", "/assets/.css", "/assets/%2e%2e%2fassets.go", "/assets/store.a.b.css"} {
		if a := b.do(path); a.Status != 404 {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
	if a := b.do("/healthz"); a.Status != 200 || strings.TrimSpace(a.Body) != `{"status":"ok"}` {
		t.Errorf("%s", a)
	}
	if a := b.do("/robots.txt"); a.Status != 200 || !strings.Contains(a.Body, "Disallow: /orders/") {
		t.Errorf("%s", a)
	}
	var document struct{ OpenAPI string }
	if b.do("/openapi.json").Decode(t, &document); !strings.HasPrefix(document.OpenAPI, "3.1") {
		t.Errorf("the API's description is of version %q", document.OpenAPI)
	}
}
