// Package seal signs what Yundian gives out and recognises it when it comes back: link tokens, order secrets
// and page cursors, so that nobody can invent one or use one that belongs to somebody else.
//
//	ring, err := seal.Parse(os.Getenv("SIGNING_KEYS"))   // {"1": "old secret", "2": "new secret"}
//	secret := ring.MAC("order", order.ID)                // 43 characters, safe in a URL
//	ok := ring.Verify("order", secret, order.ID)         // true for every key of the ring
//
// Keys rotate: the greatest key id signs, every key of the ring verifies. Each purpose has its own derived key,
// so a value signed for one purpose is worthless for another.
package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Limits on a ring: rotation needs two or three keys, and a secret below 16 bytes can be guessed.
const (
	maxKeys      = 16
	maxKeyID     = 64
	minSecret    = 16
	maxSecret    = 1024
	derivedLabel = "yundian/seal/1"
)

// Ring is a set of signing keys, newest first. Make one with Parse; the zero value signs and verifies nothing.
type Ring struct {
	keys [][]byte
}

// Parse reads a JSON object of key id to secret, such as {"1": "…", "2": "…"}. Ids of digits order as numbers
// and come before all others, which order as text. Secrets have 16 to 1,024 bytes. The error never quotes a secret.
func Parse(text string) (Ring, error) {
	var secrets map[string]string
	if err := json.Unmarshal([]byte(text), &secrets); err != nil {
		// The decoder's own message could quote part of a secret.
		return Ring{}, fmt.Errorf("read signing keys: not a JSON object of key id to secret")
	}
	if len(secrets) == 0 || len(secrets) > maxKeys {
		return Ring{}, fmt.Errorf("read signing keys: %d keys, want 1 to %d", len(secrets), maxKeys)
	}
	ids := make([]string, 0, len(secrets))
	for id, secret := range secrets {
		if id == "" || len(id) > maxKeyID {
			return Ring{}, fmt.Errorf("read signing keys: a key id has %d characters, want 1 to %d", len(id), maxKeyID)
		}
		if len(secret) < minSecret || len(secret) > maxSecret {
			return Ring{}, fmt.Errorf("read signing keys: secret of %q has %d bytes, want %d to %d", id, len(secret), minSecret, maxSecret)
		}
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return compareIDs(b, a) })
	var ring Ring
	for _, id := range ids {
		ring.keys = append(ring.keys, []byte(secrets[id]))
	}
	return ring, nil
}

// MAC signs parts for a purpose with the newest key: 43 characters of base64url. Parts are kept apart by their
// lengths, so ("ab", "c") and ("a", "bc") differ. It panics on a ring without keys, which Parse never returns.
func (r Ring) MAC(purpose string, parts ...string) string {
	return base64.RawURLEncoding.EncodeToString(sign(derive(r.keys[0], purpose), parts))
}

// Verify reports whether mac is what MAC gave for the same purpose and parts under any key of the ring.
// Its time depends on nothing secret.
func (r Ring) Verify(purpose, mac string, parts ...string) bool {
	valid := false
	for _, key := range r.keys {
		// The text is compared, not what it decodes to: decoders accept several spellings. And there is no early
		// return, because the time would tell which key signed.
		want := base64.RawURLEncoding.EncodeToString(sign(derive(key, purpose), parts))
		valid = hmac.Equal([]byte(mac), []byte(want)) || valid
	}
	return valid
}

// Hash names a value without revealing it, the same way for ever: 43 characters of base64url. It is how a phone
// number or e-mail address becomes a key. identityKey is never rotated, because the hashes are stored.
func Hash(identityKey []byte, purpose, value string) string {
	return base64.RawURLEncoding.EncodeToString(sign(derive(identityKey, "identity/"+purpose), []string{value}))
}

func derive(key []byte, purpose string) []byte { return sign(key, []string{derivedLabel, purpose}) }

func sign(key []byte, parts []string) []byte {
	h := hmac.New(sha256.New, key)
	var length [8]byte
	for _, part := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}

// compareIDs orders "9" before "10" before "a", so that counting up and dates both rotate as expected.
func compareIDs(a, b string) int {
	numberA, numberB := isNumber(a), isNumber(b)
	switch {
	case numberA && !numberB:
		return -1
	case !numberA && numberB:
		return 1
	case numberA:
		x, y := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		if len(x) != len(y) {
			return len(x) - len(y)
		}
		if x != y {
			return strings.Compare(x, y)
		}
	}
	return strings.Compare(a, b)
}

func isNumber(id string) bool {
	return strings.Trim(id, "0123456789") == ""
}
