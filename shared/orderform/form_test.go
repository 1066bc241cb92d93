package orderform

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"testing"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/locale"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/shop"
)

func sellable(sku string, price, left int64) catalogue.Sellable {
	return catalogue.Sellable{SKU: sku, Title: sku, Price: money.Of(price, "CNY"), Status: catalogue.Active, Stock: catalogue.Stock{Available: left, Received: left}}
}

func TestFit(t *testing.T) {
	dollars := sellable("dollars", 100, 9)
	dollars.Price.Currency = "USD"
	archived := sellable("archived", 100, 9)
	archived.Status = catalogue.Archived
	sold := map[string]catalogue.Sellable{"tea": sellable("tea", 1000, 3), "cup": sellable("cup", 500, 9), "out": sellable("out", 500, 0), "many": sellable("many", 100, 57), "ten": sellable("ten", 100, 10), "dollars": dollars, "archived": archived}
	tests := []struct {
		name   string
		basket []ordering.BasketLine
		fits   string
		gone   int
		total  int64
	}{
		{"all there", []ordering.BasketLine{{SKU: "tea", Quantity: 2}, {SKU: "cup", Quantity: 1}}, "tea*2 cup*1", 0, 2500},
		{"too few", []ordering.BasketLine{{SKU: "tea", Quantity: 5}}, "tea*3", 0, 3000},
		{"too few of many", []ordering.BasketLine{{SKU: "many", Quantity: 99}}, "many*10", 0, 1000},
		{"all of many", []ordering.BasketLine{{SKU: "many", Quantity: 57}}, "many*57", 0, 5700},
		{"too few of ten", []ordering.BasketLine{{SKU: "ten", Quantity: 11}}, "ten*10", 0, 1000},
		{"sold out", []ordering.BasketLine{{SKU: "out", Quantity: 1}, {SKU: "cup", Quantity: 1}}, "cup*1", 0, 500},
		{"not for sale here", []ordering.BasketLine{{SKU: "dollars", Quantity: 1}, {SKU: "archived", Quantity: 1}, {SKU: "nope", Quantity: 1}}, "", 3, 0},
		{"nothing", nil, "", 0, 0},
	}
	for _, tt := range tests {
		f := Fit(tt.basket, sold, shop.Default())
		var got []string
		for _, b := range f.Basket() {
			got = append(got, BasketValue(b))
		}
		if strings.Join(got, " ") != tt.fits || f.Gone != tt.gone || f.Quote.Total.Minor != tt.total || f.Orderable() != (tt.total > 0) || f.Err != nil {
			t.Errorf("%s: %v, %d gone, total %v, %v", tt.name, got, f.Gone, f.Quote.Total, f.Err)
		}
	}
}

func TestProblemsStandWhereTheyBelong(t *testing.T) {
	r := httptest.NewRequest("POST", "/orders?lang=en", nil)
	at := func(where string) fail.Field { return fail.At(where, "required", "This is required.", nil) }
	p := ProblemsOf(r, fail.NewFields([]fail.Field{at("body.contact.name"), at("body.lines[0].sku"), at("header.contact.phone")}))
	if len(p.Fields) != 1 || p.Fields["contact.name"] == "" || len(p.General) != 3 {
		t.Errorf("problems %+v", p)
	}
	if p := ProblemsOf(r, fail.NewFields([]fail.Field{at("body.contact.name")})); len(p.General) != 0 {
		t.Errorf("a list of fields says more than they do: %v", p.General)
	}
	if p := ProblemsOf(r, fail.New(fail.Conflict, "price_changed", "The total is now {total}.", fail.Args{"total": money.Of(100, "CNY")})); len(p.General) != 1 || !strings.Contains(p.General[0], "1.00") {
		t.Errorf("problems %+v", p)
	}
	if (Problems{}).Any() {
		t.Error("no problems are some")
	}
}

func TestFormKeepsOddValues(t *testing.T) {
	d := Data{Language: locale.English, Payments: []string{"sandbox", "barter"}, Values: Values{Address: ordering.Address{Country: "BR"}, Payment: "barter"}}
	var b bytes.Buffer
	if err := Form(d).Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<option value="BR" selected>BR</option>`, `value="barter" checked`, `<span class="choice-name">barter</span>`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the form lacks %s", want)
		}
	}
	if FreshKey() == FreshKey() || len(FreshKey()) != 32 {
		t.Error("keys are not fresh")
	}
}
