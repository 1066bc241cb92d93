package local

import (
	"context"
	"encoding/json"
	"errors"
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
		if err != nil || n < 1 || n > maxRate {
			return time.Time{}, fmt.Errorf("schedule %s: %s: the number must be 1 to %d", s.ID, s.Expression, maxRate)
		}
		unit := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[m[2][0]]
		return after.Add(time.Duration(n) * unit), nil
	}
	cron, ok := strings.CutPrefix(s.Expression, "cron(")
	fields := strings.Fields(strings.TrimSuffix(cron, ")"))
	if !ok || len(fields) != 6 {
		return time.Time{}, fmt.Errorf("schedule %s: %s is neither rate(<number> minutes, hours or days) nor cron(<six fields>)", s.ID, s.Expression)
	}
	zone := time.UTC
	if s.TimeZone != "" {
		var err error
		if zone, err = time.LoadLocation(s.TimeZone); err != nil {
			return time.Time{}, fmt.Errorf("schedule %s: %w", s.ID, err)
		}
	}
	fields[4] = weekday.ReplaceAllStringFunc(fields[4], sundayIsZero)
	// The library takes six fields for seconds to weekdays, unlike EventBridge's minutes to years: so it gets seven.
	t, err := gronx.NextTickAfter("0 "+strings.ReplaceAll(strings.Join(fields, " "), "?", "*"), after.In(zone), false)
	if err != nil {
		return time.Time{}, fmt.Errorf("schedule %s: %s: %w", s.ID, s.Expression, err)
	}
	return t.UTC(), nil
}

// maxRate keeps a rate's duration within what a time.Duration holds.
const maxRate = 36500

// weekday finds the numbers of days in a field, but neither the steps after / nor the counts after #.
var weekday = regexp.MustCompile(`[/#]?\d+`)

// sundayIsZero translates a day's number: EventBridge counts Sunday as 1, the library as 0.
func sundayIsZero(number string) string {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 {
		return number // a step, a count, or something that the library refuses
	}
	return strconv.Itoa(n - 1)
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

// fire waits for the earliest schedule and invokes its function, for ever. Times missed while the machine slept are not
// made up for, as a function that fires late takes the event's time for now.
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
		if _, err := r.runSchedule(ctx, s, due[earliest]); err != nil && ctx.Err() == nil {
			fmt.Fprintf(r.o.Log, "schedule %s: %v\n", s.ID, err)
		}
		following, _ := next(s, due[earliest])
		if following.Before(time.Now()) {
			following, _ = next(s, time.Now())
		}
		due[earliest] = following
	}
}

// ErrNotScheduled means that the template has no schedule for a function.
var ErrNotScheduled = errors.New("the template does not schedule this function")

// RunSchedule fires a scheduled function as of a time and gives its answer.
func (r *Runner) RunSchedule(ctx context.Context, function string, at time.Time) ([]byte, error) {
	for _, s := range r.Model.Schedules {
		if s.Function == function {
			return r.runSchedule(ctx, s, at)
		}
	}
	return nil, fmt.Errorf("run %q: %w", function, ErrNotScheduled)
}

func (r *Runner) runSchedule(ctx context.Context, s template.Schedule, at time.Time) ([]byte, error) {
	payload, err := scheduleEvent(s, at)
	if err != nil {
		return nil, err
	}
	result, err := r.runtime.Invoke(ctx, s.Function, payload)
	if err != nil {
		return nil, err
	}
	if result.FunctionError {
		return nil, fmt.Errorf("%s failed: %s", s.Function, result.Payload)
	}
	return result.Payload, nil
}

// scheduleEvent is what a schedule's function is invoked with: the declared input, or the service's own event.
func scheduleEvent(s template.Schedule, at time.Time) ([]byte, error) {
	at = at.UTC().Truncate(time.Second)
	resource := "arn:aws:events:" + engine.Region + ":" + template.AccountID + ":rule/" + s.Name
	source, detail := "aws.events", json.RawMessage(`{}`)
	if s.Scheduler {
		resource = "arn:aws:scheduler:" + engine.Region + ":" + template.AccountID + ":schedule/default/" + s.Name
		source, detail = "aws.scheduler", json.RawMessage(`"{}"`)
	}
	id := ulid.Make().String()
	if s.Input != "" {
		if !s.Scheduler {
			return []byte(s.Input), nil
		}
		// Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
		return []byte(strings.NewReplacer("<aws.scheduler.scheduled-time>", at.Format(time.RFC3339), "<aws.scheduler.execution-id>", id,
			"<aws.scheduler.attempt-number>", "1", "<aws.scheduler.schedule-arn>", resource).Replace(s.Input)), nil
	}
	payload, err := json.Marshal(events.CloudWatchEvent{Version: "0", ID: id, DetailType: "Scheduled Event", Source: source,
		AccountID: template.AccountID, Time: at, Region: engine.Region, Resources: []string{resource}, Detail: detail})
	if err != nil {
		return nil, fmt.Errorf("write the event of schedule %s: %w", s.ID, err)
	}
	return payload, nil
}
