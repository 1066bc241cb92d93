package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/money"
)

type statementItem struct {
	Hash      string                     `dynamodbav:"hash"`
	Statement document[ledger.Statement] `dynamodbav:"statement"`
}

func statementFrom(it Item) (ledger.Statement, error) {
	var x statementItem
	err := decode(it, &x)
	return x.Statement.Value, err
}

// PutStatement records a closed statement, once. If one is closed already for the period, that one is returned.
func (s *Store) PutStatement(ctx context.Context, st ledger.Statement) (ledger.Statement, error) {
	k := statementKey(st.KOC, st.Period, st.Currency)
	err := s.apply(ctx, []Write{Write{Table: Ledger, Key: k, Guards: once()}.
		put(statementItem{Hash: st.Hash, Statement: doc(st)})})
	if _, refused := errors.AsType[*Refused](err); !refused {
		return st, err
	}
	earlier, _, err := s.Statement(ctx, st.KOC, st.Period, st.Currency)
	return earlier, err
}

// Statement is a closed statement; false when none is closed for the period.
func (s *Store) Statement(ctx context.Context, handle string, p ledger.Period, c money.Currency) (ledger.Statement, bool, error) {
	r := read{Ledger, statementKey(handle, p, c)}
	found, err := s.get(ctx, []read{r})
	if err != nil || found[r] == nil {
		return ledger.Statement{}, false, err
	}
	st, err := statementFrom(found[r])
	return st, err == nil, err
}

// Statements is a page of a KOC's closed statements, newest first; after is the cursor of the page before.
func (s *Store) Statements(ctx context.Context, handle, after string, limit int) (statements []ledger.Statement, next string, err error) {
	q := query{table: Ledger, pk: kocKey(handle).PK, prefix: statementPrefix, limit: limit, descending: true}
	if after != "" {
		q.after = Key{q.pk, after}.item()
	}
	items, last, err := s.page(ctx, q)
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		st, err := statementFrom(it)
		if err != nil {
			return nil, "", err
		}
		statements = append(statements, st)
	}
	return statements, str(last["sk"]), nil
}

// LastStatement is the last closed statement in a currency; false when there is none. It lies among the newest ones, of
// which every period has one per currency.
func (s *Store) LastStatement(ctx context.Context, handle string, c money.Currency) (ledger.Statement, bool, error) {
	for after := ""; ; {
		page, next, err := s.Statements(ctx, handle, after, lastStatements)
		if err != nil {
			return ledger.Statement{}, false, err
		}
		for _, st := range page {
			if st.Currency == c {
				return st, true, nil
			}
		}
		if after = next; next == "" {
			return ledger.Statement{}, false, nil
		}
	}
}

// lastStatements is how many statements are read at once when the last one is looked for.
const lastStatements = 12

// closeWrite ends what a statement can cover: from now on no posting is put before this instant. A later end stays.
func closeWrite(handle string, c money.Currency, to time.Time) Write {
	until := number(to.UnixMilli())
	return Write{Table: Ledger, Key: balanceKey(handle, string(c)), Set: Item{closedAttr: until},
		Guards: []Guard{{Attr: "pk", Is: Present}, {Attr: closedAttr, Is: AtMost, Value: until}}}
}

// CloseUntil keeps postings in one currency of a KOC from ever being put before an instant: what is there before it is
// all there will be. It says false when there is nothing in that currency, or when more is closed already.
func (s *Store) CloseUntil(ctx context.Context, handle string, c money.Currency, to time.Time) (bool, error) {
	err := s.apply(ctx, []Write{closeWrite(handle, c, to)})
	if _, refused := errors.AsType[*Refused](err); refused {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("close the %s ledger of %s: %w", c, handle, err)
	}
	return true, nil
}
