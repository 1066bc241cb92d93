package rules

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestFunctionsAreDeclared: every folder of functions/ is a function of the template, and the other way round.
func TestFunctionsAreDeclared(t *testing.T) {
	root, deployed := repository(t)
	entries, err := os.ReadDir(filepath.Join(root, "functions"))
	if err != nil {
		t.Fatal(err)
	}
	var folders, declared []string
	for _, e := range entries {
		folders = append(folders, e.Name())
	}
	for _, f := range deployed.functions() {
		declared = append(declared, f.folder)
	}
	slices.Sort(declared)
	if !slices.Equal(folders, declared) {
		t.Errorf("functions/ holds %v, the template declares %v", folders, declared)
	}
}

// TestRoutersAreCompared: every function with routes has a test that compares its router with the template.
func TestRoutersAreCompared(t *testing.T) {
	root, deployed := repository(t)
	for _, f := range deployed.functions() {
		if len(f.routes()) == 0 {
			continue
		}
		files, err := filepath.Glob(filepath.Join(root, "functions", f.folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		compared := false
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			compared = compared || strings.Contains(string(source), fmt.Sprintf("rules.Routes(%q)", f.folder))
		}
		if !compared {
			t.Errorf("functions/%s: no test compares its router with rules.Routes(%q)", f.folder, f.folder)
		}
	}
}

// variable is how an environment variable looks in Go source.
var variable = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$|^(ISSUER|PROVIDERS)$`)

// TestVariablesAreUsed: a function reads exactly what the template gives it. The names of its tables it reads through
// store.ConfigFrom, so there only its permissions tell (rule permissions).
func TestVariablesAreUsed(t *testing.T) {
	root, deployed := repository(t)
	globals := deployed.root.object("Globals").object("Function").object("Environment").object("Variables")
	for _, f := range deployed.functions() {
		read, err := literals(filepath.Join(root, "functions", f.folder, "main.go"))
		if err != nil {
			t.Error(err)
			continue
		}
		given := f.variables()
		for name := range read {
			if given[name] == nil && globals[name] == nil && !reserved.MatchString(name) {
				t.Errorf("functions/%s reads %s, which the template does not give it", f.folder, name)
			}
		}
		for _, name := range given.keys() {
			if !read[name] && !strings.HasSuffix(name, "_TABLE") {
				t.Errorf("functions/%s is given %s and does not read it", f.folder, name)
			}
		}
	}
}

// literals returns the string literals of a source file that look like environment variables.
func literals(path string) (map[string]bool, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	found := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		if text, err := strconv.Unquote(literal.Value); err == nil && variable.MatchString(text) {
			found[text] = true
		}
		return true
	})
	return found, nil
}

func repository(t *testing.T) (string, *template) {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	deployed, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return root, deployed
}
