package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yundian/infra/e2e/drive"
)

// TestKOC accepts an invitation in the portal, sees an earning with its reason, and makes a link with a QR code.
func TestKOC(t *testing.T) {
	s := drive.Open(t, drive.Shared(t).URL)
	tea := s.Product(12800, 50)
	handle := drive.Fresh("xia")
	s.Post("/v1/admin/kocs", s.Operator, map[string]any{"handle": handle, "name": "林夏", "email": handle + "@example.com"}).Is(201)
	invite := s.Post("/v1/admin/kocs/"+handle+"/approve", s.Operator, map[string]any{}).Is(200).Object().Text("invite")
	order := s.Order(s.PageToken("/k/"+handle), tea, 2, "sandbox")
	s.Choose(order.Text("payUrl"), "pay")
	s.Quiet()

	b := open(t, phone, true)
	b.visit(s.Base + "/portal#invite=" + invite)
	b.see("main .button.big")
	b.fits()
	b.shot("1-invited")
	b.press("main .button.big")
	b.run(chromedp.SendKeys(chromedp.CSS(`[name="name"]`), handle))
	b.press("fieldset button")
	if earnings := b.see(".figures"); !strings.Contains(earnings, "25.60") {
		t.Errorf("the pending commission is not among the balances: %q", earnings)
	}
	b.fits()
	b.shot("2-earnings")
	b.tab("links", ".link")
	b.shot("3-links")
	b.run(chromedp.Click(chromedp.CSS(`main form button[type="submit"]`)), chromedp.WaitVisible(chromedp.CSS(`.qr img`)))
	b.fits()
	b.shot("4-made")
	b.tab("earnings", ".subtabs")
	b.part("entries", ".entry")
	if entries := b.see("main"); !strings.Contains(entries, "10") || !strings.Contains(entries, "25.60") {
		t.Errorf("the entry does not say why: %q", entries)
	}
	b.fits()
	b.shot("5-entries")
	b.tab("orders", "main h1")
	b.shot("6-orders")
	b.tab("me", "main form")
	b.fits()
	b.shot("7-profile")
}

// part opens another view of the section that shows.
func (b *tab) part(name, shows string) {
	b.t.Helper()
	b.run(chromedp.Click(chromedp.CSS("#sub-"+name)), chromedp.WaitVisible(chromedp.CSS(`#sub-`+name+`[aria-current="page"]`)),
		chromedp.WaitVisible(chromedp.CSS(shows)))
}

// tab opens one of the portal's views and waits for something of it.
func (b *tab) tab(name, shows string) {
	b.t.Helper()
	b.run(chromedp.Click(chromedp.CSS("#tab-"+name)), chromedp.WaitVisible(chromedp.CSS(`#tab-`+name+`[aria-current="page"]`)),
		chromedp.WaitVisible(chromedp.CSS(shows)))
}
