// Command verify walks through the whole verification of a running store and prints what is wrong: `make verify`. It exits
// with 1 when a figure differs, and with 2 when the store does not answer.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"yundian/infra/local/remote"
)

const usage = `usage: make verify [URL=http://127.0.0.1:8080] [TOKEN=<operator's or auditor's access token>]
Without TOKEN it asks the local runner for one, which only the local runner gives.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 1 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	shop, err := remote.New(os.Getenv("URL"), os.Getenv("TOKEN"), "verify")
	var t totals
	if err == nil {
		t, err = walk(ctx, shop, os.Stdout)
	}
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "verify:", err)
		os.Exit(2)
	case t.differences > 0:
		os.Exit(1)
	}
}

// slice is one answer of the store.
type slice struct {
	Checked, Unsettled, Omitted int
	Waiting, Left               []string
	Differences                 []struct{ Kind, ID, Expected, Found string }
	Next                        string
}

// totals count over all slices.
type totals struct {
	slices, checked, unsettled, differences int
}

// String is the last line of a run.
func (t totals) String() string {
	return fmt.Sprintf("%d checked in %d slices: %d differences, %d still on their way", t.checked, t.slices, t.differences, t.unsettled)
}

// maxSlices ends a walk that would never end: more than a thousand million orders.
const maxSlices = 10_000_000

// walk asks slice after slice, prints what differs as soon as it is known, and a summary at the end.
func walk(ctx context.Context, shop *remote.Shop, out io.Writer) (totals, error) {
	var t totals
	waiting, left := []string{}, []string{}
	for cursor := ""; t.slices < maxSlices; {
		var s slice
		if err := shop.Ask(ctx, remote.Request{Method: http.MethodGet, Path: "/v1/admin/verify", Query: url.Values{"cursor": {cursor}}}, &s); err != nil {
			return t, err
		}
		t.slices++
		t.checked += s.Checked
		t.unsettled += s.Unsettled
		t.differences += len(s.Differences) + s.Omitted
		for _, d := range s.Differences {
			fmt.Fprintf(out, "%s %s\n  expected  %s\n  found     %s\n", d.Kind, d.ID, d.Expected, d.Found)
		}
		if s.Omitted > 0 {
			fmt.Fprintf(out, "and %d differences more\n", s.Omitted)
		}
		waiting, left = append(waiting, s.Waiting...), append(left, s.Left...)
		if cursor = s.Next; cursor == "" {
			break
		}
	}
	some(out, "still on their way", waiting)
	some(out, "too large for a slice: of a KOC only the balance was checked, and the daily run checks the rest; a day was not added up", left)
	fmt.Fprintln(out, t)
	return t, nil
}

// shown bounds a list of ids.
const shown = 20

func some(out io.Writer, what string, ids []string) {
	if len(ids) == 0 {
		return
	}
	more := ""
	if n := len(ids) - shown; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	fmt.Fprintf(out, "%s: %s%s\n", what, strings.Join(ids[:min(len(ids), shown)], " "), more)
}
