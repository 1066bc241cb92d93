package store

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// Maps keeps the five tables in memory, for a simulator: it applies the writes that DynamoDB would be sent, with the same
// guards, answers and errors, at hundreds of times the speed, and TestMapsAgreeWithTheEngine holds it to that. Its methods
// are safe for concurrent use.
//
// An item is never altered once it is stored: a write replaces it. What is handed out must not be altered either.
type Maps struct {
	// Intercept sees every call before it reaches the tables and after, and says what becomes of it; nil lets everything
	// pass. Nothing is locked meanwhile: it may call stores on the same maps, as if others ran in between, or panic, as if
	// the process ended there. Set it before the maps are used.
	Intercept func(context.Context, Call) Verdict

	mu     sync.Mutex
	tables [tables]mapTable
	seed   maphash.Seed
	tokens map[uint64]struct{} // transactions made within the last ten minutes, by their content
}

// NewMaps are five empty tables.
func NewMaps() *Maps {
	m := &Maps{seed: maphash.MakeSeed(), tokens: map[uint64]struct{}{}}
	for t := range m.tables {
		m.tables[t] = newMapTable(Indexes[t])
	}
	return m
}

// OpenMaps makes a store on maps. Several may share them, as processes share tables. It never waits.
func OpenMaps(m *Maps) *Store {
	return &Store{engine: m, wait: func(ctx context.Context, _ int) error { return ctx.Err() }}
}

// Call is one call of a store on maps, as Intercept sees it: what the SDK would send once.
type Call struct {
	Op     string  // what DynamoDB calls it: PutItem, UpdateItem, DeleteItem, TransactWriteItems, GetItem, BatchGetItem, Query
	Writes []Write // of a call that writes, with the guards that have to hold
	Try    int     // from 1; more when the SDK sends a call again that was lost or throttled
	Done   bool    // whether the tables have seen it
	Err    error   // what they answered, when it is done

	reads []read
	query query
}

// Place is an item that a call is about, or the partition that it queries, with an empty SK.
type Place struct {
	Table Table
	Index string // of a query; empty for the table itself
	Key   Key
}

// Places are what a call is about, in its order.
func (c Call) Places() []Place {
	out := make([]Place, 0, len(c.Writes)+len(c.reads)+1)
	for _, w := range c.Writes {
		out = append(out, Place{Table: w.Table, Key: w.Key})
	}
	for _, r := range c.reads {
		out = append(out, Place{Table: r.table, Key: r.key})
	}
	if c.Op == "Query" {
		out = append(out, Place{Table: c.query.table, Index: c.query.index, Key: Key{PK: c.query.pk}})
	}
	return out
}

// Verdict is what becomes of a call. After the call only LoseResponse means anything; a verdict that makes no sense for
// the operation lets it pass.
type Verdict int

// The verdicts. A call that is lost or throttled is sent again, as the SDK does, up to callTries times; then the caller
// gets an error and does not know whether the last one was made. A transaction made again is answered by the first one's
// success, a single write is made twice.
const (
	Pass         Verdict = iota
	LoseRequest          // the connection breaks before the store has seen the call
	LoseResponse         // the store does the work, then the connection breaks
	ServerError          // the store has failed before it did anything
	Throttle             // refused for want of capacity; a transaction is cancelled for it
	Collide              // refused because another transaction is at work on an item; writes only
	StillRunning         // refused because the same transaction is at work already; transactions only
	ReadPart             // the second half of the items stays unread; reads of several items only
)

// Change is what one write did to one item, as in a stream: insertions have no Old, removals no New. A write that leaves
// an item as it was is no change.
type Change struct {
	Seq      int // from 1, per table
	Key      Key
	Old, New Item
}

// Changes are the changes of a table after the one with this number, in the order in which they were made.
func (m *Maps) Changes(t Table, after int) []Change {
	m.mu.Lock()
	defer m.mu.Unlock()
	log := m.tables[t].log
	if len(log) == 0 {
		return nil
	}
	from := min(max(0, after+1-log[0].Seq), len(log))
	return log[from:len(log):len(log)]
}

// Trim forgets the changes of a table up to the one with this number: a long simulation has no room for all of them.
func (m *Maps) Trim(t Table, upTo int) {
	rest := m.Changes(t, upTo)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tables[t].log = rest
}

// Clone is a copy of the tables as they are, with their changes and without what decides about calls. What happens to one
// of them does not happen to the other.
func (m *Maps) Clone() *Maps {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := &Maps{seed: m.seed, tokens: maps.Clone(m.tokens)}
	for t := range m.tables {
		out.tables[t] = m.tables[t].clone()
	}
	return out
}

// ExpireTokens lets ten minutes pass for transactions: from now on one that is repeated is made again.
func (m *Maps) ExpireTokens() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.tokens)
}

// Items are all items of a table in the order of their keys, as of the call.
func (m *Maps) Items(t Table) iter.Seq2[Key, Item] {
	m.mu.Lock()
	defer m.mu.Unlock()
	rows := make([]row, 0, len(m.tables[t].rows))
	for _, r := range m.tables[t].rows {
		rows = append(rows, *r)
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.key.PK, b.key.PK), cmp.Compare(a.key.SK, b.key.SK)) })
	return func(yield func(Key, Item) bool) {
		for _, r := range rows {
			if !yield(r.key, r.item) {
				return
			}
		}
	}
}

// call sends a call as the SDK does: again, up to callTries times, when it was lost or throttled.
func (m *Maps) call(ctx context.Context, c Call, do func() error) error {
	for c.Try = 1; ; c.Try++ {
		again, err := m.send(ctx, c, do)
		if !again || c.Try == callTries {
			return err
		}
	}
}

var errLost = errors.New("maps: the connection broke")

func (m *Maps) send(ctx context.Context, c Call, do func() error) (again bool, _ error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if m.Intercept == nil {
		return false, do()
	}
	verdict := m.Intercept(ctx, c)
	transaction := c.Op == "TransactWriteItems"
	switch {
	case verdict == LoseRequest:
		return true, errLost
	case verdict == ServerError:
		return true, &types.InternalServerError{Message: aws.String("maps: the store has failed")}
	case verdict == Throttle && transaction:
		return false, cancelled(c.Writes, 0, "ThrottlingError")
	case verdict == Throttle:
		return true, &types.ProvisionedThroughputExceededException{Message: aws.String("maps: throttled")}
	case verdict == Collide && transaction:
		return false, cancelled(c.Writes, 0, "TransactionConflict")
	case verdict == Collide && len(c.Writes) == 1:
		return false, &types.TransactionConflictException{Message: aws.String("maps: another transaction is at work on the item")}
	case verdict == StillRunning && transaction:
		return true, &types.TransactionInProgressException{Message: aws.String("maps: the same transaction is at work")}
	case verdict == ReadPart && len(c.reads) > 1:
		return false, &unread{c.reads[len(c.reads)/2:]}
	}
	c.Err = do()
	c.Done = true
	if m.Intercept(ctx, c) == LoseResponse || verdict == LoseResponse {
		return true, errLost
	}
	return false, c.Err
}

// cancelled is a transaction cancelled because of one of its writes.
func cancelled(writes []Write, by int, code string) error {
	reasons := make([]types.CancellationReason, len(writes))
	for i := range reasons {
		reasons[i].Code = aws.String("None")
	}
	reasons[by].Code = aws.String(code)
	return &types.TransactionCanceledException{Message: aws.String("maps: " + code), CancellationReasons: reasons}
}

// invalid is a request that DynamoDB would not accept whatever the tables hold, or a value that it cannot be made with.
func invalid(why string) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: "maps: " + why, Fault: smithy.FaultClient}
}

func operation(writes []Write) string {
	switch {
	case !alone(writes):
		return "TransactWriteItems"
	case writes[0].Put != nil:
		return "PutItem"
	case writes[0].isUpdate():
		return "UpdateItem"
	default:
		return "DeleteItem"
	}
}

func (m *Maps) apply(ctx context.Context, writes []Write) error {
	return m.call(ctx, Call{Op: operation(writes), Writes: writes}, func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if alone(writes) {
			return m.write(&writes[0])
		}
		return m.transact(writes)
	})
}

func (m *Maps) write(w *Write) error {
	t := &m.tables[w.Table]
	c, err := t.prepare(w)
	if err == nil {
		err = c.decide(t)
	}
	if err != nil {
		return err
	}
	t.commit(c)
	return nil
}

// maxTransaction is DynamoDB's limit for all items of a transaction together, bytes.
const maxTransaction = 4 << 20

func (m *Maps) transact(writes []Write) error {
	id := m.token(writes)
	if _, made := m.tokens[id]; made {
		return nil
	}
	if twice(writes) {
		return invalid("a transaction has one item twice")
	}
	changes := make([]change, len(writes))
	for i := range writes {
		var err error
		if changes[i], err = m.tables[writes[i].Table].prepare(&writes[i]); err != nil {
			return err
		}
	}
	var reasons []types.CancellationReason
	size := 0
	for i := range changes {
		if err := changes[i].decide(&m.tables[writes[i].Table]); err != nil {
			reasons = append(reasons, make([]types.CancellationReason, len(writes)-len(reasons))...)
			reasons[i].Code = aws.String(reasonOf(err))
		}
		size += changes[i].size
	}
	switch {
	case reasons != nil:
		return &types.TransactionCanceledException{Message: aws.String("maps: cancelled"), CancellationReasons: reasons}
	case size > maxTransaction:
		return invalid("the items of a transaction have more than 4 MB")
	}
	for i := range changes {
		m.tables[writes[i].Table].commit(changes[i])
	}
	m.tokens[id] = struct{}{}
	return nil
}

func reasonOf(err error) string {
	if err == errRefused {
		return "ConditionalCheckFailed"
	}
	return "ValidationError"
}

// fewWrites are so few that comparing each with each is faster than a map.
const fewWrites = 12

func twice(writes []Write) bool {
	if len(writes) > fewWrites {
		seen := make(map[read]bool, len(writes))
		for i := range writes {
			seen[read{writes[i].Table, writes[i].Key}] = true
		}
		return len(seen) < len(writes)
	}
	for i := range writes {
		for j := range i {
			if writes[i].Key == writes[j].Key && writes[i].Table == writes[j].Table {
				return true
			}
		}
	}
	return false
}

// maxBatch is DynamoDB's limit for the items of one BatchGetItem together, bytes; the rest stays unread.
const maxBatch = 16 << 20

func (m *Maps) get(ctx context.Context, reads []read) (map[read]Item, error) {
	op := "GetItem"
	if len(reads) > 1 {
		op = "BatchGetItem"
	}
	var found map[read]Item
	err := m.call(ctx, Call{Op: op, reads: reads}, func() (err error) {
		found, err = m.read(reads)
		return err
	})
	if part, ok := errors.AsType[*unread](err); ok && found == nil { // by a verdict
		found, _ = m.read(reads[:len(reads)-len(part.reads)])
	}
	return found, err
}

func (m *Maps) read(reads []read) (map[read]Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := make(map[read]Item, len(reads))
	size := 0
	for i, r := range reads {
		if err := r.key.valid(); err != nil {
			return nil, err
		}
		if row := m.tables[r.table].rows[r.key]; row != nil {
			if size += row.size; size > maxBatch && i > 0 {
				return found, &unread{reads[i:]}
			}
			found[r] = maps.Clone(row.item)
		}
	}
	return found, nil
}

func (m *Maps) page(ctx context.Context, q query) (items []Item, next Item, err error) {
	err = m.call(ctx, Call{Op: "Query", query: q}, func() (err error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		items, next, err = m.tables[q.table].page(q)
		return err
	})
	return items, next, err
}
