package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"yundian/shared/catalogue/intake"
	"yundian/shared/fail"
)

const header = "Handle,Title,Option1 Name,Option1 Value,Variant Price,Body (HTML)\n"

// test is what helpers need of a test or a property.
type test interface {
	Helper()
	Fatal(...any)
}

// parts splits a file to its end.
func parts(t test, file io.Reader) []part {
	t.Helper()
	s, err := newSplitter(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []part
	for {
		p, err := s.next()
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		all = append(all, p)
		if err != nil {
			return all
		}
	}
}

// products reads a file as the store does: ids, and for each row that is not used its line.
func products(t test, file string) (ids []string, bad []int) {
	t.Helper()
	for e, err := range intake.Shopify(strings.NewReader(file), "CNY") {
		if err != nil {
			t.Fatal(err)
		}
		if e.Product.ID != "" {
			ids = append(ids, fmt.Sprintf("%s/%d", e.Product.ID, len(e.Product.Variants)))
		}
		for _, f := range e.Faults {
			bad = append(bad, f.Line)
		}
	}
	return ids, bad
}

// repeat is a reader of a file of n products with two variants each, made while it is read.
type repeat struct {
	n, i int
	rest string
	body string
}

func (r *repeat) Read(p []byte) (int, error) {
	for r.rest == "" {
		switch {
		case r.i == 0:
			r.rest = header
		case r.i <= r.n:
			r.rest = fmt.Sprintf("p-%d,P,Size,S,1,%s\np-%d,,,M,2,\n", r.i, r.body, r.i)
		default:
			return 0, io.EOF
		}
		r.i++
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func TestSplitManyProducts(t *testing.T) {
	for _, tt := range []struct {
		name     string
		products int
		body     string
		parts    int
	}{
		{"by number", 10_000, "", 10},
		{"by size", 500, `"` + strings.Repeat("<p>long</p>\n", 2000) + `"`, 6},
		{"exactly full", 1000, "", 1},
		{"one more", 1001, "", 2},
		{"none", 0, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := parts(t, &repeat{n: tt.products, body: tt.body})
			if len(all) != tt.parts {
				t.Errorf("%d parts, want %d", len(all), tt.parts)
			}
			n := 0
			for _, p := range all {
				if len(p.body) > intake.MaxBytes || p.products > intake.MaxProducts || len(p.bad) > 0 {
					t.Fatalf("a part of %d bytes, %d products, %d bad rows", len(p.body), p.products, len(p.bad))
				}
				ids, bad := products(t, string(p.body))
				if len(ids) != p.products || len(bad) > 0 && tt.name != "by size" {
					t.Fatalf("the store reads %d products of %d, bad rows %v", len(ids), p.products, bad)
				}
				for _, id := range ids {
					if n++; id != fmt.Sprintf("p-%d/2", n) {
						t.Fatalf("product %d is %s", n, id)
					}
				}
			}
			if n != tt.products {
				t.Errorf("%d products arrive, of %d", n, tt.products)
			}
		})
	}
}

func TestSplitKeepsLines(t *testing.T) {
	file := "\ufeff" + strings.ReplaceAll(header, "\n", "\r\n") +
		"tea,Tea,Size,S,1,\"two\r\nlines\"\r\n" + // 2 and 3
		"\r\n" + // 4
		"tea,,,M,x,\r\n" + // 5: no price
		",,,,,\r\n" + // 6
		"cup,\"Cup,Size\" S,1,\r\n" + // 7: a quotation mark
		"cup,Cup,Size,S,1,\"a\r\nb\r\nc\"\r\n" + // 8 to 10
		"cup,,,,3,\r\n" + // 11: no size
		"tea,,,L,3,\r\n" + // 12: apart, which the store brings together
		"tea,,,XL,3,\r\n" + // 13: apart, which the store brings together
		"cup,,,L,3,\r\n" + // 14: apart, which the store brings together
		"pot,Pot,,,1,,,extra\r\n" + // 15: too many cells
		",Lid,,,1,\r\n" + // 16: no handle
		"jar,Jar,,,1,\r\n" // 17
	all := parts(t, strings.NewReader(file))
	if len(all) != 1 {
		t.Fatalf("%d parts", len(all))
	}
	ids, bad := products(t, string(all[0].body))
	var lines []int
	for _, line := range bad {
		lines = append(lines, all[0].lines[line])
	}
	for _, b := range all[0].bad {
		lines = append(lines, b.line)
	}
	slices.Sort(lines)
	if want := []int{5, 7, 11, 15, 16}; !slices.Equal(lines, want) || !slices.Equal(ids, []string{"tea/3", "cup/2", "jar/1"}) || all[0].last != 17 {
		t.Errorf("products %v, bad lines %v, want %v; last %d", ids, lines, want, all[0].last)
	}
}

// TestSplitRowsFarApart: the store can bring together only what it gets at once.
func TestSplitRowsFarApart(t *testing.T) {
	var b strings.Builder
	b.WriteString(header)
	for i := range intake.MaxProducts + 1 {
		fmt.Fprintf(&b, "p-%d,P,Size,S,1,\n", i)
	}
	last := fmt.Sprintf("p-%d,,,M,1,\n", intake.MaxProducts)
	all := parts(t, strings.NewReader(b.String()+"p-0,,,M,1,\np-1,,,M,1,\np-1,,,L,1,\n"+last))
	if len(all) != 2 || all[0].products != intake.MaxProducts || len(all[0].bad)+len(all[1].bad) != 3 {
		t.Fatalf("%d parts, %d products, bad %v %v", len(all), all[0].products, all[0].bad, all[1].bad)
	}
	if ids, bad := products(t, string(all[1].body)); len(bad) > 0 || !slices.Equal(ids, []string{fmt.Sprintf("p-%d/2", intake.MaxProducts)}) {
		t.Errorf("the last part has %v, %v", ids, bad)
	}
}

// TestSplitSendsBadRows: the store takes no variant off sale when it knows that a row is missing.
func TestSplitSendsBadRows(t *testing.T) {
	for _, bad := range []string{"tea,\"M\" x,,,1,\n", "tea,,,M,1,x,y,z\n", "tea,,,\xb1\xad,1,\n"} {
		all := parts(t, strings.NewReader(header+"tea,Tea,Size,S,1,\n"+bad))
		for e := range intake.Shopify(strings.NewReader(string(all[0].body)), "CNY") {
			if e.EveryVariant() || len(e.Faults) != 1 || all[0].lines[e.Faults[0].Line] != 3 || len(all[0].bad) > 0 {
				t.Errorf("%q: %+v, %+v", bad, e, all[0].bad)
			}
		}
	}
}

func TestSplitHostileFiles(t *testing.T) {
	for name, tt := range map[string]struct{ file, code string }{
		"no header":    {"a,b\n", "csv_columns_missing"},
		"endless cell": {header + "tea,\"" + strings.Repeat("x\n", intake.MaxRow), "csv_row_too_large"},
	} {
		s, err := newSplitter(strings.NewReader(tt.file))
		for err == nil {
			_, err = s.next()
		}
		if !fail.Is(err, tt.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// One product of many large rows: those that fit are sent.
	var b strings.Builder
	b.WriteString(header + "tea,Tea,Size,0,1,\n")
	for i := range 90 {
		fmt.Fprintf(&b, "tea,,,%d,1,%s\n", i+1, strings.Repeat("x", 50_000))
	}
	all := parts(t, strings.NewReader(b.String()))
	if len(all) != 1 || len(all[0].body) > intake.MaxBytes || len(all[0].bad) == 0 || len(all[0].bad) > 10 {
		t.Errorf("%d parts, %d bytes, %d bad rows", len(all), len(all[0].body), len(all[0].bad))
	}
	// Many bad rows are handed over in portions.
	for _, p := range parts(t, strings.NewReader(header+strings.Repeat("a\"b,c\n", 5*maxBad))) {
		if len(p.bad) > maxBad || p.products > 0 {
			t.Errorf("%d bad rows at once", len(p.bad))
		}
	}
}

// TestSplitLosesNothing: whatever the file, the store uses the same rows of its parts as of the whole.
func TestSplitLosesNothing(t *testing.T) {
	cell := rapid.SampledFrom([]string{"", "tea", "cup", "Tea", "pot", "1", "x", "\"a\nb\"", "\"a,b\"", "S", "M", "Size", "a\"b", "\r"})
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		b.WriteString(header)
		for range rapid.IntRange(0, 30).Draw(t, "rows") {
			cells := rapid.SliceOfN(cell, 1, 6).Draw(t, "cells")
			b.WriteString(strings.Join(cells, ",") + "\n")
		}
		whole, badWhole := products(t, b.String())
		var split []string
		var bad []int
		for _, p := range parts(t, strings.NewReader(b.String())) {
			ids, lines := products(t, string(p.body))
			split = append(split, ids...)
			for _, line := range lines {
				bad = append(bad, p.lines[line])
			}
			for _, row := range p.bad {
				bad = append(bad, row.line)
			}
		}
		slices.Sort(bad)
		slices.Sort(badWhole)
		if !slices.Equal(whole, split) || !slices.Equal(bad, badWhole) {
			t.Fatalf("whole %v %v\nsplit %v %v", whole, badWhole, split, bad)
		}
	})
}

func TestRealFiles(t *testing.T) {
	for _, name := range []string{"shopify-apparel.csv", "shopify-home-and-garden.csv"} {
		file, err := os.Open("../../../../shared/catalogue/intake/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if all := parts(t, file); len(all) != 1 || all[0].products != 20 || len(all[0].bad) != 0 {
			t.Errorf("%s: %d parts, %+v", name, len(all), all[0].bad)
		}
	}
}
