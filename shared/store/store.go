// Package store is the only code that talks to DynamoDB: five tables, one file per noun, and every write a value
// before it is applied. README.md beside this file lists keys, access patterns and capacity.
package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Table is one of the five tables, by lifecycle and by stream.
type Table int

const (
	Shop    Table = iota // catalogue, stock, KOCs, links, settings, rules, statistics: read-heavy, no stream
	People               // contacts and addresses: the one place to erase
	Orders               // orders and their idempotency records; its stream feeds attribute and settle
	Ledger               // postings, balances, facts; its stream feeds tally
	Touches              // links really seen; its stream feeds tally
	tables
)

// Config is where the tables are. A function names only the tables it uses.
type Config struct {
	Region, AccessKeyID, SecretAccessKey, SessionToken string
	Endpoint                                           string // empty for AWS itself
	Tables                                             [tables]string
}

// ConfigFrom reads the configuration from environment variables through getenv.
func ConfigFrom(getenv func(string) string) Config {
	return Config{
		Region: getenv("AWS_REGION"), AccessKeyID: getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: getenv("AWS_SESSION_TOKEN"),
		Endpoint: getenv("AWS_ENDPOINT_URL_DYNAMODB"),
		Tables: [tables]string{Shop: getenv("SHOP_TABLE"), People: getenv("PEOPLE_TABLE"), Orders: getenv("ORDERS_TABLE"),
			Ledger: getenv("LEDGER_TABLE"), Touches: getenv("TOUCHES_TABLE")},
	}
}

// Store reads and writes the tables. It is safe for concurrent use.
type Store struct {
	engine engine
	wait   func(ctx context.Context, try int) error // before another try; pause, but for maps, where nothing takes time
	shelf  shelf                                    // rule books that were read
}

// engine keeps the tables: DynamoDB, or maps for a simulator. It makes one call of apply, get or page and answers with
// DynamoDB's own errors; what is done about them stands in this file and is the same for both.
type engine interface {
	apply(ctx context.Context, writes []Write) error // all or none, at least one and at most maxActions
	get(ctx context.Context, reads []read) (map[read]Item, error)
	page(ctx context.Context, q query) (items []Item, next Item, err error)
}

// Open makes a store on DynamoDB without touching the network.
func Open(c Config) *Store { return &Store{engine: newDynamo(c), wait: pause} }

// Refused says that guards of a write did not hold; nothing was written.
type Refused struct {
	Writes []Write // those whose guards failed
}

// Error implements error.
func (r *Refused) Error() string {
	return fmt.Sprintf("store: refused by %d guarded writes, first %s %s", len(r.Writes), r.Writes[0].Key.PK, r.Writes[0].Key.SK)
}

// refusedBy reports whether err is a refusal by a write whose key the test accepts.
func refusedBy(err error, test func(Key) bool) bool {
	r, ok := errors.AsType[*Refused](err)
	return ok && slices.ContainsFunc(r.Writes, func(w Write) bool { return test(w.Key) })
}

// putAlone makes a write that is refused when somebody else was faster. The answer to the SDK's first try may be lost, and
// the second one meets what the first has made: what stands there is no refusal if it is what was to be written. Writes
// beside it make a transaction, which is answered right by itself.
func (s *Store) putAlone(ctx context.Context, w Write, extra []Write) error {
	err := s.apply(ctx, append([]Write{w}, extra...))
	if len(extra) > 0 || !refusedBy(err, func(k Key) bool { return k == w.Key }) {
		return err
	}
	r := read{w.Table, w.Key}
	found, failed := s.get(ctx, []read{r})
	switch {
	case failed != nil:
		return failed
	case equalItems(found[r], w.full()):
		return nil
	default:
		return err
	}
}

// Limits of one transaction: DynamoDB takes 100 actions; the rest is room for a caller's own records.
const (
	maxActions   = 100
	batchActions = 90
)

// callTries bounds how often one call is sent when the network or the store fails. The waits between them begin at
// 30 ms and add up to about a second; the SDK's own begin at a second on average, which a shopper would notice.
const callTries = 6

// conflictTries bounds how often a transaction that met another one on the same item is tried again.
const conflictTries = 10

// apply makes the writes, all or none. A call that met another transaction on its item is tried again, which the SDK
// does not do by itself.
func (s *Store) apply(ctx context.Context, writes []Write) error {
	if i := slices.IndexFunc(writes, func(w Write) bool { return w.err != nil }); i >= 0 {
		return fmt.Errorf("store: write %s: %w", writes[i].Key.PK, writes[i].err)
	}
	switch {
	case len(writes) == 0:
		return nil
	case len(writes) > maxActions:
		return fmt.Errorf("store: %d writes do not fit one transaction", len(writes))
	case len(writes) == 1 && writes[0].checks():
		return errors.New("store: a lone check writes nothing")
	}
	for try := 1; ; try++ {
		err := s.engine.apply(ctx, writes)
		if err == nil {
			return nil
		}
		again, err := explain(err, writes)
		if !again || try == conflictTries {
			return err
		}
		if err := s.wait(ctx, try); err != nil {
			return err
		}
	}
}

// explain turns a failed condition or a cancelled transaction into a Refused, or says that trying again can help.
func explain(err error, writes []Write) (again bool, _ error) {
	if _, failed := errors.AsType[*types.ConditionalCheckFailedException](err); failed {
		return false, &Refused{Writes: writes}
	}
	if cancelled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		refused := &Refused{}
		for i, reason := range cancelled.CancellationReasons {
			switch aws.ToString(reason.Code) {
			case "ConditionalCheckFailed":
				refused.Writes = append(refused.Writes, writes[i])
			case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
				again = true
			}
		}
		if len(refused.Writes) > 0 {
			return false, refused
		}
		return again, fmt.Errorf("store: transaction cancelled: %w", err)
	}
	_, conflict := errors.AsType[*types.TransactionConflictException](err)
	_, progress := errors.AsType[*types.TransactionInProgressException](err)
	return conflict || progress, fmt.Errorf("store: write %s: %w", writes[0].Key.PK, err)
}

// backOff is a random time that doubles with each try: 5 to 10 ms, 10 to 20 ms, up to half a second.
func backOff(try int) time.Duration {
	base := min(5*time.Millisecond<<min(try, 10), 500*time.Millisecond)
	return base/2 + rand.N(base/2)
}

// pause waits before another try.
func pause(ctx context.Context, try int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(backOff(try)):
		return nil
	}
}

// read names one item to get.
type read struct {
	table Table
	key   Key
}

// batchReads is DynamoDB's limit of keys in one BatchGetItem.
const batchReads = 100

// unread comes with a part of the items: for the others there was no room in the answer, or no capacity.
type unread struct{ reads []read }

// Error implements error.
func (u *unread) Error() string { return fmt.Sprintf("store: %d items stayed unread", len(u.reads)) }

// get reads items consistently in one round, or one round per hundred; those that do not exist are missing from the map.
func (s *Store) get(ctx context.Context, reads []read) (map[read]Item, error) {
	found := make(map[read]Item, len(reads))
	for chunk := range slices.Chunk(unique(reads), batchReads) {
		if err := s.getChunk(ctx, chunk, found); err != nil {
			return nil, fmt.Errorf("store: read %s and %d more: %w", chunk[0].key.PK, len(chunk)-1, err)
		}
	}
	return found, nil
}

func (s *Store) getChunk(ctx context.Context, chunk []read, found map[read]Item) error {
	for try := 1; ; try++ {
		part, err := s.engine.get(ctx, chunk)
		maps.Copy(found, part)
		unread, ok := errors.AsType[*unread](err)
		if !ok || try == conflictTries {
			return err
		}
		chunk = unread.reads
		if err := s.wait(ctx, try); err != nil {
			return err
		}
	}
}

func unique(reads []read) []read {
	seen := make(map[read]bool, len(reads))
	out := make([]read, 0, len(reads))
	for _, r := range reads {
		if !seen[r] {
			seen[r] = true
			out = append(out, r)
		}
	}
	return out
}

// KeyOf is the key of a stored item or of the keys of a stream record.
func KeyOf(it Item) Key { return Key{str(it["pk"]), str(it["sk"])} }

func str(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}

// query describes one page of a partition, of the table or of one of its indexes.
type query struct {
	table      Table
	index      string // empty for the table itself
	pk         string
	prefix     string // of the sort key; or
	from, to   string // bounds of the sort key, both included; an empty one is none
	after      Item   // ExclusiveStartKey
	limit      int
	descending bool
	project    []string
}

var indexKeys = map[string][2]string{"": {"pk", "sk"}, "list": {"listPk", "listSk"}, "placed": {"placedPk", "placedSk"}, "koc": {"kocPk", "kocSk"}, "due": {"duePk", "dueSk"}}

// Index is a secondary index of a table: the items that have both of its keys, in their order, with some attributes more.
type Index struct {
	Name, PK, SK string
	Keeps        []string // attributes beside keys
}

func index(name string, keeps ...string) Index {
	return Index{Name: name, PK: indexKeys[name][0], SK: indexKeys[name][1], Keeps: keeps}
}

// Indexes are the indexes of each table. A rule compares them with those that infra/template.yaml declares.
var Indexes = [tables][]Index{
	Shop:   {index("list", "offer", "tier")},
	Orders: {index("placed", "status", "koc"), index("koc", "status"), index("due")},
	Ledger: {index("list", "status", "koc"), index("due")},
}

// page runs a query once. next is nil at the end.
func (s *Store) page(ctx context.Context, q query) (items []Item, next Item, err error) {
	items, next, err = s.engine.page(ctx, q)
	if err != nil {
		return nil, nil, fmt.Errorf("store: query %s: %w", q.pk, err)
	}
	return items, next, nil
}

// encode turns a private item struct into attributes. What cannot be stored, such as a time after the year 9999, is an
// error: some of it comes from clients, and no request may end a process.
func encode(v any) (Item, error) {
	it, err := attributevalue.MarshalMapWithOptions(v, func(o *attributevalue.EncoderOptions) { o.OmitNullAttributeValues = true; o.NullEmptySets = true })
	if err != nil {
		return nil, fmt.Errorf("store: encode %T: %w", v, err)
	}
	return it, nil
}

// decode reads attributes into a private item struct.
func decode(it Item, v any) error {
	if err := attributevalue.UnmarshalMap(it, v); err != nil {
		return fmt.Errorf("store: decode %s: %w", str(it["pk"]), err)
	}
	return nil
}

// sortable is a time as a fixed-width sort key.
func sortable(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
