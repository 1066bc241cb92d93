package store

import (
	"context"
	"fmt"
	"slices"

	"yundian/shared/ordering"
)

// placingItem is what one contact ordered before. Every order of the contact replaces the version that it was decided by,
// in the transaction that places it, so orders that are placed at the same time see each other.
type placingItem struct {
	V       int64                      `dynamodbav:"v"`
	Placing document[ordering.Placing] `dynamodbav:"placing"`
}

// placing is what a contact ordered before, as it was read.
type placing struct {
	contact string
	version int64 // 0 when nothing was there
	ordering.Placing
}

func placingFrom(contacts []string, found map[read]Item) ([]placing, error) {
	out := make([]placing, len(contacts))
	for i, contact := range contacts {
		var x placingItem
		if it, ok := found[read{People, placingKey(contact)}]; ok {
			if err := decode(it, &x); err != nil {
				return nil, err
			}
		}
		out[i] = placing{contact, x.V, x.Placing.Value}
	}
	return out, nil
}

// placingWrite saves what is known of a contact as the version after the one that was read.
func placingWrite(p placing) Write {
	return Write{Table: People, Key: placingKey(p.contact), Guards: replaces(p.version)}.
		put(placingItem{V: p.version + 1, Placing: doc(p.Placing)})
}

func isPlacing(k Key) bool { return k.SK == "PLACING" }

// placingTries bounds how often an order is decided again because others of the same contact came first. As many as can be
// open at once may come first, and then the next one is refused; the rest is for orders that are paid or cancelled meanwhile.
const placingTries = 20

// placeFor places an order that Admit admits, as that of a new or of a returning customer. known is what was read a moment
// ago. Earlier orders are read in one round more, and only where it matters what became of them.
func (s *Store) placeFor(ctx context.Context, known Checkout, n *NewOrder) (*Placement, error) {
	seen := known.placing
	for try := 1; ; try++ {
		facts := make([]ordering.Placing, len(seen))
		for i, p := range seen {
			facts[i] = p.Placing
		}
		earlier, err := s.Orders(ctx, ordering.AsksEarlier(n.Order, facts, known.Settings.Limits))
		if err != nil {
			return nil, err
		}
		if len(seen) > 0 {
			if facts, err = ordering.Admit(&n.Order, facts, earlier, known.Settings.Limits); err != nil {
				return nil, err
			}
		}
		n.placing = slices.Clone(seen)
		for i := range n.placing {
			n.placing[i].Placing = facts[i]
		}
		placed, err := s.PlaceOrder(ctx, *n)
		if !refusedBy(err, isPlacing) || try == placingTries {
			return placed, err
		}
		if err := s.wait(ctx, try); err != nil {
			return nil, err
		}
		if seen, err = s.placingOf(ctx, seen); err != nil {
			return nil, fmt.Errorf("place order %s: %w", n.Order.ID, err)
		}
	}
}

// placingOf reads again what the contacts have ordered.
func (s *Store) placingOf(ctx context.Context, seen []placing) ([]placing, error) {
	contacts, reads := make([]string, len(seen)), make([]read, len(seen))
	for i, p := range seen {
		contacts[i], reads[i] = p.contact, read{People, placingKey(p.contact)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	return placingFrom(contacts, found)
}
