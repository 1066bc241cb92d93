package web

import (
	"strings"

	"yundian/shared/fail"
)

// faults are the things that can be wrong with one field, {value} being the limit or choice that it misses.
// Their other languages are in package locale as errors.<code>.
var faults = []fail.Field{
	{Code: "field_twice", Text: "This is given twice."},
	{Code: "field_unknown", Text: "There is no such field."},
	{Code: "field_required", Text: "This is required."},
	{Code: "field_boolean", Text: "This must be true or false."},
	{Code: "field_number", Text: "This must be a number."},
	{Code: "field_integer", Text: "This must be a whole number."},
	{Code: "field_string", Text: "This must be a text."},
	{Code: "field_list", Text: "This must be a list."},
	{Code: "field_object", Text: "This must be an object."},
	{Code: "field_one_of", Text: "This must be one of: {value}."},
	{Code: "field_min", Text: "This must be at least {value}."},
	{Code: "field_above", Text: "This must be more than {value}."},
	{Code: "field_max", Text: "This must be at most {value}."},
	{Code: "field_below", Text: "This must be less than {value}."},
	{Code: "field_short", Text: "This must have at least {value} characters."},
	{Code: "field_long", Text: "This must have at most {value} characters."},
	{Code: "field_few", Text: "This must have at least {value} entries."},
	{Code: "field_many", Text: "This must have at most {value} entries."},
	{Code: "field_unique", Text: "The entries must differ."},
	{Code: "field_date_time", Text: "This must be a time such as 2026-03-01T08:30:00Z."},
	{Code: "field_date", Text: "This must be a date such as 2026-03-01."},
	{Code: "field_email", Text: "This must be an e-mail address."},
	{Code: "field_url", Text: "This must be a URL."},
	{Code: "field_pattern", Text: "This must match {value}."},
	{Code: "field_type", Text: "This has the wrong type or is out of range."},
}

// Fault is one of these at a location such as "body.lines[0].quantity": Fault(at, "field_max", "100"). A code that is none
// of them gives field_type, which fits everything.
func Fault(location, code, value string) fail.Field {
	for _, f := range faults {
		if f.Code != code {
			continue
		}
		var args fail.Args
		if strings.Contains(f.Text, "{value}") {
			args = fail.Args{"value": value}
		}
		return fail.At(location, f.Code, f.Text, args)
	}
	return Fault(location, "field_type", "")
}
