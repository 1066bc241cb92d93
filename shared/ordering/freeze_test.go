package ordering_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"yundian/shared/catalogue"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/shop"
)

// TestOrdersKeepSoMuchOfTheirGoods: an order keeps usual texts as they are and the beginning of very long ones. Of pictures
// it keeps as many addresses as there is room for, whole, because one that is cut leads nowhere.
func TestOrdersKeepSoMuchOfTheirGoods(t *testing.T) {
	sold, basket := map[string]catalogue.Sellable{}, []ordering.BasketLine{}
	add := func(sku, title, image string) {
		sold[sku] = catalogue.Sellable{SKU: sku, Status: catalogue.Active, Title: title, Variant: title, Image: image, Price: money.Of(1, "CNY"), Stock: catalogue.Stock{Available: 1}}
		basket = append(basket, ordering.BasketLine{SKU: sku, Quantity: 1})
	}
	add("usual", strings.Repeat("茶", 100), "/usual.jpg")
	add("long", strings.Repeat("茶", 101), "")
	add("mixed", "a"+strings.Repeat("茶", 200), "")
	long := "https://example.com/" + strings.Repeat("x", 980)
	for i := range 13 {
		add(fmt.Sprint(i), "tea", long)
	}
	q, err := ordering.Price(basket, sold, shop.Default())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{strings.Repeat("茶", 100), strings.Repeat("茶", 99) + "…", "a" + strings.Repeat("茶", 98) + "…"} {
		if got := q.Lines[i]; got.Title != want || got.Variant != want || !utf8.ValidString(got.Title) {
			t.Errorf("line %d keeps %q", i, got.Title)
		}
	}
	pictures := 0
	for _, l := range q.Lines[3:] {
		if l.Image != "" && l.Image != long {
			t.Errorf("a picture's address is cut: %.40s", l.Image)
		}
		if l.Image != "" {
			pictures++
		}
	}
	if pictures != 11 || q.Lines[0].Image != "/usual.jpg" {
		t.Errorf("%d long addresses are kept, and %q", pictures, q.Lines[0].Image)
	}
}
