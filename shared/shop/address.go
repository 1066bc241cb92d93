package shop

import (
	"net/netip"
	"strings"
	"unicode"
)

// PlainAddress reports whether an address that somebody typed shows every character that it has: no blanks, controls,
// or characters that hide or turn round what follows.
func PlainAddress(address string) bool {
	return !strings.ContainsFunc(address, func(r rune) bool {
		return r == unicode.ReplacementChar || unicode.IsSpace(r) || !unicode.IsGraphic(r)
	})
}

// PublicHost reports whether a host is a name that anybody can look up. It refuses addresses in digits and names that
// only a local network knows, to which a page would lead its visitors' browsers. Browsers read other digits, letters and
// dots than ASCII's as ASCII's, and undo escapes, before they look at what an address is; so none that could become one
// is taken.
func PublicHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil || strings.ContainsFunc(host, noLetterOfHosts) {
		return false
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if strings.ContainsFunc(last, looksLatin) {
		return false
	}
	return strings.Contains(host, ".") && strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x") &&
		last != "local" && last != "internal" && last != "localhost" && last != "localdomain" && last != "lan" && last != "arpa"
}

// noLetterOfHosts reports whether a character has no place in a host's name: everything in ASCII but letters, digits, "-",
// "_" and ".", and elsewhere everything but letters and marks.
func noLetterOfHosts(r rune) bool {
	if r < unicode.MaxASCII {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_.", r)
	}
	return !unicode.IsLetter(r) && !unicode.IsMark(r)
}

// looksLatin reports whether a character outside ASCII could be read as one of ASCII's letters: those in full width, for
// mathematics, raised and the like. No public ending of names has any.
func looksLatin(r rune) bool {
	return r > unicode.MaxASCII && unicode.In(r, unicode.Latin, unicode.Common)
}
