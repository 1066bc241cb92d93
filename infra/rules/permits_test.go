package rules

import (
	"strings"
	"testing"
)

func TestPolicyCheck(t *testing.T) {
	tests := []struct {
		function, operation, body, want string // want: part of the error, "" for permitted
	}{
		{"touch", "PutItem", `{"TableName":"TouchesTable","Item":{"pk":{"S":"LINK#a"},"n":{"N":"1"}}}`, ""},
		{"touch", "PutItem", `{"TableName":"LedgerTable","Item":{"pk":{"S":"LINK#a"}}}`, "PutItem on LedgerTable"},
		{"touch", "UpdateItem", `{"TableName":"TouchesTable","Key":{"pk":{"S":"RATE#a"}}}`, ""},
		{"touch", "UpdateItem", `{"TableName":"TouchesTable","Key":{"pk":{"S":"KOC#a"}}}`, "keys KOC#"},
		{"touch", "Scan", `{"TableName":"TouchesTable"}`, "Scan on TouchesTable"},
		{"touch", "DeleteTable", `{"TableName":"TouchesTable"}`, "no function calls DeleteTable"},
		{"tally", "UpdateItem", `{"TableName":"ShopTable","Key":{"pk":{"S":"STAT#a"}}}`, ""},
		{"tally", "UpdateItem", `{"TableName":"ShopTable","Key":{"pk":{"S":"KOC#secret"}}}`, "keys KOC#"},
		{"storefront", "BatchGetItem", `{"RequestItems":{"ShopTable":{"Keys":[{"pk":{"S":"KOC#a"}}]}}}`, ""},
		{"storefront", "BatchGetItem", `{"RequestItems":{"OrdersTable":{"Keys":[{"pk":{"S":"ORDER#a"}}]}}}`, "BatchGetItem on OrdersTable"},
		{"storefront", "BatchGetItem", `{"RequestItems":{}}`, "touches nothing"},
		{"portal", "Query", `{"TableName":"OrdersTable","IndexName":"koc"}`, ""},
		{"portal", "Query", `{"TableName":"OrdersTable","IndexName":"placed"}`, `index "placed"`},
		{"portal", "Query", `{"TableName":"PeopleTable","KeyConditionExpression":"#0 = :0 AND begins_with(#1, :1)","ExpressionAttributeValues":{":0":{"S":"PAYEE#a"},":1":{"S":"V#"}}}`, ""},
		{"portal", "Query", `{"TableName":"PeopleTable","KeyConditionExpression":"#0 = :0","ExpressionAttributeValues":{":0":{"S":"PERSON#secret"},":1":{"S":"PAYEE#"}}}`, "keys PERSON#"},
		{"portal", "Query", `{"TableName":"PeopleTable"}`, "Query on PeopleTable"},
		{"checkout", "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"OrdersTable","Item":{"pk":{"S":"ORDER#a"}}}},
			{"Update":{"TableName":"ShopTable","Key":{"pk":{"S":"SKU#a"}}}}]}`, ""},
		{"checkout", "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"OrdersTable","Item":{"pk":{"S":"ORDER#a"}}}},
			{"Update":{"TableName":"ShopTable","Key":{"pk":{"S":"KOC#a"}}}}]}`, "keys KOC#"},
		{"checkout", "TransactWriteItems", `{`, "read TransactWriteItems"},
	}
	for _, tt := range tests {
		policy, err := PolicyOf(tt.function)
		if err != nil {
			t.Fatal(err)
		}
		err = policy.Check(tt.operation, []byte(tt.body), func(table string) string { return table })
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s %s: %v, want %q", tt.function, tt.operation, tt.body, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows a key: %v", err)
		}
	}
	if _, err := PolicyOf("nobody"); err == nil {
		t.Error("PolicyOf(nobody) gave no error")
	}
}
