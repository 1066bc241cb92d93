package store

import (
	"context"
	"fmt"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/money"
)

// adjustmentItem is an adjustment with the attributes that its list needs.
type adjustmentItem struct {
	V          int64                       `dynamodbav:"v"`
	Status     string                      `dynamodbav:"status"`
	KOC        string                      `dynamodbav:"koc"`
	ListPk     string                      `dynamodbav:"listPk"`
	ListSk     string                      `dynamodbav:"listSk"`
	Adjustment document[ledger.Adjustment] `dynamodbav:"adjustment"`
}

// adjustmentList is the list of all adjustments.
const adjustmentList = "ADJUSTMENTS"

func adjustmentFrom(it Item) (ledger.Adjustment, error) {
	var x adjustmentItem
	if err := decode(it, &x); err != nil {
		return ledger.Adjustment{}, err
	}
	a := x.Adjustment.Value
	if a.ID == "" || x.V < 1 {
		return ledger.Adjustment{}, fmt.Errorf("store: %s is not an adjustment", str(it["pk"]))
	}
	a.Version = x.V
	return a, nil
}

// adjustmentWrite saves an adjustment as its version, over the one before.
func adjustmentWrite(a ledger.Adjustment) Write {
	return Write{Table: Ledger, Key: adjustmentKey(a.ID), Guards: replaces(a.Version - 1)}.
		put(adjustmentItem{V: a.Version, Status: string(a.State()),
			KOC: a.KOC, ListPk: adjustmentList, ListSk: sortable(a.At) + "#" + a.ID, Adjustment: doc(a)})
}

// approveWrites are the guarded writes of an approved adjustment: its next version and its posting. What is taken from
// available must still be there, and when the rest is owed, no more than that may be: nobody owes who could have paid.
func approveWrites(a ledger.Adjustment, p ledger.Posting) []Write {
	writes := []Write{adjustmentWrite(a)}
	for _, w := range postingWrites(p) {
		if taken := -a.Approved.Available; w.Key == balanceKey(p.KOC, string(p.Currency)) && a.Amount.Minor < 0 {
			if taken > 0 {
				w.Guards = append(w.Guards, Guard{Attr: string(ledger.Available), Is: AtLeast, Value: number(taken)})
			}
			if a.Approved.Debt < 0 {
				w.Guards = append(w.Guards, Guard{Attr: string(ledger.Available), Is: AtMost, Value: number(taken)})
			}
		}
		writes = append(writes, w)
	}
	return writes
}

// RequestAdjustment records the wish for an adjustment, once.
func (s *Store) RequestAdjustment(ctx context.Context, a ledger.Adjustment, extra ...Write) error {
	a.Version = 1
	if err := s.apply(ctx, append([]Write{adjustmentWrite(a)}, extra...)); err != nil {
		return fmt.Errorf("request adjustment %s: %w", a.ID, err)
	}
	return nil
}

// ApproveAdjustment posts an adjustment, in one transaction with the approval, by the balance as it is: again when others
// have moved it meanwhile.
func (s *Store) ApproveAdjustment(ctx context.Context, id string, who ledger.Approver, now time.Time, extra ...Write) (ledger.Adjustment, error) {
	return s.updateAdjustment(ctx, id, func(a *ledger.Adjustment) ([]Write, error) {
		b, err := s.book(ctx, a.KOC, a.Amount.Currency)
		if err != nil {
			return nil, err
		}
		posting, err := a.Approve(who, b.Balances, now)
		if err != nil {
			return nil, err
		}
		posting.At = latest(now, b.Closed)
		a.Version++
		return append(approveWrites(*a, posting), extra...), nil
	})
}

// RejectAdjustment ends an adjustment without posting anything.
func (s *Store) RejectAdjustment(ctx context.Context, id, by, reason string, now time.Time, extra ...Write) (ledger.Adjustment, error) {
	return s.updateAdjustment(ctx, id, func(a *ledger.Adjustment) ([]Write, error) {
		if err := a.Reject(by, reason, now); err != nil {
			return nil, err
		}
		a.Version++
		return append([]Write{adjustmentWrite(*a)}, extra...), nil
	})
}

// updateAdjustment loads an adjustment, lets decide change it and give the writes, and makes them, repeated while others
// write the same adjustment or the balance that it was decided by.
func (s *Store) updateAdjustment(ctx context.Context, id string, decide func(*ledger.Adjustment) ([]Write, error)) (ledger.Adjustment, error) {
	var after ledger.Adjustment
	err := s.retryChanged(ctx, func() error {
		var err error
		if after, err = s.Adjustment(ctx, id); err != nil {
			return err
		}
		writes, err := decide(&after)
		if err != nil {
			return err
		}
		err = s.apply(ctx, writes)
		if refusedBy(err, func(k Key) bool {
			return k == adjustmentKey(id) || k == balanceKey(after.KOC, string(after.Amount.Currency))
		}) {
			return errOutdated
		}
		return err
	})
	return after, err
}

// book is what is stored of a KOC's accounts in one currency.
func (s *Store) book(ctx context.Context, handle string, c money.Currency) (ledger.Book, error) {
	r := read{Ledger, balanceKey(handle, string(c))}
	found, err := s.get(ctx, []read{r})
	if err != nil || found[r] == nil {
		return ledger.Book{Balances: ledger.Balances{Currency: c}}, err
	}
	return ledgerFrom(found[r])
}

// Adjustment is an adjustment by id, or NotFound.
func (s *Store) Adjustment(ctx context.Context, id string) (ledger.Adjustment, error) {
	found, err := s.adjustments(ctx, []string{id})
	if err != nil {
		return ledger.Adjustment{}, err
	}
	if len(found) == 0 {
		return ledger.Adjustment{}, ledger.AdjustmentUnknown(id)
	}
	return found[0], nil
}

func (s *Store) adjustments(ctx context.Context, ids []string) ([]ledger.Adjustment, error) {
	reads := make([]read, len(ids))
	for i, id := range ids {
		reads[i] = read{Ledger, adjustmentKey(id)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Adjustment, 0, len(found))
	for _, r := range reads {
		it, ok := found[r]
		if !ok {
			continue
		}
		a, err := adjustmentFrom(it)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// AdjustmentFilter selects adjustments for a list; both may be empty.
type AdjustmentFilter struct {
	State ledger.AdjustmentState
	KOC   string
}

// ListAdjustments is a page of adjustments, newest first; after is the cursor of the page before. A page may hold fewer
// than limit although there is a next.
func (s *Store) ListAdjustments(ctx context.Context, f AdjustmentFilter, after string, limit int) (list []ledger.Adjustment, next string, err error) {
	var ids []string
	l := listing{table: Ledger, partition: adjustmentList, key: func(sk string) Key { return adjustmentKey(afterHash(sk)) }, descending: true}
	for range listPages {
		items, last, err := s.list(ctx, l, after, limit-len(ids))
		if err != nil {
			return nil, "", err
		}
		for _, it := range items {
			if (f.State == "" || str(it["status"]) == string(f.State)) && (f.KOC == "" || str(it["koc"]) == f.KOC) {
				ids = append(ids, afterHash(str(it["listSk"])))
			}
		}
		if after = last; last == "" || len(ids) == limit {
			break
		}
	}
	list, err = s.adjustments(ctx, ids)
	return list, after, err
}
