package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"yundian/shared/fail"
	"yundian/shared/locale"
)

// Codes whose status is not that of their kind.
const (
	CodeIdempotency     = "idempotency_mismatch"   // a key that was used with another body: 422
	CodeTooLarge        = "body_too_large"         // 413
	CodeTooManyProducts = "csv_products_many"      // 413: an import that has to be split
	CodeMediaType       = "media_type_unsupported" // 415
	CodeMethod          = "method_not_allowed"     // 405
	codeUnavailable     = "unavailable"            // 503
)

// status is the one table from refusals to HTTP.
func status(e *fail.Error) int {
	switch e.Code {
	case CodeIdempotency:
		return http.StatusUnprocessableEntity
	case CodeTooLarge, CodeTooManyProducts:
		return http.StatusRequestEntityTooLarge
	case CodeMediaType:
		return http.StatusUnsupportedMediaType
	case CodeMethod:
		return http.StatusMethodNotAllowed
	case codeUnavailable:
		return http.StatusServiceUnavailable
	}
	switch e.Kind {
	case fail.Invalid:
		return http.StatusBadRequest
	case fail.NotFound:
		return http.StatusNotFound
	case fail.Conflict:
		return http.StatusConflict
	case fail.Denied:
		return http.StatusForbidden
	case fail.TooMany:
		return http.StatusTooManyRequests
	default:
		return http.StatusInternalServerError
	}
}

// Problem is a problem document (RFC 9457), in the language of the caller.
type Problem struct {
	Type     string         `json:"type" doc:"Names the kind of problem, for programs: urn:yundian:problem:<code>"`
	Title    string         `json:"title" doc:"What kind of problem it is, for people"`
	Status   int            `json:"status" doc:"The HTTP status"`
	Detail   string         `json:"detail" doc:"What is wrong and what to do, for people"`
	Instance string         `json:"instance,omitempty" doc:"Id of the request"`
	Errors   []ProblemField `json:"errors,omitempty" doc:"Everything wrong with the request, field by field"`

	code string
}

// ProblemField is one thing wrong with a request.
type ProblemField struct {
	Location string `json:"location" doc:"Where, such as body.lines[0].quantity, query.limit or header.Idempotency-Key"`
	Message  string `json:"message" doc:"What is wrong there, for people"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// WriteProblem answers with err: a refusal of package fail in the caller's language, anything else as an apology
// while the cause goes to the log. Browsers get a page, everyone else a problem document.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	if WantsHTML(r) {
		r = withShop(r)
	}
	p := ProblemFor(r, err)
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept, Accept-Language")
	if p.Status == http.StatusServiceUnavailable {
		header.Set("Retry-After", "1")
	}
	if WantsHTML(r) {
		writeProblemPage(w, r, p)
		return
	}
	header.Set("Content-Language", string(Language(r)))
	writeJSON(w, r, p.Status, problemType, p)
}

// WriteProblemWith is WriteProblem for a JSON client that needs more than words, such as the new quote after a price
// change: the members of extra are added to the document.
func WriteProblemWith(w http.ResponseWriter, r *http.Request, err error, extra map[string]any) {
	if WantsHTML(r) || len(extra) == 0 {
		WriteProblem(w, r, err)
		return
	}
	p := ProblemFor(r, err)
	document := map[string]any{}
	for name, value := range extra {
		document[name] = value
	}
	for name, value := range map[string]any{"type": p.Type, "title": p.Title, "status": p.Status, "detail": p.Detail} {
		document[name] = value
	}
	if p.Instance != "" {
		document["instance"] = p.Instance
	}
	if len(p.Errors) > 0 {
		document["errors"] = p.Errors
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Language", string(Language(r)))
	w.Header().Add("Vary", "Accept, Accept-Language")
	writeJSON(w, r, p.Status, problemType, document)
}

// ProblemFor says an error in the caller's language, and logs it if it is ours. WriteProblem is what handlers need.
func ProblemFor(r *http.Request, err error) *Problem {
	var document *Problem
	if errors.As(err, &document) {
		return document // already said, by package api
	}
	e := refusal(err)
	if e.Kind == fail.Internal {
		slog.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	l := locale.For(Language(r))
	code := status(e)
	p := &Problem{
		Type:     "urn:yundian:problem:" + e.Code,
		Title:    l.T("web.title_" + strconv.Itoa(code)),
		Status:   code,
		Detail:   l.Error(e),
		Instance: RequestID(r.Context()),
		code:     e.Code,
	}
	for _, f := range e.Fields {
		p.Errors = append(p.Errors, ProblemField{Location: f.Location, Message: l.Field(f)})
	}
	return p
}

// refusal is the refusal inside err, or the apology for an error that nobody may see.
func refusal(err error) *fail.Error {
	if e, ok := errors.AsType[*fail.Error](err); ok && e.Kind != fail.Internal {
		return e
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return TooLarge(tooLarge.Limit)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fail.New(fail.Internal, codeUnavailable, "The store is busy. Please try again in a moment.", nil)
	}
	return fail.New(fail.Internal, "internal", "Something went wrong on our side, and we are sorry. Please try again.", nil)
}

// TooLarge refuses a body of more than limit bytes.
func TooLarge(limit int64) *fail.Error {
	return fail.New(fail.Invalid, CodeTooLarge, "What was sent is larger than {limit} bytes.", fail.Args{"limit": limit})
}

// WrongType refuses a body that is not of the content type wanted.
func WrongType(want string) *fail.Error {
	return fail.New(fail.Invalid, CodeMediaType, "Send {type} without compression.", fail.Args{"type": want})
}

// NoBody refuses a request without the body that it needs.
func NoBody() *fail.Error {
	return fail.New(fail.Invalid, "body_missing", "Send a JSON body.", nil)
}
