package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzSignedAt: a body counts as signed only when the header holds the right signature of this very body at the moment that
// is given back, and a moment far away never counts as now.
func FuzzSignedAt(f *testing.F) {
	const secret = "whsec_test"
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	body := []byte(`{"id":"evt_1"}`)
	good := Sign(body, at, secret)
	stamp, mac, _ := strings.Cut(good, ",")
	for _, header := range []string{good, Sign(body, at, "other", secret), "", ",", "=", "t", "t=", "v1=", stamp, mac, mac + "," + stamp, stamp + "," + stamp + "," + mac, "t=99999999999999999999," + mac,
		"t=-9223372036854775808," + mac, "t=9223372036854775807," + mac, "t=+1772366400," + mac, "t= 1772366400," + mac, "t=0x1," + mac, good + ",v1=zz", stamp + ",v1=00,v1=00,v1=00,v1=00,v1=00," + mac,
		Sign(body, time.Unix(1<<62, 0), secret), Sign(body, time.Unix(-1<<62, 0), secret), "\xff=\xff"} {
		f.Add(header, body)
	}
	f.Fuzz(func(t *testing.T, header string, body []byte) {
		signedAt, ok := SignedAt(header, body, secret)
		if !ok {
			if !signedAt.IsZero() || Verify(header, body, secret, at) {
				t.Fatalf("%q is not signed and yet at %v", header, signedAt)
			}
			return
		}
		found := false
		for part := range strings.SplitSeq(header, ",") {
			value, isTime := strings.CutPrefix(strings.TrimSpace(part), "t=")
			if seconds, err := strconv.ParseInt(value, 10, 64); !isTime || err != nil || seconds != signedAt.Unix() {
				continue
			}
			h := hmac.New(sha256.New, []byte(secret))
			h.Write([]byte(value + "." + string(body)))
			found = found || strings.Contains(strings.ToLower(header), "v1="+hex.EncodeToString(h.Sum(nil)))
		}
		if !found {
			t.Fatalf("%q is not signed, and counts as signed at %v", header, signedAt)
		}
		if near := signedAt.After(at.Add(-Window-time.Second)) && signedAt.Before(at.Add(Window+time.Second)); Verify(header, body, secret, at) && !near {
			t.Fatalf("%q from %v counts as now", header, signedAt)
		}
		if _, other := SignedAt(header, body, "another secret"); other {
			t.Fatalf("%q counts under another secret, too", header)
		}
	})
}

// FuzzCheckURL: an address that is taken leads by https to a public name, however it is read.
func FuzzCheckURL(f *testing.F) {
	for _, address := range []string{"https://example.com/hook", "https://example.com:8443/a?b=c", "http://example.com", "https://user:pw@example.com", "https://127.0.0.1", "https://[::1]",
		"https://[64:ff9b::7f00:1]", "https://[::ffff:0:127.0.0.1]/", "https://0x7f.1", "https://2130706433", "https://１２７.０.０.１", "https://localhost", "https://a.internal.", "https://example.com#x",
		"https:example.com", "//example.com", "https://example.com\\@127.0.0.1", "https://example.com:22", "https://ex%61mple.com", "https://\xff.com", "https://[fe80::1%25eth0]/"} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if CheckURL(address) != nil {
			return
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" || u.User != nil || u.Fragment != "" || !strings.Contains(u.Hostname(), ".") {
			t.Fatalf("%q is taken", address)
		}
		if _, err := netip.ParseAddr(u.Hostname()); err == nil {
			t.Fatalf("%q is an address in digits", address)
		}
	})
}
