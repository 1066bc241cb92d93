package ordering

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"yundian/shared/fail"
)

// Contact is who ordered. It is kept in the people table only.
type Contact struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
	Email string `json:"email"`
}

// Address is where the parcel goes. Division is the six-digit code of the district (GB/T 2260), for China.
type Address struct {
	Country  string `json:"country"`
	Region   string `json:"region"`
	City     string `json:"city"`
	District string `json:"district"`
	Division string `json:"division"`
	Line1    string `json:"line1"`
	Postcode string `json:"postcode"`
}

// Patterns are compiled when they are first needed: compiling takes a good part of a function's start-up.
var (
	countryForm  = lazily(`^[A-Z]{2}$`)
	divisionForm = lazily(`^[0-9]{6}$`)
	postcodeForm = lazily(`^[A-Za-z0-9][A-Za-z0-9 -]{1,10}$`)
	phoneForm    = lazily(`^\+[1-9][0-9]{6,14}$`)
	mailForm     = lazily(`^[^\s@<>"(),:;\\\[\]]{1,64}@[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?\.[a-zA-Z]{2,24}$`)
)

func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// NormalContact trims a contact, brings its phone to E.164 (numbers without a country code are read as of the
// address's country, China, Hong Kong, Macau or Taiwan) and its e-mail to lower case, and refuses what cannot be right.
func NormalContact(c Contact, country string) (Contact, error) {
	c = Contact{Name: strings.TrimSpace(c.Name), Phone: NormalPhone(c.Phone, country), Email: strings.ToLower(strings.TrimSpace(c.Email))}
	var f []fail.Field
	if n := utf8.RuneCountInString(c.Name); n == 0 || n > 60 || unprintable(c.Name) {
		f = append(f, fail.At("body.contact.name", "text_length", "Between {low} and {high} characters.", fail.Args{"low": 1, "high": 60}))
	}
	if c.Phone == "" && c.Email == "" {
		f = append(f, fail.At("body.contact.phone", "contact_required", "A phone number or an e-mail address is needed.", nil))
	}
	if c.Phone != "" && !phoneForm().MatchString(c.Phone) {
		f = append(f, fail.At("body.contact.phone", "phone_form", "A phone number with its country code, such as +86 138 0000 0000.", nil))
	}
	if c.Email != "" && (len(c.Email) > 254 || !mailForm().MatchString(c.Email)) {
		f = append(f, fail.At("body.contact.email", "email_form", "An e-mail address such as mei@example.com.", nil))
	}
	return c, fail.NewFields(f)
}

var callingCodes = map[string]string{"CN": "+86", "HK": "+852", "MO": "+853", "TW": "+886"}

// NormalPhone brings a phone number to E.164 as far as that is certain.
func NormalPhone(phone, country string) string {
	digits := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r == '+':
			return r
		case r >= '０' && r <= '９':
			return '0' + (r - '０')
		case r == '＋':
			return '+'
		case unicode.IsSpace(r), strings.ContainsRune("-()./·", r):
			return -1
		default:
			return '?' // keeps a wrong number wrong
		}
	}, phone)
	code := callingCodes[country]
	switch {
	case digits == "" || strings.HasPrefix(digits, "+"):
		return digits
	case strings.HasPrefix(digits, "00"):
		return "+" + digits[2:]
	case code == "":
		return digits
	case country == "CN" && len(digits) == 13 && strings.HasPrefix(digits, "86"):
		return "+" + digits
	default:
		return code + strings.TrimPrefix(digits, "0")
	}
}

// NormalAddress trims an address and refuses what cannot be right.
func NormalAddress(a Address) (Address, error) {
	a = Address{Country: strings.ToUpper(strings.TrimSpace(a.Country)), Region: strings.TrimSpace(a.Region), City: strings.TrimSpace(a.City),
		District: strings.TrimSpace(a.District), Division: strings.TrimSpace(a.Division), Line1: strings.TrimSpace(a.Line1), Postcode: strings.TrimSpace(a.Postcode)}
	var f []fail.Field
	if !countryForm().MatchString(a.Country) {
		f = append(f, fail.At("body.address.country", "country_form", "A two-letter country code such as CN.", nil))
	}
	for _, x := range []struct {
		where, value string
		low, high    int
	}{{"region", a.Region, 0, 60}, {"city", a.City, 1, 60}, {"district", a.District, 0, 60}, {"line1", a.Line1, 1, 200}} {
		if n := utf8.RuneCountInString(x.value); n < x.low || n > x.high || unprintable(x.value) {
			f = append(f, fail.At("body.address."+x.where, "text_length", "Between {low} and {high} characters.", fail.Args{"low": x.low, "high": x.high}))
		}
	}
	if a.Division != "" && !divisionForm().MatchString(a.Division) {
		f = append(f, fail.At("body.address.division", "division_form", "The six-digit code of the district, such as 330106.", nil))
	}
	if a.Postcode != "" && !postcodeForm().MatchString(a.Postcode) {
		f = append(f, fail.At("body.address.postcode", "postcode_form", "A postcode such as 310000.", nil))
	}
	return a, fail.NewFields(f)
}

// unprintable reports whether text holds control, bidirectional or zero-width characters, which can forge log
// lines and labels.
func unprintable(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	})
}

// PersonKey is the value whose keyed hash names a person: the phone if there is one, else the e-mail.
func (c Contact) PersonKey() string { return cmp.Or(c.Phone, c.Email) }

// Keys are the phone and the e-mail of a contact, those that there are, the one that names the person first: whoever has
// ordered before can be known by either.
func (c Contact) Keys() []string {
	return slices.DeleteFunc([]string{c.Phone, c.Email}, func(key string) bool { return key == "" })
}
