package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/money"
)

// chain recomputes the closed statements in one currency while the postings go by, oldest first.
type chain struct {
	statements []ledger.Statement
	next       int // whose postings come
	closing    *ledger.Closing
	broken     bool      // a posting has been refused by it
	beyond     time.Time // the first posting after the last statement
	found      []Difference
}

// chains are the closed statements of a KOC by currency. They are read before the postings, which cannot change any more
// once a statement is there.
func (a *Auditor) chains(ctx context.Context, handle string) (map[money.Currency]*chain, error) {
	out := map[money.Currency]*chain{}
	for after := ""; ; {
		page, next, err := a.Store.Statements(ctx, handle, after, postingPage)
		if err != nil {
			return nil, err
		}
		for _, st := range page {
			if out[st.Currency] == nil {
				out[st.Currency] = &chain{}
			}
			out[st.Currency].statements = append(out[st.Currency].statements, st)
		}
		if after = next; next == "" {
			break
		}
	}
	for _, c := range out {
		slices.Reverse(c.statements)
		c.begin()
	}
	return out, nil
}

// begin opens the next statement anew, as it must have been closed.
func (c *chain) begin() {
	if c.next == len(c.statements) {
		return
	}
	var prev ledger.Statement
	if c.next > 0 {
		prev = c.statements[c.next-1]
	}
	st := c.statements[c.next]
	if err := st.Follows(prev); err != nil {
		c.differ(st, "a statement that follows the one before", err.Error())
	}
	prev.Hash, c.broken = st.PrevHash, false // a gap is told once
	c.closing = ledger.Close(prev, ledger.Statement{KOC: st.KOC, Period: st.Period, Currency: st.Currency, From: st.From, To: st.To, ClosedAt: st.ClosedAt})
}

func (c *chain) differ(st ledger.Statement, expected, found string) {
	c.found = append(c.found, Difference{Statement, fmt.Sprintf("%s %s %s", st.KOC, st.Period, st.Currency), expected, found})
}

// add takes the next posting in the currency.
func (c *chain) add(p ledger.Posting) {
	for c.next < len(c.statements) && !p.At.Before(c.statements[c.next].To) {
		c.end()
	}
	if c.next == len(c.statements) {
		if c.beyond.IsZero() {
			c.beyond = p.At
		}
		return
	}
	if err := c.closing.Add(p); err != nil && !c.broken {
		c.broken = true
		c.differ(c.statements[c.next], "a posting of this month", err.Error())
	}
}

// end holds a statement against what its postings add up to.
func (c *chain) end() {
	st, again := c.statements[c.next], c.closing.End()
	if want, have := statementText(again), statementText(st); want != have {
		c.differ(st, want, have)
	}
	c.next++
	c.begin()
}

func statementText(s ledger.Statement) string {
	text := fmt.Sprintf("opens with %s, closes with %s after %d postings up to %q", accountsText(s.Opening), accountsText(s.Closing), s.Postings, s.Last)
	for _, t := range s.Totals {
		text += fmt.Sprintf("; %d %s: %d", t.Count, t.Kind, t.Minor)
	}
	return text + "; hash " + s.Hash
}

// closeWithin is how long after the end of a month its statements are there, if need be after a failure or two.
const closeWithin = 4 * 24 * time.Hour

// finish ends the chain against the end up to which nothing is posted any more.
func (c *chain) finish(b ledger.Book, handle string, now time.Time) []Difference {
	for c.next < len(c.statements) {
		c.end()
	}
	last := ledger.Statement{KOC: handle, Currency: b.Currency}
	if n := len(c.statements); n > 0 {
		last = c.statements[n-1]
	}
	if last.To.After(b.Closed) {
		c.differ(last, "nothing posted any more before "+last.To.String(), "before "+b.Closed.String())
	}
	if !c.beyond.IsZero() && c.beyond.Before(b.Closed) && b.Closed.Add(closeWithin).Before(now) {
		c.differ(last, "statements up to "+b.Closed.String(), "none of what was posted at "+c.beyond.String())
	}
	return c.found
}
