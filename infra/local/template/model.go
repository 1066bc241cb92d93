// Package template reads a SAM template and says what the local runner has to do: which functions to start, which
// routes, tables, streams and schedules to serve. It reads YAML nodes itself and refuses everything it does not know,
// so that nothing which is declared for the cloud is silently left out here.
package template

import (
	"fmt"
	"time"
)

// Model is a template with every reference resolved to a local name.
type Model struct {
	Functions []Function
	Tables    []Table
	API       API
	Mappings  []Mapping
	Schedules []Schedule
	Secrets   []Secret
	Buckets   []Bucket
	Ignored   []Ignored
}

// Function is one AWS::Serverless::Function.
type Function struct {
	Name         string // base of the code folder: what people call it
	LogicalID    string
	FunctionName string
	Folder       string // of its code, absolute
	Environment  map[string]string
	Timeout      time.Duration
	MemoryMB     int
	Architecture string // arm64 or x86_64
	Concurrency  int    // reserved; 0: none declared
}

// Table is one AWS::DynamoDB::Table.
type Table struct {
	LogicalID    string
	Name         string
	Key          Key
	Indexes      []Index
	StreamView   string // empty: no stream
	TTLAttribute string // empty: nothing expires
}

// Key names the key attributes. Types are S, N or B; Sort is empty for a table without a sort key.
type Key struct {
	Hash, HashType string
	Sort, SortType string
}

// Index is a global secondary index.
type Index struct {
	Name       string
	Key        Key
	Projection string   // ALL, KEYS_ONLY or INCLUDE
	Include    []string // with INCLUDE: the further attributes
}

// API is the HTTP API: its routes, its authorizers and how much it lets through.
type API struct {
	LogicalID   string
	Routes      []Route
	Authorizers []Authorizer
	Throttle    Throttle
}

// Route is one path and method. Path "$default" matches whatever no other route does.
type Route struct {
	Path       string
	Method     string // upper case; ANY matches each
	Function   string // Function.Name
	Authorizer string // Authorizer.Name; empty: open to everybody
	Scopes     []string
	Timeout    time.Duration // of the integration
	Throttle   Throttle      // zero: the API's
}

// Key is the route's name in events and settings, such as "ANY /orders/{id}".
func (r Route) Key() string {
	if r.Path == DefaultRoute {
		return r.Path
	}
	return r.Method + " " + r.Path
}

// DefaultRoute is the path of the route that takes what no other matches.
const DefaultRoute = "$default"

// Authorizer is a JWT authorizer.
type Authorizer struct {
	Name     string
	Issuer   string
	Audience []string
	Scopes   []string // of routes that declare none
}

// Throttle limits requests per second, and how many above that may come at once. Zero Rate: no limit.
type Throttle struct {
	Rate  float64
	Burst int
}

// Mapping is one event source mapping from a table's stream to a function.
type Mapping struct {
	ID               string // function and event, such as Settle/Orders
	Table            string // Table.Name
	Function         string // Function.Name
	StartingPosition string // TRIM_HORIZON or LATEST
	BatchSize        int
	BatchingWindow   time.Duration
	Filters          []string // event patterns, each a JSON object; none: every record
	PartialResponses bool     // ReportBatchItemFailures
	Bisect           bool
	MaxRetries       int           // -1: until the record expires
	MaxAge           time.Duration // 0: as long as the stream keeps records
	Parallelization  int
	FailureBucket    string // Bucket.Name; empty: given-up records are only logged
}

// Schedule fires a function.
type Schedule struct {
	ID         string // function and event, such as Mature/EveryMinute
	Name       string // of the rule
	Function   string // Function.Name
	Expression string // cron(…) or rate(…)
	TimeZone   string // of a cron expression; empty: UTC
	Enabled    bool
	Input      string // empty: the service's own event
	Scheduler  bool   // EventBridge Scheduler (ScheduleV2) instead of an EventBridge rule
}

// Secret is one AWS::SecretsManager::Secret.
type Secret struct {
	LogicalID string
	Name      string
	Value     string    // declared in the template itself; empty: generated
	Generate  *Generate // nil: Value
}

// Generate says how a secret is made, with the names and defaults of GenerateSecretString.
type Generate struct {
	Template           string // a JSON object; empty: the secret is the password alone
	Key                string // of the password in Template
	Length             int
	ExcludeCharacters  string
	ExcludePunctuation bool
	ExcludeNumbers     bool
	ExcludeLowercase   bool
	ExcludeUppercase   bool
	IncludeSpace       bool
	RequireEach        bool
}

// Bucket is one AWS::S3::Bucket.
type Bucket struct {
	LogicalID string
	Name      string
}

// Ignored is a resource that has no meaning on one machine.
type Ignored struct{ LogicalID, Type string }

// Function finds a function by its short name or its logical id.
func (m *Model) Function(name string) (Function, error) {
	for _, f := range m.Functions {
		if f.Name == name || f.LogicalID == name {
			return f, nil
		}
	}
	return Function{}, fmt.Errorf("the template has no function %q", name)
}

// Authorizer finds an authorizer by name.
func (a API) Authorizer(name string) (Authorizer, error) {
	for _, each := range a.Authorizers {
		if each.Name == name {
			return each, nil
		}
	}
	return Authorizer{}, fmt.Errorf("the template has no authorizer %q", name)
}
