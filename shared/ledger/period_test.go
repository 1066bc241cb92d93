package ledger_test

import (
	"testing"
	"time"

	"yundian/shared/ledger"
)

// zones have months that begin in every way: at midnight, at 1 o'clock, twice, with half hours, and on a day that was
// left out.
var zones = []string{"Asia/Shanghai", "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana", "America/Asuncion",
	"Asia/Amman", "Asia/Beirut", "Asia/Tehran", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "Atlantic/Azores",
	"America/Santiago", "Asia/Gaza", "America/Scoresbysund", "Africa/Casablanca", "Pacific/Kiritimati"}

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestPeriodsBeginWithTheFirstInstantOfTheirMonth(t *testing.T) {
	odd := 0
	for _, name := range zones {
		zone := location(t, name)
		for p := ledger.Period("1970-02"); p < "2038-01"; p = p.Next() {
			got := p.Start(zone)
			first := string(p) + "-01"
			if got.In(zone).Format(time.DateOnly) < first {
				t.Errorf("%s in %s begins too early, at %s", p, name, got)
			}
			for early := got.Add(-time.Nanosecond); got.Sub(early) < 27*time.Hour; early = early.Add(-15 * time.Minute) {
				if early.In(zone).Format(time.DateOnly) >= first {
					t.Errorf("%s in %s begins too late, at %s", p, name, got)
				}
			}
			if got.In(zone).Format("15:04") != "00:00" {
				odd++
			}
			if at := ledger.PeriodAt(got, zone); at != p {
				t.Errorf("%s in %s begins in %s", p, name, at)
			}
			if before := ledger.PeriodAt(got.Add(-time.Nanosecond), zone); before.Next() != p {
				t.Errorf("before %s in %s is %s", p, name, before)
			}
		}
	}
	if odd == 0 {
		t.Error("no month began at another hour than midnight")
	}
}

func TestParsePeriod(t *testing.T) {
	if p, err := ledger.ParsePeriod("2026-03"); err != nil || p.Next() != "2026-04" {
		t.Errorf("%s, %v", p, err)
	}
	for _, text := range []string{"", "2026", "2026-3", "2026-13", "2026-00", "26-03", "2026-03-01", " 2026-03", "2026-03 ", "２０２６-03", "0000-01", "+2026-03", "abcd-ef"} {
		if p, err := ledger.ParsePeriod(text); err == nil {
			t.Errorf("%q is %s", text, p)
		}
	}
}
