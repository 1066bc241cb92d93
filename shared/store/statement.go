package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"yundian/shared/money"
)

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
