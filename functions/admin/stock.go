package main

import (
	"context"
	"fmt"
	"unicode/utf8"

	"yundian/shared/catalogue"
	"yundian/shared/fail"
	"yundian/shared/once"
	"yundian/shared/store"
	"yundian/shared/typed"
	"yundian/shared/web/api"
)

// StockCounts are the counts of one SKU: available + reserved + sold = received − writtenOff + owed.
type StockCounts struct {
	Available  int64 `json:"available"`
	Reserved   int64 `json:"reserved" doc:"In orders that are not paid yet"`
	Sold       int64 `json:"sold"`
	Received   int64 `json:"received"`
	WrittenOff int64 `json:"writtenOff"`
	Owed       int64 `json:"owed" doc:"Ordered before they were there; receipts go to them first"`
}

func countsOf(s catalogue.Stock) StockCounts {
	return StockCounts{Available: s.Available, Reserved: s.Reserved, Sold: s.Sold, Received: s.Received, WrittenOff: s.WrittenOff, Owed: s.Owed}
}

// StockAnswer is a SKU's stock after a movement.
type StockAnswer struct {
	SKU    string      `json:"sku"`
	Stock  int64       `json:"stock" doc:"Pieces that can be ordered"`
	Counts StockCounts `json:"counts"`
}

// maxMove bounds one receipt or write-off: more is a typing error.
const maxMove = 10_000_000

type stockInput struct {
	api.KeyRequired
	Body struct {
		SKU        string `json:"sku" maxLength:"80"`
		Received   *int64 `json:"received,omitempty" minimum:"1" maximum:"10000000"`
		WrittenOff *int64 `json:"writtenOff,omitempty" minimum:"1" maximum:"10000000"`
		Reason     string `json:"reason" minLength:"1" maxLength:"500"`
	}
}

// move is what was asked for as a movement of stock.
func (in stockInput) move() (catalogue.StockMove, error) {
	m := catalogue.StockMove{SKU: in.Body.SKU}
	switch received, writtenOff := in.Body.Received, in.Body.WrittenOff; {
	case (received == nil) == (writtenOff == nil):
		return m, fail.NewFields([]fail.Field{fail.At("body.received", "stock_either", "Give either received or writtenOff.", nil)})
	case received != nil:
		m.Received, m.Available = *received, *received
	default:
		m.WrittenOff, m.Available = *writtenOff, -*writtenOff
	}
	if n := max(m.Received, m.WrittenOff); n < 1 || n > maxMove {
		return m, fail.NewFields([]fail.Field{fail.At("body.received", "out_of_range", "Between {low} and {high}.", fail.Args{"low": 1, "high": maxMove})})
	}
	return m, nil
}

func (a *admin) moveStock(ctx context.Context, in *stockInput) (*api.Reply[StockAnswer], error) {
	m, err := in.move()
	if err != nil {
		return nil, err
	}
	reason := typed.TidyLine(in.Body.Reason)
	if n := utf8.RuneCountInString(reason); n == 0 {
		return nil, fail.NewFields([]fail.Field{fail.At("body.reason", "field_required", "This is required.", nil)})
	}
	answer, err := once.Do(ctx, a.store, wish(ctx, in.Key, in.Body), a.now(), func(record once.Record[StockAnswer]) (StockAnswer, error) {
		now, err := a.sellable(ctx, m.SKU)
		if err != nil {
			return StockAnswer{}, err
		}
		s := now.Stock.After(m)
		if s.Received > catalogue.MaxStock {
			return StockAnswer{}, fail.New(fail.Conflict, "stock_too_much", "More than {limit} pieces of one SKU cannot be kept.", fail.Args{"limit": catalogue.MaxStock})
		}
		m.VariantID = now.VariantID
		answer := StockAnswer{SKU: now.SKU, Stock: s.Available, Counts: countsOf(s)}
		reply, err := record(answer)
		if err != nil {
			return answer, err
		}
		cause := store.StockCause{ID: a.random(), By: visitOf(ctx).subject, Reason: reason, At: a.now()}
		return answer, a.store.MoveStock(ctx, m, cause, reply...)
	})
	return &api.Reply[StockAnswer]{Body: answer}, err
}

func (a *admin) sellable(ctx context.Context, sku string) (catalogue.Sellable, error) {
	unknown := fail.New(fail.NotFound, "sku_unknown", "There is no SKU {sku} here.", fail.Args{"sku": clip(sku)})
	if !catalogue.ValidSKU(sku) {
		return catalogue.Sellable{}, unknown
	}
	found, err := a.store.Sellables(ctx, []string{sku})
	if err != nil {
		return catalogue.Sellable{}, fmt.Errorf("stock of %s: %w", sku, err)
	}
	s, ok := found[sku]
	if !ok {
		return catalogue.Sellable{}, unknown
	}
	return s, nil
}

// clip shortens what a message repeats of a request.
func clip(s string) string {
	if utf8.RuneCountInString(s) > 80 {
		return string([]rune(s)[:80]) + "…"
	}
	return s
}
