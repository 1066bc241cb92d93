package main

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/ordering"
)

// tees are files of one product whose rows are option, SKU and pieces.
func tees(names string, rows ...string) string {
	out := "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Inventory Qty,Variant Price\n"
	for i, r := range rows {
		title, option := "", strings.SplitN(names+",", ",", 3)
		if i == 0 {
			title = "Tee"
		} else {
			option[0], option[1] = "", ""
		}
		f := strings.Split(r, ",")
		value := strings.SplitN(f[0]+"/", "/", 3)
		out += strings.Join([]string{"tee", title, option[0], value[0], option[1], value[1], f[1], f[2], "10"}, ",") + "\n"
	}
	return out
}

// Whatever a file calls a variant, importing it never restores what was sold. The first file has ten pieces of each variant,
// of which eight of the first are sold before the second file comes.
func TestImportingAgainNeverRestoresSoldStock(t *testing.T) {
	one, two := []string{"Small,,10"}, []string{"Small,T1,10", "Large,T2,10"}
	for name, tt := range map[string]struct {
		first, second []string
		names         [2]string
		sku           string // of the eight
		left          map[string]int64
		errors        int
	}{
		"SKU filled in":              {one, []string{"Small,TEE-S,10"}, [2]string{}, "tee-small", map[string]int64{"TEE-S": 2}, 0},
		"SKU in another letter case": {[]string{"Small,Tee-s,10"}, []string{"Small,TEE-S,10"}, [2]string{}, "tee-S", map[string]int64{"TEE-S": 2}, 0},
		"SKU in full width":          {[]string{"Small,Tee-s,10"}, []string{"Small,ＴＥＥ-S,10"}, [2]string{}, "tee-s", map[string]int64{"ＴＥＥ-S": 2}, 0},
		"SKU left out":               {[]string{"Small,TEE-S,10"}, one, [2]string{}, "TEE-S", map[string]int64{"tee-small": 2}, 0},
		"another SKU":                {[]string{"Small,TEE-S,10"}, []string{"Small,4006381333931,10"}, [2]string{}, "TEE-S", map[string]int64{"4006381333931": 2}, 0},
		"option value renamed":       {one, []string{"S,,10"}, [2]string{}, "tee-small", map[string]int64{"tee-s": 2}, 0},
		"option value in capitals":   {one, []string{"SMALL,X,10"}, [2]string{}, "tee-small", map[string]int64{"X": 2}, 0},
		"option name renamed":        {two, []string{"Small,,10", "Large,,10"}, [2]string{"Size", "Größe"}, "T1", map[string]int64{"tee-small": 2, "tee-large": 10}, 0},
		"options change places":      {[]string{"S/Red,T1,10", "Red/S,T2,10"}, []string{"Red/S,,10", "S/Red,,10"}, [2]string{"Size,Colour", "Colour,Size"}, "T1", map[string]int64{"tee-red-s": 2, "tee-s-red": 10}, 0},
		"options change with SKUs":   {two, []string{"S,T1,10", "L,T2,10"}, [2]string{}, "T1", map[string]int64{"T1": 2, "T2": 10}, 0},
		"the only one left":          {two, []string{"Tiny,NEW,10", "Large,T2,10"}, [2]string{}, "T1", map[string]int64{"NEW": 2, "T2": 10}, 0},
		"SKUs change places":         {two, []string{"Small,T2,10", "Large,T1,10"}, [2]string{}, "T1", map[string]int64{"T1": 2, "T2": 10}, 0},
		"a new one takes the SKU":    {one, []string{"Small,A,10", "Large,tee-small,7"}, [2]string{}, "tee-small", map[string]int64{"tee-small": 2, "A": 10}, 0},
		"one more":                   {one, []string{"Small,A,10", "Large,B,7"}, [2]string{}, "tee-small", map[string]int64{"A": 2, "B": 7}, 0},
		"nobody can tell":            {two, []string{"S,A,10", "L,B,10"}, [2]string{}, "T1", map[string]int64{"T1": 2, "T2": 10}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			names := func(i int) string {
				if tt.names[i] == "" {
					return "Size"
				}
				return tt.names[i]
			}
			imported(t, b.csv(t, tees(names(0), tt.first...)))
			b.order(t, "o1", tt.sku, 8, "")
			for range 2 {
				if r := imported(t, b.csv(t, tees(names(1), tt.second...))); len(r.Errors) != tt.errors {
					t.Errorf("%+v", r)
				}
			}
			p := get[Product](t, b, "/v1/admin/products/tee")
			if len(p.Variants) != len(tt.left) {
				t.Errorf("variants %+v", p.Variants)
			}
			for _, v := range p.Variants {
				if left, ok := tt.left[v.SKU]; !ok || v.Stock != left {
					t.Errorf("%s has %d left, want %v", v.SKU, v.Stock, tt.left)
				}
			}
			if _, err := b.store.UpdateOrder(t.Context(), "o1", func(o *ordering.Order) error { return o.Cancel("no", b.now()) }); err != nil && !fail.Is(err, "order_status_cancel") {
				t.Error(err)
			}
			for _, v := range get[Product](t, b, "/v1/admin/products/tee").Variants {
				if left := tt.left[v.SKU]; left == 2 && v.Stock != 10 || left != 2 && v.Stock != left {
					t.Errorf("after the order was cancelled %s has %d", v.SKU, v.Stock)
				}
			}
		})
	}
}

func TestRestockFiles(t *testing.T) {
	b := open(t)
	read := func(name string) string {
		text, err := os.ReadFile("../../shared/catalogue/intake/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	imported(t, b.csv(t, read("restock-1.csv")))
	b.order(t, "o1", "tee-small", 8, "")
	if r := imported(t, b.csv(t, read("restock-2.csv"))); r.Updated != 1 || len(r.Errors) > 0 {
		t.Errorf("%+v", r)
	}
	if v := get[Product](t, b, "/v1/admin/products/tee").Variants; len(v) != 1 || v[0].SKU != "TEE-S" || v[0].Stock != 2 {
		t.Errorf("10, sold 8, again: %+v", v)
	}
}

// A variant that is taken off and put on again, by whatever name, has the stock that it had.
func TestAVariantThatComesBackHasItsStock(t *testing.T) {
	for name, back := range map[string]string{"the same": "Large,T2,10", "by its SKU": "XL,t2,10", "by its option values": "large,T3,10"} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			imported(t, b.csv(t, tees("Size", "Small,T1,10", "Large,T2,10")))
			b.order(t, "o1", "T2", 8, "")
			imported(t, b.csv(t, tees("Size", "Small,T1,10")))
			if r := imported(t, b.csv(t, tees("Size", "Small,T1,10", back))); len(r.Errors) > 0 {
				t.Errorf("%+v", r)
			}
			if v := get[Product](t, b, "/v1/admin/products/tee").Variants; len(v) != 2 || v[1].Stock != 2 {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestPatchRenames(t *testing.T) {
	b := open(t)
	imported(t, b.csv(t, tees("Size", "Small,A,10", "Large,B,20")))
	b.order(t, "o1", "A", 8, "")
	first := get[Product](t, b, "/v1/admin/products/tee")
	small, large := first.Variants[0].ID, first.Variants[1].ID
	change := func(variants ...body) []Variant {
		t.Helper()
		p := decode[Product](t, want(t, b.send(t, "PATCH", "/v1/admin/products/tee", body{"variants": variants}), http.StatusOK))
		if len(p.Variants) < 2 || p.Variants[0].ID != small || p.Variants[1].ID != large || p.Variants[0].Stock != 2 || p.Variants[1].Stock != 20 {
			t.Errorf("%+v", p.Variants)
		}
		return p.Variants
	}
	if v := change(body{"id": small, "sku": "C"}); v[0].SKU != "C" {
		t.Errorf("by id: %+v", v)
	}
	if v := change(body{"id": small, "sku": "B"}, body{"id": large, "sku": "C"}); v[0].SKU != "B" || v[1].SKU != "C" {
		t.Errorf("swapped: %+v", v)
	}
	if v := change(body{"sku": "b", "stock": 2}); v[0].SKU != "b" {
		t.Errorf("letter case: %+v", v)
	}
	if v := change(body{"sku": "S-1", "options": []string{"small"}, "price": amount(900)}); len(v) != 2 || v[0].SKU != "S-1" {
		t.Errorf("by options: %+v", v)
	}
	if v := change(body{"sku": "b", "options": []string{"Medium"}, "price": amount(900), "stock": 4}); len(v) != 3 || v[2].Stock != 4 || v[2].ID == small {
		t.Errorf("a new one under an old SKU: %+v", v)
	}
	for message, variants := range map[string][]body{
		"no such variant":         {{"id": "nobody", "sku": "Z"}},
		"stands twice":            {{"id": small, "sku": "c"}},
		"receipts and write-offs": {{"id": small, "stock": 9}},
		"This is required":        {{"price": amount(1)}},
	} {
		if a := want(t, b.send(t, "PATCH", "/v1/admin/products/tee", body{"variants": variants}), http.StatusBadRequest); !strings.Contains(a.String(), message) {
			t.Errorf("want %q, got %s", message, a)
		}
	}
	change()
	want(t, b.send(t, "POST", "/v1/admin/stock", body{"sku": "s-1", "received": 3, "reason": "delivery"}), http.StatusOK)
	if v := get[Product](t, b, "/v1/admin/products/tee").Variants; v[0].Stock != 5 {
		t.Errorf("received by another letter case: %+v", v[0])
	}
}

func sample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../shared/catalogue/intake/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What nobody counts is always for sale; what may be sold before it is there is owed until a receipt pays it.
func TestUntrackedAndContinue(t *testing.T) {
	b := open(t)
	imported(t, b.csv(t, sample(t, "untracked.csv")))
	is := func(product string, policy string, counts StockCounts) {
		t.Helper()
		v := get[Product](t, b, "/v1/admin/products/"+product).Variants[0]
		if v.Policy != policy || v.Counts != counts || v.Stock != counts.Available {
			t.Errorf("%s is %+v, want %s %+v", product, v, policy, counts)
		}
	}
	is("class", "untracked", StockCounts{})
	is("preorder", "continue", StockCounts{})
	b.order(t, "o1", "UT1", 3, "")
	b.order(t, "o2", "UT2", 3, "")
	is("class", "untracked", StockCounts{Reserved: 3, Received: 3})
	is("preorder", "continue", StockCounts{Reserved: 3, Owed: 3})

	receive := func(sku string, n int) {
		want(t, b.send(t, "POST", "/v1/admin/stock", body{"sku": sku, "received": n, "reason": "delivery"}), http.StatusOK)
	}
	receive("UT2", 2)
	is("preorder", "continue", StockCounts{Reserved: 3, Received: 2, Owed: 1})
	wantCode(t, b.send(t, "POST", "/v1/admin/stock", body{"sku": "UT2", "writtenOff": 1, "reason": "broken"}), http.StatusConflict, "stock_short_write_off")
	receive("UT2", 4)
	is("preorder", "continue", StockCounts{Available: 3, Reserved: 3, Received: 6})
	b.order(t, "o3", "ut2", 5, "")
	is("preorder", "continue", StockCounts{Reserved: 8, Received: 6, Owed: 2})
	for _, id := range []string{"o1", "o2"} {
		if _, err := b.store.UpdateOrder(t.Context(), id, func(o *ordering.Order) error { return o.Cancel("no", b.now()) }); err != nil {
			t.Fatal(err)
		}
	}
	is("class", "untracked", StockCounts{})
	is("preorder", "continue", StockCounts{Available: 1, Reserved: 5, Received: 6})

	if r := imported(t, b.csv(t, sample(t, "untracked.csv"))); r.Unchanged != 2 {
		t.Errorf("again: %+v", r)
	}
	change := func(product, sku, policy string) {
		t.Helper()
		want(t, b.send(t, "PATCH", "/v1/admin/products/"+product, body{"variants": []body{{"sku": sku, "stockPolicy": policy}}}), http.StatusOK)
	}
	b.order(t, "o4", "UT2", 3, "")
	change("preorder", "UT2", "tracked") // what was promised stays promised; nothing more is
	is("preorder", "tracked", StockCounts{Reserved: 8, Received: 6, Owed: 2})
	sold, err := b.store.Sellables(t.Context(), []string{"UT2"})
	if err != nil || sold["UT2"].Orderable() != 0 {
		t.Errorf("%+v, %v", sold, err)
	}
	wantCode(t, b.send(t, "POST", "/v1/admin/products", body{"title": "X", "variants": []body{{"price": amount(1), "stockPolicy": "sometimes"}}}), http.StatusBadRequest, "invalid_fields")
}

// A blank tracker says that a new variant is for sale always, and nothing of one that the shop counts already.
func TestAFileKeepsThePolicyThatItDoesNotName(t *testing.T) {
	head := "Handle,Title,Variant SKU,Variant Price,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy\n"
	for name, tt := range map[string]struct{ first, second, policy string }{
		"sold out under a blank tracker":   {",5,deny", ",0,deny", "tracked"},
		"counted again":                    {",0,deny", "shopify,0,deny", "tracked"},
		"a quantity under a blank tracker": {",0,deny", ",5,deny", "untracked"},
		"no more before it is there":       {",5,continue", ",5,deny", "tracked"},
		"from now on before it is there":   {"shopify,5,deny", "shopify,5,continue", "continue"},
		"nothing said":                     {"shopify,5,continue", ",5,", "continue"},
		"a blank tracker, continued":       {",,continue", ",,continue", "untracked"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			for _, row := range []string{tt.first, tt.second} {
				imported(t, b.csv(t, head+"cup,Cup,CUP,10,"+row+"\n"))
			}
			if v := get[Product](t, b, "/v1/admin/products/cup").Variants[0]; v.Policy != tt.policy {
				t.Errorf("%+v, want %s", v, tt.policy)
			}
		})
	}
	b := open(t)
	if r := imported(t, b.csv(t, head+"cup,Cup,CUP,10,,5,perhaps\n")); len(r.Errors) != 1 || !strings.HasPrefix(r.Errors[0].Message, "Variant Inventory Policy: perhaps") {
		t.Errorf("%+v", r)
	}
}

func TestAFileWithoutQuantitiesSaysSo(t *testing.T) {
	b := open(t)
	for range 2 {
		if r := imported(t, b.csv(t, sample(t, "no-quantity-column.csv"))); r.Unstocked != 1 || !strings.Contains(r.Notice, "/v1/admin/stock") {
			t.Errorf("%+v", r)
		}
	}
	want(t, b.send(t, "POST", "/v1/admin/stock", body{"sku": "nq1", "received": 1, "reason": "delivery"}), http.StatusOK)
	for name, file := range map[string]string{"stocked": sample(t, "no-quantity-column.csv"), "counted": sample(t, "restock-1.csv"), "untracked": sample(t, "untracked.csv")} {
		if r := imported(t, b.csv(t, file)); r.Unstocked != 0 || r.Notice != "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestAPageOfLargeProductsEndsEarly(t *testing.T) {
	large := catalogue.Product{Variants: make([]catalogue.Variant, catalogue.MaxVariants)}
	for n, want := range map[int]int{0: 0, 1: 1, 20: 20, 21: 20, 100: 20} {
		if got := fitting(slices.Repeat([]catalogue.Product{large}, n)); got != want {
			t.Errorf("of %d products %d fit, want %d", n, got, want)
		}
	}
}
