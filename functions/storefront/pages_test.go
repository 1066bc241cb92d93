package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"yundian/shared/catalogue"
	"yundian/shared/shop"
)

// TestShelfInPages: a large shelf is shown in pages with plain links between them, which carry on what a shopper brought
// along, and every product stands on exactly one of them, in order.
func TestShelfInPages(t *testing.T) {
	b := open(t)
	var shelf, ids []string
	for i := range shop.ShelfLimit {
		id := fmt.Sprintf("tea-%03d", i)
		b.product(catalogue.Product{ID: id, Title: "茶 " + id, Variants: []catalogue.Variant{{SKU: id, Price: cny(100)}}}, map[string]int64{id: 9})
		shelf, ids = append(shelf, id, ""), append(ids, id)
	}
	b.koc("mei", "小梅", shelf...)
	other := b.sign("mei_other", b.at)
	address, n := "/k/mei?b=tea-007*2&lang=zh-Hans&t="+url.QueryEscape(other), 0
	var seen []string
	for before := ""; address != ""; n++ {
		p := b.page(address)
		for _, a := range p.all("a") {
			if attribute(a, "class") == "card-title" {
				u, _ := url.Parse(attribute(a, "href"))
				seen = append(seen, strings.TrimPrefix(u.Path, "/k/mei/p/"))
			}
		}
		p.wants(fmt.Sprintf("第 %d 页，共 5 页", n+1))
		if got := attribute(p.one("link", "rel", "canonical"), "href"); got != pageOf(n+1) {
			t.Errorf("page %d is %s", n+1, got)
		}
		if got, want := attribute(p.one("link", "rel", "prev"), "href"), pageOf(n); n > 0 && got != want || n == 0 && got != "" {
			t.Errorf("before page %d comes %q", n+1, got)
		}
		if back := attribute(p.one("a", "rel", "prev"), "href"); n > 1 && !strings.Contains(back, fmt.Sprint("page=", n)) || n == 1 && strings.Contains(back, "page=") || n == 0 && back != "" {
			t.Errorf("page %d leads back to %q", n+1, back)
		}
		if here, _ := url.Parse(p.link("EN")); here.Query().Get("page") != strings.TrimPrefix(pageOf(n + 1)[len(pageOf(1)):], "?page=") {
			t.Errorf("the language switch of page %d leads to %s", n+1, here)
		}
		before, address = address, attribute(p.one("a", "rel", "next"), "href")
		if address == "" {
			continue
		}
		next, err := url.Parse(address)
		if q := next.Query(); err != nil || next.Path != "/k/mei" || q.Get("b") != "tea-007*2" || !slices.Contains(q["t"], other) || q.Get("lang") != "zh-Hans" {
			t.Errorf("from %s on to %s", before, address)
		}
		if next := attribute(p.one("link", "rel", "next"), "href"); next != pageOf(n+2) {
			t.Errorf("after page %d comes %q", n+1, next)
		}
	}
	if n != 5 || !slices.Equal(seen, ids) {
		t.Errorf("%d pages show %d products: %v", n, len(seen), seen)
	}
	for asked, page := range map[string]int{"": 1, "1": 1, "0": 1, "-3": 1, "x": 1, "2": 2, "5": 5, "6": 5, "99999999999999999999": 1, "4294967298": 5} {
		b.page("/k/mei?page=" + asked).wants(fmt.Sprintf("第 %d 页", page))
	}
	// A product leads back to the page on which it stands.
	if back := b.page("/k/mei/p/tea-100").link("的架上"); !strings.HasPrefix(back, "/k/mei?page=3&") {
		t.Errorf("back to %s", back)
	}
}

// pageOf is the address of a page without what a visit adds to it.
func pageOf(n int) string {
	if n == 1 {
		return "https://shop.example/k/mei"
	}
	return fmt.Sprint("https://shop.example/k/mei?page=", n)
}

func TestShelfInPagesAsJSON(t *testing.T) {
	b := open(t)
	var ids []string
	for i := range 50 {
		id := fmt.Sprintf("tea-%03d", i)
		b.product(catalogue.Product{ID: id, Title: id, Variants: []catalogue.Variant{{SKU: id, Price: cny(100)}}}, map[string]int64{id: 9})
		ids = append(ids, id)
	}
	b.settings(func(s *shop.Settings) { s.DefaultShelf = ids })
	b.koc("mei", "小梅")
	code := b.link("mei", "storefront", "abc")
	for address, want := range map[string][3]any{
		"/k/mei": {48, 1, pageOf(2)}, "/k/mei?page=2": {2, 2, ""}, "/s/" + code: {48, 1, "https://shop.example/s/" + code + "?page=2"}, "/s/" + code + "?page=2": {2, 2, ""},
	} {
		var d landingDocument
		a := b.do(address, "Accept", "application/json")
		if err := json.Unmarshal([]byte(a.Body), &d); err != nil || a.Status != 200 {
			t.Fatalf("%s: %v, %s", address, err, a)
		}
		if len(d.Products) != want[0] || d.Page != want[1] || d.Pages != 2 || d.Next != want[2] {
			t.Errorf("%s: %d products on page %d of %d, then %q", address, len(d.Products), d.Page, d.Pages, d.Next)
		}
	}
	b.settings(func(s *shop.Settings) { s.DefaultShelf = ids[:48] })
	if p := b.page("/k/mei"); strings.Contains(p.text(), "页") || p.one("a", "rel", "next") != nil || p.one("link", "rel", "next") != nil {
		t.Error("one page is shown as one of several")
	}
}
