package local

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// small is a store of one function. Tests change it text by text and watch the behaviour change.
const small = `AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Issuer: {Type: String, Default: ""}
  Audience: {Type: String, Default: ""}
Globals:
  Function: {Runtime: provided.al2023, Handler: bootstrap}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        Authorizers:
          Login: {JwtConfiguration: {issuer: !Ref Issuer, audience: [!Ref Audience]}}
  Probe:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: PROBE
      Timeout: 10
      Environment: {Variables: {RECORD: "RECORDED", KEY: !Sub "{{resolve:secretsmanager:${Key}}}"}}
      Events:
        Hello: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: "/hello/{name}", Method: ANY}}
        Me: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /me, Method: ANY, Auth: {Authorizer: Login, AuthorizationScopes: [yundian/koc]}}}
        Tick: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
        Items:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Items.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 10
            MaximumRetryAttempts: 2
            FunctionResponseTypes: [ReportBatchItemFailures]
            DestinationConfig: {OnFailure: {Type: S3, Destination: !GetAtt Failed.Arn}}
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}, {AttributeName: sk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
  Key: {Type: AWS::SecretsManager::Secret, Properties: {GenerateSecretString: {PasswordLength: 20, ExcludePunctuation: true}}}
  Failed: {Type: AWS::S3::Bucket}
`

// binaries is one folder for the binaries of all tests, so that each function is built once.
var binaries string

func TestMain(m *testing.M) {
	if parent := os.Getenv("YUNDIAN_TEST_PARENT"); parent != "" {
		beKilled(parent)
	}
	dir, err := os.MkdirTemp("", "yundian-local-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binaries = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// running is a running small store and what its function has been given.
type running struct {
	*Runner
	t        *testing.T
	recorded string
}

// change replaces texts of the small template: old, new, old, new.
func change(t testing.TB, texts ...string) string {
	t.Helper()
	text := small
	for i := 0; i < len(texts); i += 2 {
		if !strings.Contains(text, texts[i]) {
			t.Fatalf("%q is not in the template", texts[i])
		}
		text = strings.Replace(text, texts[i], texts[i+1], 1)
	}
	return text
}

// write puts a template into a folder of its own with the probe's code where it points.
func write(t testing.TB, text string) (options Options, recorded string) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	probe, err := filepath.Rel(dir, filepath.Join(root, "infra/local/testdata/functions/probe"))
	if err != nil {
		t.Fatal(err)
	}
	recorded = filepath.Join(dir, "recorded")
	text = strings.NewReplacer("PROBE", probe, "RECORDED", recorded).Replace(text)
	path := filepath.Join(dir, "template.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Options{Root: root, Template: path, DataDir: filepath.Join(dir, "data"), BinDir: binaries, Store: os.Getenv("STORE")}, recorded
}

func run(t *testing.T, o Options, recorded string) *running {
	t.Helper()
	r, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return &running{Runner: r, t: t, recorded: recorded}
}

func start(t *testing.T, text string) *running {
	t.Helper()
	o, recorded := write(t, text)
	return run(t, o, recorded)
}

func (s *running) do(method, path, token string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (s *running) token(user string) string {
	s.t.Helper()
	status, body := s.do("GET", "/_local/token?user="+user, "")
	var out struct{ Token string }
	if err := json.Unmarshal([]byte(body), &out); status != 200 || err != nil || out.Token == "" {
		s.t.Fatalf("token: %d %s", status, body)
	}
	return out.Token
}

// put writes items whose attribute do tells the function what to do with them.
func (s *running) put(dos ...string) {
	s.t.Helper()
	for i, do := range dos {
		_, err := s.DB.PutItem(s.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("yundian-Items"), Item: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: "item"}, "sk": &types.AttributeValueMemberS{Value: fmt.Sprint(i)},
			"do": &types.AttributeValueMemberS{Value: do}}})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// batches are the stream events that the function was given, each as the sort keys of its records.
func (s *running) batches() []string {
	s.t.Helper()
	if err := s.Quiet(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, line := range s.lines() {
		var e events.DynamoDBEvent
		if err := json.Unmarshal(line, &e); err != nil {
			s.t.Fatal(err)
		}
		var keys []string
		for _, r := range e.Records {
			keys = append(keys, r.Change.Keys["sk"].String())
		}
		if len(keys) > 0 {
			out = append(out, strings.Join(keys, ","))
		}
	}
	return out
}

// lines are all events that the function was given.
func (s *running) lines() [][]byte {
	s.t.Helper()
	f, err := os.Open(s.recorded)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	var out [][]byte
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		event, err := base64.StdEncoding.DecodeString(lines.Text())
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, event)
	}
	return out
}
