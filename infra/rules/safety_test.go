package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"yundian/shared/store"
)

// kept are the resources that hold people, money or what cannot be made again.
var kept = []string{"ShopTable", "PeopleTable", "OrdersTable", "LedgerTable", "IdentityKey", "PayoutKeys", "WebhookKeys", "FailedBatches", "UserPool"}

func retention(t *template) []string {
	var wrong []string
	for _, id := range kept {
		r := t.resources.object(id)
		if r.text("DeletionPolicy") != "Retain" || r.text("UpdateReplacePolicy") != "Retain" {
			wrong = append(wrong, id+": is not retained")
		}
		if r.text("Type") != "AWS::DynamoDB::Table" {
			continue
		}
		p := r.object("Properties")
		if !p.flag("DeletionProtectionEnabled") {
			wrong = append(wrong, id+": no deletion protection")
		}
		if !p.object("PointInTimeRecoverySpecification").flag("PointInTimeRecoveryEnabled") {
			wrong = append(wrong, id+": no point-in-time recovery")
		}
	}
	for _, id := range t.ofType("AWS::DynamoDB::Table") {
		if t.properties(id).text("BillingMode") != "PAY_PER_REQUEST" {
			wrong = append(wrong, id+": not billed per request")
		}
	}
	return wrong
}

func buckets(t *template) []string {
	var wrong []string
	for _, id := range t.ofType("AWS::S3::Bucket") {
		p := t.properties(id)
		for _, block := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
			if !p.object("PublicAccessBlockConfiguration").flag(block) {
				wrong = append(wrong, id+": "+block+" is not true")
			}
		}
		if len(p.object("BucketEncryption").list("ServerSideEncryptionConfiguration")) == 0 {
			wrong = append(wrong, id+": not encrypted")
		}
		if len(p.object("LifecycleConfiguration").list("Rules")) == 0 {
			wrong = append(wrong, id+": keeps its objects for ever")
		}
	}
	return wrong
}

func logGroups(t *template) []string {
	var wrong []string
	users := map[string]string{}
	for _, f := range t.functions() {
		group := f.properties.object("LoggingConfig").object("LogGroup").text("Ref")
		if t.resources.object(group).text("Type") != "AWS::Logs::LogGroup" {
			wrong = append(wrong, f.id+": has no log group of its own")
		}
		if other, shared := users[group]; shared {
			wrong = append(wrong, fmt.Sprintf("%s: shares its log group with %s", f.id, other))
		}
		users[group] = f.id
	}
	for _, id := range t.ofType("AWS::Logs::LogGroup") {
		if t.properties(id)["RetentionInDays"] == nil {
			wrong = append(wrong, id+": keeps its lines for ever")
		}
	}
	return wrong
}

// reserved are the variables that Lambda sets itself and no template can.
var reserved = regexp.MustCompile(`^(AWS_|LAMBDA_|_HANDLER$|_X_AMZN_|TZ$)`)

// secret are the names of variables that hold one.
var secret = regexp.MustCompile(`(KEY|KEYS|SECRET|PASSWORD|TOKEN|CREDENTIALS?)$`)

var dynamicReference = regexp.MustCompile(`^\{\{resolve:secretsmanager:\$\{(\w+)\}:SecretString\}\}$`)

func variables(t *template) []string {
	var wrong []string
	globals := t.root.object("Globals").object("Function").object("Environment").object("Variables")
	check := func(owner string, all object) {
		for _, name := range all.keys() {
			if reserved.MatchString(name) {
				wrong = append(wrong, fmt.Sprintf("%s: %s is reserved by Lambda", owner, name))
			}
			if !secret.MatchString(name) {
				continue
			}
			value, _ := all[name].(object)
			m := dynamicReference.FindStringSubmatch(value.text("Fn::Sub"))
			if m == nil || t.resources.object(m[1]).text("Type") != "AWS::SecretsManager::Secret" {
				wrong = append(wrong, fmt.Sprintf("%s: %s is not a dynamic reference to a secret of this template", owner, name))
			}
		}
	}
	check("Globals", globals)
	for _, f := range t.functions() {
		check(f.id, f.variables())
	}
	for _, id := range t.ofType("AWS::SecretsManager::Secret") {
		if t.properties(id)["SecretString"] != nil || t.properties(id)["GenerateSecretString"] == nil {
			wrong = append(wrong, id+": its value stands in the template instead of being generated")
		}
	}
	return wrong
}

// sandbox: the sandbox payment provider takes no money, so nothing that is deployed may name it or carry its key.
func sandbox(t *template) []string {
	var wrong []string
	for i, line := range strings.Split(t.source, "\n") {
		if strings.Contains(strings.ToLower(line), "sandbox") {
			wrong = append(wrong, fmt.Sprintf("line %d names the sandbox: %s", i+1, strings.TrimSpace(line)))
		}
	}
	if got := t.root.object("Parameters").object("Providers").text("Default"); got != "on_delivery" {
		wrong = append(wrong, fmt.Sprintf("parameter Providers defaults to %q, want on_delivery", got))
	}
	return wrong
}

// portable: the same template deploys in every partition, AWS China included.
func portable(t *template) []string {
	var wrong []string
	for i, line := range strings.Split(t.source, "\n") {
		if strings.Contains(line, "arn:aws") {
			wrong = append(wrong, fmt.Sprintf("line %d: write arn:${AWS::Partition}", i+1))
		}
		if strings.Contains(line, "amazonaws.com") {
			wrong = append(wrong, fmt.Sprintf("line %d: write ${AWS::URLSuffix}", i+1))
		}
	}
	return wrong
}

func builds(t *template) []string {
	var wrong []string
	g := t.root.object("Globals").object("Function")
	if g.text("Runtime") != "provided.al2023" || g.text("Handler") != "bootstrap" {
		wrong = append(wrong, "Globals: functions are bootstrap binaries on provided.al2023")
	}
	if t.root.object("Parameters").object("Architecture").text("Default") != "arm64" {
		wrong = append(wrong, "parameter Architecture does not default to arm64")
	}
	for _, f := range t.functions() {
		// Without go1.x sam build wants a makefile per function.
		if f.metadata.text("BuildMethod") != "go1.x" {
			wrong = append(wrong, f.id+": BuildMethod is not go1.x")
		}
		if f.properties.text("CodeUri") != "../functions/"+f.folder {
			wrong = append(wrong, fmt.Sprintf("%s: CodeUri %q is not a folder of functions/", f.id, f.properties.text("CodeUri")))
		}
		if f.properties.text("Description") == "" {
			wrong = append(wrong, f.id+": no description")
		}
	}
	for _, name := range t.root.object("Parameters").keys() {
		if p := t.root.object("Parameters").object(name); p.text("Description") == "" || p["Default"] == nil {
			wrong = append(wrong, "parameter "+name+": no description or no default")
		}
	}
	return wrong
}

// alarms: somebody must learn that records wait, that they were given up, and that time stands still.
func alarms(t *template) []string {
	raised := map[string]bool{}
	for _, id := range t.ofType("AWS::CloudWatch::Alarm") {
		p := t.properties(id)
		for _, d := range p.list("Dimensions") {
			dimension, _ := d.(object)
			raised[p.text("MetricName")+" of "+dimension.object("Value").text("Ref")] = true
		}
	}
	want := []string{"5xx of Api", "PutRequests of FailedBatches"}
	for _, f := range t.functions() {
		if len(f.events("DynamoDB")) > 0 {
			want = append(want, "IteratorAge of "+f.id, "Errors of "+f.id)
		}
		if len(f.events("Schedule")) > 0 {
			want = append(want, "Invocations of "+f.id, "Errors of "+f.id)
		}
	}
	var wrong []string
	for _, w := range want {
		if !raised[w] {
			wrong = append(wrong, "no alarm on "+w)
		}
	}
	slices.Sort(wrong)
	return wrong
}

// indexes are those that shared/store queries, in its simulations as on DynamoDB.
func indexes(t *template) []string {
	var wrong []string
	for table, id := range map[store.Table]string{store.Shop: "ShopTable", store.People: "PeopleTable", store.Orders: "OrdersTable",
		store.Ledger: "LedgerTable", store.Touches: "TouchesTable"} {
		var declared []store.Index
		for _, each := range t.properties(id).list("GlobalSecondaryIndexes") {
			g, _ := each.(object)
			x := store.Index{Name: g.text("IndexName"), Keeps: g.object("Projection").texts("NonKeyAttributes")}
			for _, each := range g.list("KeySchema") {
				k, _ := each.(object)
				if k.text("KeyType") == "HASH" {
					x.PK = k.text("AttributeName")
				} else {
					x.SK = k.text("AttributeName")
				}
			}
			declared = append(declared, x)
		}
		if !slices.EqualFunc(declared, store.Indexes[table], equalIndexes) {
			wrong = append(wrong, fmt.Sprintf("%s: declares the indexes %v, shared/store has %v", id, declared, store.Indexes[table]))
		}
	}
	return wrong
}

func equalIndexes(a, b store.Index) bool {
	return a.Name == b.Name && a.PK == b.PK && a.SK == b.SK && slices.Equal(a.Keeps, b.Keeps)
}
