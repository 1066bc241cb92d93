// Package e2e holds the journeys: the store as a black box, with its real functions, streams and store engine.
package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"yundian/infra/e2e/drive"
)

func TestMain(m *testing.M) { drive.Main(m) }

// TestJourney is the whole road: a link is shared, seen and ordered through, the order is paid, attributed, settled,
// delivered, released and refunded, and the KOC's earnings follow; then every stream record is delivered again and
// nothing changes.
func TestJourney(t *testing.T) {
	store := drive.Start(t)
	s := drive.Open(t, store.URL)
	tea := s.Product(10000, 20)
	link := s.Share(s.KOC, "product:"+tea)

	token := s.PageToken("/s/" + link)
	for range 3 { // one visitor counts once
		s.Do(drive.Call{Method: http.MethodPost, Path: "/touch", JSON: map[string]any{"token": token}, Header: map[string]string{"User-Agent": "Mozilla/5.0 (iPhone)"}}).Is(204)
	}
	s.Do(drive.Call{Method: http.MethodPost, Path: "/touch", JSON: map[string]any{"token": token}, Header: map[string]string{"User-Agent": "facebookexternalhit/1.1"}}).Is(204)

	quote := s.Post("/quotes", "", drive.OrderBody(token, tea, 3, "sandbox")).Is(200).Object()
	quote.Want(t, 30000, "total", "amount")
	o := s.Order(token, tea, 3, "sandbox")
	o.Want(t, "held", "status")
	o.Want(t, 30000, "total", "amount")
	s.Quiet()
	s.Earns(s.KOC, 0, 0, 0)

	s.Choose(o.Text("payUrl"), "pay")
	s.See(o).Want(t, "paid", "status")
	s.Quiet()
	s.Earns(s.KOC, 3000, 0, 0)
	decision := s.Get("/v1/orders/"+o.Text("id")+"/attribution", s.KOC).Is(200).Object()
	decision.Want(t, s.Handle, "winners", 0, "koc")
	decision.Want(t, 10000, "winners", 0, "share")
	decision.Want(t, "won", "candidates", 0, "outcome")

	admin := "/v1/admin/orders/" + o.Text("id")
	refund := func(quantity int) {
		t.Helper()
		s.Post(admin+"/refunds", s.Operator, map[string]any{"lines": []any{map[string]any{"sku": tea, "quantity": quantity}}, "reason": "dented"}).Is(201)
		s.Quiet()
	}
	refund(1)
	s.Earns(s.KOC, 2000, 0, 0)
	s.Post(admin+"/ship", s.Operator, map[string]any{"carrier": "SF", "tracking": "SF123"}).Is(200)
	s.Post(admin+"/deliver", s.Operator, map[string]any{}).Is(200)
	s.Mature(time.Now().AddDate(0, 0, 6))
	s.Earns(s.KOC, 2000, 0, 0)
	s.Mature(time.Now().AddDate(0, 0, 8))
	s.Earns(s.KOC, 0, 2000, 0)
	refund(1)
	s.Earns(s.KOC, 0, 2000, 1000)
	s.Post(admin+"/refunds", s.Operator, map[string]any{"amount": drive.CNY(4000), "reason": "a gesture"}).Is(201)
	s.Quiet()
	s.Earns(s.KOC, 0, 2000, 1400)

	kinds := map[string]int64{}
	entries := s.Get("/v1/earnings/entries?limit=100", s.KOC).Is(200).Object()
	for i := range entries.Len("items") {
		kinds[entries.Text("items", i, "kind")] += entries.At("items", i, "amount").(int64)
		entries.Want(t, o.Text("id"), "items", i, "orderId")
	}
	if fmt.Sprint(kinds) != "map[accrual:3000 clawback:-1400 refund:-1000 release:2000]" {
		t.Errorf("entries by kind: %v", kinds)
	}
	today := time.Now().In(time.FixedZone("CST", 8*3600)).Format(time.DateOnly)
	stats := s.Get("/v1/stats?by=day&from="+today+"&to="+today, s.KOC).Is(200).Object()
	stats.Want(t, 1, "items", 0, "touches")
	stats.Want(t, 1, "items", 0, "orders")
	s.Verify()

	before := store.Digest(t)
	if err := store.Replay(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.Quiet()
	if after := store.Digest(t); after != before {
		t.Errorf("delivering every stream record again changed the store:\nbefore %s\nafter  %s", before, after)
	}
	s.Earns(s.KOC, 0, 2000, 1400)
}

func TestPaymentsThatMisbehave(t *testing.T) {
	s := drive.Open(t, drive.Shared(t).URL)
	tea := s.Product(10000, 5)
	token := s.PageToken("/k/" + s.Handle)

	declined := s.Order(token, tea, 1, "sandbox")
	s.Choose(declined.Text("payUrl"), "decline")
	s.See(declined).Want(t, "held", "status")
	s.Choose(declined.Text("payUrl"), "pay")
	s.See(declined).Want(t, "paid", "status")
	s.Quiet()
	s.Earns(s.KOC, 1000, 0, 0)

	twice := s.Order(token, tea, 1, "sandbox")
	s.Choose(twice.Text("payUrl"), "pay-twice")
	s.Quiet()
	s.Earns(s.KOC, 2000, 0, 0)

	cancelled := s.Order(token, tea, 1, "sandbox")
	s.Choose(cancelled.Text("payUrl"), "pay")
	for range 2 {
		s.Post("/orders/"+cancelled.Text("id")+"/cancel", "", map[string]any{"secret": cancelled.Text("secret")}).Is(200).Object().Want(t, "cancelled", "status")
	}
	s.Quiet()
	view := s.See(cancelled)
	view.Want(t, 10000, "refunded", "amount")
	view.Want(t, "succeeded", "refunds", 0, "state")
	s.Earns(s.KOC, 2000, 0, 0)

	expired := s.Order(token, tea, 3, "sandbox")
	s.Do(drive.Call{Method: http.MethodPost, Path: "/orders", Key: drive.Fresh("order-key-"), JSON: drive.OrderBody(token, tea, 1, "sandbox")}).Is(409)
	s.Mature(time.Now().Add(31 * time.Minute))
	s.See(expired).Want(t, "expired", "status")
	s.Get(expired.Text("payUrl"), "").Is(409)
	s.Order(token, tea, 3, "sandbox") // its stock is back

	delivery := s.Product(5000, 2)
	cod := s.Order(token, delivery, 1, "on_delivery")
	cod.Want(t, "confirmed", "status")
	s.Post("/v1/admin/orders/"+cod.Text("id")+"/ship", s.Operator, map[string]any{"carrier": "SF", "tracking": "1"}).Is(200)
	s.Post("/orders/"+cod.Text("id")+"/received", "", map[string]any{"secret": cod.Text("secret")}).Is(200).Object().Want(t, "delivered", "status")
	s.Quiet()
	s.Earns(s.KOC, 2000, 0, 0) // nobody has seen the money yet
	s.Post("/v1/admin/orders/"+cod.Text("id")+"/deliver", s.Operator, map[string]any{}).Is(200)
	s.Quiet()
	s.Earns(s.KOC, 2500, 0, 0)
	s.Verify()
}

func TestOneKeyOneOrder(t *testing.T) {
	s := drive.Open(t, drive.Shared(t).URL)
	tea := s.Product(10000, 100)
	key, body := drive.Fresh("a-key-of-mine-"), drive.OrderBody("", tea, 1, "sandbox")
	var wg sync.WaitGroup
	answers := make([]drive.Answer, 100)
	for i := range answers {
		wg.Go(func() { answers[i] = s.Do(drive.Call{Method: http.MethodPost, Path: "/orders", Key: key, JSON: body}) })
	}
	wg.Wait()
	for _, a := range answers {
		if a.Is(201); string(a.Body) != string(answers[0].Body) {
			t.Fatalf("one key, two answers:\n%s\n%s", answers[0].Body, a.Body)
		}
	}
	s.Do(drive.Call{Method: http.MethodPost, Path: "/orders", Key: key, JSON: drive.OrderBody("", tea, 2, "sandbox")}).Is(422)
	s.Do(drive.Call{Method: http.MethodPost, Path: "/orders", JSON: body}).Is(400)
	left := s.Get("/v1/admin/products/"+tea, s.Operator).Is(200).Object()
	left.Want(t, 99, "variants", 0, "stock")
}

func TestTheOrderFormNeedsNoScript(t *testing.T) {
	s := drive.Open(t, drive.Shared(t).URL)
	tea := s.Product(8800, 5)
	token := s.PageToken("/k/" + s.Handle + "/p/" + tea)
	form := url.Values{"key": {drive.Fresh("form-key-of-a-page-")}, "token": {token}, "line": {tea + "*2"}, "payment": {"sandbox"},
		"expect": {"17600"}, "expectCurrency": {"CNY"}, "contact.name": {"陈静"}, "contact.phone": {"138 0000 0000"}, "contact.email": {""},
		"address.country": {"CN"}, "address.region": {"浙江省"}, "address.city": {"杭州市"}, "address.district": {"西湖区"}, "address.division": {"330106"},
		"address.line1": {"文三路 1 号"}, "address.postcode": {"310000"}, "kocCode": {""}}
	page := map[string]string{"Accept": "text/html", "Accept-Language": "zh-CN", "Origin": s.Base}
	placed := s.Do(drive.Call{Method: http.MethodPost, Path: "/orders", Form: form, Header: page}).Is(303)
	location := placed.Header.Get("Location")
	if again := s.Do(drive.Call{Method: http.MethodPost, Path: "/orders", Form: form, Header: page}).Is(303).Header.Get("Location"); again != location {
		t.Errorf("the back button ordered twice: %s and %s", location, again)
	}
	shown := string(s.Do(drive.Call{Path: location, Header: page}).Is(200).Body)
	if !strings.Contains(shown, "176.00") || !strings.Contains(shown, "<form") {
		t.Errorf("the order page shows neither total nor Form: %.300s", shown)
	}
	for _, origin := range []string{"null", "https://evil.example", s.Base + ".evil.example"} {
		form.Set("key", drive.Fresh("another-key-of-a-page-"))
		s.Do(drive.Call{Method: http.MethodPost, Path: "/orders", Form: form, Header: map[string]string{"Accept": "text/html", "Origin": origin}}).Is(403)
	}
	form.Set("key", drive.Fresh("another-key-of-a-page-"))
	form.Set("contact.phone", "call me")
	refused := s.Do(drive.Call{Method: http.MethodPost, Path: "/orders", Form: form, Header: page}).Is(400)
	if !strings.Contains(string(refused.Body), "手机") && !strings.Contains(string(refused.Body), "电话") {
		t.Errorf("the refusal is not in the shopper's language: %.400s", refused.Body)
	}
}

func TestASuspendedKOCIsOutAtOnce(t *testing.T) {
	s := drive.Open(t, drive.Shared(t).URL)
	tea := s.Product(10000, 5)
	token := s.PageToken("/k/" + s.Handle)
	before := s.Order(token, tea, 1, "sandbox")
	s.Choose(before.Text("payUrl"), "pay")
	s.Quiet()
	s.Post("/v1/admin/kocs/"+s.Handle+"/suspend", s.Operator, map[string]any{"reason": "bought own link"}).Is(200)
	s.Get("/v1/earnings", s.KOC).Is(200) // what was earned stays hers to see
	s.Post("/v1/links", s.KOC, map[string]any{"target": "storefront", "channel": "wechat"}).Is(403)
	if page := s.Get("/k/"+s.Handle, "").Is(200); strings.Contains(string(page.Body), "yundian-token") || string(page.Body) != string(s.Get("/k/nobody-like-it", "").Is(200).Body) {
		t.Errorf("a suspended KOC's page is not the brand's own, as nobody's is: %.900s", page.Body)
	}
	after := s.Order(token, tea, 1, "sandbox") // the sale proceeds, attributed to nobody
	s.Choose(after.Text("payUrl"), "pay")
	s.Quiet()
	decision := s.Get("/v1/admin/orders/"+after.Text("id"), s.Operator).Is(200)
	if !strings.Contains(string(decision.Body), "koc_suspended") {
		t.Errorf("the decision does not say why nobody earned: %s", decision.Body)
	}
	s.Verify()
}

// TestTheBuildThatDeploys runs what `sam build` leaves for deployment, on this machine's architecture, instead of what
// the runner builds for itself. `make test` builds it first.
func TestTheBuildThatDeploys(t *testing.T) {
	o := drive.Options(t.TempDir())
	o.Prebuilt = filepath.Join(drive.Root(), ".aws-sam", "build")
	s := drive.Open(t, drive.StartWith(t, o).URL)
	tea := s.Product(10000, 5)
	order := s.Order(s.PageToken("/k/"+s.Handle), tea, 2, "sandbox")
	s.Choose(order.Text("payUrl"), "pay")
	s.See(order).Want(t, "paid", "status")
	s.Quiet()
	s.Earns(s.KOC, 2000, 0, 0)
	s.Verify()
}
