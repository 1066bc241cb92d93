package provider

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/payout"
)

const testKey = "00112233445566778899aabbccddeeff"

// runtimeAPI is a Runtime API as a function finds it, answering the sandbox question in its own way.
func runtimeAPI(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func newRegistry(t *testing.T, api string, names ...string) *Registry {
	t.Helper()
	r, err := New(names, api)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOnlyTheRunnersKeyGivesTheSandbox(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	good := `{"key": "` + testKey + `", "url": "http://127.0.0.1:8080"}`
	tests := []struct {
		name    string
		api     string
		names   []string
		offered bool
	}{
		{"a runner's key", runtimeAPI(t, text(200, good)), []string{"sandbox"}, true},
		{"not listed", runtimeAPI(t, text(200, good)), []string{"on_delivery"}, false},
		{"no runtime API", "", []string{"sandbox"}, false},
		{"Lambda's answer", runtimeAPI(t, text(404, "404 page not found")), []string{"sandbox"}, false},
		{"forbidden, with a key", runtimeAPI(t, text(403, good)), []string{"sandbox"}, false},
		{"nobody listens", strings.TrimPrefix(closed.URL, "http://"), []string{"sandbox"}, false},
		{"not an address", "127.0.0.1:1\n/", []string{"sandbox"}, false},
		{"no JSON", runtimeAPI(t, text(200, "yes")), []string{"sandbox"}, false},
		{"no key", runtimeAPI(t, text(200, `{"url": "http://127.0.0.1:8080"}`)), []string{"sandbox"}, false},
		{"a short key", runtimeAPI(t, text(200, `{"key": "0011", "url": "http://127.0.0.1:8080"}`)), []string{"sandbox"}, false},
		{"a key that is none", runtimeAPI(t, text(200, strings.Replace(good, "0011", "zzzz", 1))), []string{"sandbox"}, false},
		{"another machine", runtimeAPI(t, text(200, strings.Replace(good, "127.0.0.1", "10.0.0.9", 1))), []string{"sandbox"}, false},
		{"a name", runtimeAPI(t, text(200, strings.Replace(good, "127.0.0.1", "127.0.0.1.example.com", 1))), []string{"sandbox"}, false},
		{"a page too long", runtimeAPI(t, text(200, good+strings.Repeat(" ", maxAnswer))), []string{"sandbox"}, false},
		{"a redirect", runtimeAPI(t, http.RedirectHandler("http://"+runtimeAPI(t, text(200, good))+keyPath, 302).ServeHTTP), []string{"sandbox"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRegistry(t, tt.api, tt.names...)
			for what, get := range map[string]func(context.Context, string) (Provider, error){"offered": r.Offered, "get": r.Get} {
				p, err := get(t.Context(), Sandbox)
				if tt.offered {
					if err != nil || p.Name() != Sandbox {
						t.Errorf("%s: %v %v", what, p, err)
					}
				} else if p != nil || fail.KindOf(err) != fail.Invalid || !fail.Is(err, "payment_unknown") {
					t.Errorf("%s: %v %v", what, p, err)
				}
			}
			if got := slices.Contains(r.Names(t.Context()), Sandbox); got != tt.offered {
				t.Errorf("named: %v", got)
			}
			rails, err := NewRails(slices.DeleteFunc(slices.Clone(tt.names), func(name string) bool { return name == OnDelivery }), tt.api)
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Contains(rails.Names(t.Context()), payout.Sandbox); got != tt.offered {
				t.Errorf("rail named: %v", got)
			}
			if got := rails.Offered(t.Context(), payout.Sandbox) == nil; got != tt.offered {
				t.Errorf("rail offered: %v", got)
			}
			if sender, err := rails.Sender(t.Context(), payout.Sandbox); (err == nil) != tt.offered || (sender != nil) != tt.offered {
				t.Errorf("sender: %v %v", sender, err)
			}
		})
	}
}

func TestTheKeyIsAskedForOncePerProcess(t *testing.T) {
	var asked atomic.Int64
	api := runtimeAPI(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" || r.URL.Path != "/yundian/sandbox" {
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
		if asked.Add(1) == 1 {
			w.WriteHeader(503) // too busy: no answer to remember
			return
		}
		text(200, `{"key": "`+testKey+`", "url": "http://127.0.0.1:8080"}`)(w, r)
	})
	r := newRegistry(t, api, "on_delivery", "sandbox")
	if asked.Load() != 0 {
		t.Error("asked before anybody needed it")
	}
	if _, err := r.Offered(t.Context(), Sandbox); err == nil {
		t.Error("offered without an answer")
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	for range 5 {
		if _, err := r.Offered(impatient, Sandbox); err != nil {
			t.Error(err)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
	var refused atomic.Int64
	r = newRegistry(t, runtimeAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		refused.Add(1)
		w.WriteHeader(404)
	}), "sandbox")
	for range 3 {
		_, _ = r.Offered(t.Context(), Sandbox)
	}
	if refused.Load() != 1 {
		t.Errorf("asked Lambda %d times", refused.Load())
	}
}

func TestNames(t *testing.T) {
	r := newRegistry(t, runtimeAPI(t, text(200, `{"key": "`+testKey+`", "url": "http://127.0.0.1:8080"}`)), " sandbox", "", "on_delivery ", "sandbox")
	if got := r.Names(t.Context()); !slices.Equal(got, []string{"sandbox", "on_delivery"}) {
		t.Errorf("names %v", got)
	}
	if _, err := New([]string{"paypal"}, ""); err == nil {
		t.Error("a provider nobody wrote was accepted")
	}
	for _, name := range []string{"", "stripe", "SANDBOX", "sandbox ", strings.Repeat("x", 5000), "\xff"} {
		if _, err := r.Offered(t.Context(), name); !fail.Is(err, "payment_unknown") || len(err.Error()) > 200 {
			t.Errorf("%.20q: %v", name, err)
		}
	}
}

func TestOnDelivery(t *testing.T) {
	r := newRegistry(t, "", "sandbox") // not offered to new orders, still there for old ones
	if _, err := r.Offered(t.Context(), OnDelivery); !fail.Is(err, "payment_unknown") {
		t.Errorf("offered although not listed: %v", err)
	}
	p, err := r.Get(t.Context(), OnDelivery)
	if err != nil || p.Name() != OnDelivery {
		t.Fatal(p, err)
	}
	if _, err := p.Open(t.Context(), Checkout{}); fail.KindOf(err) != fail.Conflict {
		t.Errorf("open: %v", err)
	}
	if c, err := p.Close(t.Context(), "x"); err != nil || c.AlreadyPaid {
		t.Errorf("close: %v %v", c, err)
	}
	first, err := p.Refund(t.Context(), RefundRequest{ID: "r1", Amount: money.Of(1, "CNY")})
	if err != nil || first.State != RefundSucceeded || first.ProviderID == "" {
		t.Errorf("refund: %v %v", first, err)
	}
	if again, err := p.LookupRefund(t.Context(), "r1"); err != nil || again != first {
		t.Errorf("look-up: %v %v", again, err)
	}
	if _, err := p.Event(http.Header{}, nil, now); fail.KindOf(err) != fail.NotFound {
		t.Errorf("event: %v", err)
	}
}
