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

// Binding is what something sealed belongs to. It opens only under the binding it was made with.
type Binding struct {
	Owner string // who may use it: a KOC's id, an operator's subject
	Query string // a cursor's list and its filters in one fixed spelling, without the page size; or what is stored
}

// Cursor hides a position of a list in text for the client, bound to its owner and query. Equal positions give equal
// cursors. An empty position, the end of the list, gives "".
func (r Ring) Cursor(b Binding, position string) string {
	if position == "" {
		return ""
	}
	return seal(r.keys[0], "cursor", b, position)
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
	if position, ok := r.open("cursor", b, sealed); ok {
		return position, nil
	}
	return "", refused
}

// seal encrypts a text for a purpose and a binding.
func seal(key []byte, purpose string, b Binding, plain string) string {
	box, nonceKey := boxes(key, purpose)
	bound := b.bytes()
	// The nonce is derived from everything sealed, as in SIV modes: this package draws no random numbers, and two
	// different messages never share a nonce.
	nonce := sign(nonceKey, []string{string(bound), plain})[:box.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(box.Seal(nonce, nonce, []byte(plain), bound))
}

// open decrypts what seal gave, under whichever key of the ring.
func (r Ring) open(purpose string, b Binding, sealed []byte) (string, bool) {
	for _, key := range r.keys {
		box, _ := boxes(key, purpose)
		if len(sealed) < box.NonceSize() {
			return "", false
		}
		if plain, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], b.bytes()); err == nil {
			return string(plain), true
		}
	}
	return "", false
}

// bytes joins owner and query so that no other pair gives the same bytes.
func (b Binding) bytes() []byte {
	return sign([]byte(derivedLabel), []string{b.Owner, b.Query})
}

func boxes(key []byte, purpose string) (box cipher.AEAD, nonceKey []byte) {
	block, err := aes.NewCipher(derive(key, purpose))
	if err != nil {
		panic(fmt.Sprintf("seal: a derived key has 32 bytes, which AES accepts: %v", err))
	}
	box, err = cipher.NewGCM(block)
	if err != nil {
		panic(fmt.Sprintf("seal: AES works in GCM: %v", err))
	}
	return box, derive(key, purpose+" nonce")
}
