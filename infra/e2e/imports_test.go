package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"yundian/infra/e2e/drive"
)

func (o *outsider) importCSV(status int, text string) drive.Object {
	o.t.Helper()
	return o.call(status, drive.Call{Method: "POST", Path: "/v1/admin/imports", Token: o.Operator, Raw: text, Header: map[string]string{"Content-Type": "text/csv"}})
}

func sample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(drive.Root(), "shared", "catalogue", "intake", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestImportedShop brings real files into an empty shop and sells from them: import, KOC, shelf, order by SKU; then it
// brings as many products as take several files.
func TestImportedShop(t *testing.T) {
	store := drive.Start(t)
	o := outside(t, store.URL)
	o.emptyShop()
	apparel, garden := sample(t, "shopify-apparel.csv"), sample(t, "shopify-home-and-garden.csv")
	first := o.importCSV(200, apparel)
	if first.At("created").(int64) < 10 || first.Len("errors") > 0 || first.At("rows").(int64) < first.At("created").(int64) {
		t.Fatalf("imported %v", first)
	}
	again := o.importCSV(200, apparel)
	again.Want(t, 0, "created")
	again.Want(t, 0, "updated")
	again.Want(t, int(first.At("created").(int64)), "unchanged")
	o.importCSV(200, garden)

	handle, koc := o.Approve(drive.Fresh("yue"))
	if n := o.get(200, "/v1/shelf", koc).Len("items"); n == 0 {
		t.Fatal("an approved KOC has an empty shelf")
	}
	page := string(o.Do(drive.Call{Path: "/s/" + handle, Header: map[string]string{"Accept": "text/html"}}).Is(200).Body)
	if !strings.Contains(page, "Classic Varsity Top") {
		t.Error("the storefront does not show what was imported")
	}
	const sku = "classic-varsity-top-small"
	placed := o.Order(o.PageToken("/s/"+handle), sku, 1, "sandbox")
	placed.Want(t, 6000, "total", "amount")
	o.Choose(placed.Text("payUrl"), "pay")
	o.Quiet()
	o.Earns(koc, 600, 0, 0)
	o.importCSV(200, apparel) // restores no stock that was sold
	o.call(409, drive.Call{Method: "POST", Path: "/orders", Key: drive.Fresh("one-was-all-there-"), JSON: drive.OrderBody("", sku, 1, "sandbox")})
	o.importCSV(200, strings.ReplaceAll(apparel, "Classic Varsity Top", "Classic Top")).Want(t, 1, "updated")
	o.get(200, "/v1/admin/products/classic-varsity-top", o.Operator).Want(t, 0, "variants", 0, "stock")
	o.manyProducts()
	o.Verify()
}

// emptyShop looks at a shop with nothing in it.
func (o *outsider) emptyShop() {
	o.t.Helper()
	for _, path := range []string{"/v1/admin/products", "/v1/admin/orders"} {
		if n := o.get(200, path, o.Operator).Len("items"); n != 0 {
			o.t.Errorf("%s of an empty shop has %d items", path, n)
		}
	}
	for _, path := range []string{"/v1/shelf", "/v1/links", "/v1/products", "/v1/orders", "/v1/earnings/entries", "/v1/earnings"} {
		if n := o.get(200, path, o.KOC).Len("items"); n != 0 {
			o.t.Errorf("%s of an empty shop has %d items", path, n)
		}
	}
	for _, path := range []string{"/", "/k/" + o.Handle, "/k/" + o.Handle + "/basket", "/s/" + o.Handle, "/apply", "/portal"} {
		o.Do(drive.Call{Path: path, Header: map[string]string{"Accept": "text/html"}}).Is(200)
	}
	o.post(400, "/quotes", "", drive.OrderBody("", "anything", 1, "sandbox"))
	o.Verify()
	o.Mature(o.later(0))
}

// TestImportsThatAreWrong: good rows are taken, bad ones named, and files that are none change nothing.
func TestImportsThatAreWrong(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	p := drive.Fresh("bad-")
	head := "Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price,Image Src\n"
	report := o.importCSV(200, head+
		p+"a,Good,<script>alert(1)</script><b>bold</b>,Title,Default Title,,3,12.50,https://cdn.example.com/a.jpg\n"+
		p+"b,No price,,Title,Default Title,,3,,\n"+
		p+"c,Odd price,,Title,Default Title,,3,12.505,\n"+
		p+"d,Negative,,Title,Default Title,,3,-1,\n"+
		p+"e,Words,,Title,Default Title,,many,1.00,\n"+
		p+"f,Huge,,Title,Default Title,,3,99999999999999999999,\n"+
		p+"g,Formula,,Title,Default Title,,3,=1+1,\n"+
		p+"h,Picture,,Title,Default Title,,3,1.00,javascript:alert(1)\n"+
		",No handle,,Title,Default Title,,3,1.00,\n"+
		p+"i,Two,,Size,S,"+p+"dup,3,1.00,\n"+p+"i,,,Size,L,"+p+"dup,3,1.00,\n")
	if n := report.At("created").(int64); n < 1 {
		t.Errorf("created %d of the good products: %v", n, report)
	}
	if n := report.Len("errors"); n < 8 {
		t.Errorf("named %d bad rows: %v", n, report.At("errors"))
	}
	for i := range report.Len("errors") {
		if line := report.At("errors", i, "line").(int64); line < 2 || line > 12 || report.Text("errors", i, "message") == "" {
			t.Errorf("bad row %v", report.At("errors", i))
		}
	}
	kept := o.get(200, "/v1/admin/products/"+p+"a", o.Operator)
	kept.Want(t, 1250, "variants", 0, "price", "amount")
	if body := kept.Text("body"); strings.Contains(body, "script") || !strings.Contains(body, "bold") {
		t.Errorf("the body was cleaned to %q", body)
	}
	for name, text := range map[string]string{"nothing": " ", "no columns": "a,b,c\n1,2,3\n", "binary": "\x00\x01\x02\xff\xfe", "a page": "<html></html>",
		"open quote": head + "\"x,y\n", "JSON": `{"Handle": "x"}`} {
		q := drive.Call{Method: "POST", Path: "/v1/admin/imports", Token: o.Operator, Raw: text, Header: map[string]string{"Content-Type": "text/csv"}}
		a := o.Do(q)
		o.check(q, a)
		if a.Status != 400 && !(a.Status == 200 && a.Object().At("created") == int64(0)) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
	o.call(415, drive.Call{Method: "POST", Path: "/v1/admin/imports", Token: o.Operator, JSON: object{"a": 1}})
	o.call(415, drive.Call{Method: "POST", Path: "/v1/admin/imports", Token: o.Operator, Raw: head, Header: map[string]string{"Content-Type": "text/csv", "Content-Encoding": "gzip"}})
	o.importCSV(413, head+strings.Repeat(" ", 4<<20))
	var many strings.Builder
	many.WriteString(head)
	for i := range 1001 {
		fmt.Fprintf(&many, "%sn%d,Cup,,Title,Default Title,,1,1.00,\n", p, i)
	}
	o.importCSV(413, many.String())
	o.get(404, "/v1/admin/products/"+p+"n1", o.Operator)
}

// manyProducts imports more products than one file may hold, one file twice, and finds them all page by page.
func (o *outsider) manyProducts() {
	o.t.Helper()
	before := o.countProducts()
	first := 0
	for _, file := range []struct {
		n    int
		what string
	}{{1000, "created"}, {1000, "unchanged"}, {500, "created"}} {
		if file.what == "unchanged" {
			first -= file.n
		}
		var text strings.Builder
		text.WriteString("Handle,Title,Option1 Name,Option1 Value,Variant Inventory Qty,Variant Price\n")
		for i := range file.n {
			fmt.Fprintf(&text, "cup-%05d,Cup %d,Title,Default Title,1,1.00\n", first+i, first+i)
		}
		first += file.n
		if got := o.importCSV(200, text.String()).At(file.what); got != int64(file.n) {
			o.t.Fatalf("%v of %d were %s", got, file.n, file.what)
		}
	}
	if n := o.countProducts() - before; n != first {
		o.t.Errorf("found %d of %d products", n, first)
	}
	o.Get("/k/"+o.Handle, "").Is(200)
	o.get(200, "/v1/products?q=cup%2042", o.KOC)
}

// countProducts counts the shop's products page by page.
func (o *outsider) countProducts() int {
	o.t.Helper()
	seen, cursor := 0, ""
	for {
		page := o.Get("/v1/admin/products?limit=100&cursor="+cursor, o.Operator).Is(200).Object()
		seen += page.Len("items")
		next, more := page.At("next").(string)
		if cursor = next; !more {
			return seen
		}
	}
}
