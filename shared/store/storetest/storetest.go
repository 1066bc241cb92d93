// Package storetest opens stores on fresh tables of the engine under test (STORE=dynoxide or dynamodb-local).
package storetest

import (
	"context"
	"testing"

	"yundian/infra/local/engine"
	"yundian/infra/local/engine/enginetest"
	"yundian/shared/store"
)

// Env is the environment of a function that uses the fresh tables, as the template would set it.
type Env map[string]string

// Open creates the five tables under names of their own and a store on them.
func Open(t testing.TB) *store.Store {
	t.Helper()
	s, _ := OpenWithEnv(t)
	return s
}

// OpenWithEnv is Open for tests that start whole functions.
func OpenWithEnv(t testing.TB) (*store.Store, Env) {
	t.Helper()
	e := enginetest.ForTest(t)
	env := Env{"AWS_REGION": engine.Region, "AWS_ACCESS_KEY_ID": engine.AccessKey, "AWS_SECRET_ACCESS_KEY": engine.SecretKey,
		"AWS_ENDPOINT_URL_DYNAMODB": e.Endpoint}
	tables := []engine.Table{
		{GSIs: []engine.GSI{{Name: "list", PK: "listPk", SK: "listSk", Projection: "KEYS_ONLY"}}, TTLAttribute: "ttl"},
		{},
		{StreamView: "NEW_AND_OLD_IMAGES", TTLAttribute: "ttl", GSIs: []engine.GSI{
			{Name: "placed", PK: "placedPk", SK: "placedSk", Projection: "INCLUDE", Include: []string{"status", "koc"}},
			{Name: "koc", PK: "kocPk", SK: "kocSk", Projection: "INCLUDE", Include: []string{"status"}},
			{Name: "due", PK: "duePk", SK: "dueSk", Projection: "KEYS_ONLY"}}},
		{StreamView: "NEW_IMAGE", GSIs: []engine.GSI{
			{Name: "list", PK: "listPk", SK: "listSk", Projection: "INCLUDE", Include: []string{"status", "koc"}},
			{Name: "due", PK: "duePk", SK: "dueSk", Projection: "KEYS_ONLY"}}},
		{StreamView: "NEW_IMAGE", TTLAttribute: "ttl"},
	}
	for i, name := range []string{"SHOP", "PEOPLE", "ORDERS", "LEDGER", "TOUCHES"} {
		tables[i].Name = enginetest.Name(name)
		env[name+"_TABLE"] = tables[i].Name
	}
	if err := engine.CreateTables(context.Background(), enginetest.Client(t), tables); err != nil {
		t.Fatalf("create tables: %v", err)
	}
	return store.Open(store.ConfigFrom(func(k string) string { return env[k] })), env
}
