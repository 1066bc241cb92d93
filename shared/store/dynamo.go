package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// dynamo is the engine that deploys: DynamoDB, or a local engine that speaks its protocol.
type dynamo struct {
	db     *dynamodb.Client
	tables [tables]string
}

// newDynamo builds the client by hand because config.LoadDefaultConfig costs a cold start 11 ms and 2 MB.
func newDynamo(c Config) *dynamo {
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
	return &dynamo{db: dynamodb.New(options), tables: c.Tables}
}

func (d *dynamo) name(t Table) *string { return aws.String(d.tables[t]) }

func (d *dynamo) apply(ctx context.Context, writes []Write) error {
	if alone(writes) {
		return d.write(ctx, writes[0])
	}
	// The SDK stores a token that it made itself into the input it is given: an input serves one call.
	input := &dynamodb.TransactWriteItemsInput{ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}
	for _, w := range writes {
		input.TransactItems = append(input.TransactItems, w.transactItem(d.name(w.Table)))
	}
	id, err := token(input)
	if err != nil {
		return err
	}
	input.ClientRequestToken = aws.String(id)
	_, err = d.db.TransactWriteItems(ctx, input)
	return err
}

func (d *dynamo) write(ctx context.Context, w Write) (err error) {
	var x expression
	condition := x.condition(w.Guards)
	table, capacity := d.name(w.Table), types.ReturnConsumedCapacityTotal
	switch {
	case w.Put != nil:
		_, err = d.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: w.full(), ConditionExpression: condition,
			ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values, ReturnConsumedCapacity: capacity})
	case w.isUpdate():
		update := x.update(w)
		_, err = d.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: table, Key: w.Key.item(), UpdateExpression: update,
			ConditionExpression: condition, ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values, ReturnConsumedCapacity: capacity})
	default:
		_, err = d.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: table, Key: w.Key.item(), ConditionExpression: condition,
			ExpressionAttributeNames: x.names, ExpressionAttributeValues: x.values, ReturnConsumedCapacity: capacity})
	}
	return err
}

func (d *dynamo) get(ctx context.Context, reads []read) (map[read]Item, error) {
	if len(reads) > 1 {
		return d.getBatch(ctx, reads)
	}
	out, err := d.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: d.name(reads[0].table), Key: reads[0].key.item(),
		ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil || out.Item == nil {
		return nil, err
	}
	return map[read]Item{reads[0]: out.Item}, nil
}

func (d *dynamo) getBatch(ctx context.Context, reads []read) (map[read]Item, error) {
	tableOf := map[string]Table{}
	request := map[string]types.KeysAndAttributes{}
	for _, r := range reads {
		name := d.tables[r.table]
		tableOf[name] = r.table
		keys := request[name]
		keys.ConsistentRead = aws.Bool(true)
		keys.Keys = append(keys.Keys, r.key.item())
		request[name] = keys
	}
	out, err := d.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: request, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil {
		return nil, err
	}
	found := make(map[read]Item, len(reads))
	for name, items := range out.Responses {
		for _, it := range items {
			found[read{tableOf[name], KeyOf(it)}] = it
		}
	}
	var rest unread
	for name, keys := range out.UnprocessedKeys {
		for _, k := range keys.Keys {
			rest.reads = append(rest.reads, read{tableOf[name], KeyOf(k)})
		}
	}
	if len(rest.reads) > 0 {
		return found, &rest
	}
	return found, nil
}

func (d *dynamo) page(ctx context.Context, q query) (items []Item, next Item, err error) {
	names := indexKeys[q.index]
	var x expression
	condition := x.name(names[0]) + " = " + x.value(text(q.pk))
	switch {
	case q.prefix != "":
		condition += " AND begins_with(" + x.name(names[1]) + ", " + x.value(text(q.prefix)) + ")"
	case q.from == "" && q.to != "": // an empty key is refused, also as a bound
		condition += " AND " + x.name(names[1]) + " <= " + x.value(text(q.to))
	case q.from != "" && q.to == "":
		condition += " AND " + x.name(names[1]) + " >= " + x.value(text(q.from))
	case q.from != "":
		condition += " AND " + x.name(names[1]) + " BETWEEN " + x.value(text(q.from)) + " AND " + x.value(text(q.to))
	}
	in := &dynamodb.QueryInput{TableName: d.name(q.table), KeyConditionExpression: &condition, ExpressionAttributeNames: x.names,
		ExpressionAttributeValues: x.values, Limit: aws.Int32(int32(q.limit)), ScanIndexForward: aws.Bool(!q.descending),
		ExclusiveStartKey: q.after, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}
	if q.index != "" {
		in.IndexName = aws.String(q.index)
	} else {
		in.ConsistentRead = aws.Bool(true)
	}
	out, err := d.db.Query(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	if len(out.LastEvaluatedKey) == 0 {
		return out.Items, nil, nil
	}
	return out.Items, out.LastEvaluatedKey, nil
}

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
		case AtMost:
			parts = append(parts, "(attribute_not_exists("+n+") OR "+n+" <= "+x.value(g.Value)+")")
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
