package store

import (
	"context"
	"fmt"
	"time"

	"yundian/shared/fail"
	"yundian/shared/ordering"
)

// firstItem says which order was a person's first. It is claimed in the transaction that places the order, so of orders
// that are placed at the same time exactly one is the first.
type firstItem struct {
	Order string    `dynamodbav:"order"`
	At    time.Time `dynamodbav:"at"`
}

// firstWrite makes an order its person's first. It may take the place of one that came to nothing, and of no other.
func firstWrite(o ordering.Order, seen string) Write {
	w := Write{Table: People, Key: firstKey(o.Person), Guards: once(), Put: encode(firstItem{Order: o.ID, At: o.PlacedAt})}
	if seen != "" {
		w.Guards = []Guard{{Attr: "order", Is: Equals, Value: text(seen)}}
	}
	return w
}

// firstTries bounds how often it is looked again who was first. Whoever loses the race has ordered before, unless the other
// order has come to nothing already.
const firstTries = 5

// placeFor places an order as that of a new or of a returning customer. first is the person's first order as it was read
// a moment ago; new customers have none and cost no further round.
func (s *Store) placeFor(ctx context.Context, person, first string, n *NewOrder) (*Placement, error) {
	if person == "" || person != n.Order.Person {
		return s.PlaceOrder(ctx, *n)
	}
	for range firstTries {
		returning, err := s.counts(ctx, first)
		if err != nil {
			return nil, err
		}
		n.Order.Customer, n.first = ordering.NewCustomer, first
		if returning {
			n.Order.Customer, n.first = ordering.Returning, ""
		}
		placed, err := s.PlaceOrder(ctx, *n)
		if !refusedBy(err, func(k Key) bool { return k == firstKey(person) }) {
			return placed, err
		}
		r := read{People, firstKey(person)}
		found, err := s.get(ctx, []read{r})
		if err != nil {
			return nil, err
		}
		first = str(found[r]["order"])
	}
	return nil, fmt.Errorf("place order %s: others kept being its person's first", n.Order.ID)
}

// counts reports whether a person's first order makes them a returning customer: unless it ended unpaid.
func (s *Store) counts(ctx context.Context, first string) (bool, error) {
	if first == "" {
		return false, nil
	}
	o, err := s.Order(ctx, first)
	if fail.KindOf(err) == fail.NotFound {
		return false, nil
	}
	return err == nil && !o.CameToNothing(), err
}
