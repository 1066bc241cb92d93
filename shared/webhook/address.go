package webhook

import "net/netip"

// special are the blocks of addresses that are not somebody's public server, beyond those that net/netip knows. Source:
// the IANA registries of special-purpose addresses, https://www.iana.org/assignments/iana-ipv4-special-registry and
// https://www.iana.org/assignments/iana-ipv6-special-registry.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.31.196.0/24"), netip.MustParsePrefix("192.52.193.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("192.175.48.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001::/23"),                                         // Teredo and others
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), // documentation; 6to4
	netip.MustParsePrefix("2620:4f:8000::/48"), netip.MustParsePrefix("3fff::/20"),
}

// global are the only IPv6 addresses that have been given to anybody's servers. Everything else is refused as a whole,
// also what no list names yet. Outside are the blocks that carry an IPv4 address inside and lead wherever the network
// takes it: mapped (::ffff:0:0/96), translated by RFC 2765 (::ffff:0:0:0/96), compatible (::/96), NAT64 (64:ff9b::/96 and
// 64:ff9b:1::/48).
var global = netip.MustParsePrefix("2000::/3")

// Public reports whether an address is one of the public internet: deliveries go nowhere else, neither to this machine
// nor into a private network nor to a cloud's metadata.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	if a.Is6() && (!global.Contains(a) || isISATAP(a)) {
		return false
	}
	for _, block := range special {
		if block.Contains(a) {
			return false
		}
	}
	return true
}

// isISATAP reports whether an address ends in the interface id of RFC 5214, which carries an IPv4 address under any prefix.
func isISATAP(a netip.Addr) bool {
	b := a.As16()
	return (b[8] == 0 || b[8] == 2) && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}
