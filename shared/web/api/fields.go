package api

import (
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"yundian/shared/fail"
	"yundian/shared/web"
)

// humaField reads "code|argument" as setUpHuma made huma write it, and the few messages that huma does not let change.
func humaField(d *huma.ErrorDetail) fail.Field {
	code, value, _ := strings.Cut(d.Message, "|")
	location := strings.ReplaceAll(d.Location, ".[", "[")
	switch {
	case location == web.KeyHeader:
		return web.KeyFault(location) // whether it is missing, short or misspelt: this says what to send
	case code == "field_required":
		name, _, _ := strings.Cut(value, "|")
		location += "." + name
		value = ""
	case strings.HasPrefix(code, "required ") && strings.HasSuffix(code, " is missing"):
		code = "field_required"
	case code == "invalid integer":
		code = "field_integer"
	case strings.HasPrefix(code, "invalid float"):
		code = "field_number"
	case code == "invalid boolean":
		code = "field_boolean"
	case strings.HasPrefix(code, "invalid date/time"):
		code = "field_date_time"
	}
	return web.Fault(clipLocation(location), code, value)
}

// Limits on the names that a client chose inside a location, so that an answer cannot become large.
const (
	maxName  = 64 // characters
	maxNames = 18 // nesting, and the two words before it
)

func clipLocation(location string) string {
	parts := strings.Split(location, ".")
	parts = parts[:min(len(parts), maxNames)]
	for i, part := range parts {
		if utf8.RuneCountInString(part) > maxName {
			parts[i] = string([]rune(part)[:maxName]) + "…"
		}
	}
	return strings.Join(parts, ".")
}
