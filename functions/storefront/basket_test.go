package main

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"yundian/shared/catalogue"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/shop"
)

func basketShop(t *testing.T) *bench {
	b := open(t)
	b.tea("longjing", "龙井", 16800, 3)
	b.tea("oolong", "桂花乌龙", 8800, 1000)
	b.tea("gone", "卖完的", 100, 0)
	b.product(catalogue.Product{ID: "draft", Title: "还没卖的", Status: catalogue.Draft, Variants: []catalogue.Variant{{SKU: "draft", Price: cny(100)}}}, map[string]int64{"draft": 9})
	b.koc("mei", "小梅", "longjing", "")
	b.settings(func(s *shop.Settings) { s.Shipping = shop.Shipping{Fee: 1000, FreeFrom: 50000}; s.Tax = 600 })
	return b
}

func TestBasketIsTheOrderForm(t *testing.T) {
	b := basketShop(t)
	p := b.page("/k/mei/basket?line=longjing*2&line=oolong*1")
	p.wants("¥336.00", "¥88.00", "¥424.00", "¥10.00", "¥25.44", "¥459.44")
	for name, want := range map[string]string{"Cache-Control": "no-store", "Vary": "Accept-Language, Accept"} {
		if got := p.answer.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	form := p.one("form", "id", "order")
	if attribute(form, "action") != "/orders" || attribute(form, "method") != "post" {
		t.Errorf("the form goes to %s by %s", attribute(form, "action"), attribute(form, "method"))
	}
	f := p.fields()
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(f.Get("key")) || f.Get("key") == b.page("/k/mei/basket?line=longjing*2").fields().Get("key") {
		t.Errorf("key %q", f.Get("key"))
	}
	if f.Get("expect") != "45944" || f.Get("expectCurrency") != "CNY" || f.Get("token") != p.token() || f.Get("payment") != "on_delivery" ||
		!slices.Equal(f["line"], []string{"longjing*2", "oolong*1"}) {
		t.Errorf("hidden fields %v", f)
	}
	for _, name := range []string{"contact.name", "contact.phone", "contact.email", "address.region", "address.city", "address.district", "address.division", "address.line1", "address.postcode", "kocCode"} {
		n := p.one("input", "name", name)
		if p.one("label", "for", attribute(n, "id")) == nil || attribute(n, "autocomplete") == "" || attribute(n, "maxlength") == "" {
			t.Errorf("%s has no label, autocomplete or limit", name)
		}
	}
	if n := p.one("select", "name", "address.country"); n == nil || !strings.HasPrefix(textOf(n), "中国大陆") {
		t.Error("the country is missing")
	}
	if p.one("input", "value", "sandbox") != nil {
		t.Error("the sandbox is offered where nobody grants it")
	}
}

func TestMoreAndLess(t *testing.T) {
	b := basketShop(t)
	lines := func(p page) string { return strings.Join(p.fields()["line"], " ") }
	p := b.page("/k/mei/basket?line=longjing*2&b=oolong*1&line=oolong*1")
	if got := lines(p); got != "oolong*2 longjing*2" {
		t.Fatalf("the basket is %s", got)
	}
	more := b.page(p.link("龙井 加一件"))
	if got := lines(more); got != "oolong*2 longjing*3" {
		t.Errorf("one more gives %s", got)
	}
	for _, a := range more.all("a") {
		if attribute(a, "aria-label") == "龙井 加一件" {
			t.Error("more than there are can be asked for")
		}
	}
	if got := lines(b.page(p.link("桂花乌龙 减一件"))); got != "oolong*1 longjing*2" {
		t.Errorf("one less gives %s", got)
	}
	if got := lines(b.page(p.link("移除"))); got != "longjing*2" {
		t.Errorf("removing the first gives %s", got)
	}
}

func TestBasketsThatCannotBeHadAsTheyAre(t *testing.T) {
	b := basketShop(t)
	tests := []struct {
		name, query string
		says        []string
		lines       string
	}{
		{"empty", "", []string{"篮子还是空的"}, ""},
		{"too many", "line=longjing*7", []string{"只剩 3 件，已为你改好", "¥504.00"}, "longjing*3"},
		{"one sold out", "line=gone*1&line=oolong*1", []string{"已售罄，没有算在内", "¥88.00"}, "oolong*1"},
		{"all sold out", "line=gone*1", []string{"已售罄，没有算在内"}, ""},
		{"unknown and not yet sold", "line=nope*1&line=draft*2&line=oolong*1", []string{"有 2 样商品已经下架"}, "oolong*1"},
		{"malformed", "line=oolong*x&line=*&line=oolong*2", []string{"有些商品没能放进来"}, "oolong*2"},
		{"nothing but nonsense", "line=oolong*-1&line=%ff*1&line=a%7Cb*1", []string{"篮子还是空的", "有些商品没能放进来"}, ""},
		{"a huge quantity", "line=oolong*9223372036854775807", nil, "oolong*999"},
		{"thousands of lines", strings.Repeat("line=oolong*1&", 2000), nil, "oolong*120"},
	}
	for _, tt := range tests {
		p := b.page("/k/mei/basket?" + tt.query)
		p.wants(tt.says...)
		if got := strings.Join(p.fields()["line"], " "); got != tt.lines {
			t.Errorf("%s: the form orders %q, want %q", tt.name, got, tt.lines)
		}
		if back, err := url.Parse(p.link("EN")); err != nil || back.Path != "/k/mei/basket" {
			t.Errorf("%s: the language switch leads to %v", tt.name, back)
		}
		if tt.lines != "" {
			on, err := url.Parse(p.link("再挑一些"))
			if err != nil || strings.Join(on.Query()["b"], " ") != tt.lines {
				t.Errorf("%s: looking around goes on with %v", tt.name, on)
			}
		}
		if hasForm := p.one("form", "id", "order") != nil; hasForm != (tt.lines != "") {
			t.Errorf("%s: has a form: %v", tt.name, hasForm)
		}
	}
}

// TestManyKinds: a basket takes as many kinds as an order does, and says so when there are more. A page of it stays well below
// the 6 MB that a function may answer with, and no address on it is longer than the gateway takes.
func TestManyKinds(t *testing.T) {
	b := basketShop(t)
	query := url.Values{}
	for i := range ordering.MaxLines + 5 {
		id := fmt.Sprintf("tea-of-a-rather-long-name-of-forty-bytes-%02d", i)
		b.tea(id, id, 100, 9)
		query.Add("line", id+"*1")
	}
	p := b.page("/k/mei/basket?" + query.Encode())
	p.wants("一张订单最多 60 种")
	if got := len(p.fields()["line"]); got != ordering.MaxLines {
		t.Errorf("the form orders %d lines", got)
	}
	for _, address := range p.links() {
		if len(address) > 4800 {
			t.Errorf("an address has %d bytes: %.80s…", len(address), address)
		}
	}
	t.Logf("a basket of %d kinds is a page of %d KB", ordering.MaxLines, len(b.do("/k/mei/basket?"+query.Encode()).Body)>>10)

	// Looking around with it, a shopper is told that nothing more fits, rather than that it was added.
	on, err := url.Parse(p.link("再挑一些"))
	if err != nil {
		t.Fatal(err)
	}
	on.Path += "/p/oolong"
	full := b.page(on.String())
	full.wants("购物篮满了")
	if links := strings.Join(full.links(), " "); strings.Contains(links, "added=1") {
		t.Error("one more can be added")
	}
	on.Path = "/k/mei/p/tea-of-a-rather-long-name-of-forty-bytes-00"
	if again := b.page(on.String()); !strings.Contains(again.link("加入购物篮"), "-00*2") {
		t.Error("what is in the basket cannot be added again")
	}
}

// TestLongSKUs: what an address cannot carry is left out with a word about it; a page beyond the gateway's limit would be none.
func TestLongSKUs(t *testing.T) {
	b := basketShop(t)
	query := url.Values{}
	for i := range 20 {
		id := fmt.Sprintf("%s%02d", strings.Repeat("茶", 26), i)
		b.product(catalogue.Product{ID: fmt.Sprint("tea-", i), Title: id, Variants: []catalogue.Variant{{SKU: id, Price: money.Of(100, "CNY")}}}, map[string]int64{id: 9})
		query.Add("line", id+"*1")
	}
	p := b.page("/k/mei/basket?" + query.Encode())
	p.wants("购物篮装不下了")
	if got := len(p.fields()["line"]); got != 14 {
		t.Errorf("the form orders %d lines", got)
	}
	on, err := url.Parse(p.link("再挑一些"))
	if err != nil {
		t.Fatal(err)
	}
	on.Path += "/p/tea-19"
	b.page(on.String()).wants("购物篮满了")
	on.Path = "/k/mei/p/oolong" // a short one still fits
	if add := b.page(on.String()).link("加入购物篮"); !strings.Contains(add, "oolong*1") {
		t.Errorf("a short SKU is not added: %s", add)
	}
}

func TestAnOrderTooLargeToPrice(t *testing.T) {
	b := open(t)
	b.koc("mei", "小梅")
	b.settings(func(s *shop.Settings) { s.Shipping = shop.Shipping{Fee: 1_000_000_000_000_000} })
	b.tea("gold", "金子", 1_000_000_000, 999)
	p := b.page("/k/mei/basket?line=gold*999")
	p.wants("这张订单太大了")
	if p.one("form", "id", "order") != nil {
		t.Error("it can be ordered all the same")
	}
}
