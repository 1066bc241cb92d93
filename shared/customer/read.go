// Package customer reads who orders and where a parcel goes from what people type, so that one person and one place are
// the same however they are written.
package customer

import (
	"regexp"
	"strings"
	"sync"

	"yundian/shared/fail"
	"yundian/shared/ordering"
	"yundian/shared/typed"
)

// Patterns are compiled when they are first needed: compiling takes a good part of a function's start-up.
var (
	countryForm  = lazily(`^[A-Z]{2}$`)
	divisionForm = lazily(`^[0-9]{6}$`)
	postcodeForm = lazily(`^[A-Z0-9][A-Z0-9 -]{1,10}$`)
)

func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// ReadContact brings a contact to the form in which it is kept, its phone read as a number of country, and lists what
// is wrong with it.
func ReadContact(c ordering.Contact, country string) (ordering.Contact, error) {
	out := ordering.Contact{}
	var f, wrong []fail.Field
	out.Name, f = typed.Line("body.contact.name", c.Name, typed.Length{Low: 1, High: 60})
	if typed.Code(c.Phone) != "" {
		phone, problem := ReadPhone("body.contact.phone", c.Phone, country)
		out.Phone, out.Extension = phone.Number, phone.Extension
		f = append(f, problem...)
	}
	if c.Extension != "" {
		out.Extension, wrong = typed.Line("body.contact.extension", typed.Code(c.Extension), typed.Length{Low: 1, High: maxExtension})
		f = append(f, wrong...)
	}
	if typed.Code(c.Email) != "" {
		var ok bool
		if out.Email, ok = typed.Email(c.Email); !ok {
			f = append(f, fail.At("body.contact.email", "email_form", "An e-mail address such as mei@example.com.", nil))
		}
	}
	if typed.Code(c.Phone) == "" && typed.Code(c.Email) == "" {
		f = append(f, fail.At("body.contact.phone", "contact_required", "A phone number or an e-mail address is needed.", nil))
	}
	return out, fail.NewFields(f)
}

// ReadAddress brings an address to the form in which it is kept, and lists what is wrong with it.
func ReadAddress(a ordering.Address) (ordering.Address, error) {
	out := ordering.Address{Country: strings.ToUpper(typed.Code(a.Country)), Division: typed.Code(a.Division),
		Postcode: typed.Postcode(a.Postcode)}
	var f []fail.Field
	if !countryForm().MatchString(out.Country) {
		f = append(f, fail.At("body.address.country", "country_form", "A two-letter country code such as CN.", nil))
	}
	for _, x := range []struct {
		where, text string
		length      typed.Length
		to          *string
	}{
		{"region", a.Region, typed.Length{Low: 0, High: 60}, &out.Region},
		{"city", a.City, typed.Length{Low: 1, High: 60}, &out.City},
		{"district", a.District, typed.Length{Low: 0, High: 60}, &out.District},
		{"line1", a.Line1, typed.Length{Low: 1, High: 200}, &out.Line1},
	} {
		var wrong []fail.Field
		*x.to, wrong = typed.Line("body.address."+x.where, x.text, x.length)
		f = append(f, wrong...)
	}
	if out.Division != "" && !divisionForm().MatchString(out.Division) {
		f = append(f, fail.At("body.address.division", "division_form", "The six-digit code of the district, such as 330106.", nil))
	}
	if out.Postcode != "" && !postcodeForm().MatchString(out.Postcode) {
		f = append(f, fail.At("body.address.postcode", "postcode_form", "A postcode such as 310000.", nil))
	}
	return out, fail.NewFields(f)
}
