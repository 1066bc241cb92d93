package typed

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"yundian/shared/fail"
)

// Length is how many characters a field may have, both ends included.
type Length struct{ Low, High int }

// Line reads a field of one line. It returns the text as it is kept, and what is wrong with it at the location where.
func Line(where, text string, n Length) (string, []fail.Field) {
	tidy := TidyLine(text)
	return tidy, wrong(where, text, tidy, n)
}

// Lines reads a field of several lines, such as a story or a note. Line ends are kept as "\n".
func Lines(where, text string, n Length) (string, []fail.Field) {
	tidy := TidyLines(text)
	return tidy, wrong(where, text, tidy, n)
}

func wrong(where, text, tidy string, n Length) []fail.Field {
	if !utf8.ValidString(text) {
		return []fail.Field{fail.At(where, "text_encoding", "This is not text in UTF-8. Please type it again.", nil)}
	}
	for _, r := range text {
		if control(r) {
			return []fail.Field{fail.At(where, "text_hidden",
				"This contains a control character ({character}). Please type it again.",
				fail.Args{"character": fmt.Sprintf("U+%04X", r)})}
		}
	}
	if have := utf8.RuneCountInString(tidy); have < n.Low || have > n.High {
		return []fail.Field{fail.At(where, "text_length", "Between {low} and {high} characters.",
			fail.Args{"low": n.Low, "high": n.High})}
	}
	return nil
}

// TidyLine is text on one line as the shop keeps it. It refuses nothing and leaves out what cannot be kept: for texts
// that nobody is there to correct, such as cells of a file, and for showing what others wrote.
func TidyLine(text string) string {
	return strings.Join(strings.Fields(tidy(text, func(rune) rune { return ' ' })), " ")
}

// TidyLines is TidyLine for several lines: line ends stay, and so do empty lines between paragraphs.
func TidyLines(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = tidy(text, func(r rune) rune {
		if r == '\t' {
			return ' '
		}
		return '\n'
	})
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// tidy leaves out what cannot be seen and turns spaces of any width into plain ones. ends says what becomes of a
// line end or tab.
func tidy(text string, ends func(rune) rune) string {
	runes := []rune(strings.ToValidUTF8(text, ""))
	kept := make([]rune, 0, len(runes))
	for i, r := range runes {
		switch {
		case lineEnd(r) || r == '\t':
			kept = append(kept, ends(r))
		case unicode.IsSpace(r), unicode.Is(unicode.Zs, r), blank(r):
			kept = append(kept, ' ')
		case control(r):
		case !ignorable(r), spelled(kept, r, runes[i+1:]):
			kept = append(kept, r)
		}
	}
	return string(kept)
}

// Unseen reports whether a character shows nothing where it stands, spaces included, but for the plain one.
func Unseen(r rune) bool {
	return control(r) || lineEnd(r) || r == '\t' || blank(r) || ignorable(r)
}

func lineEnd(r rune) bool {
	return r == '\n' || r == '\v' || r == '\f' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// Steers reports whether a text holds control characters, which nobody types.
func Steers(text string) bool { return strings.ContainsFunc(text, control) }

// control are characters that steer terminals and protocols. Line ends and tabs are none here.
func control(r rune) bool { return unicode.Is(unicode.Cc, r) && !lineEnd(r) && r != '\t' }

// blank are characters that count as letters or symbols and show nothing: a name made of them would look empty. They
// are the fillers of Hangul, the empty Braille cell and the null note head.
func blank(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800', '\U0001d159':
		return true
	}
	return false
}

// ignorable are the characters that Unicode lets a program show as nothing (Default_Ignorable_Code_Point in
// DerivedCoreProperties.txt), and the marks of interlinear annotations. Format characters with a shape, such as the
// Arabic number sign, are none.
func ignorable(r rune) bool {
	return unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r)
}

const (
	nonJoiner = '\u200c'
	joiner    = '\u200d'
	blackFlag = '\U0001f3f4' // begins the flags of England, Scotland and Wales, which go on with tag characters
	tagFirst  = '\U000e0020'
	tagLast   = '\U000e007f'
)

// spelled reports whether an ignorable character is part of the spelling where it stands. Joiners are between two
// letters of a script that uses them, after a virama, or between two emoji (Unicode Standard Annex 31, section 2.3); a variation selector
// follows the character whose shape it chooses, and only one does.
func spelled(before []rune, r rune, after []rune) bool {
	if len(before) == 0 {
		return false
	}
	last := before[len(before)-1]
	switch {
	case r == joiner && unicode.Is(virama, last):
		return true
	case r == nonJoiner || r == joiner:
		return len(after) > 0 && !ignorable(after[0]) && !blank(after[0]) &&
			(joining(last) && joining(after[0]) || r == joiner && emoji(last) && emoji(after[0]))
	case unicode.Is(unicode.Mongolian, r), r == '\u180e':
		return unicode.Is(unicode.Mongolian, last)
	case r >= tagFirst && r <= tagLast:
		return last == blackFlag || last >= tagFirst && last < tagLast
	case unicode.Is(unicode.Variation_Selector, r):
		return unicode.In(last, shaped...)
	}
	return false
}

// joiningScripts are the scripts in which a joiner changes how a word is written.
var joiningScripts = []*unicode.RangeTable{
	unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Nko, unicode.Adlam, unicode.Mandaic, unicode.Phags_Pa,
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu,
	unicode.Kannada, unicode.Malayalam, unicode.Sinhala, unicode.Tibetan, unicode.Myanmar, unicode.Khmer,
	unicode.Balinese, unicode.Javanese, unicode.Sundanese, unicode.Newa, unicode.Tirhuta, unicode.Chakma,
}

// virama are the marks that kill a vowel in the scripts of India and Sri Lanka. A joiner after one chooses the letter's
// half form, also at the end of a word: older Malayalam text writes its final consonants so.
var virama = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0x094d, Hi: 0x0d4d, Stride: 0x80}, {Lo: 0x0dca, Hi: 0x0dca, Stride: 1}}}

// shaped are the characters of which Unicode registers variants (StandardizedVariants.txt, emoji-variation-sequences.txt
// and the Ideographic Variation Database): symbols, emoji with their keycaps, ideographs, and two scripts.
var shaped = []*unicode.RangeTable{unicode.S, unicode.Nd, unicode.Po, unicode.Han, unicode.Myanmar, unicode.Phags_Pa}

// joining reports whether a joiner may stand beside r. Marks such as the virama belong to their scripts' tables; those
// of the Arabic vowels are inherited.
func joining(r rune) bool {
	return unicode.In(r, joiningScripts...) || unicode.Is(unicode.Inherited, r) && unicode.Is(unicode.Mn, r) &&
		!unicode.Is(unicode.Variation_Selector, r)
}

// emoji are the symbols, skin tones and selectors of which joined emoji are made.
func emoji(r rune) bool {
	return unicode.In(r, unicode.So, unicode.Sk) || r == '\ufe0f' || r == '♀' || r == '♂'
}
