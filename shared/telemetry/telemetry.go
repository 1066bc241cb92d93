// Package telemetry writes what happened as JSON lines on standard output, where CloudWatch reads them: facts with
// ids as log lines, and numbers as metrics in the embedded metric format.
//
//	telemetry.Setup(os.Stdout, os.Getenv("LOG_LEVEL"))
//	slog.InfoContext(ctx, "commission accrued", "order", id, "koc", k)
//	telemetry.Count(ctx, "OrdersPlaced", 1, telemetry.Dim{Name: "Payment", Value: "sandbox"})
//
// Personal data belongs in neither. Mask shows enough of a phone number or e-mail address to recognise it.
package telemetry

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// maxValue bounds a logged text in bytes: a line must stay far below CloudWatch's 256 KB, and nothing that long is a fact.
const maxValue = 8 << 10

type contextKey struct{}

// WithRequest makes every line logged with the context carry the id that the client was given.
func WithRequest(ctx context.Context, requestID string) context.Context {
	return context.WithValue(ctx, contextKey{}, requestID)
}

// Setup makes slog's default logger write JSON lines to w. Level is debug, info, warn or error; anything else, "" too,
// is info.
func Setup(w io.Writer, level string) {
	slog.SetDefault(slog.New(NewHandler(w, level)))
	metrics.set(w)
}

// NewHandler is the handler that Setup installs. Lines carry the ids of the request and of the invocation, the
// function's name, and no CR or LF inside a value.
func NewHandler(w io.Writer, level string) slog.Handler {
	var threshold slog.Level
	if threshold.UnmarshalText([]byte(level)) != nil {
		threshold = slog.LevelInfo
	}
	json := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: threshold, ReplaceAttr: neutralise})
	return handler{json}
}

type handler struct{ slog.Handler }

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if id, ok := ctx.Value(contextKey{}).(string); ok && id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("invocation", invocation.AwsRequestID))
	}
	if lambdacontext.FunctionName != "" {
		r.AddAttrs(slog.String("function", lambdacontext.FunctionName))
	}
	r.Message = clean(r.Message)
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }

// neutralise keeps a value on its line whatever reads the log later. JSON escapes line ends by itself, but tools that
// print a decoded value would show a forged line.
func neutralise(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(clean(a.Value.String()))
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok && err != nil {
			a.Value = slog.StringValue(clean(err.Error()))
		}
	}
	return a
}

// lineEnds are CR, LF, and the separators that JavaScript and some terminals treat as line ends.
var lineEnds = strings.NewReplacer("\r", "␍", "\n", "␊", "\u2028", "␊", "\u2029", "␊", "\x85", "␊", "\x1b", "␛")

func clean(s string) string {
	if len(s) > maxValue {
		s = strings.ToValidUTF8(s[:maxValue], "") + "…"
	}
	return lineEnds.Replace(s)
}
