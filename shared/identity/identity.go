// Package identity is by what the shop recognises people without keeping who they are: keyed hashes of a phone, an e-mail
// address or a postal address. Orders and profiles of KOCs keep them, so that whoever compares the two needs neither the
// key nor the people table.
//
// Every function that makes such hashes does it here, with the same key: otherwise they would never meet.
package identity

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"yundian/shared/seal"
	"yundian/shared/typed"
)

// Key is the secret of the hashes. It is never rotated, because the hashes are stored.
type Key []byte

// Person names a person in the people table by the phone or e-mail address that they order with.
func (k Key) Person(contact string) string { return seal.Hash(k, "person", contact) }

// Hashes are what is known of somebody. Each begins with its kind, so that a phone never meets an address.
type Hashes []string

// Meet reports whether two people have something in common.
func (h Hashes) Meet(other Hashes) bool {
	return slices.ContainsFunc(h, func(one string) bool { return slices.Contains(other, one) })
}

// MaxKept bounds what is known of one KOC: e-mail addresses, phones and postal addresses of a long life.
const MaxKept = 40

// And are these and others, each once. The oldest are forgotten beyond MaxKept; what somebody has used before stays theirs,
// so nobody becomes a stranger by changing an address and ordering with the old one.
func (h Hashes) And(others Hashes) Hashes {
	out := slices.DeleteFunc(slices.Clone(h), func(one string) bool { return slices.Contains(others, one) })
	out = append(out, others...)
	return out[max(0, len(out)-MaxKept):]
}

// Email is the hash of an e-mail address as typed.Email keeps it; none for no address.
func (k Key) Email(address string) Hashes {
	if address == "" {
		return nil
	}
	return Hashes{"email:" + seal.Hash(k, "own email", mailbox(address))}
}

// mailbox is whose mail an address brings, as far as that can be told: what follows a plus sign only sorts the mail, and
// Gmail reads no dots. It is for comparing alone: letters go to the address as it was given.
func mailbox(address string) string {
	name, domain, _ := strings.Cut(strings.ToLower(address), "@")
	if before, _, tagged := strings.Cut(name, "+"); tagged && before != "" {
		name = before
	}
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if domain == "gmail.com" {
		name = strings.ReplaceAll(name, ".", "")
	}
	return name + "@" + domain
}

// Phone is the hash of a phone number that has its country code; none for no number.
func (k Key) Phone(number string) Hashes {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	if digits == "" {
		return nil
	}
	return Hashes{"phone:" + seal.Hash(k, "own phone", digits)}
}

// Place is a postal address as far as it tells one door from another.
type Place struct{ Country, Region, City, District, Line string }

// shortestLine is how many letters and digits a line needs to name a door: 文三路1号 has five, and "pick up" names none.
const shortestLine = 4

// Place is the hash of a postal address. One that names no door has none, because it would be everybody's.
func (k Key) Place(p Place) Hashes {
	region, city, district := division(p.Region), division(p.City), division(p.District)
	line := letters(p.Line)
	for _, before := range []string{region, city, district} { // some say it again in the line
		if rest, said := strings.CutPrefix(line, before); said && before != "" {
			line = withoutKind(rest)
		}
	}
	if region == city { // 北京市, 北京市: some leave one of them out
		region = ""
	}
	if utf8.RuneCountInString(line) < shortestLine {
		return nil
	}
	return Hashes{"place:" + seal.Hash(k, "own place", strings.Join([]string{letters(p.Country), region, city, line}, "\n"))}
}

// letters are what is left of a text when width, letter case, spaces and punctuation do not count.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, typed.Code(text))
}

// kinds of regions, cities and districts, which many leave out.
var kinds = []string{"特别行政区", "特別行政區", "自治区", "自治區", "省", "市", "区", "區", "县", "縣"}

// withoutKind is what follows the kind of a division.
func withoutKind(line string) string {
	for _, kind := range kinds {
		if rest, said := strings.CutPrefix(line, kind); said {
			return rest
		}
	}
	return line
}

// division is the name of a region, a city or a district without its kind.
func division(text string) string {
	name := letters(text)
	for _, kind := range kinds {
		if short := strings.TrimSuffix(name, kind); short != name && utf8.RuneCountInString(short) > 1 {
			return short
		}
	}
	return name
}
