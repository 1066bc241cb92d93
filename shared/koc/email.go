package koc

import (
	"slices"
	"time"

	"yundian/shared/fail"
)

// The e-mail address is where a KOC hears that money goes elsewhere. Whoever has stolen a login would change it first. So
// a new one is asked for, counts when its owner says so, is told to the old one, and holds payouts for a while.

// EmailChange is an address to which letters are to go when its owner has confirmed it.
type EmailChange struct {
	N     int64 // counts the changes of this KOC from 1
	Email string
	At    time.Time
}

// EmailSpan is an address that letters went to, and until when it was in force.
type EmailSpan struct {
	Email string
	Until time.Time
	N     int64     // the change that ended it
	Held  time.Time // until when payouts wait because of that
}

// Limits of changing an e-mail address.
const (
	ConfirmHours = 48 // how long a new address can be confirmed
	MaxAsksADay  = 5  // each writes to an address that may be anybody's
	MaxEmails    = 20 // earlier addresses kept: letters about what was before go to one of them
)

// AskEmail begins a change of the address; the one in force begins none, and ends one that was begun. Asking again for the
// same address begins anew, with another letter.
func (p *Profile) AskEmail(text string, now time.Time) error {
	email, wrong := readEmail(text)
	if wrong != nil {
		return fail.NewFields(wrong)
	}
	if email == p.Email {
		p.EmailChange = nil
		return nil
	}
	recent := slices.DeleteFunc(slices.Clone(p.EmailAsks), func(at time.Time) bool { return now.Sub(at) >= 24*time.Hour })
	if len(recent) >= MaxAsksADay {
		return fail.New(fail.TooMany, "email_changes", "A new e-mail address can be entered {limit} times a day. Please try again tomorrow.", fail.Args{"limit": MaxAsksADay})
	}
	p.EmailAsks = append(recent, now)
	p.EmailChanges++
	p.EmailChange = &EmailChange{N: p.EmailChanges, Email: email, At: now}
	return nil
}

// Pending is the change that can be confirmed now, or nil.
func (p Profile) Pending(now time.Time) *EmailChange {
	if c := p.EmailChange; c != nil && now.Before(c.At.Add(ConfirmHours*time.Hour)) {
		return c
	}
	return nil
}

// ConfirmEmail puts the n-th change in force, from now on, and holds payouts. Confirming it again changes nothing; one that is
// over, or that another one has replaced, is refused like one that never was.
func (p *Profile) ConfirmEmail(n int64, hold time.Duration, now time.Time) error {
	c := p.Pending(now)
	switch {
	case p.Confirmed(n):
		return nil
	case p.Status() == Suspended:
		return fail.New(fail.Denied, "koc_suspended", "This KOC account is suspended: what it has earned can be read, and nothing can be changed. Please talk to the shop.", nil)
	case c == nil || c.N != n:
		return EmailLinkRefused()
	}
	p.Emails = append(slices.Clone(p.Emails), EmailSpan{Email: p.Email, Until: now, N: n, Held: now.Add(hold)})
	p.Emails = p.Emails[max(0, len(p.Emails)-MaxEmails):]
	p.Email, p.EmailChange = c.Email, nil
	return nil
}

// Confirmed reports whether the n-th change is in force.
func (p Profile) Confirmed(n int64) bool {
	return len(p.Emails) > 0 && p.Emails[len(p.Emails)-1].N == n
}

// EmailLinkRefused is the one answer to every link that confirms nothing.
func EmailLinkRefused() error {
	return fail.New(fail.NotFound, "email_link", "This link is not valid: it is too old, or a newer one was sent. Please enter the e-mail address again.", nil)
}

// EmailAt is the address that was in force at a moment, that before the change when it is the moment of one: a letter about a
// change goes to whoever was there before.
func (p Profile) EmailAt(at time.Time) string {
	for _, span := range p.Emails {
		if !at.After(span.Until) {
			return span.Email
		}
	}
	return p.Email
}

// FormerEmail is the address before the one in force at a moment, while payouts are held because of the change; empty
// otherwise. Until then a letter about the account goes there, too: the newer one may be a thief's. Of several changes that
// is the address before the first, which no second one can push aside.
func (p Profile) FormerEmail(at time.Time) string {
	for _, span := range p.Emails {
		if at.After(span.Until) && at.Before(span.Held) {
			return span.Email
		}
	}
	return ""
}

// HeldUntil is until when payouts wait because the address was changed; a moment of the past, or zero, when they do not.
func (p Profile) HeldUntil() time.Time {
	var until time.Time
	for _, span := range p.Emails {
		if span.Held.After(until) {
			until = span.Held
		}
	}
	return until
}
