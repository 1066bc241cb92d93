package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"yundian/shared/catalogue"
	"yundian/shared/catalogue/intake"
	"yundian/shared/money"
	"yundian/shared/ordering"
	"yundian/shared/web/webtest"
)

func real(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../shared/catalogue/intake/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// file makes a small product file; each row is handle,title,option,price,pieces.
func file(rows ...string) string {
	return "Handle,Title,Option1 Name,Option1 Value,Variant Price,Variant Inventory Qty,Variant SKU,Status\n" + strings.Join(rows, "\n") + "\n"
}

func imported(t *testing.T, a webtest.Answer) Import {
	t.Helper()
	return decode[Import](t, want(t, a, http.StatusOK))
}

func TestImportTwiceChangesNothing(t *testing.T) {
	b := open(t)
	for _, name := range []string{"shopify-apparel.csv", "shopify-home-and-garden.csv"} {
		first := imported(t, b.csv(t, real(t, name)))
		if first.Created != 20 || first.Updated+first.Unchanged+len(first.Errors) != 0 {
			t.Fatalf("%s: %+v", name, first)
		}
	}
	top := get[Product](t, b, "/v1/admin/products/classic-varsity-top")
	if len(top.Variants) != 3 || top.Variants[0].SKU != "classic-varsity-top-small" || top.Variants[0].Price.Minor != 6000 || top.Variants[0].Stock != 1 || len(top.Images) != 1 {
		t.Fatalf("product %+v", top)
	}
	b.order(t, "o1", "classic-varsity-top-small", 1, "")
	shelf := get[Settings](t, b, "/v1/admin/settings").DefaultShelf
	if len(shelf) != 24 || shelf[0] != "ocean-blue-shirt" || shelf[1] != "classic-varsity-top" {
		t.Fatalf("default shelf of %d: %v", len(shelf), shelf)
	}
	before := get[ProductPage](t, b, "/v1/admin/products?limit=100")
	for _, name := range []string{"shopify-apparel.csv", "shopify-home-and-garden.csv"} {
		again := imported(t, b.csv(t, real(t, name)))
		if again.Unchanged != 20 || again.Created+again.Updated+len(again.Errors) != 0 {
			t.Errorf("%s again: %+v", name, again)
		}
	}
	if after := get[ProductPage](t, b, "/v1/admin/products?limit=100"); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("importing again changed\n%+v to\n%+v", before, after)
	}
	if sold := get[Product](t, b, "/v1/admin/products/classic-varsity-top").Variants[0].Counts; sold != (StockCounts{Reserved: 1, Received: 1}) {
		t.Errorf("importing again restored sold stock: %+v", sold)
	}
}

func TestTwoImportsAtOnce(t *testing.T) {
	b := open(t)
	text := real(t, "shopify-apparel.csv")
	var answers [4]webtest.Answer
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() { answers[i] = b.csv(t, text) })
	}
	group.Wait()
	created := 0
	for _, a := range answers {
		r := imported(t, a)
		created += r.Created
		if r.Created+r.Updated+r.Unchanged != 20 || r.Updated != 0 || len(r.Errors) != 0 {
			t.Errorf("import %+v", r)
		}
	}
	if created != 20 {
		t.Errorf("%d products were new to somebody, of 20", created)
	}
	for _, p := range get[ProductPage](t, b, "/v1/admin/products?limit=100").Items {
		for _, v := range p.Variants {
			if v.Counts != (StockCounts{Available: 1, Received: 1}) {
				t.Errorf("%s was received more than once: %+v", v.SKU, v.Counts)
			}
		}
	}
	shelf := get[Settings](t, b, "/v1/admin/settings").DefaultShelf
	slices.Sort(shelf)
	if len(shelf) != 20 || len(slices.Compact(shelf)) != 20 {
		t.Errorf("default shelf %v", shelf)
	}
}

func TestImportUpdates(t *testing.T) {
	b := open(t)
	imported(t, b.csv(t, file("cup,Cup,Size,S,10,5,,", "cup,,,M,10,5,,", "cup,,,L,10,5,,")))
	want(t, b.send(t, "PATCH", "/v1/admin/products/cup", body{"scene": "早晨"}), http.StatusOK)

	// M or L may have become XL, and nobody can tell which.
	r := imported(t, b.csv(t, file("cup,Cup,Size,S,10,5,,", "cup,,,XL,15,7,,")))
	if r.Unchanged != 1 || len(r.Errors) != 1 || r.Errors[0].Line != 3 || !strings.Contains(r.Errors[0].Message, "cup-xl may be new") {
		t.Fatalf("%+v", r)
	}
	imported(t, b.csv(t, file("cup,Cup,Size,S,10,5,,")))
	r = imported(t, b.csv(t, file("cup,Big cup,Size,S,12.50,99,,", "cup,,,XL,15,7,,")))
	if r.Updated != 1 || r.Created+len(r.Errors) != 0 {
		t.Fatalf("%+v", r)
	}
	p := get[Product](t, b, "/v1/admin/products/cup")
	if p.Title != "Big cup" || p.Scene != "早晨" || len(p.Variants) != 2 || p.Variants[0].Price.Minor != 1250 || p.Variants[0].Stock != 5 || p.Variants[1].Stock != 7 {
		t.Errorf("product %+v", p)
	}
	gone, err := b.store.Sellables(t.Context(), []string{"cup-m"})
	if err != nil || gone["cup-m"].Status != catalogue.Archived || gone["cup-m"].Stock.Available != 5 {
		t.Errorf("a variant that is not in the file any more: %+v, %v", gone, err)
	}

	// The row that is missing may be the bad one: nothing is taken off sale by a file with bad rows.
	broken := file("cup,Big cup,Size,S,12.50,99,,", "cup,,,XL,fifteen,7,,")
	r = imported(t, b.csv(t, broken))
	if len(r.Errors) != 1 || r.Errors[0].Line != 3 || !strings.HasPrefix(r.Errors[0].Message, "Variant Price: ") || r.Unchanged != 1 {
		t.Errorf("%+v", r)
	}
	if p := get[Product](t, b, "/v1/admin/products/cup"); len(p.Variants) != 2 {
		t.Errorf("a bad row took a variant off sale: %+v", p)
	}
}

// TestSameNoticesEverything: whatever an import sets makes a product differ; what only the shop knows does not.
func TestSameNoticesEverything(t *testing.T) {
	cup := func() catalogue.Product {
		return catalogue.Product{ID: "cup", Title: "Cup", Status: catalogue.Active, Tags: []string{"a"}, Options: []string{"Size"},
			Images:   []catalogue.Image{{Src: "https://a.example/1"}},
			Variants: []catalogue.Variant{{ID: "s", SKU: "cup-s", Title: "S", Options: []string{"S"}, Price: money.Of(1, "CNY")}}}
	}
	for name, change := range map[string]func(*catalogue.Product){
		"title":       func(p *catalogue.Product) { p.Title = "x" },
		"body":        func(p *catalogue.Product) { p.Body = "x" },
		"vendor":      func(p *catalogue.Product) { p.Vendor = "x" },
		"type":        func(p *catalogue.Product) { p.Type = "x" },
		"status":      func(p *catalogue.Product) { p.Status = catalogue.Draft },
		"tags":        func(p *catalogue.Product) { p.Tags = nil },
		"options":     func(p *catalogue.Product) { p.Options[0] = "x" },
		"picture":     func(p *catalogue.Product) { p.Images[0].Alt = "x" },
		"variants":    func(p *catalogue.Product) { p.Variants = append(p.Variants, catalogue.Variant{ID: "m", SKU: "cup-m"}) },
		"SKU":         func(p *catalogue.Product) { p.Variants[0].SKU = "x" },
		"variant":     func(p *catalogue.Product) { p.Variants[0].Title = "x" },
		"option":      func(p *catalogue.Product) { p.Variants[0].Options[0] = "x" },
		"price":       func(p *catalogue.Product) { p.Variants[0].Price.Minor = 2 },
		"old price":   func(p *catalogue.Product) { p.Variants[0].CompareAt = money.Of(3, "CNY") },
		"its picture": func(p *catalogue.Product) { p.Variants[0].Image = "x" },
		"grams":       func(p *catalogue.Product) { p.Variants[0].Grams = 1 },
	} {
		changed := cup()
		if change(&changed); len(whatChanged(cup(), changed)) == 0 || len(whatChanged(changed, cup())) == 0 {
			t.Errorf("another %s goes unnoticed", name)
		}
	}
	other := cup()
	other.Version, other.Scene, other.UpdatedAt, other.Tags = 7, "早晨", noon, []string{"a"}
	if len(whatChanged(cup(), other)) > 0 {
		t.Error("what an import does not set makes a product differ")
	}
}

func TestImportReportsRows(t *testing.T) {
	b := open(t)
	b.shelve(t, "tea", 1000, 5)
	r := imported(t, b.csv(t, file("cup,Cup,Size,S,10,5,,", "cup,,,M,10,5,tea,", "pot,Pot,,,10,5,tea,", "pot,,,,,,,", "lid,,,,1,1,,", "jar,Jar,,,-1,1,,", "mug,Mug,,,9.99,1,,draft"),
		"Accept-Language", "zh-CN"))
	var lines []int
	for _, e := range r.Errors {
		lines = append(lines, e.Line)
		if e.Message == "" {
			t.Errorf("line %d has no reason", e.Line)
		}
	}
	if !slices.Equal(lines, []int{6, 7}) || r.Created != 3 || r.Rows != 7 {
		t.Errorf("%+v", r)
	}
	// An SKU that belongs to somebody else is completed, and the same file changes nothing the second time.
	if p := get[Product](t, b, "/v1/admin/products/cup"); len(p.Variants) != 2 || p.Variants[1].SKU != "tea-m" {
		t.Errorf("cup %+v", p)
	}
	if p := get[Product](t, b, "/v1/admin/products/pot"); len(p.Variants) != 1 || p.Variants[0].SKU != "tea-pot" {
		t.Errorf("pot %+v", p)
	}
	if len(r.Warnings) != 2 || r.Warnings[0].Line != 3 || r.Warnings[1].Line != 4 || !strings.Contains(r.Warnings[0].Message, "tea-m") {
		t.Errorf("warnings %+v", r.Warnings)
	}
	var results []string
	for _, p := range r.Products {
		results = append(results, fmt.Sprintf("%d %s %s %d", p.Line, p.Product, p.Result, p.Left))
	}
	if !slices.Equal(results, []string{"2 cup created 0", "4 pot created 0", "6 lid refused 1", "7 jar refused 1", "8 mug created 0"}) {
		t.Errorf("products %q", results)
	}
	again := imported(t, b.csv(t, file("cup,Cup,Size,S,10,5,,", "cup,,,M,10,5,tea,", "pot,Pot,,,10,5,tea,", "pot,,,,,,,")))
	if again.Unchanged != 2 || len(again.Warnings) != 2 || again.Products[0].Result != unchanged {
		t.Errorf("again: %+v", again)
	}
	dearer := imported(t, b.csv(t, file("cup,Big cup,Size,S,12,5,,", "cup,,,M,10,5,tea,")))
	if p := dearer.Products[0]; p.Result != updated || !slices.Equal(p.Changed, []string{"title", "cup-s"}) {
		t.Errorf("changed: %+v", dearer.Products)
	}
	if shelf := get[Settings](t, b, "/v1/admin/settings").DefaultShelf; !slices.Equal(shelf, []string{"tea", "cup", "pot"}) {
		t.Errorf("new products that shoppers can see belong on the shelf, drafts do not: %v", shelf)
	}
}

func TestImportRefusesWhole(t *testing.T) {
	b := open(t)
	var many strings.Builder
	many.WriteString(file())
	for i := range intake.MaxProducts + 1 {
		fmt.Fprintf(&many, "p%d,P,,,1,1,,\n", i)
	}
	for _, tt := range []struct {
		name, file, media string
		status            int
	}{
		{"too many products", many.String(), "text/csv", 413},
		{"too large", file() + strings.Repeat("cup,Cup,,,1,1,,\n", intake.MaxBytes/16+1), "text/csv", 413},
		{"ten megabytes", strings.Repeat("x", 10<<20), "text/csv", 413},
		{"no header", "a,b\n1,2\n", "text/csv", 400},
		{"empty", "", "text/csv", 400},
		{"JSON", "{}", "application/json", 415},
		{"a form", "a=b", "application/x-www-form-urlencoded", 415},
		{"no type", file("cup,Cup,,,1,1,,"), "", 415},
		{"open quotation mark", file("cup,\"Cup" + strings.Repeat("\nx", 500_000)), "text/csv", 400},
	} {
		a := b.send(t, "POST", "/v1/admin/imports", tt.file, "Content-Type", tt.media)
		if a.Status != tt.status {
			t.Errorf("%s: want %d, got %.500s", tt.name, tt.status, a)
		}
	}
	want(t, b.csv(t, file("cup,Cup,,,1,1,,"), "Content-Encoding", "gzip"), 415)
	if page := get[ProductPage](t, b, "/v1/admin/products"); len(page.Items) != 0 {
		t.Errorf("%d products went in", len(page.Items))
	}
	// Exactly the limit goes in; and a long list of bad rows is cut.
	r := imported(t, b.csv(t, strings.TrimSuffix(many.String(), "p1000,P,,,1,1,,\n")))
	if r.Created != intake.MaxProducts {
		t.Errorf("%+v", r)
	}
	r = imported(t, b.csv(t, file()+strings.Repeat(",x,,,,,,\n", maxRowErrors+7)))
	if len(r.Errors) != maxRowErrors || r.Omitted != 7 || r.Rows != maxRowErrors+7 {
		t.Errorf("%d errors, %d omitted", len(r.Errors), r.Omitted)
	}
}

func TestImportWithKey(t *testing.T) {
	b := open(t)
	text := file("cup,Cup,,,1,1,,", "bad,,,,1,1,,")
	first := b.csv(t, text, "Idempotency-Key", "import-key-000001")
	again := b.csv(t, text, "Idempotency-Key", "import-key-000001")
	if imported(t, first).Created != 1 || again.Body != first.Body {
		t.Errorf("first %s, again %s", first, again)
	}
	wantCode(t, b.csv(t, file("pot,Pot,,,1,1,,"), "Idempotency-Key", "import-key-000001"), 422, "idempotency_mismatch")
	want(t, b.send(t, "GET", "/v1/admin/products/pot", nil), 404)
	wantField(t, b.csv(t, text, "Idempotency-Key", "short"), "header.Idempotency-Key")
}

// TestImportInAnotherOrder: rows and products in another order mean the same goods, also where they share an SKU, and rows
// of one product that stand apart are one product.
func TestImportInAnotherOrder(t *testing.T) {
	b := open(t)
	s, m, other := "tee,Tee,Size,S,10,5,X,", "tee,Tee,Size,M,10,5,X,", "top,Top,Size,S,10,5,X,"
	if r := imported(t, b.csv(t, file(s, m, other))); r.Created != 2 || len(r.Errors) != 0 || len(r.Warnings) != 2 {
		t.Fatalf("%+v", r)
	}
	b.order(t, "o1", "X", 2, "")
	for _, rows := range [][]string{{m, s, other}, {other, m, s}, {m, other, s}} {
		if r := imported(t, b.csv(t, file(rows...))); len(r.Errors) != 0 || r.Created != 0 {
			t.Errorf("%q: %+v", rows, r)
		}
		if r := imported(t, b.csv(t, file(rows...))); r.Unchanged != 2 {
			t.Errorf("%q again: %+v", rows, r)
		}
		for _, v := range append(get[Product](t, b, "/v1/admin/products/tee").Variants, get[Product](t, b, "/v1/admin/products/top").Variants...) {
			want := map[string]StockCounts{"X": {Available: 3, Reserved: 2, Received: 5}, "X-m": {Available: 5, Received: 5}, "X-s": {Available: 5, Received: 5}}
			if v.Counts != want[v.SKU] || v.SKU == "X" && v.Title != "S" {
				t.Errorf("%q: %+v", rows, v)
			}
		}
	}
}

// TestImportWhileSelling imports a file again and again while its goods are ordered: nothing is oversold or restored.
func TestImportWhileSelling(t *testing.T) {
	b := open(t)
	text := file("cup,Cup,,,1,20,,")
	imported(t, b.csv(t, text))
	var group sync.WaitGroup
	var answers [4]webtest.Answer
	for i := range answers {
		group.Go(func() {
			answers[i] = b.csv(t, file(fmt.Sprintf("cup,Cup,,,%d,20,,", i+1)), "Content-Type", "text/csv; charset=utf-8")
		})
	}
	for i := range 10 {
		b.order(t, fmt.Sprint("o", i), "cup", 2, "")
	}
	group.Wait()
	for _, a := range answers {
		imported(t, a)
	}
	found, err := b.store.Sellables(context.Background(), []string{"cup"})
	if err != nil || found["cup"].Stock != (catalogue.Stock{Reserved: 20, Received: 20}) {
		t.Errorf("stock %+v, %v", found["cup"].Stock, err)
	}
	settings, err := b.store.Settings(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ordering.Price([]ordering.BasketLine{{SKU: "cup", Quantity: 1}}, found, settings); err == nil {
		t.Error("a sold-out cup has a price")
	}
}
