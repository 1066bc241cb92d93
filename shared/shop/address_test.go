package shop

import "testing"

func TestAddresses(t *testing.T) {
	for host, want := range map[string]bool{
		"cdn.example.com": true, "图.example": true, "a.b.c.example.": true, "1.example": true,
		"": false, "localhost": false, "nas.local": false, "printer.lan": false, "x.localhost": false, "metadata.google.internal": false, "1.0.0.127.in-addr.arpa": false,
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
