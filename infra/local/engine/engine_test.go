package engine_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"yundian/infra/local/engine"
	"yundian/infra/local/engine/enginetest"
)

var orders = engine.Table{Name: "orders", StreamView: "NEW_AND_OLD_IMAGES", TTLAttribute: "ttl", GSIs: []engine.GSI{
	{Name: "placed", PK: "placedPk", SK: "placedSk", Projection: "INCLUDE", Include: []string{"status", "koc"}},
	{Name: "due", PK: "duePk", SK: "dueSk", Projection: "KEYS_ONLY"},
}}

func start(t *testing.T, kind, dir string) *engine.Engine {
	t.Helper()
	e, err := engine.Start(t.Context(), engine.Options{Kind: kind, DataDir: dir, ToolsDir: enginetest.ToolsDir(), Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Stop() })
	return e
}

func TestDataSurvivesARestart(t *testing.T) {
	for _, kind := range []string{engine.Dynoxide, engine.DynamoDBLocal} {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			e := start(t, kind, dir)
			c := engine.Client(e.Endpoint)
			if err := engine.CreateTables(t.Context(), c, []engine.Table{orders}); err != nil {
				t.Fatal(err)
			}
			item := map[string]types.AttributeValue{
				"pk": &types.AttributeValueMemberS{Value: "ORDER#1"}, "sk": &types.AttributeValueMemberS{Value: "ORDER"},
				"name": &types.AttributeValueMemberS{Value: "云店"},
			}
			if _, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &orders.Name, Item: item}); err != nil {
				t.Fatal(err)
			}
			if err := e.Stop(); err != nil {
				t.Fatal(err)
			}

			again := start(t, kind, dir)
			c = engine.Client(again.Endpoint)
			if err := engine.CreateTables(t.Context(), c, []engine.Table{orders}); err != nil {
				t.Fatalf("the same schema again: %v", err)
			}
			out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &orders.Name, ConsistentRead: aws.Bool(true),
				Key: map[string]types.AttributeValue{"pk": item["pk"], "sk": item["sk"]}})
			if err != nil {
				t.Fatal(err)
			}
			if name, ok := out.Item["name"].(*types.AttributeValueMemberS); !ok || name.Value != "云店" {
				t.Fatalf("after the restart the item is %v", out.Item)
			}
		})
	}
}

func TestAnotherSchemaIsRefused(t *testing.T) {
	c := enginetest.Client(t)
	base := orders
	base.Name = enginetest.Name("schema")
	if err := engine.CreateTables(t.Context(), c, []engine.Table{base}); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		change func(*engine.Table)
		says   string
	}{
		"stream view":   {func(x *engine.Table) { x.StreamView = "NEW_IMAGE" }, `stream "NEW_AND_OLD_IMAGES", wanted "NEW_IMAGE"`},
		"no stream":     {func(x *engine.Table) { x.StreamView = "" }, "stream"},
		"index missing": {func(x *engine.Table) { x.GSIs = x.GSIs[:1] }, "indexes"},
		"projection": {func(x *engine.Table) {
			x.GSIs = []engine.GSI{{Name: "placed", PK: "placedPk", SK: "placedSk", Projection: "KEYS_ONLY"}, x.GSIs[1]}
		}, "indexes"},
		"expiry": {func(x *engine.Table) { x.TTLAttribute = "gone" }, `expires by "ttl"`},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			changed := base
			test.change(&changed)
			err := engine.CreateTables(t.Context(), c, []engine.Table{changed})
			if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), base.Name) {
				t.Fatalf("err = %v, want it to name the table and %q", err, test.says)
			}
		})
	}
}

func TestMissingProgramSaysHowToInstallIt(t *testing.T) {
	for _, kind := range []string{engine.Dynoxide, engine.DynamoDBLocal} {
		_, err := engine.Start(t.Context(), engine.Options{Kind: kind, ToolsDir: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), "run make setup") {
			t.Errorf("%s: err = %v", kind, err)
		}
	}
	if _, err := engine.Start(t.Context(), engine.Options{Kind: "sqlite", ToolsDir: enginetest.ToolsDir()}); err == nil ||
		!strings.Contains(err.Error(), `unknown store engine "sqlite"`) {
		t.Errorf("unknown engine: err = %v", err)
	}
}

func TestBrokenDataIsAnErrorNotAWait(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dynoxide.db"), []byte(strings.Repeat("not a database ", 200)), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := engine.Start(ctx, engine.Options{DataDir: dir, ToolsDir: enginetest.ToolsDir()})
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("err = %v", err)
	}
}

func TestUsageOfARunningEngine(t *testing.T) {
	u, err := enginetest.ForTest(t).Usage()
	if err != nil {
		t.Fatal(err)
	}
	if u.RSS < 1<<20 || u.PeakRSS < u.RSS {
		t.Fatalf("usage = %+v", u)
	}
}

func TestAnEndedEngineIsNoticed(t *testing.T) {
	e := start(t, engine.Dynoxide, "")
	if err := syscall.Kill(e.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-e.Done()
	if err := e.Stop(); err == nil || !strings.Contains(err.Error(), "ended by itself") {
		t.Fatalf("stop after a crash: %v", err)
	}
}

// TestEngineDiesWithItsParent runs this test program again as a parent that starts an engine and is then killed.
func TestEngineDiesWithItsParent(t *testing.T) {
	if os.Getenv("ENGINE_PARENT") != "" {
		e := start(t, engine.Dynoxide, "")
		os.Stdout.WriteString("child " + strconv.Itoa(e.PID) + "\n")
		<-e.Done()
		return
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestEngineDiesWithItsParent$")
	parent.Env = append(os.Environ(), "ENGINE_PARENT=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	buf := make([]byte, 256)
	for pid == 0 {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("the parent ended before it started an engine: %v", err)
		}
		if _, rest, ok := strings.Cut(string(buf[:n]), "child "); ok {
			pid, _ = strconv.Atoi(strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]))
		}
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	deadline := time.Now().Add(10 * time.Second)
	for syscall.Kill(pid, 0) == nil {
		// Killed but not yet collected by init counts as dead: its state in /proc is Z.
		if u, err := engine.ProcessUsage(pid); err == nil && u.RSS == 0 {
			return
		}
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("engine %d outlived its parent", pid)
		}
		time.Sleep(time.Millisecond) // polling the kernel's process table, which offers no event to a non-parent
	}
}
