package mail

import (
	"html"
	"strings"

	"yundian/shared/typed"
)

// Message is an e-mail as text and as simple HTML that says the same.
type Message struct {
	Subject, Text, HTML string
}

// sheet is what a message consists of. Whatever people wrote stands in it as they wrote it.
type sheet struct {
	language string
	subject  string
	opening  []string
	rows     [][2]string // what, how much
	link     [2]string   // words and address; empty for none
	closing  []string
}

// message lays a sheet out. What people wrote can neither begin a header nor a line of its own nor an element.
func (s sheet) message() Message {
	return Message{Subject: typed.TidyLine(s.subject), Text: s.text(), HTML: s.html()}
}

func (s sheet) text() string {
	var b strings.Builder
	paragraph := func(lines ...string) {
		for _, line := range lines {
			b.WriteString(typed.TidyLine(line) + "\n")
		}
		b.WriteString("\n")
	}
	for _, line := range s.opening {
		paragraph(line)
	}
	if len(s.rows) > 0 {
		rows := make([]string, len(s.rows))
		for i, r := range s.rows {
			rows[i] = r[0] + ": " + r[1]
		}
		paragraph(rows...)
	}
	if s.link[1] != "" {
		paragraph(s.link[0], s.link[1])
	}
	for _, line := range s.closing {
		paragraph(line)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (s sheet) html() string {
	var b strings.Builder
	e := func(text string) string { return html.EscapeString(typed.TidyLine(text)) }
	b.WriteString(`<!doctype html><html lang="` + e(s.language) + `"><head><meta charset="utf-8"><title>` + e(s.subject) + `</title></head>` +
		`<body style="font-family:sans-serif;line-height:1.5;max-width:40em">`)
	for _, line := range s.opening {
		b.WriteString("<p>" + e(line) + "</p>")
	}
	if len(s.rows) > 0 {
		b.WriteString("<table>")
		for _, r := range s.rows {
			b.WriteString(`<tr><td style="padding-right:2em">` + e(r[0]) + `</td><td style="text-align:right;white-space:nowrap">` + e(r[1]) + "</td></tr>")
		}
		b.WriteString("</table>")
	}
	if s.link[1] != "" {
		b.WriteString(`<p><a href="` + e(s.link[1]) + `">` + e(s.link[0]) + "</a></p>")
	}
	for _, line := range s.closing {
		b.WriteString("<p>" + e(line) + "</p>")
	}
	return b.String() + "</body></html>\n"
}
