// Package engine runs the DynamoDB-compatible store beside the local shop: it starts the chosen engine as a child
// process, waits until it answers, creates the tables and measures what the process costs.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// The engines that Start knows.
const (
	Dynoxide      = "dynoxide"
	DynamoDBLocal = "dynamodb-local"
)

const (
	// startLimit bounds the wait for the first answer: a cold Java start on a loaded machine takes up to 15 s.
	startLimit = 60 * time.Second
	// stopLimit is what a child gets between the polite signal and SIGKILL. Both engines keep every acknowledged write
	// on disk, so a kill loses nothing.
	stopLimit = 5 * time.Second
	// portTries bounds how often a port taken by somebody else between choosing and listening is replaced.
	portTries = 5
	// The first probes come fast because Dynoxide needs 4 ms, the later ones seldom because Java needs seconds.
	probeFirst, probeLast = time.Millisecond, 25 * time.Millisecond
)

// Options choose an engine and where it keeps its data.
type Options struct {
	Kind     string    // Dynoxide or DynamoDBLocal; empty means Dynoxide
	DataDir  string    // folder that survives restarts; empty keeps nothing, in memory or in files that nobody else can open
	ToolsDir string    // folder that `make setup` fills, normally .tools at the top of the repository
	Log      io.Writer // what the engine prints; nil discards it
}

// Engine is a running child process. Its methods are safe for concurrent use.
type Engine struct {
	Kind     string
	Endpoint string // http://127.0.0.1:<port>
	PID      int
	Took     time.Duration // from Start until it can be used

	done    chan struct{} // closed when the process has ended
	waitErr error         // how it ended; read after done is closed
	stop    sync.Once
}

// Start runs the engine and returns when it answers requests. The child dies with this process, even when this process
// is killed. Errors: an unknown kind, a missing program (with the command that installs it), a start that failed or took
// longer than a minute.
func Start(ctx context.Context, o Options) (*Engine, error) {
	if o.Kind == "" {
		o.Kind = Dynoxide
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.DataDir != "" {
		if err := os.MkdirAll(o.DataDir, 0o755); err != nil {
			return nil, fmt.Errorf("create the data folder of %s: %w", o.Kind, err)
		}
	}
	var last error
	for range portTries {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		e, err := startOn(ctx, o, port)
		if err == nil {
			return e, nil
		}
		if !errors.Is(err, errPortTaken) {
			return nil, err
		}
		last = err
	}
	return nil, last
}

// errPortTaken marks a start that lost its port to another process, the one failure that a second try can mend.
var errPortTaken = errors.New("the port was taken by another process")

func startOn(ctx context.Context, o Options, port int) (*Engine, error) {
	if o.Kind == Dynoxide && o.DataDir == "" {
		dir, err := temporaryFolder(sharedMemory)
		if err != nil {
			return nil, err
		}
		// Dynoxide opens its files once, at its start. Without names they are gone when it ends, whatever ends it.
		defer os.RemoveAll(dir)
		o.DataDir = dir
	}
	cmd, err := command(o, port)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = o.Log, o.Log
	// A group of its own keeps Ctrl-C in the terminal from ending the store before the functions that still use it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	e := &Engine{Kind: o.Kind, Endpoint: "http://127.0.0.1:" + strconv.Itoa(port), done: make(chan struct{})}
	began := time.Now()
	started := make(chan error)
	go e.run(cmd, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Kind, err)
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := e.awaitAnswer(ctx, port); err != nil {
		e.kill()
		return nil, fmt.Errorf("start %s: %w", o.Kind, err)
	}
	if o.Kind == Dynoxide {
		if err := indexStreams(ctx, o.DataDir); err != nil {
			e.kill()
			return nil, fmt.Errorf("start %s: %w", o.Kind, err)
		}
	}
	e.Took = time.Since(began)
	return e, nil
}

// run starts the child and waits for its end on one locked thread: the kernel sends the parent-death signal when the
// thread that forked ends, not when the process ends, so that thread must live as long as the child.
func (e *Engine) run(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		close(e.done)
		started <- err
		return
	}
	e.PID = cmd.Process.Pid
	started <- nil
	e.waitErr = cmd.Wait()
	close(e.done)
}

// command is the child's program with its arguments; it checks that the program is there.
func command(o Options, port int) (*exec.Cmd, error) {
	p := strconv.Itoa(port)
	switch o.Kind {
	case Dynoxide:
		program := filepath.Join(o.ToolsDir, "dynoxide", "dynoxide")
		if err := installed(program); err != nil {
			return nil, err
		}
		return exec.Command(program, "serve", "--host", "127.0.0.1", "--port", p, "--db-path", filepath.Join(o.DataDir, databaseFile)), nil
	case DynamoDBLocal:
		home := filepath.Join(o.ToolsDir, "dynamodb-local")
		jar := filepath.Join(home, "DynamoDBLocal.jar")
		if err := installed(jar); err != nil {
			return nil, err
		}
		java, err := exec.LookPath("java")
		if err != nil {
			return nil, fmt.Errorf("DynamoDB Local needs Java 17: %w", err)
		}
		args := []string{"-Djava.library.path=" + filepath.Join(home, "DynamoDBLocal_lib"), "-jar", jar,
			"-port", p, "-sharedDb", "-disableTelemetry"}
		if o.DataDir == "" {
			args = append(args, "-inMemory")
		} else {
			args = append(args, "-dbPath", o.DataDir)
		}
		return exec.Command(java, args...), nil
	default:
		return nil, fmt.Errorf("unknown store engine %q: STORE is %s or %s", o.Kind, Dynoxide, DynamoDBLocal)
	}
}

func installed(path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("the store engine is not installed (%w): run make setup", err)
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("choose a port for the store engine: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// awaitAnswer returns when the child itself listens on port and answers HTTP. Asking who listens matters: between
// choosing the port and the child's bind another process may have taken it and would answer in its place.
func (e *Engine) awaitAnswer(ctx context.Context, port int) error {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for wait := probeFirst; ; wait = min(wait*2, probeLast) {
		select {
		case <-e.done:
			if listens(port) {
				return fmt.Errorf("%w (%v)", errPortTaken, e.waitErr)
			}
			return fmt.Errorf("it ended before it answered (%v); its own words are in its log", e.waitErr)
		case <-ctx.Done():
			return fmt.Errorf("no answer: %w", ctx.Err())
		case <-time.After(wait):
		}
		if !ownsPort(e.PID, port) {
			continue
		}
		// Any HTTP answer will do: both engines refuse a plain GET, each in its own way, once they serve.
		if res, err := client.Get(e.Endpoint); err == nil {
			res.Body.Close()
			return nil
		}
	}
}

// Done is closed when the process has ended, asked or not.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Stop ends the process and waits for it: a polite signal first, SIGKILL after five seconds. It can be called more than
// once. It returns an error when the process had already ended by itself, because then writes were refused meanwhile.
func (e *Engine) Stop() error {
	var early error
	e.stop.Do(func() {
		select {
		case <-e.done:
			early = fmt.Errorf("the store engine %s had ended by itself: %v", e.Kind, e.waitErr)
			return
		default:
		}
		_ = syscall.Kill(e.PID, syscall.SIGTERM)
		select {
		case <-e.done:
		case <-time.After(stopLimit):
			e.kill()
		}
	})
	return early
}

func (e *Engine) kill() {
	_ = syscall.Kill(e.PID, syscall.SIGKILL)
	<-e.done
}
