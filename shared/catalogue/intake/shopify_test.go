package intake

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/money"
)

// read collects a file's entries.
func read(t testing.TB, file string, c money.Currency) []Entry {
	t.Helper()
	entries, err := collect(strings.NewReader(file), c)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return entries
}

func collect(r io.Reader, c money.Currency) ([]Entry, error) {
	var all []Entry
	for e, err := range Shopify(r, c) {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

// faults are "line: code" of every fault, in order.
func faults(entries []Entry) []string {
	var out []string
	for _, e := range entries {
		for _, f := range e.Faults {
			out = append(out, fmt.Sprintf("%d: %s", f.Line, f.Code))
		}
	}
	return out
}

func TestRealFiles(t *testing.T) {
	tests := []struct {
		file                             string
		products, variants, images, rows int
		prices, pieces                   int64
	}{
		{"shopify-apparel.csv", 20, 22, 20, 22, 129_500, 22},
		{"shopify-home-and-garden.csv", 20, 21, 21, 21, 234_584, 65},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + tt.file)
			if err != nil {
				t.Fatal(err)
			}
			got := tt
			got.products, got.variants, got.images, got.rows, got.prices, got.pieces = 0, 0, 0, 0, 0, 0
			entries := read(t, string(text), "USD")
			for _, e := range entries {
				got.products++
				got.variants += len(e.Product.Variants)
				got.images += len(e.Product.Images)
				got.rows += e.Rows
				for _, v := range e.Product.Variants {
					got.prices += v.Price.Minor
					got.pieces += e.Received[v.SKU]
				}
				if err := e.Product.Validate("USD"); err != nil {
					t.Errorf("%s: %v", e.Product.ID, err)
				}
				if e.Product.Status != catalogue.Active {
					t.Errorf("%s is %s", e.Product.ID, e.Product.Status)
				}
			}
			if got != tt {
				t.Errorf("got  %+v\nwant %+v", got, tt)
			}
			if f := faults(entries); f != nil {
				t.Errorf("faults: %v", f)
			}
		})
	}
}

func TestProductOverSeveralRows(t *testing.T) {
	text, err := os.ReadFile("testdata/shopify-apparel.csv")
	if err != nil {
		t.Fatal(err)
	}
	e := read(t, string(text), "USD")[1]
	p := e.Product
	if p.ID != "classic-varsity-top" || p.Title != "Classic Varsity Top" || p.Vendor != "partners-demo" || !slices.Equal(p.Tags, []string{"women"}) ||
		!slices.Equal(p.Options, []string{"Size"}) || len(p.Images) != 1 || e.Rows != 3 {
		t.Fatalf("product = %+v", p)
	}
	for i, want := range []struct{ sku, title string }{
		{"classic-varsity-top-small", "Small"}, {"classic-varsity-top-medium", "Medium"}, {"classic-varsity-top-large", "Large"}} {
		v := p.Variants[i]
		if v.SKU != want.sku || v.Title != want.title || v.Price != money.Of(6000, "USD") || e.Received[v.SKU] != 1 {
			t.Errorf("variant %d = %+v, received %d", i, v, e.Received[v.SKU])
		}
	}
	lone := read(t, string(text), "USD")[0].Product
	if v := lone.Variants[0]; v.SKU != "ocean-blue-shirt" || v.Title != "" || v.Options != nil || lone.Options != nil {
		t.Errorf("\"Default Title\" adds nothing, got %+v, %v", v, lone.Options)
	}
}

const header = "Handle,Title,Body (HTML),Tags,Published,Status,Option1 Name,Option1 Value,Option2 Name,Option2 Value," +
	"Variant SKU,Variant Inventory Qty,Variant Price,Variant Compare At Price,Image Src,Image Position,Variant Grams,Variant Image,Gift Card\n"

// row writes one row under header; cells are name=value.
func row(cells ...string) string {
	names := strings.Split(strings.TrimSpace(header), ",")
	out := make([]string, len(names))
	for _, c := range cells {
		name, value, _ := strings.Cut(c, "=")
		i := slices.Index(names, name)
		if i < 0 {
			panic("no column " + name)
		}
		out[i] = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
	}
	return strings.Join(out, ",") + "\n"
}

func TestBadRowsAreNamedAndGoodOnesGoIn(t *testing.T) {
	tea := row("Handle=tea", "Title=Tea", "Variant Price=10")
	tests := []struct {
		name, rows string
		products   []string // ids that can be used, with their number of variants
		faults     []string
	}{
		{"negative price", tea + row("Handle=cup", "Title=Cup", "Variant Price=-5"), []string{"tea/1"}, []string{"3: amount_malformed"}},
		{"exponent", row("Handle=cup", "Title=Cup", "Variant Price=1e3") + tea, []string{"tea/1"}, []string{"2: amount_malformed"}},
		{"too many decimals", row("Handle=cup", "Title=Cup", "Variant Price=1.999"), nil, []string{"2: amount_malformed"}},
		{"grouping", row("Handle=cup", "Title=Cup", "Variant Price=1,000"), nil, []string{"2: amount_malformed"}},
		{"no price", row("Handle=cup", "Title=Cup"), nil, []string{"2: field_required"}},
		{"price beyond the limit", row("Handle=cup", "Title=Cup", "Variant Price=99999999"), nil, []string{"2: out_of_range"}},
		{"no title", row("Handle=cup", "Variant Price=1") + row("Handle=cup", "Option1 Value=L", "Variant Price=1") + tea, []string{"tea/1"},
			[]string{"2: field_required", "3: row_of_skipped_product"}},
		{"no handle", row("Title=Cup", "Variant Price=1") + tea, []string{"tea/1"}, []string{"2: field_required"}},
		{"handle of marks only", row("Handle=///", "Title=Cup", "Variant Price=1"), []string{Slug("///") + "/1"}, nil},
		{"handle too long", row("Handle="+strings.Repeat("长", 41), "Title=Cup", "Variant Price=1"), []string{strings.Repeat("长", 37) + "-e1b132b2/1"}, nil},
		{"one bad variant", row("Handle=cup", "Title=Cup", "Option1 Name=Size", "Option1 Value=S", "Variant Price=1") +
			row("Handle=cup", "Option1 Value=M", "Variant Price=x") + row("Handle=cup", "Option1 Value=L", "Variant Price=3"),
			[]string{"cup/2"}, []string{"3: amount_malformed"}},
		{"variant without a value", row("Handle=cup", "Title=Cup", "Option1 Name=Size", "Option1 Value=S", "Variant Price=1") +
			row("Handle=cup", "Variant Price=3"), []string{"cup/1"}, []string{"3: field_required"}},
		{"options twice", row("Handle=cup", "Title=Cup", "Option1 Name=Size", "Option1 Value=S", "Variant SKU=a", "Variant Price=1") +
			row("Handle=cup", "Option1 Value=S", "Variant SKU=b", "Variant Price=3"), []string{"cup/1"}, []string{"3: variant_twice"}},
		{"slugs collide", row("Handle=cup", "Title=Cup", "Option1 Name=Size", "Option1 Value=5", "Variant Price=1") +
			row("Handle=cup", "Option1 Value=5+", "Variant Price=3"), []string{"cup/2"}, nil},
		{"SKU of another product", row("Handle=tea", "Title=Tea", "Variant Price=1") + row("Handle=cup", "Title=Cup", "Variant SKU=tea", "Variant Price=1"),
			[]string{"tea/1", "cup/1"}, nil},
		{"a SKU with marks", row("Handle=cup", "Title=Cup", "Variant SKU=a,b  #1|*2", "Variant Price=1"), []string{"cup/1"}, nil},
		{"unusable SKU", row("Handle=cup", "Title=Cup", "Variant SKU=a\nb", "Variant Price=1"), nil, []string{"2: sku_form"}},
		{"endless SKU", row("Handle=cup", "Title=Cup", "Variant SKU="+strings.Repeat("a", 81), "Variant Price=1"), nil, []string{"2: sku_form"}},
		{"a gift card", row("Handle=card", "Title=Card", "Variant Price=1", "Gift Card=true") + row("Handle=card", "Option1 Value=20", "Variant Price=20") + tea, []string{"tea/1"},
			[]string{"2: gift_card", "3: row_of_skipped_product"}},
		{"first variant", row("Handle=pan", "Title=Pan", "Option1 Name=Size", "Option1 Value=20", "Variant Price=1,299.00", "Image Src=https://a.example/1") +
			row("Handle=pan", "Option1 Value=24", "Variant Price=300"), []string{"pan/1"}, []string{"2: amount_malformed"}},
		{"a variant and its picture", row("Handle=pan", "Title=Pan", "Option1 Name=Size", "Option1 Value=20", "Variant Price=x", "Image Src=ftp://a.example/1") +
			row("Handle=pan", "Option1 Value=24", "Variant Price=300"), []string{"pan/1"}, []string{"2: amount_malformed", "2: image_form"}},
		{"a variant's own picture", row("Handle=pan", "Title=Pan", "Variant Price=1", "Variant Image=javascript:x"), []string{"pan/1"}, []string{"2: image_form"}},
		{"rows apart", row("Handle=cup", "Title=Cup", "Option1 Name=Size", "Option1 Value=S", "Variant Price=1") + tea +
			row("Handle=Cup", "Option1 Value=M", "Variant Price=2") + row("Handle=cup", "Image Src=https://a.example/1.jpg"),
			[]string{"cup/2", "tea/1"}, nil},
		{"one address", row("Handle=a?b", "Title=Cup", "Variant Price=1") + row("Handle=a!b", "Title=Pot", "Variant Price=1") + row("Handle=a!b", "Image Src=https://a.example/1.jpg"),
			[]string{"a-b/1"}, []string{"3: handle_again", "4: row_of_skipped_product"}},
		{"a picture first", row("Handle=cup", "Title=Cup", "Option1 Name=Size", "Image Src=https://a.example/1.jpg") +
			row("Handle=cup", "Option1 Value=S", "Variant Price=1") + row("Handle=cup", "Option1 Value=M", "Variant Price=1"), []string{"cup/2"}, nil},
		{"pictures only", row("Handle=cup", "Title=Cup", "Image Src=https://a.example/1.jpg"), nil, []string{"2: field_required"}},
		{"second option only", row("Handle=cup", "Title=Cup", "Option2 Name=Colour", "Option2 Value=red", "Variant Price=1") +
			row("Handle=cup", "Option2 Value=blue", "Variant Price=1"), []string{"cup/2"}, nil},
		{"an address in capitals", row("Handle=cup", "Title=Cup", "Variant Price=1", "Image Src=HTTPS://a.example/1.jpg"), []string{"cup/1"}, nil},
		{"pieces in decimals", row("Handle=cup", "Title=Cup", "Variant Price=1", "Variant Inventory Qty=5.0"), []string{"cup/1"}, nil},
		{"half a piece", row("Handle=cup", "Title=Cup", "Variant Price=1", "Variant Inventory Qty=5.5"), nil, []string{"2: quantity_malformed"}},
		{"an SKU as copied", row("Handle=cup", "Title=Cup", "Variant Price=1", "Variant SKU=\ufeffa\u200b1"), []string{"cup/1"}, nil},
		{"published who knows", row("Handle=cup", "Title=Cup", "Variant Price=1", "Published=perhaps"), nil, []string{"2: published_unknown"}},
		{"pieces are no number", row("Handle=cup", "Title=Cup", "Variant Price=1", "Variant Inventory Qty=many"), nil, []string{"2: quantity_malformed"}},
		{"pieces beyond the limit", row("Handle=cup", "Title=Cup", "Variant Price=1", "Variant Inventory Qty=9223372036854775807"), nil, []string{"2: quantity_malformed"}},
		{"unknown status", row("Handle=cup", "Title=Cup", "Variant Price=1", "Status=gone"), nil, []string{"2: status_unknown"}},
		{"script as picture", row("Handle=cup", "Title=Cup", "Variant Price=1", "Image Src=javascript:alert(1)"), []string{"cup/1"}, []string{"2: image_form"}},
		{"picture of a later row", row("Handle=cup", "Title=Cup", "Option1 Name=Size", "Option1 Value=S", "Variant Price=1") +
			row("Handle=cup", "Option1 Value=M", "Variant Price=1", "Image Src=data:image/png;base64,AA") + row("Handle=cup", "Option1 Value=M", "Variant Price=1"),
			[]string{"cup/2"}, []string{"3: image_form", "4: variant_twice"}},
		{"a lone quotation mark", "cup,\"Cup\" of tea,,,,,,,,,,,1\n" + tea, []string{"tea/1"}, []string{"2: csv_quote"}},
		{"an open quotation mark at the end", tea + "cup,\"Cup,,,,,,,,,,,1\n", []string{"tea/1"}, []string{"3: csv_quote"}},
		{"a stray comma", "cup,Cup,Nice, and warm,,true,,,,,,,,1,,,,,,\"5\"\n" + tea, []string{"tea/1"}, []string{"2: csv_cells"}},
		{"not UTF-8", "cup,\xb1\xad,,,,,,,,,,,1\n" + tea, []string{"tea/1"}, []string{"2: csv_encoding"}},
		{"rows of commas", ",,,,\n" + tea + "\n\n,,,\n", []string{"tea/1"}, nil},
		{"weight", row("Handle=cup", "Title=Cup", "Variant Price=1", "Variant Grams=-1"), nil, []string{"2: out_of_range"}},
		{"endless title", row("Handle=cup", "Title="+strings.Repeat("a", 256), "Variant Price=1"), nil, []string{"2: text_length"}},
		{"endless body", row("Handle=cup", "Title=Cup", "Body (HTML)="+strings.Repeat("a", catalogue.MaxBody+1), "Variant Price=1"), []string{"cup/1"}, nil},
		{"an endless tag", row("Handle=cup", "Title=Cup", "Tags=a,"+strings.Repeat("b", 101), "Variant Price=1"), []string{"cup/1"}, nil},
		{"51 tags", row("Handle=cup", "Title=Cup", "Tags="+numbers(51), "Variant Price=1"), []string{"cup/1"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			entries := read(t, header+tt.rows, "CNY")
			var products []string
			for _, e := range entries {
				if e.Product.ID != "" {
					products = append(products, fmt.Sprintf("%s/%d", e.Product.ID, len(e.Product.Variants)))
				}
				if len(e.Received) != len(e.Product.Variants) {
					t.Errorf("%s: receipts %v of %d variants", e.Product.ID, e.Received, len(e.Product.Variants))
				}
			}
			if !slices.Equal(products, tt.products) || !slices.Equal(faults(entries), tt.faults) {
				t.Errorf("got  %v %v\nwant %v %v", products, faults(entries), tt.products, tt.faults)
			}
		})
	}
}

func numbers(n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprint(i))
	}
	return strings.Join(out, ",")
}

func TestCells(t *testing.T) {
	one := func(cells ...string) Entry {
		t.Helper()
		entries := read(t, header+row(append([]string{"Handle=cup", "Title=Cup", "Variant Price=10"}, cells...)...), "CNY")
		if len(entries) != 1 || entries[0].Product.ID == "" {
			t.Fatalf("%v: %v", cells, faults(entries))
		}
		return entries[0]
	}
	for _, tt := range []struct {
		cell string
		want catalogue.Status
	}{{"Status=Draft", catalogue.Draft}, {"Status=archived", catalogue.Archived}, {"Published=FALSE", catalogue.Draft}, {"Published=true", catalogue.Active}, {"Status=active", catalogue.Active}} {
		if got := one(tt.cell).Product.Status; got != tt.want {
			t.Errorf("%s is %s, want %s", tt.cell, got, tt.want)
		}
	}
	if got := one("Variant Inventory Qty=-3").Received["cup"]; got != 0 {
		t.Errorf("an oversold variant was received %d times", got)
	}
	if v := one("Variant Compare At Price=12.50", "Variant Grams=453.6").Product.Variants[0]; v.CompareAt != money.Of(1250, "CNY") || v.Grams != 454 {
		t.Errorf("variant = %+v", v)
	}
	if v := one("Variant Compare At Price=10").Product.Variants[0]; !v.CompareAt.IsZero() || v.CompareAt.Currency != "" {
		t.Errorf("no reduction became %v", v.CompareAt)
	}
	if got := one("Image Src=http://cdn.example/a.jpg").Product.Images[0].Src; got != "https://cdn.example/a.jpg" {
		t.Errorf("picture at %s", got)
	}
	if got := one("Title==HYPERLINK(\"http://evil\")\u202e\x07 x").Product.Title; got != "=HYPERLINK(\"http://evil\") x" {
		t.Errorf("title %q", got) // text stays text; exports neutralise it
	}
	if got := one("Handle=Größe & Co!").Product.ID; got != "grosse-and-co" {
		t.Errorf("id %q", got)
	}
	if got := one("Handle=龙井茶").Product.ID; got != "龙井茶" {
		t.Errorf("id %q", got)
	}
}

func TestPicturesInOrder(t *testing.T) {
	file := header + row("Handle=cup", "Title=Cup", "Variant Price=1", "Image Src=https://a.example/3", "Image Position=3") +
		row("Handle=cup", "Image Src=https://a.example/1", "Image Position=1") +
		row("Handle=cup", "Image Src=https://a.example/after-1") +
		row("Handle=cup", "Image Src=https://a.example/1", "Image Position=9")
	var got []string
	for _, i := range read(t, file, "CNY")[0].Product.Images {
		got = append(got, strings.TrimPrefix(i.Src, "https://a.example/"))
	}
	if want := []string{"1", "after-1", "3"}; !slices.Equal(got, want) {
		t.Errorf("pictures %v, want %v", got, want)
	}
}

func TestSKUs(t *testing.T) {
	for _, tt := range []struct {
		product string
		options []string
		want    string
	}{
		{"classic-varsity-top", []string{"Small"}, "classic-varsity-top-small"},
		{"shirt", []string{"Extra Large", "Bleu Foncé"}, "shirt-extra-large-bleu-fonce"},
		{"shirt", nil, "shirt"},
		{"shirt", []string{"Default Title"}, "shirt"},
		{"tea", []string{"红"}, "tea-红"},
		{"tea", []string{"洪"}, "tea-洪"},
		{"tea", []string{"250 克 / 袋"}, "tea-250-克-袋"},
	} {
		if got := SKU(tt.product, tt.options); got != tt.want || !catalogue.ValidSKU(got) {
			t.Errorf("SKU(%s, %v) = %s, want %s", tt.product, tt.options, got, tt.want)
		}
	}
	if a, b := SKU("x", []string{"★"}), SKU("x", []string{"☆☆"}); a == b || !catalogue.ValidSKU(a) {
		t.Errorf("marks became %s and %s", a, b)
	}
	long := strings.Repeat("长", 40)
	if a, b := SKU(long, []string{"A"}), SKU(long, []string{"B"}); a == b || !catalogue.ValidSKU(a) || !catalogue.ValidSKU(b) {
		t.Errorf("long names became %s and %s", a, b)
	}
}

func TestHeaders(t *testing.T) {
	tests := []struct{ name, file, code string }{
		{"empty", "", "csv_columns_missing"},
		{"only a mark", "\ufeff", "csv_columns_missing"},
		{"no handle", "Title,Variant Price\n", "csv_columns_missing"},
		{"no price", "Handle,Title\n", "csv_columns_missing"},
		{"semicolons", "Handle;Title;Variant Price\n", "csv_columns_missing"},
		{"twice", "Handle,Title,Title,Variant Price\n", "csv_column_twice"},
		{"JSON", `{"handle":"x"}`, "csv_columns_missing"},
		{"UTF-16", "\xff\xfeH\x00a\x00", "csv_columns_missing"},
		{"endless", strings.Repeat("x", MaxRow+10_000), "csv_row_too_large"},
		{"many", "Handle,Title,Variant Price" + strings.Repeat(",", MaxColumns), "csv_columns_many"},
	}
	for _, tt := range tests {
		entries, err := collect(strings.NewReader(tt.file), "CNY")
		if len(entries) != 0 || !fail.Is(err, tt.code) || fail.KindOf(err) != fail.Invalid {
			t.Errorf("%s: %v, %d entries; want %s", tt.name, err, len(entries), tt.code)
		}
	}
	good := []string{
		"\ufeffHandle,Title,Variant Price\r\ncup,Cup,1\r\n",
		"\ufeff\"Handle\",\"Title\",\"Variant Price\"\ncup,Cup,1",
		" variant price , TITLE,Nonsense,handle\n1,Cup,x,cup\n",
		"Title,URL handle,Description,SKU,Price,Inventory quantity\nCup,cup,<p>x</p>,,1,4\n",
	}
	for _, file := range good {
		entries := read(t, file, "CNY")
		if len(entries) != 1 || entries[0].Product.ID != "cup" || entries[0].Product.Variants[0].Price.Minor != 100 {
			t.Errorf("%q: %+v", file, entries)
		}
	}
}

func TestLimits(t *testing.T) {
	var b strings.Builder
	b.WriteString(header)
	for i := range MaxProducts + 1 {
		b.WriteString(row(fmt.Sprintf("Handle=p-%d", i), "Title=P", "Variant Price=1"))
	}
	entries, err := collect(strings.NewReader(b.String()), "CNY")
	if len(entries) != 0 || !fail.Is(err, "csv_products_many") {
		t.Errorf("%d products, %v", len(entries), err)
	}
	// A missing quotation mark draws at most one row's worth of a huge file into memory.
	endless := &counted{r: io.MultiReader(strings.NewReader(header+"cup,\""), strings.NewReader(strings.Repeat("x\n", 5<<20)))}
	if _, err := collect(endless, "CNY"); !fail.Is(err, "csv_row_too_large") || endless.n > MaxRow+64<<10 {
		t.Errorf("read %d bytes, %v", endless.n, err)
	}
	file := header + row("Handle=cup", "Title=Cup", "Option1 Name=No", "Option1 Value=0", "Variant Price=1")
	for i := range catalogue.MaxVariants + 1 {
		file += row("Handle=cup", fmt.Sprintf("Option1 Value=%d", i+1), "Variant Price=1")
	}
	if e := read(t, file, "CNY")[0]; len(e.Product.Variants) != catalogue.MaxVariants || !slices.Equal(faults([]Entry{e}), []string{"252: too_many", "253: too_many"}) {
		t.Errorf("%d variants, %v", len(e.Product.Variants), faults([]Entry{e}))
	}
	// Each row is small enough, all of them together are not: nothing of the product is used.
	file = header + row("Handle=cup", "Title=Cup", "Option1 Name=No", "Option1 Value=0", "Variant Price=1")
	for i := range 98 {
		file += row("Handle=cup", fmt.Sprintf("Option1 Value=%s%d", strings.Repeat("长", 250), i), fmt.Sprintf("Variant SKU=%d", i), "Variant Price=1", "Variant Image=https://a.example/"+strings.Repeat("x", 980),
			"Image Src=https://a.example/"+strings.Repeat("x", 900)+fmt.Sprint(i%45))
	}
	if e := read(t, file, "CNY")[0]; e.Product.ID != "" || len(e.Faults) != 99 || e.Faults[0].Code != "product_too_large" {
		t.Errorf("too large a product: %s, %d faults", e.Product.ID, len(e.Faults))
	}
}

type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func TestRefuse(t *testing.T) {
	file := header + row("Handle=cup", "Title=Cup", "Option1 Name=Size", "Option1 Value=S", "Variant Price=1") +
		row("Handle=cup", "Option1 Value=M", "Variant Price=1") + row("Handle=cup", "Image Src=https://a.example/1")
	e := read(t, file, "CNY")[0]
	taken := func(skus ...string) map[string]fail.Field {
		out := map[string]fail.Field{}
		for _, s := range skus {
			out[s] = fail.At("", "sku_taken", "taken", nil)
		}
		return out
	}
	if got := e.Refuse(taken("cup-m")); len(got.Product.Variants) != 1 || !slices.Equal(faults([]Entry{got}), []string{"3: sku_taken"}) {
		t.Errorf("without M: %+v", got)
	}
	if got := e.Refuse(taken("cup-s")); len(got.Product.Variants) != 1 || !slices.Equal(faults([]Entry{got}), []string{"2: sku_taken"}) {
		t.Errorf("without S: %v", faults([]Entry{got}))
	}
	if got := e.Refuse(taken("cup-s", "cup-m")); got.Product.ID != "" || !slices.Equal(faults([]Entry{got}), []string{"2: sku_taken", "3: sku_taken", "4: row_of_skipped_product"}) {
		t.Errorf("without both: %v", faults([]Entry{got}))
	}
	if len(e.Product.Variants) != 2 || len(e.Faults) != 0 {
		t.Errorf("the entry itself changed: %+v", e)
	}
}

// TestWhateverComes: no input crashes the reader, every row is either used or reported once, and every product that
// comes out keeps the rules.
func TestWhateverComes(t *testing.T) {
	cell := rapid.OneOf(rapid.SampledFrom([]string{"", "cup", "Cup", "1", "-1", "1e3", "9.99", "a\"b", "\"", "\"\"", "x\ny", "https://a.example/1.jpg", "javascript:x",
		"true", "Default Title", "红", "\xff", "=1+1", "\ufeff", "\u202e", "<script>x</script>", ",", "\r\n"}), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		b.WriteString(header)
		for range rapid.IntRange(0, 12).Draw(t, "rows") {
			for i := range rapid.IntRange(1, 20).Draw(t, "cells") {
				if i > 0 {
					b.WriteByte(',')
				}
				value := cell.Draw(t, "cell")
				if rapid.Bool().Draw(t, "quoted") {
					value = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
				}
				b.WriteString(value)
			}
			b.WriteByte('\n')
		}
		entries, err := collect(strings.NewReader(b.String()), "CNY")
		if err != nil {
			t.Fatalf("a small file is never wrong as a whole: %v", err)
		}
		for _, e := range entries {
			reported := map[int]int{}
			for _, f := range e.Faults {
				reported[f.Line]++
			}
			for line, n := range reported {
				if n > 3 { // a variant, its picture and the product's
					t.Fatalf("%d faults in line %d: %v", n, line, e.Faults)
				}
			}
			if e.Product.ID == "" && len(reported) != e.Rows {
				t.Fatalf("%d of %d rows of a skipped product are reported", len(reported), e.Rows)
			}
			if e.Product.ID != "" {
				if err := e.Product.Validate("CNY"); err != nil {
					t.Fatalf("unusable product %+v: %v", e.Product, err)
				}
			}
		}
		again, _ := collect(strings.NewReader(b.String()), "CNY")
		if fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", entries) {
			t.Fatal("the same file gave something else")
		}
	})
}
