package locale

import "time"

// Date is the day of t in a time zone: 2026年3月1日, or 1 March 2026. A nil zone is UTC, the zero time is "".
func (l *Locale) Date(t time.Time, zone *time.Location) string {
	return l.format(t, zone, "2006年1月2日", "2 January 2006")
}

// Moment is the day and minute of t in a time zone: 2026年3月1日 14:05, or 1 March 2026, 14:05.
func (l *Locale) Moment(t time.Time, zone *time.Location) string {
	return l.format(t, zone, "2006年1月2日 15:04", "2 January 2006, 15:04")
}

func (l *Locale) format(t time.Time, zone *time.Location, chinese, english string) string {
	if t.IsZero() {
		return ""
	}
	if zone == nil {
		zone = time.UTC
	}
	if l.language == English {
		return t.In(zone).Format(english)
	}
	return t.In(zone).Format(chinese)
}
