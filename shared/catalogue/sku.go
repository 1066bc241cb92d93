package catalogue

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// FoldSKU is what SKUs are compared by: two that differ in letter case only, or in the width of their letters and digits,
// are one. Spreadsheets and warehouses change both without being asked. Folding what is folded changes nothing.
func FoldSKU(sku string) string { return fold(sku) }

// SameSKU reports whether two spellings name one SKU.
func SameSKU(a, b string) bool { return a == b || fold(a) == fold(b) }

// fold brings a text to one letter case and to the compatible form of its characters (NFKC). Folding a letter can open a
// composition, so the form is made once more.
func fold(text string) string {
	if isPlain(text) {
		return strings.ToLower(text)
	}
	return norm.NFKC.String(strings.Map(foldRune, norm.NFKC.String(text)))
}

// isPlain reports whether a text has ASCII only, which most SKUs do.
func isPlain(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r >= 0x80 }) < 0
}

// foldRune is the same for all letters that Unicode's simple case folding makes equal: the lower case of their first.
func foldRune(r rune) rune {
	first := r
	for x := unicode.SimpleFold(r); x != r; x = unicode.SimpleFold(x) {
		first = min(first, x)
	}
	return unicode.ToLower(first)
}

// VariantID is the nth id that a variant can get which is first saved in this product under this SKU. It follows from both,
// so that saving again what was interrupted gives the same id; n above 0 is for a variant that takes the SKU over from
// one that had it before.
func VariantID(product, sku string, n int) string {
	sum := sha256.Sum256([]byte(product + "\x00" + FoldSKU(sku) + "\x00" + strconv.Itoa(n)))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:10])) // 80 bits: no two of a shop's variants share them by chance
}
