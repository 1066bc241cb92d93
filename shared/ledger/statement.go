package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"time"

	"yundian/shared/money"
)

// Statement is what a KOC's ledger did in one currency and period: every posting from one instant up to another.
//
// Statements follow each other without a gap: the first begins with the first posting, and each other where the one before
// ends, with its closing balances. A closed one carries a hash over itself, its entries and the hash before it, so whoever
// holds the last hash holds everything up to there.
type Statement struct {
	KOC      string
	Period   Period
	Currency money.Currency
	From     time.Time
	To       time.Time // not included
	Opening  Balances
	Closing  Balances
	Totals   []Total // by kind of entry
	Postings int64
	Last     string // id of the last posting; empty when there is none
	ClosedAt time.Time
	PrevHash string // of the statement before; empty for the first
	Hash     string // SHA-256, hexadecimal
}

// Total is what the entries of a kind add up to, as the KOC reads them.
type Total struct {
	Kind  Kind
	Count int64
	Minor int64
}

// Closing adds up the postings of a period, which have to be all that there will ever be.
type Closing struct {
	statement Statement
	totals    map[Kind]Total
	last      time.Time
	hash      hash.Hash
}

// Close begins the statement that follows prev; the zero prev for the first one.
func Close(prev Statement, next Statement) *Closing {
	next.Opening, next.Closing, next.PrevHash = prev.Closing, prev.Closing, prev.Hash
	next.Opening.Currency, next.Closing.Currency = next.Currency, next.Currency
	next.Totals, next.Postings, next.Last, next.Hash = nil, 0, "", ""
	next.From, next.To, next.ClosedAt = next.From.UTC(), next.To.UTC(), next.ClosedAt.UTC()
	c := &Closing{statement: next, totals: map[Kind]Total{}, hash: sha256.New()}
	c.text("statement 1", next.PrevHash, next.KOC, string(next.Period), string(next.Currency))
	c.time(next.From, next.To, next.ClosedAt)
	c.balances(next.Opening)
	return c
}

// Add adds the next posting, in the order of their times. Postings in other currencies are left out; one of another KOC,
// outside the period or out of order is an error.
func (c *Closing) Add(p Posting) error {
	s := &c.statement
	at := p.At.Truncate(time.Millisecond) // as precise as postings are ordered
	switch {
	case p.KOC != s.KOC:
		return fmt.Errorf("ledger: posting %s is not of %s", p.ID, s.KOC)
	case at.Before(s.From) || !at.Before(s.To):
		return fmt.Errorf("ledger: posting %s of %s is outside %s", p.ID, p.At, s.Period)
	case at.Before(c.last):
		return fmt.Errorf("ledger: posting %s comes after a later one", p.ID)
	}
	c.last = at
	if p.Currency != s.Currency {
		return nil
	}
	s.Postings++
	s.Last = p.ID
	c.text("posting", p.ID, p.Order, p.Payout, p.Adjustment)
	c.time(p.At, p.PlacedAt)
	c.number(p.V, int64(len(p.Entries)))
	for _, e := range p.Entries {
		c.entry(e)
	}
	return nil
}

func (c *Closing) entry(e Entry) {
	t := c.totals[e.Kind]
	c.totals[e.Kind] = Total{Kind: e.Kind, Count: t.Count + 1, Minor: t.Minor + e.Minor}
	c.text(string(e.Kind), e.SKU, e.Product, e.Rule, e.Order, e.Reason)
	c.number(int64(e.Line), e.Minor, e.Base, int64(e.Rate), e.PerUnit, e.RuleVersion, int64(len(e.Legs)))
	for _, l := range e.Legs {
		c.statement.Closing.Add(l)
		c.text(string(l.Account))
		c.number(l.Minor)
	}
}

// End is the statement.
func (c *Closing) End() Statement {
	s := c.statement
	for _, t := range c.totals {
		s.Totals = append(s.Totals, t)
	}
	slices.SortFunc(s.Totals, func(a, b Total) int { return slices.Index(Kinds, a.Kind) - slices.Index(Kinds, b.Kind) })
	c.text("end", s.Last)
	c.number(s.Postings, int64(len(s.Totals)))
	for _, t := range s.Totals {
		c.text(string(t.Kind))
		c.number(t.Count, t.Minor)
	}
	c.balances(s.Closing)
	s.Hash = hex.EncodeToString(c.hash.Sum(nil))
	return s
}

// Each part goes into the hash with its length before it, so that no two statements are written the same way.
func (c *Closing) text(parts ...string) {
	for _, p := range parts {
		c.hash.Write(binary.AppendUvarint(nil, uint64(len(p))))
		c.hash.Write([]byte(p))
	}
}

func (c *Closing) number(numbers ...int64) {
	for _, n := range numbers {
		c.text(strconv.FormatInt(n, 10))
	}
}

func (c *Closing) time(times ...time.Time) {
	for _, t := range times {
		c.text(t.UTC().Format(time.RFC3339Nano))
	}
}

func (c *Closing) balances(b Balances) {
	c.number(b.Pending, b.Available, b.Debt, b.InPayout, b.Paid, b.TaxWithheld, b.Fees)
}

// Follows says what keeps a statement from being the one after another; the zero prev for the first one.
func (s Statement) Follows(prev Statement) error {
	opening := prev.Closing
	opening.Currency = s.Currency
	switch {
	case prev.Hash != s.PrevHash:
		return fmt.Errorf("ledger: statement %s names the hash %q before it, which is %q", s.Period, s.PrevHash, prev.Hash)
	case s.Opening != opening:
		return fmt.Errorf("ledger: statement %s does not open with what the one before closed", s.Period)
	case prev.Hash == "":
		return nil
	case !s.From.Equal(prev.To):
		return fmt.Errorf("ledger: statement %s begins at %s, the one before ends at %s", s.Period, s.From, prev.To)
	case s.Period != prev.Period.Next():
		return fmt.Errorf("ledger: statement %s follows that of %s", s.Period, prev.Period)
	}
	return nil
}
