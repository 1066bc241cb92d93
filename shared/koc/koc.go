// Package koc is who shares: key opinion consumers, ordinary customers with a storefront and share links of their own.
package koc

import (
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"yundian/shared/fail"
	"yundian/shared/identity"
	"yundian/shared/shop"
	"yundian/shared/typed"
)

// Status is where a KOC stands with the brand.
type Status string

const (
	Applied   Status = "applied"
	Approved  Status = "approved"
	Suspended Status = "suspended"
)

// Profile is one KOC. The handle is chosen once and never changes: it is in printed posters, in share links
// and in the ledger, and it is the KOC's id everywhere.
type Profile struct {
	Handle    string
	Version   int64
	Name      string
	Email     string
	Phone     string `json:",omitzero"` // with its country code; empty when the KOC has not said
	Story     string // the KOC's own words on the storefront, plain text
	Portrait  string // picture address
	Language  string `json:",omitzero"` // of what the shop writes to them; empty is the shop's first
	Standings []Standing
	Tiers     []Tier      `json:",omitzero"` // every tier and since when
	Inviter   *Invitation `json:",omitzero"` // who had invited this KOC; written once
	Shelf     []ShelfItem // nil until the KOC chooses: the brand's default shelf shows meanwhile
	Subject   string      // the login this KOC bound with an invitation; empty before
	Invite    string      // hash of the one-time invitation; empty when none is open
	InvitedAt time.Time
	CreatedAt time.Time
	// Identity is by what an order of the KOC's own is recognised: keyed hashes of what the KOC is and was reached by.
	Identity identity.Hashes `json:",omitzero"`

	EmailChange  *EmailChange `json:",omitzero"` // a new address that waits for its owner's word
	EmailChanges int64        `json:",omitzero"` // counts what was asked for
	EmailAsks    []time.Time  `json:",omitzero"` // when, of the last day
	Emails       []EmailSpan  `json:",omitzero"` // addresses of before, oldest first
}

// Standing is a status and since when. Decisions about an order use the standing at its placement.
type Standing struct {
	Status Status    `json:"status"`
	From   time.Time `json:"from"`
	Reason string    `json:"reason,omitempty"`
}

// Tier is a class of KOCs that rules can name, and since when a KOC is in it; an empty name is none. Decisions about an
// order use the tier at its placement.
type Tier struct {
	Name string    `json:"name"`
	From time.Time `json:"from"`
}

// Invitation says which KOC brought another one in, and since when the shop knows.
type Invitation struct {
	KOC  string    `json:"koc"`
	From time.Time `json:"from"`
}

// ShelfItem is a product on a storefront, with the KOC's note about it.
type ShelfItem struct {
	Product string `json:"product"`
	Note    string `json:"note"`
}

// Limits of a profile.
const (
	MaxStory     = 2000 // characters
	MaxNote      = 300  // characters
	MaxStandings = 50   // status changes kept, with their reasons; more is a conversation, not a click
	MaxTiers     = 200  // changes of the tier kept
	MaxTierName  = 30   // bytes
	InviteDays   = 14   // how long an invitation can be used
)

// lazily compiles a pattern when it is first needed: that takes a good part of a function's start-up.
func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

var handleForm = lazily(`^[a-z0-9]+(?:-[a-z0-9]+)*$`)

// NewProfile is a fresh applicant. It refuses a handle or contact that cannot be used.
func NewProfile(handle, name, email string, now time.Time) (Profile, error) {
	var f []fail.Field
	handle = typed.Code(handle)
	if !ValidHandle(handle) {
		f = append(f, fail.At("body.handle", "handle_form", "3–30 lower-case letters and digits, words joined by single hyphens.", nil))
	}
	p := Profile{Handle: handle, CreatedAt: now, Standings: []Standing{{Status: Applied, From: now}}}
	var wrong []fail.Field
	p.Name, wrong = typed.Line("body.name", name, nameLength)
	f = append(f, wrong...)
	p.Email, wrong = readEmail(email)
	return p, fail.NewFields(append(f, wrong...))
}

// nameLength is how many characters a KOC's name has.
var nameLength = typed.Length{Low: 1, High: 60}

// readEmail reads the address to which the shop writes to a KOC.
func readEmail(text string) (string, []fail.Field) {
	address, ok := typed.Email(text)
	if !ok {
		return address, []fail.Field{fail.At("body.email", "email_form", "An e-mail address such as mei@example.com.", nil)}
	}
	return address, nil
}

// readPhone reads a phone number that may be left out.
func readPhone(where, text string) (string, []fail.Field) {
	if typed.Code(text) == "" {
		return "", nil
	}
	number, ok := typed.Phone(text)
	if !ok {
		return "", []fail.Field{fail.At(where, "phone_form", "A phone number with its country code, such as +86 138 0000 0000.", nil)}
	}
	return number, nil
}

// ValidHandle reports whether a handle may be used.
func ValidHandle(handle string) bool {
	return len(handle) >= 3 && len(handle) <= 30 && handleForm().MatchString(handle)
}

// Recognise notes by what an order of the KOC's own is known: nobody earns by buying from oneself. It is called wherever a
// way to reach the KOC changes, so that the hashes are there before the first order. more is what else is the KOC's.
func (p *Profile) Recognise(key identity.Key, more identity.Hashes) {
	p.Identity = p.Identity.And(slices.Concat(key.Email(p.Email), key.Phone(p.Phone), more))
}

// Status is the KOC's standing now.
func (p Profile) Status() Status {
	if len(p.Standings) == 0 {
		return Applied
	}
	return p.Standings[len(p.Standings)-1].Status
}

// SuspendedSince is when the suspension began that the KOC is under now; zero when there is none.
func (p Profile) SuspendedSince() time.Time {
	if p.Status() != Suspended {
		return time.Time{}
	}
	return p.Standings[len(p.Standings)-1].From
}

// StatusAt is the KOC's standing at a past moment; Applied before the first.
func (p Profile) StatusAt(at time.Time) Status {
	status := Applied
	for _, s := range p.Standings {
		if s.From.After(at) {
			break
		}
		status = s.Status
	}
	return status
}

// Approve lets the KOC share and earn, and opens a one-time invitation whose hash is kept. Approving an
// approved KOC whose login is not bound yet replaces a lost invitation.
func (p *Profile) Approve(inviteHash string, now time.Time) error {
	switch {
	case p.Status() == Approved && p.Subject != "":
		return fail.New(fail.Conflict, "koc_already_approved", "{koc} is approved and has already bound a login.", fail.Args{"koc": p.Handle})
	case p.Status() != Approved:
		if err := p.stand(Standing{Status: Approved, From: now}); err != nil {
			return err
		}
	}
	if p.Subject == "" {
		p.Invite, p.InvitedAt = inviteHash, now
	}
	return nil
}

// Suspend stops the KOC at once. Suspending a suspended KOC changes nothing.
func (p *Profile) Suspend(reason string, now time.Time) error {
	if p.Status() == Suspended {
		return nil
	}
	p.Invite = ""
	return p.stand(Standing{Status: Suspended, From: now, Reason: reason})
}

func (p *Profile) stand(s Standing) error {
	if len(p.Standings) >= MaxStandings {
		return fail.New(fail.TooMany, "koc_standings", "{koc} has changed status too often.", fail.Args{"koc": p.Handle})
	}
	if n := len(p.Standings); n > 0 && !s.From.After(p.Standings[n-1].From) {
		s.From = p.Standings[n-1].From.Add(time.Millisecond) // clocks of two functions may disagree; the order of events may not
	}
	p.Standings = append(p.Standings, s)
	return nil
}

// ValidTier reports whether a class of KOCs can have this name.
func ValidTier(name string) bool { return len(name) <= MaxTierName && handleForm().MatchString(name) }

// Tier is the class that the KOC is in now; empty for none.
func (p Profile) Tier() string {
	if len(p.Tiers) == 0 {
		return ""
	}
	return p.Tiers[len(p.Tiers)-1].Name
}

// TierAt is the class that the KOC was in at a moment.
func (p Profile) TierAt(at time.Time) string {
	name := ""
	for _, t := range p.Tiers {
		if t.From.After(at) {
			break
		}
		name = t.Name
	}
	return name
}

// SetTier moves the KOC to a class from now on; an empty name is none. The same class again changes nothing.
func (p *Profile) SetTier(name string, now time.Time) error {
	switch {
	case name == p.Tier():
		return nil
	case name != "" && !ValidTier(name):
		return fail.NewFields([]fail.Field{fail.At("body.tier", "tier_form", "1–{limit} lower-case letters and digits, words joined by single hyphens.", fail.Args{"limit": MaxTierName})})
	case len(p.Tiers) >= MaxTiers:
		return fail.New(fail.TooMany, "koc_tiers", "{koc} has changed tier too often.", fail.Args{"koc": p.Handle})
	}
	if n := len(p.Tiers); n > 0 && !now.After(p.Tiers[n-1].From) {
		now = p.Tiers[n-1].From.Add(time.Millisecond) // as with standings
	}
	p.Tiers = append(slices.Clone(p.Tiers), Tier{name, now})
	return nil
}

// InviterAt is who had invited the KOC, as far as the shop knew at a moment; empty for nobody.
func (p Profile) InviterAt(at time.Time) string {
	if p.Inviter == nil || p.Inviter.From.After(at) {
		return ""
	}
	return p.Inviter.KOC
}

// InvitedBy notes which KOC brought this one in. That is said once: earnings of years may hang on it. The same inviter
// again changes nothing.
func (p *Profile) InvitedBy(inviter Profile, now time.Time) error {
	switch {
	case inviter.Handle == p.Handle:
		return fail.NewFields([]fail.Field{fail.At("body.inviter", "inviter_self", "Nobody invites themselves.", nil)})
	case p.Inviter != nil && p.Inviter.KOC == inviter.Handle:
		return nil
	case p.Inviter != nil:
		return fail.New(fail.Conflict, "inviter_fixed", "{koc} was invited by {inviter}. That cannot change any more.", fail.Args{"koc": p.Handle, "inviter": p.Inviter.KOC})
	case inviter.Status() != Approved:
		return fail.NewFields([]fail.Field{fail.At("body.inviter", "inviter_not_approved", "{koc} is not an approved KOC.", fail.Args{"koc": inviter.Handle})})
	}
	p.Inviter = &Invitation{KOC: inviter.Handle, From: now}
	return nil
}

// Bind ties a login to the KOC with the invitation whose hash is given, once.
func (p *Profile) Bind(subject, inviteHash string, now time.Time) error {
	switch {
	case p.Subject == subject && subject != "":
		return nil
	case p.Status() != Approved, p.Subject != "", p.Invite == "", p.Invite != inviteHash,
		now.After(p.InvitedAt.AddDate(0, 0, InviteDays)):
		return InviteRefused()
	}
	p.Subject, p.Invite = subject, ""
	return nil
}

// InviteRefused is the one answer to every invitation that cannot be used, so that nobody can probe for others'.
func InviteRefused() error {
	return fail.New(fail.Invalid, "invite_refused", "This invitation cannot be used: it is unknown, used or too old. Ask the shop for a new one.", nil)
}

// SetShelf replaces the shelf. Products must exist; that is the caller's to check.
func (p *Profile) SetShelf(items []ShelfItem) error {
	var f []fail.Field
	items = slices.Clone(items)
	if len(items) > shop.ShelfLimit {
		f = append(f, fail.At("body.items", "too_many", "At most {limit} entries.", fail.Args{"limit": shop.ShelfLimit}))
	}
	seen := map[string]bool{}
	for i, it := range items {
		at := func(where string) string { return fmt.Sprintf("body.items[%d].%s", i, where) }
		if seen[it.Product] {
			f = append(f, fail.At(at("product"), "product_twice", "{product} stands twice on this shelf.", fail.Args{"product": it.Product}))
		}
		seen[it.Product] = true
		var wrong []fail.Field
		if items[i].Note, wrong = typed.Lines(at("note"), it.Note, typed.Length{High: MaxNote}); wrong != nil {
			f = append(f, wrong...)
		}
	}
	if len(f) > 0 {
		return fail.NewFields(f)
	}
	p.Shelf = items
	if p.Shelf == nil {
		p.Shelf = []ShelfItem{}
	}
	return nil
}

// Display is the shelf a shopper sees: the KOC's own, or the brand's default until the KOC has chosen.
func (p Profile) Display(defaultShelf []string) []ShelfItem {
	if p.Shelf != nil {
		return p.Shelf
	}
	items := make([]ShelfItem, len(defaultShelf))
	for i, id := range defaultShelf {
		items[i] = ShelfItem{Product: id}
	}
	return items
}
