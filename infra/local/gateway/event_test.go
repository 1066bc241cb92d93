package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// function is what stands behind a gateway in these tests: it keeps its event and gives a fixed answer.
type function struct {
	event  events.APIGatewayV2HTTPRequest
	name   string
	calls  int
	answer string
	failed bool
	err    error
	wait   bool // until the caller gives up
}

func (f *function) invoke(ctx context.Context, name string, payload []byte) ([]byte, bool, error) {
	f.calls++
	f.name, f.event = name, events.APIGatewayV2HTTPRequest{}
	if err := json.Unmarshal(payload, &f.event); err != nil {
		return nil, false, err
	}
	if f.wait {
		<-ctx.Done()
		return nil, false, ctx.Err()
	}
	if f.answer == "" {
		return []byte(`{"statusCode":200}`), f.failed, f.err
	}
	return []byte(f.answer), f.failed, f.err
}

var noon = time.Date(2026, 3, 12, 19, 3, 58, 0, time.UTC)

// serve starts a gateway over the routes with f behind each.
func serve(t *testing.T, f *function, o Options) string {
	t.Helper()
	o.Invoke = f.invoke
	if o.Now == nil {
		o.Now = func() time.Time { return noon }
	}
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(g)
	s.Listener = Listener(s.Listener)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

func anyRoute(path string) Options {
	return Options{Routes: []Route{{Path: path, Method: "ANY", Function: "f"}}}
}

// raw sends text as it is, because Go's client would repair what these tests are about.
func raw(t *testing.T, base, text string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func do(t *testing.T, method, url, contentType, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestEventIsPayloadVersion2(t *testing.T) {
	var f function
	base := serve(t, &f, anyRoute("/s/{code}"))
	raw(t, base, "PUT /s/100%25%3F?a=1&a=2&b=%20x&c HTTP/1.1\r\nHost: shop.example:8080\r\nUser-Agent: probe\r\n"+
		"Stripe-Signature: t=1,v1=ab\r\nX-Twice: one\r\nX-Twice: two\r\nCookie: a=1; b=2\r\nCookie: c=3\r\n"+
		"X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	e := f.event
	equal(t, "version", e.Version, "2.0")
	equal(t, "route", e.RouteKey, "ANY /s/{code}")
	equal(t, "raw path is decoded", e.RawPath, "/s/100%?")
	equal(t, "raw query is not", e.RawQueryString, "a=1&a=2&b=%20x&c")
	equal(t, "repeated query parameter", e.QueryStringParameters["a"], "1,2")
	equal(t, "query parameter is decoded", e.QueryStringParameters["b"], " x")
	equal(t, "path parameter", e.PathParameters["code"], "100%?")
	equal(t, "comma inside a header", e.Headers["stripe-signature"], "t=1,v1=ab")
	equal(t, "repeated header", e.Headers["x-twice"], "one,two")
	equal(t, "cookies", strings.Join(e.Cookies, "|"), "a=1|b=2|c=3")
	equal(t, "cookie header", e.Headers["cookie"], "")
	equal(t, "hop-by-hop header", e.Headers["connection"], "")
	equal(t, "forwarded addresses", e.Headers["x-forwarded-for"], "10.0.0.1, 127.0.0.1")
	equal(t, "forwarded scheme", e.Headers["x-forwarded-proto"], "http")
	equal(t, "forwarded port", e.Headers["x-forwarded-port"], "8080")
	equal(t, "host", e.Headers["host"], "shop.example:8080")
	c := e.RequestContext
	equal(t, "method", c.HTTP.Method, "PUT")
	equal(t, "path in context", c.HTTP.Path, "/s/100%?")
	equal(t, "address", c.HTTP.SourceIP, "127.0.0.1")
	equal(t, "protocol", c.HTTP.Protocol, "HTTP/1.1")
	equal(t, "agent", c.HTTP.UserAgent, "probe")
	equal(t, "time", c.Time, "12/Mar/2026:19:03:58 +0000")
	equal(t, "epoch", c.TimeEpoch, noon.UnixMilli())
	equal(t, "stage", c.Stage, "$default")
	equal(t, "domain", c.DomainName, "shop.example:8080")
	equal(t, "request id is there", c.RequestID != "", true)
}

func TestBodies(t *testing.T) {
	cases := []struct {
		contentType, body string
		encoded           bool
	}{
		{"application/json", `{"名":1}`, false},
		{"application/problem+json; charset=utf-8", `{}`, false},
		{"text/csv", "a,b", false},
		{"application/xml", "<a/>", false},
		{"image/svg+xml", "<svg/>", false},
		{"application/x-www-form-urlencoded", "a=1&b=%E4", true},
		{"multipart/form-data; boundary=x", "--x--", true},
		{"application/octet-stream", "\x00\xff", true},
		{"", "no type", true},
		{"text/plain", "broken \xff text", true},
		{"application/json", "", false},
	}
	var f function
	base := serve(t, &f, anyRoute("/f"))
	for _, c := range cases {
		t.Run(c.contentType+" "+c.body, func(t *testing.T) {
			do(t, http.MethodPost, base+"/f", c.contentType, c.body)
			equal(t, "encoded", f.event.IsBase64Encoded, c.encoded)
			got := f.event.Body
			if c.encoded {
				decoded, err := base64.StdEncoding.DecodeString(got)
				if err != nil {
					t.Fatal(err)
				}
				got = string(decoded)
			}
			equal(t, "body", got, c.body)
		})
	}
}

func TestAnswers(t *testing.T) {
	cases := []struct {
		name, answer string
		status       int
		contentType  string
		body         string
	}{
		{"full", `{"statusCode":201,"headers":{"content-type":"text/html","content-length":"99","connection":"upgrade"},"body":"hi"}`, 201, "text/html", "hi"},
		{"base64", `{"statusCode":200,"headers":{"content-type":"image/png"},"isBase64Encoded":true,"body":"AP8="}`, 200, "image/png", "\x00\xff"},
		{"no type", `{"statusCode":200,"body":"hi"}`, 200, "text/plain;charset=utf-8", "hi"},
		{"no content", `{"statusCode":204}`, 204, "", ""},
		{"no status", `{"a":1}`, 200, "application/json", `{"a":1}`},
		{"only a text", `"hello"`, 200, "application/json", "hello"},
		{"wrong base64", `{"statusCode":200,"isBase64Encoded":true,"body":"%"}`, 500, "application/json", `{"message":"Internal Server Error"}`},
		{"wrong status", `{"statusCode":42}`, 500, "application/json", `{"message":"Internal Server Error"}`},
		{"wrong headers", `{"statusCode":200,"headers":{"a":["b"]}}`, 500, "application/json", `{"message":"Internal Server Error"}`},
		{"not JSON", `hello`, 500, "application/json", `{"message":"Internal Server Error"}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			res, body := do(t, http.MethodGet, serve(t, &function{answer: c.answer}, anyRoute("/f"))+"/f", "", "")
			equal(t, "status", res.StatusCode, c.status)
			equal(t, "content type", res.Header.Get("Content-Type"), c.contentType)
			equal(t, "body", body, c.body)
		})
	}
}

func TestCookiesOfAnAnswer(t *testing.T) {
	f := function{answer: `{"statusCode":200,"cookies":["a=1; Path=/","b=2"],"body":"x"}`}
	res, _ := do(t, http.MethodGet, serve(t, &f, anyRoute("/f"))+"/f", "", "")
	equal(t, "cookies", strings.Join(res.Header.Values("Set-Cookie"), "|"), "a=1; Path=/|b=2")
}

func TestHeadHasTheLengthAndNoBody(t *testing.T) {
	f := function{answer: `{"statusCode":200,"body":"twelve bytes"}`}
	base := serve(t, &f, anyRoute("/f"))
	res, body := do(t, http.MethodHead, base+"/f", "", "")
	equal(t, "method reaches the function", f.event.RequestContext.HTTP.Method, "HEAD")
	equal(t, "length", res.ContentLength, 12)
	equal(t, "body", body, "")
}

func TestGatewaysOwnAnswers(t *testing.T) {
	routes := func(change func(*Route)) Options {
		r := Route{Path: "/f", Method: "ANY", Function: "f"}
		change(&r)
		return Options{Routes: []Route{r}}
	}
	same := func(*Route) {}
	cases := []struct {
		name    string
		f       function
		o       Options
		request string
		status  int
		message string
	}{
		{"no route", function{}, routes(same), "GET /g HTTP/1.1\r\n", 404, "Not Found"},
		{"other method", function{}, routes(func(r *Route) { r.Method = "POST" }), "GET /f HTTP/1.1\r\n", 404, "Not Found"},
		{"function failed", function{failed: true}, routes(same), "GET /f HTTP/1.1\r\n", 500, "Internal Server Error"},
		{"no function", function{err: fmt.Errorf("gone")}, routes(same), "GET /f HTTP/1.1\r\n", 500, "Internal Server Error"},
		{"answer too large", function{answer: `{"statusCode":200,"body":"` + strings.Repeat("x", maxAnswer) + `"}`}, routes(same), "GET /f HTTP/1.1\r\n", 500, "Internal Server Error"},
		{"function is full", function{err: fmt.Errorf("f: %w", ErrBusy)}, routes(same), "GET /f HTTP/1.1\r\n", 503, "Service Unavailable"},
		{"event too large", function{err: fmt.Errorf("f: %w", ErrTooLarge)}, routes(same), "GET /f HTTP/1.1\r\n", 413, "Request Entity Too Large"},
		{"route's time is over", function{wait: true}, routes(func(r *Route) { r.Timeout = time.Millisecond }), "GET /f HTTP/1.1\r\n", 503, "Service Unavailable"},
		{"line and headers too large", function{}, routes(same), "GET /f HTTP/1.1\r\nX: " + strings.Repeat("x", maxHead) + "\r\n", 431, "Request Header Fields Too Large"},
		{"announced body too large", function{}, routes(same), fmt.Sprintf("POST /f HTTP/1.1\r\nContent-Length: %d\r\nExpect: 100-continue\r\n", maxBody+1), 413, "Request Entity Too Large"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			request := c.request
			if strings.Contains(request, "Expect") {
				request = strings.Replace(request, "Expect: 100-continue\r\n", "", 1)
			}
			res, body := rawOrBody(t, serve(t, &c.f, c.o), request)
			equal(t, "status", res.StatusCode, c.status)
			equal(t, "type", res.Header.Get("Content-Type"), "application/json")
			equal(t, "body", body, `{"message":"`+c.message+`"}`)
		})
	}
}

func TestMalformedRequestsGetTheGatewaysAnswer(t *testing.T) {
	var f function
	base := serve(t, &f, anyRoute("/s/{code}"))
	for request, status := range map[string]int{
		"GET /s/%zz HTTP/1.1\r\nHost: h\r\n\r\n":                                        400,
		"GET /s/% HTTP/1.1\r\nHost: h\r\n\r\n":                                          400,
		"GET /s/1 HTTP/1.1\r\n\r\n":                                                     400, // no host
		"GET /s/1 HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n":                            400,
		"GET /s/1 HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 2<<20) + "\r\n\r\n": 431,
	} {
		res, body := raw(t, base, request)
		equal(t, "status", res.StatusCode, status)
		equal(t, "type", res.Header.Get("Content-Type"), "application/json")
		equal(t, "body", body, `{"message":"`+http.StatusText(status)+`"}`)
	}
	f.answer = `{"statusCode":400,"headers":{"content-type":"text/plain; charset=utf-8","connection":"close"},"body":"mine"}`
	if res, body := raw(t, base, "GET /s/1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"); res.StatusCode != 400 || body != "mine" {
		t.Errorf("a function's own refusal became %s", body)
	}
}

// rawOrBody sends the head and, where it announces a body, that many bytes.
func rawOrBody(t *testing.T, base, head string) (*http.Response, string) {
	t.Helper()
	var length int
	if _, after, ok := strings.Cut(head, "Content-Length: "); ok {
		fmt.Sscan(after, &length)
	}
	return raw(t, base, head+"Host: h\r\nConnection: close\r\n\r\n"+strings.Repeat("x", length))
}

func TestChunkedBodyTooLarge(t *testing.T) {
	var f function
	base := serve(t, &f, anyRoute("/f"))
	res, err := http.Post(base+"/f", "text/plain", io.MultiReader(bytes.NewReader(make([]byte, maxBody+1)))) // unknown length
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	equal(t, "status", res.StatusCode, 413)
	equal(t, "calls", f.calls, 0)
	if res, err = http.Post(base+"/f", "text/plain", bytes.NewReader(make([]byte, maxBody))); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	equal(t, "status at the limit", res.StatusCode, 200)
}

func TestThrottle(t *testing.T) {
	var f function
	o := Options{Rate: 0.001, Burst: 2, Routes: []Route{{Path: "/a", Method: "GET", Function: "f"}, {Path: "/b", Method: "GET", Function: "f"},
		{Path: "/own", Method: "GET", Function: "f", Rate: 0.001, Burst: 1}}}
	base := serve(t, &f, o)
	for i, c := range []struct {
		path   string
		status int
	}{{"/a", 200}, {"/b", 200}, {"/a", 429}, {"/b", 429}, {"/own", 200}, {"/own", 429}, {"/none", 404}} {
		res, body := do(t, http.MethodGet, base+c.path, "", "")
		equal(t, fmt.Sprintf("request %d to %s", i, c.path), res.StatusCode, c.status)
		if c.status == 429 {
			equal(t, "body", body, `{"message":"Too Many Requests"}`)
		}
	}
	equal(t, "calls", f.calls, 3)
}

func TestRoutes(t *testing.T) {
	keys := []string{"ANY /", "GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /pets/dog/{id}", "ANY /orders", "ANY /orders/{id}",
		"ANY /orders/{id}/pay", "POST /v1/{proxy+}"}
	cases := []struct{ method, path, want, variable string }{
		{"GET", "/", "ANY /", ""},
		{"GET", "/pets/dog/1", "GET /pets/dog/1", ""},
		{"GET", "/pets/dog/2", "GET /pets/dog/{id}", "id=2"},
		{"POST", "/pets/dog/2", "ANY /pets/dog/{id}", "id=2"},
		{"GET", "/pets/cat/1", "GET /pets/{proxy+}", "proxy=cat/1"},
		{"GET", "/pets/dog/2/name", "GET /pets/{proxy+}", "proxy=dog/2/name"},
		{"GET", "/pets/", "", ""},
		{"GET", "/pets", "", ""},
		{"PATCH", "/orders/ORDER%20x", "ANY /orders/{id}", "id=ORDER%20x"},
		{"GET", "/orders/1/pay", "ANY /orders/{id}/pay", "id=1"},
		{"GET", "/orders/", "", ""},
		{"GET", "/orders//pay", "", ""},
		{"GET", "//orders", "", ""},
		{"GET", "/Orders", "", ""},
		{"GET", "/v1/x", "", ""},
		{"POST", "/v1/x", "POST /v1/{proxy+}", "proxy=x"},
	}
	var routes []Route
	for _, key := range keys {
		method, path, _ := strings.Cut(key, " ")
		routes = append(routes, Route{Path: path, Method: method, Function: key})
	}
	find := func(r *router, method, path string) (string, string) {
		m, ok := r.find(method, path)
		if !ok {
			return "", ""
		}
		for name, value := range m.variables {
			return m.key(), name + "=" + value
		}
		return m.key(), ""
	}
	without, err := newRouter(routes)
	if err != nil {
		t.Fatal(err)
	}
	with, err := newRouter(append(routes, Route{Path: "$default", Method: "ANY"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		key, variable := find(without, c.method, c.path)
		equal(t, c.method+" "+c.path, key, c.want)
		equal(t, "variable of "+c.path, variable, c.variable)
		if c.want == "" {
			key, _ = find(with, c.method, c.path)
			equal(t, c.path+" with a default route", key, "$default")
		}
	}
	if _, err := newRouter(append(routes, routes[1])); err == nil {
		t.Error("a route may stand twice")
	}
}

func TestRouteWithUnknownAuthorizerIsRefused(t *testing.T) {
	_, err := New(Options{Routes: []Route{{Path: "/f", Method: "ANY", Authorizer: "Login"}}})
	if err == nil || !strings.Contains(err.Error(), "Login") {
		t.Errorf("got %v", err)
	}
}
