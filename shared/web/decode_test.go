package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

type line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

type order struct {
	Lines  []line  `json:"lines"`
	Coupon *string `json:"coupon,omitempty"`
}

func decoding(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := web.Decode(r, &o, 1000); err != nil {
		web.WriteProblem(w, r, err)
		return
	}
	web.WriteJSON(w, r, 200, o)
}

func TestDecode(t *testing.T) {
	good := `{"lines":[{"sku":"tea","quantity":2}]}`
	for _, c := range []struct {
		name, body, contentType string
		status                  int
		location                string
	}{
		{"good", good, "application/json", 200, ""},
		{"charset", good, "application/json; charset=utf-8", 200, ""},
		{"space around", " \n" + good + "\n ", "application/json", 200, ""},
		{"text", good, "text/plain", 415, ""},
		{"form", good, "application/x-www-form-urlencoded", 415, ""},
		{"no type", good, "", 415, ""},
		{"broken type", good, "application/json; =", 415, ""},
		{"nothing", "", "application/json", 400, ""},
		{"blank", "  ", "application/json", 400, ""},
		{"null", " null", "application/json", 400, ""},
		{"list", "[]", "application/json", 400, "body"},
		{"two values", good + good, "application/json", 400, ""},
		{"rubbish after", good + "x", "application/json", 400, ""},
		{"cut", good[:10], "application/json", 400, ""},
		{"comment", "{/**/}", "application/json", 400, ""},
		{"bad UTF-8", "{\"lines\":[{\"sku\":\"\xff\"}]}", "application/json", 400, ""},
		{"lone surrogate", `{"lines":[{"sku":"\ud800"}]}`, "application/json", 400, ""},
		{"unknown", `{"lines":[{"sku":"tea","price":1}]}`, "application/json", 400, "body.lines[0].price"},
		{"other case", `{"Lines":[]}`, "application/json", 400, "body.Lines"},
		{"twice", `{"lines":[],"lines":[]}`, "application/json", 400, "body.lines"},
		{"twice within", `{"lines":[{"sku":"a"},{"sku":"a","sku":"b"}]}`, "application/json", 400, "body.lines[1].sku"},
		{"twice by escape", `{"lines":[],"line\u0073":[]}`, "application/json", 400, "body.lines"},
		{"fraction", `{"lines":[{"quantity":1.5}]}`, "application/json", 400, "body.lines[0].quantity"},
		{"number as text", `{"lines":[{"quantity":"1"}]}`, "application/json", 400, "body.lines[0].quantity"},
		{"2^63", `{"lines":[{},{"quantity":9223372036854775808}]}`, "application/json", 400, "body.lines[1].quantity"},
		{"object as list", `{"lines":{}}`, "application/json", 400, "body.lines"},
		{"deep", strings.Repeat("[", 17) + strings.Repeat("]", 17), "application/json", 400, ""},
		{"very deep", strings.Repeat(`{"a":`, 190), "application/json", 400, ""},
		{"at the limit", good + strings.Repeat(" ", 1000-len(good)), "application/json", 200, ""},
		{"too large", good + strings.Repeat(" ", 1001-len(good)), "application/json", 413, ""},
		{"long name", `{"` + strings.Repeat("长", 200) + `":1}`, "application/json", 400, "body." + strings.Repeat("长", 64) + "…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := webtest.Do(t, http.HandlerFunc(decoding), webtest.Request{Method: "POST", Path: "/", Body: c.body, Header: map[string]string{"Content-Type": c.contentType}})
			if a.Status != c.status {
				t.Fatal(a)
			}
			if c.status == 200 {
				return
			}
			p := a.Problem(t)
			location := ""
			if len(p.Errors) > 0 {
				location = p.Errors[0].Location
			}
			if location != c.location {
				t.Errorf("location %q, want %q\n%s", location, c.location, a)
			}
		})
	}
}

func TestCompressedBodiesAreRefused(t *testing.T) {
	a := webtest.Do(t, http.HandlerFunc(decoding), webtest.Request{Method: "POST", Path: "/", Body: "{}",
		Header: map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip"}})
	if a.Status != 415 {
		t.Error(a)
	}
}

func TestForm(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, err := web.Form(r)
		if err != nil {
			web.WriteProblem(w, r, err)
			return
		}
		web.WriteJSON(w, r, 200, form)
	})
	for name, c := range map[string]struct {
		body, contentType string
		status            int
	}{
		"good":            {"name=%E9%99%88&sku=a&sku=b&note=1%0A2", "application/x-www-form-urlencoded", 200},
		"empty":           {"", "application/x-www-form-urlencoded", 200},
		"JSON":            {`{}`, "application/json", 415},
		"text":            {"name=x", "text/plain", 415},
		"upload":          {"name=x", "multipart/form-data; boundary=x", 415},
		"bad escape":      {"name=%zz", "application/x-www-form-urlencoded", 400},
		"bad UTF-8":       {"name=%ff", "application/x-www-form-urlencoded", 400},
		"bad UTF-8 name":  {"%ff=name", "application/x-www-form-urlencoded", 400},
		"NUL":             {"name=a%00b", "application/x-www-form-urlencoded", 400},
		"escape":          {"name=a%1bb", "application/x-www-form-urlencoded", 400},
		"too many fields": {strings.Repeat("a=&", 256), "application/x-www-form-urlencoded", 400},
		"many fields":     {strings.Repeat("a=&", 255), "application/x-www-form-urlencoded", 200},
		"too large":       {"a=" + strings.Repeat("x", web.MaxForm), "application/x-www-form-urlencoded", 413},
	} {
		a := webtest.Do(t, h, webtest.Request{Method: "POST", Path: "/", Body: c.body, Header: map[string]string{"Content-Type": c.contentType}})
		if a.Status != c.status {
			t.Errorf("%s: %s", name, a)
		}
		if name == "good" && !strings.Contains(a.Body, `"sku":["a","b"]`) {
			t.Error(a)
		}
	}
}

func TestQuery(t *testing.T) {
	for query, want := range map[string]string{"": "", "secret=abc": "abc", "secret=": "", "secret=a&secret=b": "refused", "secret=abcdef": "refused",
		"secret=%ff": "refused", "secret=%E9%99%88%E9%99%88%E9%99%88%E9%99%88": "陈陈陈陈"} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got, err := web.Query(r, "secret", 5)
			if err != nil {
				got = "refused"
			}
			if got != want {
				t.Errorf("%q gives %q, want %q", query, got, want)
			}
		})
		webtest.Do(t, h, webtest.Request{Path: "/", Query: query})
	}
}

func TestParseLimit(t *testing.T) {
	for text, want := range map[string]int{"": 20, "1": 1, "50": 50, "100": 100, "101": 100, "1e9": 100, "1e999": 100, "99999999999999999999": 100, "100.5": 100,
		"0": -1, "-1": -1, "1.5": -1, "x": -1, "NaN": -1, "-1e999": -1, "0x10": -1, " 5": -1} {
		got, err := web.ParseLimit(text)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"lines":[{"sku":"tea","quantity":2}]}`))
	f.Add([]byte(`{"lines":[{"sku":"tea","quantity":2e400}],"coupon":null}`))
	f.Add([]byte(`{"a/b~c":[{"":1}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var o order
		if err := web.DecodeJSON(body, &o); err != nil {
			return
		}
		// What is accepted has one meaning: saying it again gives the same hash.
		first, err := web.BodyHash(body)
		if err != nil {
			t.Fatalf("%q is accepted but has no hash: %v", body, err)
		}
		if again, err := web.BodyHash([]byte(" " + string(body) + " ")); err != nil || again != first {
			t.Fatalf("%q: hash %s, then %s, %v", body, first, again, err)
		}
		if _, err := web.ValueHash(o); err != nil {
			t.Fatal(fmt.Errorf("%q: %w", body, err))
		}
	})
}
