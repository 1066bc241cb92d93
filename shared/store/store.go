// Package store is the only code that talks to DynamoDB: five tables, one file per noun, and every write a value
// before it is applied. README.md beside this file lists keys, access patterns and capacity.
package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
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
	db     *dynamodb.Client
	tables [tables]string
}

// Open makes a store without touching the network. The client is built by hand because config.LoadDefaultConfig
// costs a cold start 11 ms and 2 MB.
func Open(c Config) *Store {
	options := dynamodb.Options{
		Region:      c.Region,
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken)),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = callTries
			o.Backoff = retry.BackoffDelayerFunc(func(try int, _ error) (time.Duration, error) { return backOff(try + 2), nil })
		}),
		HTTPClient: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
			MaxIdleConns: 64, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: false}},
	}
	if c.Endpoint != "" {
		options.BaseEndpoint = aws.String(c.Endpoint)
	}
	return &Store{db: dynamodb.New(options), tables: c.Tables}
}

func (s *Store) name(t Table) *string { return aws.String(s.tables[t]) }

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

// apply makes the writes, all or none. A write without an addition on its own needs no transaction: repeated after a
// lost answer it ends in the same state or is refused, and every caller reads back after a refusal.
func (s *Store) apply(ctx context.Context, writes []Write) error {
	switch {
	case len(writes) == 0:
		return nil
	case len(writes) > maxActions:
		return fmt.Errorf("store: %d writes do not fit one transaction", len(writes))
	case len(writes) == 1 && len(writes[0].Add) == 0:
		return s.applyOne(ctx, writes[0])
	}
	input := &dynamodb.TransactWriteItemsInput{ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}
	for _, w := range writes {
		input.TransactItems = append(input.TransactItems, w.transactItem(s.name(w.Table)))
	}
	id, err := token(input)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		input.ClientRequestToken = aws.String(id)
		_, err := s.db.TransactWriteItems(ctx, input)
		if err == nil {
			return nil
		}
		retry, err := explain(err, writes)
		if !retry || try == conflictTries {
			return err
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// explain turns a cancelled transaction into a Refused, or says that trying again can help.
func explain(err error, writes []Write) (again bool, _ error) {
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
	return conflict || progress, fmt.Errorf("store: write: %w", err)
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

// applyOne makes one write without a transaction. One that meets a transaction on its item is tried again, which the
// SDK does not do by itself.
func (s *Store) applyOne(ctx context.Context, w Write) error {
	for try := 1; ; try++ {
		err := s.write(ctx, w)
		if _, conflict := errors.AsType[*types.TransactionConflictException](err); !conflict || try == conflictTries {
			return err
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

func (s *Store) write(ctx context.Context, w Write) error {
	var x expression
	condition := x.condition(w.Guards)
	table, capacity := s.name(w.Table), types.ReturnConsumedCapacityTotal
	var err error
	switch {
	case w.Put != nil:
		_, err = s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: w.full(), ConditionExpression: condition,
			ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values, ReturnConsumedCapacity: capacity})
	case w.isUpdate():
		update := x.update(w)
		_, err = s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: table, Key: w.Key.item(), UpdateExpression: update,
			ConditionExpression: condition, ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values, ReturnConsumedCapacity: capacity})
	case w.Delete:
		_, err = s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: table, Key: w.Key.item(), ConditionExpression: condition,
			ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values, ReturnConsumedCapacity: capacity})
	default:
		return errors.New("store: a lone check writes nothing")
	}
	if _, failed := errors.AsType[*types.ConditionalCheckFailedException](err); failed {
		return &Refused{Writes: []Write{w}}
	}
	if err != nil {
		return fmt.Errorf("store: write %s: %w", w.Key.PK, err)
	}
	return nil
}

// read names one item to get.
type read struct {
	table Table
	key   Key
}

// batchReads is DynamoDB's limit of keys in one BatchGetItem.
const batchReads = 100

// get reads items consistently in one round, or one round per hundred; those that do not exist are missing from the map.
func (s *Store) get(ctx context.Context, reads []read) (map[read]Item, error) {
	found := make(map[read]Item, len(reads))
	for chunk := range slices.Chunk(unique(reads), batchReads) {
		if len(chunk) == 1 {
			if err := s.getOne(ctx, chunk[0], found); err != nil {
				return nil, err
			}
			continue
		}
		if err := s.getBatch(ctx, chunk, found); err != nil {
			return nil, err
		}
	}
	return found, nil
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

func (s *Store) getOne(ctx context.Context, r read, found map[read]Item) error {
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: s.name(r.table), Key: r.key.item(),
		ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil {
		return fmt.Errorf("store: read %s: %w", r.key.PK, err)
	}
	if out.Item != nil {
		found[r] = out.Item
	}
	return nil
}

func (s *Store) getBatch(ctx context.Context, chunk []read, found map[read]Item) error {
	tableOf := map[string]Table{}
	request := map[string]types.KeysAndAttributes{}
	for _, r := range chunk {
		name := s.tables[r.table]
		tableOf[name] = r.table
		keys := request[name]
		keys.ConsistentRead = aws.Bool(true)
		keys.Keys = append(keys.Keys, r.key.item())
		request[name] = keys
	}
	for try := 1; len(request) > 0; try++ {
		out, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
		if err != nil {
			return fmt.Errorf("store: read %d items: %w", len(chunk), err)
		}
		for name, items := range out.Responses {
			for _, it := range items {
				found[read{tableOf[name], KeyOf(it)}] = it
			}
		}
		if request = out.UnprocessedKeys; len(request) > 0 {
			if try == conflictTries {
				return fmt.Errorf("store: %d items stayed unread after %d tries", len(chunk), try)
			}
			if err := pause(ctx, try); err != nil {
				return err
			}
		}
	}
	return nil
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
	from, to   string // bounds of the sort key, both included
	after      Item   // ExclusiveStartKey
	limit      int
	descending bool
	project    []string
}

var indexKeys = map[string][2]string{"": {"pk", "sk"}, "list": {"listPk", "listSk"}, "placed": {"placedPk", "placedSk"}, "koc": {"kocPk", "kocSk"}, "due": {"duePk", "dueSk"}}

// page runs a query once. next is nil at the end.
func (s *Store) page(ctx context.Context, q query) (items []Item, next Item, err error) {
	names := indexKeys[q.index]
	var x expression
	condition := x.name(names[0]) + " = " + x.value(text(q.pk))
	switch {
	case q.prefix != "":
		condition += " AND begins_with(" + x.name(names[1]) + ", " + x.value(text(q.prefix)) + ")"
	case q.from != "" || q.to != "":
		condition += " AND " + x.name(names[1]) + " BETWEEN " + x.value(text(q.from)) + " AND " + x.value(text(q.to))
	}
	in := &dynamodb.QueryInput{TableName: s.name(q.table), KeyConditionExpression: &condition, ExpressionAttributeNames: x.names,
		ExpressionAttributeValues: x.values, Limit: aws.Int32(int32(q.limit)), ScanIndexForward: aws.Bool(!q.descending),
		ExclusiveStartKey: q.after, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}
	if q.index != "" {
		in.IndexName = aws.String(q.index)
	} else {
		in.ConsistentRead = aws.Bool(true)
	}
	out, err := s.db.Query(ctx, in)
	if err != nil {
		return nil, nil, fmt.Errorf("store: query %s: %w", q.pk, err)
	}
	if len(out.LastEvaluatedKey) == 0 {
		return out.Items, nil, nil
	}
	return out.Items, out.LastEvaluatedKey, nil
}

// encode turns a private item struct into attributes.
func encode(v any) Item {
	it, err := attributevalue.MarshalMapWithOptions(v, func(o *attributevalue.EncoderOptions) { o.OmitNullAttributeValues = true; o.NullEmptySets = true })
	if err != nil {
		panic(fmt.Sprintf("store: encode %T: %v", v, err)) // our own structs hold only what can be encoded
	}
	return it
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
