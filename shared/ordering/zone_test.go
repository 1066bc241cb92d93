package ordering_test

import (
	"testing"
	"time"

	"yundian/shared/ordering"
	"yundian/shared/shop"
)

// No day of an order is ever taken for UTC's because its zone is unknown.
func TestDaysInUnknownZonesAreErrors(t *testing.T) {
	at := time.Date(2026, 2, 28, 20, 0, 0, 0, time.UTC) // in Shanghai it is March
	s := shop.Default()
	s.TimeZone = "Asia/Nowhere"
	if o, err := ordering.Place(ordering.Request{ID: "o"}, ordering.Quote{}, s, at); err == nil {
		t.Errorf("placed on %s", o.Day)
	}
	o := ordering.Order{ID: "o", PlacedAt: at, Day: "2026-03-01", Released: &ordering.Mark{V: 1, At: at}}
	for zone, known := range map[string]bool{"Asia/Shanghai": true, "Asia/Nowhere": false, "": false} {
		o.Terms.Zone = zone
		month, err := o.MonthStart()
		if (err == nil) != known || known && !month.Equal(time.Date(2026, 2, 28, 16, 0, 0, 0, time.UTC)) {
			t.Errorf("%q: the month began %v, %v", zone, month, err)
		}
		if day, err := o.AvailableDay(); (err == nil) != known || known && day != "2026-03-01" {
			t.Errorf("%q: available on %q, %v", zone, day, err)
		}
	}
}
