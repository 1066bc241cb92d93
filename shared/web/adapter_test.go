package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"

	"yundian/events"
	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

// seen answers with what the handler saw of a request.
type seen struct {
	Method, Path, Value, Query, URI, Host, Remote, Cookie, Body string
	Header                                                      http.Header
	Cookies                                                     []string
	Form                                                        map[string][]string
}

func look(w http.ResponseWriter, r *http.Request) {
	s := seen{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, URI: r.RequestURI, Host: r.Host, Remote: r.RemoteAddr,
		Cookie: r.Header.Get("Cookie"), Header: r.Header}
	for _, name := range []string{"code", "product", "provider"} {
		s.Value += r.PathValue(name)
	}
	for _, c := range r.Cookies() {
		s.Cookies = append(s.Cookies, c.Name+"="+c.Value)
	}
	if web.IsForm(r) {
		form, err := web.Form(r)
		if err != nil {
			web.WriteProblem(w, r, err)
			return
		}
		s.Form = form
	} else {
		body, _ := io.ReadAll(r.Body)
		s.Body = string(body)
	}
	web.WriteJSON(w, r, http.StatusOK, s)
}

func routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, pattern := range []string{"GET /{$}", "GET /s/{code}", "GET /k/{handle}/p/{product}", "POST /webhooks/{provider}", "POST /apply", "POST /orders", "POST /touch"} {
		mux.HandleFunc(pattern, look)
	}
	return mux
}

func send(t *testing.T, name string) (webtest.Answer, seen) {
	t.Helper()
	a := webtest.Send(t, t.Context(), web.New(routes()), name)
	var s seen
	if a.Status == http.StatusOK && a.Body != "" {
		a.Decode(t, &s)
	}
	return a, s
}

// Each case here and in the next tests is a trap of the library under the adapter, on the event that springs it.
func TestPathTraps(t *testing.T) {
	t.Run("percent in a path", func(t *testing.T) {
		if a, s := send(t, "trap-percent-path"); a.Status != 200 || s.Value != "100%-wool" || s.URI != "/k/lin/p/100%25-wool" {
			t.Error(a)
		}
	})
	t.Run("bad escape in a path", func(t *testing.T) {
		if a, s := send(t, "trap-bad-escape-path"); a.Status != 200 || s.Value != "%zz" {
			t.Error(a)
		}
	})
	t.Run("question mark in a path", func(t *testing.T) {
		if a, s := send(t, "trap-question-path"); a.Status != 200 || s.Value != "abc?secret=1" || s.Query != "lang=en" {
			t.Error(a)
		}
	})
	t.Run("raw query", func(t *testing.T) {
		if a, s := send(t, "trap-raw-query"); a.Status != 200 || s.Query != "secret=%zz&lang=en&a=b c#frag" {
			t.Error(a)
		}
	})
	t.Run("two slashes", func(t *testing.T) {
		a, _ := send(t, "trap-double-slash")
		if to := a.Header.Get("Location"); strings.HasPrefix(to, "//") || strings.Contains(to, ":") {
			t.Errorf("leads to %q", to)
		}
	})
}

func TestHeaderAndBodyTraps(t *testing.T) {
	t.Run("commas in headers", func(t *testing.T) {
		a, s := send(t, "trap-header-commas")
		signature := s.Header["Stripe-Signature"]
		if len(signature) != 1 || strings.Count(signature[0], ",") != 2 || s.Value != "stripe" {
			t.Error(a)
		}
		if got := s.Header.Get("X-List"); got != "one, two,three" {
			t.Errorf("a list is %q", got)
		}
		if _, err := http.ParseTime(s.Header.Get("If-Modified-Since")); err != nil {
			t.Error(err)
		}
	})
	t.Run("several cookies", func(t *testing.T) {
		a, s := send(t, "trap-cookies")
		if s.Cookie != "theme=dark; lang=zh-Hans; seen=a,b" || len(s.Cookies) != 3 {
			t.Error(a)
		}
	})
	t.Run("base64 form", func(t *testing.T) {
		a, s := send(t, "trap-base64-form")
		if got := fmt.Sprint(s.Form["name"], s.Form["note"]); got != "[陈静] [100% true? a+b&c]" {
			t.Error(got, a)
		}
	})
	t.Run("address", func(t *testing.T) {
		if _, s := send(t, "trap-ipv6"); s.Remote != "[2001:db8::7]:0" {
			t.Error(s.Remote)
		}
		if _, s := send(t, "http-page"); s.Remote != "203.0.113.77:0" || s.Host != "abcde12345.execute-api.ap-southeast-1.amazonaws.com" || s.Header.Get("Host") != "" {
			t.Error(s.Remote, s.Host)
		}
	})
}

func TestMethodTraps(t *testing.T) {
	t.Run("HEAD", func(t *testing.T) {
		a, _ := send(t, "trap-head")
		if a.Status != 200 || a.Body != "" || a.Header.Get("Content-Type") != "application/json" {
			t.Error(a)
		}
	})
	t.Run("wrong method", func(t *testing.T) {
		a, _ := send(t, "trap-method")
		if p := a.Problem(t); a.Status != 405 || a.Header.Get("Allow") != "POST" || p.Instance != "JKJaXmPLvHcESHA=" {
			t.Error(a)
		}
	})
	t.Run("malformed method", func(t *testing.T) {
		if a, _ := send(t, "trap-malformed-method"); a.Status != 400 {
			t.Error(a)
		}
	})
	t.Run("bad base64", func(t *testing.T) {
		if a, _ := send(t, "trap-bad-base64"); a.Status != 400 {
			t.Error(a)
		}
	})
}

// No event may fail the function: the gateway would answer 500, and a stream of such requests would raise alarms.
func TestEverySampleGetsAnAnswer(t *testing.T) {
	names, err := events.Names()
	if err != nil {
		t.Fatal(err)
	}
	adapter := web.New(routes())
	for _, name := range names {
		if a := webtest.Send(t, t.Context(), adapter, name); a.Status < 200 || a.Status > 499 {
			t.Errorf("%s: %s", name, a)
		}
	}
	for _, payload := range []string{``, `null`, `[]`, `"text"`, `{"requestContext": 5}`, `{"version": "1.0", "httpMethod": "GET", "path": "/"}`, `{`} {
		encoded, err := adapter.Invoke(t.Context(), []byte(payload))
		var response lambdaevents.APIGatewayV2HTTPResponse
		if err != nil || json.Unmarshal(encoded, &response) != nil || response.StatusCode < 400 {
			t.Errorf("%q: %s, %v", payload, encoded, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	cases := map[string]struct {
		handler http.HandlerFunc
		status  int
		body    string
		header  string // "Name: value"
	}{
		"nothing written": {func(http.ResponseWriter, *http.Request) {}, 200, "", "Cache-Control: no-store"},
		"body without status": {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hi") },
			200, "hi", "Content-Type: text/plain; charset=utf-8"},
		"second status": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201); w.WriteHeader(500) }, 201, "", ""},
		"status after body": {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hi"); w.WriteHeader(500) },
			200, "hi", ""},
		"interim status": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(202) }, 202, "", ""},
		"no content":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204); io.WriteString(w, "hi") }, 204, "", ""},
		"length is the gateway's": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			io.WriteString(w, "hi")
		}, 200, "hi", "Content-Length: "},
		"own headers stay": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "max-age=60") },
			200, "", "Cache-Control: max-age=60"},
		"TLS is wanted":   {func(http.ResponseWriter, *http.Request) {}, 200, "", "Strict-Transport-Security: max-age=31536000"},
		"sniffing is off": {func(http.ResponseWriter, *http.Request) {}, 200, "", "X-Content-Type-Options: nosniff"},
		"binary":          {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte{0x89, 'P', 'N', 'G', 0xff}) }, 200, "\x89PNG\xff", ""},
		"markup":          {func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<p>&</p>") }, 200, "<p>&</p>", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := webtest.Do(t, c.handler, webtest.Request{Path: "/"})
			if a.Status != c.status || a.Body != c.body {
				t.Error(a)
			}
			if header, want, ok := strings.Cut(c.header, ": "); ok && a.Header.Get(header) != want {
				t.Errorf("%s is %q, want %q", header, a.Header.Get(header), want)
			}
		})
	}
}

func TestSetCookiesStayApart(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
	})
	if a := webtest.Do(t, h, webtest.Request{Path: "/"}); len(a.Header.Values("Set-Cookie")) != 2 {
		t.Error(a)
	}
}

func TestPanicIsAnApology(t *testing.T) {
	log := captureLog(t)
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/half-done")
		w.WriteHeader(201)
		panic("card 4242 is declined")
	})
	a := webtest.Do(t, h, webtest.Request{Path: "/"})
	if p := a.Problem(t); a.Status != 500 || strings.Contains(a.Body, "4242") || p.Instance != "test-request" || a.Header.Get("Location") != "" {
		t.Error(a)
	}
	if !strings.Contains(log.String(), "adapter_test.go") || !strings.Contains(log.String(), "test-request") {
		t.Errorf("the log does not tell where and for whom: %s", log)
	}
}

func TestDeadline(t *testing.T) {
	t.Run("handler that listens", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			start := time.Now()
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
				web.WriteProblem(w, r, fmt.Errorf("load order: %w", r.Context().Err()))
			})
			a := webtest.Send(t, ctx, web.New(h), "http-order")
			if a.Status != 503 || a.Header.Get("Retry-After") == "" {
				t.Error(a)
			}
			if took := time.Since(start); took != 10*time.Second-web.Margin {
				t.Errorf("answered after %v", took)
			}
		})
	})
	t.Run("handler that does not", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Minute)
				io.WriteString(w, "too late")
			})
			a := webtest.Send(t, ctx, web.New(h), "http-order")
			if a.Status != 503 || strings.Contains(a.Body, "late") {
				t.Error(a)
			}
			time.Sleep(time.Minute) // the handler ends inside the test
		})
	})
	t.Run("short timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
			defer cancel()
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Context().Err() == nil {
					io.WriteString(w, "in time")
				}
			})
			if a := webtest.Send(t, ctx, web.New(h), "http-order"); a.Body != "in time" {
				t.Error(a)
			}
		})
	})
}

func TestResponseLimit(t *testing.T) {
	write := func(size int, unit string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat(unit, size/len(unit))) })
	}
	for name, c := range map[string]struct {
		size   int
		unit   string
		status int
	}{
		"small":                       {1 << 10, "a", 200},
		"at the limit":                {web.MaxResponse - 1024, "a", 200},
		"over the limit":              {web.MaxResponse + 1, "a", 500},
		"quotes double":               {web.MaxResponse/2 + 1024, `"`, 500},
		"control characters sextuple": {web.MaxResponse/6 + 1024, "\x01", 500},
		"base64 adds a third":         {web.MaxResponse * 4 / 5, "\xff", 500},
		"markup costs nothing extra":  {web.MaxResponse * 4 / 5, "<p>", 200},
	} {
		t.Run(name, func(t *testing.T) {
			adapter := web.New(write(c.size, c.unit))
			if a := webtest.Send(t, t.Context(), adapter, "http-order"); a.Status != c.status {
				t.Errorf("status %d, want %d", a.Status, c.status)
			}
			payload, _ := events.Load("http-order")
			if encoded, _ := adapter.Invoke(t.Context(), payload); len(encoded) > 6<<20 {
				t.Errorf("encoded response has %d bytes", len(encoded))
			}
		})
	}
}

func TestUnknownPath(t *testing.T) {
	a := webtest.Do(t, routes(), webtest.Request{Path: "/nowhere"})
	if p := a.Problem(t); p.Status != 404 || p.Type != "urn:yundian:problem:page_unknown" {
		t.Error(a)
	}
}
