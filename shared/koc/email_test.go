package koc_test

import (
	"fmt"
	"testing"
	"time"

	"yundian/shared/fail"
	"yundian/shared/koc"
)

var eight = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func withEmail(t *testing.T) koc.Profile {
	t.Helper()
	p, err := koc.NewProfile("mei", "Mei", "old@example.com", eight.AddDate(0, -1, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Approve("", eight.AddDate(0, -1, 0)); err != nil {
		t.Fatal(err)
	}
	return p
}

const hold = 72 * time.Hour

// TestANewAddressCountsWhenConfirmed follows the address of letters through a change.
func TestANewAddressCountsWhenConfirmed(t *testing.T) {
	p := withEmail(t)
	if err := p.AskEmail(" NEW＠example.com", eight); err != nil || p.Email != "old@example.com" || p.Pending(eight).Email != "new@example.com" || !p.HeldUntil().IsZero() {
		t.Fatalf("%+v, %v", p, err)
	}
	confirmed := eight.Add(47 * time.Hour)
	if err := p.ConfirmEmail(1, hold, confirmed); err != nil || p.Email != "new@example.com" || p.EmailChange != nil || !p.HeldUntil().Equal(confirmed.Add(hold)) {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, c := range []struct {
		at               time.Time
		address, besides string
	}{
		{eight, "old@example.com", ""},
		{confirmed, "old@example.com", ""}, // the letter about this very change
		{confirmed.Add(time.Second), "new@example.com", "old@example.com"},
		{confirmed.Add(hold - time.Second), "new@example.com", "old@example.com"},
		{confirmed.Add(hold), "new@example.com", ""},
	} {
		if p.EmailAt(c.at) != c.address || p.FormerEmail(c.at) != c.besides {
			t.Errorf("at %s letters go to %q and %q, want %q and %q", c.at, p.EmailAt(c.at), p.FormerEmail(c.at), c.address, c.besides)
		}
	}
	again := p
	if err := again.ConfirmEmail(1, hold, confirmed.Add(time.Hour)); err != nil || len(again.Emails) != 1 || !again.HeldUntil().Equal(p.HeldUntil()) {
		t.Errorf("confirmed again: %+v, %v", again, err)
	}
}

func TestChangesOfAddressThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		before func(p *koc.Profile)
		n      int64
		after  time.Duration
		code   string
	}{
		"never asked": {func(*koc.Profile) {}, 1, 0, "email_link"},
		"another":     {func(p *koc.Profile) { _ = p.AskEmail("new@example.com", eight) }, 2, 0, "email_link"},
		"nought":      {func(p *koc.Profile) { _ = p.AskEmail("new@example.com", eight) }, 0, 0, "email_link"},
		"too old":     {func(p *koc.Profile) { _ = p.AskEmail("new@example.com", eight) }, 1, koc.ConfirmHours * time.Hour, "email_link"},
		"replaced": {func(p *koc.Profile) {
			_ = p.AskEmail("new@example.com", eight)
			_ = p.AskEmail("newer@example.com", eight)
		}, 1, 0, "email_link"},
		"same, anew": {func(p *koc.Profile) {
			_ = p.AskEmail("new@example.com", eight)
			_ = p.AskEmail("new@example.com", eight)
		}, 1, 0, "email_link"},
		"withdrawn": {func(p *koc.Profile) {
			_ = p.AskEmail("new@example.com", eight)
			_ = p.AskEmail("old@example.com", eight)
		}, 1, 0, "email_link"},
		"suspended":    {func(p *koc.Profile) { _ = p.AskEmail("new@example.com", eight); _ = p.Suspend("fraud", eight) }, 1, 0, "koc_suspended"},
		"in good time": {func(p *koc.Profile) { _ = p.AskEmail("new@example.com", eight) }, 1, koc.ConfirmHours*time.Hour - 1, ""},
	} {
		p := withEmail(t)
		c.before(&p)
		err := p.ConfirmEmail(c.n, hold, eight.Add(c.after))
		if (err == nil) != (c.code == "") || err != nil && (!fail.Is(err, c.code) || p.Email != "old@example.com" || len(p.Emails) > 0) {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
	}
	p := withEmail(t)
	if err := p.AskEmail("nowhere", eight); !fail.Is(err, "invalid_fields") || p.EmailChange != nil {
		t.Errorf("no address: %v, %+v", err, p)
	}
	for i := range koc.MaxAsksADay {
		if err := p.AskEmail(fmt.Sprintf("new%d@example.com", i), eight.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.AskEmail("stranger@example.com", eight.Add(23*time.Hour)); !fail.Is(err, "email_changes") || p.EmailChange.Email != "new4@example.com" {
		t.Errorf("a sixth letter of one day: %v", err)
	}
	if err := p.AskEmail("stranger@example.com", eight.Add(24*time.Hour)); err != nil {
		t.Errorf("on the next day: %v", err)
	}
}

// TestAllHoldsCount: a second change does not end the hold of the first, and what is kept is bounded.
func TestAllHoldsCount(t *testing.T) {
	p := withEmail(t)
	at := eight
	for i := range koc.MaxEmails + 5 {
		at = at.Add(24 * time.Hour)
		if err := p.AskEmail(fmt.Sprintf("m%d@example.com", i), at); err != nil {
			t.Fatal(err)
		}
		hold := hold
		if i == koc.MaxEmails+4 {
			hold = time.Hour
		}
		if err := p.ConfirmEmail(int64(i+1), hold, at); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.FormerEmail(at.Add(time.Second)); got != "m21@example.com" { // those of two days before were held until now
		t.Errorf("letters also go to %s", got)
	}
	if want := at.Add(48 * time.Hour); len(p.Emails) != koc.MaxEmails || !p.HeldUntil().Equal(want) {
		t.Errorf("%d addresses, held until %s, want %s", len(p.Emails), p.HeldUntil(), want)
	}
}
