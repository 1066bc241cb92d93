// Command yundian-local runs the whole store on this machine: `make run`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
	_ "time/tzdata" // schedules and days of the demo: the machine may have no zones

	"yundian/infra/local"
	"yundian/infra/local/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once what a first one does not
	if err := endWithGoRun(); err != nil {
		fmt.Fprintln(os.Stderr, "yundian:", err)
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "yundian:", err)
		os.Exit(1)
	}
}

// run starts the store as the environment says and serves until ctx ends. PORT, DATA, SEED, STORE and
// DYNAMODB_ENDPOINT are described by `make help`.
func run(ctx context.Context) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	store := or("DYNAMODB_ENDPOINT", os.Getenv("STORE"))
	data := or("DATA", filepath.Join(root, ".local"))
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	logs, err := os.OpenFile(filepath.Join(data, "functions.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer logs.Close()
	began := time.Now()
	r, err := local.Start(ctx, local.Options{Root: root, DataDir: data, Address: "127.0.0.1:" + or("PORT", "8080"), Store: store,
		Offer: demo.Users(), Log: logs, Progress: os.Stdout})
	if err != nil {
		return err
	}
	defer func() {
		if err := r.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "yundian: stop:", err)
		}
	}()
	if os.Getenv("SEED") != "0" {
		if err := r.Seed(ctx, os.Stdout); err != nil {
			return fmt.Errorf("seed the demo shop: %w", err)
		}
	}
	announce(os.Stdout, r.URL, filepath.Join(data, "functions.log"), os.Getenv("SEED") != "0", time.Since(began))
	select {
	case <-ctx.Done():
		fmt.Println("stopping")
		return nil
	case <-r.Failed():
		return errors.New("the store engine has ended by itself; its data is kept, so start again")
	}
}

func announce(w io.Writer, url, logs string, seeded bool, took time.Duration) {
	fmt.Fprintf(w, "started in %.1f s; functions log to %s\n", took.Seconds(), logs)
	if seeded {
		for _, line := range demo.Welcome(url) {
			fmt.Fprintln(w, line)
		}
	}
	fmt.Fprintf(w, "ready %s\n", url)
}

func or(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// moduleRoot is the folder of go.mod, at or above the working folder.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod at or above the working folder")
		}
		dir = parent
	}
}
