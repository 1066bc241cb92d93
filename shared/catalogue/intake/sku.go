package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gosimple/slug"
)

// defaultTitle is the option value that Shopify gives a product with one variant; it adds nothing to a name.
const defaultTitle = "Default Title"

// SKU names a variant that came without one: the product's id and the slugs of its option values.
func SKU(product string, options []string) string {
	parts := []string{product}
	for _, o := range options {
		if o != defaultTitle && o != "" {
			parts = append(parts, Slug(o))
		}
	}
	return shorten(strings.Join(parts, "-"), 80)
}

// Slug is a text as part of an id: lower-case words joined by hyphens. Latin letters lose their accents; other scripts
// stay as they are, because in a transliteration different words become equal (红 and 洪 are both "hong"). A
// text without letters and digits is named by its hash.
func Slug(text string) string {
	s := ""
	if strings.IndexFunc(text, foreign) < 0 {
		s = slug.Make(text)
	} else {
		s = strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
		}), "-")
	}
	if s == "" {
		return hash(text)
	}
	return s
}

func foreign(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) }

// shorten keeps a name within a number of bytes and different from others that begin alike.
func shorten(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	end := limit - 9
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return strings.TrimRight(name[:end], "-_ ") + "-" + hash(name)
}

func hash(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:4])
}
