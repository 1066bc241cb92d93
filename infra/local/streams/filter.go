package streams

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A pattern is one compiled filter of an event source mapping. The forms are those that Lambda documents: exact
// values, null, "" and booleans, prefix, suffix, equals-ignore-case, anything-but, numeric, exists and $or. DynamoDB
// numbers are strings in a record ({"N": "3"}), so "numeric" applies to true JSON numbers such as SizeBytes only.
type pattern func(event any) bool

// Limits of one filter: the length is Lambda's own, the depth is that of a DynamoDB document.
const (
	maxPatternBytes = 4096
	maxPatternDepth = 32
)

// compile reads one filter. Errors name the place and the form that is not understood.
func compile(source string) (pattern, error) {
	if len(source) > maxPatternBytes {
		return nil, fmt.Errorf("filter of %d characters; the limit is %d", len(source), maxPatternBytes)
	}
	d := json.NewDecoder(strings.NewReader(source))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, fmt.Errorf("filter is not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("filter has text after its end")
	}
	object, ok := tree.(map[string]any)
	if !ok {
		return nil, errors.New("filter is not a JSON object")
	}
	p, err := compileObject(object, "filter", 0)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// compileObject is the "and" of its fields.
func compileObject(object map[string]any, at string, depth int) (pattern, error) {
	if depth > maxPatternDepth {
		return nil, fmt.Errorf("%s: nested deeper than %d", at, maxPatternDepth)
	}
	var all []pattern
	for name, value := range object {
		place := at + "." + name
		p, err := compileField(name, value, place, depth)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return func(event any) bool {
		for _, p := range all {
			if !p(event) {
				return false
			}
		}
		return true
	}, nil
}

func compileField(name string, value any, place string, depth int) (pattern, error) {
	if name == "$or" {
		return compileOr(value, place, depth)
	}
	switch v := value.(type) {
	case map[string]any:
		inner, err := compileObject(v, place, depth+1)
		if err != nil {
			return nil, err
		}
		// A missing branch is walked as well, as an empty one: {"exists": false} below it must match.
		return func(event any) bool { child, _ := field(event, name); return inner(child) }, nil
	case []any:
		leaf, err := compileLeaf(v, place)
		if err != nil {
			return nil, err
		}
		return func(event any) bool { child, present := field(event, name); return leaf(child, present) }, nil
	default:
		return nil, fmt.Errorf("%s: a value must stand in a list, found %v", place, v)
	}
}

func compileOr(value any, place string, depth int) (pattern, error) {
	list, ok := value.([]any)
	if !ok || len(list) < 2 {
		return nil, fmt.Errorf("%s: wants a list of at least two patterns", place)
	}
	var some []pattern
	for i, entry := range list {
		object, ok := entry.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s[%d]: wants a pattern object", place, i)
		}
		p, err := compileObject(object, fmt.Sprintf("%s[%d]", place, i), depth+1)
		if err != nil {
			return nil, err
		}
		some = append(some, p)
	}
	return func(event any) bool {
		return slices.ContainsFunc(some, func(p pattern) bool { return p(event) })
	}, nil
}

// field is one member of an event object; anything else has none.
func field(event any, name string) (any, bool) {
	object, ok := event.(map[string]any)
	if !ok {
		return nil, false
	}
	value, ok := object[name]
	return value, ok
}

// A rule is one entry of a leaf list, decided on one value.
type rule struct {
	value  func(any) bool
	absent bool // matches where the field is not there
}

// compileLeaf is the "or" of its entries. A list in the event matches when one of its values does.
func compileLeaf(entries []any, place string) (func(any, bool) bool, error) {
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s: an empty list never matches", place)
	}
	var rules []rule
	for i, entry := range entries {
		r, err := compileRule(entry, fmt.Sprintf("%s[%d]", place, i))
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return func(value any, present bool) bool {
		// Only leaves have values: an object in the event counts as absent, as it does for Lambda.
		if _, isObject := value.(map[string]any); isObject {
			present = false
		}
		if !present {
			return slices.ContainsFunc(rules, func(r rule) bool { return r.absent })
		}
		values, isList := value.([]any)
		if !isList {
			values = []any{value}
		}
		return slices.ContainsFunc(rules, func(r rule) bool { return slices.ContainsFunc(values, r.value) })
	}, nil
}

func never(any) bool { return false }

func compileRule(entry any, place string) (rule, error) {
	form, isObject := entry.(map[string]any)
	if !isObject {
		exact, err := exactly(entry, place)
		return rule{value: exact}, err
	}
	if len(form) != 1 {
		return rule{}, fmt.Errorf("%s: wants exactly one comparison, found %d", place, len(form))
	}
	for name, operand := range form {
		if name == "exists" {
			want, ok := operand.(bool)
			if !ok {
				return rule{}, fmt.Errorf("%s.exists: wants true or false", place)
			}
			return rule{value: func(any) bool { return want }, absent: !want}, nil
		}
		compare, err := comparison(name, operand, place+"."+name)
		return rule{value: compare}, err
	}
	return rule{value: never}, nil
}

// exactly matches one string, number, boolean or null.
func exactly(want any, place string) (func(any) bool, error) {
	switch w := want.(type) {
	case string, bool, nil:
		return func(v any) bool { return v == w }, nil
	case json.Number:
		n, err := w.Float64()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		return func(v any) bool { f, ok := number(v); return ok && f == n }, nil
	default:
		return nil, fmt.Errorf("%s: a list inside a list is not a form of filter", place)
	}
}

// comparison is one named form on one value.
func comparison(name string, operand any, place string) (func(any) bool, error) {
	switch name {
	case "anything-but":
		return anythingBut(operand, place)
	case "numeric":
		return numeric(operand, place)
	}
	text, ok := operand.(string)
	if !ok {
		return nil, fmt.Errorf("%s: wants a string or is not a known form of filter", place)
	}
	test := map[string]func(v, text string) bool{
		"prefix": strings.HasPrefix, "suffix": strings.HasSuffix, "equals-ignore-case": strings.EqualFold,
	}[name]
	if test == nil {
		return nil, fmt.Errorf("%s: not a known form of filter", place)
	}
	return func(v any) bool { s, ok := v.(string); return ok && test(s, text) }, nil
}

// anythingBut matches every present value that is none of the listed strings or numbers.
func anythingBut(operand any, place string) (func(any) bool, error) {
	list, ok := operand.([]any)
	if !ok {
		list = []any{operand}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: an empty list excludes nothing", place)
	}
	var excluded []func(any) bool
	for _, entry := range list {
		switch entry.(type) {
		case string, json.Number:
		default:
			return nil, fmt.Errorf("%s: wants strings or numbers, found %v", place, entry)
		}
		equal, err := exactly(entry, place)
		if err != nil {
			return nil, err
		}
		excluded = append(excluded, equal)
	}
	return func(v any) bool {
		return !slices.ContainsFunc(excluded, func(equal func(any) bool) bool { return equal(v) })
	}, nil
}

var numericTests = map[string]func(a, b float64) bool{
	"=":  func(a, b float64) bool { return a == b },
	"<":  func(a, b float64) bool { return a < b },
	"<=": func(a, b float64) bool { return a <= b },
	">":  func(a, b float64) bool { return a > b },
	">=": func(a, b float64) bool { return a >= b },
}

// numeric is one comparison or a range: ["=", 3] or [">", 0, "<=", 10].
func numeric(operand any, place string) (func(any) bool, error) {
	list, ok := operand.([]any)
	if !ok || (len(list) != 2 && len(list) != 4) {
		return nil, fmt.Errorf(`%s: wants ["=", 3] or [">", 0, "<=", 10]`, place)
	}
	var all []func(float64) bool
	for i := 0; i < len(list); i += 2 {
		name, _ := list[i].(string)
		test := numericTests[name]
		n, isNumber := number(list[i+1])
		if test == nil || !isNumber {
			return nil, fmt.Errorf("%s: %v %v is not a comparison with a number", place, list[i], list[i+1])
		}
		all = append(all, func(v float64) bool { return test(v, n) })
	}
	return func(v any) bool {
		f, ok := number(v)
		return ok && !slices.ContainsFunc(all, func(test func(float64) bool) bool { return !test(f) })
	}, nil
}

// number is the value of a JSON number as an event or a filter holds it.
func number(v any) (float64, bool) {
	switch n := v.(type) {
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	case int64:
		return float64(n), true
	default:
		return 0, false
	}
}

// compileAll compiles the filters of one mapping; the result matches when one of them does, and everything when there
// are none.
func compileAll(sources []string) (pattern, error) {
	var some []pattern
	for _, s := range sources {
		p, err := compile(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", bytes.TrimSpace([]byte(s)), err)
		}
		some = append(some, p)
	}
	return func(event any) bool {
		return len(some) == 0 || slices.ContainsFunc(some, func(p pattern) bool { return p(event) })
	}, nil
}
