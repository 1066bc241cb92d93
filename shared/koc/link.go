package koc

import (
	"strings"
	"time"

	"yundian/shared/fail"
)

// Link is a share link: a code that leads to one KOC's storefront or to one product in that KOC's words.
// Its code begins with the KOC's handle, so that a page needs no second look-up, people see who shared it,
// and a code that lost its last characters on the way still leads to the KOC.
type Link struct {
	Code      string
	KOC       string
	Product   string // empty for the storefront
	Channel   string // where it is shared: wechat, line, xiaohongshu, qr …; decides nothing
	CreatedAt time.Time
}

// MaxLinks bounds how many links one KOC can make.
const MaxLinks = 1000

// codeSeparator stands between handle and the code's own part; handles never contain it.
const codeSeparator = "_"

var channelForm = lazily(`^[a-z0-9][a-z0-9-]{0,29}$`)

// NewLink makes a link. Target is "storefront" or "product:<id>"; unique is the code's own part, 6–16 letters and digits.
func NewLink(handle, target, channel, unique string, now time.Time) (Link, error) {
	l := Link{Code: handle + codeSeparator + unique, KOC: handle, Channel: channel, CreatedAt: now}
	product, isProduct := strings.CutPrefix(target, "product:")
	if target != "storefront" && (!isProduct || product == "") {
		return Link{}, fail.NewFields([]fail.Field{fail.At("body.target", "target_form", "\"storefront\" or \"product:<id>\".", nil)})
	}
	l.Product = product
	if target == "storefront" {
		l.Product = ""
	}
	if !channelForm().MatchString(channel) {
		return Link{}, fail.NewFields([]fail.Field{fail.At("body.channel", "channel_form", "1–30 lower-case letters, digits and hyphens, such as wechat.", nil)})
	}
	return l, nil
}

// OwnLink is the link every KOC has without making one: its code is the handle, its channel is "storefront".
func OwnLink(handle string) Link { return Link{Code: handle, KOC: handle, Channel: "storefront"} }

// Target is how the API names what a link leads to.
func (l Link) Target() string {
	if l.Product == "" {
		return "storefront"
	}
	return "product:" + l.Product
}

// HandleOf reads the KOC's handle out of a code or of what a shopper typed; spaces and case do not matter.
// It reports false when no handle can be in it.
func HandleOf(code string) (string, bool) {
	handle, _, _ := strings.Cut(NormalCode(code), codeSeparator)
	return handle, ValidHandle(handle)
}

// NormalCode is a code as it is stored: trimmed and in lower case.
func NormalCode(code string) string { return strings.ToLower(strings.TrimSpace(code)) }

// MaxCode bounds a code in bytes.
const MaxCode = 60
