package shop

import "time"

// Time reports whether a time that came from outside can be one of the shop's: of the years 2000 to 2999. Others are
// mistakes or traps. A time after the year 9999 cannot be stored, one in a zone of its own can get there when it is
// turned into UTC, and sort keys of years without four digits are out of order.
func Time(at time.Time) bool {
	year := at.UTC().Year()
	return 2000 <= year && year <= 2999
}
