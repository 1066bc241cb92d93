package koc

import (
	"strings"
	"time"
	"unicode"

	"yundian/shared/fail"
	"yundian/shared/typed"
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

// HandleOf reads the KOC's handle out of a code as it is stored; spaces and case do not matter. It reports false when no
// handle can be in it. What people and apps have written around a code, ReadCode takes away.
func HandleOf(code string) (string, bool) {
	handle, _, _ := strings.Cut(NormalCode(code), codeSeparator)
	return handle, ValidHandle(handle)
}

// NormalCode is a code as it is stored: trimmed and in lower case.
func NormalCode(code string) string { return strings.ToLower(strings.TrimSpace(code)) }

// Limits of codes.
const (
	MaxCode  = 60  // bytes of a code
	MaxTyped = 500 // characters of what a shopper types or pastes as a code: a whole address with what apps append to it
	OwnPart  = 7   // letters and digits of the own part of links that are made today
)

// ReadCode finds a code in what a shopper typed or pasted, or what stands in an address where a code belongs: the longest
// valid beginning, whatever a chat has written after it and however wide its letters are. "@mei", "mei，快来看",
// "mei&from=timeline" and "https://shop.example/s/mei" are all mei. It reports false when there is none.
func ReadCode(text string) (string, bool) {
	text = strings.TrimLeftFunc(afterAddress(strings.ToLower(typed.Code(text))), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	handle, rest := validHandle(text)
	if !ValidHandle(handle) {
		return "", false
	}
	own, separated := strings.CutPrefix(rest, codeSeparator)
	if own = own[:run(own, "abcdefghijklmnopqrstuvwxyz0123456789")]; !separated || own == "" {
		return handle, true
	}
	code := handle + codeSeparator + own
	return code[:min(len(code), MaxCode)], true
}

// ReadHandle is the handle of ReadCode: a KOC's code credits them whatever became of its own part.
func ReadHandle(text string) (string, bool) {
	code, ok := ReadCode(text)
	if !ok {
		return "", false
	}
	return HandleOf(code)
}

// StoredCodes are the codes under which the link of a read code may be stored: as it is, and with the own part of today's
// length, behind which an app may have written letters.
func StoredCodes(code string) []string {
	handle, own, separated := strings.Cut(code, codeSeparator)
	if separated && len(own) > OwnPart {
		return []string{code, handle + codeSeparator + own[:OwnPart]}
	}
	return []string{code}
}

// validHandle divides a text after the longest beginning that can be a handle. A longer word keeps its rest, so that what
// follows is no code's own part.
func validHandle(text string) (handle, rest string) {
	word := text[:run(text, "abcdefghijklmnopqrstuvwxyz0123456789-")]
	if i := strings.Index(word, "--"); i >= 0 {
		word = word[:i]
	}
	word = strings.TrimRight(word[:min(len(word), 30)], "-")
	return word, text[len(word):]
}

// run is how many bytes a text begins with of these characters.
func run(text, of string) int {
	return len(text) - len(strings.TrimLeft(text, of))
}

// afterAddress is what follows /s/ or /k/ in an address of a store, and the text itself when it is none. Of an address that
// leads elsewhere nothing is left.
func afterAddress(text string) string {
	for _, path := range []string{"/s/", "/k/"} {
		before, after, found := strings.Cut(text, path)
		if found && (strings.TrimSpace(before) == "" || strings.ContainsAny(before, ".:")) {
			return after
		}
	}
	if strings.Contains(text, "://") {
		return ""
	}
	return text
}
