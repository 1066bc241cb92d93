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

// bookPage is how many versions are read at once when the latest is too young; each can have some 100 KB.
const bookPage = 5

// BookAt is the rule book that was in force at a moment. That is nearly always the latest: orders are decided within
// moments. Otherwise it walks back through the versions; the first book of every shop ends the walk.
func (s *Store) BookAt(ctx context.Context, at time.Time) (commission.Book, error) {
	q := query{table: Shop, pk: bookKey(0).PK, prefix: "V#", limit: 1, descending: true}
	for {
		items, next, err := s.page(ctx, q)
		if err != nil {
			return commission.Book{}, err
		}
		for _, it := range items {
			b, err := bookFrom(it)
			if err != nil {
				return commission.Book{}, err
			}
			if !b.From.After(at) {
				return b, nil
			}
		}
		if next == nil {
			return commission.FirstBook(), nil
		}
		q.after, q.limit = next, bookPage
	}
}

// Book is the latest rule book.
func (s *Store) Book(ctx context.Context) (commission.Book, error) {
	items, _, err := s.page(ctx, query{table: Shop, pk: bookKey(0).PK, prefix: "V#", limit: 1, descending: true})
	if err != nil || len(items) == 0 {
		return commission.FirstBook(), err
	}
	return bookFrom(items[0])
}

func bookFrom(it Item) (commission.Book, error) {
	var x bookItem
	err := decode(it, &x)
	return commission.Book{Version: x.V, From: x.From, Default: x.Default, Products: x.Products.Value}, err
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
	err := s.putAlone(ctx, BookWrite(b), extra)
	if refusedBy(err, func(k Key) bool { return k == bookKey(b.Version) }) {
		return changedMeanwhile()
	}
	return err
}
