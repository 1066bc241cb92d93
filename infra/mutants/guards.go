package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// guard is one condition that keeps something wrong from happening.
type guard struct {
	id   string
	file string
	line int
	at   int    // the offset in the file
	in   string // the function
	what string // the source of the condition
}

func (g guard) String() string { return fmt.Sprintf("%s:%d %s: %s", g.file, g.line, g.in, g.what) }

func (g guard) dir() string { return filepath.ToSlash(filepath.Dir(g.file)) }

// insertion is text that switches a guard, to be put into a file.
type insertion struct {
	at   int
	text string
}

// source is one file of a guarded package.
type source struct {
	file    string
	text    []byte
	parsed  *ast.File
	inserts []insertion
}

// finder looks for the guards of some packages.
type finder struct {
	set      *token.FileSet
	sources  []*source
	refusers map[string]bool // package.function: every way out of it is a refusal
	noters   map[string]bool // package.function: it always notes what is wrong with the input
	checkers map[string]bool // package.function: it notes or lists what is wrong with the input, or nothing
	builders map[string]bool // package.function: it makes guards of write values
	guards   []guard

	now *source
	in  string
}

// find lists the guards of packages in the order of their source, and keeps their switched source.
func find(root string, dirs []string) (*finder, error) {
	f := &finder{set: token.NewFileSet(), refusers: map[string]bool{}, noters: map[string]bool{}, checkers: map[string]bool{}, builders: map[string]bool{}}
	for _, dir := range dirs {
		if err := f.read(root, dir); err != nil {
			return nil, err
		}
	}
	known := func() int { return len(f.refusers) + len(f.noters) + len(f.checkers) + len(f.builders) }
	for before := -1; before != known(); { // those that call others follow
		before = known()
		f.functions(f.classify)
	}
	f.functions(func(fn *ast.FuncDecl) {
		ast.Inspect(fn.Body, f.visit)
		if !f.writes() {
			f.rest(fn)
		}
	})
	slices.SortStableFunc(f.guards, func(a, b guard) int {
		return cmp.Or(cmp.Compare(a.dir(), b.dir()), cmp.Compare(a.file, b.file), a.at-b.at)
	})
	return f, nil
}

func (f *finder) read(root, dir string) error {
	entries, err := os.ReadDir(filepath.Join(root, dir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			s := &source{file: filepath.ToSlash(filepath.Join(dir, name))}
			if s.text, err = os.ReadFile(filepath.Join(root, s.file)); err != nil {
				return err
			}
			if s.parsed, err = parser.ParseFile(f.set, s.file, s.text, parser.SkipObjectResolution); err != nil {
				return err
			}
			f.sources = append(f.sources, s)
		}
	}
	return nil
}

func (f *finder) functions(do func(*ast.FuncDecl)) {
	for _, s := range f.sources {
		for _, d := range s.parsed.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				f.now, f.in = s, fn.Name.Name
				do(fn)
			}
		}
	}
}

// writes reports whether the file is of the package that makes write values.
func (f *finder) writes() bool { return f.now.parsed.Name.Name == writing }

// writing is the package that makes write values.
const writing = "store"

func (f *finder) name(function string) string { return f.now.parsed.Name.Name + "." + function }

// classify notes functions that only refuse, or that make guards.
func (f *finder) classify(fn *ast.FuncDecl) {
	name := f.name(fn.Name.Name)
	if fn.Type.Results == nil {
		if slices.ContainsFunc(fn.Body.List, f.notes) {
			f.noters[name] = true
		} else if f.somewhere(fn.Body) {
			f.checkers[name] = true
		}
		return
	}
	if len(fn.Type.Results.List) == 1 && isFields(fn.Type.Results.List[0].Type) && !f.onlyRefuses(fn.Body) {
		f.checkers[name] = true
	}
	if len(fn.Type.Results.List) == 1 && isGuards(fn.Type.Results.List[0].Type) {
		f.builders[name] = true
	}
	if f.onlyRefuses(fn.Body) {
		f.refusers[name] = true
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok {
			inner, isFunc := a.Rhs[0].(*ast.FuncLit)
			if to, ok := a.Lhs[0].(*ast.Ident); ok && isFunc && inner.Type.Results != nil && f.onlyRefuses(inner.Body) {
				f.refusers[f.name(to.Name)] = true
			}
		}
		return true
	})
}

// somewhere reports whether a function notes a refusal under some condition.
func (f *finder) somewhere(body *ast.BlockStmt) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		if s, ok := n.(ast.Stmt); ok && (f.notes(s) || f.checks(s) != nil) {
			found = true
		}
		return !found
	})
	return found
}

// checks is the call of a statement that leaves noting what is wrong to a function: k.rate(where, r), or
// f = append(f, between(where, n, low, high)...).
func (f *finder) checks(s ast.Stmt) *ast.CallExpr {
	var c *ast.CallExpr
	switch s := s.(type) {
	case *ast.ExprStmt:
		c, _ = s.X.(*ast.CallExpr)
	case *ast.AssignStmt:
		if list, ok := s.Rhs[0].(*ast.CallExpr); ok && list.Ellipsis.IsValid() && len(list.Args) == 2 {
			c, _ = list.Args[1].(*ast.CallExpr)
		}
	case *ast.ReturnStmt:
		if len(s.Results) == 1 {
			if list, ok := s.Results[0].(*ast.CallExpr); ok && list.Ellipsis.IsValid() && len(list.Args) == 2 {
				c, _ = list.Args[1].(*ast.CallExpr)
			}
		}
	}
	if c == nil {
		return nil
	}
	if _, name := called(c); !f.checkers[f.name(name)] {
		return nil
	}
	return c
}

// onlyRefuses reports whether a function returns nothing but refusals.
func (f *finder) onlyRefuses(body *ast.BlockStmt) bool {
	exits, refusals := 0, 0
	ast.Inspect(body, func(n ast.Node) bool {
		if r, ok := n.(*ast.ReturnStmt); ok {
			exits++
			if len(r.Results) > 0 && f.refuses(r.Results[len(r.Results)-1], true) {
				refusals++
			}
		}
		_, inner := n.(*ast.FuncLit)
		return !inner
	})
	return exits > 0 && exits == refusals
}

// visit takes the guards of one node. In a package of write values those count, and refusals do not: they answer what the
// guards refused.
func (f *finder) visit(n ast.Node) bool {
	if f.writes() {
		return f.visitWrite(n)
	}
	if s, ok := n.(ast.Stmt); ok {
		if c := f.checks(s); c != nil {
			f.check(s, c)
		}
	}
	switch n := n.(type) {
	case *ast.IfStmt:
		if f.body(n.Body.List) {
			f.condition(n.Cond)
		}
	case *ast.SwitchStmt:
		for _, s := range n.Body.List {
			if c := s.(*ast.CaseClause); n.Tag == nil && f.body(c.Body) {
				for _, cond := range c.List {
					f.condition(cond)
				}
			}
		}
	case *ast.BlockStmt:
		f.unnamed(n.List)
	}
	return true
}

// unnamed takes refusals of the values that a switch does not let pass.
func (f *finder) unnamed(block []ast.Stmt) {
	for i, s := range block {
		sw, ok := s.(*ast.SwitchStmt)
		if !ok {
			continue
		}
		for _, s := range sw.Body.List {
			c := s.(*ast.CaseClause)
			if !f.body(c.Body) || c.List != nil && sw.Tag == nil {
				continue
			}
			first, last := c.Body[0], c.Body[len(c.Body)-1]
			if r, ok := last.(*ast.ReturnStmt); ok && i == len(block)-1 { // nothing follows that could return instead
				f.value(r)
			} else {
				f.take(first.Pos(), last.End(), f.text(c.Pos(), first.End()), "if mutantStays(%q) { ", " }")
			}
		}
	}
}

// rest takes the refusal of what no condition of a function has let pass.
func (f *finder) rest(fn *ast.FuncDecl) {
	if f.refusers[f.name(f.in)] || len(fn.Body.List) == 0 {
		return
	}
	r, ok := fn.Body.List[len(fn.Body.List)-1].(*ast.ReturnStmt)
	if ok && len(r.Results) > 0 && f.refuses(r.Results[len(r.Results)-1], true) {
		f.value(r)
	}
}

// check takes a call away that notes what is wrong.
func (f *finder) check(s ast.Stmt, c *ast.CallExpr) {
	if _, ok := s.(*ast.ExprStmt); ok {
		f.take(c.Pos(), c.End(), f.text(c.Pos(), c.End()), "if mutantStays(%q) { ", " }")
	} else {
		f.take(c.Pos(), c.End(), f.text(c.Pos(), c.End()), "mutantValue(%q, ", ")")
	}
}

// value takes the refusal out of what a function returns.
func (f *finder) value(r *ast.ReturnStmt) {
	last := r.Results[len(r.Results)-1]
	without := "mutantError(%q, "
	if _, ok := last.(*ast.CompositeLit); ok {
		without = "mutantValue(%q, "
	}
	f.take(last.Pos(), last.End(), f.text(r.Pos(), r.End()), without, ")")
}

// visitWrite takes the guards of write values: each that is written out, and each call of a function that makes some.
func (f *finder) visitWrite(n ast.Node) bool {
	if f.builders[f.name(f.in)] {
		return false
	}
	switch n := n.(type) {
	case *ast.CompositeLit:
		if !isGuards(n.Type) {
			if name, ok := n.Type.(*ast.Ident); ok && name.Name == "Guard" {
				f.take(n.Pos(), n.End(), f.text(n.Pos(), n.End()), "mutantGuard(%q, ", ")")
			}
			return true
		}
		for _, e := range n.Elts {
			if g, ok := e.(*ast.CompositeLit); ok && g.Type == nil {
				f.take(g.Pos(), g.End(), "Guard"+f.text(g.Pos(), g.End()), "mutantGuard(%q, Guard", ")")
			}
		}
	case *ast.CallExpr:
		if name, ok := n.Fun.(*ast.Ident); ok && f.builders[f.name(name.Name)] {
			f.take(n.Pos(), n.End(), f.text(n.Pos(), n.End()), "mutantValue(%q, ", ")")
		}
	}
	return true
}

func isGuards(e ast.Expr) bool {
	list, ok := e.(*ast.ArrayType)
	if !ok {
		return false
	}
	name, ok := list.Elt.(*ast.Ident)
	return ok && name.Name == "Guard"
}

// condition takes each alternative of a condition away by itself.
func (f *finder) condition(cond ast.Expr) {
	switch c := cond.(type) {
	case *ast.ParenExpr:
		f.condition(c.X)
		return
	case *ast.BinaryExpr:
		switch {
		case c.Op == token.LOR:
			f.condition(c.X)
			f.condition(c.Y)
			return
		case c.Op == token.LAND && isEither(c.Y):
			f.condition(c.Y)
			return
		case isErrorCheck(c):
			return
		}
	}
	f.take(cond.Pos(), cond.End(), f.text(cond.Pos(), cond.End()), "(mutantStays(%q) && (", "))")
}

func isEither(e ast.Expr) bool {
	p, ok := e.(*ast.ParenExpr)
	if !ok {
		return false
	}
	b, ok := p.X.(*ast.BinaryExpr)
	return ok && b.Op == token.LOR
}

// take notes a guard and what switches it.
func (f *finder) take(from, to token.Pos, what, before, after string) {
	g := guard{id: fmt.Sprintf("g%d", len(f.guards)+1), file: f.now.file, line: f.set.Position(from).Line, at: f.offset(from), in: f.in, what: strings.Join(strings.Fields(what), " ")}
	f.guards = append(f.guards, g)
	f.now.inserts = append(f.now.inserts, insertion{f.offset(from), fmt.Sprintf(before, g.id)}, insertion{f.offset(to), after})
}

func (f *finder) offset(p token.Pos) int { return f.set.Position(p).Offset }

func (f *finder) text(from, to token.Pos) string {
	return string(f.now.text[f.offset(from):f.offset(to)])
}

// body reports whether statements refuse: they note what is wrong with the input, or end with a new error.
func (f *finder) body(list []ast.Stmt) bool {
	if slices.ContainsFunc(list, f.notes) {
		return true
	}
	if len(list) == 0 {
		return false
	}
	r, ok := list[len(list)-1].(*ast.ReturnStmt)
	return ok && len(r.Results) > 0 && f.refuses(r.Results[len(r.Results)-1], false)
}

// refuses reports whether an expression is an error that is made here, by a function that only makes errors, or one that
// has a name. Fields that were noted before may be none: surely leaves them out.
func (f *finder) refuses(e ast.Expr, surely bool) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return len(e.Name) > 3 && strings.HasPrefix(e.Name, "err") && e.Name[3] >= 'A' && e.Name[3] <= 'Z'
	case *ast.CompositeLit:
		return len(e.Elts) > 0 && isFields(e.Type)
	case *ast.CallExpr:
		from, name := called(e)
		switch from + "." + name {
		case "fail.NewFields":
			return !surely || f.refuses(e.Args[0], true)
		case "fail.New", "fail.At", "fmt.Errorf", "errors.New":
			return true
		}
		return f.refusers[from+"."+name] || f.refusers[f.name(name)] || strings.HasPrefix(name, "refuse")
	}
	return false
}

func isFields(e ast.Expr) bool {
	list, ok := e.(*ast.ArrayType)
	if !ok {
		return false
	}
	name, ok := list.Elt.(*ast.SelectorExpr)
	return ok && name.Sel.Name == "Field"
}

// notes reports whether a statement notes a refusal: f = append(f, fail.At(…)), err = refusal(), or a call of a function
// that does.
func (f *finder) notes(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.AssignStmt:
		c, ok := s.Rhs[0].(*ast.CallExpr)
		if !ok || len(s.Rhs) > 1 {
			return false
		}
		if _, name := called(c); name == "append" && len(c.Args) == 2 {
			return f.refuses(c.Args[1], true)
		}
		return s.Tok == token.ASSIGN && f.refuses(c, true)
	case *ast.ExprStmt:
		c, ok := s.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		_, name := called(c)
		return f.noters[f.name(name)]
	}
	return false
}

// called names the function of a call, and what stands before its dot.
func called(c *ast.CallExpr) (from, name string) {
	switch fn := c.Fun.(type) {
	case *ast.Ident:
		return "", fn.Name
	case *ast.SelectorExpr:
		if x, ok := fn.X.(*ast.Ident); ok {
			from = x.Name
		}
		return from, fn.Sel.Name
	}
	return "", ""
}

// isErrorCheck is err != nil: passing an error on is no guard.
func isErrorCheck(b *ast.BinaryExpr) bool {
	left, ok := b.X.(*ast.Ident)
	if !ok || b.Op != token.NEQ || left.Name != "err" && left.Name != "failure" {
		return false
	}
	right, ok := b.Y.(*ast.Ident)
	return ok && right.Name == "nil"
}

// switched is the file with a switch at each guard.
func (s *source) switched() []byte {
	slices.SortStableFunc(s.inserts, func(a, b insertion) int { return a.at - b.at })
	var out []byte
	done := 0
	for _, x := range s.inserts {
		out = append(append(out, s.text[done:x.at]...), x.text...)
		done = x.at
	}
	return append(out, s.text[done:]...)
}

// switches is the file that each guarded package gets: a guard is away while MUTANT names it, and MUTANT_SEEN is the file
// that lists which guards were asked.
const switches = `package %s

import (
	"os"
	"sync"
)

var mutantAway, mutantSeen, mutantAsked = os.Getenv("MUTANT"), os.Getenv("MUTANT_SEEN"), sync.Map{}

func mutantStays(id string) bool {
	if mutantSeen != "" {
		if _, again := mutantAsked.LoadOrStore(id, true); !again {
			if f, err := os.OpenFile(mutantSeen, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
				f.WriteString(id + "\n")
				f.Close()
			}
		}
	}
	return id != mutantAway
}

func mutantError(id string, err error) error { return mutantValue(id, err) }

func mutantValue[T any](id string, v T) T {
	if mutantStays(id) {
		return v
	}
	var none T
	return none
}
`

// guardSwitch is beside it where write values are: a guard that holds for every item.
const guardSwitch = `
func mutantGuard(id string, g Guard) Guard {
	if mutantStays(id) {
		return g
	}
	return Guard{Attr: "mutant", Is: AtMost, Value: number(0)}
}
`
