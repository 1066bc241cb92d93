package drive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"yundian/infra/local"
)

// Running is a store that tests drive.
type Running struct {
	*local.Runner
	permissions *permissions
	log         *os.File
}

// Root is the repository's top folder: where go.mod is, at or above the test's folder.
func Root() string {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	panic("no go.mod at or above the test's folder")
}

// Options are those of a store of a test's own, in memory, with binaries shared by all tests.
func Options(dir string) local.Options {
	return local.Options{Root: Root(), DataDir: dir, Store: os.Getenv("STORE"), InMemory: true, BinDir: filepath.Join(Root(), ".artifacts", "bin")}
}

// Start runs a store of this test's own; STORE names the engine.
func Start(t testing.TB) *Running { return StartWith(t, Options(t.TempDir())) }

// StartWith runs a store with these options until the test ends.
func StartWith(t testing.TB, o local.Options) *Running {
	t.Helper()
	r, err := launch(o)
	if err != nil {
		t.Fatalf("start the store: %v", err)
	}
	t.Cleanup(func() {
		if err := r.end(); err != nil {
			t.Error(err)
		}
		r.lastWords(t)
	})
	return r
}

// launch starts a store whose functions may do what the template permits and no more.
func launch(o local.Options) (*Running, error) {
	log, err := os.Create(filepath.Join(o.DataDir, "functions.log"))
	if err != nil {
		return nil, err
	}
	p := &permissions{}
	o.Log, o.Proxy = log, p.proxy
	r, err := local.Start(context.Background(), o)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.store = r
	p.mu.Unlock()
	return &Running{Runner: r, permissions: p, log: log}, nil
}

// Folder is where the store keeps its data, functions.log among it.
func (r *Running) Folder() string { return filepath.Dir(r.log.Name()) }

// end stops the store; it is an error if a function asked for more than the template permits.
func (r *Running) end() error {
	err := r.Stop()
	r.log.Close()
	for _, refused := range r.permissions.close() {
		err = errors.Join(err, errors.New(refused))
	}
	return err
}

// lastWords shows the end of the functions' log when a test has failed.
func (r *Running) lastWords(t testing.TB) {
	if t.Failed() {
		text, _ := os.ReadFile(r.log.Name()) // only for the reader of the failure
		t.Logf("the functions' last words:\n%s", text[max(0, len(text)-6000):])
	}
}

var common struct {
	once sync.Once
	*Running
	err error
	dir string
}

// Shared is one store for all tests that do not mind each other; Main stops it.
func Shared(t testing.TB) *Running {
	t.Helper()
	common.once.Do(func() {
		if common.dir, common.err = os.MkdirTemp("", "yundian-e2e-"); common.err != nil {
			return
		}
		common.Running, common.err = launch(Options(common.dir))
	})
	if common.err != nil {
		t.Fatalf("start the shared store: %v", common.err)
	}
	t.Cleanup(func() { common.lastWords(t) })
	return common.Running
}

// Main runs a package's tests and then stops what they shared; TestMain calls it.
func Main(m *testing.M) {
	code := m.Run()
	if common.Running != nil {
		if err := common.end(); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL: the shared store:", err)
			code = max(code, 1)
		}
		os.RemoveAll(common.dir)
	}
	os.Exit(code)
}

// Digest is a hash over every item of every table.
func (r *Running) Digest(t testing.TB) string {
	t.Helper()
	var all []string
	for _, table := range r.Model.Tables {
		pages := dynamodb.NewScanPaginator(r.DB, &dynamodb.ScanInput{TableName: aws.String(table.Name), ConsistentRead: aws.Bool(true)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				var plain map[string]any
				if err := attributevalue.UnmarshalMap(item, &plain); err != nil {
					t.Fatal(err)
				}
				text, err := json.Marshal(plain)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, table.LogicalID+string(text))
			}
		}
	}
	slices.Sort(all)
	h := sha256.New()
	for _, s := range all {
		fmt.Fprintln(h, s)
	}
	return fmt.Sprintf("%d items %s", len(all), hex.EncodeToString(h.Sum(nil)[:8]))
}
