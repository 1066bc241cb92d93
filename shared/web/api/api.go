// Package api makes JSON APIs whose operations describe themselves in OpenAPI 3.1.
//
//	mux := http.NewServeMux()
//	o := api.Later(mux)
//	api.Register(o, huma.Operation{Method: "GET", Path: "/v1/links", OperationID: "listLinks", Security: api.KOC}, h.listLinks)
//	web.Serve(mux)
//
//	func (h *handler) listLinks(ctx context.Context, in *struct{ api.Paging }) (*api.Reply[Links], error) { … }
//
// Input is checked against the types' tags and refused as everywhere else: a problem document with status 400 that
// names each place, in the caller's language; unknown and repeated members are refused. Handlers return values, or
// errors of package fail. It is apart from package web so that functions without such an API start without it.
package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/danielgtaylor/huma/v2/validation"

	"yundian/shared/fail"
	"yundian/shared/web"
)

// Version is the version in the OpenAPI document. It follows the contract, not releases.
const Version = "1.0.0"

// New makes an API that registers its operations on a mux, all of them at once. Functions use Later.
func New(mux *http.ServeMux) huma.API {
	setUpHuma()
	format := huma.Format{Marshal: writeValue, Unmarshal: readValue}
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	// No create hooks: they would add $schema to every answer. No paths for documents: the storefront serves one for all.
	a := humago.New(mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI:        "3.1.0",
			OnAddOperation: []huma.AddOpFunc{withoutUnprocessable},
			Info:           &huma.Info{Title: "Yundian", Version: Version},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "Access token of the shop's issuer"},
				},
			},
		},
		Formats:       map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat: "application/json",
	})
	a.UseMiddleware(uncompressed)
	return a
}

// uncompressed refuses bodies with a content encoding, which huma would read as if it were not there.
func uncompressed(c huma.Context, next func(huma.Context)) {
	if encoding := c.Header("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") && c.Method() != http.MethodGet {
		r, w := humago.Unwrap(c)
		web.WriteProblem(w, r, web.WrongType(bodyType(c.Operation())))
		return
	}
	next(c)
}

// withoutUnprocessable takes back the 422 that huma documents for every operation with input: ours are 400, and 422 means
// only an idempotency key that was used with another body.
func withoutUnprocessable(_ *huma.OpenAPI, op *huma.Operation) {
	if !slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "Idempotency-Key" }) {
		delete(op.Responses, "422")
	}
}

// bodyType is the content type that an operation takes.
func bodyType(o *huma.Operation) string {
	if o.RequestBody != nil {
		for media := range o.RequestBody.Content {
			return media
		}
	}
	return "application/json"
}

// Security of operations, by the scope that the gateway asks for.
var (
	KOC      = []map[string][]string{{"bearer": {"yundian/koc"}}}
	Operator = []map[string][]string{{"bearer": {"yundian/operator"}}}
)

// Reply is the output of an operation that answers with one JSON value.
type Reply[T any] struct{ Body T }

// AlsoCSV describes the success of an operation that answers with JSON or, if asked for text/csv, with a file. The schema of
// the JSON is added when the operation is registered.
func AlsoCSV() map[string]*huma.Response {
	return map[string]*huma.Response{"200": {
		Description: "JSON, or a CSV file with Accept: text/csv; the header Link names the next part of one that is too large for one answer",
		Content:     map[string]*huma.MediaType{"application/json": {}, "text/csv": {Schema: &huma.Schema{Type: "string"}}},
	}}
}

// Keyed is the input of writes that may be repeated: embed it in an operation's input. Key is "" when none was sent.
type Keyed struct {
	Key string `header:"Idempotency-Key" minLength:"16" maxLength:"128" pattern:"^[!-+\\--~]([ -+\\--~]*[!-+\\--~])?$" doc:"New for every request, the same when it is tried again"`
}

// KeyRequired is Keyed for writes that move money or goods, or decide about them: a second click, or a retry after a lost
// answer, would do them twice or be refused. A request without a key is refused before anything is read.
type KeyRequired struct {
	Key string `header:"Idempotency-Key" required:"true" minLength:"16" maxLength:"128" pattern:"^[!-+\\--~]([ -+\\--~]*[!-+\\--~])?$" doc:"New for every request, the same when it is tried again"`
}

// setUpHuma changes what huma keeps in package variables. Messages become "code|argument", which humaField says in
// the caller's language; huma's own are English only.
var setUpHuma = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true  // "Quantity" is no field of ours
	huma.DefaultArrayNullable = false // empty lists are [], see web.MarshalJSON
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		r, w := humago.Unwrap(ctx)
		w.Header().Add("Vary", "Accept-Language")
		w.Header().Set("Content-Language", string(web.Language(r)))
		w.Header().Set("Cache-Control", "no-store")
		return web.ProblemFor(r, humaRefusal(ctx.Operation(), status, message, errs))
	}
	huma.NewError = func(status int, message string, _ ...error) huma.StatusError {
		return &web.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: message}
	}
	setMessages()
})

func setMessages() {
	for message, code := range map[*string]string{
		&validation.MsgUnexpectedProperty:                "field_unknown",
		&validation.MsgExpectedRequiredProperty:          "field_required|%s",
		&validation.MsgExpectedBoolean:                   "field_boolean",
		&validation.MsgExpectedNumber:                    "field_number",
		&validation.MsgExpectedInteger:                   "field_integer",
		&validation.MsgExpectedString:                    "field_string",
		&validation.MsgExpectedArray:                     "field_list",
		&validation.MsgExpectedObject:                    "field_object",
		&validation.MsgExpectedOneOf:                     "field_one_of|%s",
		&validation.MsgExpectedMinimumNumber:             "field_min|%v",
		&validation.MsgExpectedExclusiveMinimumNumber:    "field_above|%v",
		&validation.MsgExpectedMaximumNumber:             "field_max|%v",
		&validation.MsgExpectedExclusiveMaximumNumber:    "field_below|%v",
		&validation.MsgExpectedMinLength:                 "field_short|%d",
		&validation.MsgExpectedMaxLength:                 "field_long|%d",
		&validation.MsgExpectedMinItems:                  "field_few|%d",
		&validation.MsgExpectedMaxItems:                  "field_many|%d",
		&validation.MsgExpectedArrayItemsUnique:          "field_unique",
		&validation.MsgExpectedRFC3339DateTime:           "field_date_time",
		&validation.MsgExpectedRFC3339Date:               "field_date",
		&validation.MsgExpectedRFC5322Email:              "field_email|%v",
		&validation.MsgExpectedRFC3986URI:                "field_url|%v",
		&validation.MsgExpectedMatchPattern:              "field_pattern|%s",
		&validation.MsgExpectedBePattern:                 "field_pattern|%s",
		&validation.MsgExpectedMinProperties:             "field_few|%d",
		&validation.MsgExpectedMaxProperties:             "field_many|%d",
		&validation.MsgExpectedDependentRequiredProperty: "field_required|%s|%s",
	} {
		*message = code
	}
}

func writeValue(w io.Writer, v any) error {
	body, err := web.MarshalJSON(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(body, '\n'))
	return err
}

// readValue is called twice per body: into an any, which huma validates, then into the operation's type.
func readValue(data []byte, v any) error {
	if _, untyped := v.(*any); untyped {
		if err := web.CheckJSON(data); err != nil {
			return carry(err)
		}
		return json.Unmarshal(data, v)
	}
	return carry(web.UnmarshalJSON(data, v))
}

// carried marks a refusal inside an error text. huma keeps only the text of a format's error, and a client cannot
// put the mark there: the texts are ours.
const carried = "\x00refusal\x00"

func carry(err error) error {
	e, ok := errors.AsType[*fail.Error](err)
	if !ok {
		return err
	}
	text, failed := json.Marshal(e)
	if failed != nil {
		return fmt.Errorf("carry refusal: %w", failed)
	}
	return errors.New(carried + string(text))
}

// humaRefusal turns what huma found into a refusal of ours.
func humaRefusal(op *huma.Operation, status int, message string, errs []error) error {
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return web.TooLarge(op.MaxBodyBytes)
	case status == http.StatusUnsupportedMediaType:
		return web.WrongType("application/json")
	case status >= http.StatusInternalServerError:
		return fmt.Errorf("%s: %w", message, errors.Join(errs...))
	case len(errs) == 0 && status == http.StatusBadRequest:
		return web.NoBody()
	case len(errs) == 0:
		return fmt.Errorf("huma refused with %d: %s", status, message)
	}
	fields := make([]fail.Field, 0, len(errs))
	for _, err := range errs {
		if e, ok := errors.AsType[*fail.Error](err); ok { // from a resolver
			fields = append(fields, e.Fields...)
			continue
		}
		detail, ok := err.(huma.ErrorDetailer)
		if !ok {
			return fmt.Errorf("%s: %w", message, err)
		}
		d := detail.ErrorDetail()
		// What a type's UnmarshalText says arrives with these words before it.
		if text, ok := strings.CutPrefix(strings.TrimPrefix(d.Message, "invalid value: "), carried); ok {
			var e fail.Error
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				return fmt.Errorf("read carried refusal: %w", err)
			}
			if len(e.Fields) == 0 {
				return &e
			}
			fields = append(fields, e.Fields...)
			continue
		}
		if f := humaField(d); !slices.ContainsFunc(fields, func(o fail.Field) bool { return f.Code == web.CodeKey && o.Code == f.Code }) {
			fields = append(fields, f)
		}
	}
	return fail.NewFields(fields[:min(len(fields), maxProblemFields)])
}

// maxProblemFields bounds how many places one answer names; nobody corrects more at a time.
const maxProblemFields = 50
