// Package local runs the whole store on one machine from infra/template.yaml: the functions as their real bootstrap
// processes, the gateway, the streams, the schedules and the store engine, and what exists only locally (login,
// sandbox payments, the /_local routes). End-to-end tests and benchmarks start it too.
package local

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"yundian/infra/local/engine"
	"yundian/infra/local/issuer"
	"yundian/infra/local/lambda"
	"yundian/infra/local/sandbox"
	"yundian/infra/local/streams"
	"yundian/infra/local/template"
)

// Options say what to run and where.
type Options struct {
	Root       string            // of the repository; holds go.mod and .tools
	Template   string            // empty means infra/template.yaml below Root
	Parameters map[string]string // of the template, over its defaults and the runner's own
	DataDir    string            // keeps everything that survives a restart; required
	Address    string            // to listen on; empty means 127.0.0.1:0
	Store      string            // engine.Dynoxide (also when empty), engine.DynamoDBLocal, or an endpoint's address
	InMemory   bool              // the engine keeps nothing when it ends
	Prebuilt   string            // folder of `sam build` artifacts to run instead of building
	// Proxy may put something between a function and the store: it gets the function's name and the store's address
	// and gives another address.
	Proxy func(function, endpoint string) (string, error)
	// Offer are users that the login page offers.
	Offer    []issuer.User
	BinDir   string    // for the functions' binaries, to share them between data folders; empty means below DataDir
	Log      io.Writer // function logs; nil discards
	Progress io.Writer // how long each part of the start took; nil discards
}

// Runner is a running store.
type Runner struct {
	URL      string // http://127.0.0.1:<port>
	Endpoint string // of the store engine itself, without any proxy
	Model    *template.Model
	Engine   *engine.Engine // nil with an endpoint of the caller's
	DB       *dynamodb.Client

	o          Options
	secrets    secretFile
	sandboxKey string
	binaries   map[string]string // of functions, by name
	runtime    *lambda.Runtime
	poller     atomic.Pointer[streams.Poller]
	issuer     *issuer.Issuer
	sandbox    *sandbox.Sandbox
	schedules  *schedules
	progress   progress
	webhooks   atomic.Int64   // that have arrived so far
	closers    []func() error // in the order things were started
}

// clientID is the application that the local issuer knows: the portal.
const clientID = "yundian-portal"

// Start runs everything and returns when it serves. What it started before an error is stopped again.
func Start(ctx context.Context, o Options) (*Runner, error) {
	r, err := prepare(o)
	if err != nil {
		return nil, err
	}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

// prepare fills in what the options leave open and takes the data folder; it starts nothing.
func prepare(o Options) (*Runner, error) {
	if o.DataDir == "" || o.Root == "" {
		return nil, errors.New("local: Root and DataDir are required")
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.Template == "" {
		o.Template = filepath.Join(o.Root, "infra", "template.yaml")
	}
	var err error
	if o.DataDir, err = filepath.Abs(o.DataDir); err != nil {
		return nil, fmt.Errorf("find the data folder: %w", err)
	}
	if err := os.MkdirAll(o.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	unlock, err := lockData(o.DataDir)
	if err != nil {
		return nil, err
	}
	return &Runner{o: o, progress: progress{to: o.Progress}, closers: []func() error{unlock}}, nil
}

func (r *Runner) start(ctx context.Context) error {
	listener, err := r.listen()
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name  string
		start func(context.Context) error
	}{
		{"read template", r.readTemplate},
		{"start store engine", r.startEngine},
		{"create tables", r.createTables},
		{"build functions", r.buildFunctions},
		{"prepare functions", r.startFunctions},
		{"start login and sandbox payments", r.startLocal},
		{"start gateway", func(context.Context) error { return r.serve(listener) }},
		{"start streams", r.startStreams},
		{"start schedules", r.startSchedules},
	} {
		if err := r.progress.run(part.name, func() error { return part.start(ctx) }); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// lockData takes the data folder for this process: a second runner on it would write into the same store.
func lockData(dir string) (func() error, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("another store is running on the data folder %s (DATA= chooses another): %w", dir, err)
	}
	return f.Close, nil
}

func (r *Runner) listen() (net.Listener, error) {
	address := r.o.Address
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s (is a store already running? PORT= chooses another port): %w", address, err)
	}
	r.closers = append(r.closers, func() error {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	r.URL = "http://" + l.Addr().String()
	return l, nil
}

func (r *Runner) readTemplate(context.Context) error {
	r.secrets = secretFile{path: filepath.Join(r.o.DataDir, "secrets.json")}
	model, err := template.Read(r.o.Template, template.Options{Region: engine.Region, Secret: r.secrets.value, Parameters: r.o.Parameters,
		Defaults: map[string]string{"Issuer": r.issuerURL(), "Audience": clientID, "PortalClientId": clientID,
			"Providers": "sandbox,on_delivery", "PayoutRails": "bank,sandbox", "MailFrom": "shop@yundian.example", "PublicUrl": r.URL,
			"Architecture": architecture()}})
	if err != nil {
		return err
	}
	r.Model = model
	return nil
}

func (r *Runner) issuerURL() string { return r.URL + "/_local/issuer" }

func (r *Runner) startEngine(ctx context.Context) error {
	switch kind := r.o.Store; kind {
	case "", engine.Dynoxide, engine.DynamoDBLocal:
		data := filepath.Join(r.o.DataDir, "store")
		if r.o.InMemory {
			data = ""
		}
		e, err := engine.Start(ctx, engine.Options{Kind: kind, DataDir: data, ToolsDir: filepath.Join(r.o.Root, ".tools"), Log: io.Discard})
		if err != nil {
			return err
		}
		r.Engine, r.Endpoint = e, e.Endpoint
		r.closers = append(r.closers, e.Stop)
	default:
		r.Endpoint = kind
	}
	r.DB = engine.Client(r.Endpoint)
	return nil
}

func (r *Runner) createTables(ctx context.Context) error {
	var tables []engine.Table
	for _, t := range r.Model.Tables {
		e := engine.Table{Name: t.Name, StreamView: t.StreamView, TTLAttribute: t.TTLAttribute}
		if t.Key.Hash != "pk" || t.Key.Sort != "sk" {
			return fmt.Errorf("table %s: its key must be pk and sk", t.LogicalID)
		}
		for _, i := range t.Indexes {
			e.GSIs = append(e.GSIs, engine.GSI{Name: i.Name, PK: i.Key.Hash, SK: i.Key.Sort, Projection: i.Projection, Include: i.Include})
		}
		tables = append(tables, e)
	}
	return engine.CreateTables(ctx, r.DB, tables)
}

func (r *Runner) startFunctions(context.Context) error {
	var err error
	var functions []lambda.Function
	for _, f := range r.Model.Functions {
		endpoint := r.Endpoint
		if r.o.Proxy != nil {
			if endpoint, err = r.o.Proxy(f.Name, endpoint); err != nil {
				return fmt.Errorf("put a proxy between %s and the store: %w", f.Name, err)
			}
		}
		functions = append(functions, lambda.Function{Name: f.Name, FunctionName: f.FunctionName, Binary: r.binaries[f.Name], Environment: f.Environment, Endpoint: endpoint,
			Timeout: f.Timeout, MemoryMB: f.MemoryMB, MaxProcesses: f.Concurrency})
	}
	r.sandboxKey, err = r.secrets.kept("sandbox key", func() (string, error) {
		key := make([]byte, 32)
		rand.Read(key) // never fails
		return hex.EncodeToString(key), nil
	})
	if err != nil {
		return err
	}
	r.runtime, err = lambda.Start(lambda.Options{Functions: functions, Region: engine.Region,
		Sandbox: &lambda.Sandbox{Key: r.sandboxKey, URL: r.URL}, Mail: r.URL + mailPath, Log: r.o.Log})
	if err != nil {
		return err
	}
	r.closers = append(r.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		r.runtime.Stop(ctx)
		return nil
	})
	return nil
}

// SandboxKey signs the sandbox's webhooks: for tests and benchmarks that send some themselves.
func (r *Runner) SandboxKey() string { return r.sandboxKey }
