package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader carries the signature of a delivery.
const SignatureHeader = "Yundian-Signature"

// Window is how far the moment of signing may be from the receiver's clock. Whoever replays a delivery later than that
// is refused.
const Window = 5 * time.Minute

// maxSignatures bounds how many signatures of one header are compared.
const maxSignatures = 5

// Sign signs a body as sent at a moment: t=<Unix seconds>,v1=<hex HMAC SHA-256 of "t.body">, with one v1 for each secret.
func Sign(body []byte, at time.Time, secrets ...string) string {
	t := strconv.FormatInt(at.Unix(), 10)
	header := "t=" + t
	for _, secret := range secrets {
		header += ",v1=" + hex.EncodeToString(mac(secret, t, body))
	}
	return header
}

// Verify is what a receiver does: it reports whether a body was signed with its secret, not longer ago than Window and
// not further ahead. The body is taken as it arrived, byte for byte.
func Verify(header string, body []byte, secret string, now time.Time) bool {
	at, ok := SignedAt(header, body, secret)
	return ok && now.Sub(at).Abs() <= Window
}

// SignedAt is when a body was signed with a secret, false when it was not or the header is malformed. How old is too old
// is the caller's to say.
func SignedAt(header string, body []byte, secret string) (time.Time, bool) {
	var t string
	var signatures [][]byte
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			if t != "" { // two moments: which one was signed?
				return time.Time{}, false
			}
			t = value
		case "v1":
			if signature, err := hex.DecodeString(value); err == nil && len(signatures) < maxSignatures {
				signatures = append(signatures, signature)
			}
		}
	}
	seconds, err := strconv.ParseInt(t, 10, 64)
	if err != nil || secret == "" {
		return time.Time{}, false
	}
	want := mac(secret, t, body)
	for _, signature := range signatures {
		if hmac.Equal(signature, want) {
			return time.Unix(seconds, 0), true
		}
	}
	return time.Time{}, false
}

func mac(secret, t string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(t))
	h.Write([]byte("."))
	h.Write(body)
	return h.Sum(nil)
}
