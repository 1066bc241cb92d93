package template

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// buildEvent reads one entry of a function's Events.
func (r *reader) buildEvent(f Function, name string, o *object) {
	kind := o.required("Type")
	p := o.object("Properties")
	o.done()
	id := f.LogicalID + "/" + name
	switch kind {
	case "HttpApi":
		r.buildRoute(f, p)
	case "DynamoDB":
		r.buildMapping(f, id, p)
	case "Schedule":
		r.buildRule(f, id, p)
	case "ScheduleV2":
		r.buildScheduler(f, id, p)
	case "":
	default:
		r.fail(o.values["Type"], o.path("Type"), "event type %q is not supported by the local runner (supported: HttpApi, DynamoDB, Schedule, ScheduleV2)", kind)
	}
}

// maxIntegration is the HTTP API's limit for an integration.
const maxIntegration = 30 * time.Second

var methods = []string{"ANY", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

func (r *reader) buildRoute(f Function, o *object) {
	route := Route{Path: o.text("Path", DefaultRoute), Method: strings.ToUpper(o.text("Method", "ANY")), Function: f.Name}
	route.Timeout = time.Duration(o.number("TimeoutInMillis", int(maxIntegration/time.Millisecond), limits{50, 30000})) * time.Millisecond
	o.choice("PayloadFormatVersion", "2.0")
	api := o.text("ApiId", "")
	if res, ok := r.resources[api]; !ok || res.kind != "AWS::Serverless::HttpApi" {
		r.fail(o.node, o.path("ApiId"), "must be a !Ref to an AWS::Serverless::HttpApi of this template")
	}
	if !slices.Contains(methods, route.Method) {
		r.fail(o.values["Method"], o.path("Method"), "%q is not supported (supported: %s)", route.Method, strings.Join(methods, ", "))
	}
	if route.Path != DefaultRoute && !strings.HasPrefix(route.Path, "/") {
		r.fail(o.values["Path"], o.path("Path"), "must start with /")
	}
	settings := o.object("RouteSettings")
	route.Throttle = throttle(settings)
	settings.done()
	auth := o.object("Auth")
	route.Authorizer = auth.text("Authorizer", inherit)
	route.Scopes = auth.texts("AuthorizationScopes")
	auth.done()
	o.done()
	r.model.API.Routes = append(r.model.API.Routes, route)
}

// inherit marks a route whose authorizer is the API's default, which may be read later.
const inherit = "\x00inherit"

func (r *reader) buildMapping(f Function, id string, o *object) {
	m := Mapping{ID: id, Function: f.Name,
		StartingPosition: o.choice("StartingPosition", "TRIM_HORIZON", "LATEST"),
		BatchSize:        o.number("BatchSize", 100, limits{1, 10000}),
		BatchingWindow:   time.Duration(o.number("MaximumBatchingWindowInSeconds", 0, limits{0, 300})) * time.Second,
		Bisect:           o.flag("BisectBatchOnFunctionError", false),
		MaxRetries:       o.number("MaximumRetryAttempts", -1, limits{-1, 10000}),
		Parallelization:  o.number("ParallelizationFactor", 1, limits{1, 10}),
	}
	if age := o.number("MaximumRecordAgeInSeconds", -1, limits{-1, 604800}); age >= 0 {
		if age < 60 {
			r.fail(o.values["MaximumRecordAgeInSeconds"], o.path("MaximumRecordAgeInSeconds"), "must be -1 or 60 to 604800")
		}
		m.MaxAge = time.Duration(age) * time.Second
	}
	m.Table = r.streamTable(o)
	for _, kind := range o.texts("FunctionResponseTypes") {
		if kind != "ReportBatchItemFailures" {
			r.fail(o.values["FunctionResponseTypes"], o.path("FunctionResponseTypes"), "%q is not supported (supported: ReportBatchItemFailures)", kind)
		}
		m.PartialResponses = true
	}
	criteria := o.object("FilterCriteria")
	for _, filter := range criteria.objects("Filters") {
		pattern := filter.required("Pattern")
		filter.done()
		var any map[string]any
		if err := json.Unmarshal([]byte(pattern), &any); err != nil {
			r.fail(filter.node, filter.path("Pattern"), "is not a JSON object: %v", err)
		}
		m.Filters = append(m.Filters, pattern)
	}
	criteria.done()
	if len(m.Filters) > 5 {
		r.fail(criteria.node, criteria.at, "%d filters, Lambda's limit is 5", len(m.Filters))
	}
	m.FailureBucket = r.failureBucket(o.object("DestinationConfig"))
	enabled := o.flag("Enabled", true)
	o.done()
	if enabled {
		r.model.Mappings = append(r.model.Mappings, m)
	}
}

// streamTable finds the table whose stream the mapping reads.
func (r *reader) streamTable(o *object) string {
	stream := o.required("Stream")
	for _, id := range r.order {
		res := r.resources[id]
		if res.kind != "AWS::DynamoDB::Table" || !r.exists(res) {
			continue
		}
		if arn, ok := r.local(res, "StreamArn"); ok && arn == stream {
			name, _ := r.local(res, "Ref")
			return name
		}
	}
	r.fail(o.values["Stream"], o.path("Stream"), "%q is not the stream of a table of this template (write !GetAtt <table>.StreamArn)", stream)
	return ""
}

func (r *reader) failureBucket(o *object) string {
	failure := o.object("OnFailure")
	o.done()
	if !failure.present {
		return ""
	}
	failure.choice("Type", "S3")
	failure.required("Type")
	arn := failure.required("Destination")
	failure.done()
	for _, id := range r.order {
		res := r.resources[id]
		if own, _ := r.local(res, "Arn"); res.kind == "AWS::S3::Bucket" && own == arn {
			name, _ := r.local(res, "Ref")
			return name
		}
	}
	r.fail(failure.node, failure.path("Destination"), "%q is not a bucket of this template", arn)
	return ""
}

// buildRule reads a Schedule event: an EventBridge rule.
func (r *reader) buildRule(f Function, id string, o *object) {
	s := Schedule{ID: id, Function: f.Name, Expression: o.required("Schedule"), Input: o.text("Input", "")}
	s.Name = o.text("Name", r.options.StackName+"-"+strings.ReplaceAll(id, "/", ""))
	enabled, state := o.flag("Enabled", true), o.choice("State", "ENABLED", "DISABLED")
	s.Enabled = enabled && state == "ENABLED"
	o.ignore("Description", "RetryPolicy", "DeadLetterConfig", "RoleArn")
	r.addSchedule(s, o, "Schedule")
}

// buildScheduler reads a ScheduleV2 event: an EventBridge Scheduler schedule.
func (r *reader) buildScheduler(f Function, id string, o *object) {
	s := Schedule{ID: id, Function: f.Name, Scheduler: true, Expression: o.required("ScheduleExpression"), Input: o.text("Input", "")}
	s.Name = o.text("Name", r.options.StackName+"-"+strings.ReplaceAll(id, "/", ""))
	s.TimeZone = o.text("ScheduleExpressionTimezone", "")
	s.Enabled = o.choice("State", "ENABLED", "DISABLED") == "ENABLED"
	window := o.object("FlexibleTimeWindow")
	window.choice("Mode", "OFF")
	window.done()
	o.ignore("Description", "RetryPolicy", "DeadLetterConfig", "RoleArn", "PermissionsBoundary")
	r.addSchedule(s, o, "ScheduleExpression")
}

func (r *reader) addSchedule(s Schedule, o *object, expression string) {
	o.done()
	kind, _, ok := strings.Cut(s.Expression, "(")
	if s.Expression != "" && (!ok || !strings.HasSuffix(s.Expression, ")") || kind != "rate" && kind != "cron") {
		r.fail(o.values[expression], o.path(expression), "%q is not supported (supported: rate(…) and cron(…))", s.Expression)
	}
	if s.Input != "" && !json.Valid([]byte(s.Input)) {
		r.fail(o.values["Input"], o.path("Input"), "is not JSON")
	}
	r.model.Schedules = append(r.model.Schedules, s)
}
