package drive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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
type Running struct{ *local.Runner }

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
	log, err := os.Create(filepath.Join(o.DataDir, "functions.log"))
	if err != nil {
		t.Fatal(err)
	}
	o.Log = log
	r, err := local.Start(context.Background(), o)
	if err != nil {
		t.Fatalf("start the store: %v", err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Errorf("stop the store: %v", err)
		}
		log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("the functions' last words:\n%s", text[max(0, len(text)-6000):])
		}
	})
	return &Running{r}
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
		log, err := os.Create(filepath.Join(common.dir, "functions.log"))
		if err != nil {
			common.err = err
			return
		}
		o := Options(common.dir)
		o.Log = log
		r, err := local.Start(context.Background(), o)
		common.Running, common.err = &Running{r}, err
	})
	if common.err != nil {
		t.Fatalf("start the shared store: %v", common.err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			text, _ := os.ReadFile(filepath.Join(common.dir, "functions.log"))
			t.Logf("the functions' last words:\n%s", text[max(0, len(text)-6000):])
		}
	})
	return common.Running
}

// Main runs a package's tests and then stops what they shared; TestMain calls it.
func Main(m *testing.M) {
	code := m.Run()
	if common.Running != nil && common.Runner != nil {
		if err := common.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the shared store:", err)
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
