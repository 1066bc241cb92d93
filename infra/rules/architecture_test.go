package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module is the import path of this repository.
const module = "yundian"

// layer says what kind of package one is; dependencies point one way: functions, then shared with I/O, then pure.
type layer int

const (
	pure   layer = iota // decides; sees no clock, no I/O, no AWS, no net/http, no context
	shared              // talks to the outside for several functions
	lambda              // one Lambda function
	local               // the local runner, tests and tools: may import anything
)

// allowed is one line of the allow-list.
type allowed struct {
	path     string // without the module; "infra/local/..." covers everything below too
	layer    layer
	internal []string // packages of this module that it may import
	external []string // prefixes of modules that it may import
}

// The business packages, in the order in which they may know each other.
var business = []string{
	"shared/fail", "shared/money", "shared/typed", "shared/shop", "shared/catalogue", "shared/koc", "shared/ordering",
	"shared/attribution", "shared/commission", "shared/ledger", "shared/payout", "shared/seal", "shared/sheet", "shared/webhook", "shared/letter",
	"shared/identity",
}

// What functions stand on. Nothing here knows a function, and none of it knows infra.
var platform = []string{"shared/web", "shared/stream", "shared/store", "shared/provider", "shared/telemetry", "shared/locale", "shared/cashier",
	"shared/orderform", "shared/web/api", "shared/openapi", "shared/once", "shared/audit", "shared/statement", "shared/courier", "shared/mail",
	"shared/hooks"}

const (
	awsSDK    = "github.com/aws/aws-sdk-go-v2"
	awsLambda = "github.com/aws/aws-lambda-go"
	huma      = "github.com/danielgtaylor/huma/v2"
	templ     = "github.com/a-h/templ"
	language  = "golang.org/x/text"
	ulid      = "github.com/oklog/ulid/v2"
)

// packages is the allow-list: a package that is not on it fails the test, so that whoever adds one says here what it
// may know.
var packages = []allowed{
	{"shared/fail", pure, nil, nil},
	{"shared/money", pure, []string{"shared/fail"}, nil},
	{"shared/typed", pure, []string{"shared/fail"}, nil},
	{"shared/sheet", pure, nil, nil},
	{"shared/seal", pure, []string{"shared/fail"}, nil},
	{"shared/identity", pure, []string{"shared/fail", "shared/seal", "shared/typed"}, nil},
	{"shared/shop", pure, business[:3], nil},
	{"shared/catalogue", pure, business[:4], []string{language}},
	{"shared/catalogue/intake", pure, business[:6], []string{"github.com/microcosm-cc/bluemonday", "github.com/gosimple/slug", "golang.org/x/net/html", "golang.org/x/text/unicode/norm"}},
	{"shared/koc", pure, append(business[:4:4], "shared/identity"), nil},
	{"shared/ordering", pure, append(business[:6:6], "shared/identity"), nil},
	// Reads phone numbers with the numbering plans of all countries: 7 MB and 7 ms at start-up, so only checkout links it.
	{"shared/customer", pure, business[:7], []string{"github.com/nyaruka/phonenumbers"}},
	{"shared/attribution", pure, append(business[:7:7], "shared/seal", "shared/identity"), nil},
	{"shared/commission", pure, business[:7], nil},
	{"shared/ledger", pure, business[:9], nil},
	{"shared/payout", pure, business[:10], nil},
	{"shared/payout/bankfile", pure, []string{"shared/fail", "shared/money", "shared/sheet"}, nil},
	{"shared/webhook", pure, append(business[:10:10], "shared/seal"), nil},
	{"shared/letter", pure, append(business[:10:10], "shared/webhook"), nil},

	// The only code that talks to DynamoDB.
	{"shared/store", shared, business, []string{awsSDK, "github.com/aws/smithy-go", ulid, "github.com/go-json-experiment/json"}},
	{"shared/provider", shared, business, nil},
	// Sends payouts by Stripe; apart, so that no function but payout links the library.
	{"shared/provider/stripe", shared, append(business[:len(business):len(business)], "shared/provider"), []string{"github.com/stripe/stripe-go/v85"}},
	// The two hops that checkout, payments, admin and mature share: the provider does, the store records.
	{"shared/cashier", shared, append(business[:len(business):len(business)], "shared/payout/bankfile", "shared/store", "shared/provider", "shared/telemetry"), nil},
	// What admin answers in slices and verify runs through daily.
	{"shared/audit", shared, append(business[:len(business):len(business)], "shared/store"), nil},
	// What goes to the systems of others, and whether it may.
	{"shared/courier", shared, business, nil},
	{"shared/mail", shared, append(business[:len(business):len(business)], "shared/locale"), []string{awsSDK, "github.com/aws/smithy-go"}},
	// What closes the months of the ledger, and what portal and admin show of them.
	{"shared/statement", shared, append(business[:len(business):len(business)], "shared/store", "shared/web"), nil},
	// What the JSON APIs share for writes that clients send again.
	{"shared/once", shared, append(business[:len(business):len(business)], "shared/store", "shared/web"), nil},
	{"shared/hooks", shared, append(business[:len(business):len(business)], "shared/store", "shared/once", "shared/courier", "shared/web/api"), []string{huma, "golang.org/x/sync/errgroup"}},
	{"shared/telemetry", shared, business[:2], []string{awsLambda}},
	{"shared/locale", shared, business, []string{language}},
	{"shared/stream", shared, append(business[:len(business):len(business)], "shared/telemetry"),
		[]string{awsLambda, awsSDK + "/feature/dynamodb/attributevalue", awsSDK + "/service/dynamodb/types"}},
	{"shared/web", shared, append(business[:len(business):len(business)], "shared/telemetry", "shared/locale"),
		[]string{awsLambda, "github.com/awslabs/aws-lambda-go-api-proxy", templ, language, "github.com/go-json-experiment/json"}},
	// JSON APIs that describe themselves; apart from web, so that functions without one start without huma.
	{"shared/web/api", shared, append(business[:len(business):len(business)], "shared/web"), []string{huma}},
	{"shared/openapi", shared, nil, nil},
	// The form that storefront shows below a basket and checkout shows again with what has to be corrected.
	{"shared/orderform", shared, append(business[:len(business):len(business)], "shared/web", "shared/locale"), []string{templ}},

	{"functions/storefront", lambda, standOn(), []string{awsLambda, templ, "github.com/skip2/go-qrcode", language}},
	{"functions/touch", lambda, standOn(), []string{awsLambda}},
	{"functions/checkout", lambda, append(standOn(), "shared/customer"), []string{awsLambda, templ, language, ulid}},
	{"functions/payments", lambda, standOn(), []string{awsLambda}},
	{"functions/portal", lambda, standOn(), []string{awsLambda, huma, templ, language}},
	{"functions/admin", lambda, append(standOn(), "shared/catalogue/intake"), []string{awsLambda, huma, templ, language, ulid}},
	{"functions/attribute", lambda, standOn(), []string{awsLambda}},
	{"functions/settle", lambda, standOn(), []string{awsLambda}},
	{"functions/tally", lambda, standOn(), []string{awsLambda}},
	{"functions/statement", lambda, standOn(), []string{awsLambda, "golang.org/x/sync/errgroup"}},
	{"functions/verify", lambda, standOn(), []string{awsLambda}},
	{"functions/payout", lambda, append(standOn(), "shared/provider/stripe"), []string{awsLambda, "golang.org/x/sync/errgroup"}},
	{"functions/notify", lambda, standOn(), []string{awsLambda, "golang.org/x/sync/errgroup"}},
	{"functions/mature", lambda, standOn(), []string{awsLambda, "golang.org/x/sync/errgroup"}},

	// What tests stand on.
	{"events", local, nil, nil},
	{"shared/store/storetest", local, nil, nil},
	{"shared/web/webtest", local, nil, nil},
	{"shared/provider/stripe/stripetest", local, nil, nil},
	{"shared/openapi/openapitest", local, nil, nil},

	{"infra/local/...", local, nil, nil},
	{"infra/rules", local, nil, nil},
	{"infra/tools/...", local, nil, nil},
	{"infra/e2e/...", local, nil, nil},
	{"infra/bench/...", local, nil, nil},
	{"infra/chaos/...", local, nil, nil},
	{"infra/mutants", local, nil, nil},
	{"infra/sim/...", local, nil, nil},
}

func standOn() []string { return append(business[:len(business):len(business)], platform...) }

// pureStandard are the standard packages that a pure package may import. What is missing here reads a clock, a file,
// an environment, a network or chance.
var pureStandard = []string{
	"bytes", "cmp", "container/heap", "crypto/aes", "crypto/cipher", "crypto/hkdf", "crypto/hmac", "crypto/sha256", "crypto/subtle",
	"encoding/base32", "encoding/base64", "encoding/binary", "encoding/csv", "encoding/hex", "encoding/json", "errors", "fmt", "hash",
	"hash/crc32", "hash/fnv", "html", "io", "iter", "maps", "math", "math/big", "math/bits", "net/mail", "net/netip", "net/url",
	"path", "reflect", "regexp", "slices", "sort", "strconv", "strings", "sync", "time", "unicode", "unicode/utf16", "unicode/utf8",
}

// clock are the names in package time that read it or wait for it. Until is not among them for functions: how long is
// left until Lambda's deadline is a matter of the wall clock whatever time an event is about.
var clock = []string{"Now", "Since", "After", "AfterFunc", "Sleep", "Tick", "NewTicker", "NewTimer"}

var environment = []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}

// elsewhere makes a rail at another address than Stripe's: whoever could set the address would get the key and the payouts.
var elsewhere = map[string][]string{module + "/shared/provider/stripe": {"NewAt"}}

// confined are modules that one package alone may import, whatever its layer: the only code that looks into the local
// engine's database is the code that runs the engine.
var confined = map[string]string{"modernc.org": "infra/local/engine"}

// listed is what `go list -json` says of one package.
type listed struct {
	ImportPath string
	Dir        string
	Doc        string
	GoFiles    []string
	Imports    []string
	Deps       []string
	Standard   bool
}

func TestArchitecture(t *testing.T) {
	found, err := list("./...")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		for _, complaint := range judge(p) {
			t.Error(complaint)
		}
	}
}

// judge holds one package against the allow-list.
func judge(p listed) []string {
	name := strings.TrimPrefix(p.ImportPath, module+"/")
	rule, ok := find(name)
	if !ok {
		return []string{name + ": is not on the list in architecture_test.go: add it, with what it may import"}
	}
	var wrong []string
	if p.Doc == "" {
		wrong = append(wrong, name+": has no package comment")
	}
	for _, imported := range p.Imports {
		organization, _, _ := strings.Cut(imported, "/")
		if only, found := confined[organization]; found && name != only {
			wrong = append(wrong, fmt.Sprintf("%s: only %s may import %s", name, only, imported))
		}
	}
	if rule.layer == local {
		return wrong
	}
	for _, imported := range p.Imports {
		if !rule.allows(imported) {
			wrong = append(wrong, fmt.Sprintf("%s: may not import %s", name, imported))
		}
	}
	for _, file := range p.GoFiles {
		calls, err := uses(filepath.Join(p.Dir, file), nil, elsewhere)
		if err != nil {
			wrong = append(wrong, err.Error())
		}
		for _, call := range calls {
			wrong = append(wrong, fmt.Sprintf("%s: %s; only tests talk to a Stripe elsewhere", name, call))
		}
		if rule.layer == lambda && file == "main.go" {
			continue // the one place that reads the clock and the environment
		}
		forbidden := map[string][]string{"os": environment}
		switch rule.layer {
		case pure:
			forbidden["time"] = append(clock, "Until")
		case lambda:
			forbidden["time"] = clock
		}
		calls, err = uses(filepath.Join(p.Dir, file), nil, forbidden)
		if err != nil {
			wrong = append(wrong, err.Error())
		}
		for _, call := range calls {
			wrong = append(wrong, fmt.Sprintf("%s: %s; pass it in", name, call))
		}
		if rule.layer != pure && name != "shared/store" {
			continue
		}
		floats, err := floats(filepath.Join(p.Dir, file), nil)
		if err != nil {
			wrong = append(wrong, err.Error())
		}
		for _, place := range floats {
			wrong = append(wrong, fmt.Sprintf("%s: %s; money is whole minor units", name, place))
		}
	}
	return wrong
}

// floats lists where a file has a floating-point type or number: nothing that decides about money or keeps it knows one.
func floats(path string, source any) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		name, typed := n.(*ast.Ident)
		number, literal := n.(*ast.BasicLit)
		if typed && (name.Name == "float64" || name.Name == "float32") || literal && number.Kind == token.FLOAT {
			found = append(found, fmt.Sprintf("a float at %s:%d", filepath.Base(path), files.Position(n.Pos()).Line))
		}
		return true
	})
	return found, nil
}

func find(name string) (allowed, bool) {
	for _, rule := range packages {
		prefix, below := strings.CutSuffix(rule.path, "/...")
		if name == prefix || below && strings.HasPrefix(name, prefix+"/") {
			return rule, true
		}
	}
	return allowed{}, false
}

func (a allowed) allows(imported string) bool {
	if internal, ok := strings.CutPrefix(imported, module+"/"); ok {
		return slices.Contains(a.internal, internal)
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return a.layer != pure || slices.Contains(pureStandard, imported)
	}
	return slices.ContainsFunc(a.external, func(prefix string) bool {
		return imported == prefix || strings.HasPrefix(imported, prefix+"/")
	})
}

// uses lists where a file uses one of the forbidden names of a package, such as time.Now. The source is read from
// the file when it is nil.
func uses(path string, source any, forbidden map[string][]string) ([]string, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	local := map[string]string{} // name in this file, to import path
	for _, i := range file.Imports {
		imported := strings.Trim(i.Path.Value, `"`)
		local[filepath.Base(imported)] = imported
		if i.Name != nil {
			local[i.Name.Name] = imported
		}
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && slices.Contains(forbidden[local[x.Name]], selector.Sel.Name) {
			position := files.Position(selector.Pos())
			found = append(found, fmt.Sprintf("%s.%s at %s:%d", local[x.Name], selector.Sel.Name, filepath.Base(path), position.Line))
		}
		return true
	})
	return found, nil
}

// heavy are modules that must not end up in a function's binary, however they would get there: each costs start-up
// time (config alone 11 ms of 16) or belongs to tests.
var heavy = []string{
	awsSDK + "/config", "go.opentelemetry.io", "pgregory.net/rapid", "github.com/chromedp", "github.com/lestrrat-go",
	"github.com/schollz", "modernc.org", "testing", module + "/infra",
}

func TestFunctionsStayLight(t *testing.T) {
	for _, pattern := range []string{"./functions/...", "./shared/..."} {
		found, err := list(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			for _, complaint := range weigh(p) {
				t.Error(complaint)
			}
		}
	}
}

// weigh says what a function, or what functions stand on, depends on and must not.
func weigh(p listed) []string {
	name := strings.TrimPrefix(p.ImportPath, module+"/")
	rule, _ := find(name)
	if rule.layer == local {
		return nil // what tests stand on
	}
	var wrong []string
	for _, dependency := range p.Deps {
		for _, h := range heavy {
			if dependency == h || strings.HasPrefix(dependency, h+"/") {
				wrong = append(wrong, fmt.Sprintf("%s: depends on %s", name, dependency))
			}
		}
		if strings.HasPrefix(dependency, "github.com/stripe/") && !slices.Contains([]string{"functions/payout", "shared/provider/stripe"}, name) {
			wrong = append(wrong, fmt.Sprintf("%s: depends on %s, which only sends payouts", name, dependency))
		}
	}
	return wrong
}

func list(pattern string) ([]listed, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	command := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,GoFiles,Imports,Deps,Standard", pattern)
	command.Dir = root
	var complaints strings.Builder
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("list %s: %w\n%s", pattern, err, complaints.String())
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("list %s: %w", pattern, err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("list %s: nothing found", pattern)
	}
	return all, nil
}

// TestArchitectureCatches gives the judge packages that break one rule each.
func TestArchitectureCatches(t *testing.T) {
	tests := []struct {
		pkg, imports, want string
	}{
		{"shared/money", "os", "may not import os"},
		{"shared/money", "context", "may not import context"},
		{"shared/ordering", "net/http", "may not import net/http"},
		{"shared/ordering", awsSDK + "/aws", "may not import " + awsSDK + "/aws"},
		{"shared/ordering", module + "/shared/ledger", "may not import yundian/shared/ledger"},
		{"shared/ledger", module + "/shared/store", "may not import yundian/shared/store"},
		{"shared/web", module + "/shared/store", "may not import yundian/shared/store"},
		{"shared/store", module + "/functions/touch", "may not import yundian/functions/touch"},
		{"shared/store", "github.com/chromedp/chromedp", "may not import github.com/chromedp/chromedp"},
		{"functions/touch", module + "/infra/local", "may not import yundian/infra/local"},
		{"functions/touch", awsSDK + "/service/dynamodb", "may not import " + awsSDK + "/service/dynamodb"},
		{"functions/checkout", module + "/shared/provider/stripe", "may not import yundian/shared/provider/stripe"},
		{"functions/touch", module + "/functions/tally", "may not import yundian/functions/tally"},
		{"infra/bench", "modernc.org/sqlite", "only infra/local/engine may import modernc.org/sqlite"},
		{"shared/utils", "fmt", "is not on the list"},
		{"infra/misc", "fmt", "is not on the list"},
	}
	for _, tt := range tests {
		got := judge(listed{ImportPath: module + "/" + tt.pkg, Doc: "Package x", Imports: []string{tt.imports}})
		if len(got) != 1 || !strings.Contains(got[0], tt.want) {
			t.Errorf("%s importing %s: %q, want %q", tt.pkg, tt.imports, got, tt.want)
		}
	}
	if got := judge(listed{ImportPath: module + "/infra/local/engine", Doc: "x", Imports: []string{"modernc.org/sqlite"}}); len(got) != 0 {
		t.Errorf("the package that runs the engine: %q", got)
	}
	for _, name := range []string{"functions/touch", "shared/store"} {
		got := weigh(listed{ImportPath: module + "/" + name, Deps: []string{"fmt", "modernc.org/sqlite", module + "/infra/local/engine", "github.com/stripe/stripe-go/v85"}})
		if len(got) != 3 {
			t.Errorf("%s with a database, a runner and Stripe: %q", name, got)
		}
	}
	if got := judge(listed{ImportPath: module + "/shared/money", Imports: []string{"fmt"}}); len(got) != 1 {
		t.Errorf("a package without a comment: %q", got)
	}
	if got := judge(listed{ImportPath: module + "/shared/money", Doc: "x", Imports: []string{"fmt", module + "/shared/fail"}}); len(got) != 0 {
		t.Errorf("a clean package: %q", got)
	}
	if got, err := floats("p.go", "package p\nvar rate = 0.1\nfunc f(x float64) {}"); err != nil || len(got) != 2 {
		t.Errorf("floats = %q, %v", got, err)
	}
	source := `package p
import ("time"; system "os")
func f() { _ = time.Now(); _ = system.Getenv("A"); var t time.Time; _ = t.After(t) }`
	got, err := uses("p.go", source, map[string][]string{"time": clock, "os": environment})
	if want := []string{"time.Now at p.go:3", "os.Getenv at p.go:3"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("uses = %q, %v; want %q", got, err, want)
	}
	source = `package main
import "yundian/shared/provider/stripe"
func main() { _, _ = stripe.New(key), stripe.NewAt(key, os.Getenv("STRIPE_URL")) }`
	got, err = uses("main.go", source, elsewhere)
	if want := []string{"yundian/shared/provider/stripe.NewAt at main.go:3"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("uses = %q, %v; want %q", got, err, want)
	}
}
