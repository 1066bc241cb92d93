// Package fail is how Yundian says no: every refusal has a kind, a code and a text that is safe to show.
//
// An error of this package may be shown to whoever asked. Any other error is internal: it is logged with
// what was attempted and shown as an apology.
package fail

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what sort of refusal an error is; package web maps each kind to one HTTP status.
type Kind int

const (
	Internal Kind = iota // our fault; the text is never shown
	Invalid              // the request cannot be right, whatever the state of the shop
	NotFound             // nothing there, or nothing there for this caller
	Conflict             // right request, wrong state: sold out, already shipped, changed meanwhile
	Denied               // this caller may not do this
	TooMany              // a limit on how much or how often
)

// String names the kind for logs.
func (k Kind) String() string {
	switch k {
	case Invalid:
		return "invalid"
	case NotFound:
		return "not found"
	case Conflict:
		return "conflict"
	case Denied:
		return "denied"
	case TooMany:
		return "too many"
	default:
		return "internal"
	}
}

// Args fill the named gaps of a message in any language: {"sku": "tea", "left": 3}.
type Args map[string]any

// Field is one thing wrong with a request, at a location such as "body.lines[0].quantity".
type Field struct {
	Location string
	Code     string
	Text     string
	Args     Args
}

// Error is a refusal. Code is the message's name in every language (errors.<code> in package locale);
// Text is the same message in English with its gaps filled.
type Error struct {
	Kind   Kind
	Code   string
	Text   string
	Args   Args
	Fields []Field
}

// Error implements error.
func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Text
	}
	parts := make([]string, 0, len(e.Fields))
	for _, f := range e.Fields {
		parts = append(parts, f.Location+": "+f.Text)
	}
	return e.Text + " (" + strings.Join(parts, "; ") + ")"
}

// New makes a refusal. Text holds gaps in braces, "only {left} left", filled from args.
func New(kind Kind, code, text string, args Args) *Error {
	return &Error{Kind: kind, Code: code, Text: fill(text, args), Args: args}
}

// At makes one Field for NewFields.
func At(location, code, text string, args Args) Field {
	return Field{Location: location, Code: code, Text: fill(text, args), Args: args}
}

// NewFields makes an Invalid error that lists everything wrong with a request; nil when nothing is.
func NewFields(fields []Field) error {
	if len(fields) == 0 {
		return nil
	}
	e := New(Invalid, "invalid_fields", "Some of what was sent cannot be accepted. Please correct the fields named below.", nil)
	e.Fields = fields
	return e
}

// KindOf is the kind of the first fail error in err's chain, Internal for any other error.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is a refusal with this code.
func Is(err error, code string) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}

// fill replaces {name} by its value. Unknown gaps stay visible, which a test of the messages finds.
func fill(text string, args Args) string {
	for name, value := range args {
		text = strings.ReplaceAll(text, "{"+name+"}", fmt.Sprint(value))
	}
	return text
}

// Join makes one error of several refusals about the same request: all their fields together. The first error
// without fields wins, because it is about more than a field. Nil errors are left out.
func Join(errs ...error) error {
	var fields []Field
	for _, err := range errs {
		if err == nil {
			continue
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || len(e.Fields) == 0 {
			return err
		}
		fields = append(fields, e.Fields...)
	}
	return NewFields(fields)
}
