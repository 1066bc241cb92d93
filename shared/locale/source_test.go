package locale

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is every Go file of the store that can refuse something or speak to people.
type source struct {
	files     map[string][]*ast.File       // by folder
	constants map[string]map[string]string // by folder, of texts
}

func readSource(t *testing.T) source {
	t.Helper()
	s := source{map[string][]*ast.File{}, map[string]map[string]string{}}
	for _, root := range []string{"../../shared", "../../functions"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			folder := filepath.Dir(path)
			s.files[folder] = append(s.files[folder], file)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for folder, files := range s.files {
		s.constants[folder] = map[string]string{}
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				if spec, ok := n.(*ast.ValueSpec); ok {
					for i, value := range spec.Values {
						if text, ok := s.text(folder, value); ok && i < len(spec.Names) {
							s.constants[folder][spec.Names[i].Name] = text
						}
					}
				}
				return true
			})
		}
	}
	return s
}

// text is the value of a literal, a sum of literals, or a constant of this or another package of ours.
func (s source) text(folder string, e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, ok1 := s.text(folder, e.X)
		right, ok2 := s.text(folder, e.Y)
		return left + right, ok1 && ok2 && e.Op == token.ADD
	case *ast.Ident:
		text, ok := s.constants[folder][e.Name]
		return text, ok
	case *ast.SelectorExpr:
		if pkg, ok := e.X.(*ast.Ident); ok {
			text, ok := s.constants["../../shared/"+pkg.Name][e.Sel.Name]
			return text, ok
		}
	}
	return "", false
}

// maker is a function that makes refusals: where its code and its English text stand among its arguments.
type maker struct{ code, text int }

// makers are fail.New and fail.At, and every function of a package with parameters named code and text.
func makers(folder string, files []*ast.File) map[string]maker {
	found := map[string]maker{"fail.New": {1, 2}, "fail.At": {1, 2}}
	if strings.HasSuffix(folder, "/fail") {
		found = map[string]maker{}
	}
	take := func(name string, f *ast.FuncType) {
		m, i := maker{-1, -1}, 0
		for _, field := range f.Params.List {
			for _, parameter := range field.Names {
				switch parameter.Name {
				case "code":
					m.code = i
				case "text":
					m.text = i
				}
				i++
			}
		}
		if m.code >= 0 && m.text >= 0 {
			found[name] = m
		}
	}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				take(n.Name.Name, n.Type)
			case *ast.AssignStmt:
				for i, value := range n.Rhs {
					if f, ok := value.(*ast.FuncLit); ok && i < len(n.Lhs) {
						if name, ok := n.Lhs[i].(*ast.Ident); ok {
							take(name.Name, f.Type)
						}
					}
				}
			}
			return true
		})
	}
	return found
}

// refusals are the English texts of every code that the source can refuse with.
func (s source) refusals(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	add := func(code, text string) {
		if !slices.Contains(found[code], text) {
			found[code] = append(found[code], text)
		}
	}
	for folder, files := range s.files {
		known := makers(folder, files)
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					m, ok := known[callee(n)]
					if !ok || len(n.Args) <= max(m.code, m.text) {
						return true
					}
					code, ok := s.text(folder, n.Args[m.code])
					text, isText := s.text(folder, n.Args[m.text])
					switch {
					case ok && isText:
						add(code, text)
					case isText && len(s.composed(folder, file, n.Args[m.code])) > 0:
						for _, code := range s.composed(folder, file, n.Args[m.code]) {
							add(code, text)
						}
					case !passedOn(n.Args[m.code]):
						t.Errorf("%s: %s makes a refusal whose code or text cannot be read here; write both as texts", folder, callee(n))
					}
				case *ast.CompositeLit:
					if code, text, ok := s.fields(folder, n); ok {
						add(code, text)
					}
				}
				return true
			})
		}
	}
	return found
}

// composed are the values of a code such as "order_status_"+doing, where doing is the only parameter of the function
// around it: one for each text that the package calls that function with.
func (s source) composed(folder string, file *ast.File, e ast.Expr) []string {
	sum, ok := e.(*ast.BinaryExpr)
	if !ok {
		return nil
	}
	prefix, ok := s.text(folder, sum.X)
	rest, isName := sum.Y.(*ast.Ident)
	if !ok || !isName {
		return nil
	}
	var around string
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if ok && f.Pos() < e.Pos() && e.End() < f.End() && len(f.Type.Params.List) == 1 && f.Type.Params.List[0].Names[0].Name == rest.Name {
			around = f.Name.Name
		}
	}
	var codes []string
	for _, file := range s.files[folder] {
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && around != "" && callee(call) == around && len(call.Args) == 1 {
				if text, ok := s.text(folder, call.Args[0]); ok {
					codes = append(codes, prefix+text)
				}
			}
			return true
		})
	}
	return codes
}

// passedOn reports whether a code is a parameter or a field, so that its value is written where it comes from.
func passedOn(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == "code"
	case *ast.SelectorExpr:
		return e.Sel.Name == "Code"
	}
	return false
}

// fields reads a literal with the members Code and Text, such as fail.Field{Code: "…", Text: "…"}.
func (s source) fields(folder string, literal *ast.CompositeLit) (code, text string, ok bool) {
	for _, element := range literal.Elts {
		pair, isPair := element.(*ast.KeyValueExpr)
		if !isPair {
			continue
		}
		switch name, _ := pair.Key.(*ast.Ident); {
		case name == nil:
		case name.Name == "Code":
			code, _ = s.text(folder, pair.Value)
		case name.Name == "Text":
			text, _ = s.text(folder, pair.Value)
		}
	}
	return code, text, code != "" && text != ""
}

func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if pkg, ok := f.X.(*ast.Ident); ok && pkg.Name == "fail" {
			return "fail." + f.Sel.Name
		}
		return f.Sel.Name
	}
	return ""
}

// spoken are the ids of every message that the source asks for in one piece: T("area.name", …).
func (s source) spoken() map[string]string {
	found := map[string]string{}
	for folder, files := range s.files {
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) == 0 {
					return true
				}
				f, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || f.Sel.Name != "T" {
					return true
				}
				if id, ok := s.text(folder, call.Args[0]); ok && strings.Contains(id, ".") {
					found[id] = folder
				}
				return true
			})
		}
	}
	return found
}
