package telemetry

import (
	"strings"
	"unicode/utf8"
)

// Mask shows enough of a phone number or e-mail address to recognise one's own, and too little to use:
// +861••••••00, c•••@example.com. Anything else shows its first character.
func Mask(s string) string {
	if name, domain, ok := strings.Cut(s, "@"); ok && name != "" {
		return first(name) + "•••@" + domain
	}
	digits := strings.Count(s, "") - 1
	if strings.Trim(s, "+0123456789 -()") == "" && digits >= 7 {
		return s[:4] + strings.Repeat("•", digits-6) + s[len(s)-2:]
	}
	if s == "" {
		return ""
	}
	return first(s) + "•••"
}

func first(s string) string {
	r, _ := utf8.DecodeRuneInString(s)
	return string(r)
}
