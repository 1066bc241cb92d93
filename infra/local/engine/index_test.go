package engine_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"yundian/infra/local/engine"
	"yundian/infra/local/engine/enginetest"
)

// What Dynoxide asks its table of stream records, word for word: at every write of a table with a stream, and at every
// read of one.
var asked = []string{
	`SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = ?1`,
	`SELECT event_name, keys_json, new_image, old_image, sequence_number, created_at, user_identity
             FROM _stream_records
             WHERE table_name = ?1 AND shard_id = ?2 AND CAST(sequence_number AS INTEGER) > ?3
             ORDER BY CAST(sequence_number AS INTEGER) ASC
             LIMIT ?4`,
}

func TestDynoxideStillAsksThis(t *testing.T) {
	program, err := os.ReadFile(filepath.Join(enginetest.ToolsDir(), "dynoxide", "dynoxide"))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range asked {
		if !bytes.Contains(program, []byte(statement)) {
			t.Errorf("this version of Dynoxide does not ask %q: see what it asks now, and whether the index answers it", statement)
		}
	}
}

// checkIndexed fails t unless SQLite answers both questions from an index, in its order.
func checkIndexed(t *testing.T, database string) {
	t.Helper()
	for _, statement := range asked {
		if plan := planOf(t, database, statement); !throughIndex(plan) {
			t.Errorf("%.60s …\nis answered by: %s", statement, plan)
		}
	}
}

// throughIndex holds of a plan that goes to its stream in the index and finds its records there in their order.
func throughIndex(plan string) bool {
	return strings.Contains(plan, "INDEX yundian_stream_order (table_name=?") && !strings.Contains(plan, "TEMP B-TREE")
}

func openDatabase(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=rw&_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func planOf(t *testing.T, database, statement string) string {
	t.Helper()
	db := openDatabase(t, database)
	defer db.Close()
	values := []any{"orders", "shard", 0, 1000}[:strings.Count(statement, "?")]
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+statement, values...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "; ")
}

func put(t *testing.T, e *engine.Engine, pk string) {
	t.Helper()
	_, err := engine.Client(e.Endpoint).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &orders.Name, Item: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: "ORDER"}}})
	if err != nil {
		t.Fatal(err)
	}
}

// told are the partition keys that the stream of orders tells, in its order.
func told(t *testing.T, e *engine.Engine) string {
	t.Helper()
	described, err := engine.Client(e.Endpoint).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &orders.Name})
	if err != nil {
		t.Fatal(err)
	}
	arn, c := described.Table.LatestStreamArn, engine.StreamsClient(e.Endpoint)
	stream, err := c.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	place, err := c.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: arn,
		ShardId: stream.StreamDescription.Shards[0].ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
	if err != nil {
		t.Fatal(err)
	}
	page, err := c.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: place.ShardIterator})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, r := range page.Records {
		keys = append(keys, r.Dynamodb.Keys["pk"].(*streamtypes.AttributeValueMemberS).Value)
	}
	return strings.Join(keys, " ")
}

// A file of an earlier version has no index: it gets one at the next start, and tells what it held as before.
func TestStreamsAreIndexedInNewAndOlderFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "100% of the data?#") // what an address would have to escape
	database := filepath.Join(dir, "dynoxide.db")
	e := start(t, engine.Dynoxide, dir)
	if err := engine.CreateTables(t.Context(), engine.Client(e.Endpoint), []engine.Table{orders}); err != nil {
		t.Fatal(err)
	}
	put(t, e, "ORDER#1")
	if err := e.Stop(); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(t.TempDir(), "dynoxide.db") // by a name that a test need not escape
	if err := os.Rename(database, plain); err != nil {
		t.Fatal(err)
	}
	checkIndexed(t, plain)
	if _, err := openDatabase(t, plain).ExecContext(t.Context(), "DROP INDEX yundian_stream_order"); err != nil {
		t.Fatal(err)
	}
	for _, statement := range asked {
		if plan := planOf(t, plain, statement); throughIndex(plan) {
			t.Fatalf("without the index it is answered by: %s", plan)
		}
	}

	again := start(t, engine.Dynoxide, filepath.Dir(plain))
	put(t, again, "ORDER#2")
	checkIndexed(t, plain)
	if got := told(t, again); got != "ORDER#1 ORDER#2" {
		t.Errorf("the stream tells %q", got)
	}
}

// An engine that keeps nothing has the index as well. Its files have no names any more, so nothing is left of them,
// however it ends, and it goes on when SQLite moves what was written into the database.
func TestStreamsAreIndexedInMemory(t *testing.T) {
	e := start(t, engine.Dynoxide, "")
	c := engine.Client(e.Endpoint)
	if err := engine.CreateTables(t.Context(), c, []engine.Table{orders}); err != nil {
		t.Fatal(err)
	}
	const batches, size, bytesEach = 100, 25, 2000
	for b := range batches {
		var requests []types.WriteRequest
		for i := range size {
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: fmt.Sprintf("ORDER#%d", b*size+i)}, "sk": &types.AttributeValueMemberS{Value: "ORDER"},
				"text": &types.AttributeValueMemberS{Value: strings.Repeat("x", bytesEach)}}}})
		}
		if _, err := c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{orders.Name: requests}}); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(t.TempDir(), "dynoxide.db")
	copyOpenFiles(t, e.PID, copied)
	if info, err := os.Stat(copied); err != nil || info.Size() < batches*size*bytesEach {
		t.Errorf("the database itself was never written: %v %v", info, err)
	}
	checkIndexed(t, copied)
	var items, records int
	row := openDatabase(t, copied).QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(DISTINCT keys_json) FROM _stream_records`)
	if err := row.Scan(&records, &items); err != nil || records != batches*size || items != batches*size {
		t.Errorf("%d records of %d items, %v", records, items, err)
	}
}

// copyOpenFiles copies the database that a process has open, and the log beside it, and checks that their folder is gone.
func copyOpenFiles(t *testing.T, pid int, to string) {
	t.Helper()
	descriptors := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(descriptors)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, entry := range entries {
		open := filepath.Join(descriptors, entry.Name())
		target, err := os.Readlink(open)
		if err != nil {
			continue // closed meanwhile
		}
		path, deleted := strings.CutSuffix(target, " (deleted)")
		_, suffix, isOurs := strings.Cut(path, "dynoxide.db")
		if !isOurs || suffix == "-shm" {
			continue
		}
		if _, err := os.Stat(filepath.Dir(path)); !deleted || !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", path, err)
		}
		copyFile(t, open, to+suffix)
		found++
	}
	if found != 2 {
		t.Fatalf("%d open files of a database, want it and its log", found)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
}

// A machine without room in memory gets its database among temporary files.
func TestTemporaryFolderWithoutMemory(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	for _, memory := range []string{"/proc", filepath.Join(temporary, "missing")} {
		dir, err := engine.TemporaryFolder(memory)
		if err != nil || filepath.Dir(dir) != temporary {
			t.Errorf("beside %s: %s, %v", memory, dir, err)
		}
	}
}
