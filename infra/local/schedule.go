package local

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/adhocore/gronx"
	"github.com/aws/aws-lambda-go/events"
	"github.com/oklog/ulid/v2"

	"yundian/infra/local/engine"
	"yundian/infra/local/template"
)

// schedules fire functions at their times. The event carries the time it was due, which is the functions' now.
type schedules struct {
	stop context.CancelFunc
	done chan struct{}
}

var rateForm = regexp.MustCompile(`^rate\((\d+) (minutes?|hours?|days?)\)$`)

// next is when an expression fires after a time. Source of the forms:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
func next(s template.Schedule, after time.Time) (time.Time, error) {
	if m := rateForm.FindStringSubmatch(s.Expression); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil || n < 1 {
			return time.Time{}, fmt.Errorf("schedule %s: %s is not a rate", s.ID, s.Expression)
		}
		unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[m[2][0]]
		return after.Add(time.Duration(n) * unit), nil
	}
	cron, ok := strings.CutPrefix(s.Expression, "cron(")
	if !ok {
		return time.Time{}, fmt.Errorf("schedule %s: the local runner fires rate(…) and cron(…), not %s", s.ID, s.Expression)
	}
	zone := time.UTC
	if s.TimeZone != "" {
		var err error
		if zone, err = time.LoadLocation(s.TimeZone); err != nil {
			return time.Time{}, fmt.Errorf("schedule %s: %w", s.ID, err)
		}
	}
	return gronx.NextTickAfter(strings.ReplaceAll(strings.TrimSuffix(cron, ")"), "?", "*"), after.In(zone), false)
}

func (r *Runner) startSchedules(context.Context) error {
	for _, s := range r.Model.Schedules {
		if _, err := next(s, time.Now()); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.schedules = &schedules{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.schedules.done)
		r.fire(ctx)
	}()
	r.closers = append(r.closers, func() error {
		cancel()
		<-r.schedules.done
		return nil
	})
	return nil
}

// fire waits for the earliest schedule and invokes its function, for ever.
func (r *Runner) fire(ctx context.Context) {
	due := make([]time.Time, len(r.Model.Schedules))
	for i, s := range r.Model.Schedules {
		due[i], _ = next(s, time.Now()) // checked at the start
	}
	for {
		earliest := -1
		for i, s := range r.Model.Schedules {
			if s.Enabled && (earliest < 0 || due[i].Before(due[earliest])) {
				earliest = i
			}
		}
		if earliest < 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(due[earliest])):
		}
		s := r.Model.Schedules[earliest]
		if _, err := r.RunSchedule(ctx, s.Function, due[earliest]); err != nil && ctx.Err() == nil {
			fmt.Fprintf(r.o.Log, "schedule %s: %v\n", s.ID, err)
		}
		due[earliest], _ = next(s, due[earliest])
	}
}

// RunSchedule fires a scheduled function as of a time and gives its answer.
func (r *Runner) RunSchedule(ctx context.Context, function string, at time.Time) ([]byte, error) {
	for _, s := range r.Model.Schedules {
		if s.Function != function {
			continue
		}
		payload := []byte(s.Input)
		if s.Input == "" {
			var err error
			payload, err = json.Marshal(events.CloudWatchEvent{Version: "0", ID: ulid.Make().String(), DetailType: "Scheduled Event", Source: "aws.events",
				AccountID: template.AccountID, Time: at.UTC().Truncate(time.Second), Region: engine.Region,
				Resources: []string{"arn:aws:events:" + engine.Region + ":" + template.AccountID + ":rule/" + s.Name}, Detail: json.RawMessage(`{}`)})
			if err != nil {
				return nil, err
			}
		}
		result, err := r.runtime.Invoke(ctx, function, payload)
		if err != nil {
			return nil, err
		}
		if result.FunctionError {
			return nil, fmt.Errorf("%s failed: %s", function, result.Payload)
		}
		return result.Payload, nil
	}
	return nil, fmt.Errorf("the template schedules no function %q", function)
}
