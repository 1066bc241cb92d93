package store

import (
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Item is a stored item, attribute by attribute.
type Item = map[string]types.AttributeValue

// Key names one item of a table.
type Key struct{ PK, SK string }

// Write is one guarded change of one item, as a value: it can be listed, tested and applied to maps as well as to
// DynamoDB. Exactly one of Put, Set/Add and Delete is given; with none the write only checks its guards.
type Write struct {
	Table  Table
	Key    Key
	Guards []Guard
	Put    Item             // replaces the item
	Set    Item             // sets attributes
	Add    map[string]int64 // adds to numbers; only inside a transaction with a put-once record beside it
	Delete bool
	err    error // why Put or Set cannot be stored; apply makes no such write
}

// put is the write with an item to put. An item that cannot be encoded leaves an error in the write, which is a value
// on its way to apply like any other: so no write is made without what stands beside it.
func (w Write) put(v any) Write {
	w.Put, w.err = encode(v)
	return w
}

// Test is what a guard asks of an attribute.
type Test string

const (
	Absent  Test = "absent"   // the attribute does not exist
	Present Test = "present"  // it exists
	Equals  Test = "equals"   // it equals the guard's value
	AtLeast Test = "at least" // it is a number not below the guard's value
	AtMost  Test = "at most"  // it does not exist, or is a number not above the guard's value
)

// Guard is a condition on one attribute of the item as it is before the write.
type Guard struct {
	Attr  string
	Is    Test
	Value types.AttributeValue
}

// once guards a put: the item must not exist yet.
func once() []Guard { return []Guard{{Attr: "pk", Is: Absent}} }

// exists guards a change of an item that must already be there.
func exists() []Guard { return []Guard{{Attr: "pk", Is: Present}} }

// replaces guards a versioned item: seen is the version the writer read, 0 when there was none.
func replaces(seen int64) []Guard {
	if seen == 0 {
		return once()
	}
	return []Guard{{Attr: "v", Is: Equals, Value: number(seen)}}
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func (w Write) isUpdate() bool { return len(w.Set) > 0 || len(w.Add) > 0 }

// checks reports whether the write only checks its guards.
func (w Write) checks() bool { return w.Put == nil && !w.isUpdate() && !w.Delete }

// alone reports whether writes need no transaction: a single one without an addition, repeated after a lost answer, ends
// in the same state or is refused, and every caller reads back after a refusal.
func alone(writes []Write) bool { return len(writes) == 1 && len(writes[0].Add) == 0 }

func (k Key) item() Item { return Item{"pk": text(k.PK), "sk": text(k.SK)} }

// full is the put item with its key.
func (w Write) full() Item {
	it := maps.Clone(w.Put)
	it["pk"], it["sk"] = text(w.Key.PK), text(w.Key.SK)
	return it
}

// merge joins writes of the same item, because an item may stand once in a transaction: updates that only add are
// added up under the strictest of their guards, and a chain of versions of one item becomes its last version under the
// guards of the first. Other writes keep their place.
func merge(writes []Write) []Write {
	type place struct {
		table Table
		key   Key
	}
	at := map[place]int{}
	out := make([]Write, 0, len(writes))
	for _, w := range writes {
		additive := w.onlyAdds()
		p := place{w.Table, w.Key}
		i, again := at[p]
		switch {
		case again && additive && len(out[i].Add) > 0:
			for attr, n := range w.Add {
				out[i].Add[attr] += n
			}
			out[i].Guards = strictest(out[i].Guards, w.Guards)
			continue
		case again && follows(out[i], w):
			out[i].Put, out[i].err = w.Put, w.err
			continue
		case additive:
			w.Add, w.Guards = maps.Clone(w.Add), slices.Clone(w.Guards)
		}
		if additive || w.Put != nil {
			at[p] = len(out)
		}
		out = append(out, w)
	}
	return out
}

// onlyAdds reports whether a write only adds to numbers, under no guards but bounds, so that it can be joined with others.
func (w Write) onlyAdds() bool {
	return len(w.Add) > 0 && len(w.Set) == 0 && !slices.ContainsFunc(w.Guards, func(g Guard) bool { return g.Is != AtMost })
}

// strictest adds bounds to bounds: of two on one attribute the lower one stays.
func strictest(bounds, more []Guard) []Guard {
	for _, g := range more {
		i := slices.IndexFunc(bounds, func(o Guard) bool { return o.Attr == g.Attr })
		switch {
		case i < 0:
			bounds = append(bounds, g)
		case numeric(g.Value) < numeric(bounds[i].Value):
			bounds[i] = g
		}
	}
	return bounds
}

// numeric is what number made a value of.
func numeric(v types.AttributeValue) int64 {
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	i, _ := strconv.ParseInt(n.Value, 10, 64) // by number
	return i
}

// follows reports whether a write replaces exactly the version that an earlier one puts.
func follows(earlier, w Write) bool {
	if earlier.Put == nil || w.Put == nil || len(w.Guards) != 1 {
		return false
	}
	g := w.Guards[0]
	return g.Attr == "v" && g.Is == Equals && reflect.DeepEqual(g.Value, earlier.Put["v"])
}
