package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"yundian/infra/local/lambda"
)

func TestRouteIsServedWhileTheTemplateHasIt(t *testing.T) {
	s := start(t, small)
	status, body := s.do("PATCH", "/hello/%E4%BA%91", "")
	var event struct {
		RouteKey       string
		PathParameters map[string]string
	}
	if err := json.Unmarshal([]byte(body), &event); err != nil || status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if event.RouteKey != "ANY /hello/{name}" || event.PathParameters["name"] != "云" {
		t.Errorf("the function got %s", body)
	}
	if status, body := s.do("GET", "/none", ""); status != 404 || body != `{"message":"Not Found"}` {
		t.Errorf("another path: %d %s", status, body)
	}
	without := start(t, change(t, `        Hello: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: "/hello/{name}", Method: ANY}}`+"\n", ""))
	if status, body := without.do("GET", "/hello/x", ""); status != 404 {
		t.Errorf("a route that was removed: %d %s", status, body)
	}
}

func TestScopeIsTheTemplates(t *testing.T) {
	for scope, want := range map[string]map[string]int{
		"yundian/koc":      {"": 401, "koc:mei": 200, "operator:ana": 403},
		"yundian/operator": {"": 401, "koc:mei": 403, "operator:ana": 200},
	} {
		s := start(t, change(t, "[yundian/koc]", "["+scope+"]"))
		for user, status := range want {
			token := ""
			if user != "" {
				token = s.token(user)
			}
			if got, body := s.do("GET", "/me", token); got != status {
				t.Errorf("scope %s, user %q: %d %s, want %d", scope, user, got, body, status)
			}
		}
	}
}

func TestThrottleAndTimeLimitAreTheTemplates(t *testing.T) {
	s := start(t, change(t, "    Properties:\n      Auth:", "    Properties:\n      DefaultRouteSettings: {ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 2}\n      Auth:"))
	for i, want := range []int{200, 200, 429} {
		if got, body := s.do("GET", "/hello/x", ""); got != want {
			t.Errorf("request %d: %d %s, want %d", i, got, body, want)
		}
	}
}

func TestUnknownPropertyStopsTheStart(t *testing.T) {
	o, _ := write(t, change(t, "BatchSize: 10", "TumblingWindowInSeconds: 10"))
	_, err := Start(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "template.yaml:") ||
		!strings.Contains(err.Error(), "Resources.Probe.Properties.Events.Items.Properties.TumblingWindowInSeconds: not supported by the local runner") {
		t.Errorf("got %v", err)
	}
	o.Template = filepath.Join(t.TempDir(), "none.yaml")
	if _, err := Start(t.Context(), o); err == nil { // and the failed start let go of the data folder
		t.Error("started without a template")
	} else if strings.Contains(err.Error(), "another store") {
		t.Error(err)
	}
}

// whole is the text of the event source mapping in small.
var whole = small[strings.Index(small, "        Items:\n"):strings.Index(small, "  Items:\n    Type: AWS::DynamoDB")]

func TestBatchSizeIsTheTemplates(t *testing.T) {
	for size, want := range map[string][]string{"1": {"0", "1", "2", "3", "4"}, "2": {"0,1", "2,3", "4"}, "10": {"0,1,2,3,4"}} {
		// The items are written while nobody reads, so that the first read finds all of them.
		o, recorded := write(t, change(t, whole, ""))
		before := run(t, o, recorded)
		before.put("", "", "", "", "")
		if err := before.Stop(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(o.Template)
		if err != nil {
			t.Fatal(err)
		}
		mapped := strings.Replace(string(text), "        Tick:", strings.Replace(whole, "BatchSize: 10", "BatchSize: "+size, 1)+"        Tick:", 1)
		if err := os.WriteFile(o.Template, []byte(mapped), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := run(t, o, recorded).batches(); !slices.Equal(got, want) {
			t.Errorf("batch size %s: %v, want %v", size, got, want)
		}
	}
}

func TestFilterIsTheTemplates(t *testing.T) {
	s := start(t, change(t, "BatchSize: 10", `BatchSize: 1
            FilterCriteria: {Filters: [{Pattern: '{"eventName":["INSERT"],"dynamodb":{"NewImage":{"do":{"S":[{"prefix":"yes"}]}}}}'}]}`))
	s.put("yes", "no", "yes too")
	s.put("yes again") // changes item 0: not an INSERT
	if got := s.batches(); !slices.Equal(got, []string{"0", "2"}) {
		t.Errorf("delivered %v", got)
	}
}

func TestRetryLimitIsTheTemplates(t *testing.T) {
	for limit, tries := range map[string]int{"0": 1, "2": 3} {
		s := start(t, change(t, "MaximumRetryAttempts: 2", "MaximumRetryAttempts: "+limit))
		s.put("fail")
		if got := s.batches(); len(got) != tries {
			t.Errorf("limit %s: tried %d times", limit, len(got))
		}
		if n := failedBatches(t, s); n != 1 {
			t.Errorf("limit %s: %d given-up batches in the bucket", limit, n)
		}
	}
}

func failedBatches(t *testing.T, s *running) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(s.o.DataDir, "failed"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			if !strings.Contains(path, "yundian-Failed") {
				t.Errorf("%s lies outside the template's bucket", path)
			}
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPartialResponsesAreTheTemplates(t *testing.T) {
	text := change(t, "BatchSize: 10", "BatchSize: 1", "MaximumRetryAttempts: 2", "MaximumRetryAttempts: 1")
	s := start(t, text)
	s.put("part")
	if got := s.batches(); len(got) != 2 {
		t.Errorf("with partial responses: %v", got)
	}
	s = start(t, strings.Replace(text, "            FunctionResponseTypes: [ReportBatchItemFailures]\n", "", 1))
	s.put("part")
	if got := s.batches(); len(got) != 1 {
		t.Errorf("without them, the function's answer means nothing: %v", got)
	}
}

func TestKilledProcessIsRetried(t *testing.T) {
	s := start(t, small)
	if !s.KillNext("probe", 0) {
		t.Fatal("no such function")
	}
	s.put("")
	if got := s.batches(); len(got) == 0 || got[len(got)-1] != "0" {
		t.Errorf("delivered %v", got)
	}
	u := s.Usage()["probe"]
	if u.Failures != 1 || u.Invocations != 2 || u.Started != 2 {
		t.Errorf("%+v", u)
	}
	if n := failedBatches(t, s); n != 0 {
		t.Errorf("%d batches given up", n)
	}
}

func TestDataSurvivesARestart(t *testing.T) {
	o, recorded := write(t, small)
	s := run(t, o, recorded)
	s.put("")
	first := s.batches()
	token := s.token("koc:mei")
	environment, err := s.Environment("probe")
	if err != nil {
		t.Fatal(err)
	}
	o.Address = strings.TrimPrefix(s.URL, "http://") // the token's issuer
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	again := run(t, o, recorded)
	if got := again.batches(); !slices.Equal(got, first) {
		t.Errorf("a delivered record came again: %v, before the restart %v", got, first)
	}
	if status, body := again.do("GET", "/me", token); status != 200 {
		t.Errorf("a token from before: %d %s", status, body)
	}
	after, err := again.Environment("probe")
	if err != nil {
		t.Fatal(err)
	}
	if environment["KEY"] != after["KEY"] || len(after["KEY"]) != 20 {
		t.Errorf("the generated secret was %q and is %q", environment["KEY"], after["KEY"])
	}
	again.put("changed") // a write that changes nothing need not reach the stream
	if got := again.batches(); len(got) != len(first)+1 {
		t.Errorf("after the restart: %v", got)
	}
	info, err := os.Stat(filepath.Join(o.DataDir, "secrets.json"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("secrets are readable by others: %v", info.Mode())
	}
}

func TestPrebuiltFunctionsAreRun(t *testing.T) {
	o, recorded := write(t, small)
	built, err := lambda.Builder{Root: o.Root, Folders: []string{filepath.Join(o.Root, "infra/local/testdata/functions/probe")}, Out: binaries}.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o.Prebuilt, o.BinDir = filepath.Join(t.TempDir(), "build"), ""
	if _, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "find built function Probe") {
		t.Errorf("without artifacts: %v", err)
	}
	folder := filepath.Join(o.Prebuilt, "Probe") // sam build names folders by logical id
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(built["probe"], filepath.Join(folder, "bootstrap")); err != nil {
		t.Fatal(err)
	}
	s := run(t, o, recorded)
	if status, body := s.do("GET", "/hello/x", ""); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	if _, err := os.Stat(filepath.Join(o.DataDir, "bin")); err == nil {
		t.Error("built although artifacts were given")
	}
}

func TestProxyStandsBetweenFunctionsAndStore(t *testing.T) {
	o, recorded := write(t, small)
	var asked string
	o.Proxy = func(function, endpoint string) (string, error) {
		asked = function + " " + endpoint
		return "http://127.0.0.1:1", nil
	}
	s := run(t, o, recorded)
	result, err := s.Invoke(t.Context(), "probe", []byte(`{"do":"environment"}`))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(result.Payload), `"AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:1"`) {
		t.Errorf("the function's environment: %s", result.Payload)
	}
	if asked != "probe "+s.Endpoint {
		t.Errorf("the proxy was asked for %q, the store is at %q", asked, s.Endpoint)
	}
}

func TestStopEndsEverything(t *testing.T) {
	s := start(t, small)
	result, err := s.Invoke(t.Context(), "probe", []byte(`{"do":"pid"}`))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(result.Payload))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if alive(pid) || alive(s.Engine.PID) {
		t.Error("a child is alive")
	}
	if _, err := http.Get(s.URL + "/hello/x"); err == nil {
		t.Error("it still answers")
	}
	<-s.Failed() // an engine that was stopped has ended too
	if err := s.Stop(); err != nil {
		t.Errorf("stopped twice: %v", err)
	}
}

func TestOneStorePerDataFolder(t *testing.T) {
	o, recorded := write(t, small)
	run(t, o, recorded)
	if _, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "another store is running on the data folder") {
		t.Errorf("got %v", err)
	}
}

func TestTakenPort(t *testing.T) {
	s := start(t, small)
	o, _ := write(t, small)
	o.Address = strings.TrimPrefix(s.URL, "http://")
	if _, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "PORT=") {
		t.Errorf("got %v", err)
	}
}

func TestLocalRoutes(t *testing.T) {
	s := start(t, small)
	cases := []struct {
		method, path string
		status       int
	}{
		{"GET", "/_local/token?user=nobody", 400},
		{"POST", "/_local/token?user=koc:mei", 405},
		{"GET", "/_local/quiet", 200},
		{"POST", "/_local/run/probe", 200},
		{"POST", "/_local/run/probe?at=yesterday", 400},
		{"POST", "/_local/run/other", 404},
		{"GET", "/_local/run/probe", 405},
		{"GET", "/_local/none", 404},
		{"GET", "/_local/issuer/.well-known/openid-configuration", 200},
	}
	for _, c := range cases {
		if got, body := s.do(c.method, c.path, ""); got != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, got, body, c.status)
		}
	}
	req, err := http.NewRequest("GET", s.URL+"/_local/token?user=koc:mei", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 403 {
		t.Errorf("a token was given under a foreign name: %d", res.StatusCode)
	}
}

// TestLocalRoutesAreTheStoresOwn: a page from elsewhere has no use of the local routes, also where it cannot read the answer.
func TestLocalRoutesAreTheStoresOwn(t *testing.T) {
	s := start(t, small)
	other := "http://127.0.0.1:1"
	for _, c := range []struct {
		name    string
		headers []string
		reads   int // status of a read
		writes  int // and of a write
	}{
		{"no browser", nil, 200, 200},
		{"the store's page", []string{"Origin", s.URL, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"}, 200, 200},
		{"an address that was typed", []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200, 200},
		{"a link elsewhere", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200, 403},
		{"another site", []string{"Origin", "https://evil.example"}, 403, 403},
		{"no site", []string{"Origin", "null"}, 403, 403},
		{"an empty one", []string{"Origin", ""}, 403, 403},
		{"another port", []string{"Origin", other}, 403, 403},
		{"another name", []string{"Origin", strings.Replace(s.URL, "127.0.0.1", "localhost", 1)}, 403, 403},
		{"another scheme", []string{"Origin", strings.Replace(s.URL, "http:", "https:", 1)}, 403, 403},
		{"a look-alike", []string{"Origin", s.URL + ".evil.example"}, 403, 403},
		{"two", []string{"Origin", s.URL, "Origin", "https://evil.example"}, 403, 403},
		{"a picture elsewhere", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403, 403},
		{"a frame elsewhere", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403, 403},
		{"a neighbour", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"}, 403, 403},
		{"both at odds", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "same-origin"}, 403, 403},
	} {
		for path, want := range map[string]int{"GET /_local/token?user=koc:mei": c.reads, "GET /_local/quiet": c.reads, "POST /_local/run/probe": c.writes} {
			method, path, _ := strings.Cut(path, " ")
			req, err := http.NewRequest(method, s.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(c.headers); i += 2 {
				req.Header.Add(c.headers[i], c.headers[i+1])
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("%s: %s %s is %d, want %d", c.name, method, path, res.StatusCode, want)
			}
		}
	}
}

func TestScheduledFunctionGetsTheTimeAskedFor(t *testing.T) {
	s := start(t, small)
	if status, body := s.do("POST", "/_local/run/probe?at=2026-04-01T08:30:00%2B08:00", ""); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	lines := s.lines()
	var e struct {
		Time       time.Time
		Source     string
		Resources  []string
		DetailType string `json:"detail-type"`
	}
	if err := json.Unmarshal(lines[len(lines)-1], &e); err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 4, 1, 0, 30, 0, 0, time.UTC); !e.Time.Equal(want) || e.Source != "aws.events" || e.DetailType != "Scheduled Event" ||
		e.Resources[0] != "arn:aws:events:us-east-1:000000000000:rule/yundian-ProbeTick" {
		t.Errorf("got %s", lines[len(lines)-1])
	}
}

// TestFunctionsDieWithTheRunner kills a runner without warning: this test program, started again as one.
func TestFunctionsDieWithTheRunner(t *testing.T) {
	o, _ := write(t, small)
	arguments, err := json.Marshal(place{o.Root, o.Template, o.DataDir, o.BinDir, o.Store})
	if err != nil {
		t.Fatal(err)
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "YUNDIAN_TEST_PARENT="+string(arguments))
	var said bytes.Buffer
	parent.Stdout, parent.Stderr = &said, os.Stderr
	if err := parent.Run(); err == nil {
		t.Fatal("the runner was to be killed")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(said.String()))
	if err != nil {
		t.Fatalf("no process id: %v", err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for alive(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("function process %d outlives the runner", pid)
		}
		time.Sleep(time.Millisecond) // the kernel tells only the dead parent
	}
}

// place is the part of Options that a text can carry.
type place struct{ Root, Template, DataDir, BinDir, Store string }

// beKilled is the other side of TestFunctionsDieWithTheRunner.
func beKilled(arguments string) {
	var p place
	if err := json.Unmarshal([]byte(arguments), &p); err != nil {
		panic(err)
	}
	r, err := Start(context.Background(), Options{Root: p.Root, Template: p.Template, DataDir: p.DataDir, BinDir: p.BinDir, Store: p.Store})
	if err != nil {
		panic(err)
	}
	result, err := r.Invoke(context.Background(), "probe", []byte(`{"do":"pid"}`))
	if err != nil {
		panic(err)
	}
	fmt.Println(string(result.Payload))
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		panic(err)
	}
	if err := self.Kill(); err != nil {
		panic(err)
	}
	select {}
}

// alive says whether a process runs; one that has ended and waits to be collected does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}
