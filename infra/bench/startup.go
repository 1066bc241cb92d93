package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"yundian/infra/local/lambda"
)

// Startup is what a cold start of one function costs before it asks for its first event.
type Startup struct {
	Function string  `json:"function"`
	Bytes    int64   `json:"bytes"`   // of the binary as it deploys: stripped, linux, this machine's architecture
	FirstMS  float64 `json:"firstMs"` // process start to first poll, median
	Ratio    float64 `json:"ratio"`   // to hello in the same run
}

var functionNames = []string{"storefront", "touch", "checkout", "payments", "portal", "admin", "attribute", "settle", "tally", "mature"}

// startups starts hello and every function, in turn, so that noise of the machine meets all alike. Each has the
// environment that the template gives the function; hello has the storefront's.
func (b *bench) startups(ctx context.Context, r *Report) error {
	hello, err := lambda.Builder{Root: b.root, Folders: []string{filepath.Join(b.root, "infra", "bench", "hello")}, Out: filepath.Join(b.root, ".artifacts", "bench")}.Build(ctx)
	if err != nil {
		return err
	}
	environments := map[string]map[string]string{hello["hello"]: b.environments["storefront"]}
	binaries := []string{hello["hello"]}
	for _, name := range functionNames {
		binary := filepath.Join(b.bins, name) // built by the stores before
		binaries, environments[binary] = append(binaries, binary), b.environments[name]
	}
	times := map[string][]time.Duration{}
	for range b.Starts {
		for _, binary := range binaries {
			d, err := firstPoll(ctx, binary, environments[binary])
			if err != nil {
				return fmt.Errorf("start %s: %w", filepath.Base(binary), err)
			}
			times[binary] = append(times[binary], d)
		}
	}
	least := median(times[binaries[0]])
	for _, binary := range binaries {
		info, err := os.Stat(binary)
		if err != nil {
			return fmt.Errorf("find the size of a binary: %w", err)
		}
		m := median(times[binary])
		r.Startups = append(r.Startups, Startup{Function: filepath.Base(binary), Bytes: info.Size(), FirstMS: milliseconds(m), Ratio: float64(m) / float64(least)})
	}
	return nil
}

// firstPoll starts a bootstrap and waits until it asks for its first event, as the Lambda service sees it.
func firstPoll(ctx context.Context, binary string, environment map[string]string) (time.Duration, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	polled := make(chan time.Time, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case polled <- time.Now():
		default:
		}
		<-r.Context().Done()
	})}
	go server.Serve(l) //nolint:errcheck // ends with Close
	defer server.Close()
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + l.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=bench"}
	for name, value := range environment {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	select {
	case at := <-polled:
		return at.Sub(began), nil
	case <-time.After(10 * time.Second):
		return 0, fmt.Errorf("%s did not ask for an event within 10 s", filepath.Base(binary))
	}
}

func median(d []time.Duration) time.Duration { return percentile(d, 50) }

// percentile of durations; p in percent. It sorts a copy.
func percentile(d []time.Duration, p int) time.Duration {
	if len(d) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(d))
	return s[min(len(s)-1, len(s)*p/100)]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
