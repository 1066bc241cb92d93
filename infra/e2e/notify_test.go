package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"yundian/infra/e2e/drive"
	"yundian/shared/webhook"
)

// system is a KOC's or operator's own system that hears of events.
type system struct {
	*httptest.Server
	mu     sync.Mutex
	heads  []string
	bodies [][]byte
	status int
}

func listen(t *testing.T) *system {
	s := &system{status: http.StatusOK}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.heads, s.bodies = append(s.heads, r.Header.Get(webhook.SignatureHeader)), append(s.bodies, body)
		w.WriteHeader(s.status)
	}))
	t.Cleanup(s.Close)
	return s
}

// heard are the events that came with a good signature; any other fails the test.
func (s *system) heard(t *testing.T, secret string) (events []webhook.Event) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, body := range s.bodies {
		var e webhook.Event
		if !webhook.Verify(s.heads[i], body, secret, time.Now()) || json.Unmarshal(body, &e) != nil {
			t.Errorf("signature %q of %s", s.heads[i], body)
		}
		events = append(events, e)
	}
	return events
}

func (s *system) answers(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// mails are the e-mails that were sent to an address.
func mails(s *drive.Shop, to string) drive.Object {
	s.T.Helper()
	return s.Get("/_local/mails?to="+url.QueryEscape(to), "").Is(200).Object()
}

// runNotify fires the schedule as of some time from now.
func runNotify(s *drive.Shop, after time.Duration) {
	s.T.Helper()
	at := time.Now().Add(after).UTC().Format(time.RFC3339)
	s.Do(drive.Call{Method: http.MethodPost, Path: "/_local/run/notify?at=" + url.QueryEscape(at)}).Is(200)
}

// TestWhatHappensIsTold pays an order with webhooks listening: they hear of it with good signatures, the shopper gets one
// e-mail, and a stream that is read again tells nobody anything.
func TestWhatHappensIsTold(t *testing.T) {
	store := drive.Start(t)
	s := drive.Open(t, store.URL)
	mine, ops, others, dead := listen(t), listen(t), listen(t), listen(t)
	_, lin := s.Approve(drive.Fresh("lin"))
	add := func(path, token string, to *system) drive.Object {
		t.Helper()
		return s.Post(path, token, map[string]any{"url": to.URL + "/in"}).Is(201).Object()
	}
	mineMade, opsMade, deadMade := add("/v1/webhooks", s.KOC, mine), add("/v1/admin/webhooks", s.Operator, ops), add("/v1/webhooks", s.KOC, dead)
	add("/v1/webhooks", lin, others)
	dead.answers(http.StatusInternalServerError)

	tea := s.Product(10000, 20)
	body := drive.OrderBody(s.PageToken("/k/"+s.Handle), tea, 2, "sandbox")
	email := drive.Fresh("chen") + "@example.com"
	body["contact"] = map[string]any{"name": "陈静", "phone": "+8613800000000", "email": email}
	o := s.Do(drive.Call{Method: http.MethodPost, Path: "/orders", Key: drive.Fresh("what-is-told-"), JSON: body, Header: map[string]string{"Accept-Language": "zh-TW"}}).Is(201).Object()
	s.Quiet()
	if n := len(mine.heard(t, mineMade.Text("secret"))); n != 0 || mails(s, email).Len("items") != 0 {
		t.Errorf("%d events before anything was paid", n)
	}
	s.Choose(o.Text("payUrl"), "pay")
	s.Quiet()
	for _, events := range [][]webhook.Event{mine.heard(t, mineMade.Text("secret")), ops.heard(t, opsMade.Text("secret"))} {
		if len(events) != 1 || events[0].Type != "commission.accrual" || events[0].Data.OrderID != o.Text("id") || events[0].Data.Amount != 2000 || events[0].Data.KOC != s.Handle {
			t.Errorf("heard %+v", events)
		}
	}
	entries := s.Get("/v1/earnings/entries", s.KOC).Is(200).Object()
	entries.Want(t, mine.heard(t, mineMade.Text("secret"))[0].ID, "items", 0, "id")
	written := mails(s, email)
	if written.Len("items") != 1 || !strings.Contains(written.Text("items", 0, "subject"), o.Text("id")) || !strings.Contains(written.Text("items", 0, "text"), "已收到您的付款") {
		t.Errorf("the shopper got %v", written)
	}

	// The dead one hears of it when it works again, beside nobody else.
	dead.answers(http.StatusNoContent)
	runNotify(s, 10*time.Minute)
	if events := dead.heard(t, deadMade.Text("secret")); len(events) != 2 || events[0].ID != events[1].ID {
		t.Errorf("the dead one heard %+v", events)
	}
	before := store.Digest(t)
	if err := store.Replay(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.Quiet()
	if after := store.Digest(t); after != before {
		t.Errorf("delivering every stream record again changed the store:\nbefore %s\nafter  %s", before, after)
	}
	if a, b, c := len(mine.heard(t, mineMade.Text("secret"))), len(ops.heard(t, opsMade.Text("secret"))), len(others.bodies); a != 1 || b != 1 || c != 0 || mails(s, email).Len("items") != 1 {
		t.Errorf("told %d, %d and %d times, %d e-mails", a, b, c, mails(s, email).Len("items"))
	}
}

// TestContractWebhooks goes through everything that KOCs and operators do with webhooks.
func TestContractWebhooks(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	to := listen(t)
	for prefix, token := range map[string]string{"/v1/webhooks": o.KOC, "/v1/admin/webhooks": o.Operator} {
		made := o.post(201, prefix, token, object{"url": to.URL, "kinds": []any{"accrual"}})
		made.Want(t, "active", "status")
		one := prefix + "/" + made.Text("id")
		if secret := made.Text("secret"); !strings.HasPrefix(secret, "whsec_") || strings.Contains(string(o.Get(one, token).Body), secret) {
			t.Errorf("%s: the secret is %s", prefix, secret)
		}
		for _, wrong := range []object{{"url": "http://example.com"}, {"url": "https://10.0.0.1/"}, {"url": "https://localhost/"}, {"url": "http://169.254.169.254/"}, {"url": "file:///etc/passwd"},
			{"url": ""}, {}, {"url": to.URL, "kinds": []any{"gifts"}}, {"url": to.URL, "secret": "mine"}, {"url": to.URL, "owner": "x"}} {
			o.post(400, prefix, token, wrong)
		}
		o.get(200, one, token).Want(t, to.URL, "url")
		o.get(200, prefix, token)
		o.call(200, drive.Call{Method: "PATCH", Path: one, Token: token, JSON: object{"active": false}}).Want(t, "paused", "status")
		o.call(409, drive.Call{Method: "POST", Path: one + "/test", Token: token})
		o.call(200, drive.Call{Method: "PATCH", Path: one, Token: token, JSON: object{"active": true, "kinds": []any{}}}).Want(t, "active", "status")
		rotated := o.call(200, drive.Call{Method: "POST", Path: one + "/rotate", Token: token})
		if rotated.Len("secrets") != 2 || rotated.Text("secret") == made.Text("secret") {
			t.Errorf("%s: rotated %v", prefix, rotated)
		}
		sent := o.call(202, drive.Call{Method: "POST", Path: one + "/test", Token: token})
		runNotify(o.Shop, time.Minute)
		listed := o.get(200, one+"/deliveries", token)
		listed.Want(t, sent.Text("event"), "items", 0, "id")
		listed.Want(t, "delivered", "items", 0, "status")
		listed.Want(t, 200, "items", 0, "answer")
		o.post(200, one+"/redeliver", token, object{"from": "2026-01-01T00:00:00Z"}).Want(t, 1, "due")
		o.post(200, one+"/redeliver", token, object{"from": listed.Text("items", 0, "cursor")}).Want(t, 0, "due")
		o.post(400, one+"/redeliver", token, object{"from": "yesterday"})
		runNotify(o.Shop, time.Minute)
		for _, secret := range []string{made.Text("secret"), rotated.Text("secret")} { // both sign
			if events := to.heard(t, secret); len(events) != 2 || events[0].ID != events[1].ID || events[0].Type != webhook.Test {
				t.Errorf("%s: heard %+v", prefix, events)
			}
		}
		to.mu.Lock()
		to.bodies, to.heads = nil, nil
		to.mu.Unlock()
		o.Do(drive.Call{Method: "DELETE", Path: one, Token: token}).Is(204)
		o.get(404, one, token)
	}
	ids := []string{}
	list := o.get(200, "/v1/admin/webhooks", o.Auditor)
	for i := range list.Len("items") {
		ids = append(ids, list.Text("items", i, "id"))
	}
	o.call(403, drive.Call{Method: "POST", Path: "/v1/admin/webhooks", Token: o.Auditor, JSON: object{"url": to.URL}})
	o.get(403, "/v1/admin/webhooks", o.KOC)
	if slices.Contains(ids, "") {
		t.Errorf("ids %v", ids)
	}
}
