package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// loadCommand is the argument with which this program makes load instead of measuring.
const loadCommand = "load"

// maxRun bounds one load, whatever its plan says.
const maxRun = 2 * time.Minute

// plan is one load: some clients that each send one request after the other. With Road they walk whole orders.
type plan struct {
	Base    string        `json:"base"`
	Clients int           `json:"clients"`
	WarmUp  int           `json:"warmUp,omitempty"` // requests per client before the clock starts
	Most    int           `json:"most"`             // requests, or orders, of all clients together
	For     time.Duration `json:"for,omitempty"`    // at most; 0 means until Most
	Calls   []call        `json:"calls,omitempty"`  // taken in turn
	Road    *road         `json:"road,omitempty"`
}

// call is one request and the status that it has to be answered with.
type call struct {
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	Fresh  bool              `json:"fresh,omitempty"` // with an idempotency key of its own each time
	Status int               `json:"status"`
}

// outcome is what became of a plan.
type outcome struct {
	Latencies []time.Duration `json:"latencies,omitempty"` // of every request, or order, in no order
	Placings  []time.Duration `json:"placings,omitempty"`  // of the first request of every order
	Lags      []time.Duration `json:"lags,omitempty"`      // from the answer to the payment to visible earnings
	Presses   []time.Duration `json:"presses,omitempty"`   // from pressing pay to visible earnings
	Began     time.Time       `json:"began"`
	Elapsed   time.Duration   `json:"elapsed"`
	CPU       time.Duration   `json:"cpu"` // of the load process
}

func (o outcome) perSecond() float64 { return float64(len(o.Latencies)) / o.Elapsed.Seconds() }

// load runs a plan in a process of its own.
func load(ctx context.Context, p plan) (outcome, error) {
	var o outcome
	program, err := os.Executable()
	if err != nil {
		return o, fmt.Errorf("find this program: %w", err)
	}
	in, err := json.Marshal(p)
	if err != nil {
		return o, fmt.Errorf("write down the load: %w", err)
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, loadCommand)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &said
	if err := cmd.Run(); err != nil {
		return o, fmt.Errorf("make load: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	if err := json.Unmarshal(out.Bytes(), &o); err != nil {
		return o, fmt.Errorf("read what the load measured: %w", err)
	}
	if len(o.Latencies) == 0 {
		return o, errors.New("make load: nothing was answered in time")
	}
	return o, nil
}

// serveLoad is the load process: a plan comes in, an outcome goes out. The first wrong answer ends it.
func serveLoad(r io.Reader, w io.Writer) error {
	var p plan
	if err := json.NewDecoder(r).Decode(&p); err != nil {
		return fmt.Errorf("read the plan: %w", err)
	}
	o, err := p.run()
	if err != nil {
		return err
	}
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return fmt.Errorf("read own CPU time: %w", err)
	}
	o.CPU = time.Duration(used.Utime.Nano() + used.Stime.Nano())
	return json.NewEncoder(w).Encode(o)
}

// worker is one client of a plan with what it has measured.
type worker struct {
	plan   plan
	number int
	line   *line
	outcome
}

func (p plan) run() (outcome, error) {
	workers := make([]*worker, p.Clients)
	errs := make([]error, p.Clients)
	each := func(do func(*worker) error) error {
		var group sync.WaitGroup
		for i, w := range workers {
			group.Go(func() { errs[i] = errors.Join(errs[i], do(w)) })
		}
		group.Wait()
		return errors.Join(errs...)
	}
	for i := range workers {
		workers[i] = &worker{plan: p, number: i, line: &line{address: p.Base}}
		defer workers[i].line.close()
	}
	if err := each((*worker).warmUp); err != nil {
		return outcome{}, fmt.Errorf("warm up: %w", err)
	}
	all := outcome{Began: time.Now()}
	end := all.Began.Add(maxRun)
	if p.For > 0 {
		end = all.Began.Add(p.For)
	}
	var taken atomic.Int64
	err := each(func(w *worker) error {
		for time.Now().Before(end) {
			n := int(taken.Add(1)) - 1
			if n >= p.Most {
				break
			}
			if err := w.step(n); err != nil {
				return err
			}
		}
		return nil
	})
	all.Elapsed = time.Since(all.Began)
	for _, w := range workers {
		all.Latencies, all.Placings = append(all.Latencies, w.Latencies...), append(all.Placings, w.Placings...)
		all.Lags, all.Presses = append(all.Lags, w.Lags...), append(all.Presses, w.Presses...)
	}
	return all, err
}

// warmUp takes calls from the end of the list: what is measured begins at its front, and some calls work only once.
func (w *worker) warmUp() error {
	count := len(w.plan.Calls)
	for i := range w.plan.WarmUp {
		c := w.plan.Calls[count-1-(w.number*w.plan.WarmUp+i)%count]
		if _, err := w.line.send(c); err != nil {
			return err
		}
	}
	return nil
}

// step is the n-th request or order of the plan.
func (w *worker) step(n int) error {
	if w.plan.Road != nil {
		return w.walk(n)
	}
	began := time.Now()
	if _, err := w.line.send(w.plan.Calls[n%len(w.plan.Calls)]); err != nil {
		return err
	}
	w.Latencies = append(w.Latencies, time.Since(began))
	return nil
}
