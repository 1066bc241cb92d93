package koc

import (
	"slices"
	"strings"

	"yundian/shared/fail"
)

// Handles that sound like the shop itself are given by operators only: whoever reads "official" on a storefront trusts it
// as the brand's own word. A handle is reserved when one of its words is spoken in the shop's name, or when all of it is
// a word for the shop, its people or its pages.
var (
	spokenForShop = []string{"admin", "administrator", "official", "support", "guanfang", "kefu", "moderator"}
	wholeReserved = []string{"root", "system", "help", "service", "services", "staff", "team", "security", "billing", "payment",
		"payments", "refund", "refunds", "shop", "store", "brand", "koc", "kocs", "api", "www", "portal", "console", "customer-service"}
)

// shortestBrand is from how many letters on a brand's name is found inside a handle; a shorter one has to be all of it.
const shortestBrand = 4

// ReservedHandle reports whether only an operator may give this handle. names are what the shop is called: its brand and
// the name of its site. Signs that look alike count as the same ("0fficial").
func ReservedHandle(handle string, names ...string) bool {
	joined := HandleShape(handle)
	for word := range strings.SplitSeq(handle, "-") {
		if slices.Contains(spokenForShop, HandleShape(word)) {
			return true
		}
	}
	if slices.ContainsFunc(slices.Concat(spokenForShop, wholeReserved), func(w string) bool { return HandleShape(w) == joined }) {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool {
		shape := HandleShape(latin(name))
		return shape != "" && (shape == joined || len(shape) >= shortestBrand && strings.Contains(joined, shape))
	})
}

// latin are the letters and digits of a name that a handle can hold.
func latin(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// lookAlikes are the signs of a handle that a reader takes for each other. Hyphens count for nothing.
var lookAlikes = strings.NewReplacer("-", "", "0", "o", "1", "l", "rn", "m", "vv", "w")

// HandleShape is what a handle looks like at a glance: two handles of one shape are mistaken for each other.
func HandleShape(handle string) string { return lookAlikes.Replace(handle) }

// HandleReserved answers somebody who applies with a handle that sounds like the shop.
func HandleReserved() error {
	return fail.NewFields([]fail.Field{fail.At("body.handle", "handle_reserved",
		"This handle sounds like the shop itself. Please choose another one, or ask the shop for it.", nil)})
}
