package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// guard is one condition that keeps something wrong from happening, and the program without it.
type guard struct {
	file   string
	line   int
	in     string // the function
	what   string // the source of the condition
	mutant []byte // the whole file
}

func (g guard) String() string { return fmt.Sprintf("%s:%d %s: %s", g.file, g.line, g.in, g.what) }

// guardsIn lists the guards of one package, in the order of its files; none when there is no such package.
func guardsIn(dir string) ([]guard, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var guards []guard
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !e.IsDir() {
			found, err := guardsOf(filepath.Join(dir, name))
			if err != nil {
				return nil, err
			}
			guards = append(guards, found...)
		}
	}
	return guards, nil
}

// finder walks one file.
type finder struct {
	file   string
	source []byte
	set    *token.FileSet
	in     string
	writes bool // in this package conditions of write values count, and refusals do not: those answer what guards refused
	guards []guard
}

func guardsOf(file string) ([]guard, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	f := &finder{file: filepath.ToSlash(file), source: source, set: token.NewFileSet()}
	f.writes = strings.HasPrefix(f.file, "shared/store/")
	parsed, err := parser.ParseFile(f.set, file, source, 0)
	if err != nil {
		return nil, err
	}
	for _, d := range parsed.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			f.in = fn.Name.Name
			ast.Inspect(fn.Body, f.visit)
		}
	}
	return f.guards, nil
}

func (f *finder) visit(n ast.Node) bool {
	if f.writes {
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			if name, ok := kv.Key.(*ast.Ident); ok && name.Name == "Guards" {
				f.take(kv.Value, f.text(kv.Value), "append([]Guard(nil), ("+f.text(kv.Value)+")[:0]...)")
			}
		}
		return true
	}
	switch n := n.(type) {
	case *ast.IfStmt:
		if refuses(n.Body.List) {
			f.takeCondition(n.Cond)
		}
	case *ast.SwitchStmt:
		f.visitSwitch(n)
	case *ast.BlockStmt:
		f.visitDefaults(n)
	}
	return true
}

func (f *finder) visitSwitch(n *ast.SwitchStmt) {
	for _, s := range n.Body.List {
		c, ok := s.(*ast.CaseClause)
		if !ok || n.Tag != nil || !refuses(c.Body) {
			continue
		}
		for _, cond := range c.List {
			f.takeCondition(cond)
		}
	}
}

// visitDefaults takes the refusals of a switch that lets some values pass and refuses all others. Behind one that is the
// last statement nothing could follow.
func (f *finder) visitDefaults(n *ast.BlockStmt) {
	for _, s := range n.List[:max(0, len(n.List)-1)] {
		sw, ok := s.(*ast.SwitchStmt)
		if !ok {
			continue
		}
		for _, s := range sw.Body.List {
			if c, ok := s.(*ast.CaseClause); ok && c.List == nil && refuses(c.Body) {
				f.take(c.Body[0], "default: "+f.text(c.Body[0]), "if false { "+f.text(c.Body[0])+" }")
			}
		}
	}
}

// takeCondition takes each alternative of a condition away by itself.
func (f *finder) takeCondition(cond ast.Expr) {
	if b, ok := cond.(*ast.BinaryExpr); ok && b.Op == token.LOR {
		f.takeCondition(b.X)
		f.takeCondition(b.Y)
		return
	}
	if p, ok := cond.(*ast.ParenExpr); ok {
		f.takeCondition(p.X)
		return
	}
	if isErrorCheck(cond) {
		return
	}
	f.take(cond, f.text(cond), "(false && ("+f.text(cond)+"))")
}

func (f *finder) take(n ast.Node, what, instead string) {
	at := f.set.Position(n.Pos())
	end := f.set.Position(n.End())
	mutant := slices.Concat(f.source[:at.Offset], []byte(instead), f.source[end.Offset:])
	f.guards = append(f.guards, guard{file: f.file, line: at.Line, in: f.in, what: strings.Join(strings.Fields(what), " "), mutant: mutant})
}

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.set.Position(n.Pos()).Offset:f.set.Position(n.End()).Offset])
}

// refuses reports whether statements do nothing but refuse: they return a new error, or note one that is wrong with the
// input.
func refuses(body []ast.Stmt) bool {
	if len(body) != 1 {
		return false
	}
	switch s := body[0].(type) {
	case *ast.ReturnStmt:
		return len(s.Results) > 0 && isRefusal(s.Results[len(s.Results)-1])
	case *ast.AssignStmt:
		return len(s.Rhs) == 1 && notesRefusal(s.Rhs[0])
	default:
		return false
	}
}

// isRefusal reports whether an expression makes an error: fail.New, fmt.Errorf, or a function of our own whose name says
// so.
func isRefusal(e ast.Expr) bool {
	c, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	switch fn := c.Fun.(type) {
	case *ast.SelectorExpr:
		if from, ok := fn.X.(*ast.Ident); ok && (from.Name == "fail" || from.Name == "fmt" && fn.Sel.Name == "Errorf" || from.Name == "errors" && fn.Sel.Name == "New") {
			return true
		}
		return refusing(fn.Sel.Name)
	case *ast.Ident:
		return refusing(fn.Name)
	default:
		return false
	}
}

// refusing are names of functions that make refusals.
func refusing(name string) bool {
	for _, part := range []string{"refuse", "Refused", "tooMuch", "overflow", "Unknown", "Differs", "SoldOut", "mixed", "invalid", "denied", "outOfRange"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// notesRefusal is f = append(f, fail.At(…)).
func notesRefusal(e ast.Expr) bool {
	c, ok := e.(*ast.CallExpr)
	if !ok || len(c.Args) != 2 {
		return false
	}
	if name, ok := c.Fun.(*ast.Ident); !ok || name.Name != "append" {
		return false
	}
	at, ok := c.Args[1].(*ast.CallExpr)
	if !ok {
		return false
	}
	fn, ok := at.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, ok := fn.X.(*ast.Ident)
	return ok && from.Name == "fail"
}

// isErrorCheck is err != nil: passing an error on is no guard.
func isErrorCheck(e ast.Expr) bool {
	b, ok := e.(*ast.BinaryExpr)
	if !ok || b.Op != token.NEQ {
		return false
	}
	right, ok := b.Y.(*ast.Ident)
	return ok && right.Name == "nil" && isError(b.X)
}

func isError(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	return ok && (name.Name == "err" || name.Name == "failure")
}
