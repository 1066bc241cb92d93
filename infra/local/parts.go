package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"yundian/infra/local/demo"
	"yundian/infra/local/engine"
	"yundian/infra/local/gateway"
	"yundian/infra/local/issuer"
	"yundian/infra/local/lambda"
	"yundian/infra/local/mails"
	"yundian/infra/local/sandbox"
	"yundian/infra/local/streams"
	"yundian/infra/local/template"
	"yundian/shared/provider"
)

// progress prints how long each part of the start took.
type progress struct {
	to io.Writer
}

func (p progress) run(name string, part func() error) error {
	fmt.Fprintf(p.to, "%-34s ", name) // before the part, so that one sees what takes its time
	began := time.Now()
	if err := part(); err != nil {
		fmt.Fprintln(p.to, "failed")
		return err
	}
	fmt.Fprintf(p.to, "%6.2f s\n", time.Since(began).Seconds())
	return nil
}

// secretFile keeps generated secrets in the data folder, for their owner only.
type secretFile struct {
	path string
}

// value is a secret of the template: the declared one, or one generated once.
func (f secretFile) value(s template.Secret) (string, error) {
	if s.Generate == nil {
		return s.Value, nil
	}
	return f.kept(s.LogicalID, func() (string, error) { return generate(*s.Generate) })
}

// kept is the secret of this name, made when there is none yet.
func (f secretFile) kept(name string, generate func() (string, error)) (string, error) {
	all := map[string]string{}
	text, err := os.ReadFile(f.path)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read kept secrets in %s: %w", f.path, err)
	}
	if s, ok := all[name]; ok {
		return s, nil
	}
	if all[name], err = generate(); err != nil {
		return "", fmt.Errorf("generate secret %s: %w", name, err)
	}
	if text, err = json.Marshal(all); err != nil {
		return "", err
	}
	if err := os.WriteFile(f.path, text, 0o600); err != nil {
		return "", fmt.Errorf("keep secret %s: %w", name, err)
	}
	return all[name], nil
}

// architecture is this machine's, in the template's words: the functions run here.
func architecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

// buildFunctions finds the functions' bootstraps: prebuilt ones, or built now if anything changed since the last time.
func (r *Runner) buildFunctions(ctx context.Context) error {
	var err error
	if r.o.Prebuilt != "" {
		r.binaries = map[string]string{}
		for _, f := range r.Model.Functions {
			if r.binaries[f.Name], err = lambda.Prebuilt(r.o.Prebuilt, f.LogicalID); err != nil {
				return err
			}
		}
		return nil
	}
	b := lambda.Builder{Root: r.o.Root, Out: r.o.BinDir, Log: r.o.Log}
	if b.Out == "" {
		b.Out = filepath.Join(r.o.DataDir, "bin")
	}
	for _, f := range r.Model.Functions {
		b.Folders = append(b.Folders, f.Folder)
	}
	r.binaries, err = b.Build(ctx)
	return err
}

// startLocal starts what exists only locally.
func (r *Runner) startLocal(context.Context) error {
	var err error
	r.issuer, err = issuer.New(issuer.Options{URL: r.issuerURL(), KeyFile: filepath.Join(r.o.DataDir, "issuer.pem"), ClientID: clientID,
		Users: r.o.Offer, Now: time.Now})
	if err != nil {
		return err
	}
	r.sandbox, err = sandbox.New(sandbox.Options{Key: r.sandboxKey, WebhookURL: r.URL + "/webhooks/" + provider.Sandbox, Now: time.Now,
		DataFile: filepath.Join(r.o.DataDir, "sandbox.journal"), Log: slog.New(slog.NewTextHandler(r.o.Log, nil))})
	if err != nil {
		return err
	}
	r.closers = append(r.closers, r.sandbox.Close)
	return nil
}

// mailPath is where the functions send e-mails, and where they are shown.
const mailPath = "/_local/mails"

// serve puts the gateway and the local routes behind the listener.
func (r *Runner) serve(l net.Listener) error {
	g, err := gateway.New(r.gatewayOptions())
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/_local/issuer/", http.StripPrefix("/_local/issuer", r.issuer))
	mux.Handle(provider.SandboxPath+"/", http.StripPrefix(provider.SandboxPath, r.sandbox))
	sent := mails.New(time.Now)
	mux.Handle("POST "+mailPath+"/", http.StripPrefix(mailPath, sent))
	mux.HandleFunc("GET "+mailPath, sent.Show)
	mux.Handle("GET /_local/demo/", http.StripPrefix("/_local/demo", demo.Pictures()))
	mux.HandleFunc("GET /_local/token", r.token)
	mux.HandleFunc("POST /_local/run/{function}", r.run)
	mux.HandleFunc("GET /_local/quiet", r.quiet)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		// The local routes are apart from the API, whose paths must reach the functions exactly as they came.
		Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if strings.HasPrefix(req.URL.Path, "/_local/") {
				if reason := foreign(req); reason != "" {
					reply(w, http.StatusForbidden, map[string]string{"message": reason})
					return
				}
				mux.ServeHTTP(w, req)
				return
			}
			if strings.HasPrefix(req.URL.Path, "/webhooks/") {
				r.webhooks.Add(1)
			}
			g.ServeHTTP(w, req)
			if req.Method != http.MethodGet && req.Method != http.MethodHead {
				r.notify() // something may have been written: look now rather than at the next poll
			}
		}),
		ErrorLog: slog.NewLogLogger(slog.NewTextHandler(r.o.Log, nil), slog.LevelWarn)}
	go server.Serve(gateway.Listener(l)) //nolint:errcheck // ends with Shutdown
	r.closers = append(r.closers, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			return server.Close()
		}
		return nil
	})
	return nil
}

// foreign is why a request to the local routes is refused, or nothing. They hand out logins, move clocks and pay orders
// without a password, so that no page from elsewhere may have this machine's browser ask for any of it: its answer would
// stay hidden from the page, and what it does would be done. Clients that are no browsers send neither header.
func foreign(req *http.Request) string {
	if !loopback(req.Host) {
		return "the local routes answer to this machine's own names only"
	}
	const elsewhere = "the local routes answer to the store's own pages only"
	for _, origin := range req.Header.Values("Origin") {
		if origin != "http://"+req.Host {
			return elsewhere
		}
	}
	reads := req.Method == http.MethodGet || req.Method == http.MethodHead
	switch req.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return ""
	default:
		// Somebody may follow a link here, such as to a payment: the page it comes from sees nothing of the answer.
		if reads && req.Header.Get("Sec-Fetch-Mode") == "navigate" && req.Header.Get("Sec-Fetch-Dest") == "document" {
			return ""
		}
		return elsewhere
	}
}

// loopback says whether a Host header names this machine. A page elsewhere on the web can make a browser send
// requests here under a name of its own (DNS rebinding), and /_local hands out tokens.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (r *Runner) gatewayOptions() gateway.Options {
	api := r.Model.API
	o := gateway.Options{Authorizers: map[string]gateway.Authorizer{}, Rate: api.Throttle.Rate, Burst: api.Throttle.Burst, Now: time.Now,
		Invoke: func(ctx context.Context, function string, payload []byte) ([]byte, bool, error) {
			result, err := r.runtime.Invoke(ctx, function, payload)
			switch {
			case errors.Is(err, lambda.ErrTooLarge):
				err = errors.Join(gateway.ErrTooLarge, err)
			case errors.Is(err, lambda.ErrThrottled):
				err = errors.Join(gateway.ErrBusy, err)
			}
			return result.Payload, result.FunctionError, err
		}}
	for _, a := range api.Authorizers {
		o.Authorizers[a.Name] = gateway.Authorizer{Issuer: a.Issuer, Audience: a.Audience}
	}
	for _, t := range api.Routes {
		o.Routes = append(o.Routes, gateway.Route{Path: t.Path, Method: t.Method, Function: t.Function, Authorizer: t.Authorizer,
			Scopes: t.Scopes, Timeout: t.Timeout, Rate: t.Throttle.Rate, Burst: t.Throttle.Burst})
	}
	return o
}

// startStreams applies every event source mapping of the template.
func (r *Runner) startStreams(ctx context.Context) error {
	o := streams.Options{Client: r.DB, StreamsClient: engine.StreamsClient(r.Endpoint), CheckpointFile: filepath.Join(r.o.DataDir, "streams.json"),
		OnFailureDir: filepath.Join(r.o.DataDir, "failed"), Log: slog.New(slog.NewTextHandler(r.o.Log, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Invoke: func(ctx context.Context, function string, payload []byte) ([]byte, bool, error) {
			result, err := r.runtime.Invoke(ctx, function, payload)
			defer r.notify() // what a function writes may be another one's stream
			return result.Payload, result.FunctionError, err
		}}
	if r.o.InMemory {
		o.CheckpointFile = "" // of streams that are gone after a restart
	}
	for _, m := range r.Model.Mappings {
		age := m.MaxAge
		if age == 0 {
			age = -1
		}
		o.Mappings = append(o.Mappings, streams.Mapping{Table: m.Table, Function: m.Function, BatchSize: m.BatchSize, BatchingWindow: m.BatchingWindow,
			Filters: m.Filters, ReportBatchItemFailures: m.PartialResponses, BisectOnError: m.Bisect, MaxRetries: m.MaxRetries, MaxAge: age,
			ParallelizationFactor: m.Parallelization, OnFailure: m.FailureBucket, StartingPosition: m.StartingPosition})
	}
	poller, err := streams.Start(ctx, o)
	if err != nil {
		return err
	}
	r.poller.Store(poller)
	r.closers = append(r.closers, poller.Stop)
	return nil
}

// notify has the streams read now. Before they have started there is nothing to do.
func (r *Runner) notify() {
	if poller := r.poller.Load(); poller != nil {
		poller.Notify()
	}
}

// Failed is closed when the store engine has ended by itself: nothing works from then on. It is nil, so never closed,
// with an endpoint of the caller's.
func (r *Runner) Failed() <-chan struct{} {
	if r.Engine == nil {
		return nil
	}
	return r.Engine.Done()
}

// Stop ends everything, the last started first. It may be called more than once, but not by several at a time.
func (r *Runner) Stop() error {
	var errs []error
	for _, c := range slices.Backward(r.closers) {
		errs = append(errs, c())
	}
	r.closers = nil
	return errors.Join(errs...)
}

// Invoke runs a function on one event.
func (r *Runner) Invoke(ctx context.Context, function string, payload []byte) (lambda.Result, error) {
	return r.runtime.Invoke(ctx, function, payload)
}

// Kill ends one process of a function in the middle of an event, and tells whether there was one.
func (r *Runner) Kill(function string) bool { return r.runtime.Kill(function) }

// KillNext ends the process that takes the function's next event, after so much work on it.
func (r *Runner) KillNext(function string, after time.Duration) bool {
	return r.runtime.KillNext(function, after)
}

// Usage is what each function's processes have used.
func (r *Runner) Usage() map[string]lambda.Usage { return r.runtime.Usage() }

// Replay delivers every stream record that is still kept to its functions once more.
func (r *Runner) Replay(ctx context.Context) error { return r.poller.Load().Replay(ctx) }

// Quiet waits until every stream is drained and no webhook is under way. A webhook may write and a record may cause a
// webhook, so both have to be idle with nothing begun in between: the sandbox first, then the streams, then the
// sandbox again.
func (r *Runner) Quiet(ctx context.Context) error {
	for {
		for !r.sandbox.Idle() {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Millisecond): // it tells nobody when it is done
			}
		}
		begun := r.webhooks.Load()
		if err := r.poller.Load().Quiet(ctx); err != nil {
			return err
		}
		if r.sandbox.Idle() && r.webhooks.Load() == begun {
			return nil
		}
	}
}

// Environment is what a function is started with, so that seeding and tests open the same tables with the same keys.
func (r *Runner) Environment(function string) (map[string]string, error) {
	f, err := r.Model.Function(function)
	if err != nil {
		return nil, err
	}
	env := maps.Clone(f.Environment)
	for name, value := range map[string]string{"AWS_REGION": engine.Region, "AWS_ACCESS_KEY_ID": engine.AccessKey,
		"AWS_SECRET_ACCESS_KEY": engine.SecretKey, "AWS_ENDPOINT_URL_DYNAMODB": r.Endpoint} {
		env[name] = value
	}
	return env, nil
}
