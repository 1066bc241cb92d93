package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tiny is a module with a guard of every kind, and tests that notice all but one.
var tiny = map[string]string{
	"go.mod": "module tiny\n\ngo 1.26\n",
	"fail/fail.go": `package fail

import "errors"

type Field string

func New(text string) error { return errors.New(text) }

func At(where string) Field { return Field(where) }

func NewFields(f []Field) error {
	if len(f) == 0 {
		return nil
	}
	return New(string(f[0]))
}
`,
	"till/till.go": `package till

import "tiny/fail"

type check struct{ f []fail.Field }

func (k *check) add(where string) { k.f = append(k.f, fail.At(where)) }

func tooMuch() error { return fail.New("too much") }

func Take(n, limit int, kind string) error {
	if n < 1 || n > 9 && (kind == "" || kind == "x") {
		return fail.New("range")
	}
	switch kind {
	case "a", "":
	case "b":
		return tooMuch()
	default:
		return fail.New("kind")
	}
	k := check{}
	if n > limit {
		k.add("limit")
	}
	k.even(n)
	k.f = append(k.f, small(n)...)
	return fail.NewFields(k.f)
}

func (k *check) even(n int) {
	if n == 3 {
		k.add("even")
	}
}

func small(n int) []fail.Field {
	if n != 2 {
		return nil
	}
	return []fail.Field{fail.At("small")}
}

func Allow(names []string, name string) (int, error) {
	for i, n := range names {
		if n == name {
			return i, nil
		}
	}
	return 0, fail.New("unknown")
}

func Pass(err error) error {
	if err != nil {
		return fail.New("passed on")
	}
	return nil
}
`,
	"till/till_test.go": `package till

import (
	"errors"
	"testing"
)

func TestTake(t *testing.T) {
	for _, c := range []struct {
		n, limit int
		kind     string
	}{{0, 5, "a"}, {10, 20, ""}, {4, 5, "b"}, {4, 5, "c"}, {6, 5, "a"}, {3, 5, "a"}, {2, 5, "a"}} {
		if Take(c.n, c.limit, c.kind) == nil {
			t.Error(c)
		}
	}
	if Take(4, 5, "a") != nil || Pass(errors.New("x")) == nil {
		t.Error("refused")
	}
}

func TestAllow(t *testing.T) {
	if _, err := Allow([]string{"a"}, "b"); err == nil {
		t.Error("allowed")
	}
}
`,
	"store/store.go": `package store

type Test string

const (
	Absent Test = "absent"
	AtMost Test = "at most"
)

type Guard struct {
	Attr  string
	Is    Test
	Value int
}

type Write struct{ Guards []Guard }

func number(n int) int { return n }

func once() []Guard { return []Guard{{Attr: "pk", Is: Absent}} }

func Place(more bool) Write {
	w := Write{Guards: once()}
	if more {
		w.Guards = append(w.Guards, Guard{Attr: "n", Is: AtMost, Value: 1})
	}
	return w
}

func Close() Write { return Write{Guards: []Guard{{Attr: "a", Is: Absent}, {Attr: "b", Is: Absent}}} }
`,
	"store/store_test.go": `package store

import "testing"

func TestWrites(t *testing.T) {
	if w := Place(true); len(w.Guards) != 2 || w.Guards[1].Attr != "n" {
		t.Error(w)
	}
	if w := Close(); w.Guards[0].Attr != "a" || w.Guards[1].Attr != "b" {
		t.Error(w)
	}
}
`,
}

func TestEveryKindOfGuardIsTakenAway(t *testing.T) {
	root := t.TempDir()
	for file, text := range tiny {
		to := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	s := &search{root: root, out: &out, jobs: 2}
	survivors, err := s.run(context.Background(), []string{"till", "store"}, "", false)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`caught    store/store.go:23 Place: once()  by TestWrites of store`,
		`caught    store/store.go:25 Place: Guard{Attr: "n", Is: AtMost, Value: 1}  by TestWrites of store`,
		`caught    store/store.go:30 Close: Guard{Attr: "a", Is: Absent}  by TestWrites of store`,
		`caught    store/store.go:30 Close: Guard{Attr: "b", Is: Absent}  by TestWrites of store`,
		`caught    till/till.go:12 Take: n < 1  by TestTake of till`,
		`caught    till/till.go:12 Take: kind == ""  by TestTake of till`,
		`SURVIVED  till/till.go:12 Take: kind == "x"`, // the next switch refuses it too
		`caught    till/till.go:18 Take: case "b": return tooMuch()  by TestTake of till`,
		`caught    till/till.go:20 Take: default: return fail.New("kind")  by TestTake of till`,
		`caught    till/till.go:23 Take: n > limit  by TestTake of till`,
		`caught    till/till.go:26 Take: k.even(n)  by TestTake of till`,
		`caught    till/till.go:27 Take: small(n)  by TestTake of till`,
		`caught    till/till.go:32 even: n == 3  by TestTake of till`,
		`caught    till/till.go:41 small: return []fail.Field{fail.At("small")}  by TestTake of till`,
		`caught    till/till.go:50 Allow: return 0, fail.New("unknown")  by TestAllow of till`,
		`  11 guards in till`,
		`   4 guards in store`,
		`15 guards, 14 caught, 1 survived`,
	}
	if got := strings.Split(strings.TrimSpace(out.String()), "\n"); survivors != 1 || !slices.Equal(got, want) {
		t.Errorf("%d survived:\n%s\nwant:\n%s", survivors, out.String(), strings.Join(want, "\n"))
	}
}
