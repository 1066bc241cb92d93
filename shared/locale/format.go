package locale

import (
	"strings"
	"sync"
	"time"

	"github.com/bojanz/currency"

	"yundian/shared/money"
)

// formatters are kept because making one searches the locale tables; each is used by one goroutine at a time.
var formatters = sync.Pool{New: func() any { return map[Language]*currency.Formatter{} }}

// Money is an amount as people of this language write it: ¥12.30 in zh-Hans, CN¥12.30 in English.
func (l *Locale) Money(a money.Amount) string {
	known := formatters.Get().(map[Language]*currency.Formatter)
	defer formatters.Put(known)
	f, ok := known[l.language]
	if !ok {
		f = currency.NewFormatter(currency.NewLocale(string(l.language)))
		known[l.language] = f
	}
	amount, err := currency.NewAmount(a.Decimal(), string(a.Currency))
	if err != nil {
		// The zero amount has no currency; a number is better than nothing on a page.
		return strings.TrimSpace(a.String())
	}
	return f.Format(amount)
}

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
