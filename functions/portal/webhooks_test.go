package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/hooks"
	"yundian/shared/ledger"
	"yundian/shared/seal"
	"yundian/shared/web/webtest"
	"yundian/shared/webhook"
)

// ahead is a bench far ahead: what is recorded for webhooks expires, and an engine may delete it at any time after.
func ahead(t *testing.T) *bench {
	t.Helper()
	b := open(t)
	b.at = time.Date(2100, 3, 1, 4, 0, 0, 0, time.UTC)
	return b
}

// hook adds a webhook of a KOC's.
func (b *bench) hook(t *testing.T, handle string) (made hooks.NewWebhook) {
	t.Helper()
	b.want(t, b.send(t, handle, "POST", "/v1/webhooks", map[string]any{"url": "https://" + handle + ".example/in", "kinds": []string{"accrual", "payout"}}), http.StatusCreated).Decode(t, &made)
	return made
}

// heard records so many events of a KOC for an endpoint, one each minute, all delivered.
func (b *bench) heard(t *testing.T, handle, endpoint string, n int) (events []webhook.Event) {
	t.Helper()
	for i := range n {
		p := ledger.Posting{ID: fmt.Sprintf("settle:o%d:1:%s", i, handle), KOC: handle, Order: fmt.Sprint("o", i), At: b.at.Add(time.Duration(i) * time.Minute), Currency: "CNY",
			Entries: []ledger.Entry{{Kind: ledger.Accrual, Minor: 100}}}
		d := webhook.NewDelivery(webhook.OwnerOf(handle), webhook.Endpoint{ID: endpoint}, webhook.Events(p)[0], b.at)
		d.Succeed(200, b.at)
		if ok, err := b.store.SaveDelivery(t.Context(), &d); err != nil || !ok {
			t.Fatal(ok, err)
		}
		events = append(events, d.Event)
	}
	return events
}

func TestAWebhookFromBeginningToEnd(t *testing.T) {
	b := ahead(t)
	b.koc(t, "mei")
	made := b.hook(t, "mei")
	if !strings.HasPrefix(made.ID, "wh_") || !strings.HasPrefix(made.Secret, "whsec_") || made.Status != "active" || made.URL != "https://mei.example/in" || fmt.Sprint(made.Kinds) != "[accrual payout]" || len(made.Secrets) != 1 {
		t.Fatalf("made %+v", made)
	}
	path := "/v1/webhooks/" + made.ID
	seen := b.want(t, b.send(t, "mei", "GET", path, nil), http.StatusOK)
	if strings.Contains(seen.Body, made.Secret) || !strings.Contains(seen.Body, made.ID) {
		t.Errorf("the secret is shown again: %s", seen)
	}
	if list := get[hooks.WebhookPage](t, b, "mei", "/v1/webhooks"); len(list.Items) != 1 || list.Items[0].ID != made.ID {
		t.Errorf("list %+v", list)
	}
	change := func(status int, body map[string]any) (w hooks.Webhook) {
		t.Helper()
		a := b.want(t, b.send(t, "mei", "PATCH", path, body), status)
		if status < 300 {
			a.Decode(t, &w)
		}
		return w
	}
	if w := change(200, map[string]any{"active": false}); w.Status != "paused" || w.URL != made.URL || len(w.Kinds) != 2 {
		t.Errorf("paused %+v", w)
	}
	if w := change(200, map[string]any{"active": true, "url": "https://other.example:8443/x?y=z", "kinds": []string{}}); w.Status != "active" || w.URL != "https://other.example:8443/x?y=z" || len(w.Kinds) != 0 {
		t.Errorf("changed %+v", w)
	}
	for _, wrong := range []map[string]any{{"url": "http://other.example/"}, {"url": "https://127.0.0.1/"}, {"url": "https://localhost/"}, {"url": ""}, {"kinds": []string{"gift"}},
		{"kinds": []string{"tax", "tax"}}, {"kinds": "tax"}, {"active": "yes"}, {"secret": "mine"}, {"owner": "lin"}, {"status": "active"}} {
		change(400, wrong)
	}
	b.want(t, b.send(t, "mei", "DELETE", path, nil), http.StatusNoContent)
	b.want(t, b.send(t, "mei", "DELETE", path, nil), http.StatusNotFound)
	b.want(t, b.send(t, "mei", "GET", path, nil), http.StatusNotFound)
	for range webhook.MaxEndpoints {
		b.hook(t, "mei")
	}
	b.want(t, b.send(t, "mei", "POST", "/v1/webhooks", map[string]any{"url": "https://a.example/"}), http.StatusTooManyRequests)
}

func TestOneKeyMakesOneWebhookAndOneSecret(t *testing.T) {
	b := ahead(t)
	b.koc(t, "mei")
	ask := func(path, key string, body any) (made hooks.NewWebhook) {
		t.Helper()
		a := b.send(t, "mei", "POST", path, body, "Idempotency-Key", key)
		if a.Status >= 300 {
			t.Fatalf("%s: %s", path, a)
		}
		a.Decode(t, &made)
		return made
	}
	body := map[string]any{"url": "https://a.example/"}
	first, again := ask("/v1/webhooks", "key-of-the-webhook", body), ask("/v1/webhooks", "key-of-the-webhook", body)
	if first.ID != again.ID || first.Secret != again.Secret || first.Secret == "" {
		t.Errorf("%+v, then %+v", first, again)
	}
	b.want(t, b.send(t, "mei", "POST", "/v1/webhooks", map[string]any{"url": "https://b.example/"}, "Idempotency-Key", "key-of-the-webhook"), http.StatusUnprocessableEntity)
	rotate := "/v1/webhooks/" + first.ID + "/rotate"
	second, same := ask(rotate, "key-of-the-rotation", nil), ask(rotate, "key-of-the-rotation", nil)
	if second.Secret == first.Secret || second.Secret != same.Secret || len(same.Secrets) != 2 || same.Secrets[0].ID != "2" || same.Secrets[1].Until == nil {
		t.Errorf("rotated %+v, then %+v", second, same)
	}
	b.at = b.at.Add(webhook.Overlap + time.Second)
	if late := ask("/v1/webhooks", "key-of-the-webhook", body); late.Secret != "" || late.ID != first.ID {
		t.Errorf("a secret that no longer signs is shown: %+v", late)
	}
	for _, it := range b.stored(t) {
		if strings.Contains(it, "whsec_") || strings.Contains(it, strings.TrimPrefix(first.Secret, "whsec_")) {
			t.Errorf("the store holds a secret that can be read: %s", it)
		}
	}
}

// stored are mei's endpoints as the store has them.
func (b *bench) stored(t *testing.T) (all []string) {
	t.Helper()
	found, err := b.store.Webhooks(t.Context(), []webhook.Owner{"mei"})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range found["mei"].List {
		all = append(all, fmt.Sprintf("%+v", x))
	}
	return all
}

func TestSecretsThatRotateTooOften(t *testing.T) {
	b := ahead(t)
	b.koc(t, "mei")
	path := "/v1/webhooks/" + b.hook(t, "mei").ID + "/rotate"
	for _, status := range []int{200, 200, 429} {
		b.want(t, b.send(t, "mei", "POST", path, nil), status)
	}
	b.at = b.at.Add(webhook.Overlap)
	b.want(t, b.send(t, "mei", "POST", path, nil), http.StatusOK)
}

// TestWebhooksOfOthersAreNotThere asks for mei's webhook as lin, in every way.
func TestWebhooksOfOthersAreNotThere(t *testing.T) {
	b := ahead(t)
	b.koc(t, "mei")
	b.koc(t, "lin")
	made := b.hook(t, "mei")
	own := b.hook(t, "lin")
	b.heard(t, "mei", made.ID, 3)
	before := b.stored(t)
	for _, id := range []string{made.ID, "wh_none", "%2e%2e", strings.Repeat("x", 200)} {
		at := "/v1/webhooks/" + id
		var answers []webtest.Answer
		for _, c := range []struct {
			method, path string
			body         any
		}{{"GET", at, nil}, {"PATCH", at, map[string]any{"active": false}}, {"DELETE", at, nil}, {"POST", at + "/rotate", nil}, {"POST", at + "/test", nil},
			{"GET", at + "/deliveries", nil}, {"POST", at + "/redeliver", map[string]any{"from": "2100-01-01T00:00:00Z"}}} {
			answers = append(answers, b.want(t, b.send(t, "lin", c.method, c.path, c.body), http.StatusNotFound))
		}
		for _, a := range answers {
			if a.Problem(t).Detail != answers[0].Problem(t).Detail {
				t.Errorf("%s is told apart: %s", id, a)
			}
		}
	}
	if after := b.stored(t); !slices.Equal(before, after) {
		t.Errorf("mei's webhook changed from %v to %v", before, after)
	}
	// Her cursors open nothing of his, and the other way round.
	page := get[hooks.WebhookDeliveryPage](t, b, "mei", "/v1/webhooks/"+made.ID+"/deliveries?limit=1")
	b.want(t, b.send(t, "lin", "GET", "/v1/webhooks/"+own.ID+"/deliveries?cursor="+page.Next, nil), http.StatusBadRequest)
	b.want(t, b.send(t, "lin", "POST", "/v1/webhooks/"+own.ID+"/redeliver", map[string]any{"from": page.Items[0].Cursor}), http.StatusBadRequest)
	b.want(t, b.send(t, "mei", "POST", "/v1/webhooks/"+made.ID+"/redeliver", map[string]any{"from": page.Next}), http.StatusBadRequest)
}

func TestDeliveriesAreListedAndSentAgain(t *testing.T) {
	b := ahead(t)
	b.koc(t, "mei")
	made := b.hook(t, "mei")
	events := b.heard(t, "mei", made.ID, 5)
	path := "/v1/webhooks/" + made.ID
	var ids []string
	cursors := map[string]string{}
	for next := ""; ; {
		page := get[hooks.WebhookDeliveryPage](t, b, "mei", path+"/deliveries?limit=2&cursor="+next)
		for _, d := range page.Items {
			ids = append(ids, d.ID)
			cursors[d.ID] = d.Cursor
			if d.Status != "delivered" || d.Attempts != 1 || d.Answer != 200 || d.DueAt != nil || d.Type != "commission.accrual" {
				t.Errorf("delivery %+v", d)
			}
		}
		if next = page.Next; next == "" {
			break
		}
	}
	if len(ids) != 5 || ids[0] != events[4].ID || ids[4] != events[0].ID {
		t.Fatalf("listed %v", ids)
	}
	due := func() (due []string) {
		t.Helper()
		found, err := b.store.DueDeliveries(t.Context(), b.at, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			due = append(due, d.Event.ID)
		}
		slices.Sort(due)
		return due
	}
	again := func(from string) (r hooks.Redelivery) {
		t.Helper()
		b.want(t, b.send(t, "mei", "POST", path+"/redeliver", map[string]any{"from": from}), http.StatusOK).Decode(t, &r)
		return r
	}
	if r := again(cursors[events[2].ID]); r.Due != 2 || r.Next != "" || !slices.Equal(due(), []string{events[3].ID, events[4].ID}) {
		t.Errorf("after the third: %+v, due %v", r, due())
	}
	if r := again(events[1].At.Format(time.RFC3339)); r.Due != 4 || len(due()) != 4 {
		t.Errorf("since the second: %+v, due %v", r, due())
	}
	if r := again("2101-01-01T00:00:00+08:00"); r.Due != 0 || r.Next != "" {
		t.Errorf("of the future: %+v", r)
	}
	for _, wrong := range []string{"", "yesterday", "2026-03-01", cursors[events[0].ID] + "x", strings.Repeat("x", 3000)} {
		b.want(t, b.send(t, "mei", "POST", path+"/redeliver", map[string]any{"from": wrong}), http.StatusBadRequest)
	}
	b.want(t, b.send(t, "mei", "PATCH", path, map[string]any{"active": false}), http.StatusOK)
	b.want(t, b.send(t, "mei", "POST", path+"/redeliver", map[string]any{"from": "2100-01-01T00:00:00Z"}), http.StatusConflict)
	b.want(t, b.send(t, "mei", "POST", path+"/test", nil), http.StatusConflict)
}

func TestManyDeliveriesAreSentAgainPieceByPiece(t *testing.T) {
	b := ahead(t)
	b.koc(t, "mei")
	made := b.hook(t, "mei")
	b.heard(t, "mei", made.ID, 520)
	var total, requests int
	for from := "2100-01-01T00:00:00Z"; from != ""; requests++ {
		var r hooks.Redelivery
		b.want(t, b.send(t, "mei", "POST", "/v1/webhooks/"+made.ID+"/redeliver", map[string]any{"from": from}), http.StatusOK).Decode(t, &r)
		total, from = total+r.Due, r.Next
		if requests > 5 {
			t.Fatal("no end")
		}
	}
	if total != 520 || requests != 2 {
		t.Errorf("%d are due again, in %d requests", total, requests)
	}
}

func TestATestEventIsDueAtOnce(t *testing.T) {
	b := ahead(t)
	b.koc(t, "mei")
	made := b.hook(t, "mei")
	var sent [2]hooks.TestSent
	for i := range sent {
		b.want(t, b.send(t, "mei", "POST", "/v1/webhooks/"+made.ID+"/test", nil), http.StatusAccepted).Decode(t, &sent[i])
	}
	due, err := b.store.DueDeliveries(t.Context(), b.at, 10)
	if err != nil || len(due) != 1 || due[0].Event.ID != sent[0].Event || sent[0] != sent[1] || due[0].Event.Type != webhook.Test || due[0].Event.Data.KOC != "mei" {
		t.Errorf("sent %v, due %+v, %v", sent, due, err)
	}
	page := get[hooks.WebhookDeliveryPage](t, b, "mei", "/v1/webhooks/"+made.ID+"/deliveries")
	if len(page.Items) != 1 || page.Items[0].Status != "due" || page.Items[0].DueAt == nil {
		t.Errorf("listed %+v", page)
	}
}

// TestASealedSecretIsBoundToItsWebhook: what is stored for one endpoint opens for no other.
func TestASealedSecretIsBoundToItsWebhook(t *testing.T) {
	b := ahead(t)
	b.koc(t, "mei")
	one, two := b.hook(t, "mei"), b.hook(t, "mei")
	found, err := b.store.Webhooks(t.Context(), []webhook.Owner{"mei"})
	if err != nil {
		t.Fatal(err)
	}
	sealed := found["mei"].List[0].Secrets[0].Sealed
	open := func(binding seal.Binding) string {
		text, err := b.hooks.Box.Open(binding, sealed)
		if err != nil {
			return ""
		}
		return text
	}
	if strings.Contains(sealed, one.Secret) || open(webhook.SecretBinding("mei", one.ID)) != one.Secret || open(webhook.SecretBinding("mei", two.ID)) != "" || open(webhook.SecretBinding("lin", one.ID)) != "" {
		t.Errorf("sealed %s of %s", sealed, one.Secret)
	}
}
