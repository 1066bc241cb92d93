// Package sheet writes tables as CSV files that people open in a spreadsheet, and in which nothing runs.
//
// Spreadsheets take a cell that begins with =, +, - or @ for a formula, whoever wrote it. Such a cell gets an apostrophe
// before it, which spreadsheets know as the mark of plain text, and which Text takes away again.
package sheet

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mark begins a file: without it Excel reads UTF-8 as the code page of its own country.
const Mark = "\ufeff"

// Row appends one line to a file. Every cell is made safe; amounts, as money.Amount.Decimal writes them, stay plain.
func Row(file []byte, cells ...string) []byte {
	for i, cell := range cells {
		if i > 0 {
			file = append(file, ',')
		}
		cell = Cell(cell)
		if strings.ContainsAny(cell, `,;"`) { // ; for spreadsheets of countries where it separates cells
			cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		file = append(file, cell...)
	}
	return append(file, "\r\n"...)
}

// Cell is a text as one line in which no spreadsheet finds a formula: neither at its beginning nor behind a semicolon,
// where a spreadsheet of another country begins a cell of its own. A number, also a negative one, stays as it is.
func Cell(text string) string {
	text = line(text)
	if number(text) {
		return text
	}
	var b strings.Builder
	first := true // nothing but what a spreadsheet may look through has been read of this cell
	for _, r := range text {
		if first && risky(r) {
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		first = begins(first, r)
	}
	return b.String()
}

// Text is what a cell said before Cell made it safe, on one line without spaces around it. A cell that is no work of Cell
// keeps everything else, but for an apostrophe before what would be a formula.
func Text(cell string) string {
	var b strings.Builder
	first, marked := true, false
	for cell = line(cell); cell != ""; {
		r, size := utf8.DecodeRuneInString(cell)
		cell = cell[size:]
		if next, _ := utf8.DecodeRuneInString(cell); first && !marked && r == '\'' && risky(next) {
			marked = true
			continue
		}
		b.WriteRune(r)
		first, marked = begins(first, r), false
	}
	return b.String()
}

// line is a text without what breaks lines or hides: control characters become spaces.
func line(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case r == '\ufeff':
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd")))
}

// begins says whether the character after r is the first of a cell, for some spreadsheet: spaces, quotation marks and
// what is invisible may be looked through.
func begins(first bool, r rune) bool {
	return r == ';' || first && (r == '"' || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r))
}

// risky are the characters that begin a formula, in both widths, and the apostrophe itself, so that Text cannot take
// away one that was there before.
func risky(r rune) bool {
	return slices.Contains([]rune{'=', '+', '-', '@', '＝', '＋', '－', '＠', '\''}, r)
}

// number reports whether a text is digits, with a sign before and a point among them or not.
func number(text string) bool {
	whole, fraction, dotted := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	return digits(whole) && (!dotted || digits(fraction))
}

func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
