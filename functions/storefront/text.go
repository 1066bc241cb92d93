package main

import (
	"html"
	"strings"
	"unicode"

	"yundian/shared/typed"
)

// plain is text that people wrote as the shop keeps it. Products and profiles are tidied when they are saved; a page does
// it once more, so that nothing that came another way can hide or turn round what follows.
func plain(text string) string { return typed.TidyLines(text) }

// line is plain text in one line of at most limit characters, for link previews.
func line(text string, limit int) string {
	text = typed.TidyLine(text)
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

// words is the text of cleaned HTML, without what is struck out. It is for previews only and is escaped like any other
// text.
func words(markup string) string {
	var b strings.Builder
	struck := 0
	for i, piece := range strings.Split(markup, "<") {
		tag, text, _ := strings.Cut(piece, ">")
		if i == 0 {
			tag, text = "", piece
		}
		switch tag {
		case "del":
			struck++
		case "/del":
			struck--
		case "", "sup", "/sup", "sub", "/sub", "b", "/b", "i", "/i", "strong", "/strong", "em", "/em", "/a": // within a line
		default:
			if !strings.HasPrefix(tag, "a ") {
				b.WriteByte(' ')
			}
		}
		if struck <= 0 {
			b.WriteString(text)
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
