package koc

import (
	"net/url"
	"slices"
	"strings"

	"yundian/shared/fail"
	"yundian/shared/shop"
	"yundian/shared/typed"
)

// Edit is what a KOC may change about themselves; nil keeps what is. The e-mail address has a way of its own: see AskEmail.
type Edit struct {
	Name     *string // 1–60 characters
	Phone    *string // with its country code; empty takes it away
	Story    *string // at most MaxStory characters
	Portrait *string // https address of a picture, or a path on this site; empty takes it away
	Language *string // one of shop.Languages; empty is the shop's first
}

// Edit changes the profile, or says everything that is wrong with the change and leaves the profile as it was.
func (p *Profile) Edit(e Edit) error {
	var f, wrong []fail.Field
	next := *p
	if e.Name != nil {
		next.Name, wrong = typed.Line("body.name", *e.Name, nameLength)
		f = append(f, wrong...)
	}
	if e.Phone != nil {
		next.Phone, wrong = readPhone("body.phone", *e.Phone)
		f = append(f, wrong...)
	}
	if e.Story != nil {
		next.Story, wrong = typed.Lines("body.story", *e.Story, typed.Length{High: MaxStory})
		f = append(f, wrong...)
	}
	if e.Portrait != nil {
		next.Portrait = strings.TrimSpace(*e.Portrait)
		if !ValidPortrait(next.Portrait) {
			f = append(f, fail.At("body.portrait", "portrait_form", "The https address of a picture (jpg, png, webp, gif or avif) on a public site.", nil))
		}
	}
	if e.Language != nil {
		next.Language = *e.Language
		if next.Language != "" && !slices.Contains(shop.Languages, next.Language) {
			f = append(f, fail.At("body.language", "language_unknown", "One or more of zh-Hans, zh-Hant, en.", nil))
		}
	}
	if len(f) == 0 {
		*p = next
	}
	return fail.NewFields(f)
}

// portraitForm excludes formats that can carry scripts by what their address says; the page's policy and an <img>
// element keep the rest harmless.
var portraitForm = lazily(`(?i)\.(jpe?g|png|webp|gif|avif)$`)

// sitePath is a path on this site without a second slash, so that it cannot become another host.
var sitePath = lazily(`^/[A-Za-z0-9_-][A-Za-z0-9_./-]*$`)

// ValidPortrait reports whether an address may stand on a storefront: nothing, a path on this site, or the https
// address of a picture on a named public host.
func ValidPortrait(address string) bool {
	if address == "" {
		return true
	}
	u, err := url.Parse(address)
	if err != nil || len(address) > 500 || strings.ContainsAny(address, "\"'<>\\") || !shop.PlainAddress(address) || !portraitForm().MatchString(u.Path) {
		return false
	}
	if u.Scheme == "" && u.Host == "" {
		return sitePath().MatchString(address) && !strings.Contains(address, "..")
	}
	return u.Scheme == "https" && u.User == nil && u.Port() == "" && shop.PublicHost(u.Hostname())
}
