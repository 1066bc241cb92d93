package template

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// small is a template with one of everything. Tests change it text by text.
const small = `AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Issuer: {Type: String, Default: ""}
  Stage: {Type: String, Default: test, AllowedValues: [test, live]}
  Rate: {Type: Number, Default: 50, MinValue: 1, MaxValue: 100}
  Audience: {Type: CommaDelimitedList, Default: "a, b"}
Conditions:
  OwnLogin: !Equals [!Ref Issuer, ""]
  Live: {"Fn::Equals": [{Ref: Stage}, live]}
  Both: !And [!Condition Live, !Not [{Condition: OwnLogin}]]
  Either: !Or [!Condition Live, !Condition OwnLogin]
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Architectures: [arm64]
    Environment:
      Variables:
        LEVEL: info
        STAGE: !Ref Stage
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      Auth:
        DefaultAuthorizer: Login
        Authorizers:
          Login:
            JwtConfiguration:
              issuer: !If [OwnLogin, !Sub "https://login.${AWS::Region}.example", !Ref Issuer]
              audience: !Ref Audience
      DefaultRouteSettings: {ThrottlingRateLimit: !Ref Rate, ThrottlingBurstLimit: 20}
      RouteSettings:
        "GET /open": {ThrottlingRateLimit: 5}
  Shop:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../functions/shop
      Timeout: 7
      Environment:
        Variables:
          LEVEL: debug
          ORDERS: !Ref Orders
          ARN: !Sub "${Orders.Arn}/${!literal}/${x}"
          KEYS: !Sub "{{resolve:secretsmanager:${Keys}:SecretString:k1}}"
          WHOLE: !Sub "{{resolve:secretsmanager:${Keys}}}"
          GONE: !If [Both, here, !Ref "AWS::NoValue"]
      Policies: [{Statement: [{Effect: Allow, Action: anything, Resource: !GetAtt Nowhere.Arn}]}]
      Events:
        Order: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: "/orders/{id}", Method: any, Auth: {AuthorizationScopes: [s/koc]}}}
        Open: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /open, Method: GET, Auth: {Authorizer: NONE}, TimeoutInMillis: 5000}}
        Rest: {Type: HttpApi, Properties: {ApiId: !Ref Api}}
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt Orders.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 10
            MaximumBatchingWindowInSeconds: 2
            FunctionResponseTypes: [ReportBatchItemFailures]
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 3
            MaximumRecordAgeInSeconds: 60
            ParallelizationFactor: 2
            DestinationConfig: {OnFailure: {Type: S3, Destination: !GetAtt Failed.Arn}}
            FilterCriteria: {Filters: [{Pattern: '{"eventName":["INSERT"]}'}]}
        Tick: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}
        Night: {Type: ScheduleV2, Properties: {ScheduleExpression: "cron(0 3 * * ? *)", ScheduleExpressionTimezone: Asia/Shanghai, State: DISABLED, Input: '{"a":1}', FlexibleTimeWindow: {Mode: "OFF"}}}
  Orders:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}, {AttributeName: sk, AttributeType: S}, {AttributeName: duePk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]
      GlobalSecondaryIndexes:
        - IndexName: due
          KeySchema: [{AttributeName: duePk, KeyType: HASH}]
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [status]}
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
  Keys:
    Type: AWS::SecretsManager::Secret
    Properties: {GenerateSecretString: {SecretStringTemplate: "{}", GenerateStringKey: k1, PasswordLength: 40, ExcludePunctuation: true}}
  Failed: {Type: AWS::S3::Bucket, Properties: {BucketName: failed}}
  Pool: {Type: AWS::Cognito::UserPool, Condition: OwnLogin, Properties: {Anything: {Goes: !Whatever here}}}
  Late: {Type: AWS::CloudWatch::Alarm, Properties: {Threshold: 1}}
`

func secret(s Secret) (string, error) { return `{"k1":"value of ` + s.LogicalID + `"}`, nil }

// options gives the text ${x} in ARN a meaning through a parameter that small does not have.
func parse(t *testing.T, text string, parameters map[string]string) (*Model, error) {
	t.Helper()
	text = strings.Replace(text, "  Issuer: {Type", "  x: {Type: String, Default: X}\n  Issuer: {Type", 1)
	return Parse([]byte(text), "/repo/infra/template.yaml", Options{Parameters: parameters, Region: "eu-west-1", Secret: secret})
}

func mustParse(t *testing.T, text string, parameters map[string]string) *Model {
	t.Helper()
	m, err := parse(t, text, parameters)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func TestEverythingOfASmallTemplate(t *testing.T) {
	m := mustParse(t, small, nil)
	same(t, "functions", m.Functions, []Function{{Name: "shop", LogicalID: "Shop", FunctionName: "yundian-Shop", Folder: "/repo/functions/shop",
		Timeout: 7 * time.Second, MemoryMB: 128, Architecture: "arm64", Environment: map[string]string{"LEVEL": "debug", "STAGE": "test",
			"ORDERS": "yundian-Orders", "ARN": "arn:aws:dynamodb:eu-west-1:000000000000:table/yundian-Orders/${literal}/X",
			"KEYS": "value of Keys", "WHOLE": `{"k1":"value of Keys"}`, "GONE": ""}}})
	same(t, "tables", m.Tables, []Table{{LogicalID: "Orders", Name: "yundian-Orders", Key: Key{"pk", "S", "sk", "S"}, StreamView: "NEW_IMAGE",
		TTLAttribute: "ttl", Indexes: []Index{{Name: "due", Key: Key{Hash: "duePk", HashType: "S"}, Projection: "INCLUDE", Include: []string{"status"}}}}})
	same(t, "API", m.API, API{LogicalID: "Api", Throttle: Throttle{50, 20},
		Authorizers: []Authorizer{{Name: "Login", Issuer: "https://login.eu-west-1.example", Audience: []string{"a", "b"}}},
		Routes: []Route{
			{Path: "/orders/{id}", Method: "ANY", Function: "shop", Authorizer: "Login", Scopes: []string{"s/koc"}, Timeout: 30 * time.Second},
			{Path: "/open", Method: "GET", Function: "shop", Timeout: 5 * time.Second, Throttle: Throttle{Rate: 5}},
			{Path: "$default", Method: "ANY", Function: "shop", Authorizer: "Login", Timeout: 30 * time.Second},
		}})
	same(t, "mappings", m.Mappings, []Mapping{{ID: "Shop/Stream", Table: "yundian-Orders", Function: "shop", StartingPosition: "TRIM_HORIZON",
		BatchSize: 10, BatchingWindow: 2 * time.Second, Filters: []string{`{"eventName":["INSERT"]}`}, PartialResponses: true, Bisect: true,
		MaxRetries: 3, MaxAge: time.Minute, Parallelization: 2, FailureBucket: "failed"}})
	same(t, "schedules", m.Schedules, []Schedule{
		{ID: "Shop/Tick", Name: "yundian-ShopTick", Function: "shop", Expression: "rate(1 minute)", Enabled: true},
		{ID: "Shop/Night", Name: "yundian-ShopNight", Function: "shop", Expression: "cron(0 3 * * ? *)", TimeZone: "Asia/Shanghai", Input: `{"a":1}`, Scheduler: true},
	})
	same(t, "secrets", m.Secrets, []Secret{{LogicalID: "Keys", Name: "yundian-Keys",
		Generate: &Generate{Template: "{}", Key: "k1", Length: 40, ExcludePunctuation: true, RequireEach: true}}})
	same(t, "buckets", m.Buckets, []Bucket{{"Failed", "failed"}})
	same(t, "ignored", m.Ignored, []Ignored{{"Pool", "AWS::Cognito::UserPool"}, {"Late", "AWS::CloudWatch::Alarm"}})
}

func TestParametersDecide(t *testing.T) {
	m := mustParse(t, small, map[string]string{"Issuer": "http://127.0.0.1/issuer", "Stage": "live", "Rate": "7"})
	same(t, "issuer", m.API.Authorizers[0].Issuer, "http://127.0.0.1/issuer")
	same(t, "And, Not", m.Functions[0].Environment["GONE"], "here")
	same(t, "rate", m.API.Throttle.Rate, 7.0)
	same(t, "resource whose condition does not hold", m.Ignored, []Ignored{{"Late", "AWS::CloudWatch::Alarm"}})
}

func TestRefusals(t *testing.T) {
	cases := []struct{ name, from, to, want string }{
		{"unknown property", "Timeout: 7", "Timeuot: 7", "Resources.Shop.Properties.Timeuot: not supported"},
		{"lists what is supported", "Timeout: 7", "Timeuot: 7", "Timeout, Tracing"},
		{"unknown property of an event", "BatchSize: 10", "TumblingWindowInSeconds: 10", "Events.Stream.Properties.TumblingWindowInSeconds: not supported"},
		{"unknown event", "Type: Schedule,", "Type: SQS,", `event type "SQS" is not supported by the local runner (supported: HttpApi, DynamoDB, Schedule, ScheduleV2)`},
		{"unknown resource type", "AWS::S3::Bucket,", "AWS::SQS::Queue,", `resource type "AWS::SQS::Queue" is not supported`},
		{"unknown intrinsic", "LEVEL: debug", "LEVEL: !Base64 debug", "function Fn::Base64 is not supported by the local runner (supported: Ref"},
		{"unknown long intrinsic", "LEVEL: debug", `LEVEL: {"Fn::Select": [0, [a]]}`, "function Fn::Select is not supported"},
		{"unknown section", "Globals:", "Mappings: {}\nGlobals:", "template.Mappings: not supported"},
		{"unknown reference", "ORDERS: !Ref Orders", "ORDERS: !Ref Order", `there is no parameter or resource "Order"`},
		{"unknown attribute", "!GetAtt Orders.StreamArn", "!GetAtt Orders.LatestStreamLabel", "attribute LatestStreamLabel of Orders"},
		{"table without stream", "      StreamSpecification: {StreamViewType: NEW_IMAGE}\n", "", "attribute StreamArn of Orders (AWS::DynamoDB::Table) has no local value"},
		{"reference to what a condition left out", "ORDERS: !Ref Orders", "ORDERS: !Ref Never", "condition Both does not hold"},
		{"unknown condition", "[Both, here", "[Bath, here", `there is no condition "Bath"`},
		{"circular condition", "  Live: {", "  Live: !Condition Both\n  Dead: {", "refers to itself"},
		{"value outside AllowedValues", "Default: test", "Default: tset", `"tset" is not one of test, live`},
		{"value above MaxValue", "Default: 50", "Default: 101", `"101" breaks MaxValue 100`},
		{"reserved variable", "LEVEL: debug", "AWS_LAMBDA_RUNTIME_API: 127.0.0.1", "Lambda reserves this variable"},
		{"runner's variable", "LEVEL: debug", "AWS_ENDPOINT_URL_DYNAMODB: http://evil", "only the local runner sets this variable"},
		{"variable's name", "LEVEL: debug", "1LEVEL: debug", "must match"},
		{"variables too large", "LEVEL: debug", "LEVEL: " + strings.Repeat("x", 4096), "Lambda's limit is 4096"},
		{"batch size", "BatchSize: 10", "BatchSize: 10001", "10001 is outside 1 to 10000"},
		{"batch size's type", "BatchSize: 10", "BatchSize: ten", "must be a whole number"},
		{"record age", "Seconds: 60", "Seconds: 59", "must be -1 or 60"},
		{"filter pattern", `{"eventName":["INSERT"]}`, `{"eventName"`, "is not a JSON object"},
		{"response type", "[ReportBatchItemFailures]", "[Report]", `"Report" is not supported`},
		{"stream view", "NEW_IMAGE", "NEW_IMAGES", `"NEW_IMAGES" is not one of`},
		{"schedule", "rate(1 minute)", "1 minute", `"1 minute" is not supported`},
		{"method", "Method: any", "Method: FETCH", `"FETCH" is not supported`},
		{"route twice", "Path: /open, Method: GET", `Path: "/orders/{id}", Method: ANY`, "route ANY /orders/{id} is declared twice"},
		{"settings of no route", `"GET /open":`, `"GET /closed":`, "RouteSettings.GET /closed: not supported"},
		{"unknown authorizer", "Authorizer: NONE", "Authorizer: Logn", `no authorizer "Logn"`},
		{"API of an event", "ApiId: !Ref Api, Path: /open", "ApiId: Other, Path: /open", "must be a !Ref to an AWS::Serverless::HttpApi"},
		{"identity source", "JwtConfiguration:", "IdentitySource: $request.querystring.token\n            JwtConfiguration:", "IdentitySource"},
		{"payload format", "Method: any", `Method: any, PayloadFormatVersion: "1.0"`, `"1.0" is not supported (supported: 2.0)`},
		{"key without definition", "AttributeName: duePk, KeyType", "AttributeName: due, KeyType", "due is not in AttributeDefinitions"},
		{"key twice", "Timeout: 7", "Timeout: 7\n      Timeout: 8", "Timeout"},
		{"secret of no template", "${Keys}:SecretString", "Others:SecretString", "names no secret of this template"},
		{"key of no secret", "SecretString:k1", "SecretString:k2", `secret Keys has no key "k2"`},
		{"another service", "{{resolve:secretsmanager:${Keys}}}", "{{resolve:ssm:${Keys}}}", "is not supported by the local runner (supported: {{resolve:secretsmanager:…}})"},
		{"runtime", "provided.al2023", "nodejs22.x", `"nodejs22.x" is not supported`},
		{"alias", "LEVEL: info", "LEVEL: &l info\n        MORE: *l", "aliases are not supported"},
		{"transform", "AWS::Serverless-2016-10-31", "Other", "must be AWS::Serverless-2016-10-31"},
	}
	text := strings.Replace(small, "  Late:", "  Never: {Type: AWS::S3::Bucket, Condition: Both}\n  Late:", 1)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changed := strings.Replace(text, c.from, c.to, 1)
			if changed == text {
				t.Fatalf("%q is not in the template", c.from)
			}
			_, err := parse(t, changed, nil)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v\nwant it to say %q", err, c.want)
			}
			if !strings.Contains(err.Error(), "/repo/infra/template.yaml:") {
				t.Errorf("%v names no line", err)
			}
		})
	}
}

func TestErrorNamesTheLine(t *testing.T) {
	line := 1 + strings.Count(small[:strings.Index(small, "Timeout: 7")], "\n") + 1 // parse adds a line
	_, err := parse(t, strings.Replace(small, "Timeout: 7", "Timeuot: 7", 1), nil)
	if want := "/repo/infra/template.yaml:" + strconv.Itoa(line) + ": "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want prefix %s", err, want)
	}
}

func TestUnknownParameterIsRefused(t *testing.T) {
	_, err := parse(t, small, map[string]string{"Isuer": "x"})
	if err == nil || !strings.Contains(err.Error(), `there is no parameter "Isuer"`) {
		t.Errorf("got %v", err)
	}
}

// The whole point of the package: the template that deploys is the one that runs here.
func TestTheStoresOwnTemplate(t *testing.T) {
	m, err := Read("../../template.yaml", Options{Secret: secret, Parameters: map[string]string{"Issuer": "http://127.0.0.1:1/issuer", "Audience": "local"}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range m.Functions {
		names = append(names, f.Name)
		if _, err := os.Stat(filepath.Dir(f.Folder)); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	slices.Sort(names)
	same(t, "functions", names, []string{"admin", "attribute", "checkout", "mature", "notify", "payments", "payout", "portal", "settle", "statement", "storefront", "tally", "touch", "verify"})
	if len(m.API.Routes) < 40 || len(m.Tables) != 5 || len(m.Mappings) != 5 || len(m.Schedules) != 5 || len(m.Secrets) != 5 {
		t.Errorf("%d routes, %d tables, %d mappings, %d schedules, %d secrets", len(m.API.Routes), len(m.Tables), len(m.Mappings), len(m.Schedules), len(m.Secrets))
	}
}
