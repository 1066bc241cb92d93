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
			parts = append(parts, optionSlug(o))
		}
	}
	return shorten(strings.Join(parts, "-"), maxSKU)
}

// maxSKU is the longest SKU that catalogue.ValidSKU takes, in bytes.
const maxSKU = 80

// optionSlug is the slug of an option's value. Marks that tell values apart (+1.00 and −1.00, AM3 and AM3+, C and C#) are
// spelled out; when others are lost, the value's hash stands for them.
func optionSlug(value string) string {
	spelled := spell(value)
	s := Slug(spelled)
	lost := strings.ContainsFunc(spelled, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Z) && !strings.ContainsRune(harmless, r)
	})
	if lost && s != hash(spelled) {
		s += "-" + hash(value)
	}
	return s
}

// harmless are marks between words that a slug may lose: values that differ in them alone are typing variants.
const harmless = `-_/.,:;()[]{}'"’‘“”、，。：；（）【】《》・·&!?！？`

// spell writes marks out that change what a value says. A dash is a minus only before a digit at the beginning.
func spell(value string) string {
	value = strings.NewReplacer("#", " sharp ", "+", " plus ", "＋", " plus ", "%", " percent ", "°", " deg ", "½", " 1 2 ", "¼", " 1 4 ").Replace(value)
	for _, dash := range []string{"-", "−", "–", "－"} {
		if rest, found := strings.CutPrefix(value, dash); found && strings.IndexFunc(rest, unicode.IsDigit) == 0 {
			return "minus " + rest
		}
	}
	return value
}

// completed are the SKUs that a variant can have instead of one that another variant has already, best first: with what
// tells the two apart, and with its hash, where the slugs of two options are the same.
func completed(sku, product string, options []string) [2]string {
	parts := []string{sku}
	for _, o := range options {
		if o != defaultTitle && o != "" {
			parts = append(parts, optionSlug(o))
		}
	}
	if len(parts) == 1 {
		parts = append(parts, product)
	}
	all := strings.Join(parts, "-")
	return [2]string{shorten(all, maxSKU), shorten(all+"-"+hash(product+"\x00"+strings.Join(options, "\x00")), maxSKU)}
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
