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

// marks are what people write between the digits of a number.
var marks = strings.NewReplacer(" ", "", "-", "", "·", "", "・", "", "•", "")

// Patterns are compiled when they are first needed: compiling takes a good part of a function's start-up.
var (
	// extensionForm is how a number goes on with an extension in the languages of the shop's neighbours. The library knows
	// the other ways.
	extensionForm = lazily(`[(,;]?(?:转|轉|分机|分機|内线|内線|內線|ต่อ|내선)(?:分机|分機)?[号號]?[:.]?([0-9]+)\)?$`)
	// branchForm is a number whose extension follows as one more group of digits (010-62345678-8001).
	branchForm = lazily(`^(.*[0-9])-([0-9]{1,6})$`)
	// remarkForm is a word after the number, such as (手机).
	remarkForm = lazily(`[(\[]?[\p{Han}\p{Thai}\p{Hangul}]+[)\]]?$`)
	// codesForm is a country code, as it stands before a plus: "+86 +86 138…", "86+138…".
	codesForm = lazily(`^0{0,2}[1-9][0-9]{0,2}$`)
)

// ReadPhone reads a phone number as people type it: with or without its country code, repeated country codes, trunk
// zeros, full-width digits, any marks between digits, and extensions. A number without a country code is one of country.
// The rules are those of libphonenumber, for every country. What is refused comes back as a field at where; so are two
// numbers, because nobody can tell whom to call.
func ReadPhone(where, text, country string) (Phone, []fail.Field) {
	if typed.Steers(text) {
		return Phone{}, []fail.Field{formless(where)}
	}
	typedAs := strings.ReplaceAll(typed.Code(text), " ", "")
	typedAs = remarkForm().ReplaceAllString(typedAs, "")
	typedAs = extensionForm().ReplaceAllString(typedAs, ";ext=$1")
	phone, wrong := readNumber(where, typedAs, country)
	if branch := branchForm().FindStringSubmatch(typedAs); wrong != nil && branch != nil {
		if main, problem := readNumber(where, branch[1], country); problem == nil && main.Extension == "" {
			return Phone{Number: main.Number, Extension: branch[2]}, nil
		}
	}
	if wrong != nil && isTwo(typed.Code(text), country) || len(phone.Extension) >= shortestNumber && isNumber(phone.Extension, country) {
		return Phone{}, []fail.Field{two(where)}
	}
	if len(phone.Extension) > maxExtension {
		return Phone{}, []fail.Field{fail.At(where, "phone_long",
			"{number} has too many digits. Please check it, or give it with its country code.", fail.Args{"number": phone.Extension})}
	}
	return phone, wrong
}

// maxExtension is how many digits an extension has at most, also where it is a field of its own.
const maxExtension = 10

// shortestNumber is from how many digits on an extension may be a second number.
const shortestNumber = 7

// isTwo reports whether a text is two numbers side by side.
func isTwo(text, country string) bool {
	if len(text) > 100 { // nobody types more, and each gap is looked at
		return false
	}
	for i, r := range text {
		if strings.ContainsRune(" /,;|&、或", r) && isNumber(text[:i], country) && isNumber(strings.Trim(text[i:], " /,;|&、或"), country) {
			return true
		}
	}
	return false
}

func isNumber(text, country string) bool {
	if text == "" {
		return false
	}
	_, wrong := readNumber("", strings.ReplaceAll(text, " ", ""), country)
	return wrong == nil
}

func two(where string) fail.Field {
	return fail.At(where, "phone_two", "These are two numbers. Please give one.", nil)
}

// readNumber reads one number.
func readNumber(where, text, country string) (Phone, []fail.Field) {
	cleaned := marks.Replace(text)
	if i := strings.LastIndex(cleaned, "+"); i > 0 {
		before := strings.Trim(cleaned[:i], "()+,;/、")
		switch {
		case isNumber(before, country):
			return Phone{}, []fail.Field{two(where)}
		case codesForm().MatchString(before) && !strings.HasPrefix(cleaned[i+1:], strings.TrimLeft(before, "0")): // "86+138…"
			cleaned = "+" + strings.TrimLeft(before, "0") + cleaned[i+1:]
		default:
			cleaned = cleaned[i:]
		}
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
	if m, coded := withoutPlus(cleaned, n, country); coded {
		n, explicit = m, true
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

// withoutPlus reads a number that begins with its country's code and lacks only the plus (49 151 …). Where numbers within
// the country begin with a trunk zero, one without it is not dialled at home, even if its digits would fit the plan.
func withoutPlus(cleaned string, n *phonenumbers.PhoneNumber, country string) (*phonenumbers.PhoneNumber, bool) {
	code := strconv.Itoa(int(n.GetCountryCode()))
	digits := strings.TrimLeft(cleaned, "(")
	if !strings.HasPrefix(digits, code) || phonenumbers.GetNddPrefixForRegion(country, true) != "0" {
		return nil, false
	}
	m, err := phonenumbers.Parse("+"+digits, country)
	return m, err == nil && phonenumbers.IsValidNumber(m)
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
