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
// only a local network knows, to which a page would lead its visitors' browsers.
func PublicHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	return strings.Contains(host, ".") && strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x") &&
		last != "local" && last != "internal" && last != "localhost" && last != "localdomain" && last != "lan" && last != "arpa"
}
