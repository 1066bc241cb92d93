package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryWriteHasAScenario: whatever this package offers that writes, or that makes a write for others, is used in a
// scenario, so that maps are compared with the engines on it. It goes by names.
func TestEveryWriteHasAScenario(t *testing.T) {
	declared := functionsOf(t)
	var source []byte
	for _, path := range must(filepath.Glob("maps_scenarios*_test.go"))(t) {
		source = append(source, must(os.ReadFile(path))(t)...)
	}
	writing := 0
	for name, f := range declared {
		if !ast.IsExported(name) || !makesWrites(f) && !reaches(declared, name, map[string]bool{}) {
			continue
		}
		if writing++; !strings.Contains(string(source), "."+name+"(") {
			t.Errorf("%s writes, and no scenario in maps_scenarios_test.go uses it", name)
		}
	}
	if writing < 30 {
		t.Errorf("only %d functions that write were found", writing)
	}
}

// functionsOf are the functions and methods of this package by name, but those of its engines.
func functionsOf(t *testing.T) map[string]*ast.FuncDecl {
	t.Helper()
	out := map[string]*ast.FuncDecl{}
	for _, path := range must(filepath.Glob("*.go"))(t) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "maps") || path == "dynamo.go" {
			continue
		}
		file := must(parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution))(t)
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				out[f.Name.Name] = f
			}
		}
	}
	return out
}

// makesWrites reports whether a function's results are writes.
func makesWrites(f *ast.FuncDecl) bool {
	if f.Type.Results == nil {
		return false
	}
	for _, r := range f.Type.Results.List {
		x := r.Type
		if list, ok := x.(*ast.ArrayType); ok {
			x = list.Elt
		}
		if name, ok := x.(*ast.Ident); ok && name.Name == "Write" {
			return true
		}
	}
	return false
}

// reaches reports whether a function calls apply, itself or through others of this package.
func reaches(declared map[string]*ast.FuncDecl, name string, seen map[string]bool) (found bool) {
	if name == "apply" {
		return true
	}
	f := declared[name]
	if f == nil || f.Body == nil || seen[name] {
		return false
	}
	seen[name] = true
	ast.Inspect(f.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || found {
			return !found
		}
		switch callee := call.Fun.(type) {
		case *ast.Ident:
			found = reaches(declared, callee.Name, seen)
		case *ast.SelectorExpr:
			if x, ok := callee.X.(*ast.Ident); ok && x.Name == "s" {
				found = reaches(declared, callee.Sel.Name, seen)
			}
		}
		return !found
	})
	return found
}
