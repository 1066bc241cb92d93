package ledger

import (
	"time"

	"yundian/shared/fail"
)

// Period is a month of the shop, 2006-01. It begins with the first instant whose local date lies in it and lasts until
// the next one begins, so every instant belongs to exactly one, also where clocks are put forward or back.
type Period string

const periodForm = "2006-01"

// ParsePeriod reads a month such as 2026-03 from outside.
func ParsePeriod(text string) (Period, error) {
	t, err := time.Parse(periodForm, text)
	if err != nil || t.Year() < 1 {
		return "", fail.New(fail.Invalid, "period_malformed", "{value} is not a month such as 2026-03.", fail.Args{"value": clip(text)})
	}
	return Period(text), nil
}

// clip bounds what is quoted back.
func clip(text string) string {
	if r := []rune(text); len(r) > 20 {
		return string(r[:20]) + "…"
	}
	return text
}

// PeriodAt is the period that an instant belongs to.
func PeriodAt(at time.Time, zone *time.Location) Period {
	p := Period(at.In(zone).Format(periodForm))
	if next := p.Next(); !at.Before(next.Start(zone)) {
		return next // clocks went back over the month's first midnight
	}
	return p
}

// Next is the month after.
func (p Period) Next() Period {
	t, _ := time.Parse(periodForm, string(p)) // a period is one by ParsePeriod or PeriodAt
	return Period(t.AddDate(0, 1, 0).Format(periodForm))
}

// Start is the first instant of the period in a zone.
func (p Period) Start(zone *time.Location) time.Time {
	day, _ := time.Parse(periodForm, string(p))
	first := day.Format(time.DateOnly)
	at := time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, zone)
	begin, end := at.ZoneBounds()
	switch local := at.Format("2006-01-02T15:04:05"); {
	case local < first: // there is no such midnight, and this is before the clocks are put forward
		return end.UTC()
	case local > first+"T00:00:00": // the same, and this is after it
		return begin.UTC()
	}
	// Clocks that are put back show one hour twice: the first midnight counts.
	if !begin.IsZero() {
		_, now := at.Zone()
		_, before := begin.Add(-time.Nanosecond).Zone()
		if earlier := at.Add(time.Duration(now-before) * time.Second); earlier.Before(begin) && earlier.Format(time.DateOnly) == first {
			return earlier.UTC()
		}
	}
	return at.UTC()
}
