package customer

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"yundian/shared/fail"
	"yundian/shared/typed"
)

// Phone is a phone number in the one form that names a person.
type Phone struct {
	Number    string // E.164, such as +8613800138000
	Extension string // digits to dial afterwards; empty for most
}

// strict are the calling codes of the places where most shoppers live: there a number has to exist in the numbering
// plan, because a digit left out is the commonest fault. Elsewhere a number given with its country code only has to
// have a possible length: plans grow faster than libraries are updated.
var strict = []int32{86, 852, 853, 886}

// marks are what people write between the digits of a number, and how a number goes on with an extension in Chinese and
// Japanese. The library knows the other ways.
var marks = strings.NewReplacer(" ", "", "-", "", "·", "", "・", "", "•", "",
	"转", ";ext=", "轉", ";ext=", "分机", ";ext=", "分機", ";ext=", "内线", ";ext=", "內線", ";ext=")

// ReadPhone reads a phone number as people type it: with or without its country code, repeated country codes, trunk
// zeros, full-width digits, any marks between digits, and extensions. A number without a country code is one of country.
// The rules are those of libphonenumber, for every country. What is refused comes back as a field at where.
func ReadPhone(where, text, country string) (Phone, []fail.Field) {
	cleaned := marks.Replace(typed.Code(text))
	if i := strings.LastIndex(cleaned, "+"); i > 0 {
		cleaned = cleaned[i:] // "+86 +86 138…"
	}
	explicit := strings.HasPrefix(cleaned, "+")
	n, err := phonenumbers.Parse(cleaned, country)
	if abroad, dialled := strings.CutPrefix(cleaned, "00"); dialled {
		// "00" is how most of the world dials abroad, and the way in which numbers are written down also where one
		// dials another prefix.
		if m, wrong := phonenumbers.Parse("+"+abroad, country); wrong == nil && phonenumbers.IsValidNumber(m) {
			n, err, explicit = m, nil, true
		}
	}
	if err != nil {
		return Phone{}, []fail.Field{formless(where)}
	}
	if !phonenumbers.IsValidNumber(n) {
		n = withoutRepeats(n, country)
	}
	if phonenumbers.IsValidNumber(n) || explicit && !slices.Contains(strict, n.GetCountryCode()) &&
		phonenumbers.IsPossibleNumberWithReason(n) == phonenumbers.IS_POSSIBLE {
		return Phone{Number: phonenumbers.Format(n, phonenumbers.E164), Extension: n.GetExtension()}, nil
	}
	return Phone{}, []fail.Field{impossible(where, n)}
}

// withoutRepeats is the number without country codes and trunk zeros that stand in it once more, as far as that makes
// it one that exists; otherwise the number as it is.
func withoutRepeats(n *phonenumbers.PhoneNumber, country string) *phonenumbers.PhoneNumber {
	code := strconv.Itoa(int(n.GetCountryCode()))
	rest := phonenumbers.GetNationalSignificantNumber(n)
	for range 3 { // a phone's address book and a form can each add one
		shorter := strings.TrimPrefix(strings.TrimLeft(rest, "0"), code)
		if shorter == rest {
			break
		}
		rest = shorter
		again, err := phonenumbers.Parse("+"+code+rest, country)
		if err == nil && phonenumbers.IsValidNumber(again) {
			again.Extension = n.Extension
			return again
		}
	}
	return n
}

func formless(where string) fail.Field {
	return fail.At(where, "phone_form", "A phone number with its country code, such as +86 138 0000 0000.", nil)
}

// impossible says why a number that could be read is none.
func impossible(where string, n *phonenumbers.PhoneNumber) fail.Field {
	args := fail.Args{"number": phonenumbers.Format(n, phonenumbers.INTERNATIONAL)}
	switch phonenumbers.IsPossibleNumberWithReason(n) {
	case phonenumbers.TOO_SHORT, phonenumbers.IS_POSSIBLE_LOCAL_ONLY:
		return fail.At(where, "phone_short", "{number} has too few digits. Please check it, or give it with its country code.", args)
	case phonenumbers.TOO_LONG:
		return fail.At(where, "phone_long", "{number} has too many digits. Please check it, or give it with its country code.", args)
	case phonenumbers.INVALID_COUNTRY_CODE:
		return formless(where)
	default:
		return fail.At(where, "phone_unknown", "There is no number {number}. Please check it, or give it with its country code.", args)
	}
}
