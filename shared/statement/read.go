package statement

import (
	"context"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/store"
)

// Reader finds statements, closed ones and those that go on.
type Reader struct {
	Closer
	Now time.Time
}

// Found is a statement as it is now. One that is not closed has no hash, and the current month's has no end either: it
// closes with what is on the accounts now, and its totals are not added up.
type Found struct {
	ledger.Statement
	Open bool
}

// maxUnclosed bounds how many pages of postings are added up for months that have ended and are not closed yet: 100,000
// postings. Months are closed within a day.
const maxUnclosed = 100

// Open are the statements of a KOC that are not closed, in all currencies, oldest first: that of the current month, and of
// months before it that nobody has closed yet.
func (r Reader) Open(ctx context.Context, handle string) ([]Found, error) {
	books, err := r.Store.Books(ctx, handle)
	if err != nil {
		return nil, err
	}
	var out []Found
	for _, b := range books {
		open, err := r.openIn(ctx, handle, b)
		if err != nil {
			return nil, err
		}
		out = append(out, open...)
	}
	return out, nil
}

func (r Reader) openIn(ctx context.Context, handle string, b ledger.Book) ([]Found, error) {
	last, next, err := r.after(ctx, handle, b.Currency)
	if err != nil || next.Period == "" {
		return nil, err
	}
	var out []Found
	current := ledger.PeriodAt(r.Now, r.Zone)
	for ; next.Period < current; next = following(last) {
		next.To = next.Period.Next().Start(r.Zone)
		if last, err = r.add(ctx, last, next, maxUnclosed); err != nil {
			return nil, err
		}
		open := last
		open.Hash, open.PrevHash = "", ""
		out = append(out, Found{open, true})
	}
	next.Opening, next.Closing = last.Closing, b.Balances
	next.Opening.Currency = b.Currency
	return append(out, Found{next, true}), nil
}

// Find is the statement of a period. One that is to come, or before the first, is NotFound, and so is that of a currency in
// which nothing was ever posted.
func (r Reader) Find(ctx context.Context, handle string, p ledger.Period, c money.Currency) (Found, error) {
	st, closed, err := r.Store.Statement(ctx, handle, p, c)
	if err != nil || closed {
		return Found{st, false}, err
	}
	books, err := r.Store.Books(ctx, handle)
	if err != nil {
		return Found{}, err
	}
	for _, b := range books {
		if b.Currency != c || p > ledger.PeriodAt(r.Now, r.Zone) {
			continue
		}
		open, err := r.openIn(ctx, handle, b)
		if err != nil {
			return Found{}, err
		}
		for _, f := range open {
			if f.Period == p {
				return f, nil
			}
		}
	}
	return Found{}, fail.New(fail.NotFound, "statement_unknown", "There is no statement of {period} in {currency} here.", fail.Args{"period": p, "currency": c})
}

// span is the time of the statement's postings.
func (f Found) span() store.Span { return store.Span{From: f.From, To: f.To} }
