package sheet

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestCellsAreNoFormulas(t *testing.T) {
	tests := []struct{ text, cell string }{
		{"", ""}, {"王明", "王明"}, {"a-b", "a-b"}, {"12.30", "12.30"}, {"-12.30", "-12.30"}, {"-5", "-5"},
		{"=1+1", "'=1+1"}, {"+861380000", "'+861380000"}, {"-1+1", "'-1+1"}, {"-", "'-"}, {"-.5", "'-.5"}, {"-5.", "'-5."}, {"--5", "'--5"},
		{"@SUM(A1)", "'@SUM(A1)"}, {"＝1", "'＝1"}, {"＋1", "'＋1"}, {"－1", "'－1"}, {"＠a", "'＠a"},
		{"\t=1", "'=1"}, {"\r=1", "'=1"}, {"\n=1", "'=1"}, {"\t王", "王"}, {"  =1", "'=1"}, {"\u3000=1", "'=1"}, {"\ufeff=1", "'=1"}, {"\u200b=1", "\u200b'=1"},
		{"\x00=1", "'=1"}, {"a\r\nb,=c", "a  b,=c"}, {"a\u2028b", "a b"}, {"a\xffb", "a\ufffdb"},
		{"'=1", "''=1"}, {"'a", "''a"}, {"a;=1", "a;'=1"}, {"a; =1", "a; '=1"}, {`a;"=1"`, `a;"'=1"`}, {`"=1"`, `"'=1"`}, {"a;b", "a;b"}, {";;@x", ";;'@x"},
	}
	for _, tt := range tests {
		if got := Cell(tt.text); got != tt.cell {
			t.Errorf("Cell(%q) = %q, want %q", tt.text, got, tt.cell)
		}
	}
	for cell, text := range map[string]string{"'": "'", "'abc": "'abc", "''abc": "'abc", "'12": "'12", "'-12": "-12", "it's": "it's", "''": "'", "a;'=b": "a;=b", "\xff": "\ufffd", "'\xff": "'\ufffd", " a\r\nb\x00 ": "a  b"} {
		if got := Text(cell); got != text {
			t.Errorf("Text(%q) = %q, want %q", cell, got, text)
		}
	}
}

// texts are made of what matters here, so that rare meetings of characters are tried often.
var texts = rapid.StringOfN(rapid.OneOf(rapid.SampledFrom([]rune("=+-@＝＋－＠'\"\t\r\n ;,;.012a王\u3000\u200b\ufeff\u2028\x00")), rapid.Rune()), -1, 20, -1)

func TestTextTakesBackWhatCellDid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := texts.Draw(t, "text")
		cell := Cell(text)
		if back := Text(cell); back != line(text) {
			t.Fatalf("%q became %q, and %q came back", text, cell, back)
		}
		if again := Cell(Text(cell)); again != cell {
			t.Fatalf("%q became %q, then %q", text, cell, again)
		}
		for part := range strings.SplitSeq(cell, ";") { // as a spreadsheet of another country cuts it
			part = strings.TrimLeftFunc(part, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || r == '"' })
			if !number(cell) && part != "" && strings.ContainsAny(part[:1], "=+-@") || slices.ContainsFunc([]string{"＝", "＋", "－", "＠"}, func(p string) bool { return strings.HasPrefix(part, p) }) {
				t.Fatalf("%q became %q with a formula in it", text, cell)
			}
		}
	})
}

func TestRowsAreCSV(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(texts, 2, 2), 1, 5).Draw(t, "rows")
		file := []byte(Mark)
		for _, cells := range rows {
			file = Row(file, append([]string{"id"}, cells...)...)
		}
		if bytes.Count(file, []byte("\n")) != len(rows) || !bytes.HasSuffix(file, []byte("\r\n")) {
			t.Fatalf("%q has other lines than its %d rows", file, len(rows))
		}
		read, err := csv.NewReader(bytes.NewReader(file[len(Mark):])).ReadAll()
		if err != nil || len(read) != len(rows) {
			t.Fatalf("%q: %v, %d rows of %d", file, err, len(read), len(rows))
		}
		for i, cells := range rows {
			for j, text := range cells {
				if got := Text(read[i][j+1]); got != line(text) {
					t.Fatalf("%q came back as %q", text, got)
				}
			}
		}
	})
}
