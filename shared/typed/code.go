package typed

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
)

// Code is text that is compared and not read out, such as a postcode, an account or an e-mail address: digits of any
// script and full-width letters become plain ones, and every dash becomes a hyphen.
func Code(text string) string {
	return TidyLine(strings.Map(func(r rune) rune {
		switch {
		case ignorable(r): // a code has no spelling that needs them
			return -1
		case unicode.IsDigit(r):
			return digit(r)
		case r >= '！' && r <= '～': // the full-width forms of ASCII stand in ASCII's order
			return r - '！' + '!'
		case r == '。' || r == '｡': // the full stop of a Chinese or Japanese keyboard
			return '.'
		case unicode.Is(unicode.Dash, r), r == 'ー', r == 'ｰ', r == '−':
			return '-'
		default:
			return r
		}
	}, TidyLine(text)))
}

// digit is the plain digit for one of any script. Unicode keeps the ten digits of a script side by side, and runs of
// several such tens begin with a zero.
func digit(r rune) rune {
	zero := r
	for unicode.IsDigit(zero - 1) {
		zero--
	}
	return '0' + (r-zero)%10
}

// Postcode is a postcode as it is kept: in capitals, without the Japanese postal mark.
func Postcode(text string) string {
	return strings.TrimSpace(strings.ToUpper(strings.NewReplacer("〒", "", "〶", "").Replace(Code(text))))
}

// mailForm is what an address has to look like; only sending can tell more. The last label may be an international one
// in its ASCII form (xn--…).
var mailForm = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[^\s@<>"(),:;\\\[\]]{1,64}@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:[a-z]{2,24}|xn--[a-z0-9-]{2,59})$`)
})

// Email is an e-mail address as it is kept, in lower case, and whether mail can go there. Addresses pasted from a link
// or a mail program ("mailto:mei@example.com", "<mei@example.com>") are read as what they mean.
func Email(text string) (string, bool) {
	address := strings.ToLower(Code(text))
	address = strings.TrimPrefix(address, "mailto:")
	address = strings.TrimSuffix(strings.TrimPrefix(address, "<"), ">")
	ok := !Steers(text) && len(address) <= 254 && mailForm().MatchString(address) && !strings.Contains(address, "..") &&
		!strings.HasPrefix(address, ".") && !strings.Contains(address, ".@")
	return address, ok
}

// phoneForm is a number with its country code, as E.164 bounds it.
var phoneForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`) })

// Phone is a phone number that was given with its country code, and whether it can be one. It knows no numbering plan:
// where a parcel depends on the number, customer.ReadPhone reads it.
func Phone(text string) (string, bool) {
	number := strings.NewReplacer(" ", "", "-", "", ".", "", "(0)", "", "(", "", ")", "").Replace(strings.TrimPrefix(strings.ToLower(Code(text)), "tel:"))
	if rest, international := strings.CutPrefix(number, "00"); international {
		number = "+" + rest
	}
	return number, phoneForm().MatchString(number)
}
