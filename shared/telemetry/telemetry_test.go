package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// only reads the one line that was written.
func only(t *testing.T, b *bytes.Buffer) map[string]any {
	t.Helper()
	if strings.Count(b.String(), "\n") != 1 {
		t.Fatalf("want one line, got %q", b.String())
	}
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return line
}

func TestLinesCarryIDs(t *testing.T) {
	before := lambdacontext.FunctionName
	lambdacontext.FunctionName = "checkout"
	t.Cleanup(func() { lambdacontext.FunctionName = before })
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "invocation-1"})
	ctx = WithRequest(ctx, "request-1")
	var b bytes.Buffer
	slog.New(NewHandler(&b, "")).With("order", "01J").InfoContext(ctx, "order placed", "lines", 2)
	line := only(t, &b)
	for name, want := range map[string]any{"msg": "order placed", "level": "INFO", "request": "request-1", "invocation": "invocation-1",
		"function": "checkout", "order": "01J", "lines": 2.0} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
}

func TestLevels(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "info": 3, "": 3, "loud": 3, "warn": 2, "ERROR": 1} {
		var b bytes.Buffer
		log := slog.New(NewHandler(&b, level))
		log.Debug("d")
		log.Info("i")
		log.Warn("w")
		log.Error("e")
		if got := strings.Count(b.String(), "\n"); got != want {
			t.Errorf("%q writes %d lines, want %d", level, got, want)
		}
	}
}

func TestNoForgedLines(t *testing.T) {
	forged := "x\r\n{\"level\":\"INFO\"}\u2028y\x85z\x1b[31m"
	var b bytes.Buffer
	slog.New(NewHandler(&b, "")).WithGroup("g").Error(forged, "name", forged, "error", errors.New(forged), slog.Group("in", "v", forged))
	line := only(t, &b)
	text, _ := json.Marshal(line)
	var all func(any)
	all = func(v any) {
		switch v := v.(type) {
		case string:
			if strings.ContainsAny(v, "\r\n\u2028\u2029\x1b\u0085") {
				t.Errorf("a line end is left in %q", v)
			}
		case map[string]any:
			for _, inner := range v {
				all(inner)
			}
		}
	}
	all(line)
	if !strings.Contains(string(text), "␍␊") {
		t.Errorf("the value is gone: %s", text)
	}
}

func TestLongValuesAreCut(t *testing.T) {
	var b bytes.Buffer
	slog.New(NewHandler(&b, "")).Info("m", "v", strings.Repeat("长", 100_000), "error", errors.New(strings.Repeat("x", 100_000)))
	if b.Len() > 3*maxValue {
		t.Errorf("a line of %d bytes", b.Len())
	}
	only(t, &b)
}

func TestMetricIsEMF(t *testing.T) {
	var b bytes.Buffer
	metrics.set(&b)
	t.Cleanup(func() { metrics.set(nil) })
	Count(WithRequest(t.Context(), "request-1"), "OrdersPlaced", 2, Dim{"Payment", "sandbox"})
	line := only(t, &b)
	if line["OrdersPlaced"] != 2.0 || line["Payment"] != "sandbox" || line["request"] != "request-1" {
		t.Errorf("line %v", line)
	}
	aws := line["_aws"].(map[string]any)
	directive := aws["CloudWatchMetrics"].([]any)[0].(map[string]any)
	if directive["Namespace"] != Namespace || aws["Timestamp"].(float64) < 1e12 {
		t.Errorf("_aws %v", aws)
	}
	if got, _ := json.Marshal(directive["Dimensions"]); string(got) != `[["Payment"]]` {
		t.Errorf("dimensions %s", got)
	}
	if got, _ := json.Marshal(directive["Metrics"]); string(got) != `[{"Name":"OrdersPlaced","Unit":"Count"}]` {
		t.Errorf("metrics %s", got)
	}
	b.Reset()
	Duration(context.Background(), "Lag", 1500*time.Microsecond)
	if line := only(t, &b); line["Lag"] != 1.5 {
		t.Errorf("line %v", line)
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"+8613800000000":   "+861••••••••00",
		"13800000000":      "1380•••••00",
		"chen@example.com": "c•••@example.com",
		"陈静@example.com":   "陈•••@example.com",
		"陈静":               "陈•••",
		"12345":            "1•••",
		"":                 "",
	} {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%q) = %q, want %q", in, got, want)
		}
	}
}
