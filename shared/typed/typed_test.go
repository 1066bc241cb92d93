package typed_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"yundian/shared/fail"
	"yundian/shared/typed"
)

func TestLine(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"陈静", "陈静"},
		{"  陈静 \u3000", "陈静"},
		{"علی\u200cرضا", "علی\u200cرضا"},         // ZWNJ is Persian spelling
		{"می\u200cخواهم", "می\u200cخواهم"},       //
		{"ශ\u0dca\u200dරී", "ශ\u0dca\u200dරී"},   // ZWJ is part of the Sinhala letter
		{"क\u094d\u200dष", "क\u094d\u200dष"},     // and of the Hindi half form
		{"آبی\u200c", "آبی"},                     // a joiner at the end joins nothing
		{"آبی\u200c\u200cتیره", "آبی\u200cتیره"}, // one is enough
		{"അവന\u0d4d\u200d", "അവന\u0d4d\u200d"},   // a final consonant in older Malayalam
		{"क\u094d\u200d\u200d", "क\u094d\u200d"}, //
		{"陈\u200c静", "陈静"},                       // Chinese is written without joiners
		{"a\u200db", "ab"},                       //
		{"陈静\u200e", "陈静"},                       // a direction mark
		{"\u202d陈静\u202c", "陈静"},                 // as address books leave it
		{"\u2066abc\u2069\u202e", "abc"},         //
		{"\ufeff陈\u200b静\u2060", "陈静"},           //
		{"soft\u00adhyphen", "softhyphen"},       //
		{"\u3164\u3164", ""},                     // nothing but fillers is empty
		{"陈\u3164静", "陈 静"},                      //
		{"\u2800a\u2800b", "a b"},                //
		{"文三路 1 号\n3 栋 201", "文三路 1 号 3 栋 201"},  //
		{"文三路 1 号\t201", "文三路 1 号 201"},          //
		{"文三路 1 号\u2028201", "文三路 1 号 201"},      //
		{"a\r\nb\u0085c\vd", "a b c d"},          //
		{"\u00a0a\u2003\u202fb", "a b"},          //
		{"👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"},   // a family is one emoji
		{"❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"},     //
		{"🏴\U000e0067\U000e0062\U000e007f", "🏴\U000e0067\U000e0062\U000e007f"},
		{"a\U000e0067\U000e0062", "ab"[:1]}, // tags after a letter carry hidden words
		{"葛\U000e0100城", "葛\U000e0100城"},    // the shape of a Japanese name
		{"好\ufe01\ufe02\ufe03", "好\ufe01"},  // one selector chooses a shape, more carry hidden words
		{"Mei\ufe0f", "Mei"},                // a letter has no other shape
		{"２丁目", "２丁目"},                      // names and streets are kept as typed
		{"\u0600١٢", "\u0600١٢"},            // a format character with a shape
		{"bad\xffutf8", "badutf8"},          //
	} {
		if got := typed.TidyLine(c.in); got != c.want {
			t.Errorf("TidyLine(%+q) = %+q, want %+q", c.in, got, c.want)
		}
	}
}

func TestLines(t *testing.T) {
	in := " Line one\r\nLine\ttwo \u2029\r\n\n- a\u200b  b\n\n"
	if got, want := typed.TidyLines(in), "Line one\nLine two\n\n\n- a b"; got != want {
		t.Errorf("TidyLines(%q) = %q, want %q", in, got, want)
	}
}

func TestRefusals(t *testing.T) {
	name := typed.Length{Low: 1, High: 5}
	for _, c := range []struct{ in, code string }{
		{"", "text_length"},
		{" \u3000\u200b", "text_length"},
		{"123456", "text_length"},
		{"a\x00b", "text_hidden"},
		{"a\x1b[0m", "text_hidden"},
		{"a\x9b", "text_encoding"},
		{"a\u009b", "text_hidden"},
		{"abc", ""},
		{"陈静宝宝们", ""},
	} {
		_, wrong := typed.Line("body.name", c.in, name)
		code := ""
		if len(wrong) > 0 {
			code = wrong[0].Code
		}
		if code != c.code {
			t.Errorf("Line(%q) is refused with %q, want %q", c.in, code, c.code)
		}
	}
	_, wrong := typed.Line("body.name", "a\x1bb", name)
	e, ok := errors.AsType[*fail.Error](fail.NewFields(wrong))
	if !ok || !strings.Contains(e.Fields[0].Text, "U+001B") || e.Fields[0].Location != "body.name" {
		t.Errorf("a refusal has to name the character and the field: %v", e)
	}
}

func TestCodes(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"３１００００", "310000"}, {"〒１００－０００１", "100-0001"}, {"sw1a 1aa", "SW1A 1AA"}, {"۳۱۰۰", "3100"},
		{" 100ー0001 ", "100-0001"}, {"\u200b310000\u200e", "310000"}, {"𝟛𝟙𝟘𝟘𝟘𝟘", "310000"},
	} {
		if got := typed.Postcode(c.in); got != c.want {
			t.Errorf("Postcode(%q) = %q, want %q", c.in, got, c.want)
		}
	}
	for _, c := range []struct{ in, want string }{
		{"mei＠example.com", "mei@example.com"}, {"ＭＥＩ@ｅｘａｍｐｌｅ．ｃｏｍ", "mei@example.com"},
		{" Mei@Example.COM\u200b", "mei@example.com"}, {"mailto:mei@example.com", "mei@example.com"},
		{"<mei@example.com>", "mei@example.com"}, {"mei@example。com", "mei@example.com"},
		{"a@xn--80a1acny.xn--p1ai", "a@xn--80a1acny.xn--p1ai"}, {"o'neil+shop@a-b.co.uk", "o'neil+shop@a-b.co.uk"},
		{"mei", ""}, {"mei@", ""}, {"@example.com", ""}, {"mei@example", ""}, {"mei@@example.com", ""}, {"m ei@example.com", ""},
		{"mei@exa..mple.com", ""}, {"mei@-a.com", ""}, {".mei@a.com", ""}, {"mei.@a.com", ""}, {"a@b.c", ""},
		{"mei@example.com\r\nBcc: x@y.cn", ""}, {strings.Repeat("a", 65) + "@b.cn", ""}, {"mei\x00@example.com", ""},
	} {
		got, ok := typed.Email(c.in)
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("Email(%q) = %q, %t; want %q", c.in, got, ok, c.want)
		}
	}
}

// TestTidyIsStable holds the rule to all of Unicode: reading again changes nothing, nothing that cannot be seen is left
// at an end, and letters are never lost.
func TestTidyIsStable(t *testing.T) {
	awkward := []rune{'\u200c', '\u200d', '\u200e', '\u202e', '\ufe0f', '\u3164', '\u2800', '\n', '\t', '\x00', '\u2028',
		'\U000e0061', 'ی', '陈', 'a', ' ', '👩', '\u0dca', '\u180b', 'ᠠ'}
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(awkward), rapid.Rune())).Draw(t, "text"))
		for name, read := range map[string]func(string) string{"line": typed.TidyLine, "lines": typed.TidyLines, "code": typed.Code} {
			once := read(text)
			if twice := read(once); twice != once {
				t.Fatalf("%s of %+q is %+q and then %+q", name, text, once, twice)
			}
			if strings.ContainsFunc(once, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) || !utf8.ValidString(once) {
				t.Fatalf("%s of %+q keeps a control character: %+q", name, text, once)
			}
			if strings.TrimSpace(once) != once {
				t.Fatalf("%s of %+q has spaces at an end: %+q", name, text, once)
			}
		}
		if had, has := shown(text), shown(typed.TidyLine(text)); had != has {
			t.Fatalf("a line of %+q shows %q instead of %q", text, has, had)
		}
	})
}

// shown are the letters and digits of a text that leave ink.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.L, unicode.N) && !strings.ContainsRune("\u3164\uffa0\u115f\u1160", r) {
			return r
		}
		return -1
	}, text)
}
