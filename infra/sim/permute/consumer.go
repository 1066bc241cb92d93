package permute

import (
	"context"
	"strings"
	"time"

	"yundian/shared/ledger"
	"yundian/shared/ordering"
	"yundian/shared/store"
)

// consumer is a function on the stream of a table. It reads a record once, however often it is given it.
type consumer struct {
	name  string
	table store.Table
	wants func(store.Change) bool
	read  func(store.Change) (process func(*store.Store) error, err error)
}

// noon is when everything happens: what time it is decides nothing here.
var noon = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

// Attribute, Settle and Tally do what the functions of these names do with one record.
var (
	Attribute = &consumer{name: "attribute", table: store.Orders,
		wants: func(c store.Change) bool { return c.Key.SK == "ORDER" && c.New["undecided"] != nil },
		read: func(c store.Change) (func(*store.Store) error, error) {
			ids := []string{strings.TrimPrefix(c.Key.PK, "ORDER#")}
			return func(s *store.Store) error { return s.AttributeOrders(context.Background(), ids, now) }, nil
		}}
	Settle = &consumer{name: "settle", table: store.Orders,
		wants: func(c store.Change) bool { return c.Key.SK == "ORDER" },
		read: func(c store.Change) (func(*store.Store) error, error) {
			o, err := store.OrderFrom(c.New)
			return func(s *store.Store) error {
				_, err := s.SettleOrders(context.Background(), []ordering.Order{o}, now)
				return err
			}, err
		}}
	Tally = &consumer{name: "tally", table: store.Ledger,
		wants: func(c store.Change) bool { return c.Old == nil && strings.HasPrefix(c.Key.SK, "FACT#") },
		read: func(c store.Change) (func(*store.Store) error, error) {
			f, err := store.FactFrom(c.New)
			return func(s *store.Store) error { return s.CountFacts(context.Background(), []ledger.Fact{f}) }, err
		}}
)
