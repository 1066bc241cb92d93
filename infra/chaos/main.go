// Command chaos proves that no money is wrong after a storm: a workload runs through the real functions while a proxy
// between them and the store loses, refuses and delays calls and processes are killed in the middle of their work; then
// the faults stop, time moves on until nothing is open, and everything is compared with an independent fold of the
// orders. Its last line is one JSON object; differences are printed before it and make the exit status 1.
//
//	SEED=7 ORDERS=500 STORE=dynamodb-local go run ./infra/chaos
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"yundian/infra/chaos/storm"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// ordinary is how many orders a storm has unless ORDERS says otherwise: a few minutes of it.
const ordinary = 500

// A whole run is bounded: workload is when no further orders are placed, whole when everything ends.
const (
	workload = 20 * time.Minute
	whole    = 35 * time.Minute
)

func run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, whole)
	defer cancel()
	o := storm.Options{Store: os.Getenv("STORE"), Workload: workload, Progress: os.Stdout}
	seed, err := number("SEED", time.Now().UnixNano()%1_000_000)
	if err != nil {
		return err
	}
	count, err := number("ORDERS", ordinary)
	if err != nil {
		return err
	}
	o.Seed, o.Orders = uint64(seed), int(count)
	if o.Root, err = os.Getwd(); err != nil {
		return err
	}
	o.BinDir = filepath.Join(o.Root, ".artifacts", "bin")
	if o.Dir, err = os.MkdirTemp("", "yundian-chaos-"); err != nil {
		return err
	}
	report, err := storm.Run(ctx, o)
	if err != nil {
		return fmt.Errorf("seed %d, functions' log in %s: %w", o.Seed, o.Dir, err)
	}
	for _, d := range report.Found {
		fmt.Println("difference:", d)
	}
	line, err := json.Marshal(report)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	if report.Differences > 0 {
		return fmt.Errorf("%d differences; the functions' log is in %s", report.Differences, o.Dir)
	}
	return os.RemoveAll(o.Dir)
}

// number reads a whole number from an environment variable.
func number(name string, otherwise int64) (int64, error) {
	text := os.Getenv(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > 1_000_000 {
		return 0, fmt.Errorf("%s=%s: a number from 1 to 1,000,000", name, text)
	}
	return n, nil
}
