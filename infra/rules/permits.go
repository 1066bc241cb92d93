package rules

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Policy is what the template lets one function do to the tables. No store engine knows IAM, so a missing permission
// would show on the first deployment only: tests hold the calls they see on the wire against it.
type Policy struct {
	function string
	grants   []grant
}

// grant is one action on one table or index, perhaps for some partition keys only.
type grant struct {
	action, table, index string
	prefixes             []string // of partition keys; none for every key
}

// access is one thing that a request does.
type access struct{ action, table, index, key string }

// PolicyOf returns the policy of a function, named by its folder under functions/.
func PolicyOf(function string) (Policy, error) {
	t, err := load()
	if err != nil {
		return Policy{}, fmt.Errorf("policy of %s: %w", function, err)
	}
	for _, f := range t.functions() {
		if f.folder == function {
			return Policy{function: function, grants: f.grants()}, nil
		}
	}
	return Policy{}, fmt.Errorf("policy of %s: no function in the template has this folder", function)
}

func (f function) grants() []grant {
	var grants []grant
	for _, p := range f.properties.list("Policies") {
		document, _ := p.(object)
		for _, s := range document.list("Statement") {
			statement, _ := s.(object)
			for _, action := range statement.texts("Action") {
				for _, r := range resources(statement) {
					grants = append(grants, grant{action: action, table: resourceOf(r), index: indexOf(r), prefixes: prefixes(statement)})
				}
			}
		}
	}
	return grants
}

// resources returns a statement's Resource as a list.
func resources(statement object) []any {
	if list, ok := statement["Resource"].([]any); ok {
		return list
	}
	return []any{statement["Resource"]}
}

// resourceOf returns the logical id in !GetAtt X.Arn or !Sub ${X.Arn}/path; "" for everything else, wildcards included.
func resourceOf(r any) string {
	o, ok := r.(object)
	if !ok {
		return ""
	}
	if id, found := strings.CutSuffix(o.text("Fn::GetAtt"), ".Arn"); found {
		return id
	}
	arn, _, found := strings.Cut(o.text("Fn::Sub"), "}/")
	id, isArn := strings.CutSuffix(strings.TrimPrefix(arn, "${"), ".Arn")
	if !found || !isArn || strings.Contains(o.text("Fn::Sub"), "*") {
		return ""
	}
	return id
}

func indexOf(r any) string {
	o, _ := r.(object)
	_, index, _ := strings.Cut(o.text("Fn::Sub"), "/index/")
	return index
}

// prefixes returns the partition key prefixes that a statement is limited to. A pattern that is not prefix#* comes back
// as it is, star included, so that it permits nothing.
func prefixes(statement object) []string {
	var found []string
	for _, k := range statement.object("Condition").object("ForAllValues:StringLike").texts("dynamodb:LeadingKeys") {
		if prefix, ok := strings.CutSuffix(k, "#*"); ok {
			k = prefix + "#"
		}
		found = append(found, k)
	}
	return found
}

// Check returns an error when the policy does not permit a DynamoDB request: operation is what follows the dot of
// X-Amz-Target, body the JSON of the request, and logicalID gives the template's name of a table by its name on the wire.
func (p Policy) Check(operation string, body []byte, logicalID func(table string) string) error {
	accesses, err := accessesOf(operation, body)
	if err != nil {
		return fmt.Errorf("%s: %w", p.function, err)
	}
	for _, a := range accesses {
		a.table = logicalID(a.table)
		permitted := slices.ContainsFunc(p.grants, func(g grant) bool { return g.permits(a) })
		if !permitted {
			// Only the kind of key: what follows the first # may identify a person.
			kind, _, _ := strings.Cut(a.key, "#")
			return fmt.Errorf("%s: the template does not permit dynamodb:%s on %s, index %q, keys %s#", p.function, a.action, a.table, a.index, kind)
		}
	}
	return nil
}

func (g grant) permits(a access) bool {
	if g.action != "dynamodb:"+a.action || g.table != a.table || g.index != a.index {
		return false
	}
	return len(g.prefixes) == 0 || slices.ContainsFunc(g.prefixes, func(prefix string) bool { return strings.HasPrefix(a.key, prefix) })
}

// target is the part of a request, or of one item of it, that says what it touches.
type target struct {
	TableName, IndexName string
	Key, Item            map[string]struct{ S string }

	// Of a query, whose first condition names the partition: #0 = :0 AND …
	KeyConditionExpression    string
	ExpressionAttributeValues map[string]struct{ S string }
}

func (t target) does(action string) access {
	key := t.Key["pk"].S
	if t.Item != nil {
		key = t.Item["pk"].S
	}
	if _, right, ok := strings.Cut(t.KeyConditionExpression, "="); ok && action == "Query" {
		value, _, _ := strings.Cut(strings.TrimSpace(right), " ")
		key = t.ExpressionAttributeValues[value].S
	}
	return access{action: action, table: t.TableName, index: t.IndexName, key: key}
}

// transactActions are the actions that the parts of a transaction need.
var transactActions = map[string]string{
	"Get": "GetItem", "Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem",
}

func accessesOf(operation string, body []byte) ([]access, error) {
	var request struct {
		target
		RequestItems  map[string]json.RawMessage
		TransactItems []map[string]target
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, fmt.Errorf("read %s: %w", operation, err)
	}
	var accesses []access
	switch operation {
	case "GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan":
		return []access{request.does(operation)}, nil
	case "TransactWriteItems", "TransactGetItems":
		for _, item := range request.TransactItems {
			for part, t := range item {
				accesses = append(accesses, t.does(transactActions[part]))
			}
		}
	case "BatchGetItem":
		for table, raw := range request.RequestItems {
			var items struct {
				Keys []map[string]struct{ S string }
			}
			if err := json.Unmarshal(raw, &items); err != nil {
				return nil, fmt.Errorf("read %s: %w", operation, err)
			}
			for _, key := range items.Keys {
				accesses = append(accesses, access{action: operation, table: table, key: key["pk"].S})
			}
		}
	default:
		return nil, fmt.Errorf("no function calls %s", operation)
	}
	if len(accesses) == 0 {
		return nil, fmt.Errorf("%s touches nothing", operation)
	}
	return accesses, nil
}
