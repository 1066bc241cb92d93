package store

import (
	"bytes"
	"hash/maphash"
	"maps"
	"math/big"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// What maps do with one item: DynamoDB's rules for keys, values, guards and changes.

// DynamoDB's limits, bytes and digits.
const (
	maxItem   = 400 << 10
	maxPK     = 2048
	maxSK     = 1024
	maxDigits = 38
)

// errRefused is the answer of a write whose guards do not hold.
var errRefused error = &types.ConditionalCheckFailedException{}

func (k Key) valid() error {
	if k.PK == "" || k.SK == "" || len(k.PK) > maxPK || len(k.SK) > maxSK {
		return invalid("a key is empty or too long")
	}
	return nil
}

// change is what one write is about to do to one item.
type change struct {
	write *Write
	row   *row // nil when there is no item yet
	item  Item // as it will be; nil for none
	size  int
	same  bool // nothing changes
}

// prepare checks what can be said of a write without its item.
func (t *mapTable) prepare(w *Write) (change, error) {
	c := change{write: w, row: t.rows[w.Key]}
	if err := w.Key.valid(); err != nil {
		return c, err
	}
	if err := validGuards(w.Guards); err != nil {
		return c, err
	}
	switch {
	case w.Put != nil:
		return c, c.put()
	case w.isUpdate():
		return c, w.validUpdate()
	case !w.Delete && len(w.Guards) == 0:
		return c, invalid("a check without a guard")
	}
	return c, nil
}

// put makes the new item. Texts and numbers are shared with the write, whose values nobody alters.
func (c *change) put() error {
	w := c.write
	c.item = make(Item, len(w.Put)+2)
	for attr, v := range w.Put {
		if attr == "pk" || attr == "sk" {
			continue
		}
		if attr == "" {
			return invalid("an attribute without a name")
		}
		v, size, err := stored(v)
		if err != nil {
			return err
		}
		c.item[attr] = v
		c.size += len(attr) + size
	}
	c.item["pk"], c.item["sk"] = text(w.Key.PK), text(w.Key.SK)
	c.size += w.Key.size()
	if c.size > maxItem {
		return invalid("an item has more than 400 KB")
	}
	return nil
}

func (k Key) size() int { return len("pk") + len("sk") + len(k.PK) + len(k.SK) }

func (w *Write) validUpdate() error {
	for attr := range w.Add {
		if _, both := w.Set[attr]; both || attr == "pk" || attr == "sk" || attr == "" {
			return invalid("an addition to a key, to what is set too, or to nothing")
		}
	}
	for attr, v := range w.Set {
		if attr == "pk" || attr == "sk" || attr == "" {
			return invalid("a key cannot be set, nor what has no name")
		}
		if _, _, err := stored(v); err != nil {
			return err
		}
	}
	return nil
}

func validGuards(guards []Guard) error {
	for _, g := range guards {
		switch {
		case g.Attr == "":
			return invalid("a guard of nothing")
		case g.Is == Absent || g.Is == Present:
			continue
		case g.Is != Equals && g.Is != AtLeast && g.Is != AtMost:
			return invalid("an unknown guard")
		}
		if _, _, err := stored(g.Value); err != nil {
			return err
		}
		if _, ok := g.Value.(*types.AttributeValueMemberN); !ok && g.Is != Equals {
			return invalid("only numbers can be at least or at most something")
		}
	}
	return nil
}

// decide evaluates the guards on the item as it is and works out what becomes of it.
func (c *change) decide(t *mapTable) error {
	var old Item
	if c.row != nil {
		old = c.row.item
	}
	if !hold(old, c.write.Guards) {
		return errRefused
	}
	switch w := c.write; {
	case w.Put != nil:
		c.same = old != nil && c.size == c.row.size && equalItems(old, c.item)
		return t.validIndexKeys(c.item)
	case w.isUpdate():
		if err := c.update(old); err != nil {
			return err
		}
		return t.validIndexKeys(c.item)
	case w.Delete:
		c.same = old == nil
	default:
		c.same = true
	}
	return nil
}

func (c *change) update(old Item) error {
	w := c.write
	if old == nil {
		c.item, c.size = make(Item, 2+len(w.Set)+len(w.Add)), w.Key.size()
		c.item["pk"], c.item["sk"] = text(w.Key.PK), text(w.Key.SK)
	} else {
		c.item, c.size, c.same = maps.Clone(old), c.row.size, true
	}
	for attr, v := range w.Set {
		v, _, err := stored(v)
		if err != nil {
			return err
		}
		c.replace(attr, v)
	}
	for attr, by := range w.Add {
		sum, err := plus(c.item[attr], by)
		if err != nil {
			return err
		}
		c.replace(attr, sum)
	}
	if c.size > maxItem {
		return invalid("an item would have more than 400 KB")
	}
	return nil
}

func (c *change) replace(attr string, v types.AttributeValue) {
	if before, ok := c.item[attr]; ok {
		if equal(before, v) {
			return
		}
		c.size -= len(attr) + sizeOf(before)
	}
	c.size += len(attr) + sizeOf(v)
	c.item[attr] = v
	c.same = false
}

// plus adds to a number; a missing one counts as 0.
func plus(v types.AttributeValue, by int64) (types.AttributeValue, error) {
	if v == nil {
		return number(by), nil
	}
	n, ok := v.(*types.AttributeValueMemberN)
	if !ok {
		return nil, invalid("an addition to something that is no number")
	}
	if x, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
		if sum := x + by; (sum > x) == (by > 0) {
			return number(sum), nil
		}
	}
	x, _ := new(big.Int).SetString(n.Value, 10) // stored numbers are integers
	sum := x.Add(x, big.NewInt(by)).String()
	if !integer(sum) {
		return nil, invalid("a number has more than 38 digits")
	}
	return &types.AttributeValueMemberN{Value: sum}, nil
}

// hold reports whether all guards hold on an item; nil is none.
func hold(it Item, guards []Guard) bool {
	for i := range guards {
		g := &guards[i]
		v, exists := it[g.Attr]
		switch g.Is {
		case Absent:
			if exists {
				return false
			}
		case Present:
			if !exists {
				return false
			}
		case Equals:
			if !exists || !equal(v, g.Value) {
				return false
			}
		case AtLeast:
			if n, ok := v.(*types.AttributeValueMemberN); !ok || compare(n.Value, g.Value.(*types.AttributeValueMemberN).Value) < 0 {
				return false
			}
		case AtMost:
			if n, ok := v.(*types.AttributeValueMemberN); exists && (!ok || compare(n.Value, g.Value.(*types.AttributeValueMemberN).Value) > 0) {
				return false
			}
		}
	}
	return true
}

// compare orders two integers.
func compare(a, b string) int {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	switch {
	case errX != nil || errY != nil:
		p, _ := new(big.Int).SetString(a, 10)
		q, _ := new(big.Int).SetString(b, 10)
		return p.Cmp(q)
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// integer reports whether s is an integer as DynamoDB gives it back.
func integer(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || digits[0] == '0' && s != "0" || len(digits) > maxDigits && len(strings.TrimRight(digits, "0")) > maxDigits {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

// stored is a value as maps keep it, with its size in bytes. Maps know the kinds of values that this package writes; any
// other is an error, so that nothing is simulated that would be different in a table.
func stored(v types.AttributeValue) (types.AttributeValue, int, error) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS, *types.AttributeValueMemberBOOL, *types.AttributeValueMemberNULL:
		return v, sizeOf(v), nil
	case *types.AttributeValueMemberN:
		if !integer(v.Value) {
			return nil, 0, invalid("a number that is no integer")
		}
		return v, sizeOf(v), nil
	case *types.AttributeValueMemberB:
		return &types.AttributeValueMemberB{Value: bytes.Clone(v.Value)}, len(v.Value), nil
	case *types.AttributeValueMemberL:
		list := make([]types.AttributeValue, len(v.Value))
		for i := range list {
			var err error
			if list[i], _, err = stored(v.Value[i]); err != nil {
				return nil, 0, err
			}
		}
		kept := &types.AttributeValueMemberL{Value: list}
		return kept, sizeOf(kept), nil
	case *types.AttributeValueMemberM:
		tree := make(Item, len(v.Value))
		for name := range v.Value {
			var err error
			if tree[name], _, err = stored(v.Value[name]); err != nil {
				return nil, 0, err
			}
		}
		kept := &types.AttributeValueMemberM{Value: tree}
		return kept, sizeOf(kept), nil
	}
	return nil, 0, invalid("a value of a kind that nothing here writes")
}

// sizeOf is what a value counts towards DynamoDB's limits, in bytes.
func sizeOf(v types.AttributeValue) int {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return sizeOfNumber(v.Value)
	case *types.AttributeValueMemberB:
		return len(v.Value)
	case *types.AttributeValueMemberL:
		size := 3
		for _, e := range v.Value {
			size += 1 + sizeOf(e)
		}
		return size
	case *types.AttributeValueMemberM:
		return 3 + len(v.Value) + sizeOfItem(v.Value)
	}
	return 1
}

// sizeOfNumber is a byte, one for each two significant digits, and one for a sign.
func sizeOfNumber(n string) int {
	digits := strings.TrimRight(n, "0")
	size := 1 + (len(digits)+1)/2
	if strings.HasPrefix(n, "-") {
		size = 2 + len(digits)/2
	}
	return size
}

func sizeOfItem(it Item) int {
	size := 0
	for attr, v := range it {
		size += len(attr) + sizeOf(v)
	}
	return size
}

func equalItems(a, b Item) bool { return maps.EqualFunc(a, b, equal) }

// equal compares two values. Numbers are integers in one form only.
func equal(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberBOOL:
		b, ok := b.(*types.AttributeValueMemberBOOL)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberNULL:
		_, ok := b.(*types.AttributeValueMemberNULL)
		return ok
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		return ok && bytes.Equal(a.Value, b.Value)
	case *types.AttributeValueMemberM:
		b, ok := b.(*types.AttributeValueMemberM)
		return ok && equalItems(a.Value, b.Value)
	case *types.AttributeValueMemberL:
		b, ok := b.(*types.AttributeValueMemberL)
		if !ok || len(a.Value) != len(b.Value) {
			return false
		}
		for i := range a.Value {
			if !equal(a.Value[i], b.Value[i]) {
				return false
			}
		}
		return true
	}
	return false
}

// token names a transaction by its complete content, as the token that DynamoDB is sent does. It holds within one process.
func (m *Maps) token(writes []Write) uint64 {
	h := uint64(len(writes))
	for i := range writes {
		w := &writes[i]
		h = mix(h, uint64(w.Table))
		h = mix(h, maphash.String(m.seed, w.Key.PK))
		h = mix(h, maphash.String(m.seed, w.Key.SK))
		for _, g := range w.Guards {
			h = mix(h, maphash.String(m.seed, g.Attr))
			h = mix(h, maphash.String(m.seed, string(g.Is)))
			h = mix(h, m.hash(g.Value))
		}
		h = mix(h, m.hashItem(w.Put))
		h = mix(h, m.hashItem(w.Set))
		var sum uint64 // in any order
		for attr, by := range w.Add {
			sum += mix(maphash.String(m.seed, attr), uint64(by))
		}
		h = mix(h, sum)
		if w.Delete {
			h = mix(h, 1)
		}
	}
	return h
}

func mix(h, x uint64) uint64 {
	h = (h ^ x) * 0x9e3779b97f4a7c15
	return h ^ h>>29
}

func (m *Maps) hashItem(it Item) uint64 {
	var sum uint64
	for attr, v := range it {
		sum += mix(maphash.String(m.seed, attr), m.hash(v))
	}
	return sum
}

func (m *Maps) hash(v types.AttributeValue) uint64 {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return mix(1, maphash.String(m.seed, v.Value))
	case *types.AttributeValueMemberN:
		return mix(2, maphash.String(m.seed, v.Value))
	case *types.AttributeValueMemberB:
		return mix(3, maphash.Bytes(m.seed, v.Value))
	case *types.AttributeValueMemberBOOL:
		if v.Value {
			return 4
		}
		return 5
	case *types.AttributeValueMemberNULL:
		return 9
	case *types.AttributeValueMemberM:
		return mix(6, m.hashItem(v.Value))
	case *types.AttributeValueMemberL:
		h := uint64(7)
		for _, e := range v.Value {
			h = mix(h, m.hash(e))
		}
		return h
	}
	return 8
}
