package web_test

import (
	"encoding/base64"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"yundian/shared/web"
	"yundian/shared/web/webtest"
)

// callers keeps who a handler saw.
func callers(got *web.Caller, known *bool) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { *got, *known = web.CallerOf(r.Context()) })
}

func TestCaller(t *testing.T) {
	var got web.Caller
	var known bool
	adapter := web.New(callers(&got, &known))

	webtest.Send(t, t.Context(), adapter, "http-operator-api")
	want := web.Caller{Subject: "1a2b3c4d-50e1-7002-8f90-a1b2c3d4e5f6", ClientID: "3n4b5urk1ft4fl3mg5e62d9ado",
		Scopes: []string{"yundian/operator"}, Groups: []string{"koc", "operator"}}
	if !known || !reflect.DeepEqual(got, want) {
		t.Errorf("caller %+v, %v; want %+v", got, known, want)
	}
	if !got.In("operator") || got.In("auditor") || !got.May("yundian/operator") || got.May("yundian/koc") {
		t.Error("groups or scopes are misread")
	}
	webtest.Send(t, t.Context(), adapter, "http-page")
	if known {
		t.Errorf("a page has a caller: %+v", got)
	}
}

// TestGroups: names of groups are whole, as they stand in the token, whatever the gateway makes of a list.
func TestGroups(t *testing.T) {
	for name, c := range map[string]struct {
		claim    any
		want     []string
		operator bool
	}{
		"none":                  {nil, nil, false},
		"an empty list":         {[]string{}, []string{}, false},
		"a list of one":         {[]string{"operator"}, []string{"operator"}, true},
		"a list of two":         {[]string{"koc", "operator"}, []string{"koc", "operator"}, true},
		"one name":              {"operator", []string{"operator"}, true},
		"one name with a blank": {"koc operator", []string{"koc operator"}, false},
		"a name with a blank":   {[]string{"not operator"}, []string{"not operator"}, false},
		"blanks around":         {[]string{" operator", "operator ", "operator\t"}, []string{" operator", "operator ", "operator\t"}, false},
		"names in a name":       {[]string{"a operator b"}, []string{"a operator b"}, false},
		"a list as a name":      {"[operator]", []string{"[operator]"}, false},
		"a list in a list":      {[]string{"[operator]"}, []string{"[operator]"}, false},
		"JSON as a name":        {`["operator"]`, []string{`["operator"]`}, false},
		"half a list":           {"[operator", []string{"[operator"}, false},
		"with a comma":          {[]string{"koc,operator"}, []string{"koc,operator"}, false},
		"parts of a name":       {[]string{"operators", "not-operator", "Operator"}, []string{"operators", "not-operator", "Operator"}, false},
		"not only names":        {[]any{"operator", 1}, nil, false},
		"a list of lists":       {[]any{[]string{"operator"}}, nil, false},
		"an object":             {map[string]bool{"operator": true}, nil, false},
		"a number":              {5, nil, false},
	} {
		event := webtest.Event(t, webtest.Request{})
		claims := map[string]any{"sub": "s", "iss": "https://login.example", "jti": "t1"}
		if c.claim != nil {
			claims["groups"] = c.claim
		}
		webtest.SignIn(t, &event, claims, nil)
		got, known := whoCalls(t, event)
		if !known || !reflect.DeepEqual(got.Groups, c.want) || got.In("operator") != c.operator {
			t.Errorf("%s: %q, an operator: %v", name, got.Groups, got.In("operator"))
		}
	}
}

func whoCalls(t *testing.T, event events.APIGatewayV2HTTPRequest) (got web.Caller, known bool) {
	t.Helper()
	web.New(callers(&got, &known), web.GroupsClaim("groups")).Handle(t.Context(), event)
	return got, known
}

// TestGroupsOfAnotherToken: a token that is not the one that the gateway verified puts nobody into a group.
func TestGroupsOfAnotherToken(t *testing.T) {
	signedIn := func() events.APIGatewayV2HTTPRequest {
		event := webtest.Event(t, webtest.Request{})
		webtest.SignIn(t, &event, map[string]any{"sub": "s", "iss": "https://login.example", "jti": "t1", "client_id": "c", "groups": []string{"operator"}}, nil)
		return event
	}
	bearer := signedIn().Headers["authorization"]
	token := strings.TrimPrefix(bearer, "Bearer ")
	payload := func(text string) string {
		return "Bearer h." + base64.RawURLEncoding.EncodeToString([]byte(text)) + ".s"
	}
	for header, want := range map[string]bool{
		bearer: true, token: true, "bearer  " + token + " ": true,
		"": false, "Bearer": false, "Bearer ..": false, "Basic " + token: false, bearer + "," + token: false, bearer + ".x": false,
		"Bearer h." + base64.StdEncoding.EncodeToString([]byte(`{"sub":"s?"}`)) + ".s":                                         false,
		payload(`{"sub":"s","iss":"https://login.example","jti":"t1","client_id":"c","groups":["operator"]}`):                  true,
		payload(`{"sub":"s","iss":"https://login.example","jti":"t2","client_id":"c","groups":["operator"]}`):                  false,
		payload(`{"sub":"s","iss":"https://login.example","client_id":"c","groups":["operator"]}`):                             false,
		payload(`{"sub":"x","iss":"https://login.example","jti":"t1","client_id":"c","groups":["operator"]}`):                  false,
		payload(`{"sub":"s","iss":"https://evil.example","jti":"t1","client_id":"c","groups":["operator"]}`):                   false,
		payload(`{"sub":"s","iss":"https://login.example","jti":"t1","client_id":"d","groups":["operator"]}`):                  false,
		payload(`{"sub":"s","iss":"https://login.example","jti":"t1","client_id":"c","groups":["koc"],"groups":["operator"]}`): false,
		payload(`{"sub":"s","iss":"https://login.example","jti":"t1","client_id":"c","cognito:groups":["operator"]}`):          false,
		payload(`["operator"]`): false, payload(`null`): false, payload(`{`): false,
	} {
		event := signedIn()
		event.Headers["authorization"] = header
		if got, known := whoCalls(t, event); !known || got.In("operator") != want {
			t.Errorf("%.60q: groups %q", header, got.Groups)
		}
	}
}

func TestTokenWithoutSubjectIsNobody(t *testing.T) {
	var got web.Caller
	known := true
	webtest.Do(t, callers(&got, &known), webtest.Request{Caller: &web.Caller{Groups: []string{"operator"}}})
	if known {
		t.Error("a token without a subject is somebody")
	}
}

func TestBaseURL(t *testing.T) {
	for _, c := range []struct{ host, domain, public, want string }{
		{"shop.example", "api.example", "", "https://api.example"},
		{"evil.example", "api.example", "https://brand.example/", "https://brand.example"},
		{"evil.example", "api.example", "", "https://api.example"},
		{"evil.example", "", "", ""},
		{"shop.example", "api.example/@evil.example", "", ""},
	} {
		got := ""
		e := webtest.Event(t, webtest.Request{Header: map[string]string{"Host": c.host, "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}})
		e.RequestContext.DomainName = c.domain
		web.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = web.BaseURL(r, c.public) })).Handle(t.Context(), e)
		if got != c.want {
			t.Errorf("%+v gives %q", c, got)
		}
	}
}
