package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"strings"

	"yundian/shared/fail"
)

// MaxCursor bounds what OpenCursor looks at, in characters; a store key with its index keys needs far less.
const MaxCursor = 2048

// Binding is what a cursor belongs to. A cursor opens only under the binding it was made with.
type Binding struct {
	Owner string // who may use it: a KOC's id, an operator's subject
	Query string // the list and its filters in one fixed spelling, without the page size
}

// Cursor hides a position of a list in text for the client, bound to its owner and query. Equal positions give equal
// cursors. An empty position, the end of the list, gives "".
func (r Ring) Cursor(b Binding, position string) string {
	if position == "" {
		return ""
	}
	box, nonceKey := boxes(r.keys[0])
	bound := b.bytes()
	// The nonce is derived from everything sealed, as in SIV modes: this package draws no random numbers, and two
	// different messages never share a nonce.
	nonce := sign(nonceKey, []string{string(bound), position})[:box.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(box.Seal(nonce, nonce, []byte(position), bound))
}

// OpenCursor returns the position that Cursor hid; "" for "". A cursor that is damaged, forged, or made for another
// owner or query is a fail.Invalid with code "cursor_invalid".
func (r Ring) OpenCursor(b Binding, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	refused := fail.New(fail.Invalid, "cursor_invalid", "This cursor does not belong to this list. Start again from the first page.", nil)
	// The decoder skips line ends, which would give one cursor many spellings.
	if len(cursor) > MaxCursor || strings.ContainsAny(cursor, "\r\n") {
		return "", refused
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return "", refused
	}
	for _, key := range r.keys {
		box, _ := boxes(key)
		if len(sealed) < box.NonceSize() {
			return "", refused
		}
		position, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], b.bytes())
		if err == nil {
			return string(position), nil
		}
	}
	return "", refused
}

// bytes joins owner and query so that no other pair gives the same bytes.
func (b Binding) bytes() []byte {
	return sign([]byte(derivedLabel), []string{b.Owner, b.Query})
}

func boxes(key []byte) (box cipher.AEAD, nonceKey []byte) {
	block, err := aes.NewCipher(derive(key, "cursor"))
	if err != nil {
		panic(fmt.Sprintf("seal: a derived key has 32 bytes, which AES accepts: %v", err))
	}
	box, err = cipher.NewGCM(block)
	if err != nil {
		panic(fmt.Sprintf("seal: AES works in GCM: %v", err))
	}
	return box, derive(key, "cursor nonce")
}
