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

type balanceItem struct {
	Pending   int64 `dynamodbav:"pending"`
	Available int64 `dynamodbav:"available"`
	Debt      int64 `dynamodbav:"debt"`
	InPayout  int64 `dynamodbav:"in_payout"`
	Paid      int64 `dynamodbav:"paid"`
	Tax       int64 `dynamodbav:"tax_withheld"`
	Fees      int64 `dynamodbav:"fees"`
}

type factItem struct {
	Order    string                      `dynamodbav:"order"`
	V        int64                       `dynamodbav:"v"`
	At       time.Time                   `dynamodbav:"at"`
	Day      string                      `dynamodbav:"day"`
	Currency money.Currency              `dynamodbav:"currency"`
	KOC      string                      `dynamodbav:"koc,omitempty"`
	Code     string                      `dynamodbav:"code,omitempty"`
	Counted  bool                        `dynamodbav:"counted"`
	Lines    document[[]ledger.FactLine] `dynamodbav:"lines"`
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
	return Write{Table: Ledger, Key: appliedKey(order), Guards: replaces(seen), Put: encode(x)}
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
		{Table: Ledger, Key: factKey(st.Order, st.Applied.V), Guards: once(), Put: encode(factItem{Order: f.Order, V: f.V, At: f.At, Day: f.Day,
			Currency: f.Currency, KOC: f.KOC, Code: f.Code, Counted: f.Counted, Lines: doc(f.Lines)})},
	}
	for _, m := range st.Months {
		writes = append(writes, Write{Table: Ledger, Key: monthKey(m.Key), Guards: replaces(m.Seen), Put: encode(monthItem{V: m.After.V, Month: doc(m.After)})})
	}
	for _, p := range st.Postings {
		writes = append(writes, postingWrites(p)...)
	}
	for _, e := range st.Expected {
		writes = append(writes, Write{Table: Ledger, Key: expectedKey(e.KOC, e.Day, string(e.Currency)), Add: map[string]int64{"minor": e.Minor}})
	}
	return writes
}

// postingWrites put a posting, once, and move the balances of its legs.
func postingWrites(p ledger.Posting) []Write {
	x := postingItem{ID: p.ID, KOC: p.KOC, Order: p.Order, Payout: p.Payout, Adjustment: p.Adjustment, V: p.V, At: p.At,
		Currency: p.Currency, Entries: doc(p.Entries)}
	if !p.PlacedAt.IsZero() {
		x.PlacedAt = &p.PlacedAt
	}
	writes := []Write{{Table: Ledger, Key: postingKey(p), Guards: once(), Put: encode(x)}}
	if w, moves := balanceWrite(p.KOC, p.Currency, p.Legs()); moves {
		writes = append(writes, w)
	}
	return writes
}

// balanceWrite adds legs to a KOC's stored balances. The brand's own accounts are folded from the legs and never
// stored: a stored one would be in every transaction and heat one item.
func balanceWrite(handle string, c money.Currency, legs []ledger.Leg) (Write, bool) {
	w := Write{Table: Ledger, Key: balanceKey(handle, string(c)), Add: map[string]int64{}}
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
	return w, len(w.Add) > 0
}

// settleTries bounds how often orders are worked out again whose version, or whose month, another batch has moved meanwhile.
const settleTries = 8

// SettleOrders brings the ledger to where these orders stand: it reads what is posted, works out the difference, and
// posts it under the versions that it read. It returns how many orders had something to post.
func (s *Store) SettleOrders(ctx context.Context, orders []ordering.Order, now func() time.Time) (settled int, err error) {
	slices.SortFunc(orders, func(a, b ordering.Order) int { return cmp.Compare(a.ID, b.ID) }) // placed in the order of their ids; and the same batch makes the same transactions
	for try := 1; ; try++ {
		applied, months, err := s.standings(ctx, orders)
		if err != nil {
			return 0, err
		}
		var due []ledger.Settlement
		for _, o := range orders {
			st, changed, err := ledger.Settle(o, applied[o.ID], months, now())
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
	}
}

// Settle posts settlements: as many orders as fit share one transaction with their balance updates merged; when that
// one is refused or keeps meeting others, they go one by one. It returns the orders whose settlement was refused
// because another version was applied meanwhile; those have to be worked out again.
func (s *Store) Settle(ctx context.Context, settlements []ledger.Settlement) (outdated []string, err error) {
	for len(settlements) > 0 {
		n, writes := fitting(settlements)
		err := s.apply(ctx, writes)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			slog.WarnContext(ctx, "settling order by order", "orders", n, "error", err)
			late, err := s.settleEach(ctx, settlements[:n])
			if err != nil {
				return nil, err
			}
			outdated = append(outdated, late...)
		}
		settlements = settlements[n:]
	}
	return outdated, nil
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

func (s *Store) settleEach(ctx context.Context, settlements []ledger.Settlement) (outdated []string, err error) {
	for _, st := range settlements {
		err := s.apply(ctx, settleWrites(st))
		if _, refused := errors.AsType[*Refused](err); refused {
			outdated = append(outdated, st.Order)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("settle order %s: %w", st.Order, err)
		}
	}
	return outdated, nil
}

// Balances are a KOC's stored balances by currency.
func (s *Store) Balances(ctx context.Context, handle string) ([]ledger.Balances, error) {
	items, _, err := s.page(ctx, query{table: Ledger, pk: kocKey(handle).PK, prefix: "BAL#", limit: 50})
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Balances, 0, len(items))
	for _, it := range items {
		var x balanceItem
		if err := decode(it, &x); err != nil {
			return nil, err
		}
		out = append(out, ledger.Balances{Currency: money.Currency(strings.TrimPrefix(str(it["sk"]), "BAL#")),
			Pending: x.Pending, Available: x.Available, Debt: x.Debt, InPayout: x.InPayout, Paid: x.Paid, TaxWithheld: x.Tax, Fees: x.Fees})
	}
	slices.SortFunc(out, func(a, b ledger.Balances) int { return cmp.Compare(a.Currency, b.Currency) })
	return out, nil
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
		var x struct {
			Minor int64 `dynamodbav:"minor"`
		}
		if err := decode(it, &x); err != nil {
			return nil, err
		}
		day, currency, _ := strings.Cut(strings.TrimPrefix(str(it["sk"]), expectedPrefix), "#")
		if x.Minor != 0 {
			out = append(out, ledger.Expected{KOC: handle, Day: day, Currency: money.Currency(currency), Minor: x.Minor})
		}
	}
	return out, nil
}

// Postings is a page of a KOC's postings, newest first when descending; after is the cursor of the page before.
func (s *Store) Postings(ctx context.Context, handle, after string, limit int, descending bool) (postings []ledger.Posting, next string, err error) {
	q := query{table: Ledger, pk: kocKey(handle).PK, prefix: "POST#", limit: limit, descending: descending}
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
	return ledger.Fact{Order: x.Order, V: x.V, At: x.At, Day: x.Day, Currency: x.Currency, KOC: x.KOC, Code: x.Code, Counted: x.Counted, Lines: x.Lines.Value}, nil
}
