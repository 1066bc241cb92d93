package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"yundian/infra/e2e/drive"
	"yundian/shared/provider"
)

// sandbox asks the payment provider for something and gives the id that it answers with, if any.
func sandbox(s *drive.Shop, path string, body map[string]any, status int) string {
	a := s.Do(drive.Call{Method: http.MethodPost, Path: provider.SandboxPath + path, JSON: body}).Is(status)
	if status != http.StatusCreated {
		return ""
	}
	return a.Object().Text("id")
}

// TestADisputedPayment walks an order with a dispute that is won before the release and one that is lost after it.
func TestADisputedPayment(t *testing.T) {
	s := drive.Open(t, drive.Shared(t).URL)
	tea := s.Product(10000, 5)
	o := s.Order(s.PageToken("/k/"+s.Handle), tea, 2, "sandbox")
	id, admin := o.Text("id"), "/v1/admin/orders/"+o.Text("id")
	s.Choose(o.Text("payUrl"), "pay")
	s.Post(admin+"/ship", s.Operator, map[string]any{"carrier": "SF", "tracking": "SF123"}).Is(200)
	s.Post(admin+"/deliver", s.Operator, map[string]any{}).Is(200)

	first := sandbox(s, "/orders/"+id+"/disputes", map[string]any{"reason": "product_not_received"}, 201)
	s.Mature(time.Now().AddDate(0, 0, 8))
	s.Earns(s.KOC, 2000, 0, 0) // the window is over, but the bank is deciding
	seen := s.Get(admin, s.Operator).Is(200).Object()
	seen.Want(t, "sandbox:"+first, "disputes", 0, "id")
	seen.Want(t, "open", "disputes", 0, "state")
	seen.Want(t, "product_not_received", "disputes", 0, "reason")
	seen.Want(t, 0, "refundable", "amount")
	refused := s.Post(admin+"/refunds", s.Operator, map[string]any{"amount": drive.CNY(1), "reason": "a gesture"}).Is(409)
	if !strings.Contains(string(refused.Body), "refund_disputed") {
		t.Errorf("%s", refused.Body)
	}
	sandbox(s, "/disputes/"+first+"/win", nil, 204)
	s.Mature(time.Now().AddDate(0, 0, 8))
	s.Earns(s.KOC, 0, 2000, 0)

	second := sandbox(s, "/orders/"+id+"/disputes", map[string]any{"amount": 5000}, 201)
	s.Post(admin+"/refunds", s.Operator, map[string]any{"amount": drive.CNY(10000), "reason": "a gesture"}).Is(201) // what is not disputed
	s.Quiet()
	s.Earns(s.KOC, 0, 2000, 1000)
	sandbox(s, "/disputes/"+second+"/lose", nil, 204)
	s.Quiet()
	s.Earns(s.KOC, 0, 2000, 1500)
	view := s.See(o)
	view.Want(t, 15000, "refunded", "amount")
	view.Want(t, "lost", "disputes", 1, "state")
	s.Verify()
}

// TestHostileDisputes: signed news that does not fit its order is refused and changes nothing; what fits counts once.
func TestHostileDisputes(t *testing.T) {
	store := drive.Shared(t)
	w := webhooks{outside(t, store.URL), store.SandboxKey()}
	o := w.Order(w.PageToken("/k/"+w.Handle), w.Product(10000, 5), 1, "sandbox")
	paid := captured(o.Text("id"))
	opened := paid
	opened.ID, opened.Type, opened.Dispute, opened.Amount.Minor = drive.Fresh("evt_"), "dispute.opened", drive.Fresh("dp_"), 4000
	about := func(kind string, change func(*provider.SandboxEvent)) provider.SandboxEvent {
		e := opened
		e.ID, e.Type = drive.Fresh("evt_"), "dispute."+kind
		change(&e)
		return e
	}
	same := func(*provider.SandboxEvent) {}
	lost := about("lost", same)
	for range 3 { // the outcome before the dispute, and both before the payment
		for _, e := range []provider.SandboxEvent{lost, opened, paid} {
			w.signed(e).Is(204)
		}
	}
	for name, c := range map[string]struct {
		status int
		event  provider.SandboxEvent
	}{
		"the opposite":    {409, about("won", same)},
		"another amount":  {409, about("lost", func(e *provider.SandboxEvent) { e.Amount.Minor++ })},
		"another payment": {409, about("opened", func(e *provider.SandboxEvent) { e.Payment = "pay_x" })},
		"other currency":  {409, about("opened", func(e *provider.SandboxEvent) { e.Dispute, e.Amount.Currency = "dp_y", "USD" })},
		"no dispute":      {400, about("lost", func(e *provider.SandboxEvent) { e.Dispute = "" })},
		"nothing":         {400, about("lost", func(e *provider.SandboxEvent) { e.Amount.Minor = 0 })},
		"unknown order":   {404, about("lost", func(e *provider.SandboxEvent) { e.OrderID = "01ARZ3NDEKTSV4RRFFQ69G5FAV" })},
	} {
		if a := w.signed(c.event); a.Status != c.status {
			t.Errorf("%s: %d %.200s", name, a.Status, a.Body)
		}
	}
	w.Quiet()
	w.Earns(w.KOC, 600, 0, 0)
	if n := w.get(200, "/v1/admin/orders/"+o.Text("id"), w.Operator).Len("disputes"); n != 1 {
		t.Errorf("%d disputes", n)
	}
	w.Verify()
}
