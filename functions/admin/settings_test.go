package main

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"yundian/shared/money"
	"yundian/shared/web/webtest"
)

func TestSettings(t *testing.T) {
	b := open(t)
	s := get[Settings](t, b, "/v1/admin/settings")
	if s.Brand == "" || s.Currency != "CNY" || s.DefaultRate != 1000 || s.Windows.ReturnDays != 7 || !s.AdvertisingLabel || s.Shipping.Fee.Currency != "CNY" {
		t.Fatalf("settings %+v", s)
	}
	change := func(c any) Settings {
		t.Helper()
		return decode[Settings](t, want(t, b.send(t, "PATCH", "/v1/admin/settings", c), 200))
	}
	if s := change(body{"brand": "茶云", "windows": body{"returnDays": 0, "holdMinutes": 5}, "shipping": body{"fee": amount(800), "freeFrom": amount(9900)},
		"licence": body{"icp": "浙ICP备1号"}, "languages": []string{"en"}, "advertisingLabel": false, "tax": 300}); s.Brand != "茶云" || s.Windows.ReturnDays != 0 ||
		s.Windows.HoldMinutes != 5 || s.Windows.ReceiptDays != 15 || s.Shipping.Fee.Minor != 800 || s.Shipping.FreeFrom.Minor != 9900 || s.Licence.ICP != "浙ICP备1号" ||
		!slices.Equal(s.Languages, []string{"en"}) || s.AdvertisingLabel || s.Tax != 300 || s.Version != 1 {
		t.Errorf("settings %+v", s)
	}
	if s := change(body{"currency": "USD"}); s.Currency != "USD" || s.Shipping.Fee.Currency != "USD" {
		t.Errorf("currency %+v", s)
	}
	if s := change(body{}); s.Version != 2 {
		t.Errorf("a change of nothing made version %d", s.Version)
	}
	wantCode(t, b.send(t, "PATCH", "/v1/admin/settings", body{"version": 1, "brand": "x"}), 409, "changed_meanwhile")
	if s := change(body{"version": 2, "brand": "x"}); s.Brand != "x" || s.Version != 3 {
		t.Errorf("settings %+v", s)
	}
}

func TestLimits(t *testing.T) {
	b := open(t)
	if got, want := get[Settings](t, b, "/v1/admin/settings").Limits, (SettingsLimits{OpenOrders: 10, OpenPieces: 500, OnDeliveryPieces: 50, ConfirmAbove: money.Of(100_000, "CNY"), ConfirmHours: 48}); got != want {
		t.Errorf("limits of a new shop: %+v", got)
	}
	for name, wrong := range map[string][]int{"openOrders": {0, 11, -1}, "openPieces": {0, 100_001}, "onDeliveryPieces": {0, 100_001}, "confirmHours": {0, 169}} {
		for _, n := range wrong {
			want(t, b.send(t, "PATCH", "/v1/admin/settings", body{"limits": body{name: n}}), 400)
		}
	}
	changed := decode[Settings](t, want(t, b.send(t, "PATCH", "/v1/admin/settings", body{"limits": body{"openOrders": 2, "onDeliveryPieces": 7, "confirmAbove": amount(0), "confirmHours": 1}}), 200)).Limits
	if want := (SettingsLimits{OpenOrders: 2, OpenPieces: 500, OnDeliveryPieces: 7, ConfirmAbove: money.Of(0, "CNY"), ConfirmHours: 1}); changed != want {
		t.Errorf("limits %+v", changed)
	}
}

func TestDefaultRate(t *testing.T) {
	b := open(t)
	if s := decode[Settings](t, want(t, b.send(t, "PATCH", "/v1/admin/settings", body{"defaultRate": 1200}), 200)); s.DefaultRate != 1200 || s.Version != 0 {
		t.Errorf("settings %+v", s)
	}
	if s := decode[Settings](t, want(t, b.send(t, "PATCH", "/v1/admin/settings", body{"defaultRate": 0, "brand": "y"}), 200)); s.DefaultRate != 0 || s.Brand != "y" {
		t.Errorf("settings %+v", s)
	}
	if book := b.book(t); book.Version != 3 || book.Default != 0 || !book.From.After(noon) {
		t.Errorf("book %+v", book)
	}
}

// TestSettingsAtOnce: edits of different settings at the same time are all kept.
func TestSettingsAtOnce(t *testing.T) {
	b := open(t)
	changes := []body{{"brand": "a"}, {"tagline": "b"}, {"tax": 100}, {"defaultRate": 700}}
	answers := make([]webtest.Answer, len(changes))
	var group sync.WaitGroup
	for i, c := range changes {
		group.Go(func() {
			answers[i] = b.send(t, "PATCH", "/v1/admin/settings", c, "Idempotency-Key", "settings-key-0001"+string(rune('a'+i)))
		})
	}
	group.Wait()
	for _, a := range answers {
		want(t, a, 200)
	}
	if s := get[Settings](t, b, "/v1/admin/settings"); s.Brand != "a" || s.Tagline != "b" || s.Tax != 100 || s.DefaultRate != 700 || s.Version != 3 {
		t.Errorf("settings %+v", s)
	}
}

// TestTheReturnAddress keeps its lines, and has a limit.
func TestTheReturnAddress(t *testing.T) {
	b := open(t)
	s := decode[Settings](t, b.send(t, "PATCH", "/v1/admin/settings", body{"returnAddress": " 文三路 1 号\r\n2 号库\u202e "}))
	if s.ReturnAddress != "文三路 1 号\n2 号库" {
		t.Errorf("%q", s.ReturnAddress)
	}
	wantField(t, b.send(t, "PATCH", "/v1/admin/settings", body{"returnAddress": strings.Repeat("路", 501)}), "body.returnAddress")
	if s := decode[Settings](t, b.send(t, "PATCH", "/v1/admin/settings", body{"returnAddress": ""})); s.ReturnAddress != "" {
		t.Errorf("%q", s.ReturnAddress)
	}
}
