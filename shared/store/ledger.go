package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"yundian/shared/commission"
	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/ordering"
)

type appliedItem struct {
	V         int64                           `dynamodbav:"v"`
	Due       string                          `dynamodbav:"due,omitempty"`
	Positions document[[]commission.Position] `dynamodbav:"positions"`
	Months    *monthParts                     `dynamodbav:"months,omitempty"`
}

// monthParts are left out of the item of an order that no rule about months looks at.
type monthParts = document[[]commission.MonthPart]

type monthItem struct {
	V     int64                  `dynamodbav:"v"`
	Month document[ledger.Month] `dynamodbav:"month"`
}

// postingItem names its cause in one of order, payout and adjustment.
type postingItem struct {
	ID         string `dynamodbav:"id"`
	KOC        string `dynamodbav:"koc"`
	Order      string `dynamodbav:"order,omitempty"`
	Payout     string `dynamodbav:"payout,omitempty"`
	Adjustment string `dynamodbav:"adjustment,omitempty"`

	V        int64                    `dynamodbav:"v"`
	At       time.Time                `dynamodbav:"at"`
	PlacedAt *time.Time               `dynamodbav:"placedAt,omitempty"`
	Currency money.Currency           `dynamodbav:"currency"`
	Entries  document[[]ledger.Entry] `dynamodbav:"entries"`
}

// balanceItem also counts how often anything of the KOC in this currency has changed, and says up to when its statements
// are closed: milliseconds since 1970.
type balanceItem struct {
	Changes int64 `dynamodbav:"changes"`
	Closed  int64 `dynamodbav:"closed"`

	Pending   int64 `dynamodbav:"pending"`
	Available int64 `dynamodbav:"available"`
	Debt      int64 `dynamodbav:"debt"`
	InPayout  int64 `dynamodbav:"in_payout"`
	Paid      int64 `dynamodbav:"paid"`
	Tax       int64 `dynamodbav:"tax_withheld"`
	Fees      int64 `dynamodbav:"fees"`
}

type factItem struct {
	Order       string                      `dynamodbav:"order"`
	V           int64                       `dynamodbav:"v"`
	At          time.Time                   `dynamodbav:"at"`
	Day         string                      `dynamodbav:"day"`
	Currency    money.Currency              `dynamodbav:"currency"`
	KOC         string                      `dynamodbav:"koc,omitempty"`
	Code        string                      `dynamodbav:"code,omitempty"`
	Counted     bool                        `dynamodbav:"counted"`
	Unconfirmed bool                        `dynamodbav:"unconfirmed,omitempty"`
	Lines       document[[]ledger.FactLine] `dynamodbav:"lines"`
}

// Applied is what is posted for each of these orders; orders that nothing was posted for are missing.
func (s *Store) Applied(ctx context.Context, orders []string) (map[string]ledger.Applied, error) {
	reads := make([]read, len(orders))
	for i, id := range orders {
		reads[i] = read{Ledger, appliedKey(id)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make(map[string]ledger.Applied, len(found))
	for r, it := range found {
		var x appliedItem
		if err := decode(it, &x); err != nil {
			return nil, err
		}
		out[strings.TrimPrefix(r.key.PK, "ORDER#")] = x.applied()
	}
	return out, nil
}

func (x appliedItem) applied() ledger.Applied {
	a := ledger.Applied{V: x.V, Due: x.Due, Positions: x.Positions.Value}
	if x.Months != nil {
		a.Months = x.Months.Value
	}
	return a
}

func appliedWrite(order string, seen int64, a ledger.Applied) Write {
	x := appliedItem{V: a.V, Due: a.Due, Positions: doc(a.Positions)}
	if len(a.Months) > 0 {
		months := doc(a.Months)
		x.Months = &months
	}
	return Write{Table: Ledger, Key: appliedKey(order), Guards: replaces(seen)}.put(x)
}

// standings are what is posted for orders, and the months that the orders belong to, read in one round.
func (s *Store) standings(ctx context.Context, orders []ordering.Order) (map[string]ledger.Applied, ledger.Months, error) {
	var reads []read
	keys := map[Key]commission.MonthKey{}
	for _, o := range orders {
		reads = append(reads, read{Ledger, appliedKey(o.ID)})
		for _, k := range commission.MonthKeys(o) {
			keys[monthKey(k)] = k
			reads = append(reads, read{Ledger, monthKey(k)})
		}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, nil, err
	}
	applied, months := map[string]ledger.Applied{}, ledger.Months{}
	for r, it := range found {
		if k, ok := keys[r.key]; ok {
			if months[k], err = monthFrom(it); err != nil {
				return nil, nil, err
			}
			continue
		}
		var x appliedItem
		if err := decode(it, &x); err != nil {
			return nil, nil, err
		}
		applied[strings.TrimPrefix(r.key.PK, "ORDER#")] = x.applied()
	}
	return applied, months, nil
}

func monthFrom(it Item) (ledger.Month, error) {
	var x monthItem
	err := decode(it, &x)
	m := x.Month.Value
	m.V = x.V
	return m, err
}

// settleWrites are the guarded writes of one settlement: the applied version moves from the one that was read, and
// postings, balances and the fact go with it.
func settleWrites(st ledger.Settlement) []Write {
	f := st.Fact
	writes := []Write{
		appliedWrite(st.Order, st.Seen, st.Applied),
		Write{Table: Ledger, Key: factKey(st.Order, st.Applied.V), Guards: once()}.
			put(factItem{Order: f.Order, V: f.V, At: f.At, Day: f.Day,
				Currency: f.Currency, KOC: f.KOC, Code: f.Code, Counted: f.Counted, Unconfirmed: f.Unconfirmed, Lines: doc(f.Lines)}),
	}
	for _, m := range st.Months {
		writes = append(writes, Write{Table: Ledger, Key: monthKey(m.Key), Guards: replaces(m.Seen)}.
			put(monthItem{V: m.After.V, Month: doc(m.After)}))
	}
	touched := map[Key]bool{}
	for _, p := range st.Postings {
		touched[balanceKey(p.KOC, string(p.Currency))] = true
		writes = append(writes, postingWrites(p)...)
	}
	for _, e := range st.Expected {
		writes = append(writes, Write{Table: Ledger, Key: expectedKey(e.KOC, e.Day, string(e.Currency)), Add: map[string]int64{"minor": e.Minor}})
		if k := balanceKey(e.KOC, string(e.Currency)); !touched[k] { // months move with postings only
			touched[k] = true
			writes = append(writes, Write{Table: Ledger, Key: k, Add: map[string]int64{changesAttr: 1}})
		}
	}
	return writes
}

// What a balance knows beside its accounts.
const (
	changesAttr = "changes"
	closedAttr  = "closed"
)

// postingWrites put a posting, once, and move the balances of its legs. A posting is refused that would come into a
// closed statement, so that a closed one has all its postings for ever, whatever clocks say.
func postingWrites(p ledger.Posting) []Write {
	x := postingItem{ID: p.ID, KOC: p.KOC, Order: p.Order, Payout: p.Payout, Adjustment: p.Adjustment, V: p.V, At: p.At,
		Currency: p.Currency, Entries: doc(p.Entries)}
	if !p.PlacedAt.IsZero() {
		x.PlacedAt = &p.PlacedAt
	}
	balance := balanceWrite(p.KOC, p.Currency, p.Legs())
	balance.Guards = []Guard{{Attr: closedAttr, Is: AtMost, Value: number(p.At.UnixMilli())}}
	return []Write{Write{Table: Ledger, Key: postingKey(p), Guards: once()}.put(x), balance}
}

// balanceWrite adds legs to a KOC's stored balances, and counts the change. The brand's own accounts are folded from
// the legs and never stored: a stored one would be in every transaction and heat one item.
func balanceWrite(handle string, c money.Currency, legs []ledger.Leg) Write {
	w := Write{Table: Ledger, Key: balanceKey(handle, string(c)), Add: map[string]int64{changesAttr: 1}}
	for _, l := range legs {
		if l.Account.OfKOC() {
			w.Add[string(l.Account)] += l.Minor
		}
	}
	for account, by := range w.Add {
		if by == 0 {
			delete(w.Add, account)
		}
	}
	return w
}

// settleTries bounds how often orders are worked out again whose version, or whose month, another batch has moved meanwhile.
const settleTries = 8

// SettleOrders brings the ledger to where these orders stand: it reads what is posted, works out the difference, and
// posts it under the versions that it read. Of several versions of an order only the latest counts. It returns how many
// orders had something to post.
//
// Postings carry the time of the attempt, but are never put before the end of a closed statement: a clock that is late
// then posts at that end.
func (s *Store) SettleOrders(ctx context.Context, orders []ordering.Order, now func() time.Time) (settled int, err error) {
	var earliest time.Time
	orders = latestVersions(orders)
	for try := 1; ; try++ {
		applied, months, err := s.standings(ctx, orders)
		if err != nil {
			return 0, err
		}
		var due []ledger.Settlement
		for _, o := range orders {
			at := now()
			if at.Before(earliest) {
				at = earliest
			}
			st, changed, err := ledger.Settle(o, applied[o.ID], months, at)
			if err != nil {
				return 0, err
			}
			if changed {
				due = append(due, st)
			}
		}
		outdated, err := s.Settle(ctx, due)
		settled += len(due) - len(outdated)
		if err != nil || len(outdated) == 0 {
			return settled, err
		}
		if try == settleTries {
			return settled, fmt.Errorf("settle: %d orders kept changing", len(outdated))
		}
		orders = slices.DeleteFunc(slices.Clone(orders), func(o ordering.Order) bool { return !slices.Contains(outdated, o.ID) })
		if earliest, err = s.closedFor(ctx, due, outdated); err != nil {
			return settled, err
		}
	}
}

// closedFor is the latest end of a closed statement of those for whom refused settlements would have posted.
func (s *Store) closedFor(ctx context.Context, settlements []ledger.Settlement, refused []string) (time.Time, error) {
	var reads []read
	for _, st := range settlements {
		if !slices.Contains(refused, st.Order) {
			continue
		}
		for _, p := range st.Postings {
			reads = append(reads, read{Ledger, balanceKey(p.KOC, string(p.Currency))})
		}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return time.Time{}, err
	}
	var last time.Time
	for _, it := range found {
		b, err := ledgerFrom(it)
		if err != nil {
			return time.Time{}, err
		}
		if b.Closed.After(last) {
			last = b.Closed
		}
	}
	return last, nil
}

// latestVersions are the latest version of each order, by id: placed in the order of their ids; and the same batch makes the
// same transactions.
func latestVersions(orders []ordering.Order) []ordering.Order {
	out := slices.Clone(orders)
	slices.SortFunc(out, func(a, b ordering.Order) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(b.Version, a.Version))
	})
	return slices.CompactFunc(out, func(a, b ordering.Order) bool { return a.ID == b.ID })
}

// Settle posts settlements: as many orders as fit share one transaction with their balance updates merged; when that
// one is refused or keeps meeting others, they go one by one. It returns the orders whose settlement was refused
// because another version was applied meanwhile; those have to be worked out again.
func (s *Store) Settle(ctx context.Context, settlements []ledger.Settlement) (outdated []string, err error) {
	refused := refusals{months: map[commission.MonthKey]bool{}}
	for len(settlements) > 0 {
		n, writes := fitting(settlements)
		err := s.apply(ctx, writes)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			slog.WarnContext(ctx, "settling order by order", "orders", n, "error", err)
			if err := s.settleEach(ctx, settlements[:n], &refused); err != nil {
				return nil, err
			}
		}
		settlements = slices.DeleteFunc(slices.Clone(settlements[n:]), refused.follows)
	}
	return refused.orders, nil
}

// refusals are the orders whose settlements were refused, and the months that those would have moved. A settlement that was
// worked out behind one of them stands on a version of the month that was never written: its guard would take a version
// that another process has written under the same number.
type refusals struct {
	months map[commission.MonthKey]bool
	orders []string
}

// add notes a settlement that was refused.
func (r *refusals) add(st ledger.Settlement) {
	r.orders = append(r.orders, st.Order)
	for _, m := range st.Months {
		r.months[m.Key] = true
	}
}

// follows reports whether a settlement was worked out behind a refused one, and notes it as refused then.
func (r *refusals) follows(st ledger.Settlement) bool {
	behind := slices.ContainsFunc(st.Months, func(m ledger.MonthChange) bool { return r.months[m.Key] })
	if behind {
		r.add(st)
	}
	return behind
}

// fitting is how many settlements fit one transaction, and their merged writes; at least one.
func fitting(settlements []ledger.Settlement) (int, []Write) {
	var all, writes []Write
	for i, st := range settlements {
		all = append(all, settleWrites(st)...)
		merged := merge(all)
		if i > 0 && len(merged) > batchActions {
			return i, writes
		}
		writes = merged
	}
	return len(settlements), writes
}

func (s *Store) settleEach(ctx context.Context, settlements []ledger.Settlement, refused *refusals) error {
	for _, st := range settlements {
		if refused.follows(st) {
			continue
		}
		err := s.apply(ctx, settleWrites(st))
		if _, ok := errors.AsType[*Refused](err); ok {
			refused.add(st)
			continue
		}
		if err != nil {
			return fmt.Errorf("settle order %s: %w", st.Order, err)
		}
	}
	return nil
}

// Balances are a KOC's stored balances by currency.
func (s *Store) Balances(ctx context.Context, handle string) ([]ledger.Balances, error) {
	books, err := s.Books(ctx, handle)
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Balances, len(books))
	for i, b := range books {
		out[i] = b.Balances
	}
	return out, nil
}

// maxBooks bounds the currencies of one KOC; there are about 180 in the world, and a shop has one at a time.
const maxBooks = 200

// Books are what is stored of a KOC's accounts, by currency.
func (s *Store) Books(ctx context.Context, handle string) ([]ledger.Book, error) {
	items, _, err := s.page(ctx, query{table: Ledger, pk: kocKey(handle).PK, prefix: balancePrefix, limit: maxBooks})
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Book, 0, len(items))
	for _, it := range items {
		b, err := ledgerFrom(it)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func ledgerFrom(it Item) (ledger.Book, error) {
	var x balanceItem
	if err := decode(it, &x); err != nil {
		return ledger.Book{}, err
	}
	b := ledger.Book{Changes: x.Changes, Balances: ledger.Balances{Currency: money.Currency(strings.TrimPrefix(str(it["sk"]), balancePrefix)),
		Pending: x.Pending, Available: x.Available, Debt: x.Debt, InPayout: x.InPayout, Paid: x.Paid, TaxWithheld: x.Tax, Fees: x.Fees}}
	if x.Closed != 0 {
		b.Closed = time.UnixMilli(x.Closed).UTC()
	}
	return b, nil
}

// expectedDays bounds a forecast: windows of receipt and return are at most a year each, and commission whose day has
// passed waits here until its release is recorded.
const expectedDays = 1000

// Expected is a KOC's pending commission by the day it becomes available, from a day on, earliest first.
func (s *Store) Expected(ctx context.Context, handle, from string) ([]ledger.Expected, error) {
	q := query{table: Ledger, pk: kocKey(handle).PK, from: expectedPrefix + from, to: expectedPrefix + "~", limit: expectedDays}
	items, _, err := s.page(ctx, q)
	if err != nil {
		return nil, err
	}
	var out []ledger.Expected
	for _, it := range items {
		e, err := expectedFrom(handle, it)
		if err != nil {
			return nil, err
		}
		if e.Minor != 0 {
			out = append(out, e)
		}
	}
	return out, nil
}

// Postings is a page of a KOC's postings, newest first when descending; after is the cursor of the page before.
func (s *Store) Postings(ctx context.Context, handle, after string, limit int, descending bool) (postings []ledger.Posting, next string, err error) {
	return s.postings(ctx, query{table: Ledger, pk: kocKey(handle).PK, prefix: postingPrefix, limit: limit, descending: descending}, after)
}

func (s *Store) postings(ctx context.Context, q query, after string) (postings []ledger.Posting, next string, err error) {
	if after != "" {
		q.after = Key{q.pk, after}.item()
	}
	items, last, err := s.page(ctx, q)
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		var x postingItem
		if err := decode(it, &x); err != nil {
			return nil, "", err
		}
		postings = append(postings, x.posting())
	}
	if last != nil {
		next = str(last["sk"])
	}
	return postings, next, nil
}

// PostingCursor is the cursor after which the postings beyond this one are read, for lists that stop within a page.
func PostingCursor(p ledger.Posting) string { return postingKey(p).SK }

func (x postingItem) posting() ledger.Posting {
	p := ledger.Posting{ID: x.ID, KOC: x.KOC, Order: x.Order, Payout: x.Payout, Adjustment: x.Adjustment, V: x.V, At: x.At,
		Currency: x.Currency, Entries: x.Entries.Value}
	if x.PlacedAt != nil {
		p.PlacedAt = *x.PlacedAt
	}
	return p
}

// PostingFrom decodes a posting from a stream image.
func PostingFrom(it Item) (ledger.Posting, error) {
	var x postingItem
	if err := decode(it, &x); err != nil {
		return ledger.Posting{}, err
	}
	p := x.posting()
	if p.ID == "" || p.KOC == "" || p.Source() == "" {
		return ledger.Posting{}, fmt.Errorf("store: %s %s is not a posting", str(it["pk"]), str(it["sk"]))
	}
	return p, nil
}

// FactFrom decodes a fact from a stream image.
func FactFrom(it Item) (ledger.Fact, error) {
	var x factItem
	if err := decode(it, &x); err != nil {
		return ledger.Fact{}, err
	}
	if x.Order == "" || x.V < 1 {
		return ledger.Fact{}, fmt.Errorf("store: %s is not a fact", str(it["pk"]))
	}
	return ledger.Fact{Order: x.Order, V: x.V, At: x.At, Day: x.Day, Currency: x.Currency, KOC: x.KOC, Code: x.Code, Counted: x.Counted, Unconfirmed: x.Unconfirmed, Lines: x.Lines.Value}, nil
}
