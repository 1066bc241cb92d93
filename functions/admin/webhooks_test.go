package main

import (
	"net/http"
	"strings"
	"testing"

	"yundian/shared/hooks"
	"yundian/shared/webhook"
)

// TestOperatorsShareTheirWebhooksAndSeeNobodyElses: all operators look after the same ones, auditors only look.
func TestOperatorsShareTheirWebhooksAndSeeNobodyElses(t *testing.T) {
	b := open(t)
	mine := webhook.NewEndpoint("wh_mei", "https://mei.example/", nil, "sealed", noon)
	if _, err := b.store.UpdateWebhooks(t.Context(), "mei", func(e *webhook.Endpoints) (bool, error) { return true, e.Add(mine) }, nil); err != nil {
		t.Fatal(err)
	}
	made := decode[hooks.NewWebhook](t, want(t, b.send(t, "POST", "/v1/admin/webhooks", body{"url": "https://brand.example/in"}), http.StatusCreated))
	other := caller(operator, "day-shift")
	for _, who := range []struct {
		path   string
		status int
	}{{"/v1/admin/webhooks/" + made.ID, 200}, {"/v1/admin/webhooks/wh_mei", 404}, {"/v1/admin/webhooks/wh_mei/deliveries", 404}} {
		want(t, b.as(t, other, "GET", who.path, nil), who.status)
		want(t, b.as(t, caller(auditor), "GET", who.path, nil), who.status)
	}
	if page := decode[hooks.WebhookPage](t, want(t, b.as(t, other, "GET", "/v1/admin/webhooks", nil), http.StatusOK)); len(page.Items) != 1 || page.Items[0].ID != made.ID {
		t.Errorf("list %+v", page)
	}
	if rotated := decode[hooks.NewWebhook](t, want(t, b.as(t, other, "POST", "/v1/admin/webhooks/"+made.ID+"/rotate", nil), http.StatusOK)); rotated.Secret == made.Secret || len(rotated.Secrets) != 2 {
		t.Errorf("rotated %+v", rotated)
	}
	want(t, b.as(t, caller(auditor), "POST", "/v1/admin/webhooks/"+made.ID+"/rotate", nil), http.StatusForbidden)
	want(t, b.as(t, caller(auditor), "DELETE", "/v1/admin/webhooks/"+made.ID, nil), http.StatusForbidden)
	want(t, b.send(t, "DELETE", "/v1/admin/webhooks/wh_mei", nil), http.StatusNotFound)
	want(t, b.send(t, "DELETE", "/v1/admin/webhooks/"+made.ID, nil), http.StatusNoContent)
}

// TestOperatorsRemoveAKOCsWebhook: they see where it leads and never its secret, and can take it away.
func TestOperatorsRemoveAKOCsWebhook(t *testing.T) {
	b := open(t)
	b.approve(t, "mei")
	mine := webhook.NewEndpoint("wh_mei", "https://mei.example/", nil, "sealed-secret", noon)
	if _, err := b.store.UpdateWebhooks(t.Context(), "mei", func(e *webhook.Endpoints) (bool, error) { return true, e.Add(mine) }, nil); err != nil {
		t.Fatal(err)
	}
	const path = "/v1/admin/kocs/mei/webhooks"
	a := want(t, b.as(t, caller(auditor), "GET", path, nil), http.StatusOK)
	if page := decode[hooks.WebhookPage](t, a); len(page.Items) != 1 || page.Items[0].URL != "https://mei.example/" || strings.Contains(a.Body, "sealed-secret") {
		t.Errorf("list %s", a)
	}
	want(t, b.send(t, "GET", "/v1/admin/kocs/nobody/webhooks", nil), http.StatusNotFound)
	want(t, b.as(t, caller(auditor), "DELETE", path+"/wh_mei", nil), http.StatusForbidden)
	want(t, b.send(t, "DELETE", "/v1/admin/kocs/lin/webhooks/wh_mei", nil), http.StatusNotFound)
	want(t, b.send(t, "DELETE", path+"/wh_mei", nil), http.StatusNoContent)
	want(t, b.send(t, "DELETE", path+"/wh_mei", nil), http.StatusNotFound)
	if page := get[hooks.WebhookPage](t, b, path); len(page.Items) != 0 {
		t.Errorf("left %+v", page)
	}
}
