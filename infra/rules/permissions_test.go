package rules

import (
	"fmt"
	"slices"
	"strings"
)

// knownActions are the IAM actions that a policy may name: each exists, and none deletes a table or reads a whole one.
// cfn-lint does not look into the inline policies of SAM functions, so a misspelt action would only fail when used.
var knownActions = []string{
	"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:ConditionCheckItem",
	"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
	"s3:GetObject", "s3:PutObject", "s3:ListBucket",
	"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
	"secretsmanager:GetSecretValue", sendMail,
}

var writingActions = []string{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"}

// mayWrite says which function may write which table, and which keys of it ("" for every key). It is the promise of
// the architecture: settle alone posts commissions, touch alone records touches, and so on.
var mayWrite = map[string]map[string]string{
	"touch":     {"TouchesTable": "LINK# RATE#"},
	"checkout":  {"OrdersTable": "", "PeopleTable": "", "ShopTable": "SKU# VARIANT#"},
	"payments":  {"OrdersTable": "", "ShopTable": "SKU# VARIANT#"},
	"portal":    {"ShopTable": "KOC# LINK# IDEMP# APPLY# INVITE# LOGIN# HANDLE# HOOK#KOC# DELIVERY#", "LedgerTable": "KOC# PAYOUT#", "PeopleTable": "PAYEE#"},
	"admin":     {"ShopTable": "", "OrdersTable": "", "PeopleTable": "", "LedgerTable": "ADJUST# KOC# PAYOUT# PAYFILE#"},
	"attribute": {"OrdersTable": ""},
	"settle":    {"LedgerTable": ""},
	"tally":     {"ShopTable": "STAT#"},
	"notify":    {"ShopTable": "HOOK# DELIVERY# LETTER#"},
	"mature":    {"OrdersTable": "", "ShopTable": "SKU# VARIANT#"},
	"payout":    {"LedgerTable": "KOC# PAYOUT# PAYRUN#"},
	"statement": {"LedgerTable": "KOC#"},
}

func permissions(t *template) []string {
	var wrong []string
	for _, f := range t.functions() {
		if f.properties["Role"] != nil {
			wrong = append(wrong, f.id+": a role of its own hides its permissions from these rules")
		}
		policies := f.properties.list("Policies")
		if len(policies) == 0 {
			wrong = append(wrong, f.id+": has no policy")
		}
		for _, p := range policies {
			document, ok := p.(object)
			if !ok || len(document.list("Statement")) == 0 {
				wrong = append(wrong, fmt.Sprintf("%s: policy %v is not an inline list of statements", f.id, p))
				continue
			}
			for _, s := range document.list("Statement") {
				wrong = append(wrong, statement(f, s.(object))...)
			}
		}
		wrong = append(wrong, unreachable(f)...)
	}
	return wrong
}

func statement(f function, s object) []string {
	var wrong []string
	complain := func(format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%s, statement %s: ", f.id, s.text("Sid"))+fmt.Sprintf(format, args...))
	}
	if s.text("Effect") != "Allow" || s["NotAction"] != nil || s["NotResource"] != nil {
		complain("only Allow with Action and Resource is used")
	}
	actions := s.texts("Action")
	if len(actions) == 0 {
		complain("has no action")
	}
	writes := false
	for _, action := range actions {
		if !slices.Contains(knownActions, action) {
			complain("action %q is not on the list of known actions", action)
		}
		writes = writes || slices.Contains(writingActions, action)
	}
	if slices.Contains(actions, sendMail) {
		if !mailOnly(s) {
			complain("mail may be sent as MailFrom of MailIdentity, and by a statement of its own")
		}
		return wrong
	}
	for _, r := range resources(s) {
		table := resourceOf(r)
		if table == "" {
			complain("resource %v is not the Arn of a resource of this template", r)
			continue
		}
		if !writes {
			continue
		}
		keys, allowed := mayWrite[f.folder][table]
		if !allowed {
			complain("%s may not write %s", f.folder, table)
		} else if got := strings.Join(prefixes(s), " "); got != keys {
			complain("writes %s under the keys %q, want %q", table, got, keys)
		}
	}
	return wrong
}

// sendMail is the one action on something that is not of this template: the identity is verified outside of it.
const sendMail = "ses:SendEmail"

// mailOnly reports whether a statement lets a function send mail from the shop's own address and nothing else.
func mailOnly(s object) bool {
	resource, _ := s["Resource"].(object)
	from := s.object("Condition").object("StringEquals").object("ses:FromAddress")
	return len(s.texts("Action")) == 1 && from.text("Ref") == "MailFrom" &&
		resource.text("Fn::Sub") == "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/${MailIdentity}"
}

// unreachable complains about a table that a function has a permission for but is not told the name of, and the
// other way round.
func unreachable(f function) []string {
	permitted := map[string]bool{}
	for _, p := range f.properties.list("Policies") {
		document, _ := p.(object)
		for _, s := range document.list("Statement") {
			statement, _ := s.(object)
			for _, r := range resources(statement) {
				permitted[resourceOf(r)] = true
			}
		}
	}
	var wrong []string
	for name, value := range f.variables() {
		o, _ := value.(object)
		table := o.text("Ref")
		if strings.HasSuffix(name, "_TABLE") && !permitted[table] {
			wrong = append(wrong, fmt.Sprintf("%s: knows %s but has no permission on %s", f.id, name, table))
		}
		delete(permitted, table)
	}
	for table := range permitted {
		if strings.HasSuffix(table, "Table") {
			wrong = append(wrong, fmt.Sprintf("%s: has a permission on %s but no variable names it", f.id, table))
		}
	}
	slices.Sort(wrong)
	return wrong
}

func (f function) variables() object { return f.properties.object("Environment").object("Variables") }
