// Package lambda runs functions the way AWS Lambda does: each one as its real bootstrap process that asks a
// Runtime API for one event at a time. Protocol: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// MaxPayload is Lambda's limit in bytes for a synchronous event and for its response.
const MaxPayload = 6*1024*1024 + 100

// maxWaiting bounds the events that wait for a process of one function; past it Lambda's own answer is a throttle too.
const maxWaiting = 1000

// defaultProcesses bounds the processes of a function that declares no reserved concurrency: more than this on one
// machine only adds memory, fewer would let a function that calls itself through the gateway starve.
const defaultProcesses = 10

// Errors of Invoke: the event never reached a process.
var (
	ErrUnknownFunction = errors.New("no such function")
	ErrTooLarge        = errors.New("event is larger than 6 MB")
	ErrThrottled       = errors.New("too many events wait for this function")
	ErrStopped         = errors.New("the runtime has stopped")
)

// Function is what one function's processes are started with.
type Function struct {
	Name         string            // short name, used by Invoke and as log prefix
	FunctionName string            // AWS_LAMBDA_FUNCTION_NAME
	Binary       string            // path of the bootstrap
	Environment  map[string]string // exactly what the template declares
	Endpoint     string            // of the store for this function alone; empty takes the runtime's
	Timeout      time.Duration     // of one invocation
	MemoryMB     int               // told to the process, not enforced
	MaxProcesses int               // 0: a default of 10
}

// Sandbox is what the runner, and only the runner, hands to functions that ask for the sandbox payment provider.
type Sandbox struct {
	Key string `json:"key"` // hex
	URL string `json:"url"` // of the runner, without a trailing slash
}

// Options of Start. Endpoint and Mail are injected as AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_SESV2. A nil Log
// discards what functions print.
type Options struct {
	Functions []Function
	Region    string
	Endpoint  string
	Mail      string
	Sandbox   *Sandbox
	Log       io.Writer
}

// Result is what an invocation produced: the function's payload, or, with FunctionError, Lambda's error document.
type Result struct {
	Payload       []byte
	FunctionError bool
}

// Runtime holds one pool of processes per function.
type Runtime struct {
	pools   map[string]*pool
	options Options
	logLock sync.Mutex
}

// Start makes the pools. Processes start with the first event of each function.
func Start(o Options) (*Runtime, error) {
	r := &Runtime{pools: make(map[string]*pool, len(o.Functions)), options: o}
	for _, f := range o.Functions {
		if _, twice := r.pools[f.Name]; twice {
			return nil, fmt.Errorf("function %s is declared twice", f.Name)
		}
		if f.Timeout <= 0 {
			return nil, fmt.Errorf("function %s has no timeout", f.Name)
		}
		if f.MaxProcesses <= 0 {
			f.MaxProcesses = defaultProcesses
		}
		r.pools[f.Name] = newPool(r, f)
	}
	return r, nil
}

// Invoke hands one event to a process of the function and waits for its answer. An error means that no process took
// the event or that ctx ended first; the function then may still be working on it, as on Lambda.
func (r *Runtime) Invoke(ctx context.Context, function string, payload []byte) (Result, error) {
	p, ok := r.pools[function]
	if !ok {
		return Result{}, fmt.Errorf("invoke %q: %w", function, ErrUnknownFunction)
	}
	if len(payload) > MaxPayload {
		return Result{}, fmt.Errorf("invoke %s: %w", function, ErrTooLarge)
	}
	result, err := p.invoke(ctx, payload)
	if err != nil {
		return Result{}, fmt.Errorf("invoke %s: %w", function, err)
	}
	return result, nil
}

// Kill ends one process of the function that is in the middle of an event, and tells whether there was one.
func (r *Runtime) Kill(function string) bool {
	p, ok := r.pools[function]
	return ok && p.killBusy()
}

// KillNext ends the process that takes the function's next event, after the given time of work on it.
func (r *Runtime) KillNext(function string, after time.Duration) bool {
	p, ok := r.pools[function]
	if ok {
		p.armKill(after)
	}
	return ok
}

// Usage returns what each function has used so far, live processes included.
func (r *Runtime) Usage() map[string]Usage {
	all := make(map[string]Usage, len(r.pools))
	for name, p := range r.pools {
		all[name] = p.usageNow()
	}
	return all
}

// Stop refuses further events, waits for running ones until ctx ends, and kills every process.
func (r *Runtime) Stop(ctx context.Context) {
	var all sync.WaitGroup
	for _, p := range r.pools {
		all.Go(func() { p.stop(ctx) })
	}
	all.Wait()
}

// failure is Lambda's error document for an invocation that ended without the function's own answer.
func failure(kind, message string) Result {
	body, err := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, message})
	if err != nil { // Two strings always marshal.
		panic(err)
	}
	return Result{Payload: body, FunctionError: true}
}
