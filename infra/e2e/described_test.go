package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"yundian/infra/e2e/drive"
)

// outsider is a client that knows the store only by its contract: each answer is held against the OpenAPI document that
// the store itself serves, and against what the contract says of every answer.
type outsider struct {
	*drive.Shop
	t        testing.TB
	document drive.Object
	compiler *jsonschema.Compiler
}

const documentURL = "https://store.example/openapi.json"

// outside opens a running store for one test.
func outside(t testing.TB, base string) *outsider {
	t.Helper()
	s := drive.Open(t, base)
	answer := s.Get("/openapi.json", "").Is(200)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer.Body))
	if err != nil {
		t.Fatal(err)
	}
	o := &outsider{Shop: s, t: t, document: document.(map[string]any), compiler: jsonschema.NewCompiler()}
	o.compiler.DefaultDraft(jsonschema.Draft2020)
	if err := o.compiler.AddResource(documentURL, document); err != nil {
		t.Fatal(err)
	}
	return o
}

// call sends a request, checks the answer, and fails the test unless it has this status.
func (o *outsider) call(status int, q drive.Call) drive.Object {
	o.t.Helper()
	a := o.Do(q)
	o.check(q, a)
	a.Is(status)
	if len(a.Body) == 0 || !strings.Contains(a.Header.Get("Content-Type"), "json") {
		return nil
	}
	return a.Object()
}

func (o *outsider) get(status int, path, token string) drive.Object {
	o.t.Helper()
	return o.call(status, drive.Call{Path: path, Token: token, Header: map[string]string{"Accept": "application/json"}})
}

func (o *outsider) post(status int, path, token string, body any) drive.Object {
	o.t.Helper()
	return o.call(status, drive.Call{Method: "POST", Path: path, Token: token, Key: drive.KeyFor(path), JSON: body})
}

// refuse sends a request that must be refused with this status, naming this place.
func (o *outsider) refuse(status int, location string, q drive.Call) drive.Object {
	o.t.Helper()
	p := o.call(status, q)
	for i := range p.Len("errors") {
		if p.Text("errors", i, "location") == location {
			return p
		}
	}
	if location != "" {
		o.t.Errorf("%s %s: the refusal does not name %s: %v", q.Method, q.Path, location, p.At("errors"))
	}
	return p
}

// check holds one answer against the document and the contract.
func (o *outsider) check(q drive.Call, a drive.Answer) {
	o.t.Helper()
	if a.Status >= 500 {
		o.t.Errorf("%s answered %d: %.500s", a.What, a.Status, a.Body)
		return
	}
	media, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if !strings.HasSuffix(media, "json") {
		return
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		o.t.Errorf("%s answered malformed JSON: %v: %.300s", a.What, err, a.Body)
		return
	}
	if object, ok := value.(map[string]any); ok && len(object) == 1 && object["message"] != nil {
		return // of the gateway itself
	}
	for _, wrong := range wrongShapes("", value) {
		o.t.Errorf("%s: %s", a.What, wrong)
	}
	if a.Status >= 400 {
		o.checkProblem(a, media, value)
	}
	if a.Status != http.StatusMethodNotAllowed {
		o.checkDocumented(q, a, media)
	}
}

// checkProblem holds a refusal against RFC 9457 and the contract's own members.
func (o *outsider) checkProblem(a drive.Answer, media string, value any) {
	o.t.Helper()
	object, _ := value.(map[string]any)
	p := drive.Object(object)
	if media != "application/problem+json" || p.At("status") != int64(a.Status) {
		o.t.Errorf("%s: %d as %s is no problem document: %.300s", a.What, a.Status, media, a.Body)
	}
	for _, name := range []string{"type", "title", "detail", "instance"} {
		if text, _ := p.At(name).(string); text == "" {
			o.t.Errorf("%s: the problem has no %s: %.300s", a.What, name, a.Body)
		}
	}
	for i := range p.Len("errors") {
		location, _ := p.At("errors", i, "location").(string)
		message, _ := p.At("errors", i, "message").(string)
		if !regexp.MustCompile(`^(body|query|header|path)(\.|\[|$)`).MatchString(location) || message == "" {
			o.t.Errorf("%s: the problem names nothing: %.300s", a.What, a.Body)
		}
	}
}

// checkDocumented fails unless the document describes this status of this operation and the body fits.
func (o *outsider) checkDocumented(q drive.Call, a drive.Answer, media string) {
	o.t.Helper()
	path, _, _ := strings.Cut(q.Path, "?")
	template := o.template(path)
	if template == "" {
		o.t.Errorf("%s: the OpenAPI document has no such path", a.What)
		return
	}
	method := strings.ToLower(q.Method)
	if method == "" {
		method = "get"
	}
	responses := []any{"paths", template, method, "responses"}
	status := fmt.Sprint(a.Status)
	if o.document.At(append(responses, status)...) == nil {
		if status = "default"; o.document.At(append(responses, status)...) == nil {
			o.t.Errorf("%s: the OpenAPI document does not say that %s %s may answer %d", a.What, method, template, a.Status)
			return
		}
	}
	at := append(responses, status, "content", media, "schema")
	if o.document.At(at...) == nil {
		o.t.Errorf("%s: the OpenAPI document does not say that %d is %s", a.What, a.Status, media)
		return
	}
	if err := o.validate(at, a.Body); err != nil {
		o.t.Errorf("%s: the answer is not as described: %v\n%.600s", a.What, err, a.Body)
	}
}

func (o *outsider) validate(at []any, body []byte) error {
	pointer := "#"
	for _, step := range at {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(fmt.Sprint(step))
	}
	schema, err := o.compiler.Compile(documentURL + pointer)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// template is the document's path for an address: the one with the fewest variables.
func (o *outsider) template(path string) string {
	best, fewest := "", 99
	paths, _ := o.document.At("paths").(map[string]any)
	for template := range paths {
		want, got := strings.Split(template, "/"), strings.Split(path, "/")
		if len(want) != len(got) {
			continue
		}
		variables := 0
		fits := true
		for i := range want {
			if strings.HasPrefix(want[i], "{") {
				variables++
			} else if want[i] != got[i] {
				fits = false
			}
		}
		if fits && variables < fewest {
			best, fewest = template, variables
		}
	}
	return best
}

var momentForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T`)

// wrongShapes are times that are not RFC 3339 in UTC, and money that is not amount and currency, anywhere in an answer.
func wrongShapes(at string, value any) (wrong []string) {
	switch v := value.(type) {
	case string:
		if _, err := time.Parse(time.RFC3339Nano, v); momentForm.MatchString(v) && (err != nil || !strings.HasSuffix(v, "Z")) {
			wrong = append(wrong, fmt.Sprintf("%s is %q, which is no time in UTC", at, v))
		}
	case []any:
		for i, x := range v {
			wrong = append(wrong, wrongShapes(fmt.Sprintf("%s[%d]", at, i), x)...)
		}
	case map[string]any:
		amount, money := v["amount"].(json.Number)
		if _, err := amount.Int64(); money && len(v) == 2 && (err != nil || len(fmt.Sprint(v["currency"])) != 3) {
			wrong = append(wrong, fmt.Sprintf("%s is no money: %v", at, v))
		}
		for name, x := range v {
			wrong = append(wrong, wrongShapes(at+"."+name, x)...)
		}
	}
	return wrong
}

// later is a moment from now on.
func (o *outsider) later(d time.Duration) time.Time { return time.Now().Add(d) }
