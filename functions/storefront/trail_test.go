package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/attribution"
	"yundian/shared/orderform"
	"yundian/shared/ordering"
	"yundian/shared/seal"
)

// oldKey signs a token as a function did before the keys were rotated.
func oldKey(t *testing.T, code string, at time.Time) string {
	t.Helper()
	keys, err := seal.Parse(`{"1": "an old secret of enough bytes"}`)
	if err != nil {
		t.Fatal(err)
	}
	return attribution.SignToken(keys, code, at)
}

// flip changes one bit of a token's signature.
func flip(token string) string {
	b := []byte(token)
	i := len(b) - 10
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}

func (b *bench) isGenuine(token string) bool {
	_, _, genuine := attribution.TokenCode(b.keys, token, b.at)
	return genuine
}

func sep(address string) string {
	if strings.Contains(address, "?") {
		return "&"
	}
	return "?"
}

func TestReadBasket(t *testing.T) {
	many, long := make([]string, ordering.MaxLines+5), make([]string, ordering.MaxLines)
	var most, fit []ordering.BasketLine
	for i := range many {
		b := ordering.BasketLine{SKU: fmt.Sprintf("tea-%d", i), Quantity: 1}
		many[i] = orderform.BasketValue(b)
		if i < ordering.MaxLines {
			most = append(most, b)
		}
	}
	for i := range long { // 240 bytes each in an address, and 12 more for a line
		b := ordering.BasketLine{SKU: fmt.Sprintf("%s%02d", strings.Repeat("茶", 26), i), Quantity: 1}
		long[i] = orderform.BasketValue(b)
		if i < 14 { // 14 × 248 = 3472
			fit = append(fit, b)
		}
	}
	tests := []struct {
		name  string
		lines []string
		want  string
		left  int
	}{
		{"nothing", nil, "[]", 0},
		{"two lines", []string{"tea*2", "cup*1"}, "[{tea 2} {cup 1}]", 0},
		{"one SKU twice", []string{"tea*2", "cup*1", "tea*3"}, "[{tea 5} {cup 1}]", 0},
		{"a SKU with a blank", []string{"green tea*1"}, "[{green tea 1}]", 0},
		{"a SKU with marks", []string{"a|b*2*1"}, "[{a|b*2 1}]", 0},
		{"no quantity", []string{"tea", "tea*"}, "[]", 2},
		{"impossible quantities", []string{"tea*0", "tea*-1", "tea*1.5", "tea*x", "tea*9223372036854775808"}, "[]", 5},
		{"a huge quantity", []string{"tea*9223372036854775807", "tea*9223372036854775807"}, "[{tea 999}]", 0},
		{"hostile SKUs", []string{"*1", "a\tb*1", "a\x00*1", "\xff*1", strings.Repeat("x", 81) + "*1"}, "[]", 5},
		{"too many", many, fmt.Sprint(most), 5},
		{"too long", long, fmt.Sprint(fit), 46},
		{"far too many", slices.Repeat([]string{"tea*1"}, 1000), "[{tea 120}]", 880},
	}
	for _, tt := range tests {
		if got, left, _ := readBasket(tt.lines); fmt.Sprint(got) != tt.want || left != tt.left {
			t.Errorf("%s: %v and %d left, want %s and %d", tt.name, got, left, tt.want, tt.left)
		}
	}
}

func TestPlus(t *testing.T) {
	full := trail{}
	for i := range ordering.MaxLines {
		full.basket = append(full.basket, ordering.BasketLine{SKU: fmt.Sprint(i), Quantity: 1})
	}
	two := trail{basket: []ordering.BasketLine{{SKU: "tea", Quantity: 2}, {SKU: "cup", Quantity: 999}}}
	tests := []struct {
		name   string
		from   trail
		sku    string
		pieces int64
		want   string
	}{
		{"one more", two, "tea", 1, "[{tea 3} {cup 999}]"},
		{"never more than fit", two, "cup", 5, "[{tea 2} {cup 999}]"},
		{"another one", two, "pot", 1, "[{tea 2} {cup 999} {pot 1}]"},
		{"one less", two, "tea", -1, "[{tea 1} {cup 999}]"},
		{"none left", two, "tea", -2, "[{cup 999}]"},
		{"less of nothing", two, "pot", -1, "[{tea 2} {cup 999}]"},
		{"a full basket", full, "pot", 1, fmt.Sprint(full.basket)},
	}
	for _, tt := range tests {
		if got := tt.from.plus(tt.sku, tt.pieces); fmt.Sprint(got) != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, got, tt.want)
		}
	}
	if fmt.Sprint(two.basket) != "[{tea 2} {cup 999}]" {
		t.Errorf("the basket itself changed to %v", two.basket)
	}
}

func TestAddressesCarryTheTrail(t *testing.T) {
	tr := trail{basket: []ordering.BasketLine{{SKU: "tea & cup", Quantity: 2}}, lang: "en", tokens: []carried{{text: "mei.a.b"}}}
	tr.seal()
	if got, want := tr.to("/k/mei", "variant", "x y"), "/k/mei?variant=x+y&b=tea+%26+cup*2&lang=en&t=mei.a.b"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	u, err := url.Parse(tr.toBasket("mei", tr.basket))
	if err != nil || !slices.Equal(u.Query()["line"], []string{"tea & cup*2"}) {
		t.Errorf("basket at %v, %v", u, err)
	}
	if got := (trail{}).to("/k/mei"); got != "/k/mei" {
		t.Errorf("an empty trail makes %s", got)
	}
}

func TestPlain(t *testing.T) {
	tests := map[string]string{
		"好茶":                            "好茶",
		"a\u202eb\u2066c\u200bd\ufeffe": "abcde",
		"line\r\nbreak":                 "line\nbreak",
		"bell\x07tab\t":                 "belltab",
		"کتاب\u200cها":                  "کتاب\u200cها",
		"👩\u200d🌾":                      "👩\u200d🌾",
	}
	for from, want := range tests {
		if got := plain(from); got != want {
			t.Errorf("plain(%q) = %q, want %q", from, got, want)
		}
	}
	if got := line("  a\n\n b  c ", 4); got != "a b…" {
		t.Errorf("line = %q", got)
	}
	if got := words(`<p>a &lt;b&gt;</p><ul><li>c</li></ul> 1 > 0`); strings.Join(strings.Fields(got), " ") != "a <b> c 1 > 0" {
		t.Errorf("words = %q", got)
	}
	if initial("\u202e 林夏") != "林" || initial("") != "·" || initial("anna") != "A" {
		t.Error("initials are wrong")
	}
}

func TestLongStoriesOpenWithTheirFirstWords(t *testing.T) {
	short := []string{"短。", "也短。"}
	if lead, rest := opening(short); len(lead) != 2 || rest != nil {
		t.Errorf("a short story is divided: %v %v", lead, rest)
	}
	long := []string{strings.Repeat("长", 30), strings.Repeat("长", 40), strings.Repeat("长", 200)}
	if lead, rest := opening(long); len(lead) != 2 || len(rest) != 1 {
		t.Errorf("a long story opens with %d paragraphs and goes on with %d", len(lead), len(rest))
	}
	if lead, rest := opening([]string{strings.Repeat("长", 900)}); len(lead) != 1 || len(rest) != 0 {
		t.Errorf("a story of one paragraph: %d, %d", len(lead), len(rest))
	}
}
