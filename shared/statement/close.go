// Package statement closes the months of a KOC's ledger, and shows what a month did to those who may know.
package statement

import (
	"context"
	"fmt"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/store"
)

// Grace is how long after its end a month is closed at the earliest. Postings carry the time of their attempt, and nothing
// that posts lives longer than a quarter of an hour, so all of a month are there by then. Should one come later still, a
// clock being far off, the store refuses it, and it is posted at the end of what is closed: in the next month.
const Grace = time.Hour

// page is how many postings are read at once; DynamoDB stops at 1 MB by itself.
const page = 1000

// Closer closes statements.
type Closer struct {
	Store *store.Store
	Zone  *time.Location // of the shop
}

// Close closes every month of a KOC that has ended, in all currencies, and says how many statements that made. It can be
// called again at any time, also while another process does the same: a month is closed once.
func (c Closer) Close(ctx context.Context, handle string, now time.Time) (closed int, err error) {
	books, err := c.Store.Books(ctx, handle)
	if err != nil {
		return 0, err
	}
	for _, b := range books {
		n, err := c.closeCurrency(ctx, handle, b, now)
		if closed += n; err != nil {
			return closed, fmt.Errorf("statements of %s in %s: %w", handle, b.Currency, err)
		}
	}
	return closed, nil
}

// closeCurrency first keeps postings from being put into what has ended, and then adds up what is there.
func (c Closer) closeCurrency(ctx context.Context, handle string, b ledger.Book, now time.Time) (closed int, err error) {
	open := ledger.PeriodAt(now.Add(-Grace), c.Zone) // the first month that is not over
	if b.Closed.Before(open.Start(c.Zone)) {
		if _, err := c.Store.CloseUntil(ctx, handle, b.Currency, open.Start(c.Zone)); err != nil {
			return 0, err
		}
	}
	last, next, err := c.after(ctx, handle, b.Currency)
	if err != nil || next.Period == "" {
		return 0, err
	}
	for ; next.Period < open; next = following(last) {
		next.To, next.ClosedAt = next.Period.Next().Start(c.Zone), now
		st, err := c.add(ctx, last, next, maxPages)
		if err != nil {
			return closed, err
		}
		if last, err = c.Store.PutStatement(ctx, st); err != nil {
			return closed, err
		}
		closed++
	}
	return closed, nil
}

// after is the last closed statement, and the head of the one that comes after it; without a period when nothing has ever
// been posted.
func (c Closer) after(ctx context.Context, handle string, currency money.Currency) (last, next ledger.Statement, err error) {
	last, found, err := c.Store.LastStatement(ctx, handle, currency)
	if err != nil {
		return last, next, err
	}
	if found {
		return last, following(last), nil
	}
	first, err := c.first(ctx, handle, currency)
	if err != nil || first.IsZero() {
		return last, next, err
	}
	period := ledger.PeriodAt(first, c.Zone)
	return last, ledger.Statement{KOC: handle, Period: period, Currency: currency, From: period.Start(c.Zone)}, nil
}

// following is the head of the statement after another. It begins where that one ends, also when the shop has moved to
// another time zone since.
func following(last ledger.Statement) ledger.Statement {
	return ledger.Statement{KOC: last.KOC, Period: last.Period.Next(), Currency: last.Currency, From: last.To}
}

// first is when the first posting in a currency was made; the zero time when there is none.
func (c Closer) first(ctx context.Context, handle string, currency money.Currency) (time.Time, error) {
	for after := ""; ; {
		postings, next, err := c.Store.PostingsIn(ctx, handle, store.Span{}, after, page)
		if err != nil {
			return time.Time{}, err
		}
		for _, p := range postings {
			if p.Currency == currency {
				return p.At, nil
			}
		}
		if after = next; next == "" {
			return time.Time{}, nil
		}
	}
}

// maxPages bounds a month at a million postings of one KOC and more: one that is larger is no KOC's.
const maxPages = 2000

// add adds up a statement that has its end, of at most so many pages of postings.
func (c Closer) add(ctx context.Context, last, next ledger.Statement, pages int) (ledger.Statement, error) {
	closing := ledger.Close(last, next)
	after := ""
	for range pages {
		postings, more, err := c.Store.PostingsIn(ctx, next.KOC, store.Span{From: next.From, To: next.To}, after, page)
		if err != nil {
			return ledger.Statement{}, err
		}
		for _, p := range postings {
			if err := closing.Add(p); err != nil {
				return ledger.Statement{}, err
			}
		}
		if after = more; more == "" {
			return closing.End(), nil
		}
	}
	return ledger.Statement{}, fail.New(fail.TooMany, "statement_too_large", "{period} has too many entries to be added up now. Please try again when it is closed.",
		fail.Args{"period": next.Period})
}
