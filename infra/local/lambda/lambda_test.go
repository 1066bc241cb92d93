package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

var binaries map[string]string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	out, err := os.MkdirTemp("", "yundian-lambda-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(out)
	root, err := filepath.Abs("../../..")
	if err != nil {
		return 0, err
	}
	functions := filepath.Join(root, "infra/local/testdata/functions")
	b := Builder{Root: root, Out: out, Folders: []string{filepath.Join(functions, "probe"), filepath.Join(functions, "broken")}}
	if binaries, err = b.Build(context.Background()); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// buffer is an io.Writer for several processes.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func start(t *testing.T, f Function, o Options) *Runtime {
	t.Helper()
	if f.Name == "" {
		f.Name = "probe"
	}
	f.FunctionName = "yundian-" + f.Name
	f.Binary = binaries[f.Name]
	if f.Timeout == 0 {
		f.Timeout = 20 * time.Second
	}
	o.Functions = []Function{f}
	o.Region = "eu-west-1"
	r, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		r.Stop(ctx)
	})
	return r
}

func invoke(t *testing.T, r *Runtime, event string) Result {
	t.Helper()
	result, err := r.Invoke(t.Context(), "probe", []byte(event))
	if err != nil {
		t.Fatalf("invoke with %s: %v", event, err)
	}
	return result
}

func value[T any](t *testing.T, r Result) T {
	t.Helper()
	var v T
	if r.FunctionError {
		t.Fatalf("function error: %s", r.Payload)
	}
	if err := json.Unmarshal(r.Payload, &v); err != nil {
		t.Fatalf("read %s: %v", r.Payload, err)
	}
	return v
}

func TestInvoke(t *testing.T) {
	r := start(t, Function{}, Options{})
	if got := string(invoke(t, r, `{"hello":"云店"}`).Payload); got != `{"hello":"云店"}` {
		t.Errorf("got %s", got)
	}
	first := value[int](t, invoke(t, r, `{"do":"pid"}`))
	if second := value[int](t, invoke(t, r, `{"do":"pid"}`)); second != first {
		t.Errorf("an idle process was not used again: %d then %d", first, second)
	}
	c := value[map[string]any](t, invoke(t, r, `{"do":"context"}`))
	if c["arn"] != "arn:aws:lambda:eu-west-1:000000000000:function:yundian-probe" || len(c["id"].(string)) != 36 {
		t.Errorf("context %v", c)
	}
	if left := c["left"].(float64); left <= 0 || left > 20 {
		t.Errorf("deadline is %v s away, the timeout is 20 s", left)
	}
	if _, err := r.Invoke(t.Context(), "other", nil); !errors.Is(err, ErrUnknownFunction) {
		t.Errorf("unknown function: %v", err)
	}
}

func TestEnvironmentIsExactlyWhatLambdaGives(t *testing.T) {
	t.Setenv("LEAK", "from the runner")
	r := start(t, Function{Environment: map[string]string{"SHOP_TABLE": "shop"}, MemoryMB: 256}, Options{Endpoint: "http://store"})
	got := map[string]string{}
	for _, pair := range value[[]string](t, invoke(t, r, `{"do":"environment"}`)) {
		name, text, _ := strings.Cut(pair, "=")
		got[name] = text
	}
	for name, want := range map[string]string{"SHOP_TABLE": "shop", "AWS_LAMBDA_FUNCTION_NAME": "yundian-probe",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_DYNAMODB": "http://store"} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	if _, leaked := got["LEAK"]; leaked || got["HOME"] != "" {
		t.Errorf("the runner's environment reached the function: %v", got)
	}
}

func TestFunctionErrors(t *testing.T) {
	patient, hasty := start(t, Function{}, Options{}), start(t, Function{Timeout: 100 * time.Millisecond}, Options{})
	cases := []struct{ name, event, kind, message string }{
		{"error", `{"do":"fail","error":"no luck"}`, "errorString", "no luck"},
		{"panic", `{"do":"panic","error":"boom"}`, "string", "boom"},
		{"exit", `{"do":"exit"}`, "Runtime.ExitError", "exit status 3"},
		{"deadline", `{"do":"hang"}`, "Sandbox.Timedout", "Task timed out after 0.10 seconds"},
		{"response too large", fmt.Sprintf(`{"do":"large","size":%d}`, MaxPayload), "Function.ResponseSizeTooLarge", "exceeded"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := patient
			if c.name == "deadline" {
				r = hasty
			}
			result := invoke(t, r, c.event)
			var e struct{ ErrorType, ErrorMessage string }
			if err := json.Unmarshal(result.Payload, &e); err != nil {
				t.Fatal(err)
			}
			if !result.FunctionError || e.ErrorType != c.kind || !strings.Contains(e.ErrorMessage, c.message) {
				t.Errorf("got %v %s", result.FunctionError, result.Payload)
			}
			if got := string(invoke(t, patient, `{"a":1}`).Payload); got != `{"a":1}` {
				t.Errorf("the next event failed: %s", got)
			}
		})
	}
	if u := patient.Usage()["probe"]; u.Failures != len(cases)-1 {
		t.Errorf("%d failures counted, want %d", u.Failures, len(cases)-1)
	}
}

func TestKilledProcessIsAFailedInvocation(t *testing.T) {
	r := start(t, Function{}, Options{})
	if r.Kill("probe") {
		t.Error("killed a process that holds no event")
	}
	before := value[int](t, invoke(t, r, `{"do":"pid"}`))
	begun := filepath.Join(t.TempDir(), "begun")
	result := make(chan Result, 1)
	go func() {
		got, _ := r.Invoke(t.Context(), "probe", fmt.Appendf(nil, `{"do":"hang","file":%q}`, begun))
		result <- got
	}()
	for _, err := os.Stat(begun); err != nil; _, err = os.Stat(begun) {
		runtime.Gosched()
	}
	if !r.Kill("probe") {
		t.Fatal("found no process to kill")
	}
	if got := <-result; !got.FunctionError || !strings.Contains(string(got.Payload), "signal: killed") {
		t.Errorf("got %s", got.Payload)
	}
	if after := value[int](t, invoke(t, r, `{"do":"pid"}`)); after == before {
		t.Error("the killed process answered")
	}
}

func TestKillNext(t *testing.T) {
	r := start(t, Function{}, Options{})
	if !r.KillNext("probe", 0) || r.KillNext("other", 0) {
		t.Error("KillNext must know its functions")
	}
	if got := invoke(t, r, `{"do":"hang"}`); !got.FunctionError || !strings.Contains(string(got.Payload), "signal: killed") {
		t.Errorf("got %s", got.Payload)
	}
	invoke(t, r, `{}`)
}

func TestBrokenStart(t *testing.T) {
	r := start(t, Function{Name: "broken"}, Options{})
	result, err := r.Invoke(t.Context(), "broken", []byte(`{}`))
	if err != nil || !result.FunctionError || !strings.Contains(string(result.Payload), "exit status 7") {
		t.Errorf("got %s, %v", result.Payload, err)
	}
}

func TestOneEventAtATimeUpToTheLimit(t *testing.T) {
	const limit = 3
	r := start(t, Function{MaxProcesses: limit}, Options{})
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			want := fmt.Sprintf(`{"n":%d}`, i)
			got, err := r.Invoke(t.Context(), "probe", []byte(want))
			if err != nil || string(got.Payload) != want {
				t.Errorf("event %d: %s, %v", i, got.Payload, err)
			}
		})
	}
	all.Wait()
	u := r.Usage()["probe"]
	if u.Started > limit || u.Invocations != 200 {
		t.Errorf("%d processes for %d events, limit %d", u.Started, u.Invocations, limit)
	}
	if u.PeakRSS == 0 || len(u.StartUps) != u.Started {
		t.Errorf("usage %+v", u)
	}
}

func TestCallerGivesUp(t *testing.T) {
	r := start(t, Function{MaxProcesses: 1}, Options{})
	begun := filepath.Join(t.TempDir(), "begun")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := r.Invoke(ctx, "probe", fmt.Appendf(nil, `{"do":"hang","file":%q}`, begun))
		done <- err
	}()
	for _, err := os.Stat(begun); err != nil; _, err = os.Stat(begun) {
		runtime.Gosched()
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if !r.Kill("probe") {
		t.Error("the function stopped working with its caller, unlike on Lambda")
	}
	invoke(t, r, `{}`)
}

func TestStopEndsEveryProcess(t *testing.T) {
	r := start(t, Function{}, Options{})
	pid := value[int](t, invoke(t, r, `{"do":"pid"}`))
	r.Stop(t.Context())
	if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil {
		t.Errorf("process %d is alive", pid)
	}
	if _, err := r.Invoke(t.Context(), "probe", []byte(`{}`)); !errors.Is(err, ErrStopped) {
		t.Errorf("invoke after stop: %v", err)
	}
	if u := r.Usage()["probe"]; u.Live != 0 || u.PeakRSS == 0 {
		t.Errorf("usage after stop: %+v", u)
	}
}

func TestSandboxKey(t *testing.T) {
	without := value[map[string]any](t, invoke(t, start(t, Function{}, Options{}), `{"do":"sandbox"}`))
	if without["status"] != 404.0 {
		t.Errorf("without a key: %v", without)
	}
	r := start(t, Function{}, Options{Sandbox: &Sandbox{Key: "0a", URL: "http://127.0.0.1:1"}})
	with := value[map[string]any](t, invoke(t, r, `{"do":"sandbox"}`))
	if with["status"] != 200.0 || with["body"] != `{"key":"0a","url":"http://127.0.0.1:1"}` {
		t.Errorf("with a key: %v", with)
	}
}

func TestOutputCarriesTheFunctionsName(t *testing.T) {
	var log buffer
	r := start(t, Function{}, Options{Log: &log})
	invoke(t, r, `{"do":"print","error":"two\nlines"}`)
	r.Stop(t.Context()) // flushes the line that was not ended
	for _, want := range []string{"[probe] two\n", "[probe] lines\n", "[probe] no newline\n"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, log.String())
		}
	}
}

func TestTooLargeAnEvent(t *testing.T) {
	r := start(t, Function{}, Options{})
	if _, err := r.Invoke(t.Context(), "probe", make([]byte, MaxPayload+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestBuildIsSkippedUntilASourceChanges(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example\ngo 1.26\n")
	write("f/main.go", "package main\nfunc main() {}\n")
	b := Builder{Root: root, Folders: []string{filepath.Join(root, "f")}, Out: filepath.Join(root, ".local", "bin")}
	build := func() os.FileInfo {
		t.Helper()
		built, err := b.Build(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(built["f"])
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	first := build()
	if again := build(); again.ModTime() != first.ModTime() {
		t.Error("nothing changed, yet it was built")
	}
	write("f/main.go", "package main\nfunc main() { println(1) }\n")
	if changed := build(); changed.ModTime() == first.ModTime() {
		t.Error("a source changed, yet it was not built")
	}
	write("f/main.go", "package main\nfunc main() { wrong }\n")
	if _, err := b.Build(t.Context()); err == nil || !strings.Contains(err.Error(), "wrong") {
		t.Errorf("a source that does not compile: %v", err)
	}
}

func BenchmarkInvoke(b *testing.B) {
	r, err := Start(Options{Functions: []Function{{Name: "probe", Binary: binaries["probe"], Timeout: time.Minute}}})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		r.Stop(context.Background())
		b.ReportMetric(float64(r.Usage()["probe"].CPU.Microseconds())/float64(b.N), "function-µs/op")
	}()
	event := []byte(`{"text":"` + strings.Repeat("x", 2000) + `"}`)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := r.Invoke(context.Background(), "probe", event); err != nil {
				b.Fatal(err)
			}
		}
	})
}
