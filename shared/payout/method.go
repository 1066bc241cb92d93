package payout

import (
	"regexp"
	"strings"
	"sync"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ordering"
	"yundian/shared/typed"
)

// The rails by which payouts go.
const (
	Bank    = "bank"    // a file that an operator hands to the bank
	Stripe  = "stripe"  // transfers to a connected account
	Sandbox = "sandbox" // the local runner's; no real money
)

// Method is where a KOC's payouts go, as of one change. Account and name are sealed: they are nobody's business but the
// KOC's, the operators' and the rail's.
type Method struct {
	Version   int64 // counts the KOC's changes from 1; 0 is no method
	Rail      string
	Sealed    string // the Destination
	Mask      string // what may be shown of the account
	At        time.Time
	HeldUntil time.Time // payouts wait until then; zero for the first method, which replaces nothing
	Verified  *Verification
}

// Verification is an operator's word that the name is the KOC's own.
type Verification struct {
	By string
	At time.Time
}

// Destination is an account and who holds it, in the rail's terms.
type Destination struct {
	Account string  `json:"account"`
	Name    string  `json:"name"`
	Contact Contact `json:"contact,omitzero"`
}

// Contact is where the holder of an account is reached, which banks ask for; all of it may be left out.
type Contact struct {
	Phone   string           `json:"phone,omitzero"` // with its country code
	Address ordering.Address `json:"address,omitzero"`
}

// ReadContact reads the contact of an account's holder, or says everything that is wrong with it. An address has at least
// a country, a city and a line.
func ReadContact(c Contact) (Contact, error) {
	var out Contact
	var f, wrong []fail.Field
	if typed.Code(c.Phone) != "" {
		var ok bool
		if out.Phone, ok = typed.Phone(c.Phone); !ok {
			f = append(f, fail.At("body.payout.contact.phone", "phone_form", "A phone number with its country code, such as +86 138 0000 0000.", nil))
		}
	}
	if c.Address == (ordering.Address{}) {
		return out, fail.NewFields(f)
	}
	a := &out.Address
	a.Country, a.Postcode, a.Division = strings.ToUpper(typed.Code(c.Address.Country)), typed.Postcode(c.Address.Postcode), typed.Code(c.Address.Division)
	for _, x := range []struct {
		name, text string
		length     typed.Length
		to         *string
	}{
		{"country", a.Country, typed.Length{Low: 2, High: 2}, &a.Country},
		{"region", c.Address.Region, typed.Length{High: 60}, &a.Region},
		{"city", c.Address.City, typed.Length{Low: 1, High: 60}, &a.City},
		{"district", c.Address.District, typed.Length{High: 60}, &a.District},
		{"division", a.Division, typed.Length{High: 6}, &a.Division},
		{"line1", c.Address.Line1, typed.Length{Low: 1, High: 200}, &a.Line1},
		{"postcode", a.Postcode, typed.Length{High: 11}, &a.Postcode},
	} {
		*x.to, wrong = typed.Line("body.payout.contact.address."+x.name, x.text, x.length)
		f = append(f, wrong...)
	}
	return out, fail.NewFields(f)
}

// MaxChanges bounds how often a KOC can change the method: every version is kept.
const MaxChanges = 200

// maxName bounds the name of an account's holder, in characters; banks take fewer.
const maxName = 80

// lazily compiles a pattern when it is first needed: that takes a good part of a function's start-up.
func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// accountForms are what accounts look like on each rail: card numbers and IBANs, connected accounts, and anything short
// for the sandbox.
var accountForms = map[string]func() *regexp.Regexp{
	Bank:    lazily(`^[A-Z0-9]{6,34}$`),
	Stripe:  lazily(`^acct_[A-Za-z0-9]{6,60}$`),
	Sandbox: lazily(`^[A-Za-z0-9_-]{1,64}$`),
}

// NewDestination reads an account of a rail and its holder's name, or says everything that is wrong with them. Bank
// accounts may be written with spaces and hyphens. The name is kept as it shows, without characters that show nothing or
// turn round what follows: it would look like another one to whoever verifies it.
func NewDestination(rail, account, name string) (Destination, error) {
	d := Destination{Account: typed.Code(account)}
	var f []fail.Field
	d.Name, f = typed.Line("body.payout.name", name, typed.Length{Low: 1, High: maxName})
	form, known := accountForms[rail]
	if !known {
		return d, RailUnknown()
	}
	if rail == Bank {
		d.Account = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(d.Account))
	}
	if !form().MatchString(d.Account) {
		f = append(f, fail.At("body.payout.account", "account_form", "This is not an account of this kind. Bank accounts have 6 to 34 letters and digits.", nil))
	}
	return d, fail.NewFields(f)
}

// RailUnknown answers a rail that the shop does not offer.
func RailUnknown() error {
	return fail.NewFields([]fail.Field{fail.At("body.payout.rail", "rail_unknown", "This shop does not pay out this way.", nil)})
}

// maskedTail is how many characters of an account are shown.
const maskedTail = 4

// Mask is what may be shown of an account: its end, and no more than a third of it.
func (d Destination) Mask() string {
	runes := []rune(d.Account)
	return "••••" + string(runes[len(runes)-min(maskedTail, len(runes)/3):])
}

// Change is a KOC's next method. The first one replaces nothing; every other holds payouts for a while, because whoever
// has stolen a login wants the money elsewhere. One that leaves the money where it is, because only the contact changes,
// comes with no hold. The operator's word stays while the name is the same.
func Change(before Method, next Method, sameName bool, hold time.Duration, now time.Time) (Method, error) {
	if before.Version >= MaxChanges {
		return before, fail.New(fail.TooMany, "payee_changes", "The payout method was changed {limit} times, which is as often as it can be. Please talk to the shop.",
			fail.Args{"limit": MaxChanges})
	}
	next.Version, next.At = before.Version+1, now
	if before.Version == 0 {
		return next, nil
	}
	if hold > 0 {
		next.HeldUntil = now.Add(hold)
	}
	if before.HeldUntil.After(now) && before.HeldUntil.After(next.HeldUntil) {
		next.HeldUntil = before.HeldUntil
	}
	if sameName {
		next.Verified = before.Verified
	}
	return next, nil
}

// Verify records an operator's word that the name is the KOC's. Saying it again changes nothing.
func (m *Method) Verify(by string, now time.Time) {
	if m.Verified == nil {
		m.Verified = &Verification{By: by, At: now}
	}
}

// Ready refuses payouts to a method that is missing or whose name nobody has verified.
func (m Method) Ready() error {
	switch {
	case m.Version == 0:
		return fail.New(fail.Conflict, "payee_missing", "There is no payout method yet. Please enter one first.", nil)
	case m.Verified == nil:
		return fail.New(fail.Conflict, "payee_unverified", "The shop has not verified the name of the payout method yet.", nil)
	default:
		return nil
	}
}

// NotBefore is the method with payouts that wait until a moment at least.
func (m Method) NotBefore(until time.Time) Method {
	if until.After(m.HeldUntil) {
		m.HeldUntil = until
	}
	return m
}

// Held refuses payouts while a change of method, or of the KOC's e-mail address, is young.
func (m Method) Held(now time.Time) error {
	if !now.Before(m.HeldUntil) {
		return nil
	}
	return fail.New(fail.Conflict, "payout_held", "The payout method or the e-mail address was changed; payouts wait until {until}.",
		fail.Args{"until": m.HeldUntil.UTC().Format(time.RFC3339)})
}
