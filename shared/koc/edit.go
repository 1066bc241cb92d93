package koc

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"yundian/shared/fail"
	"yundian/shared/shop"
)

// Edit is what a KOC may change about themselves; nil keeps what is.
type Edit struct {
	Name     *string // 1–60 characters
	Email    *string
	Story    *string // at most MaxStory characters
	Portrait *string // https address of a picture, or a path on this site; empty takes it away
	Language *string // one of shop.Languages; empty is the shop's first
}

// Edit changes the profile, or says everything that is wrong with the change and leaves the profile as it was.
func (p *Profile) Edit(e Edit) error {
	var f []fail.Field
	next := *p
	if e.Name != nil {
		next.Name = Line(*e.Name)
		if n := utf8.RuneCountInString(next.Name); n == 0 || n > 60 {
			f = append(f, fail.At("body.name", "text_length", "Between {low} and {high} characters.", fail.Args{"low": 1, "high": 60}))
		}
	}
	if e.Email != nil {
		next.Email = strings.TrimSpace(*e.Email)
		if !ValidEmail(next.Email) {
			f = append(f, fail.At("body.email", "email_form", "An e-mail address such as mei@example.com.", nil))
		}
	}
	if e.Story != nil {
		next.Story = Text(*e.Story)
		if utf8.RuneCountInString(next.Story) > MaxStory {
			f = append(f, fail.At("body.story", "too_long", "At most {limit} characters.", fail.Args{"limit": MaxStory}))
		}
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

// Text is what somebody wrote, without characters that show nothing and can hide or turn round what follows: controls
// other than line ends, and format characters such as bidirectional overrides and zero-width spaces. The joiner of
// emoji stays.
func Text(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\t", " ").Replace(strings.ToValidUTF8(s, ""))
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\u200d' && (unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r)) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// Line is Text on one line.
func Line(s string) string { return strings.Join(strings.Fields(Text(s)), " ") }

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
