// Package locale speaks to people in their language: zh-Hans, zh-Hant or English.
//
//	language := locale.Negotiate(locale.Wish{Asked: r.FormValue("lang"), Accept: r.Header.Get("Accept-Language")}, locale.Hans)
//	l := locale.For(language)
//	l.T("storefront.add_to_basket")                       // 加入购物篮
//	l.T("storefront.pieces", "count", 3)                  // 3 件
//	l.Money(money.Of(1230, "CNY"))                        // ¥12.30
//
// Messages live in messages/<area>.<language>.json as {"name": "text with {gaps}"} or, where the text depends on a
// number, {"name": {"one": "{count} piece", "other": "{count} pieces"}}; T knows them as "<area>.<name>". A file
// named <area>-<part>.<language>.json adds to the same area. Tests hold all three languages to the same names and gaps.
package locale

import (
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"yundian/shared/fail"
	"yundian/shared/money"
)

//go:embed messages/*.json
var files embed.FS

// Language is one that Yundian speaks, as its BCP 47 tag.
type Language string

// The languages, in the order that switches show them.
const (
	Hans    Language = "zh-Hans"
	Hant    Language = "zh-Hant"
	English Language = "en"
)

// Languages lists all of them. Do not change it.
var Languages = []Language{Hans, Hant, English}

// Name is what a language calls itself, for the language switch.
func (l Language) Name() string {
	switch l {
	case Hans:
		return "简体中文"
	case Hant:
		return "繁體中文"
	default:
		return "English"
	}
}

// Wish is what a caller said about language.
type Wish struct {
	Asked  string // ?lang=, which wins when it names a language that Yundian speaks
	Accept string // Accept-Language
}

// Negotiate chooses the language for a caller: the first that they want and Yundian speaks, else the fallback.
func Negotiate(w Wish, fallback Language) Language {
	if wanted := w.Languages(); len(wanted) > 0 {
		return wanted[0]
	}
	return fallback
}

// Locale speaks one language. Get one from For; it is safe for use by several goroutines.
type Locale struct {
	language Language
	tag      language.Tag
	areas    sync.Map // area, to map[string]message: read when the first message of the area is asked for
}

var loaded [3]func() *Locale

func init() {
	for i, l := range Languages {
		loaded[i] = sync.OnceValue(func() *Locale { return &Locale{language: l, tag: language.MustParse(string(l))} })
	}
}

// For returns the locale of a language, English for any other value.
func For(l Language) *Locale {
	for i, known := range Languages {
		if l == known {
			return loaded[i]()
		}
	}
	return loaded[len(Languages)-1]()
}

// find looks a message up, reading the files of its area if this is the first one.
func (l *Locale) find(id string) (message, bool) {
	area, name, _ := strings.Cut(id, ".")
	messages, ok := l.areas.Load(area)
	if !ok {
		messages = load(l.language, area)
		l.areas.Store(area, messages) // twice at the same time gives the same
	}
	m, ok := messages.(map[string]message)[name]
	return m, ok
}

// load reads the files of an area in a language. They are part of the binary and covered by tests, so a malformed
// one is a defect that must stop the function.
func load(l Language, area string) map[string]message {
	names, err := files.ReadDir("messages")
	if err != nil {
		panic(fmt.Sprintf("locale: list messages: %v", err))
	}
	all := map[string]message{}
	for _, file := range names {
		part, ok := strings.CutSuffix(file.Name(), "."+string(l)+".json")
		if !ok || part != area && !strings.HasPrefix(part, area+"-") {
			continue
		}
		text, err := files.ReadFile("messages/" + file.Name())
		if err == nil {
			err = parse(text, all)
		}
		if err != nil {
			panic(fmt.Sprintf("locale: read %s: %v", file.Name(), err))
		}
	}
	return all
}

// parse adds the messages of one file.
func parse(text []byte, to map[string]message) error {
	var all map[string]forms
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for name, f := range all {
		to[name] = message{one: f.One, other: f.Other}
	}
	return nil
}

// message is one message, with its singular where it has one.
type message struct{ one, other string }

// forms are the plural forms of the three languages (CLDR); Chinese has only other.
type forms struct {
	One   string `json:"one"`
	Other string `json:"other"`
}

func (f *forms) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, &f.Other)
	}
	type plain forms
	return json.Unmarshal(text, (*plain)(f))
}

// Language is the language spoken.
func (l *Locale) Language() Language { return l.language }

// Has reports whether a message exists.
func (l *Locale) Has(id string) bool {
	_, ok := l.find(id)
	return ok
}

// T is a message with its gaps filled. Arguments are names and values in turn, "count", 3, "sku", sku, or one fail.Args.
// "count" also chooses the plural form. Amounts are written as Money writes them, times as
// Moment does in their own zone, and codes by their words: the value shipped of {status} as words.status_shipped. An unknown message gives its own id, which a test over the source finds.
func (l *Locale) T(id string, args ...any) string {
	m, ok := l.find(id)
	if !ok {
		return id
	}
	text := m.other
	named := arguments(args)
	if m.one != "" && l.isOne(named["count"]) {
		text = m.one
	}
	return l.fill(text, named)
}

// isOne reports whether a count takes the singular in this language (CLDR, through golang.org/x/text). What is no whole
// number does not.
func (l *Locale) isOne(count any) bool {
	n, err := strconv.Atoi(fmt.Sprint(count))
	return err == nil && plural.Cardinal.MatchPlural(l.tag, max(n, -n), 0, 0, 0, 0) == plural.One
}

// Error is a refusal in this language: errors.<code>, or its English text where the code has no message.
func (l *Locale) Error(e *fail.Error) string { return l.refusal(e.Code, e.Text, e.Args) }

// Field is one field's refusal in this language.
func (l *Locale) Field(f fail.Field) string { return l.refusal(f.Code, f.Text, f.Args) }

func (l *Locale) refusal(code, english string, args fail.Args) string {
	if id := "errors." + code; l.Has(id) {
		return l.T(id, args)
	}
	return english
}

func arguments(args []any) map[string]any {
	if len(args) == 1 {
		if named, ok := args[0].(fail.Args); ok {
			return named
		}
	}
	if len(args) < 2 {
		return nil
	}
	named := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		named[fmt.Sprint(args[i])] = args[i+1]
	}
	return named
}

// fill puts values into the gaps of a text, names in braces as package fail writes them. What is around them stays
// as it is: escaping is the page template's work. A gap without a value stays visible.
func (l *Locale) fill(text string, named map[string]any) string {
	var b strings.Builder
	for {
		before, after, opened := strings.Cut(text, "{")
		name, rest, closed := strings.Cut(after, "}")
		if !opened || !closed {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(before)
		if value, ok := named[name]; ok {
			b.WriteString(l.value(name, value))
		} else {
			b.WriteString("{" + name + "}")
		}
		text = rest
	}
}

// value is an argument as people of this language read it: amounts with their currency, times, and codes such as an
// order's status as the word for it, if there is one: words.status_shipped.
func (l *Locale) value(name string, v any) string {
	if amount, ok := v.(money.Amount); ok {
		return l.Money(amount)
	}
	if at, ok := v.(time.Time); ok {
		return l.Moment(at, at.Location())
	}
	text := fmt.Sprint(v)
	if word, ok := l.find("words." + name + "_" + text); ok {
		return word.other
	}
	return text
}
