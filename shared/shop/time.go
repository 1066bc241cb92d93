package shop

import (
	"fmt"
	"time"
)

// Zone is the time zone of an IANA name. An unknown one is an error, never UTC: days would begin at the wrong midnight,
// and nobody would see it. Functions that ask link time/tzdata, because the machine may have no zones.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" { // not names of zones, although package time takes them
		return nil, fmt.Errorf("time zone %q is unknown", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %q is unknown here: %w", name, err)
	}
	return zone, nil
}

// Time reports whether a time that came from outside can be one of the shop's: of the years 2000 to 2999. Others are
// mistakes or traps. A time after the year 9999 cannot be stored, one in a zone of its own can get there when it is
// turned into UTC, and sort keys of years without four digits are out of order.
func Time(at time.Time) bool {
	year := at.UTC().Year()
	return 2000 <= year && year <= 2999
}
