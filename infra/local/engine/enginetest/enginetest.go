// Package enginetest gives tests a store engine: the one that STORE names (default Dynoxide), started once per test
// program and in memory, so that tests share its start-up and separate their data by table name.
package enginetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"yundian/infra/local/engine"
)

// shared starts the engine on first use. Nobody stops it: it dies with the test program (Options of engine.Start), and
// a test program has no end that a library can hook.
var shared = sync.OnceValues(func() (*engine.Engine, error) {
	return engine.Start(context.Background(), engine.Options{Kind: os.Getenv("STORE"), ToolsDir: ToolsDir(), Log: os.Stderr})
})

// ForTest is the engine of this test program; it fails t when the engine cannot start.
func ForTest(t testing.TB) *engine.Engine {
	t.Helper()
	e, err := shared()
	if err != nil {
		t.Fatalf("store engine for tests: %v", err)
	}
	return e
}

// clients are shared too, so that a program of many tests keeps one pool of connections.
var (
	client        = sync.OnceValue(func() *dynamodb.Client { e, _ := shared(); return engine.Client(e.Endpoint) })
	streamsClient = sync.OnceValue(func() *dynamodbstreams.Client { e, _ := shared(); return engine.StreamsClient(e.Endpoint) })
)

// Client speaks to the engine of this test program.
func Client(t testing.TB) *dynamodb.Client { ForTest(t); return client() }

// StreamsClient speaks to the streams of the engine of this test program.
func StreamsClient(t testing.TB) *dynamodbstreams.Client { ForTest(t); return streamsClient() }

// Name is a table name that no other test uses, starting with base.
func Name(base string) string { return fmt.Sprintf("%s-%s", base, strings.ToLower(rand.Text()[:12])) }

// ToolsDir is .tools at the top of the repository that this source belongs to.
func ToolsDir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "..", ".tools")
}
