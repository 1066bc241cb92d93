package intake

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"yundian/shared/catalogue"
	"yundian/shared/money"
)

// fromFile reads a file of testdata as a shop in yuan would.
func fromFile(t *testing.T, name string) []Entry {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, string(text), "CNY")
}

func notes(entries []Entry) (out []string) {
	for _, e := range entries {
		for _, f := range e.Notes {
			out = append(out, fmt.Sprintf("%d: %s", f.Line, f.Code))
		}
	}
	return out
}

func skus(p catalogue.Product) (out []string) {
	for _, v := range p.Variants {
		out = append(out, v.SKU)
	}
	return out
}

func TestAPicturesFaultCostsThePicture(t *testing.T) {
	sofa := fromFile(t, "image-limit-drops-variants.csv")
	rows := sofa[0].Rows
	if len(sofa) != 1 || len(sofa[0].Product.Variants) != rows || len(sofa[0].Product.Images) != catalogue.MaxImages || len(sofa[0].Faults) != rows-catalogue.MaxImages {
		t.Errorf("%d variants and %d pictures of %d rows, %v", len(sofa[0].Product.Variants), len(sofa[0].Product.Images), rows, faults(sofa))
	}
	for i, want := range []string{"https://cdn.example/l%27eau.jpg", "https://cdn.example/a%20b.jpg"} {
		e := fromFile(t, "image-address.csv")[i]
		if len(e.Product.Images) != 1 || e.Product.Images[0].Src != want || !catalogue.ValidImage(want) || e.Faults != nil {
			t.Errorf("%+v, %v; want %s", e.Product.Images, e.Faults, want)
		}
	}
}

func TestAVariantsFaultCostsTheVariant(t *testing.T) {
	pan := fromFile(t, "first-row-variant-fault.csv")
	if len(pan) != 1 || !slices.Equal(skus(pan[0].Product), []string{"PAN-24", "PAN-28"}) || len(pan[0].Product.Images) != 3 || pan[0].Product.Title != "Pan" ||
		!slices.Equal(faults(pan), []string{"2: amount_malformed"}) {
		t.Errorf("%+v, %v", pan, faults(pan))
	}
	tees := fromFile(t, "dup-sku-first-row.csv")
	if len(tees) != 2 || !slices.Equal(skus(tees[0].Product), []string{"SHARED-1"}) || !slices.Equal(skus(tees[1].Product), []string{"SHARED-1-s", "TEEB-M", "TEEB-L"}) ||
		faults(tees) != nil || !slices.Equal(notes(tees), []string{"3: sku_completed"}) || tees[1].Received["SHARED-1-s"] != 1 {
		t.Errorf("%+v, %v, %v", tees, faults(tees), notes(tees))
	}
	// In another request the first owner is known by the shop alone.
	alone := read(t, header+row("Handle=tee-b", "Title=Tee B", "Option1 Name=Size", "Option1 Value=S", "Variant SKU=SHARED-1", "Variant Price=10"), "CNY")[0]
	e := alone.Complete(map[string]string{"SHARED-1": "tee-a"})
	if !slices.Equal(skus(e.Product), []string{"SHARED-1-s"}) || !slices.Equal(notes([]Entry{e}), []string{"2: sku_completed"}) || !slices.Equal(skus(alone.Product), []string{"SHARED-1"}) {
		t.Errorf("%+v", e)
	}
	forms := alone.Alternatives(map[string]string{"SHARED-1": "tee-a"})
	if e := alone.Complete(map[string]string{"SHARED-1": "tee-a", "SHARED-1-s": "tee-c"}); len(forms) != 2 || forms[0] != "SHARED-1-s" || !slices.Equal(skus(e.Product), forms[1:]) {
		t.Errorf("a taken SKU was given: %+v", e)
	}
	if e := alone.Complete(map[string]string{"SHARED-1": "tee-a", forms[0]: "tee-c", forms[1]: "tee-d"}); !slices.Equal(skus(e.Product), []string{"SHARED-1"}) {
		t.Errorf("a taken SKU was given: %+v", e)
	}
	lone := read(t, header+row("Handle=a", "Title=A", "Variant SKU=X", "Variant Price=1")+row("Handle=b", "Title=B", "Variant SKU=X", "Variant Price=1"), "CNY")
	if !slices.Equal(skus(lone[1].Product), []string{"X-b"}) {
		t.Errorf("products of one variant share an SKU: %v", skus(lone[1].Product))
	}
	whole := read(t, header+row("Handle=a", "Title="+strings.Repeat("长", 256), "Variant SKU=X", "Variant Price=1")+row("Handle=b", "Title=B", "Variant SKU=X", "Variant Price=1"), "CNY")
	if !slices.Equal(skus(whole[1].Product), []string{"X"}) {
		t.Errorf("a product that was left out keeps its SKU from others: %v", skus(whole[1].Product))
	}
}

// TestSharedSKUsKeepTheirVariants: rows in another order mean the same variants, whichever of them has the shared SKU.
func TestSharedSKUsKeepTheirVariants(t *testing.T) {
	size := func(value, sku string) string {
		return row("Handle=tee", "Title=Tee", "Option1 Name=Size", "Option1 Value="+value, "Variant SKU="+sku, "Variant Price=1")
	}
	for _, sku := range []string{"X", ""} { // shared by the shop, or generated from two options with the same slug
		s, m, l := size("Café", sku), size("Cafe", sku), size("café ·", sku)
		shop := read(t, header+s+m+l, "CNY")[0]
		if len(shop.Product.Variants) != 3 || shop.Faults != nil || len(shop.Notes) != 2 {
			t.Fatalf("%v, %v, %v", skus(shop.Product), shop.Faults, shop.Notes)
		}
		want := map[string]string{}
		for _, v := range shop.Product.Variants {
			want[v.Title] = v.SKU
		}
		for _, rows := range []string{l + m + s, m + s + l, m + l} {
			again := read(t, header+rows, "CNY")[0].Keep(shop.Product)
			for _, v := range again.Product.Variants {
				if v.SKU != want[v.Title] || again.at[v.SKU] == 0 {
					t.Errorf("%s is %s and was %s", v.Title, v.SKU, want[v.Title])
				}
			}
		}
	}
}

func TestHandlesOfEveryScript(t *testing.T) {
	entries := fromFile(t, "handle-scripts.csv")
	want := []string{"大根-１本", "น้ำหอม", "हिन्दी-किताब", "শাড়ি", "किताब-२", "がらす"}
	for i, e := range entries {
		if e.Product.ID != norm.NFC.String(want[i]) || !catalogue.ValidID(e.Product.ID) || e.Faults != nil {
			t.Errorf("handle %q became %q, %v", want[i], e.Product.ID, e.Faults)
		}
	}
	if len(entries) != len(want) {
		t.Errorf("%d products", len(entries))
	}
	long := strings.Repeat("น้ำหอม-", 20)
	a, b := productID(long+"ก"), productID(long+"ข")
	if a == b || !catalogue.ValidID(a) || !catalogue.ValidID(b) || productID(long+"ก") != a || !strings.HasPrefix(a, "น้ำหอม-") {
		t.Errorf("long handles became %q and %q", a, b)
	}
	titles := fromFile(t, "zwnj-title.csv")
	if p := titles[0].Product; p.Title != "کتاب\u200cها" || p.Body != "می\u200cخواهم" || p.Variants[0].Title != "آبی\u200cتیره" || titles[1].Product.Title != "ශ\u0dca\u200dරී" {
		t.Errorf("spelling was lost: %+q %+q", p.Title, titles[1].Product.Title)
	}
}

func TestSKUsOfOptionsDiffer(t *testing.T) {
	for _, pair := range [][2]string{{"+1.00", "−1.00"}, {"+1.00", "-1.00"}, {"AM3", "AM3+"}, {"C", "C#"}, {"C", "C++"}, {"50%", "50"}, {"½", "12"}, {"<5", ">5"}, {"A*", "A"},
		{"红/白", "红白"}, {"10°", "10"}, {"♀", "♂"}, {"★", "★★"}, {"A$", "A€"}} {
		a, b := SKU("x", pair[:1]), SKU("x", pair[1:])
		if a == b || !catalogue.ValidSKU(a) || !catalogue.ValidSKU(b) {
			t.Errorf("%q and %q became %s and %s", pair[0], pair[1], a, b)
		}
	}
	for value, want := range map[string]string{"AM3+": "x-am3-plus", "C#": "x-c-sharp", "−1.00": "x-minus-1-00", "Extra Large": "x-extra-large", "S/M": "x-s-m"} {
		if got := SKU("x", []string{value}); got != want {
			t.Errorf("%q became %s, want %s", value, got, want)
		}
	}
}

func TestBodiesKeepTheirMeaning(t *testing.T) {
	want := map[string]string{
		"glue-table": "<p>Size | Chest | Length</p><p>S | 36 | 70</p><p>M | 38 | 72</p>",
		"glue-div": "<p>Hand-thrown.</p><p>Dishwasher safe.</p><h2>Care</h2><p>Wipe dry</p><h4>Made in</h4><p>Jingdezhen</p>" +
			"<p>Weight</p><p>300 g</p>",
		"glue-pre": "Line one<br>Line two<br>- a<br>- b",
		"glue-img": "<p>[size chart]</p><p>5<sup>th</sup> generation, H<sub>2</sub>O, <del>was 20</del> now 15, <del>old</del></p>",
	}
	for _, e := range fromFile(t, "body-glued.csv") {
		if e.Product.Body != want[e.Product.ID] {
			t.Errorf("%s is\n%s, want\n%s", e.Product.ID, e.Product.Body, want[e.Product.ID])
		}
	}
}

func TestFilesAsProgramsSaveThem(t *testing.T) {
	for name, file := range map[string]string{
		"carriage returns": "Handle,Title,Variant Price\rcup,Cup,1\rtea,\"Tea\rgreen\",2\r",
		"line feeds":       "Handle,Title,Variant Price\ncup,Cup,1\ntea,\"Tea\ngreen\",2\n",
		"both":             "Handle,Title,Variant Price\r\ncup,Cup,1\r\ntea,\"Tea\r\ngreen\",2\r\n",
	} {
		entries := read(t, file, "CNY")
		if len(entries) != 2 || entries[1].Product.Title != "Tea green" || entries[1].Product.Variants[0].Price.Minor != 200 {
			t.Errorf("%s: %+v", name, entries)
		}
	}
	for cell, want := range map[string]catalogue.Status{"WAHR": catalogue.Active, "FALSCH": catalogue.Draft, "VRAI": catalogue.Active, "FAUX": catalogue.Draft,
		"VERDADERO": catalogue.Active, "FALSO": catalogue.Draft, "ИСТИНА": catalogue.Active, "ЛОЖЬ": catalogue.Draft, "YANLIŞ": catalogue.Draft,
		"DOĞRU": catalogue.Active, "ONWAAR": catalogue.Draft, "FAŁSZ": catalogue.Draft, "否": catalogue.Draft,
		"TÕENE": catalogue.Active, "ＦＡＬＳＥ": catalogue.Draft} {
		e := read(t, header+row("Handle=cup", "Title=Cup", "Variant Price=1", "Published="+cell), "CNY")[0]
		if e.Product.Status != want || e.Faults != nil {
			t.Errorf("Published %s is %q, %v", cell, e.Product.Status, e.Faults)
		}
	}
}

func TestAmountsOfACurrency(t *testing.T) {
	for _, c := range []struct {
		cell     string
		currency money.Currency
		minor    int64
		says     string
	}{
		{"1200", "JPY", 1200, ""}, {"1200.00", "JPY", 1200, ""}, {"10.000", "CNY", 1000, ""}, {"10.5", "CNY", 1050, ""}, {"0.00", "CNY", 0, ""},
		{"12.5", "JPY", 0, "such as 1230"}, {"12.345", "CNY", 0, "at most 2 decimals, such as 12.30"}, {"1,299.00", "CNY", 0, "plain digits"},
		{"12.", "CNY", 0, "plain digits"}, {"12.3456", "KWD", 0, "such as 1.230"}, {"1000", "JPY", 1000, ""}, {"100.", "JPY", 0, "plain digits"},
	} {
		got := read(t, header+row("Handle=cup", "Title=Cup", "Variant Price="+c.cell), c.currency)[0]
		switch {
		case c.says == "" && (len(got.Product.Variants) != 1 || got.Product.Variants[0].Price.Minor != c.minor):
			t.Errorf("%s %s: %+v, %v", c.cell, c.currency, got.Product, got.Faults)
		case c.says != "" && (len(got.Faults) == 0 || !strings.Contains(got.Faults[0].Text, c.says)):
			t.Errorf("%s %s: %v", c.cell, c.currency, got.Faults)
		}
	}
}
