package store

import (
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// mapTable is one table of maps: its items by key, and in order for the table and each of its indexes.
type mapTable struct {
	rows    map[Key]*row
	sorted  map[string]*run // by partition
	indexes []mapIndex
	log     []Change
	changes int
}

type mapIndex struct {
	Index
	sorted map[string]*run // by partition
}

// row is one item, with its size in bytes.
type row struct {
	key  Key
	item Item
	size int
}

func newMapTable(indexes []Index) mapTable {
	t := mapTable{rows: map[Key]*row{}, sorted: map[string]*run{}}
	for _, x := range indexes {
		t.indexes = append(t.indexes, mapIndex{Index: x, sorted: map[string]*run{}})
	}
	return t
}

// validIndexKeys checks the keys that an item has for indexes. The engines do so only when its guards hold.
func (t *mapTable) validIndexKeys(it Item) error {
	for i := range t.indexes {
		x := &t.indexes[i]
		if !validIndexKey(it[x.PK], maxPK) || !validIndexKey(it[x.SK], maxSK) {
			return invalid("the key of an index is empty, too long or no text")
		}
	}
	return nil
}

func validIndexKey(v types.AttributeValue, most int) bool {
	s, ok := v.(*types.AttributeValueMemberS)
	return v == nil || ok && s.Value != "" && len(s.Value) <= most
}

// clone is a copy of a table: rows are replaced in place, so they are copied; items are not.
func (t *mapTable) clone() mapTable {
	out := mapTable{rows: make(map[Key]*row, len(t.rows)), changes: t.changes, log: slices.Clip(t.log)}
	for k, r := range t.rows {
		copied := *r
		out.rows[k] = &copied
	}
	out.sorted = out.cloneRuns(t.sorted)
	for _, x := range t.indexes {
		out.indexes = append(out.indexes, mapIndex{Index: x.Index, sorted: out.cloneRuns(x.sorted)})
	}
	return out
}

// cloneRuns copies partitions, which then lead to this table's rows.
func (t *mapTable) cloneRuns(runs map[string]*run) map[string]*run {
	out := make(map[string]*run, len(runs))
	for pk, r := range runs {
		copied := &run{blocks: make([][]entry, len(r.blocks))}
		for i, block := range r.blocks {
			copied.blocks[i] = slices.Clone(block)
			for j := range copied.blocks[i] {
				copied.blocks[i][j].row = t.rows[block[j].row.key]
			}
		}
		out[pk] = copied
	}
	return out
}

// place is where an index keeps an item, if it does: only items that have both attributes are in it.
func (x *mapIndex) place(it Item) (pk, sk string, ok bool) {
	pk, sk = str(it[x.PK]), str(it[x.SK])
	return pk, sk, pk != "" && sk != ""
}

// commit makes a change that was decided.
func (t *mapTable) commit(c change) {
	if c.same {
		return
	}
	r := c.row
	if r == nil {
		r = &row{key: c.write.Key}
		t.rows[r.key] = r
		insert(t.sorted, r.key.PK, entry{r.key.SK, r})
	}
	for i := range t.indexes {
		x := &t.indexes[i]
		oldPK, oldSK, was := x.place(r.item)
		newPK, newSK, is := x.place(c.item)
		if was && is && oldPK == newPK && oldSK == newSK {
			continue
		}
		if was {
			remove(x.sorted, oldPK, entry{oldSK, r})
		}
		if is {
			insert(x.sorted, newPK, entry{newSK, r})
		}
	}
	t.changes++
	t.log = append(t.log, Change{Seq: t.changes, Key: r.key, Old: r.item, New: c.item})
	r.item, r.size = c.item, c.size
	if c.item == nil {
		delete(t.rows, r.key)
		remove(t.sorted, r.key.PK, entry{r.key.SK, r})
	}
}

// entry is a place in the order of a partition.
type entry struct {
	sort string
	row  *row
}

func (e entry) before(x entry) bool {
	if e.sort != x.sort {
		return e.sort < x.sort
	}
	if e.row.key.PK != x.row.key.PK { // entries of an index may share a sort key
		return e.row.key.PK < x.row.key.PK
	}
	return e.row.key.SK < x.row.key.SK
}

// run is a partition in order, in blocks: inserting moves what stands behind in one block only.
type run struct{ blocks [][]entry }

// maxBlock is the length at which a block is divided; halves of 128 entries are moved in some 50 ns.
const maxBlock = 256

// spot is a position in a run; the one past the end has b == len(blocks).
type spot struct{ b, i int }

func (s spot) before(x spot) bool { return s.b < x.b || s.b == x.b && s.i < x.i }

// first is the first entry that a test holds for; it has to hold for all entries after it too.
func (r *run) first(test func(entry) bool) spot {
	b := sort.Search(len(r.blocks), func(b int) bool { return test(r.blocks[b][len(r.blocks[b])-1]) })
	if b == len(r.blocks) {
		return spot{b, 0}
	}
	return spot{b, sort.Search(len(r.blocks[b]), func(i int) bool { return test(r.blocks[b][i]) })}
}

func insert(sorted map[string]*run, pk string, e entry) {
	r := sorted[pk]
	if r == nil {
		sorted[pk] = &run{blocks: [][]entry{{e}}}
		return
	}
	at := r.first(func(x entry) bool { return e.before(x) })
	if at.b == len(r.blocks) {
		at = spot{at.b - 1, len(r.blocks[at.b-1])}
	}
	block := slices.Insert(r.blocks[at.b], at.i, e)
	r.blocks[at.b] = block
	if len(block) > maxBlock {
		r.blocks[at.b] = block[: maxBlock/2 : maxBlock/2]
		r.blocks = slices.Insert(r.blocks, at.b+1, slices.Clone(block[maxBlock/2:]))
	}
}

func remove(sorted map[string]*run, pk string, e entry) {
	r := sorted[pk]
	at := r.first(func(x entry) bool { return !x.before(e) })
	r.blocks[at.b] = slices.Delete(r.blocks[at.b], at.i, at.i+1)
	if len(r.blocks[at.b]) == 0 {
		r.blocks = slices.Delete(r.blocks, at.b, at.b+1)
	}
	if len(r.blocks) == 0 {
		delete(sorted, pk)
	}
}

// maxPage is DynamoDB's limit for one page of a query, bytes.
const maxPage = 1 << 20

// page is a page of a query, with the key after which the next one begins, or nil when this one ended before its limits.
func (t *mapTable) page(q query) (items []Item, next Item, err error) {
	if err := q.valid(); err != nil {
		return nil, nil, err
	}
	sorted, index := t.sorted, (*mapIndex)(nil)
	if q.index != "" {
		i := slices.IndexFunc(t.indexes, func(x mapIndex) bool { return x.Name == q.index })
		if i < 0 {
			return nil, nil, invalid("there is no index " + q.index)
		}
		index = &t.indexes[i]
		sorted = index.sorted
	}
	r := sorted[q.pk]
	if r == nil {
		return nil, nil, nil
	}
	size := 0
	for e := range r.between(q) {
		it := index.project(e.row.item)
		items = append(items, it)
		if size += sizeOfItem(it); len(items) == q.limit || size >= maxPage {
			return items, index.cursor(e), nil
		}
	}
	return items, nil, nil
}

func (q query) valid() error {
	names := indexKeys[q.index]
	switch {
	case q.pk == "" || q.limit < 1:
		return invalid("a query needs a partition and a limit")
	case q.prefix == "" && q.to != "" && q.from > q.to:
		return invalid("a query between bounds that are the wrong way round")
	case q.after != nil && (str(q.after["pk"]) == "" || str(q.after["sk"]) == "" || str(q.after[names[0]]) != q.pk || !q.covers(str(q.after[names[1]]))):
		return invalid("a page begins outside of its query")
	}
	return nil
}

// covers reports whether a sort key is within the bounds of a query.
func (q query) covers(sk string) bool { return !q.above(sk) && !q.below(sk) }

func (q query) below(sk string) bool {
	if q.prefix != "" {
		return sk < q.prefix
	}
	return sk < q.from
}

func (q query) above(sk string) bool {
	if q.prefix != "" {
		return sk > q.prefix && !strings.HasPrefix(sk, q.prefix)
	}
	return q.to != "" && sk > q.to
}

// between goes through the entries of a query, in its direction and from its start on.
func (r *run) between(q query) func(func(entry) bool) {
	from := r.first(func(e entry) bool { return !q.below(e.sort) })
	to := r.first(func(e entry) bool { return q.above(e.sort) })
	if q.after != nil {
		start := entry{str(q.after[indexKeys[q.index][1]]), &row{key: KeyOf(q.after)}}
		if q.descending {
			to = earlier(to, r.first(func(e entry) bool { return !e.before(start) }))
		} else if after := r.first(func(e entry) bool { return start.before(e) }); from.before(after) {
			from = after
		}
	}
	return func(yield func(entry) bool) {
		if q.descending {
			for at := to; from.before(at); {
				if at.i == 0 {
					at = spot{at.b - 1, len(r.blocks[at.b-1])}
				}
				at.i--
				if !yield(r.blocks[at.b][at.i]) {
					return
				}
			}
			return
		}
		for at := from; at.before(to); at.i++ {
			if at.i == len(r.blocks[at.b]) {
				if at = (spot{at.b + 1, 0}); !at.before(to) {
					return
				}
			}
			if !yield(r.blocks[at.b][at.i]) {
				return
			}
		}
	}
}

func earlier(a, b spot) spot {
	if b.before(a) {
		return b
	}
	return a
}

// project is what a query gives of an item: all of it from the table, keys and what it keeps from an index.
func (x *mapIndex) project(it Item) Item {
	if x == nil {
		return maps.Clone(it)
	}
	out := make(Item, 4+len(x.Keeps))
	for _, attr := range [...]string{"pk", "sk", x.PK, x.SK} {
		out[attr] = it[attr]
	}
	for _, attr := range x.Keeps {
		if v, ok := it[attr]; ok {
			out[attr] = v
		}
	}
	return out
}

// cursor is the key after which the page behind an entry begins.
func (x *mapIndex) cursor(e entry) Item {
	out := e.row.key.item()
	if x != nil {
		out[x.PK], out[x.SK] = e.row.item[x.PK], e.row.item[x.SK]
	}
	return out
}
