package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"yundian/shared/fail"
)

// Limits on what clients send.
const (
	MaxJSON   = 256 << 10 // bytes of a JSON body: an order of 60 lines has 12 KB at most
	MaxForm   = 64 << 10  // bytes of a form body
	maxDepth  = 16        // nesting of JSON: an order has 3
	maxFields = 256       // fields of a form: the form of an order of 60 lines has 100, that of its return 120
)

// Decode reads a JSON body of at most limit bytes into v. It refuses, naming the place: another content type (415) or a
// content encoding, more bytes (413), anything but one JSON value in valid UTF-8, nesting deeper than 16, a member
// twice, members that v does not have (names are case-sensitive), values of the wrong type, and query parameters other than
// lang.
func Decode(r *http.Request, v any, limit int64) error {
	if err := wantType(r, "application/json"); err != nil {
		return err
	}
	if err := KnownQuery(r, "lang"); err != nil {
		return err
	}
	body, err := readBody(r, limit)
	if err != nil {
		return err
	}
	return DecodeJSON(body, v)
}

// DecodeJSON is Decode for a body that was already read.
func DecodeJSON(body []byte, v any) error {
	if err := CheckJSON(body); err != nil {
		return err
	}
	return UnmarshalJSON(body, v)
}

// UnmarshalJSON is DecodeJSON for a body that passed CheckJSON.
func UnmarshalJSON(body []byte, v any) error {
	return describeJSON(json.Unmarshal(body, v, json.RejectUnknownMembers(true)))
}

// Form reads a form body of at most MaxForm bytes and 256 fields. Values are valid UTF-8 without control characters
// other than line ends and tabs; field names may repeat.
func Form(r *http.Request) (url.Values, error) {
	if err := wantType(r, "application/x-www-form-urlencoded"); err != nil {
		return nil, err
	}
	body, err := readBody(r, MaxForm)
	if err != nil {
		return nil, err
	}
	malformed := fail.New(fail.Invalid, "form_malformed", "The form could not be read.", nil)
	if bytes.Count(body, []byte{'&'}) >= maxFields {
		return nil, malformed
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, malformed
	}
	for name, list := range values {
		for _, value := range list {
			if !isText(name) || !isText(value) {
				return nil, malformed
			}
		}
	}
	return values, nil
}

// Query is a query parameter that came at most once, is valid text and has at most limit characters; "" if absent.
func Query(r *http.Request, name string, limit int) (string, error) {
	values := r.URL.Query()[name]
	if len(values) == 0 {
		return "", nil
	}
	if len(values) > 1 || !isText(values[0]) || utf8.RuneCountInString(values[0]) > limit {
		return "", fail.NewFields([]fail.Field{fail.At("query."+clip(name), "query_malformed", "Give this once, as text of at most {limit} characters.", fail.Args{"limit": limit})})
	}
	return values[0], nil
}

// KnownQuery refuses a query with parameters other than these, with one of them twice, or that cannot be read. It is for
// JSON APIs, whose clients mean every word. Pages that people open ignore what they do not know, because chats and
// advertisements append to every address: from=, isappinstalled=, utm_source=, fbclid= …
func KnownQuery(r *http.Request, known ...string) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return fail.NewFields([]fail.Field{fail.At("query", "query_unreadable", "The part of the address after the question mark cannot be read.", nil)})
	}
	var f []fail.Field
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch {
		case len(f) == maxQueryFaults:
		case !slices.Contains(known, name):
			f = append(f, Fault("query."+clip(name), "field_unknown", ""))
		case len(values[name]) > 1:
			f = append(f, Fault("query."+clip(name), "field_twice", ""))
		}
	}
	return fail.NewFields(f)
}

// maxQueryFaults bounds how many parameters one answer names.
const maxQueryFaults = 20

func isText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool {
		return c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f
	})
}

func wantType(r *http.Request, want string) error {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	encoding := r.Header.Get("Content-Encoding")
	if err != nil || got != want || encoding != "" && !strings.EqualFold(encoding, "identity") {
		return WrongType(want)
	}
	return nil
}

// IsForm reports whether the body is a form, for routes that take a form and JSON.
func IsForm(r *http.Request) bool {
	return wantType(r, "application/x-www-form-urlencoded") == nil
}

func readBody(r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read body: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, TooLarge(limit)
	}
	return body, nil
}

// CheckJSON walks a body once without building anything, so that what a decoder would accept silently is refused first.
func CheckJSON(body []byte) error {
	// null would decode into a body with nothing in it.
	if text := bytes.TrimSpace(body); len(text) == 0 || string(text) == "null" {
		return NoBody()
	}
	d := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		_, err := d.ReadToken()
		if d.StackDepth() > maxDepth {
			return fail.New(fail.Invalid, "json_too_deep", "The JSON is nested deeper than {limit} levels.", fail.Args{"limit": maxDepth})
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return describeJSON(err)
		}
		if d.StackDepth() == 0 && len(bytes.TrimSpace(body[d.InputOffset():])) > 0 {
			return fail.New(fail.Invalid, "json_malformed", "The body is not one valid JSON value: see byte {at}.", fail.Args{"at": d.InputOffset()})
		}
	}
}

// describeJSON turns a decoder's error into a refusal that names the place and repeats nothing of what was sent.
func describeJSON(err error) error {
	if err == nil {
		return nil
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return badField(syntax.JSONPointer, Fault("", "field_twice", ""))
		}
		return fail.New(fail.Invalid, "json_malformed", "The body is not one valid JSON value: see byte {at}.", fail.Args{"at": syntax.ByteOffset})
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		if errors.Is(err, json.ErrUnknownName) {
			return badField(semantic.JSONPointer, Fault("", "field_unknown", ""))
		}
		if e, ok := errors.AsType[*fail.Error](semantic.Err); ok {
			return badField(semantic.JSONPointer, fail.Field{Code: e.Code, Text: e.Text, Args: e.Args})
		}
		return badField(semantic.JSONPointer, Fault("", "field_type", ""))
	}
	return fmt.Errorf("decode JSON: %w", err)
}

func badField(at jsontext.Pointer, f fail.Field) error {
	f.Location = location(at)
	return fail.NewFields([]fail.Field{f})
}

// location writes the JSON pointer /lines/0/quantity as body.lines[0].quantity. Names come from the client: they
// are cut, so that an answer cannot become large.
func location(p jsontext.Pointer) string {
	var b strings.Builder
	b.WriteString("body")
	for token := range p.Tokens() {
		if _, err := strconv.ParseUint(token, 10, 32); err == nil {
			b.WriteString("[" + token + "]")
			continue
		}
		b.WriteString("." + clip(token))
	}
	return b.String()
}

// maxName is how many characters of a name from a client an answer repeats.
const maxName = 64

func clip(name string) string {
	if utf8.RuneCountInString(name) <= maxName {
		return name
	}
	return string([]rune(name)[:maxName]) + "…"
}

// outgoing makes lists and objects that are empty [] and {} rather than null, and gives equal values equal bytes.
// omitempty means what encoding/json means by it, which is what our types were written for.
var outgoing = json.JoinOptions(json.Deterministic(true), jsonv1.OmitEmptyWithLegacySemantics(true))

// MarshalJSON writes v as every answer is written: empty lists as [], no escapes for HTML, members of maps in order.
func MarshalJSON(v any) ([]byte, error) { return json.Marshal(v, outgoing) }

// WriteJSON answers with v as JSON.
func WriteJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	writeJSON(w, r, status, "application/json", v)
}

func writeJSON(w http.ResponseWriter, r *http.Request, status int, contentType string, v any) {
	body, err := MarshalJSON(v)
	if err != nil {
		// A problem document is made of strings and always encodes, so this does not come back here.
		WriteProblem(w, r, fmt.Errorf("encode answer: %w", err))
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client may be gone; there is nobody left to tell
}
