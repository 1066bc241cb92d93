// Package attribution decides which KOC earned an order, and writes down why.
package attribution

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"yundian/shared/koc"
	"yundian/shared/ordering"
	"yundian/shared/seal"
	"yundian/shared/shop"
)

// A token says: a page of this link was rendered at this time, by us. It travels in every link and form of the
// page, so it survives in-app browsers, lost cookies and appended parameters. Form: code.seconds.mac, with
// seconds since 1970 in base64url.

// tokenPurpose separates these signatures from all others made with the same keys.
const tokenPurpose = "share link token"

// MaxToken bounds a token in bytes.
const MaxToken = 200

// clockSkew is how far in the future a token's time may lie before it counts as forged.
const clockSkew = 2 * time.Minute

// SignToken makes the token of a link code for a page rendered at the given time.
func SignToken(keys seal.Ring, code string, at time.Time) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(at.Unix()))
	stamp := base64.RawURLEncoding.EncodeToString(b[3:])
	return code + "." + stamp + "." + keys.MAC(tokenPurpose, code, stamp)
}

// ReadToken turns a token into evidence for an order placed now. It never fails: what is wrong with a token is
// noted as its problem, and the sale proceeds.
//
// Only a signature makes a token's code and time ours: anybody can write others, also a year that cannot be stored. So
// evidence that is malformed or forged names no link, and the time it has is when it came.
func ReadToken(keys seal.Ring, token string, now time.Time, window time.Duration) ordering.Evidence {
	e := ordering.Evidence{Kind: ordering.ByLink, At: now}
	parts := strings.Split(token, ".")
	if len(token) > MaxToken || len(parts) != 3 {
		e.Problem = "malformed"
		return e
	}
	stamp, err := base64.RawURLEncoding.DecodeString(parts[1])
	if _, known := koc.HandleOf(parts[0]); err != nil || len(stamp) != 5 || !known || len(parts[0]) > koc.MaxCode {
		e.Problem = "malformed"
		return e
	}
	if !keys.Verify(tokenPurpose, parts[2], parts[0], parts[1]) {
		e.Problem = "forged"
		return e
	}
	at := time.Unix(int64(binary.BigEndian.Uint64(append(make([]byte, 3), stamp...))), 0).UTC()
	if !shop.Time(at) { // not even a genuine one may keep an order from being stored
		e.Problem = "malformed"
		return e
	}
	e.Code, e.At = koc.NormalCode(parts[0]), at
	switch {
	case e.At.After(now.Add(clockSkew)):
		e.Problem = "from_the_future"
	case e.At.Before(now.Add(-window)):
		e.Problem = "expired"
	}
	return e
}

// TokenCode reads a token that our own pages carry along: its link code and time, if the token is genuine, however old.
func TokenCode(keys seal.Ring, token string, now time.Time) (code string, at time.Time, genuine bool) {
	e := ReadToken(keys, token, now, 1<<62)
	return e.Code, e.At, e.Problem == ""
}

// ReadTokens reads the tokens of an order's page, basket and form: at most MaxTokens, each once, oldest first.
func ReadTokens(keys seal.Ring, tokens []string, now time.Time, window time.Duration) []ordering.Evidence {
	seen := map[string]bool{}
	var out []ordering.Evidence
	for _, token := range tokens {
		if token == "" || seen[token] || len(out) >= ordering.MaxTokens {
			continue
		}
		seen[token] = true
		out = append(out, ReadToken(keys, token, now, window))
	}
	return out
}
