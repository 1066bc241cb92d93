package telemetry

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Namespace groups the metrics of one deployment's functions in CloudWatch.
const Namespace = "Yundian"

// Dim is one dimension of a metric. Values come from a small closed set, never from a customer: each combination is a
// metric that is paid for.
type Dim struct{ Name, Value string }

// Unit is a CloudWatch unit.
type Unit string

// The units in use.
const (
	UnitCount        Unit = "Count"
	UnitMilliseconds Unit = "Milliseconds"
)

// maxDims is CloudWatch's limit on dimensions of one metric.
const maxDims = 30

// sink is where metric lines go: standard output once Setup ran, nowhere before, so that tests stay quiet.
type sink struct {
	mu sync.Mutex
	w  io.Writer
}

var metrics sink

func (s *sink) set(w io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.w = w
}

func (s *sink) write(line []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil {
		return nil
	}
	_, err := s.w.Write(line)
	return err
}

// Count records that something happened value times: one line in CloudWatch's embedded metric format.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func Count(ctx context.Context, name string, value float64, dims ...Dim) {
	record(ctx, name, UnitCount, value, dims)
}

// Duration records how long something took.
func Duration(ctx context.Context, name string, d time.Duration, dims ...Dim) {
	record(ctx, name, UnitMilliseconds, float64(d)/float64(time.Millisecond), dims)
}

func record(ctx context.Context, name string, unit Unit, value float64, dims []Dim) {
	if len(dims) > maxDims {
		dims = dims[:maxDims]
	}
	names := make([]string, 0, len(dims))
	line := map[string]any{name: value}
	for _, d := range dims {
		names = append(names, d.Name)
		line[d.Name] = clean(d.Value)
	}
	if id, ok := ctx.Value(contextKey{}).(string); ok && id != "" {
		line["request"] = clean(id)
	}
	line["_aws"] = map[string]any{
		"Timestamp": time.Now().UnixMilli(), // when the line was written, not when the fact became true
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace":  Namespace,
			"Dimensions": [][]string{names},
			"Metrics":    []any{map[string]any{"Name": name, "Unit": unit}},
		}},
	}
	text, err := json.Marshal(line)
	if err == nil {
		err = metrics.write(append(text, '\n'))
	}
	if err != nil {
		slog.ErrorContext(ctx, "metric lost", "metric", name, "error", err)
	}
}
