package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/money"
	"yundian/shared/payout"
)

// payoutItem is a payout with the attributes that its indexes need. It is due for a function, or waits for a bank file,
// or for a person; the index is sparse.
type payoutItem struct {
	V      int64                   `dynamodbav:"v"`
	Status string                  `dynamodbav:"status"`
	KOC    string                  `dynamodbav:"koc"`
	ListPk string                  `dynamodbav:"listPk"`
	ListSk string                  `dynamodbav:"listSk"`
	DuePk  string                  `dynamodbav:"duePk,omitempty"`
	DueSk  string                  `dynamodbav:"dueSk,omitempty"`
	Payout document[payout.Payout] `dynamodbav:"payout"`
}

// payoutList is the list of all payouts.
const payoutList = "PAYOUTS"

// taxItem is what was paid to a KOC in one period, and withheld of it.
type taxItem struct {
	V     int64 `dynamodbav:"v"`
	Gross int64 `dynamodbav:"gross"`
	Tax   int64 `dynamodbav:"tax"`
}

func payoutFrom(it Item) (payout.Payout, error) {
	var x payoutItem
	if err := decode(it, &x); err != nil {
		return payout.Payout{}, err
	}
	p := x.Payout.Value
	if p.ID == "" || x.V < 1 {
		return payout.Payout{}, fmt.Errorf("store: %s is not a payout", str(it["pk"]))
	}
	p.Version = x.V
	return p, nil
}

// payoutWrite saves a payout as its version, over the one before.
func payoutWrite(p payout.Payout) Write {
	x := payoutItem{V: p.Version, Status: string(p.Status()), KOC: p.KOC, ListPk: payoutList, ListSk: payoutSort(p), Payout: doc(p)}
	if due := p.DueAt(); !due.IsZero() {
		x.DuePk, x.DueSk = duePayouts, sortable(due)+"#"+p.ID
		if p.Target().Rail == payout.Bank {
			x.DuePk = bankPayouts(p.Currency)
		}
	}
	return Write{Table: Ledger, Key: payoutKey(p.ID), Guards: replaces(p.Version - 1)}.put(x)
}

// reserveWrites are the guarded writes of a new payout: itself, once; its posting, whose balance must still hold what is
// taken from it; and the tax sum of its period, over the version that the tax was worked out from.
func reserveWrites(p payout.Payout, sum payout.TaxSum, at time.Time) ([]Write, error) {
	move, _, err := payout.Moves(payout.Payout{}, p, at)
	if err != nil {
		return nil, err
	}
	writes := []Write{payoutWrite(p), {Table: Ledger, Key: payoutOfKey(p), Guards: once(), Put: Item{"payout": text(p.ID)}}}
	for _, w := range postingWrites(move.Posting) {
		if w.Key == balanceKey(p.KOC, string(p.Currency)) {
			w.Guards = append(w.Guards, Guard{Attr: string(ledger.Available), Is: AtLeast, Value: number(p.Withdrawn - p.Credit)})
			if p.Netted > 0 {
				w.Guards = append(w.Guards, Guard{Attr: string(ledger.Debt), Is: AtMost, Value: number(-p.Netted)})
			}
			if p.Credit > 0 {
				w.Guards = append(w.Guards, Guard{Attr: string(ledger.Debt), Is: AtLeast, Value: number(p.Credit)})
			}
		}
		writes = append(writes, w)
	}
	if p.TaxPeriod != "" {
		k := taxKey(p.KOC, p.Currency, p.TaxPeriod)
		writes = append(writes, Write{Table: Ledger, Key: k, Guards: replaces(sum.V - 1)}.
			put(taxItem{V: sum.V, Gross: sum.Gross, Tax: sum.Tax}))
	}
	return writes, nil
}

// changeWrites are the guarded writes of a payout's change: its next version, and what follows from it in the ledger.
// What comes back leaves the tax sum of its period, which counts the change, so that nobody works out a tax from the old one.
func changeWrites(before, after payout.Payout, at time.Time) ([]Write, error) {
	writes := []Write{payoutWrite(after)}
	move, moves, err := payout.Moves(before, after, at)
	if err != nil || !moves {
		return writes, err
	}
	writes = append(writes, postingWrites(move.Posting)...)
	if t := move.Tax; t.V != 0 {
		writes = append(writes, Write{Table: Ledger, Key: taxKey(after.KOC, after.Currency, after.TaxPeriod),
			Add: map[string]int64{"v": t.V, "gross": -t.Gross, "tax": -t.Tax}})
	}
	return writes, nil
}

// ReservePayout makes a payout of a wish, given the terms in force and where the KOC's money goes, or refuses. It decides
// by balances and tax as they are, again when others have moved them meanwhile, so that no race reserves more than is
// available. The same id again gives the payout that it made, and writes extra alone.
func (s *Store) ReservePayout(ctx context.Context, a payout.Ask, terms payout.Terms, method payout.Method, now time.Time, extra ...Write) (payout.Payout, error) {
	var made payout.Payout
	err := s.retryChanged(ctx, func() error {
		standing := payout.Standing{Terms: terms, Method: method}
		earlier, closed, err := s.payoutStanding(ctx, a, &standing)
		if err != nil {
			return err
		}
		if earlier != nil {
			made = *earlier
			return s.apply(ctx, extra)
		}
		p, sum, err := payout.Reserve(a, standing, now)
		if err != nil {
			return err
		}
		p.Version = 1
		writes, err := reserveWrites(p, sum, latest(now, closed))
		if err != nil {
			return err
		}
		err = s.apply(ctx, append(writes, extra...))
		if refusedBy(err, func(k Key) bool { return slices.ContainsFunc(writes, func(w Write) bool { return w.Key == k }) }) {
			return errOutdated
		}
		made = p
		return err
	})
	return made, err
}

// payoutStanding reads what decides about a wish in one round: the payout that it has made already, if any, and balances
// and tax sum. closed is the end of the KOC's last closed statement.
func (s *Store) payoutStanding(ctx context.Context, a payout.Ask, into *payout.Standing) (earlier *payout.Payout, closed time.Time, err error) {
	made, balance := read{Ledger, payoutKey(a.ID)}, read{Ledger, balanceKey(a.KOC, string(a.Currency))}
	sum := read{Ledger, taxKey(a.KOC, a.Currency, into.Terms.Of(a.Currency).TaxPeriod(a.Day))}
	found, err := s.get(ctx, []read{made, balance, sum})
	if err != nil {
		return nil, closed, err
	}
	if it, ok := found[made]; ok {
		p, err := payoutFrom(it)
		return &p, closed, err
	}
	into.Balances = ledger.Balances{Currency: a.Currency}
	if it, ok := found[balance]; ok {
		b, err := ledgerFrom(it)
		if err != nil {
			return nil, closed, err
		}
		into.Balances, closed = b.Balances, b.Closed
	}
	if it, ok := found[sum]; ok {
		var x taxItem
		if err := decode(it, &x); err != nil {
			return nil, closed, err
		}
		into.Tax = payout.TaxSum{V: x.V, Gross: x.Gross, Tax: x.Tax}
	}
	return nil, closed, nil
}

// BalancesOf are the balances in one currency of KOCs that have any, in one round per hundred.
func (s *Store) BalancesOf(ctx context.Context, handles []string, c money.Currency) (map[string]ledger.Balances, error) {
	reads := make([]read, len(handles))
	for i, h := range handles {
		reads[i] = read{Ledger, balanceKey(h, string(c))}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make(map[string]ledger.Balances, len(found))
	for i, r := range reads {
		if it, ok := found[r]; ok {
			b, err := ledgerFrom(it)
			if err != nil {
				return nil, err
			}
			out[handles[i]] = b.Balances
		}
	}
	return out, nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Payout is a payout by id, or NotFound.
func (s *Store) Payout(ctx context.Context, id string) (payout.Payout, error) {
	found, err := s.Payouts(ctx, []string{id})
	if err != nil {
		return payout.Payout{}, err
	}
	if len(found) == 0 {
		return payout.Payout{}, payout.UnknownID(id)
	}
	return found[0], nil
}

// Payouts are the payouts with these ids that exist, in their order, in one round per hundred.
func (s *Store) Payouts(ctx context.Context, ids []string) ([]payout.Payout, error) {
	reads := make([]read, len(ids))
	for i, id := range ids {
		reads[i] = read{Ledger, payoutKey(id)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	payouts := make([]payout.Payout, 0, len(found))
	for _, r := range reads {
		it, ok := found[r]
		if !ok {
			continue
		}
		p, err := payoutFrom(it)
		if err != nil {
			return nil, err
		}
		payouts = append(payouts, p)
	}
	return payouts, nil
}

// UpdatePayout loads a payout, lets change decide, and saves it with what follows in the ledger, in one transaction,
// repeated while others write the same payout. A change that changes nothing writes nothing but extra, which are writes
// that belong into the same transaction.
func (s *Store) UpdatePayout(ctx context.Context, id string, now time.Time, change func(*payout.Payout) error, extra ...Write) (payout.Payout, error) {
	var after payout.Payout
	at := now
	err := s.retryChanged(ctx, func() error {
		before, err := s.Payout(ctx, id)
		if err != nil {
			return err
		}
		after = before.Clone()
		if err := change(&after); err != nil {
			return err
		}
		writes := slices.DeleteFunc(slices.Clone(extra), Write.checks) // nothing to check when nothing changes
		if !after.Equal(before) {
			after.Version++
			changes, err := changeWrites(before, after, at)
			if err != nil {
				return err
			}
			writes = append(changes, extra...)
		}
		err = s.apply(ctx, writes)
		balance := balanceKey(after.KOC, string(after.Currency))
		switch {
		case refusedBy(err, func(k Key) bool { return k == balance }):
			books, err := s.Books(ctx, after.KOC)
			if err != nil {
				return err
			}
			for _, b := range books {
				at = latest(at, b.Closed)
			}
			return errOutdated
		case refusedBy(err, func(k Key) bool { return k == payoutKey(id) }):
			return errOutdated
		case err != nil:
			return fmt.Errorf("update payout %s: %w", id, err)
		}
		return nil
	})
	return after, err
}

// PayoutFilter selects payouts for a list; both may be empty.
type PayoutFilter struct {
	Status payout.Status
	KOC    string
}

// ListPayouts is a page of payouts, newest first; after is the cursor of the page before. A page may hold fewer than limit
// although there is a next.
func (s *Store) ListPayouts(ctx context.Context, f PayoutFilter, after string, limit int) (payouts []payout.Payout, next string, err error) {
	if f.KOC != "" {
		return s.payoutsOf(ctx, f, after, limit)
	}
	var ids []string
	l := listing{table: Ledger, partition: payoutList, key: func(sk string) Key { return payoutKey(afterHash(sk)) }, descending: true}
	for range listPages {
		items, last, err := s.list(ctx, l, after, limit-len(ids))
		if err != nil {
			return nil, "", err
		}
		for _, it := range items {
			if f.Status == "" || str(it["status"]) == string(f.Status) {
				ids = append(ids, afterHash(str(it["listSk"])))
			}
		}
		if after = last; last == "" || len(ids) == limit {
			break
		}
	}
	payouts, err = s.Payouts(ctx, ids)
	return payouts, after, err
}

// payoutsOf lists a KOC's payouts by their places in the KOC's own partition, which are consistent.
func (s *Store) payoutsOf(ctx context.Context, f PayoutFilter, after string, limit int) (payouts []payout.Payout, next string, err error) {
	for range listPages {
		q := query{table: Ledger, pk: kocKey(f.KOC).PK, prefix: payoutPrefix, limit: limit - len(payouts), descending: true}
		if after != "" {
			q.after = Key{q.pk, after}.item()
		}
		items, last, err := s.page(ctx, q)
		if err != nil {
			return nil, "", err
		}
		ids := make([]string, len(items))
		for i, it := range items {
			ids[i] = str(it["payout"])
		}
		found, err := s.Payouts(ctx, ids)
		if err != nil {
			return nil, "", err
		}
		for _, p := range found {
			if f.Status == "" || p.Status() == f.Status {
				payouts = append(payouts, p)
			}
		}
		if after = str(last["sk"]); after == "" || len(payouts) == limit {
			break
		}
	}
	return payouts, after, nil
}

// afterHash is the id at the end of a sort key of time#id.
func afterHash(sk string) string {
	_, id, _ := strings.Cut(sk, "#")
	return id
}

// DuePayouts are at most limit payouts that a function has to act on by now, the longest waiting first.
func (s *Store) DuePayouts(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return s.duePayouts(ctx, duePayouts, now, limit)
}

func (s *Store) duePayouts(ctx context.Context, partition string, now time.Time, limit int) (ids []string, err error) {
	q := query{table: Ledger, index: "due", pk: partition, to: sortable(now) + "~", limit: limit}
	for len(ids) < limit {
		items, last, err := s.page(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			ids = append(ids, strings.TrimPrefix(str(it["pk"]), "PAYOUT#"))
		}
		if last == nil {
			break
		}
		q.after, q.limit = last, limit-len(ids)
	}
	return ids, nil
}
