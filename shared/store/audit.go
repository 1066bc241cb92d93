package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"yundian/shared/commission"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/payout"
)

// Stored is what is kept of a KOC beside postings.
type Stored struct {
	Books    []ledger.Book
	Expected []ledger.Expected
	Months   map[commission.MonthKey]ledger.Month
	Payouts  []string // ids
	Taxes    map[TaxPeriod]payout.TaxSum
}

// TaxPeriod is a period in which tax is withheld from what a KOC is paid.
type TaxPeriod struct {
	Currency money.Currency
	Period   string
}

// auditPage is how many items of a KOC's ledger are read at once; DynamoDB stops at 1 MB by itself.
const auditPage = 1000

// Stored reads everything that is kept of a KOC beside postings, balances first.
func (s *Store) Stored(ctx context.Context, handle string) (Stored, error) {
	out := Stored{Months: map[commission.MonthKey]ledger.Month{}, Taxes: map[TaxPeriod]payout.TaxSum{}}
	for _, stretch := range [][2]string{{balancePrefix, payoutPrefix}, {taxPrefix, taxPrefix}} { // postings stand between them
		q := query{table: Ledger, pk: kocKey(handle).PK, from: stretch[0], to: stretch[1] + "~", limit: auditPage}
		for more := true; more; more = q.after != nil {
			items, next, err := s.page(ctx, q)
			if err != nil {
				return Stored{}, err
			}
			for _, it := range items {
				if err := out.add(handle, it); err != nil {
					return Stored{}, err
				}
			}
			q.after = next
		}
	}
	return out, nil
}

func (o *Stored) add(handle string, it Item) error {
	kind, rest, _ := strings.Cut(str(it["sk"]), "#")
	switch kind + "#" {
	case balancePrefix:
		b, err := ledgerFrom(it)
		if err != nil {
			return err
		}
		o.Books = append(o.Books, b)
	case expectedPrefix:
		e, err := expectedFrom(handle, it)
		if err != nil {
			return err
		}
		o.Expected = append(o.Expected, e)
	case payoutPrefix:
		o.Payouts = append(o.Payouts, str(it["payout"]))
	case taxPrefix:
		currency, period, _ := strings.Cut(rest, "#")
		var x taxItem
		if err := decode(it, &x); err != nil {
			return err
		}
		o.Taxes[TaxPeriod{money.Currency(currency), period}] = payout.TaxSum{V: x.V, Gross: x.Gross, Tax: x.Tax}
	case monthPrefix:
		parts := strings.SplitN(rest, "#", 3)
		if len(parts) != 3 {
			return fmt.Errorf("store: %s is no month", str(it["sk"]))
		}
		m, err := monthFrom(it)
		if err != nil {
			return err
		}
		o.Months[commission.MonthKey{KOC: handle, Month: parts[0], Currency: money.Currency(parts[1]), Rule: parts[2]}] = m
	}
	return nil
}

func expectedFrom(handle string, it Item) (ledger.Expected, error) {
	var x struct {
		Minor int64 `dynamodbav:"minor"`
	}
	err := decode(it, &x)
	day, currency, _ := strings.Cut(strings.TrimPrefix(str(it["sk"]), expectedPrefix), "#")
	return ledger.Expected{KOC: handle, Day: day, Currency: money.Currency(currency), Minor: x.Minor}, err
}

// Span is a stretch of time from one instant up to another; a zero To is no end.
type Span struct{ From, To time.Time }

// PostingsIn is a page of a KOC's postings within a span of time, oldest first; after is the cursor of the page before.
func (s *Store) PostingsIn(ctx context.Context, handle string, span Span, after string, limit int) (postings []ledger.Posting, next string, err error) {
	q := query{table: Ledger, pk: kocKey(handle).PK, from: postingPrefix + sortable(span.From), to: postingPrefix + "~", limit: limit}
	if !span.To.IsZero() {
		q.to = postingPrefix + sortable(span.To) // a posting's key goes on after its time, so none at the end is included
	}
	return s.postings(ctx, q, after)
}

// Moment names the posting that one version of an order or adjustment may have left for a KOC.
type Moment struct {
	KOC, Source string
	V           int64
	At          time.Time
}

// PostingsAt are the postings of these moments that exist.
func (s *Store) PostingsAt(ctx context.Context, moments []Moment) ([]ledger.Posting, error) {
	reads := make([]read, len(moments))
	for i, m := range moments {
		reads[i] = read{Ledger, postingKey(ledger.Posting{KOC: m.KOC, Order: m.Source, V: m.V, At: m.At})}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Posting, 0, len(found))
	for _, it := range found {
		var x postingItem
		if err := decode(it, &x); err != nil {
			return nil, err
		}
		out = append(out, x.posting())
	}
	return out, nil
}

// Facts are the facts of orders up to these versions, by order and version; not every version has one.
func (s *Store) Facts(ctx context.Context, upTo map[string]int64) (map[string]map[int64]ledger.Fact, error) {
	var reads []read
	for order, last := range upTo {
		for v := int64(1); v <= last; v++ {
			reads = append(reads, read{Ledger, factKey(order, v)})
		}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make(map[string]map[int64]ledger.Fact, len(upTo))
	for _, it := range found {
		f, err := FactFrom(it)
		if err != nil {
			return nil, err
		}
		if out[f.Order] == nil {
			out[f.Order] = map[int64]ledger.Fact{}
		}
		out[f.Order][f.V] = f
	}
	return out, nil
}

// Adjustments are the adjustments with these ids that exist.
func (s *Store) Adjustments(ctx context.Context, ids []string) ([]ledger.Adjustment, error) {
	return s.adjustments(ctx, ids)
}

// Unplaced are those of these payouts that their KOC's own list does not have.
func (s *Store) Unplaced(ctx context.Context, payouts []payout.Payout) ([]string, error) {
	reads := make([]read, len(payouts))
	for i, p := range payouts {
		reads[i] = read{Ledger, payoutOfKey(p)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	var out []string
	for i, p := range payouts {
		if str(found[reads[i]]["payout"]) != p.ID {
			out = append(out, p.ID)
		}
	}
	return out, nil
}
