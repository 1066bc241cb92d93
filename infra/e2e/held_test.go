package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"yundian/infra/e2e/drive"
)

// TestNobodyHoldsTheStock: sixty unpaid orders of one phone, however it is typed, leave the shelf to others, and so does one
// order of a thousand pieces that nobody has to pay before it comes. Whoever pays goes on.
func TestNobodyHoldsTheStock(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	tea := o.Product(1000, 500)
	phone := drive.Phone()
	order := func(i int) drive.Answer {
		body := drive.OrderBody("", tea, 1, []string{"sandbox", "on_delivery"}[i%2])
		body["contact"] = map[string]any{"name": "陈静", "phone": []string{phone, strings.TrimPrefix(phone, "+86"), "0086 " + phone[3:]}[i%3], "email": ""}
		return o.Do(drive.Call{Method: http.MethodPost, Path: "/orders", Key: drive.Fresh("nobody-holds-"), JSON: body, Header: map[string]string{"Accept-Language": "en"}})
	}
	answers := make([]drive.Answer, 60)
	together(len(answers), func(i int) { answers[i] = order(i) })
	if got := count(answers); got[201] != 10 || got[409] != 50 {
		t.Fatalf("sixty orders of one phone: %v", got)
	}
	o.get(200, "/v1/admin/products/"+tea, o.Operator).Want(t, 490, "variants", 0, "stock")
	for _, a := range answers {
		if a.Status == 409 && !strings.Contains(a.Object().Text("detail"), "has 10 open orders already") {
			t.Errorf("refused with %s", a.Body)
		}
		if a.Status == 201 && a.Object().At("payUrl") != nil {
			o.Choose(a.Object().Text("payUrl"), "pay")
			if again := order(0); again.Status != 201 {
				t.Errorf("after a payment: %s", again.Body)
			}
			break
		}
	}
	o.Order("", tea, 1, "sandbox") // somebody else
	many := o.call(409, drive.Call{Method: http.MethodPost, Path: "/orders", Key: drive.Fresh("nobody-holds-"), JSON: drive.OrderBody("", tea, 400, "on_delivery")})
	if !strings.Contains(fmt.Sprint(many), "50") {
		t.Errorf("400 pieces on delivery: %v", many)
	}
}

// TestALargeOrderIsConfirmed by the letter that leads to a button, by an operator where there is only a phone, or by nobody:
// then its goods are back on the shelf.
func TestALargeOrderIsConfirmed(t *testing.T) {
	s := drive.Open(t, drive.Start(t).URL)
	cake := s.Product(120_000, 9)
	place := func(email string) drive.Object {
		t.Helper()
		body := drive.OrderBody("", cake, 1, "on_delivery")
		contact := maps.Clone(body["contact"].(map[string]any))
		contact["email"] = email
		body["contact"] = contact
		o := s.Do(drive.Call{Method: http.MethodPost, Path: "/orders", Key: drive.Fresh("large-order-"), JSON: body, Header: map[string]string{"Accept-Language": "en"}}).Is(201).Object()
		o.Want(t, "confirmed", "status")
		if o.At("confirmUntil") == nil {
			t.Errorf("the order does not say that it waits: %v", o)
		}
		return o
	}
	ship := func(o drive.Object) drive.Answer {
		t.Helper()
		return s.Post("/v1/admin/orders/"+o.Text("id")+"/ship", s.Operator, map[string]any{"carrier": "SF", "tracking": "1"})
	}
	email := drive.Fresh("chen") + "@example.com"
	written, phoned, forgotten := place(email), place(""), place("")
	s.Quiet()
	runNotify(s, time.Minute)
	letters := mails(s, email)
	if letters.Len("items") != 1 {
		t.Fatalf("letters %v", letters)
	}
	link := regexp.MustCompile(`http\S+/orders/\S+/confirm\?secret=\S+`).FindString(letters.Text("items", 0, "text"))
	at, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, s.Base) {
		t.Fatalf("the letter leads to %q: %s", link, letters.Text("items", 0, "text"))
	}
	page := s.Get(at.RequestURI(), "").Is(200)
	if !strings.Contains(string(page.Body), `action="`+at.Path+`"`) {
		t.Errorf("the page has no button: %.600s", page.Body)
	}
	ship(written).Is(409) // looking does nothing
	s.Post(at.Path, "", map[string]any{"secret": written.Text("secret")}).Is(404)
	s.Post(at.Path, "", map[string]any{"secret": at.Query().Get("secret")}).Is(200)
	ship(written).Is(200)
	ship(phoned).Is(409)
	s.Post("/v1/admin/orders/"+phoned.Text("id")+"/confirm", s.Operator, nil).Is(200).Object().Want(t, "operator", "confirmed", "reason")
	ship(phoned).Is(200)

	s.Get("/v1/admin/products/"+cake, s.Operator).Is(200).Object().Want(t, 6, "variants", 0, "stock")
	s.Mature(time.Now().Add(47 * time.Hour))
	s.See(forgotten).Want(t, "confirmed", "status")
	s.Mature(time.Now().Add(49 * time.Hour))
	s.See(forgotten).Want(t, "expired", "status")
	s.Get("/v1/admin/products/"+cake, s.Operator).Is(200).Object().Want(t, 7, "variants", 0, "stock")
	s.Post("/v1/admin/orders/"+forgotten.Text("id")+"/confirm", s.Operator, nil).Is(409)
	s.Quiet()
	s.Verify()
}
