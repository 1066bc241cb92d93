package provider

import (
	"context"
	"slices"
	"strings"
	"testing"

	"yundian/shared/fail"
	"yundian/shared/payout"
)

// sender is a rail with nothing behind it.
type sender struct{ Rail }

func (sender) Name() string { return payout.Stripe }

func TestRails(t *testing.T) {
	api := runtimeAPI(t, text(200, `{"key": "`+testKey+`", "url": "http://127.0.0.1:8080"}`))
	r, err := NewRails([]string{" bank", "", "sandbox ", "bank"}, api, sender{})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Names(t.Context()); !slices.Equal(got, []string{"bank", "sandbox"}) {
		t.Errorf("names %v", got)
	}
	for name, offered := range map[string]bool{"bank": true, "sandbox": true, "stripe": false, "": false, "BANK": false, strings.Repeat("x", 5000): false} {
		if err := r.Offered(t.Context(), name); (err == nil) != offered || !offered && fail.KindOf(err) != fail.Invalid {
			t.Errorf("%.20q offered: %v", name, err)
		}
	}
	// No longer offered, but what was sent by it has to be looked up.
	if s, err := r.Sender(t.Context(), "stripe"); err != nil || s.Name() != "stripe" {
		t.Errorf("%v %v", s, err)
	}
	for _, name := range []string{"bank", "", "paypal", strings.Repeat("x", 5000)} {
		if s, err := r.Sender(t.Context(), name); s != nil || err == nil || fail.KindOf(err) != fail.Internal || len(err.Error()) > 200 {
			t.Errorf("%.20q: %v %v", name, s, err)
		}
	}
	if _, err := NewRails([]string{"paypal"}, ""); err == nil {
		t.Error("a rail nobody wrote was accepted")
	}
	without, err := NewRails([]string{"stripe"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := without.Sender(context.Background(), "stripe"); s != nil || err == nil {
		t.Errorf("a rail without a key: %v %v", s, err)
	}
}
