package ordering

import (
	"cmp"
	"slices"
	"strings"

	"yundian/shared/identity"
)

// Contact is who ordered. It is kept in the people table only.
type Contact struct {
	Name      string `json:"name"`
	Phone     string `json:"phone"`               // E.164, see customer.ReadPhone
	Extension string `json:"extension,omitempty"` // digits to dial after the phone number
	Email     string `json:"email"`
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

// Line is an address as one line, from the largest part to the smallest.
func (a Address) Line() string {
	parts := []string{a.Country, a.Postcode, a.Region, a.City, a.District, a.Line1}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), " ")
}

// PersonKey is the value whose keyed hash names a person: the phone if there is one, else the e-mail.
func (c Contact) PersonKey() string { return cmp.Or(c.Phone, c.Email) }

// Keys are the phone and the e-mail of a contact, those that there are, the one that names the person first: whoever has
// ordered before can be known by either.
func (c Contact) Keys() []string {
	return slices.DeleteFunc([]string{c.Phone, c.Email}, func(key string) bool { return key == "" })
}

// IdentityOf are the keyed hashes by which a contact and an address are compared with others.
func IdentityOf(key identity.Key, c Contact, a Address) identity.Hashes {
	place := identity.Place{Country: a.Country, Region: a.Region, City: a.City, District: a.District, Line: a.Line1}
	return slices.Concat(key.Phone(c.Phone), key.Email(c.Email), key.Place(place))
}
