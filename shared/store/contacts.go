package store

import (
	"context"

	"yundian/shared/ordering"
)

// Contacts are who placed these orders, by order id, in one round per hundred; an erased one is left out.
func (s *Store) Contacts(ctx context.Context, orders []ordering.Order) (map[string]ordering.Contact, error) {
	reads := make([]read, len(orders))
	for i, o := range orders {
		reads[i] = read{People, contactKey(o.Person, o.ID)}
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	out := make(map[string]ordering.Contact, len(found))
	for i, r := range reads {
		if found[r] == nil {
			continue
		}
		var x contactItem
		if err := decode(found[r], &x); err != nil {
			return nil, err
		}
		out[orders[i].ID] = x.Contact.Value
	}
	return out, nil
}
