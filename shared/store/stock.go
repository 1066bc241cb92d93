package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
)

// stockCounts are the attributes that count a variant's pieces.
var stockCounts = []string{"available", "reserved", "sold", "received", "writtenOff"}

// stockWrite moves one variant's counts, where it is thought to be: another variant that stands there refuses it. Every
// count that shrinks is guarded, so none falls below zero, except for what is available of a variant that may be owed.
func stockWrite(m catalogue.StockMove, at Key) Write {
	w := Write{Table: Shop, Key: at, Guards: []Guard{isVariant(m.VariantID)}, Add: map[string]int64{}}
	for i, by := range []int64{m.Available, m.Reserved, m.Sold, m.Received, m.WrittenOff} {
		if by == 0 {
			continue
		}
		w.Add[stockCounts[i]] = by
		if by < 0 && !(m.Owing && stockCounts[i] == "available") {
			w.Guards = append(w.Guards, Guard{Attr: stockCounts[i], Is: AtLeast, Value: number(-by)})
		}
	}
	return w
}

// locateTries bounds how often variants are looked for that are renamed again while they are looked for.
const locateTries = 10

// applyMoving makes writes together with moves of stock, all or none. Each variant is looked for under the SKU that the move
// names; when that refuses, it is found out whether the variant has been renamed since.
func (s *Store) applyMoving(ctx context.Context, moves []catalogue.StockMove, others []Write) error {
	at := map[string]Key{}
	for _, m := range moves {
		at[m.VariantID] = skuKey(m.SKU)
	}
	for try := 1; ; try++ {
		writes := slices.Clone(others)
		for _, m := range moves {
			writes = append(writes, stockWrite(m, at[m.VariantID]))
		}
		err := s.apply(ctx, writes)
		if !refusedBy(err, isSKU) || refusedBy(err, func(k Key) bool { return !isSKU(k) }) || try == locateTries {
			return err
		}
		again, failed := s.locate(ctx, moves, at)
		if failed != nil {
			return failed
		}
		if !again {
			return err
		}
	}
}

// locate finds out why moves were refused: it corrects where variants are, and reports whether to try again. Every variant
// that is where it was thought to be and has too little, and every one that is nowhere, is a reason not to.
func (s *Store) locate(ctx context.Context, moves []catalogue.StockMove, at map[string]Key) (again bool, err error) {
	var reads []read
	for _, m := range moves {
		reads = append(reads, read{Shop, at[m.VariantID]}, read{Shop, renamedKey(m.VariantID)})
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return false, err
	}
	for _, m := range moves {
		there := found[read{Shop, at[m.VariantID]}]
		it, renamed := found[read{Shop, renamedKey(m.VariantID)}]
		switch {
		case str(there["variant"]) == m.VariantID && !enough(stockWrite(m, Key{}).Guards, there):
			return false, nil
		case str(there["variant"]) == m.VariantID: // back where it was, or with more pieces than before
			continue
		case !renamed:
			return false, nil
		}
		var x renamedItem
		if err := decode(it, &x); err != nil {
			return false, err
		}
		at[m.VariantID] = x.To
	}
	return true, nil
}

// enough reports whether the counts of an item are as high as the guards of a move want them.
func enough(guards []Guard, it Item) bool {
	return !slices.ContainsFunc(guards, func(g Guard) bool { return g.Is == AtLeast && numeric(it[g.Attr]) < numeric(g.Value) })
}

// isSKU tells the items of variants, wherever they are.
func isSKU(k Key) bool { return k.SK == "SKU" }

// movesRefused reports whether a refused write was to move the stock of a variant.
func movesRefused(w Write, variant string) bool {
	return isSKU(w.Key) && slices.ContainsFunc(w.Guards, func(g Guard) bool { return g.Attr == "variant" && str(g.Value) == variant })
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

// MoveStock records goods received or written off, once per variant and cause. A move without a variant's id is about the one
// that has its SKU now. Writing off more than is available is a Conflict.
func (s *Store) MoveStock(ctx context.Context, m catalogue.StockMove, cause StockCause, extra ...Write) error {
	if m.VariantID == "" {
		found, err := s.Sellables(ctx, []string{m.SKU})
		if err != nil {
			return err
		}
		if m.VariantID = found[m.SKU].VariantID; m.VariantID == "" {
			return fail.New(fail.NotFound, "sku_unknown", "There is no SKU {sku} here.", fail.Args{"sku": m.SKU})
		}
	}
	record := Write{Table: Shop, Key: stockMoveKey(m.VariantID, cause.ID), Guards: once()}.
		put(stockMoveItem{At: cause.At, By: cause.By, Reason: cause.Reason, Move: m})
	err := s.applyMoving(ctx, []catalogue.StockMove{m}, append([]Write{record}, extra...))
	switch {
	case err == nil, refusedBy(err, func(k Key) bool { return k == record.Key }):
		return nil
	case refusedBy(err, isSKU):
		return fail.New(fail.Conflict, "stock_short_write_off", "There are fewer pieces of {sku} than that to write off.", fail.Args{"sku": m.SKU})
	default:
		return fmt.Errorf("move stock of %s: %w", m.SKU, err)
	}
}
