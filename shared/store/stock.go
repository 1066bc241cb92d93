package store

import (
	"context"
	"fmt"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
)

// stockWrite moves one SKU's counts. Every count that shrinks is guarded, so none falls below zero.
func stockWrite(m catalogue.StockMove) Write {
	w := Write{Table: Shop, Key: skuKey(m.SKU), Guards: exists(), Add: map[string]int64{}}
	for _, c := range []struct {
		attr string
		by   int64
	}{{"available", m.Available}, {"reserved", m.Reserved}, {"sold", m.Sold}, {"received", m.Received}, {"writtenOff", m.WrittenOff}} {
		if c.by == 0 {
			continue
		}
		w.Add[c.attr] = c.by
		if c.by < 0 {
			w.Guards = append(w.Guards, Guard{Attr: c.attr, Is: AtLeast, Value: number(-c.by)})
		}
	}
	return w
}

type stockMoveItem struct {
	At     time.Time           `dynamodbav:"at"`
	By     string              `dynamodbav:"by"`
	Reason string              `dynamodbav:"reason"`
	Move   catalogue.StockMove `dynamodbav:"move"`
}

// StockCause names a receipt or write-off, so that repeating it changes nothing.
type StockCause struct {
	ID     string
	By     string
	Reason string
	At     time.Time
}

// MoveStock records goods received or written off, once per cause. Writing off more than is available is a Conflict.
func (s *Store) MoveStock(ctx context.Context, m catalogue.StockMove, cause StockCause, extra ...Write) error {
	record := Write{Table: Shop, Key: stockMoveKey(m.SKU, cause.ID), Guards: once()}.
		put(stockMoveItem{At: cause.At, By: cause.By, Reason: cause.Reason, Move: m})
	err := s.apply(ctx, append([]Write{record, stockWrite(m)}, extra...))
	switch {
	case err == nil, refusedBy(err, func(k Key) bool { return k == record.Key }):
		return nil
	case refusedBy(err, func(k Key) bool { return k == skuKey(m.SKU) }):
		return fail.New(fail.Conflict, "stock_short_write_off", "There are fewer pieces of {sku} than that to write off.", fail.Args{"sku": m.SKU})
	default:
		return fmt.Errorf("move stock of %s: %w", m.SKU, err)
	}
}
