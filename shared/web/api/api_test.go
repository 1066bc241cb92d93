package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/fail"
	"yundian/shared/money"
	"yundian/shared/web"
	"yundian/shared/web/api"
	"yundian/shared/web/webtest"
)

type line struct {
	SKU      string `json:"sku" minLength:"1" maxLength:"64" pattern:"^[a-z-]+$"`
	Quantity int64  `json:"quantity" minimum:"1" maximum:"99"`
}

type link struct {
	Target  string       `json:"target" enum:"storefront,product"`
	Channel string       `json:"channel,omitempty" maxLength:"5"`
	Lines   []line       `json:"lines,omitempty" maxItems:"2"`
	On      bool         `json:"on,omitempty"`
	From    time.Time    `json:"from,omitzero"`
	Price   money.Amount `json:"price,omitzero"`
}

type input struct {
	api.Keyed
	ID   string `path:"id" maxLength:"8"`
	Date string `query:"date" format:"date"`
	api.Paging
	Body link
}

func routes(answer error) *http.ServeMux {
	mux := http.NewServeMux()
	a := api.Later(mux)
	api.Register(a, huma.Operation{Method: http.MethodPost, Path: "/v1/links/{id}", OperationID: "makeLink", DefaultStatus: 201, MaxBodyBytes: 2000, Security: api.KOC},
		func(ctx context.Context, in *input) (*api.Reply[map[string]any], error) {
			caller, _ := web.CallerOf(ctx)
			return &api.Reply[map[string]any]{Body: map[string]any{"target": in.Body.Target, "size": in.Limit.Size(), "cursor": in.Cursor, "caller": caller.Subject}}, answer
		})
	api.Register(a, huma.Operation{Method: http.MethodGet, Path: "/v1/links", OperationID: "listLinks"},
		func(context.Context, *struct{ api.Paging }) (*api.Reply[struct {
			Items []line `json:"items"`
			Next  string `json:"next,omitempty"`
		}], error) {
			return &api.Reply[struct {
				Items []line `json:"items"`
				Next  string `json:"next,omitempty"`
			}]{}, nil
		})
	return mux
}

func post(t *testing.T, body, query string, header map[string]string) webtest.Answer {
	t.Helper()
	h := map[string]string{"Content-Type": "application/json"}
	for name, value := range header {
		h[name] = value
	}
	return webtest.Do(t, routes(nil), webtest.Request{Method: "POST", Path: "/v1/links/abc", Query: query, Body: body, Header: h,
		Caller: &web.Caller{Subject: "s-1"}})
}

func TestGoodRequest(t *testing.T) {
	a := post(t, `{"target":"storefront","lines":[{"sku":"tea","quantity":1}],"from":"2026-03-01T08:30:00Z","price":{"amount":5,"currency":"CNY"}}`, "limit=1e9&cursor=abc", nil)
	if a.Status != 201 || a.Body != `{"caller":"s-1","cursor":"abc","size":100,"target":"storefront"}`+"\n" || a.Header.Get("Content-Type") != "application/json" {
		t.Error(a)
	}
	if strings.Contains(a.String(), "schema") {
		t.Error("answers carry a schema link")
	}
	if a := webtest.Do(t, routes(nil), webtest.Request{Path: "/v1/links"}); a.Body != `{"items":[]}`+"\n" {
		t.Error(a)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, body, query, location, message string }{
		{"unknown", `{"target":"storefront","rate":1}`, "", "body.rate", "There is no such field."},
		{"unknown within", `{"target":"storefront","lines":[{"sku":"tea","quantity":1,"price":1}]}`, "", "body.lines[0].price", "There is no such field."},
		{"other case", `{"Target":"storefront","target":"storefront"}`, "", "body.Target", "There is no such field."},
		{"twice", `{"target":"storefront","target":"product"}`, "", "body.target", "This is given twice."},
		{"missing", `{"lines":[{"sku":"tea"}]}`, "", "body.target", "This is required."},
		{"missing within", `{"target":"storefront","lines":[{"sku":"tea"}]}`, "", "body.lines[0].quantity", "This is required."},
		{"no choice", `{"target":"moon"}`, "", "body.target", "This must be one of: storefront, product."},
		{"too small", `{"target":"product","lines":[{"sku":"tea","quantity":0}]}`, "", "body.lines[0].quantity", "This must be at least 1."},
		{"negative", `{"target":"product","lines":[{"sku":"tea","quantity":-1}]}`, "", "body.lines[0].quantity", "This must be at least 1."},
		{"fraction", `{"target":"product","lines":[{"sku":"tea","quantity":1.5}]}`, "", "body.lines[0].quantity", "This must be a whole number."},
		{"text for number", `{"target":"product","lines":[{"sku":"tea","quantity":"1"}]}`, "", "body.lines[0].quantity", "This must be a whole number."},
		{"2^63", `{"target":"product","lines":[{"sku":"tea","quantity":9223372036854775808}]}`, "", "body.lines[0].quantity", "This must be at most 99."},
		{"2^63 without a limit", `{"target":"product","price":{"amount":9223372036854775808,"currency":"CNY"}}`, "", "body.price.amount", "This has the wrong type or is out of range."},
		{"1.0 without a limit", `{"target":"product","price":{"amount":1.0,"currency":"CNY"}}`, "", "body.price.amount", "This has the wrong type or is out of range."},
		{"too long", `{"target":"product","channel":"wechat"}`, "", "body.channel", "This must have at most 5 characters."},
		{"too short", `{"target":"product","lines":[{"sku":"","quantity":1}]}`, "", "body.lines[0].sku", "This must have at least 1 characters."},
		{"pattern", `{"target":"product","lines":[{"sku":"A","quantity":1}]}`, "", "body.lines[0].sku", "This must match ^[a-z-]+$."},
		{"too many", `{"target":"product","lines":[{"sku":"a","quantity":1},{"sku":"a","quantity":1},{"sku":"a","quantity":1}]}`, "", "body.lines", "This must have at most 2 entries."},
		{"not a list", `{"target":"product","lines":5}`, "", "body.lines", "This must be a list."},
		{"not a time", `{"target":"product","from":"yesterday"}`, "", "body.from", "This must be a time such as 2026-03-01T08:30:00Z."},
		{"not a truth", `{"target":"product","on":"yes"}`, "", "body.on", "This must be true or false."},
		{"not an object", `[]`, "", "body", "This must be an object."},
		{"query date", `{"target":"product"}`, "date=1.3.2026", "query.date", "This must be a date such as 2026-03-01."},
		{"key", `{"target":"product"}`, "", "header.Idempotency-Key",
			"Send a key of 16 to 128 printable ASCII characters without commas that is new for every request and the same when you send that request again."},
		{"query limit", `{"target":"product"}`, "limit=0", "query.limit", "This must be at least 1."},
		{"query cursor", `{"target":"product"}`, "cursor=" + strings.Repeat("a", 2049), "query.cursor", "This must have at most 2048 characters."},
		{"long name", `{"target":"product","` + strings.Repeat("n", 300) + `":1}`, "", "body." + strings.Repeat("n", 64) + "…", "There is no such field."},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := map[string]string{}
			if c.name == "key" {
				header["Idempotency-Key"] = "short"
			}
			a := post(t, c.body, c.query, header)
			p := a.Problem(t)
			if a.Status != 400 || p.Type != "urn:yundian:problem:invalid_fields" || p.Instance != "test-request" || a.Header.Get("Cache-Control") != "no-store" {
				t.Error(a)
			}
			found := false
			for _, e := range p.Errors {
				found = found || e.Location == c.location && e.Message == c.message
			}
			if !found {
				t.Errorf("want %s: %s\n%s", c.location, c.message, a)
			}
			if strings.Contains(a.Body, "expected") || strings.Contains(a.Body, `"value"`) {
				t.Errorf("the library speaks: %s", a)
			}
		})
	}
}

// TestUnknownParameters: an API answers what it was asked for, or says that it was not understood.
func TestUnknownParameters(t *testing.T) {
	for query, want := range map[string]string{"limit=5&phone=138": "query.phone: There is no such field.", "Limit=5": "query.Limit: There is no such field.", "limit=5&limit=6": "query.limit: This is given twice.",
		"a=1&b=2": "query.a: There is no such field. query.b: There is no such field.", "=": "query.: There is no such field.", "limit=5&%zz": "query: The part of the address after the question mark cannot be read.",
		"limit=5;lang=en": "query: The part of the address after the question mark cannot be read.",
		"date=2026-03-01": "query.date: There is no such field."} {
		a := webtest.Do(t, routes(nil), webtest.Request{Path: "/v1/links", Query: query})
		var said []string
		for _, e := range a.Problem(t).Errors {
			said = append(said, e.Location+": "+e.Message)
		}
		if got := strings.Join(said, " "); a.Status != 400 || got != want {
			t.Errorf("?%s: %d %s, want %s", query, a.Status, got, want)
		}
	}
	if a := post(t, `{"target":"product"}`, "limit=5&cursor=abc&date=2026-03-01&lang=en&koc=mei", nil); a.Status != 201 {
		t.Errorf("what there is: %s", a)
	}
	if a := post(t, `{"target":"product"}`, "target=product", nil); a.Status != 400 {
		t.Errorf("a field of the body in the query: %s", a)
	}
}

func TestWholeBodyRefusals(t *testing.T) {
	for _, c := range []struct {
		name, body, contentType, kind string
		status                        int
	}{
		{"nothing", ``, "application/json", "body_missing", 400},
		{"null", `null`, "application/json", "body_missing", 400},
		{"cut", `{"target":`, "application/json", "json_malformed", 400},
		{"after", `{"target":"product"}x`, "application/json", "json_malformed", 400},
		{"bad UTF-8", "{\"target\":\"\xff\"}", "application/json", "json_malformed", 400},
		{"deep", `{"target":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + `}`, "application/json", "json_too_deep", 400},
		{"text", `{"target":"product"}`, "text/plain", "media_type_unsupported", 415},
		{"form", `target=product`, "application/x-www-form-urlencoded", "media_type_unsupported", 415},
		{"cbor", `{"target":"product"}`, "application/cbor", "media_type_unsupported", 415},
		{"large", `{"target":"product"` + strings.Repeat(" ", 3000) + `}`, "application/json", "body_too_large", 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := post(t, c.body, "", map[string]string{"Content-Type": c.contentType})
			if p := a.Problem(t); a.Status != c.status || p.Type != "urn:yundian:problem:"+c.kind {
				t.Error(a)
			}
		})
	}
}

func TestRefusalsSpeakTheCallersLanguage(t *testing.T) {
	a := post(t, `{"target":"moon"}`, "", map[string]string{"Accept-Language": "zh-CN"})
	if p := a.Problem(t); p.Title != "无法接受这个请求" || strings.Contains(p.Errors[0].Message, "This") || a.Header.Get("Content-Language") != "zh-Hans" {
		t.Error(a)
	}
}

func TestErrorsOfHandlers(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	for _, c := range []struct {
		err    error
		status int
		body   string
	}{
		{fail.New(fail.NotFound, "no_such_thing", "No link {code}.", fail.Args{"code": "x1"}), 404, "No link x1."},
		{fail.New(fail.Conflict, web.CodeIdempotency, "Used.", nil), 422, "idempotency_mismatch"},
		{errors.Join(errors.New("load"), fail.New(fail.Denied, "x", "Not yours.", nil)), 403, "Not yours."},
		{fail.NewFields([]fail.Field{fail.At("body.target", "x", "Gone.", nil)}), 400, `"location":"body.target","message":"Gone."`},
		{errors.New("throttled on table shop"), 500, "urn:yundian:problem:internal"},
		{context.DeadlineExceeded, 503, "urn:yundian:problem:unavailable"},
	} {
		a := webtest.Do(t, routes(c.err), webtest.Request{Method: "POST", Path: "/v1/links/abc", JSON: map[string]string{"target": "product"}})
		if a.Problem(t); a.Status != c.status || !strings.Contains(a.Body, c.body) || strings.Contains(a.Body, "throttled") {
			t.Error(a)
		}
	}
	if !strings.Contains(log.String(), "throttled on table shop") {
		t.Errorf("the cause is not in the log: %s", log.String())
	}
}

func TestPathsAndMethods(t *testing.T) {
	if a := post(t, `{}`, "", nil); a.Status != 400 {
		t.Error(a)
	}
	if a := webtest.Do(t, routes(nil), webtest.Request{Method: "DELETE", Path: "/v1/links"}); a.Problem(t).Status != 405 || a.Header.Get("Allow") == "" {
		t.Error(a)
	}
	for _, path := range []string{"/openapi.json", "/openapi.yaml", "/docs", "/schemas/Link.json"} {
		if a := webtest.Do(t, routes(nil), webtest.Request{Path: path}); a.Status != 404 {
			t.Errorf("%s: %s", path, a)
		}
	}
	if a := webtest.Do(t, routes(nil), webtest.Request{Method: "POST", Path: "/v1/links/123456789", JSON: map[string]string{"target": "product"}}); a.Status != 400 {
		t.Error(a)
	}
}

// The same operations serve, examined one by one when they are called, and are described together.
func TestOperationsAreExaminedWhenTheyAreCalled(t *testing.T) {
	mux, seen := http.NewServeMux(), ""
	o := api.Later(mux)
	o.UseMiddleware(func(c huma.Context, next func(huma.Context)) { seen += c.Operation().OperationID + " "; next(c) })
	api.Register(o, huma.Operation{Method: http.MethodGet, Path: "/v1/links/{id}", OperationID: "getLink"},
		func(_ context.Context, in *struct {
			ID string `path:"id" maxLength:"3"`
		}) (*api.Reply[line], error) {
			return &api.Reply[line]{Body: line{SKU: in.ID}}, nil
		})
	type unlike struct {
		ID int `path:"id" default:"no number"`
	}
	api.Register(o, huma.Operation{Method: http.MethodDelete, Path: "/v1/links/{id}", OperationID: "dropLink"},
		func(context.Context, *unlike) (*api.Reply[line], error) { return nil, nil })
	for range 2 {
		if a := webtest.Do(t, mux, webtest.Request{Path: "/v1/links/tea"}); a.Status != 200 || !strings.Contains(a.Body, `"sku":"tea"`) {
			t.Error(a)
		}
	}
	if a := webtest.Do(t, mux, webtest.Request{Path: "/v1/links/teas"}); a.Status != 400 {
		t.Error(a)
	}
	if a := webtest.Do(t, mux, webtest.Request{Method: "PATCH", Path: "/v1/links/tea"}); a.Status != 405 || a.Header.Get("Allow") != "DELETE, GET, HEAD" {
		t.Error(a)
	}
	if seen != "getLink getLink getLink " {
		t.Errorf("the middleware saw %q", seen)
	}
	defer func() {
		if recover() == nil {
			t.Error("an operation that cannot work was described")
		}
	}()
	o.API()
}

func TestDocument(t *testing.T) {
	mux := http.NewServeMux()
	a := api.New(mux)
	huma.Register(a, huma.Operation{Method: http.MethodPost, Path: "/v1/links", OperationID: "makeLink", Errors: []int{400, 409}},
		func(context.Context, *struct{ Body link }) (*api.Reply[link], error) { return nil, nil })
	text, err := json.Marshal(a.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"openapi":"3.1.0"`, `"application/problem+json"`, `"additionalProperties":false`, `"bearer"`, `"enum":["storefront","product"]`} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("document lacks %s\n%s", want, text)
		}
	}
	for _, bad := range []string{"$schema", "cbor", `"422"`, `"null"`} {
		if bytes.Contains(text, []byte(bad)) {
			t.Errorf("document has %s\n%s", bad, text)
		}
	}
}
