package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"yundian/shared/ordering"
)

// firstItem says which order was a person's first. It is claimed in the transaction that places the order, so of orders
// that are placed at the same time exactly one is the first.
type firstItem struct {
	Order   string    `dynamodbav:"order"`
	At      time.Time `dynamodbav:"at"`
	Expired []string  `dynamodbav:"expired,omitempty"` // orders that were first before and expired: a late payment can bring them back
}

// maxExpired bounds how many orders somebody can let expire and still be a new customer.
const maxExpired = 5

// claim is a person's first order as it was read; its order is empty when there is none.
type claim struct {
	order   string
	expired []string
}

func claimFrom(it Item) (claim, error) {
	var x firstItem
	err := decode(it, &x)
	return claim{x.Order, x.Expired}, err
}

// firstWrite makes an order its person's first. It may take the place of one that came to nothing, and of no other.
func firstWrite(o ordering.Order, seen claim) Write {
	w := Write{Table: People, Key: firstKey(o.Person), Guards: once()}.
		put(firstItem{Order: o.ID, At: o.PlacedAt, Expired: seen.expired})
	if seen.order != "" {
		w.Guards = []Guard{{Attr: "order", Is: Equals, Value: text(seen.order)}}
	}
	return w
}

// firstTries bounds how often it is looked again who was first. Whoever loses the race has ordered before, unless the other
// order has come to nothing already.
const firstTries = 5

// placeFor places an order as that of a new or of a returning customer. first is the person's first order as it was read
// a moment ago; new customers have none and cost no further round.
func (s *Store) placeFor(ctx context.Context, person string, first claim, n *NewOrder) (*Placement, error) {
	if person == "" || person != n.Order.Person {
		return s.PlaceOrder(ctx, *n)
	}
	for range firstTries {
		seen, returning, err := s.counts(ctx, first)
		if err != nil {
			return nil, err
		}
		n.Order.Customer, n.first = ordering.NewCustomer, seen
		if returning {
			n.Order.Customer = ordering.Returning
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
		if first, err = claimFrom(found[r]); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("place order %s: others kept being its person's first", n.Order.ID)
}

// counts reports whether a person's first orders make them a returning customer: unless all of them ended unpaid. Those that
// expired are remembered beyond the next claim.
func (s *Store) counts(ctx context.Context, first claim) (seen claim, returning bool, err error) {
	if first.order == "" {
		return first, false, nil
	}
	found, err := s.Orders(ctx, append([]string{first.order}, first.expired...))
	if err != nil {
		return first, false, err
	}
	for _, o := range found {
		if !o.CameToNothing() {
			return first, true, nil
		}
	}
	if o := found[first.order]; o.Status() == ordering.Expired {
		first.expired = append(slices.Clone(first.expired), o.ID)
	}
	return first, len(first.expired) > maxExpired, nil
}
