package store

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
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
}

// Test is what a guard asks of an attribute.
type Test string

const (
	Absent  Test = "absent"   // the attribute does not exist
	Present Test = "present"  // it exists
	Equals  Test = "equals"   // it equals the guard's value
	AtLeast Test = "at least" // it is a number not below the guard's value
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

// expression collects the names and values of one DynamoDB expression. Everything is a placeholder: attribute
// names never stand in an expression themselves.
type expression struct {
	names  map[string]string
	values Item
}

func (x *expression) name(attr string) string {
	if x.names == nil {
		x.names = map[string]string{}
	}
	for k, v := range x.names {
		if v == attr {
			return k
		}
	}
	k := "#n" + strconv.Itoa(len(x.names))
	x.names[k] = attr
	return k
}

func (x *expression) value(v types.AttributeValue) string {
	if x.values == nil {
		x.values = Item{}
	}
	k := ":v" + strconv.Itoa(len(x.values))
	x.values[k] = v
	return k
}

func (x *expression) condition(guards []Guard) *string {
	if len(guards) == 0 {
		return nil
	}
	parts := make([]string, 0, len(guards))
	for _, g := range guards {
		n := x.name(g.Attr)
		switch g.Is {
		case Absent:
			parts = append(parts, "attribute_not_exists("+n+")")
		case Present:
			parts = append(parts, "attribute_exists("+n+")")
		case Equals:
			parts = append(parts, n+" = "+x.value(g.Value))
		case AtLeast:
			parts = append(parts, n+" >= "+x.value(g.Value))
		}
	}
	return aws.String(strings.Join(parts, " AND "))
}

func (x *expression) update(w Write) *string {
	var set, add []string
	for _, attr := range slices.Sorted(maps.Keys(w.Set)) {
		set = append(set, x.name(attr)+" = "+x.value(w.Set[attr]))
	}
	for _, attr := range slices.Sorted(maps.Keys(w.Add)) {
		add = append(add, x.name(attr)+" "+x.value(number(w.Add[attr])))
	}
	var parts []string
	if len(set) > 0 {
		parts = append(parts, "SET "+strings.Join(set, ", "))
	}
	if len(add) > 0 {
		parts = append(parts, "ADD "+strings.Join(add, ", "))
	}
	return aws.String(strings.Join(parts, " "))
}

func (w Write) isUpdate() bool { return len(w.Set) > 0 || len(w.Add) > 0 }

func (k Key) item() Item { return Item{"pk": text(k.PK), "sk": text(k.SK)} }

// full is the put item with its key.
func (w Write) full() Item {
	it := maps.Clone(w.Put)
	it["pk"], it["sk"] = text(w.Key.PK), text(w.Key.SK)
	return it
}

// transactItem compiles the write for TransactWriteItems.
func (w Write) transactItem(table *string) types.TransactWriteItem {
	var x expression
	condition := x.condition(w.Guards)
	switch {
	case w.Put != nil:
		return types.TransactWriteItem{Put: &types.Put{TableName: table, Item: w.full(), ConditionExpression: condition,
			ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values}}
	case w.isUpdate():
		update := x.update(w)
		return types.TransactWriteItem{Update: &types.Update{TableName: table, Key: w.Key.item(), UpdateExpression: update,
			ConditionExpression: condition, ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values}}
	case w.Delete:
		return types.TransactWriteItem{Delete: &types.Delete{TableName: table, Key: w.Key.item(), ConditionExpression: condition,
			ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values}}
	default:
		return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: table, Key: w.Key.item(), ConditionExpression: condition,
			ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values}}
	}
}

// token names a transaction by its complete content: a byte-identical retry is answered by DynamoDB with the first
// one's success, and anything recomputed is another transaction.
func token(input *dynamodb.TransactWriteItemsInput) (string, error) {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(input.TransactItems); err != nil {
		return "", fmt.Errorf("hash transaction: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:24]), nil
}

// merge joins updates of the same item that only add, because an item may stand once in a transaction. Other
// writes keep their place.
func merge(writes []Write) []Write {
	type place struct {
		table Table
		key   Key
	}
	at := map[place]int{}
	out := make([]Write, 0, len(writes))
	for _, w := range writes {
		additive := len(w.Add) > 0 && len(w.Set) == 0 && len(w.Guards) == 0
		p := place{w.Table, w.Key}
		i, again := at[p]
		if !additive || !again {
			if additive {
				at[p] = len(out)
				w.Add = maps.Clone(w.Add)
			}
			out = append(out, w)
			continue
		}
		for attr, n := range w.Add {
			out[i].Add[attr] += n
		}
	}
	return out
}
