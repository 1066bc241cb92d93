package web_test

import (
	"net/http"
	"strings"
	"testing"

	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

func TestSameSite(t *testing.T) {
	h := func(publicURL string) http.Handler {
		return web.SameSiteOnly(publicURL, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	}
	for _, c := range []struct {
		name, method, origin, site, public string
		want                               int
	}{
		{"no browser", "POST", "", "", "", 204},
		{"own form", "POST", "https://shop.example", "same-origin", "", 204},
		{"own form, old browser", "POST", "https://shop.example", "", "", 204},
		{"own form under the public name", "POST", "https://brand.example", "", "https://brand.example/", 204},
		{"the public name, and the browser says that it is another site", "POST", "https://brand.example", "cross-site", "https://brand.example", 403},
		{"own form under the public name, new browser", "POST", "https://brand.example", "same-origin", "https://brand.example", 204},
		{"typed", "POST", "", "none", "", 204},
		{"other site", "POST", "https://evil.example", "cross-site", "", 403},
		{"other site, old browser", "POST", "https://evil.example", "", "", 403},
		{"hidden origin", "POST", "null", "", "", 403},
		{"hidden origin of another site", "POST", "null", "cross-site", "", 403},
		{"sister site", "POST", "https://blog.shop.example", "same-site", "", 403},
		{"look-alike after", "POST", "https://shop.example.evil.example", "", "", 403},
		{"look-alike before", "POST", "https://evilshop.example", "", "", 403},
		{"look-alike of the public name", "POST", "https://brand.example.evil.example", "", "https://brand.example", 403},
		{"other port", "POST", "https://shop.example:8443", "", "", 403},
		{"user info", "POST", "https://shop.example@evil.example", "", "", 403},
		{"reading is free", "GET", "https://evil.example", "cross-site", "", 204},
		{"deleting is not", "DELETE", "https://evil.example", "cross-site", "", 403},
	} {
		header := map[string]string{}
		if c.origin != "" {
			header["Origin"] = c.origin
		}
		if c.site != "" {
			header["Sec-Fetch-Site"] = c.site
		}
		if a := webtest.Do(t, h(c.public), webtest.Request{Method: c.method, Path: "/", Header: header}); a.Status != c.want {
			t.Errorf("%s: %s", c.name, a)
		}
	}
}

func TestPolicy(t *testing.T) {
	text := web.Policy{Connect: []string{"https://issuer.example"}, Frames: []string{"https://brand.example"}}.Header()
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' https: data:",
		"connect-src 'self' https://issuer.example", "form-action 'self'", "base-uri 'none'", "frame-ancestors https://brand.example"} {
		if !strings.Contains("; "+text+";", "; "+want+";") {
			t.Errorf("%q lacks %q", text, want)
		}
	}
	if strings.Contains(text, "unsafe") {
		t.Error(text)
	}
}

func TestIdempotencyKey(t *testing.T) {
	for key, want := range map[string]bool{
		"5f1c2d3e-4f5a-6b7c-8d9e-0a1b2c3d4e5f": true,
		"order:01J_2.x-yzABCD":                 true,
		strings.Repeat("k", 16):                true,
		strings.Repeat("k", 128):               true,
		strings.Repeat("k", 15):                false,
		strings.Repeat("k", 129):               false,
		"0123456789abcdef,0123456789abcdef":    false,
		"0123456789abcde ":                     false,
		"0123456789abcdef\n":                   false,
		"0123456789abcde#":                     true,
		`"5f1c2d3e 4f5a/6b7c+8d9e="`:           true,
		"０１２３４５６７８９０１２３４５６":                    false,
		"": false,
	} {
		if err := web.CheckKey("header.Idempotency-Key", key); (err == nil) != want {
			t.Errorf("%q: %v", key, err)
		}
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, err := web.IdempotencyKey(r)
		if err != nil {
			web.WriteProblem(w, r, err)
			return
		}
		w.Write([]byte("key " + key))
	})
	if a := webtest.Do(t, h, webtest.Request{Path: "/"}); a.Body != "key " {
		t.Error(a)
	}
	if a := webtest.Do(t, h, webtest.Request{Path: "/", Key: "0123456789abcdef"}); a.Body != "key 0123456789abcdef" {
		t.Error(a)
	}
	if a := webtest.Do(t, h, webtest.Request{Path: "/", Key: "short"}); a.Problem(t).Errors[0].Location != "header.Idempotency-Key" || a.Status != 400 {
		t.Error(a)
	}
}

func TestBodyHash(t *testing.T) {
	base := `{"lines":[{"sku":"茶","quantity":2}],"expect":{"amount":9007199254740993}}`
	for body, same := range map[string]bool{
		"\n{ \"lines\" : [ { \"quantity\":2, \"sku\":\"\\u8336\" } ] , \"expect\":{\"amount\":9007199254740993} }": true,
		strings.Replace(base, "993", "992", 1):                                         false, // equal as a double
		strings.Replace(base, `2}`, `3}`, 1):                                           false,
		strings.Replace(base, `"quantity":2`, `"quantity":"2"`, 1):                     false,
		`{"lines":[{"sku":"茶","quantity":2},{}],"expect":{"amount":9007199254740993}}`: false,
	} {
		a, err := web.BodyHash([]byte(base))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := web.BodyHash([]byte(body)); err != nil || (a == b) != same {
			t.Errorf("%s: same is %v, want %v; %v", body, a == b, same, err)
		}
	}
	if _, err := web.BodyHash([]byte("{")); err == nil {
		t.Error("half a body has a hash")
	}
}

func TestFormHash(t *testing.T) {
	a := web.FormHash(map[string][]string{"sku": {"a", "b"}, "key": {"1"}}, "key")
	b := web.FormHash(map[string][]string{"key": {"2"}, "sku": {"a", "b"}}, "key")
	c := web.FormHash(map[string][]string{"sku": {"b", "a"}}, "key")
	if a != b || a == c {
		t.Error(a, b, c)
	}
}

func TestValueHash(t *testing.T) {
	type body struct {
		SKU   string         `json:"sku"`
		Items map[string]int `json:"items"`
	}
	a, err := web.ValueHash(body{SKU: "a", Items: map[string]int{"x": 1, "y": 2, "z": 3}})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 { // maps have no order of their own
		if b, _ := web.ValueHash(body{SKU: "a", Items: map[string]int{"z": 3, "y": 2, "x": 1}}); a != b {
			t.Fatal("equal values have different hashes")
		}
	}
	if b, _ := web.ValueHash(body{SKU: "b"}); a == b {
		t.Error("different values have one hash")
	}
}
