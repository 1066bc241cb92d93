package rules

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// streamViews says what each table's stream carries; "" for no stream. cfn-lint accepts any text there.
var streamViews = map[string]string{
	"ShopTable": "", "PeopleTable": "", "OrdersTable": "NEW_AND_OLD_IMAGES", "LedgerTable": "NEW_IMAGE", "TouchesTable": "NEW_IMAGE",
}

// readersPerStream is a limit of DynamoDB: a third reader is throttled.
const readersPerStream = 2

func streams(t *template) []string {
	var wrong []string
	tables := t.ofType("AWS::DynamoDB::Table")
	for _, id := range tables {
		want, listed := streamViews[id]
		if got := t.properties(id).object("StreamSpecification").text("StreamViewType"); !listed || got != want {
			wrong = append(wrong, fmt.Sprintf("%s: stream view type %q, want %q", id, got, want))
		}
	}
	if len(tables) != len(streamViews) {
		wrong = append(wrong, fmt.Sprintf("%d tables, want %d", len(tables), len(streamViews)))
	}
	readers := map[string]int{}
	for _, f := range t.functions() {
		for name, e := range f.events("DynamoDB") {
			table, _ := strings.CutSuffix(e.object("Stream").text("Fn::GetAtt"), ".StreamArn")
			readers[table]++
			if streamViews[table] == "" {
				wrong = append(wrong, fmt.Sprintf("%s, event %s: %q has no stream", f.id, name, table))
			}
		}
	}
	for table, view := range streamViews {
		if n := readers[table]; n > readersPerStream {
			wrong = append(wrong, fmt.Sprintf("%s: %d functions read its stream, at most %d may", table, n, readersPerStream))
		} else if n == 0 && view != "" {
			wrong = append(wrong, table+": nobody reads its stream")
		}
	}
	return wrong
}

// mappingRanges are the numbers that every event source mapping declares, with the range that we accept. The upper
// bounds are ours: Lambda's defaults (retry for a day, no bisecting) let one poison record block its shard.
var mappingRanges = []struct {
	name     string
	min, max int
}{
	{"BatchSize", 1, 1000},
	{"MaximumBatchingWindowInSeconds", 0, 5},
	{"MaximumRetryAttempts", 1, 100},
	{"MaximumRecordAgeInSeconds", 60, 86400},
	{"ParallelizationFactor", 1, 10},
}

func mappings(t *template) []string {
	var wrong []string
	for _, f := range t.functions() {
		for name, e := range f.events("DynamoDB") {
			for _, w := range mapping(t, e) {
				wrong = append(wrong, fmt.Sprintf("%s, event %s: %s", f.id, name, w))
			}
		}
	}
	return wrong
}

func mapping(t *template, e object) []string {
	var wrong []string
	for _, r := range mappingRanges {
		if n, ok := e[r.name].(int); !ok || n < r.min || n > r.max {
			wrong = append(wrong, fmt.Sprintf("%s is %v, want %d to %d", r.name, e[r.name], r.min, r.max))
		}
	}
	if e.text("StartingPosition") != "TRIM_HORIZON" {
		wrong = append(wrong, "StartingPosition is not TRIM_HORIZON: records from before the first deployment would be lost")
	}
	if !slices.Equal(e.texts("FunctionResponseTypes"), []string{"ReportBatchItemFailures"}) {
		wrong = append(wrong, "FunctionResponseTypes is not ReportBatchItemFailures")
	}
	if !e.flag("BisectBatchOnFunctionError") {
		wrong = append(wrong, "BisectBatchOnFunctionError is not true")
	}
	failure := e.object("DestinationConfig").object("OnFailure")
	bucket, _ := strings.CutSuffix(failure.object("Destination").text("Fn::GetAtt"), ".Arn")
	if failure.text("Type") != "S3" || t.resources.object(bucket).text("Type") != "AWS::S3::Bucket" {
		wrong = append(wrong, "DestinationConfig.OnFailure is not a bucket of this template")
	}
	filters := e.object("FilterCriteria").list("Filters")
	if len(filters) == 0 {
		wrong = append(wrong, "FilterCriteria is missing")
	}
	for _, f := range filters {
		filter, _ := f.(object)
		var pattern map[string]any
		if err := json.Unmarshal([]byte(filter.text("Pattern")), &pattern); err != nil {
			wrong = append(wrong, fmt.Sprintf("filter pattern %q is not JSON: %v", filter.text("Pattern"), err))
		}
	}
	return wrong
}

var (
	rate = regexp.MustCompile(`^rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\)$`)
	// cron(minutes hours day-of-month month day-of-week year), where exactly one of the two days is a question mark.
	cron = regexp.MustCompile(`^cron\([0-9*,/-]+ [0-9*,/-]+ ([0-9*,/LW-]+ [A-Z0-9*,/-]+ \?|\? [A-Z0-9*,/-]+ [A-Z0-9*,/#L-]+) [0-9*,/-]+\)$`)
)

func schedules(t *template) []string {
	var wrong []string
	found := false
	for _, f := range t.functions() {
		for name, e := range f.events("Schedule") {
			found = true
			if s := e.text("Schedule"); !rate.MatchString(s) && !cron.MatchString(s) {
				wrong = append(wrong, fmt.Sprintf("%s, event %s: %q is neither rate(…) nor cron(…)", f.id, name, s))
			}
		}
		invoke := f.properties.object("EventInvokeConfig")
		if f.folder == "payout" && (invoke["MaximumEventAgeInSeconds"] != 60 || invoke["MaximumRetryAttempts"] != 0) {
			wrong = append(wrong, f.id+": a run may begin late: a payout that was sent a moment ago would be asked about as if nobody were sending it any more")
		}
	}
	if !found {
		wrong = append(wrong, "no function has a schedule")
	}
	return wrong
}

// routes complains about a path that stands twice, a method other than ANY, a scope that its prefix does not have, and
// when what no route takes is not answered by a page of the shop.
func routes(t *template) []string {
	var wrong []string
	seen := map[string]string{}
	for _, f := range t.functions() {
		for _, r := range f.routes() {
			if other, twice := seen[r.Path]; twice {
				wrong = append(wrong, fmt.Sprintf("%s: stands at %s and at %s", r.Path, other, f.id))
			}
			seen[r.Path] = f.id
			if r.Method != "ANY" {
				wrong = append(wrong, fmt.Sprintf("%s: method %s; the router decides on methods, so that a wrong one is 405", r.Path, r.Method))
			}
			if want := scopes(r.Path); !slices.Equal(r.Scopes, want) {
				wrong = append(wrong, fmt.Sprintf("%s: scopes %v, want %v", r.Path, r.Scopes, want))
			}
		}
		for name, e := range f.events("HttpApi") {
			if len(scopes(e.text("Path"))) > 0 && e.object("Auth").text("Authorizer") != "Login" {
				wrong = append(wrong, fmt.Sprintf("%s, event %s: no authorizer", f.id, name))
			}
		}
	}
	if seen[Default] != "Storefront" {
		wrong = append(wrong, "no route of the storefront takes what no other one does: a mistyped address would get the gateway's own message")
	}
	return wrong
}

// scopes returns who may call a path: without a scope an ID token would pass as an access token.
func scopes(path string) []string {
	switch {
	case strings.HasPrefix(path, "/v1/admin/"):
		return []string{"yundian/operator"}
	case strings.HasPrefix(path, "/v1/"):
		return []string{"yundian/koc"}
	default:
		return nil
	}
}
