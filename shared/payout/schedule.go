package payout

import (
	"time"

	"yundian/shared/fail"
)

// Cycle is how often payouts are made by themselves.
type Cycle string

// The cycles.
const (
	Never   Cycle = ""        // only when asked for
	Weekly  Cycle = "weekly"  // on a day of the week
	Monthly Cycle = "monthly" // on a day of the month
)

// Schedule is on which days payouts are made by themselves, in the shop's zone.
type Schedule struct {
	Every Cycle
	Day   int // 1 is Monday, 7 Sunday; or 1 to 28, which every month has
}

func (s Schedule) check(where string) []fail.Field {
	switch s.Every {
	case Never:
		return nil
	case Weekly:
		return between(where+".day", int64(s.Day), 1, 7)
	case Monthly:
		return between(where+".day", int64(s.Day), 1, 28)
	default:
		return []fail.Field{fail.At(where+".every", "cycle_unknown", "One of none, weekly and monthly.", nil)}
	}
}

// longestCycle is how many days one has to look to meet every day of a schedule.
const longestCycle = 31

// Latest is the last day of the schedule up to a local day, that day included; "" when there is none.
func (s Schedule) Latest(today string) string { return s.search(today, 0, -1) }

// Next is the first day of the schedule after a local day; "" when there is none.
func (s Schedule) Next(today string) string { return s.search(today, 1, 1) }

func (s Schedule) search(today string, first, step int) string {
	day, err := time.Parse(time.DateOnly, today) // days are counted in UTC, where each has 24 hours
	if err != nil || s.Every == Never {
		return ""
	}
	for range longestCycle {
		if at := day.AddDate(0, 0, first); s.on(at) {
			return at.Format(time.DateOnly)
		}
		first += step
	}
	return ""
}

func (s Schedule) on(day time.Time) bool {
	switch s.Every {
	case Weekly:
		return (int(day.Weekday())+6)%7+1 == s.Day
	case Monthly:
		return day.Day() == s.Day
	default:
		return false
	}
}
