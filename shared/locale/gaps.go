package locale

import (
	"fmt"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n/template"
)

// gaps reads messages whose gaps are names in braces, "only {left} left", as package fail writes them. Text around
// gaps is kept as it is: escaping is the page template's work.
type gaps struct{}

// Cacheable lets the bundle keep each parsed message.
func (gaps) Cacheable() bool { return true }

// Parse splits a message at its gaps. An unclosed brace is text.
func (gaps) Parse(text, _, _ string) (template.ParsedTemplate, error) {
	var m message
	for {
		before, after, found := strings.Cut(text, "{")
		name, rest, closed := strings.Cut(after, "}")
		if !found || !closed {
			return append(m, piece{text: text}), nil
		}
		m = append(m, piece{text: before}, piece{text: "{" + name + "}", gap: name})
		text = rest
	}
}

type message []piece

type piece struct {
	text string // literal text, or the gap as written
	gap  string // name of the gap, "" for text
}

// Execute fills the gaps. A gap without a value stays visible.
func (m message) Execute(data any) (string, error) {
	values, _ := data.(map[string]any)
	var b strings.Builder
	for _, p := range m {
		value, ok := values[p.gap]
		switch {
		case p.gap == "" || !ok:
			b.WriteString(p.text)
		default:
			fmt.Fprint(&b, value)
		}
	}
	return b.String(), nil
}
