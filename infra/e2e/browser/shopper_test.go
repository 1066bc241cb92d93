package browser

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"yundian/infra/e2e/drive"
)

// TestShopper opens a share link, orders without registering, pays and sees the receipt: with scripts, and without any.
func TestShopper(t *testing.T) {
	for name, script := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			s := drive.Open(t, drive.Shared(t).URL)
			tea := s.Product(12800, 5)
			s.Do(drive.Call{Method: "PUT", Path: "/v1/shelf", Token: s.KOC, JSON: map[string]any{"items": []any{map[string]any{"product": tea, "note": "每天早上的第一杯。"}}}}).Is(200)
			b := open(t, phone, script)

			b.visit(s.Base + "/s/" + s.Share(s.KOC, "storefront"))
			if !strings.Contains(b.see("main"), "每天早上的第一杯") {
				t.Error("the storefront does not show the KOC's note")
			}
			b.fits()
			b.shot("1-storefront")
			b.press(".card a")
			b.fits()
			b.shot("2-product")
			b.press(".buy-bar .button.primary")
			b.fits()
			b.shot("3-basket")
			b.fill(`[name="contact.name"]`, "陈静")
			b.fill(`[name="contact.phone"]`, "13800000000")
			b.fill(`[name="address.region"]`, "浙江省")
			b.fill(`[name="address.city"]`, "杭州市")
			b.fill(`[name="address.district"]`, "西湖区")
			b.fill(`[name="address.division"]`, "330106")
			b.fill(`[name="address.line1"]`, "文三路 1 号")
			b.run(chromedp.Click(chromedp.CSS(`[name="payment"][value="sandbox"]`)))
			b.shot("4-form")
			b.press(`#order button[type="submit"]`)
			if held := b.see("main"); !strings.Contains(held, "128.00") {
				t.Errorf("the order page does not show the total: %.300s", held)
			}
			b.fits()
			b.shot("5-held")
			b.press(`a[href*="/pay"]`)
			b.press(`button[value="pay"]`)
			b.see("main")
			b.shot("6-paid")
			address, err := url.Parse(b.location())
			if err != nil {
				t.Fatal(err)
			}
			s.Do(drive.Call{Path: address.Path + "?secret=" + url.QueryEscape(address.Query().Get("secret")), Header: map[string]string{"Accept": "application/json"}}).
				Is(200).Object().Want(t, "paid", "status")
			s.Quiet()
			s.Earns(s.KOC, 1280, 0, 0)
		})
	}
}

// TestSeenByARealBrowser: only a browser that shows the page is a touch.
func TestSeenByARealBrowser(t *testing.T) {
	s := drive.Open(t, drive.Shared(t).URL)
	link := s.Share(s.KOC, "storefront")
	s.PageToken("/s/" + link) // a program that only fetches the page is none
	b := open(t, phone, true)
	b.visit(s.Base + "/s/" + link)
	b.see("main")
	for range 200 { // the beacon is sent after the page is shown; ask until it has arrived
		s.Quiet()
		if touches := s.Get("/v1/links", s.KOC).Is(200).Object().At("items", 0, "touches"); touches == int64(1) {
			return
		}
	}
	t.Error("a real browser's visit was not counted")
}
