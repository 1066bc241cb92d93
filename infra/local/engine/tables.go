package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
)

// What the engines are signed for. They check only that a signature is there; DynamoDB Local also wants a key id of
// letters and digits.
const (
	Region    = "us-east-1"
	AccessKey = "local"
	SecretKey = "local"
)

// GSI is a global secondary index over string attributes.
type GSI struct {
	Name       string
	PK, SK     string   // attribute names, both strings
	Projection string   // ALL, KEYS_ONLY or INCLUDE
	Include    []string // with INCLUDE: the further attributes
}

// Table is what the local runner takes from the template for one table. Every table has the string keys pk and sk and
// is billed per request.
type Table struct {
	Name         string
	GSIs         []GSI
	StreamView   string // NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY; empty means no stream
	TTLAttribute string // empty means no expiry
}

// createLimit bounds the wait for a new table to become active; the local engines do it at once.
const createLimit = 30 * time.Second

// Client speaks to the store at endpoint. It is built by hand because the SDK's own configuration reads files and the
// environment of whoever runs the shop.
func Client(endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(endpoint), Region: Region, HTTPClient: httpClient(),
		Credentials: credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, ""),
	})
}

// StreamsClient speaks to the streams of the store at endpoint.
func StreamsClient(endpoint string) *dynamodbstreams.Client {
	return dynamodbstreams.New(dynamodbstreams.Options{
		BaseEndpoint: aws.String(endpoint), Region: Region, HTTPClient: httpClient(),
		Credentials: credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, ""),
	})
}

// httpClient keeps as many connections as a load test has clients; the default of two per host would open a new one
// for most requests.
func httpClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy, t.MaxIdleConns, t.MaxIdleConnsPerHost = nil, 128, 128
	return &http.Client{Transport: t}
}

// CreateTables creates the tables that are missing. A table that exists with the same keys, indexes and stream is left
// as it is; one that differs is an error that names the difference, since the data in it was written for another schema.
func CreateTables(ctx context.Context, c *dynamodb.Client, tables []Table) error {
	for _, t := range tables {
		if err := createTable(ctx, c, t); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	return nil
}

func createTable(ctx context.Context, c *dynamodb.Client, t Table) error {
	_, err := c.CreateTable(ctx, createInput(t))
	var inUse *types.ResourceInUseException
	if err != nil && !errors.As(err, &inUse) {
		return fmt.Errorf("create: %w", err)
	}
	waiter := dynamodb.NewTableExistsWaiter(c, func(o *dynamodb.TableExistsWaiterOptions) { o.MinDelay = 20 * time.Millisecond })
	out, err := waiter.WaitForOutput(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(t.Name)}, createLimit)
	if err != nil {
		return fmt.Errorf("wait until it is active: %w", err)
	}
	if diff := compare(t, out.Table); diff != "" {
		return fmt.Errorf("exists with another schema: %s; remove the local data to start afresh", diff)
	}
	return expire(ctx, c, t)
}

func createInput(t Table) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: aws.String(t.Name), BillingMode: types.BillingModePayPerRequest, KeySchema: keys("pk", "sk"),
	}
	names := []string{"pk", "sk"}
	for _, g := range t.GSIs {
		names = append(names, g.PK, g.SK)
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(g.Name), KeySchema: keys(g.PK, g.SK),
			Projection: &types.Projection{ProjectionType: types.ProjectionType(g.Projection), NonKeyAttributes: g.Include},
		})
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		if n != "" {
			in.AttributeDefinitions = append(in.AttributeDefinitions,
				types.AttributeDefinition{AttributeName: aws.String(n), AttributeType: types.ScalarAttributeTypeS})
		}
	}
	if t.StreamView != "" {
		in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(t.StreamView)}
	}
	return in
}

// keys is a key schema; an index may do without a sort key.
func keys(pk, sk string) []types.KeySchemaElement {
	schema := []types.KeySchemaElement{{AttributeName: aws.String(pk), KeyType: types.KeyTypeHash}}
	if sk != "" {
		schema = append(schema, types.KeySchemaElement{AttributeName: aws.String(sk), KeyType: types.KeyTypeRange})
	}
	return schema
}

// compare says how an existing table differs from what the template wants; empty when it does not.
func compare(t Table, have *types.TableDescription) string {
	if want, is := "pk/sk", keyNames(have.KeySchema); is != want {
		return fmt.Sprintf("keys %s, wanted %s", is, want)
	}
	var want, is []string
	for _, g := range t.GSIs {
		want = append(want, gsiLine(g.Name, keyNames(keys(g.PK, g.SK)), g.Projection, g.Include))
	}
	for _, g := range have.GlobalSecondaryIndexes {
		kind, include := "", []string(nil)
		if g.Projection != nil {
			kind, include = string(g.Projection.ProjectionType), g.Projection.NonKeyAttributes
		}
		is = append(is, gsiLine(aws.ToString(g.IndexName), keyNames(g.KeySchema), kind, include))
	}
	slices.Sort(want)
	slices.Sort(is)
	if !slices.Equal(want, is) {
		return fmt.Sprintf("indexes %v, wanted %v", is, want)
	}
	view := ""
	if s := have.StreamSpecification; s != nil && aws.ToBool(s.StreamEnabled) {
		view = string(s.StreamViewType)
	}
	if view != t.StreamView {
		return fmt.Sprintf("stream %q, wanted %q", view, t.StreamView)
	}
	return ""
}

func gsiLine(name, keys, projection string, include []string) string {
	include = slices.Sorted(slices.Values(include))
	return fmt.Sprintf("%s(%s %s %s)", name, keys, projection, strings.Join(include, ","))
}

func keyNames(schema []types.KeySchemaElement) string {
	var names []string
	for _, k := range schema {
		names = append(names, aws.ToString(k.AttributeName))
	}
	return strings.Join(names, "/")
}

// expire turns expiry on where it is wanted and not yet on: the service refuses to turn on what is on already.
func expire(ctx context.Context, c *dynamodb.Client, t Table) error {
	if t.TTLAttribute == "" {
		return nil
	}
	out, err := c.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: aws.String(t.Name)})
	if err != nil {
		return fmt.Errorf("read its expiry: %w", err)
	}
	if d := out.TimeToLiveDescription; d != nil && d.TimeToLiveStatus == types.TimeToLiveStatusEnabled {
		if is := aws.ToString(d.AttributeName); is != t.TTLAttribute {
			return fmt.Errorf("expires by %q, wanted %q; remove the local data to start afresh", is, t.TTLAttribute)
		}
		return nil
	}
	_, err = c.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: aws.String(t.Name),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(t.TTLAttribute), Enabled: aws.Bool(true)}})
	if err != nil {
		return fmt.Errorf("turn its expiry on: %w", err)
	}
	return nil
}
