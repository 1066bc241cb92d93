package rules

import (
	"strings"
	"testing"
)

// A rule returns one complaint per breach.
var all = map[string]func(*template) []string{
	"permissions": permissions, "streams": streams, "mappings": mappings, "schedules": schedules, "routes": routes,
	"retention": retention, "indexes": indexes, "buckets": buckets, "log groups": logGroups, "variables": variables, "sandbox": sandbox,
	"portable": portable, "builds": builds, "alarms": alarms,
}

func TestTemplateKeepsRules(t *testing.T) {
	deployed, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for name, rule := range all {
		t.Run(name, func(t *testing.T) {
			for _, complaint := range rule(deployed) {
				t.Error(complaint)
			}
		})
	}
}

// TestRulesCatch breaks the real template once per line and expects the rule to complain about just that.
func TestRulesCatch(t *testing.T) {
	deployed, err := load()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ rule, from, to, want string }{
		{"permissions", "Action: [dynamodb:PutItem]", `Action: ["dynamodb:*"]`, `"dynamodb:*" is not on the list`},
		{"permissions", "Action: [dynamodb:PutItem]", "Action: [dynamodb:PutItems]", `"dynamodb:PutItems" is not on the list`},
		{"permissions", "Action: [dynamodb:PutItem]", "Action: [dynamodb:Scan]", `"dynamodb:Scan" is not on the list`},
		{"permissions", "Resource: !GetAtt TouchesTable.Arn", `Resource: "*"`, "is not the Arn of a resource"},
		{"permissions", "Resource: !GetAtt TouchesTable.Arn", "Resource: !GetAtt LedgerTable.Arn", "touch may not write LedgerTable"},
		{"permissions", "/index/list", "/index/*", "is not the Arn of a resource"},
		{"permissions", `dynamodb:LeadingKeys: ["STAT#*"]`, `dynamodb:LeadingKeys: ["*"]`, `under the keys "*"`},
		{"permissions", `dynamodb:LeadingKeys: ["STAT#*"]`, `dynamodb:LeadingKeys: ["SKU#*"]`, `want "STAT#"`},
		{"permissions", "TOUCHES_TABLE: !Ref TouchesTable", "OTHER_TABLE: !Ref LedgerTable", "no permission on LedgerTable"},
		{"permissions", "identity/${MailIdentity}", "identity/*", "mail may be sent as MailFrom"},
		{"permissions", "ses:FromAddress: !Ref MailFrom", "ses:FromAddress: !Ref PublicUrl", "mail may be sent as MailFrom"},
		{"permissions", "Action: [ses:SendEmail]", "Action: [ses:SendEmail, dynamodb:PutItem]", "mail may be sent as MailFrom"},
		{"streams", "StreamViewType: NEW_AND_OLD_IMAGES", "StreamViewType: NEW_AND_OLD_IMAGE", "OrdersTable: stream view type"},
		{"streams", "Stream: !GetAtt TouchesTable.StreamArn", "Stream: !GetAtt OrdersTable.StreamArn", "3 functions read its stream"},
		{"streams", "Stream: !GetAtt TouchesTable.StreamArn", "Stream: !GetAtt ShopTable.StreamArn", `"ShopTable" has no stream`},
		{"mappings", "            BatchSize: 50\n", "", "BatchSize is <nil>"},
		{"mappings", "            MaximumRetryAttempts: 10\n", "            MaximumRetryAttempts: -1\n", "MaximumRetryAttempts is -1"},
		{"mappings", "            MaximumRecordAgeInSeconds: 21600\n", "", "MaximumRecordAgeInSeconds is <nil>"},
		{"mappings", "            ParallelizationFactor: 2\n", "            ParallelizationFactor: 11\n", "ParallelizationFactor is 11"},
		{"mappings", "BisectBatchOnFunctionError: true", "BisectBatchOnFunctionError: false", "Bisect"},
		{"mappings", "            FunctionResponseTypes: [ReportBatchItemFailures]\n", "", "FunctionResponseTypes"},
		{"mappings", "TRIM_HORIZON", "LATEST", "StartingPosition"},
		{"mappings", "Destination: !GetAtt FailedBatches.Arn", "Destination: !GetAtt OrdersTable.Arn", "OnFailure"},
		{"mappings", `- Pattern: '{"eventName"`, `- Pattern: '{eventName"`, "is not JSON"},
		{"schedules", "rate(1 minute)", "rate(1 minutes)", "neither rate"},
		{"schedules", "rate(1 minute)", "cron(0 9 * * * *)", "neither rate"},
		{"schedules", "MaximumRetryAttempts: 0\n", "MaximumRetryAttempts: 2\n", "may begin late"},
		{"schedules", "MaximumEventAgeInSeconds: 60\n", "MaximumEventAgeInSeconds: 600\n", "may begin late"},
		{"schedules", "Type: Schedule\n", "Type: Timer\n", "no function has a schedule"},
		{"routes", `Path: "/v1/me", Method: ANY`, `Path: "/v1/me", Method: GET`, "/v1/me: method GET"},
		{"routes", `Path: "/v1/links"`, `Path: "/v1/me"`, "/v1/me: stands at"},
		{"routes", "AuthorizationScopes: [yundian/operator]", "AuthorizationScopes: [yundian/koc]", "scopes [yundian/koc], want [yundian/operator]"},
		{"routes", `Path: "/touch", Method: ANY}`, `Path: "/v1/touch", Method: ANY}`, "/v1/touch: scopes []"},
		{"routes", "Authorizer: Login, ", "", "no authorizer"},
		{"routes", "Anything: {Type: HttpApi, Properties: {ApiId: !Ref Api}}", "", "the gateway's own message"},
		{"retention", "DeletionPolicy: Retain", "DeletionPolicy: Delete", "is not retained"},
		{"retention", "DeletionProtectionEnabled: true", "DeletionProtectionEnabled: false", "no deletion protection"},
		{"indexes", "NonKeyAttributes: [status, koc]", "NonKeyAttributes: [status]", "declares the indexes"},
		{"indexes", "AttributeName: kocSk, KeyType: RANGE", "AttributeName: kocSort, KeyType: RANGE", "declares the indexes"},
		{"retention", "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false", "no point-in-time recovery"},
		{"buckets", "RestrictPublicBuckets: true", "RestrictPublicBuckets: false", "RestrictPublicBuckets"},
		{"log groups", "LogGroup: !Ref TouchLogs", "LogGroup: !Ref TallyLogs", "shares its log group"},
		{"log groups", "        LogGroup: !Ref TouchLogs\n", "        LogFormat: Text\n", "Touch: has no log group"},
		{"log groups", "      RetentionInDays: !Ref LogRetentionDays\n", "", "keeps its lines for ever"},
		{"variables", "PUBLIC_URL: !Ref PublicUrl", "AWS_LAMBDA_RUNTIME_API: !Ref PublicUrl", "reserved by Lambda"},
		{"variables", `"{{resolve:secretsmanager:${SigningKeys}:SecretString}}"`, `"${SigningKeys}"`, "SIGNING_KEYS is not a dynamic reference"},
		{"variables", `"{{resolve:secretsmanager:${SigningKeys}:SecretString}}"`, `"{{resolve:secretsmanager:${UserPool}:SecretString}}"`, "SIGNING_KEYS is not a dynamic reference"},
		{"variables", "GenerateSecretString:", "SecretString: abc\n      Other:", "stands in the template"},
		{"sandbox", "PUBLIC_URL: !Ref PublicUrl", "SANDBOX_KEY: !Ref PublicUrl", "names the sandbox"},
		{"sandbox", "Default: on_delivery", "Default: on_delivery,card", "Providers defaults"},
		{"portable", "Destination: !GetAtt FailedBatches.Arn", "Destination: arn:aws:s3:::failed", "Partition"},
		{"portable", "${AWS::URLSuffix}", "amazonaws.com", "URLSuffix"},
		{"builds", "BuildMethod: go1.x", "BuildMethod: makefile", "BuildMethod"},
		{"builds", "CodeUri: ../functions/touch", "CodeUri: ../touch", "CodeUri"},
		{"alarms", "MetricName: IteratorAge", "MetricName: Duration", "no alarm on IteratorAge"},
	}
	tried := map[string]bool{}
	for _, tt := range tests {
		tried[tt.rule] = true
		t.Run(tt.rule+"/"+tt.to, func(t *testing.T) {
			if !strings.Contains(deployed.source, tt.from) {
				t.Fatalf("the template no longer contains %q", tt.from)
			}
			broken, err := parse(strings.ReplaceAll(deployed.source, tt.from, tt.to))
			if err != nil {
				t.Fatal(err)
			}
			complaints := strings.Join(all[tt.rule](broken), "\n")
			if !strings.Contains(complaints, tt.want) {
				t.Errorf("complaints %q, want one with %q", complaints, tt.want)
			}
		})
	}
	for name := range all {
		if !tried[name] {
			t.Errorf("rule %q is never seen to complain", name)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for source, want := range map[string]string{
		"":                                   "empty",
		"- a":                                "not a mapping",
		"A: 1\nA: 2":                         "stands twice",
		"A: !ImportValue b":                  "unknown tag !ImportValue",
		"A: &x {B: 1}\nC: *x":                "aliases",
		"Resources:\n  A: [1, !Transform x]": "unknown tag",
	} {
		if _, err := parse(source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse(%q) = %v, want an error with %q", source, err, want)
		}
	}
}

func TestRoutes(t *testing.T) {
	got, err := Routes("touch")
	if err != nil || len(got) != 1 || got[0].Path != "/touch" || got[0].Method != "ANY" || len(got[0].Scopes) != 0 {
		t.Errorf("Routes(touch) = %v, %v", got, err)
	}
	if got, err = Routes("settle"); err != nil || len(got) != 0 {
		t.Errorf("Routes(settle) = %v, %v", got, err)
	}
	if _, err = Routes("nobody"); err == nil {
		t.Error("Routes(nobody) gave no error")
	}
}
