package seal

import (
	"encoding/base64"
	"errors"
)

// Box encrypts what the store keeps and nobody but its reader may see: secrets of webhooks, names and accounts of payout
// methods. Its keys rotate like a Ring's: the greatest id encrypts, all decrypt. Make one with ParseBox.
type Box struct{ ring Ring }

// ParseBox reads keys in the form that Parse reads. A key stays in the ring as long as anything is stored under it.
func ParseBox(text string) (Box, error) {
	ring, err := Parse(text)
	return Box{ring}, err
}

// Seal encrypts a text for the binding that it will be opened with: 38 characters and four for every three bytes. The
// same text under the same binding gives the same characters.
func (b Box) Seal(bound Binding, plain string) string {
	return seal(b.ring.keys[0], "stored", bound, plain)
}

// Open decrypts what Seal gave. Anything else, also what was sealed for another binding, is an error that quotes nothing.
func (b Box) Open(bound Binding, sealed string) (string, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err == nil {
		if plain, ok := b.ring.open("stored", bound, raw); ok {
			return plain, nil
		}
	}
	return "", errors.New("seal: stored text cannot be opened: its key is missing from the ring, or it was sealed for something else")
}
