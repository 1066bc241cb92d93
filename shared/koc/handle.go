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
	// insideReserved are reserved wherever they stand, because no name has them in it.
	insideReserved = []string{"official", "guanfang", "administrator", "customerservice"}
	wholeReserved  = []string{"root", "system", "help", "service", "services", "staff", "team", "security", "billing", "payment",
		"payments", "refund", "refunds", "shop", "store", "brand", "koc", "kocs", "api", "www", "portal", "console"}
)

// shortestBrand is from how many letters on a brand's name is found inside a handle; a shorter one has to be all of it.
const shortestBrand = 4

// ReservedHandle reports whether only an operator may give this handle. names are what the shop is called: its brand and
// the name of its site. Signs that look alike count as the same ("0fficial", "adm1n"), and figures around a word for nothing
// ("admin1").
func ReservedHandle(handle string, names ...string) bool {
	plain := strings.ReplaceAll(handle, "-", "")
	joined := impression(plain)
	for word := range strings.SplitSeq(handle, "-") {
		if reads(word, spokenForShop) || reads(bare(word), spokenForShop) {
			return true
		}
	}
	inside := slices.ContainsFunc(insideReserved, func(w string) bool { return strings.Contains(joined, impression(w)) })
	whole := slices.ContainsFunc(wholeReserved, func(w string) bool { return HandleShape(w) == HandleShape(plain) })
	if inside || whole || reads(plain, spokenForShop) || twoWords(bare(plain)) {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool {
		shape := impression(latin(name))
		return shape != "" && (shape == joined || len(shape) >= shortestBrand && strings.Contains(joined, shape))
	})
}

// twoWords reports whether a handle is a word that is spoken in the shop's name and another reserved one, such as adminteam.
func twoWords(handle string) bool {
	for i := range handle {
		if first, second := handle[:i], handle[i:]; reads(first, spokenForShop) && (reads(second, wholeReserved) || reads(second, spokenForShop)) ||
			reads(first, wholeReserved) && reads(second, spokenForShop) {
			return true
		}
	}
	return false
}

// reads reports whether somebody reads a word as one of the list.
func reads(word string, list []string) bool {
	return slices.ContainsFunc(list, func(w string) bool { return impression(w) == impression(word) })
}

// bare is a word without the figures around it.
func bare(word string) string { return strings.Trim(word, "0123456789") }

// figures are the digits that people write for letters. Two handles are told apart by them, a reserved word is not.
var figures = strings.NewReplacer("1", "i", "l", "i", "3", "e", "4", "a", "5", "s", "7", "t")

// impression is a handle as somebody reads it who expects to find a reserved word.
func impression(handle string) string { return figures.Replace(HandleShape(handle)) }

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
