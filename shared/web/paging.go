package web

import (
	"math"
	"strconv"

	"yundian/shared/fail"
)

// Page sizes of every list.
const (
	DefaultLimit = 20
	MaxLimit     = 100
)

// ParseLimit reads a page size: a number from 1, where everything above 100 means 100. "" is 20.
func ParseLimit(text string) (int, error) {
	if text == "" {
		return DefaultLimit, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(n, 1) || math.IsNaN(n) || n < 1 || n < MaxLimit && n != math.Trunc(n) {
		return 0, fail.NewFields([]fail.Field{Fault("query.limit", "field_min", "1")})
	}
	return int(min(n, MaxLimit)), nil
}
