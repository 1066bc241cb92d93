package streams

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

const exampleARN = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-03-01T00:00:00.000"

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func everyType() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"s": text("云店"), "n": &types.AttributeValueMemberN{Value: "12.50"}, "t": &types.AttributeValueMemberBOOL{Value: true},
		"z": &types.AttributeValueMemberNULL{Value: true}, "b": &types.AttributeValueMemberB{Value: []byte{0xff, 1}},
		"ss": &types.AttributeValueMemberSS{Value: []string{"x", "y"}}, "ns": &types.AttributeValueMemberNS{Value: []string{"1"}},
		"bs": &types.AttributeValueMemberBS{Value: [][]byte{{2}}},
		"l":  &types.AttributeValueMemberL{Value: []types.AttributeValue{text("a"), &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"k": text("v")}}}},
		"m":  &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}},
	}
}

func everyRecord() types.Record {
	at := time.Unix(1_772_323_201, 0)
	return types.Record{
		EventID: aws.String("7"), EventName: types.OperationTypeModify, AwsRegion: aws.String("engine"),
		Dynamodb: &types.StreamRecord{
			SequenceNumber: aws.String("000000000000000000042"), SizeBytes: aws.Int64(99), ApproximateCreationDateTime: &at,
			StreamViewType: types.StreamViewTypeNewAndOldImages, Keys: map[string]types.AttributeValue{"pk": text("ORDER#1"), "sk": text("ORDER")},
			NewImage: everyType(), OldImage: map[string]types.AttributeValue{"s": text("old")},
		},
	}
}

func TestEventIsLambdas(t *testing.T) {
	r, err := decode(everyRecord(), exampleARN, "us-east-1", func(any) bool { return true }, time.Unix(1_772_323_300, 0))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"awsRegion":"us-east-1","dynamodb":{"ApproximateCreationDateTime":1772323201,` +
		`"Keys":{"pk":{"S":"ORDER#1"},"sk":{"S":"ORDER"}},` +
		`"NewImage":{"b":{"B":"/wE="},"bs":{"BS":["Ag=="]},"l":{"L":[{"S":"a"},{"M":{"k":{"S":"v"}}}]},"m":{"M":{}},"n":{"N":"12.50"},` +
		`"ns":{"NS":["1"]},"s":{"S":"云店"},"ss":{"SS":["x","y"]},"t":{"BOOL":true},"z":{"NULL":true}},` +
		`"OldImage":{"s":{"S":"old"}},"SequenceNumber":"000000000000000000042","SizeBytes":99,"StreamViewType":"NEW_AND_OLD_IMAGES"},` +
		`"eventID":"ID","eventName":"MODIFY","eventSource":"aws:dynamodb","eventSourceARN":"` + exampleARN + `","eventVersion":"1.1"}`
	id := eventID(exampleARN, "000000000000000000042")
	if got := strings.Replace(string(r.body), id, "ID", 1); got != want {
		t.Errorf("record\n%s\nwant\n%s", got, want)
	}
	if len(id) != 32 || id == eventID(exampleARN, "43") {
		t.Errorf("event id %q is not a unique 32-digit name", id)
	}

	// The type that functions decode into must understand all of it.
	var event events.DynamoDBEvent
	if err := json.Unmarshal(envelope([]*record{r, r}), &event); err != nil {
		t.Fatal(err)
	}
	if len(event.Records) != 2 || event.Records[1].Change.NewImage["n"].Number() != "12.50" ||
		!event.Records[0].Change.ApproximateCreationDateTime.Equal(time.Unix(1_772_323_201, 0)) {
		t.Errorf("decoded %+v", event)
	}
}

func TestExpiryCarriesItsIdentity(t *testing.T) {
	raw := everyRecord()
	raw.EventName, raw.Dynamodb.NewImage = types.OperationTypeRemove, nil
	raw.UserIdentity = &types.Identity{PrincipalId: aws.String("dynamodb.amazonaws.com"), Type: aws.String("Service")}
	r, err := decode(raw, exampleARN, "us-east-1", func(any) bool { return true }, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var event events.DynamoDBEventRecord
	if err := json.Unmarshal(r.body, &event); err != nil {
		t.Fatal(err)
	}
	if event.UserIdentity == nil || event.UserIdentity.PrincipalID != "dynamodb.amazonaws.com" || event.UserIdentity.Type != "Service" {
		t.Errorf("identity = %+v in %s", event.UserIdentity, r.body)
	}
	if strings.Contains(string(r.body), "NewImage") {
		t.Errorf("a removal has no new image: %s", r.body)
	}
}

func TestFilteredRecordHasNoBody(t *testing.T) {
	r, err := decode(everyRecord(), exampleARN, "us-east-1", func(any) bool { return false }, time.Now())
	if err != nil || r.body != nil || r.seq == "" {
		t.Errorf("record %+v, error %v", r, err)
	}
}

func TestArrival(t *testing.T) {
	seen := time.Date(2026, 3, 1, 10, 5, 30, 0, time.UTC)
	at := func(h, m, s int) time.Time { return time.Date(2026, 3, 1, h, m, s, 0, time.UTC) }
	for name, c := range map[string]struct {
		created *time.Time
		want    time.Time
	}{
		"to the second":                 {aws.Time(at(10, 4, 7)), at(10, 4, 7)},
		"to the minute, long ago":       {aws.Time(at(9, 0, 0)), at(9, 0, 59)},
		"to the minute, in this minute": {aws.Time(at(10, 5, 0)), seen},
		"from the future":               {aws.Time(at(10, 6, 1)), seen},
		"not given":                     {nil, seen},
	} {
		if got := arrival(c.created, seen); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestLambdaARN(t *testing.T) {
	got := lambdaARN("arn:aws:dynamodb:dynoxide:000000000000:table/orders/stream/1795.5", "us-east-1")
	if want := "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/1795.5"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestFailedFrom(t *testing.T) {
	records := []*record{{seq: "7"}, {seq: "8"}, {seq: "9"}, {seq: "10"}}
	cases := []struct {
		answer string
		first  int
		ok     bool
	}{
		{``, 4, true},
		{`null`, 4, true},
		{`{}`, 4, true},
		{`{"batchItemFailures":null}`, 4, true},
		{`{"batchItemFailures":[]}`, 4, true},
		{`{"batchItemFailures":[{"itemIdentifier":"9"}]}`, 2, true},
		{`{"batchItemFailures":[{"itemIdentifier":"10"},{"itemIdentifier":"9"}]}`, 2, true},
		{`{"batchItemFailures":[{"itemIdentifier":"7"}]}`, 0, true},
		{`{"batchItemFailures":[{"itemIdentifier":"6"}]}`, 0, false},
		{`{"batchItemFailures":[{"itemIdentifier":"9"},{"itemIdentifier":"nobody"}]}`, 0, false},
		{`{"batchItemFailures":[{"itemIdentifier":""}]}`, 0, false},
		{`{"batchItemFailures":[{"itemIdentifier":null}]}`, 0, false},
		{`{"batchItemFailures":[{"itemIdentifier":9}]}`, 0, false},
		{`{"batchItemFailures":[{"sequenceNumber":"9"}]}`, 0, false},
		{`{"batchItemFailures":[null]}`, 0, false},
		{`{"batchItemFailures":["9"]}`, 0, false},
		{`{"batchItemFailures":{"itemIdentifier":"9"}}`, 0, false},
		{`"done"`, 0, false},
		{`[]`, 0, false},
		{`{"batchItemFailures":[`, 0, false},
	}
	for _, c := range cases {
		first, ok := failedFrom([]byte(c.answer), records)
		if !reflect.DeepEqual([]any{first, ok}, []any{c.first, c.ok}) {
			t.Errorf("%s: %d %v, want %d %v", c.answer, first, ok, c.first, c.ok)
		}
	}
}
