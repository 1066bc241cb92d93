package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestReaderCounts(t *testing.T) {
	tests := []struct {
		name, events string
		want         counts
		prints       string
	}{
		{"pass", `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Elapsed":0.1}`, counts{passed: 1}, "1 passed"},
		{"a failure shows its output", `{"Action":"output","Package":"p","Test":"TestA","Output":"want 1\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p"}`, counts{failed: 1}, "want 1"},
		{"output of a passing test stays away", `{"Action":"output","Package":"p","Test":"TestA","Output":"noise\n"}
{"Action":"pass","Package":"p","Test":"TestA"}`, counts{passed: 1}, ""},
		{"a skip is a failure", `{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}`, counts{failed: 1}, "TestA (skip)"},
		{"a package that does not build is a failure", `{"Action":"build-output","ImportPath":"p [p.test]","Output":"undefined: x\n"}
{"Action":"build-fail","ImportPath":"p [p.test]"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`, counts{failed: 1}, "undefined: x"},
		{"a crash after passing tests is a failure", `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"panic: boom\n"}
{"Action":"fail","Package":"p"}`, counts{passed: 1, failed: 1}, "panic: boom"},
		{"plain text passes through", "go: no such module\n", counts{}, "go: no such module"},
		{"nothing ran", "", counts{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var printed bytes.Buffer
			if got := newReader(&printed).read(strings.NewReader(tt.events)); got != tt.want {
				t.Errorf("counts = %+v, want %+v", got, tt.want)
			}
			if !strings.Contains(printed.String(), tt.prints) {
				t.Errorf("printed %q, want it to contain %q", printed.String(), tt.prints)
			}
			if strings.Contains(printed.String(), "noise") {
				t.Errorf("printed %q", printed.String())
			}
		})
	}
}

func TestChoose(t *testing.T) {
	tests := []struct {
		args string
		want int
	}{
		{"", len(parts)},
		{"store", 2},
		{"store store-dynoxide", 2},
		{"unit template", 2},
	}
	for _, tt := range tests {
		got, err := choose(strings.Fields(tt.args))
		if err != nil || len(got) != tt.want {
			t.Errorf("choose(%q) = %d parts, %v; want %d", tt.args, len(got), err, tt.want)
		}
	}
	if _, err := choose([]string{"sto"}); err == nil {
		t.Error("choose accepted part of a name")
	}
}
