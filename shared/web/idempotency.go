package web

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"yundian/shared/fail"
)

// KeyPattern is what an idempotency key may be: 16 to 128 characters, long enough not to be met by chance. All of
// printable ASCII but the comma, by which a header that came twice is joined; no blank at either end.
const KeyPattern = `^[!-+\--~][ -+\--~]{14,126}[!-+\--~]$`

var keyPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(KeyPattern) })

// KeyHeader is where refusals say that a key belongs.
const KeyHeader = "header.Idempotency-Key"

// CodeKey is the code of a key that is missing or malformed.
const CodeKey = "idempotency_key_malformed"

// IdempotencyKey is the request's Idempotency-Key, or "" if it has none. A malformed one is refused.
func IdempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	// A key sent twice arrives joined by a comma, which no key contains.
	if len(values) > 1 {
		return "", keyError(KeyHeader)
	}
	return values[0], CheckKey(KeyHeader, values[0])
}

// CheckKey refuses what is no idempotency key, naming where it was: header.Idempotency-Key, or body.key of a form.
func CheckKey(location, key string) error {
	if !keyPattern().MatchString(key) {
		return keyError(location)
	}
	return nil
}

func keyError(location string) error {
	return fail.NewFields([]fail.Field{KeyFault(location)})
}

// KeyFault says what key to send at a location where there is none, or none of the right form.
func KeyFault(location string) fail.Field {
	return fail.At(location, CodeKey,
		"Send a key of 16 to 128 printable ASCII characters without commas that is new for every request and the same when you send that request again.", nil)
}

// BodyHash names what a JSON body says, whatever its spacing, order of members and spelling of strings. Numbers count
// as written. The body must have passed Decode.
func BodyHash(body []byte) (string, error) {
	canonical := jsontext.Value(slices.Clone(body))
	if err := canonical.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)); err != nil {
		return "", fmt.Errorf("hash body: %w", err)
	}
	return digest(canonical), nil
}

// ValueHash names what a decoded request says: equal values have equal hashes, whether they came as a form or as JSON.
func ValueHash(v any) (string, error) {
	text, err := MarshalJSON(v)
	if err != nil {
		return "", fmt.Errorf("hash request: %w", err)
	}
	return digest(text), nil
}

// FormHash names what a form says, leaving out the named fields, such as the key itself.
func FormHash(values url.Values, except ...string) string {
	rest := url.Values{}
	for name, list := range values {
		if !slices.Contains(except, name) {
			rest[name] = list
		}
	}
	return digest([]byte(rest.Encode()))
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
