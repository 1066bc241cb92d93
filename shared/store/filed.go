package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Noun is a kind of item whose attributes beside its document follow from the document: indexes, lists, guards and stream
// filters read them.
type Noun int

// The nouns that Misfiled knows.
const (
	FiledOrder Noun = iota
	FiledProduct
	FiledKOC
	FiledPayout
	FiledAdjustment
	FiledBankFile
)

// place is where an item of the noun stands.
func (n Noun) place(id string) read {
	switch n {
	case FiledOrder:
		return read{Orders, orderKey(id)}
	case FiledProduct:
		return read{Shop, productKey(id)}
	case FiledKOC:
		return read{Shop, kocKey(id)}
	case FiledPayout:
		return read{Ledger, payoutKey(id)}
	case FiledAdjustment:
		return read{Ledger, adjustmentKey(id)}
	default:
		return read{Ledger, bankFileKey(id)}
	}
}

// again is the item as it would be written from what its document holds, and the name of the document.
func (n Noun) again(it Item) (w Write, document string, err error) {
	switch n {
	case FiledOrder:
		x, err := OrderFrom(it)
		x.Version--
		return orderWrite(x), "order", err
	case FiledProduct:
		x, err := productFrom(it)
		x.Version--
		return productWrite(x), "product", err
	case FiledKOC:
		x, err := KOCFrom(it)
		x.Version--
		return kocWrite(x), "profile", err
	case FiledPayout:
		x, err := payoutFrom(it)
		return payoutWrite(x), "payout", err
	case FiledAdjustment:
		x, err := adjustmentFrom(it)
		return adjustmentWrite(x), "adjustment", err
	default:
		x, err := bankFileFrom(it)
		x.Version--
		return bankFileWrite(x), "file", err
	}
}

// Misfiled is an item of which an attribute does not follow from its document.
type Misfiled struct{ ID, Expected, Found string }

// Misfiled reads items of a noun, in one round per hundred, and writes down again what stands beside their documents: an
// order with a wrong time in the index of what is due would never expire. Items that do not exist are left out.
func (s *Store) Misfiled(ctx context.Context, n Noun, ids []string) ([]Misfiled, error) {
	reads := make([]read, len(ids))
	for i, id := range ids {
		reads[i] = n.place(id)
	}
	found, err := s.get(ctx, reads)
	if err != nil {
		return nil, err
	}
	var out []Misfiled
	for i, r := range reads {
		it, ok := found[r]
		if !ok {
			continue
		}
		w, document, err := n.again(it)
		if err != nil {
			return nil, err
		}
		want := w.full()
		var expected, have []string
		for _, attr := range slices.Sorted(maps.Keys(union(want, it))) {
			if attr != document && (want[attr] == nil || it[attr] == nil || !equal(want[attr], it[attr])) {
				expected, have = append(expected, attr+" "+shown(want[attr])), append(have, attr+" "+shown(it[attr]))
			}
		}
		if len(expected) > 0 {
			out = append(out, Misfiled{ids[i], strings.Join(expected, ", "), strings.Join(have, ", ")})
		}
	}
	return out, nil
}

func union(a, b Item) Item {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}

// shown is an attribute for a report.
func shown(v types.AttributeValue) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	default:
		return fmt.Sprintf("%T", v)
	}
}
