// Package drive drives a running store as its users do, over HTTP alone, for the journeys of package e2e and the
// browser tests beside it.
package drive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Client speaks to a running store as a program outside it would: over HTTP alone.
type Client struct {
	T    testing.TB
	Base string // http://127.0.0.1:<port>
	http *http.Client
}

// NewClient makes a client that follows no redirects.
func NewClient(t testing.TB, base string) *Client {
	return &Client{T: t, Base: base, http: &http.Client{Timeout: 60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Answer is a response read to its end.
type Answer struct {
	t      testing.TB
	What   string
	Status int
	Header http.Header
	Body   []byte
}

// Call is a request to be sent; only Path is required.
type Call struct {
	Method, Path string
	Token        string // of a login
	Key          string // idempotency key
	JSON         any
	Form         url.Values
	Raw          string // a body sent as JSON, whatever it is
	Header       map[string]string
}

// Do sends a request.
func (c *Client) Do(q Call) Answer {
	c.T.Helper()
	var body io.Reader
	contentType := ""
	switch {
	case q.JSON != nil:
		b, err := json.Marshal(q.JSON)
		if err != nil {
			c.T.Fatal(err)
		}
		body, contentType = bytes.NewReader(b), "application/json"
	case q.Form != nil:
		body, contentType = strings.NewReader(q.Form.Encode()), "application/x-www-form-urlencoded"
	case q.Raw != "":
		body, contentType = strings.NewReader(q.Raw), "application/json"
	}
	method := q.Method
	if method == "" {
		method = http.MethodGet
	}
	address := q.Path
	if !strings.HasPrefix(address, "http") {
		address = c.Base + q.Path
	}
	r, err := http.NewRequest(method, address, body)
	if err != nil {
		c.T.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if q.Token != "" {
		r.Header.Set("Authorization", "Bearer "+q.Token)
	}
	if q.Key != "" {
		r.Header.Set("Idempotency-Key", q.Key)
	}
	for k, v := range q.Header {
		r.Header.Set(k, v)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		c.T.Fatalf("%s %s: %v", method, q.Path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.T.Fatalf("%s %s: %v", method, q.Path, err)
	}
	return Answer{t: c.T, What: method + " " + q.Path, Status: resp.StatusCode, Header: resp.Header, Body: b}
}

// Get sends a GET; an empty token sends none.
func (c *Client) Get(path, token string) Answer {
	c.T.Helper()
	return c.Do(Call{Path: path, Token: token})
}

// Post sends JSON, under a key of its own where one is needed.
func (c *Client) Post(path, token string, body any) Answer {
	c.T.Helper()
	return c.Do(Call{Method: http.MethodPost, Path: path, Token: token, Key: KeyFor(path), JSON: body})
}

// keyed are the paths of writes that are refused without an idempotency key.
var keyed = regexp.MustCompile(`^/v1/(withdrawals|admin/(stock|adjustments|adjustments/.+|payouts|payouts/.+|payout-files|payout-files/.+|orders/[^/]+/(refunds|returns/[^/]+)))$`)

// KeyFor is a new idempotency key for a write that needs one, and "" for any other.
func KeyFor(path string) string {
	if !keyed.MatchString(path) {
		return ""
	}
	return Fresh("written once ")
}

// Is fails the test unless the answer has this status.
func (a Answer) Is(status int) Answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("%s answered %d, want %d: %.600s", a.What, a.Status, status, a.Body)
	}
	return a
}

// Object is the answer's JSON object.
func (a Answer) Object() Object {
	a.t.Helper()
	var o Object
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		a.t.Fatalf("%s answered no JSON object: %v: %.300s", a.What, err, a.Body)
	}
	return o
}

// Object is a JSON object.
type Object map[string]any

// At walks to a value: At("lines", 0, "net", "amount"). Numbers come as int64; what is missing is nil.
func (o Object) At(path ...any) any {
	var v any = map[string]any(o)
	for _, p := range path {
		switch step := p.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				return nil
			}
			v = m[step]
		case int:
			l, ok := v.([]any)
			if !ok || step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return i
		}
		return n.String()
	}
	return v
}

// Text is a value as text.
func (o Object) Text(path ...any) string { return fmt.Sprint(o.At(path...)) }

// Len is the length of a list.
func (o Object) Len(path ...any) int {
	l, _ := o.At(path...).([]any)
	return len(l)
}

// Want fails the test unless the value there equals want; want is a string, an int or a bool.
func (o Object) Want(t testing.TB, want any, path ...any) {
	t.Helper()
	if n, ok := want.(int); ok {
		want = int64(n)
	}
	if got := o.At(path...); got != want {
		t.Errorf("%v is %v, want %v", path, got, want)
	}
}

// Token is a login of the local issuer.
func (c *Client) Token(user string) string {
	c.T.Helper()
	return c.Get("/_local/token?user="+url.QueryEscape(user), "").Is(200).Object().Text("token")
}

// Quiet waits until every stream is drained.
func (c *Client) Quiet() {
	c.T.Helper()
	for range 3000 {
		if c.Get("/_local/quiet", "").Status == 200 {
			return
		}
		time.Sleep(10 * time.Millisecond) // asks again; nothing depends on how often
	}
	c.T.Fatal("the streams did not drain")
}

// Mature fires the schedule as of a time and waits for what follows from it.
func (c *Client) Mature(at time.Time) {
	c.T.Helper()
	c.Do(Call{Method: http.MethodPost, Path: "/_local/run/mature?at=" + url.QueryEscape(at.UTC().Format(time.RFC3339))}).Is(200)
	c.Quiet()
}

var metaToken = regexp.MustCompile(`<meta name="yundian-token" content="([^"]+)"`)

// PageToken opens a page and gives the signed token it carries.
func (c *Client) PageToken(path string) string {
	c.T.Helper()
	m := metaToken.FindSubmatch(c.Do(Call{Path: path, Header: map[string]string{"Accept": "text/html"}}).Is(200).Body)
	if m == nil {
		c.T.Fatalf("%s carries no token", path)
	}
	return string(m[1])
}

// Choose opens an order's payment and presses a button of the sandbox's pay page. It gives the address that the
// shopper is sent to.
func (c *Client) Choose(payURL, outcome string) string {
	c.T.Helper()
	pay := c.Get(payURL, "").Is(303).Header.Get("Location")
	c.Get(pay, "").Is(200)
	return c.Do(Call{Method: http.MethodPost, Path: pay, Form: url.Values{"outcome": {outcome}}}).Is(303).Header.Get("Location")
}
