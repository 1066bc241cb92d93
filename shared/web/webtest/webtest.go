// Package webtest sends requests to handlers as the gateway does: as payload-v2 events through web.Adapter.
//
//	answer := webtest.Do(t, mux, webtest.Request{Method: "POST", Path: "/orders", JSON: body, Key: "5f1c…"})
//	if answer.Status != 201 { t.Fatal(answer) }
//	answer.Decode(t, &order)
package webtest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	samples "yundian/events"
	"yundian/shared/web"
)

// Host is the Host header of requests that set none.
const Host = "shop.example"

// Request is one request. At most one of JSON, Form and Body is set.
type Request struct {
	Method  string // GET if empty
	Path    string // decoded, as a client means it
	Query   string // raw, without ?
	Header  map[string]string
	Cookies []string
	JSON    any
	Form    url.Values
	Body    string
	Key     string       // Idempotency-Key
	Caller  *web.Caller  // who the authorizer let in; nil on routes without one
	Options []web.Option // of the adapter
}

// Answer is what a client sees.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// String shows an answer in a failing test.
func (a Answer) String() string { return fmt.Sprintf("%d %v\n%s", a.Status, a.Header, a.Body) }

// Decode reads the JSON body into v.
func (a Answer) Decode(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.Body), v); err != nil {
		t.Fatalf("answer is no JSON: %v\n%s", err, a)
	}
}

// Problem reads the body as a problem document.
func (a Answer) Problem(t testing.TB) web.Problem {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("answer is no problem document but %q\n%s", got, a)
	}
	var p web.Problem
	a.Decode(t, &p)
	if p.Status != a.Status {
		t.Errorf("problem says %d, answer says %d", p.Status, a.Status)
	}
	return p
}

// Do sends a request to a handler and gives its answer.
func Do(t testing.TB, h http.Handler, r Request) Answer {
	t.Helper()
	return answerOf(t, web.New(h, r.Options...).Handle(t.Context(), Event(t, r)))
}

// Send sends a sample event of events/, such as "http-page", as bytes, the way Lambda does.
func Send(t testing.TB, ctx context.Context, a *web.Adapter, name string) Answer {
	t.Helper()
	payload, err := samples.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := a.Invoke(ctx, payload)
	if err != nil {
		t.Fatalf("%s is a function error, which the gateway answers with its own 500: %v", name, err)
	}
	var response events.APIGatewayV2HTTPResponse
	if err := json.Unmarshal(encoded, &response); err != nil {
		t.Fatalf("response to %s is no JSON: %v", name, err)
	}
	return answerOf(t, response)
}

// Event is the gateway's event for a request.
func Event(t testing.TB, r Request) events.APIGatewayV2HTTPRequest {
	t.Helper()
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "$default", RawPath: r.Path, RawQueryString: r.Query, Cookies: r.Cookies,
		Headers: map[string]string{"host": Host, "x-forwarded-proto": "https"},
	}
	e.RequestContext.RequestID = "test-request"
	e.RequestContext.DomainName = Host
	e.RequestContext.HTTP.Method = r.Method
	if r.Method == "" {
		e.RequestContext.HTTP.Method = http.MethodGet
	}
	e.RequestContext.HTTP.Path = r.Path
	e.RequestContext.HTTP.SourceIP = "203.0.113.7"
	switch {
	case r.JSON != nil:
		body, err := json.Marshal(r.JSON)
		if err != nil {
			t.Fatal(err)
		}
		e.Body = string(body)
		e.Headers["content-type"] = "application/json"
	case r.Form != nil:
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(r.Form.Encode())), true
		e.Headers["content-type"] = "application/x-www-form-urlencoded"
	default:
		e.Body = r.Body
	}
	if r.Key != "" {
		e.Headers["idempotency-key"] = r.Key
	}
	for name, value := range r.Header {
		e.Headers[strings.ToLower(name)] = value
	}
	if r.Caller != nil {
		claims := map[string]any{"sub": r.Caller.Subject, "client_id": r.Caller.ClientID, "scope": strings.Join(r.Caller.Scopes, " "), "token_use": "access"}
		if len(r.Caller.Groups) > 0 {
			claims["cognito:groups"] = r.Caller.Groups
		}
		SignIn(t, &e, claims, r.Caller.Scopes)
	}
	return e
}

// SignIn makes an event come from whoever has a token with these claims, which are texts and lists of texts, as the gateway
// does after it has verified the token: the token is in the header as it came, and every claim is one text.
func SignIn(t testing.TB, e *events.APIGatewayV2HTTPRequest, claims map[string]any, scopes []string) {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	e.Headers["authorization"] = "Bearer header." + base64.RawURLEncoding.EncodeToString(payload) + ".signature"
	e.RequestContext.Authorizer = authorizer(claims, scopes)
}

func authorizer(given map[string]any, scopes []string) *events.APIGatewayV2HTTPRequestContextAuthorizerDescription {
	claims := map[string]string{}
	for name, value := range given {
		claims[name] = fmt.Sprint(value) // a list of texts is [a b]
	}
	return &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: claims, Scopes: scopes},
	}
}

func answerOf(t testing.TB, response events.APIGatewayV2HTTPResponse) Answer {
	t.Helper()
	a := Answer{Status: response.StatusCode, Header: http.Header{}, Body: response.Body}
	for name, value := range response.Headers {
		a.Header.Set(name, value)
	}
	for _, cookie := range response.Cookies {
		a.Header.Add("Set-Cookie", cookie)
	}
	if response.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(response.Body)
		if err != nil {
			t.Fatalf("response is no base64: %v", err)
		}
		a.Body = string(body)
	}
	return a
}
