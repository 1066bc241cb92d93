// Command import sends a Shopify product file of any size to a running store: `make import FILE=products.csv`.
//
// It sends whole products, as many as fit one request, and holds one request in memory at a time. It can be stopped
// and started again: products that are in the store already do not change.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"yundian/infra/local/remote"
)

const usage = `usage: make import FILE=products.csv [URL=http://127.0.0.1:8080] [TOKEN=<operator's access token>]
Without TOKEN it asks the local runner for one, which only the local runner gives.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) != 2 || os.Args[1] == "" {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	err := run(ctx, os.Args[1], os.Getenv("URL"), os.Getenv("TOKEN"))
	switch {
	case err == nil:
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "\nimport: interrupted; run it again to go on, what is in the store stays as it is")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "\nimport:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path, address, token string) error {
	s, err := remote.New(address, token, "import")
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return err
	}
	bar := progressbar.NewOptions64(about.Size(), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetDescription("importing"), progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetVisibility(term.IsTerminal(int(os.Stderr.Fd()))))
	total, err := send(ctx, file, s, os.Stdout, bar)
	_ = bar.Finish() // it only draws
	fmt.Println(total)
	return err
}

// totals count over all requests.
type totals struct {
	products, created, updated, unchanged, rows, bad int
}

// String is the last line of a run.
func (t totals) String() string {
	return fmt.Sprintf("%d products: %d new, %d changed, %d unchanged; %d rows, %d of them not used",
		t.products, t.created, t.updated, t.unchanged, t.rows, t.bad)
}

// drawn shows how far the file has been read.
type drawn interface {
	io.Writer
	Clear() error
	Set64(int64) error
}

// send splits a file and sends part by part. Rows that are not used are printed as soon as they are known.
func send(ctx context.Context, file io.Reader, s *remote.Shop, out io.Writer, bar drawn) (totals, error) {
	var t totals
	split, err := newSplitter(file)
	if err != nil {
		return t, err
	}
	report := func(line int, message string) {
		_ = bar.Clear()
		t.bad++
		fmt.Fprintf(out, "line %d: %s\n", line, message)
	}
	for {
		p, err := split.next()
		if err != nil && !errors.Is(err, io.EOF) {
			return t, err
		}
		for _, b := range p.bad {
			t.rows++
			report(b.line, b.message)
		}
		if p.products > 0 {
			answer, err := importPart(ctx, s, p.body)
			if err != nil {
				return t, err
			}
			for _, e := range answer.Errors {
				report(p.lines[e.Line], e.Message)
			}
			for _, w := range answer.Warnings {
				_ = bar.Clear()
				fmt.Fprintf(out, "line %d, taken: %s\n", p.lines[w.Line], w.Message)
			}
			if t.bad += answer.Omitted; answer.Omitted > 0 {
				fmt.Fprintf(out, "and %d rows more up to line %d\n", answer.Omitted, p.last)
			}
			t.products += p.products
			t.created += answer.Created
			t.updated += answer.Updated
			t.unchanged += answer.Unchanged
			t.rows += answer.Rows
		}
		_ = bar.Set64(split.read())
		if errors.Is(err, io.EOF) {
			return t, nil
		}
	}
}
