package store

import (
	"context"
	"time"

	"yundian/shared/commission"
	"yundian/shared/money"
)

type bookItem struct {
	V        int64                                  `dynamodbav:"v"`
	From     time.Time                              `dynamodbav:"from"`
	Default  money.BasisPoints                      `dynamodbav:"default"`
	Products document[map[string]money.BasisPoints] `dynamodbav:"products"`
}

// bookHistory bounds how many versions are read to find the one of an order: orders are decided within moments.
const bookHistory = 50

// Books are the latest versions of the rule book, newest first, with the first book of every shop at the end
// when all fit.
func (s *Store) Books(ctx context.Context) ([]commission.Book, error) {
	return s.books(ctx, bookHistory)
}

// Book is the latest rule book.
func (s *Store) Book(ctx context.Context) (commission.Book, error) {
	books, err := s.books(ctx, 1)
	if err != nil {
		return commission.Book{}, err
	}
	return books[0], nil
}

func (s *Store) books(ctx context.Context, limit int) ([]commission.Book, error) {
	items, next, err := s.page(ctx, query{table: Shop, pk: bookKey(0).PK, prefix: "V#", limit: limit, descending: true})
	if err != nil {
		return nil, err
	}
	var out []commission.Book
	for _, it := range items {
		var x bookItem
		if err := decode(it, &x); err != nil {
			return nil, err
		}
		b := commission.Book{Version: x.V, From: x.From, Default: x.Default, Products: x.Products.Value}
		out = append(out, b)
	}
	if next == nil && len(out) < limit {
		out = append(out, commission.FirstBook())
	}
	return out, nil
}

// BookWrite publishes a version of the rule book, for use beside another write.
func BookWrite(b commission.Book) Write {
	return Write{Table: Shop, Key: bookKey(b.Version), Guards: once(),
		Put: encode(bookItem{V: b.Version, From: b.From, Default: b.Default, Products: doc(b.Products)})}
}

// BookTaken reports whether a write was refused because another version of the rule book was published meanwhile.
func BookTaken(err error) bool {
	return refusedBy(err, func(k Key) bool { return k.PK == bookKey(0).PK })
}

// PublishBook adds a version of the rule book; a Conflict if another version was published meanwhile.
func (s *Store) PublishBook(ctx context.Context, b commission.Book, extra ...Write) error {
	err := s.apply(ctx, append([]Write{BookWrite(b)}, extra...))
	if refusedBy(err, func(k Key) bool { return k == bookKey(b.Version) }) {
		return changedMeanwhile()
	}
	return err
}
