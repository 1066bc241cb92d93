package catalogue

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"yundian/shared/fail"
	"yundian/shared/money"
)

func TestValidID(t *testing.T) {
	for id, want := range map[string]bool{
		"tea": true, "classic-varsity-top": true, "a_b-1": true, "龙井茶": true, "é": true, strings.Repeat("a", 120): true,
		"": false, "Tea": false, "a b": false, "a--b": true, "大根-１本": true, "น้ำหอม": true, "हिन्दी-किताब": true, "শাড়ি": true, "किताब-२": true, "کتاب\u200cها": true, "a\u200db": false, "\u0301a": false, "a\u3164": false, "-a": false, "a-": false, "a/b": false, "a#b": false, "../a": false, "a\u202eb": false,
		"a\n": false, "\xff": false, strings.Repeat("a", 121): false, strings.Repeat("长", 41): false, "a.b": false, "É": false,
	} {
		if ValidID(id) != want {
			t.Errorf("ValidID(%q) = %v", id, !want)
		}
	}
}

func TestValidSKU(t *testing.T) {
	for sku, want := range map[string]bool{
		"tea-250-克": true, "AB.12/3": true, "a b": true, strings.Repeat("a", 80): true, "=1+1": true,
		"": false, " a": false, "a ": false, "a  b": true, "a*2": true, "a,b": true, "a|b": true, "a#b": true, "a\tb": false, "a\x00b": false, "a\u202eb": false, "a\u200bb": false, "\u3164": false, "a\u2800b": false, "a\ufe0fb": false, "a\x7f": false,
		"\xff": false, strings.Repeat("a", 81): false,
	} {
		if ValidSKU(sku) != want {
			t.Errorf("ValidSKU(%q) = %v", sku, !want)
		}
	}
}

func TestValidImage(t *testing.T) {
	for src, want := range map[string]bool{
		"https://cdn.example.com/a.jpg?v=1": true, "/assets/a.svg": true,
		"": false, "http://cdn.example.com/a": false, "//cdn.example.com/a": false, "/\\evil": false, "javascript:x": false, "data:image/png;base64,A": false,
		"https://a.example/\"onerror=x": false, "https://a.example/a b": false, "https://a.example/\u202egnp.jpg": false, "https://a.example/\u2028": false, "https://10.0.0.1/a.jpg": false,
		"https://localhost/a.jpg": false, "https://[::1]/a.jpg": false, "https://nas.local:8443/a.jpg": false, "https://me@a.example/a.jpg": false,
		"https://a.example:8443/图.jpg": true, "https://" + strings.Repeat("a", 1000): false,
	} {
		if ValidImage(src) != want {
			t.Errorf("ValidImage(%q) = %v", src, !want)
		}
	}
}

func good() Product {
	return Product{ID: "tea", Title: "Tea", Status: Active, Images: []Image{{Src: "https://a.example/1"}}, Tags: []string{"a"},
		Variants: []Variant{{SKU: "tea-s", Title: "S", Price: money.Of(100, "CNY")}, {SKU: "tea-m", Title: "M", Price: money.Of(200, "CNY")}}}
}

func TestValidate(t *testing.T) {
	if err := good().Validate("CNY"); err != nil {
		t.Fatal(err)
	}
	for location, spoil := range map[string]func(*Product){
		"body.id":                    func(p *Product) { p.ID = "" },
		"body.title":                 func(p *Product) { p.Title = strings.Repeat("长", 256) },
		"body.body":                  func(p *Product) { p.Body = strings.Repeat("a", MaxBody+1) },
		"body.vendor":                func(p *Product) { p.Vendor = strings.Repeat("a", 1001) },
		"body.status":                func(p *Product) { p.Status = "gone" },
		"body.tags":                  func(p *Product) { p.Tags = slices.Repeat([]string{"a"}, MaxTags+1) },
		"body.tags[0]":               func(p *Product) { p.Tags[0] = "" },
		"body.images":                func(p *Product) { p.Images = slices.Repeat(p.Images, MaxImages+1) },
		"body.images[0]":             func(p *Product) { p.Images[0].Src = "x" },
		"body.options":               func(p *Product) { p.Options = make([]string, MaxOptions+1) },
		"body.variants":              func(p *Product) { p.Variants = nil },
		"body.variants[0].sku":       func(p *Product) { p.Variants[0].SKU = "" },
		"body.variants[1].sku":       func(p *Product) { p.Variants[1].SKU = "tea-s" },
		"body.variants[0].price":     func(p *Product) { p.Variants[0].Price.Minor = -1 },
		"body.variants[1].price":     func(p *Product) { p.Variants[1].Price.Currency = "USD" },
		"body.variants[0].compareAt": func(p *Product) { p.Variants[0].CompareAt = money.Of(200, "USD") },
		"body.variants[0].title":     func(p *Product) { p.Variants[0].Title = strings.Repeat("a", 256) },
		"body.variants[0].image":     func(p *Product) { p.Variants[0].Image = "javascript:x" },
	} {
		p := good()
		spoil(&p)
		e, ok := errors.AsType[*fail.Error](p.Validate("CNY"))
		if !ok || e.Kind != fail.Invalid || len(e.Fields) != 1 || e.Fields[0].Location != location {
			t.Errorf("%s: %v", location, e)
		}
	}
	p := good()
	p.Body, p.Images = strings.Repeat("a", MaxBody), nil
	for i := range MaxVariants - 2 {
		p.Variants = append(p.Variants, Variant{SKU: fmt.Sprint(i), Title: strings.Repeat("长", 255), Image: "https://a.example/" + strings.Repeat("a", 980),
			Options: []string{strings.Repeat("长", 255)}, Price: money.Of(1, "CNY")})
	}
	if e, ok := errors.AsType[*fail.Error](p.Validate("CNY")); !ok || e.Fields[0].Code != "product_too_large" {
		t.Errorf("%d bytes of text are accepted: %v", p.textSize(), e)
	}
}

func TestFromAndSellables(t *testing.T) {
	p := good()
	if from, differ := p.From(); from != money.Of(100, "CNY") || !differ {
		t.Errorf("from %v, %v", from, differ)
	}
	p.Variants[1].Price.Minor = 100
	if _, differ := p.From(); differ {
		t.Error("equal prices differ")
	}
	p.Variants[1].Image = "https://a.example/m"
	s := p.Sellables()
	if len(s) != 2 || s[0].Image != "https://a.example/1" || s[1].Image != "https://a.example/m" || s[1].Variant != "M" || s[0].Status != Active || s[0].Product != "tea" {
		t.Errorf("sellables %+v", s)
	}
	if _, ok := p.Variant("tea-m"); !ok {
		t.Error("a variant is not found")
	}
	if _, ok := p.Variant("tea-l"); ok {
		t.Error("a variant that is not there is found")
	}
}

// TestBalanced: goods only move between counts, so every sequence of receipts, reservations, sales, returns and
// write-offs that the guards let through stays balanced, and a piece too many or too few is noticed.
func TestBalanced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Stock
		for range rapid.IntRange(0, 30).Draw(t, "moves") {
			n := rapid.Int64Range(0, 50).Draw(t, "pieces")
			m := []StockMove{{Received: n, Available: n}, {WrittenOff: n, Available: -n}, {Reserved: n, Available: -n}, {Reserved: -n, Sold: n},
				{Sold: -n, Available: n}, {Reserved: n, Received: n}, {Sold: -n, Received: -n}}[rapid.IntRange(0, 6).Draw(t, "kind")]
			m.Owing = m.Reserved > 0 && rapid.Bool().Draw(t, "owing")
			next := s.After(m)
			refused := m.Available < 0 && !m.Owing && s.Available < -m.Available
			if min(next.Reserved, next.Sold, next.Received) >= 0 && !refused {
				s = next
			}
		}
		if !s.Balanced() {
			t.Fatalf("%+v is off balance", s)
		}
		for _, off := range []Stock{{Available: 1}, {Reserved: -1}, {Sold: 2}, {Received: 1}, {WrittenOff: 1}, {Owed: 1}, {Available: 1, Owed: 1}} {
			x := Stock{s.Available + off.Available, s.Reserved + off.Reserved, s.Sold + off.Sold, s.Received + off.Received, s.WrittenOff + off.WrittenOff, s.Owed + off.Owed}
			if x.Balanced() {
				t.Fatalf("%+v passes for balanced", x)
			}
		}
	})
}
