package shop

import (
	"testing"
	"time"
)

func TestTime(t *testing.T) {
	for text, want := range map[string]bool{
		"2026-03-01T00:00:00Z": true, "2000-01-01T00:00:00Z": true, "2999-12-31T23:59:59Z": true,
		"1999-12-31T23:59:59Z": false, "3000-01-01T00:00:00Z": false, "0000-01-01T00:00:00Z": false, "9999-12-31T23:59:59Z": false,
		// In UTC these are the years -1, 10000, 1999 and 3000.
		"0000-01-01T00:00:00+01:00": false, "9999-12-31T23:59:59-01:00": false, "2000-01-01T00:00:00+01:00": false, "2999-12-31T23:59:59-01:00": false,
	} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Time(at); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestUnknownZonesAreErrors(t *testing.T) {
	for name, known := range map[string]bool{"Asia/Shanghai": true, "UTC": true, "America/New_York": true, "": false, "Local": false, "Asia/Nowhere": false, "../etc/passwd": false, "/etc/localtime": false,
		"asia/shanghai\x00": false, "+08:00": false} {
		s := Default()
		s.TimeZone = name
		zone, err := s.Zone()
		day, failed := s.Day(time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC))
		if (err == nil) != known || (failed == nil) != known || (zone == nil) == known || (day == "") == known || (s.Validate() == nil) != known {
			t.Errorf("%q: %v, %v, %q, %v", name, zone, err, day, failed)
		}
	}
	s := Default()
	if day, err := s.Day(time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)); day != "2026-03-02" {
		t.Errorf("in Shanghai it is %s, %v", day, err)
	}
}
