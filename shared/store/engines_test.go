package store_test

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	stored "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"pgregory.net/rapid"

	"yundian/infra/local/engine/enginetest"
	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

// TestMapsAgreeWithTheEngine: whatever is written, refused, read and queried, maps answer as the engine under test does.
func TestMapsAgreeWithTheEngine(t *testing.T) {
	engine := storetest.Open(t)
	rapid.Check(t, func(t *rapid.T) { store.Agree(t, engine) })
}

func TestMapsAgreeOnSizes(t *testing.T) { store.AgreeOnSizes(t, storetest.Open(t)) }

// TestTheStoresWritesAgree runs the store's own methods on maps, makes the same writes on the engine under test, and
// compares answers, items, what the store reads from both, and a stream.
func TestTheStoresWritesAgree(t *testing.T) {
	engine, env := storetest.OpenWithEnv(t)
	m := store.NewMaps()
	onMaps := store.OpenMaps(m)
	batches := store.Record(m)
	for _, x := range scenarios {
		t.Run(x.name, func(t *testing.T) {
			*batches = nil
			x.run(t, onMaps)
			store.Replay(t, engine, m, *batches)
			if x.look == nil {
				return
			}
			if got, want := x.look(t, onMaps), x.look(t, engine); !reflect.DeepEqual(got, want) {
				t.Errorf("maps show\n%+v\nthe engine\n%+v", got, want)
			}
		})
	}
	t.Run("stream of orders", func(t *testing.T) {
		got, want := byItem(m.Changes(store.Orders, 0)), byItem(streamOf(t, env["ORDERS_TABLE"]))
		if len(got) == 0 || len(got) != len(want) {
			t.Errorf("%d items changed on maps, %d on the engine", len(got), len(want))
		}
		for k := range got {
			if !reflect.DeepEqual(got[k], want[k]) {
				t.Errorf("%s %s changed on maps by\n%+v\nand on the engine by\n%+v", k.PK, k.SK, got[k], want[k])
			}
		}
	})
}

// byItem is what happened to each item. The number of a change says more than streams promise, and what changes nothing is
// no change on DynamoDB, although Dynoxide tells it.
func byItem(changes []store.Change) map[store.Key][]store.Change {
	out := map[store.Key][]store.Change{}
	for _, c := range changes {
		if c.Seq = 0; !reflect.DeepEqual(c.Old, c.New) {
			out[c.Key] = append(out[c.Key], c)
		}
	}
	return out
}

// streamOf reads the stream of a table of the engine under test, which has one shard.
func streamOf(t *testing.T, table string) []store.Change {
	t.Helper()
	ctx, streams := t.Context(), enginetest.StreamsClient(t)
	described := must(enginetest.Client(t).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table}))(t)
	arn := described.Table.LatestStreamArn
	stream := must(streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: arn}))(t)
	shards := stream.StreamDescription.Shards
	if len(shards) != 1 {
		t.Fatalf("the stream has %d shards", len(shards))
	}
	at := must(streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: arn, ShardId: shards[0].ShardId,
		ShardIteratorType: types.ShardIteratorTypeTrimHorizon}))(t).ShardIterator
	var out []store.Change
	for pages := 0; at != nil && pages < 100; pages++ { // far more than this test writes
		read := must(streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: at}))(t)
		if len(read.Records) == 0 {
			return out
		}
		for _, r := range read.Records {
			out = append(out, store.Change{Key: store.KeyOf(image(t, r.Dynamodb.Keys)), Old: image(t, r.Dynamodb.OldImage), New: image(t, r.Dynamodb.NewImage)})
		}
		at = read.NextShardIterator
	}
	return out
}

func image(t *testing.T, in map[string]types.AttributeValue) store.Item {
	t.Helper()
	if len(in) == 0 {
		return nil
	}
	out := store.Item{}
	for attr, v := range in {
		switch v := v.(type) {
		case *types.AttributeValueMemberS:
			out[attr] = &stored.AttributeValueMemberS{Value: v.Value}
		case *types.AttributeValueMemberN:
			out[attr] = &stored.AttributeValueMemberN{Value: v.Value}
		case *types.AttributeValueMemberBOOL:
			out[attr] = &stored.AttributeValueMemberBOOL{Value: v.Value}
		default:
			t.Fatalf("%s is a %T", attr, v)
		}
	}
	return out
}
