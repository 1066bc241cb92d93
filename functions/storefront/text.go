package main

import (
	"html"
	"strings"
	"unicode"
)

// plain is text that people wrote, without what could make it look like something else: control characters, and those
// that turn the direction of writing or cannot be seen. Joiners stay, because emoji and some scripts need them.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\u200c' || r == '\u200d':
			return r
		case r == '\r', unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsControl(r):
			return ' '
		default:
			return r
		}
	}, text)
}

// line is plain text in one line of at most limit characters, for link previews.
func line(text string, limit int) string {
	text = strings.Join(strings.Fields(plain(text)), " ")
	if runes := []rune(text); len(runes) > limit {
		return strings.TrimSpace(string(runes[:limit-1])) + "…"
	}
	return text
}

// paragraphs are the paragraphs of plain text.
func paragraphs(text string) []string {
	var out []string
	for p := range strings.SplitSeq(plain(text), "\n") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// words is the text of cleaned HTML. It is for previews only and is escaped like any other text.
func words(markup string) string {
	var b strings.Builder
	inside := false
	for _, r := range markup {
		switch {
		case r == '<':
			inside = true
		case r == '>' && inside:
			inside = false
			b.WriteByte(' ')
		case !inside:
			b.WriteRune(r)
		}
	}
	return html.UnescapeString(b.String())
}

// firstOf is the first text that says something.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}

// initial is the first character of a name, shown where there is no portrait.
func initial(name string) string {
	for _, r := range plain(name) {
		if !unicode.IsSpace(r) {
			return strings.ToUpper(string(r))
		}
	}
	return "·"
}
