package shop

import "testing"

func TestAddresses(t *testing.T) {
	for host, want := range map[string]bool{
		"cdn.example.com": true, "图.example": true, "a.b.c.example.": true, "1.example": true,
		"": false, "localhost": false, "nas.local": false, "printer.lan": false, "x.localhost": false, "metadata.google.internal": false, "1.0.0.127.in-addr.arpa": false,
		"münchen.example": true, "магазин.рф": true, "商店.中国": true, "a_b.example": true, "xn--fiq228c.example": true,
		"１２７.０.０.１": false, "127.0.0。1": false, "127.0.0．1": false, "127.0.0.１": false, "①②⑦.0.0.①": false, "a.①": false, "%31%32%37.0.0.%31": false, "0x７f.1": false, "a.٣": false,
		"nas.ｌocal": false, "nas.𝐥𝐨𝐜𝐚𝐥": false, "nas.locªl": false, "nas.LOCAL": false, "a b.example": false, "a\\.example": false, "a@b.example": false, "[64:ff9b::7f00:1]": false,
		"64:ff9b::7f00:1": false, "::ffff:0:127.0.0.1": false, "fe80::1%eth0": false, "[::ffff:0:127.0.0.1]": false,
		"10.0.0.1": false, "127.1": false, "0x7f.1": false, "0x7f.0x1": false, "2130706433": false, "::1": false, "169.254.169.254": false, "169.254.169.254.": false,
	} {
		if got := PublicHost(host); got != want {
			t.Errorf("%q is public: %v", host, got)
		}
	}
	for address, want := range map[string]bool{
		"https://a.example/图-1.jpg?v=1": true, "/assets/a.svg": true,
		"a b": false, "a\u00a0b": false, "a\u202eb": false, "a\u200bb": false, "a\u2028b": false, "a\x00": false, "a\u0085": false, "a\ufeffb": false, "\xff": false,
	} {
		if got := PlainAddress(address); got != want {
			t.Errorf("%q is plain: %v", address, got)
		}
	}
}
