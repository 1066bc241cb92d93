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
		store.Shop:    {TTLAttribute: "ttl"},
		store.People:  {},
		store.Orders:  {StreamView: "NEW_AND_OLD_IMAGES", TTLAttribute: "ttl"},
		store.Ledger:  {StreamView: "NEW_IMAGE"},
		store.Touches: {StreamView: "NEW_IMAGE", TTLAttribute: "ttl"},
	}
	for i, name := range []string{"SHOP", "PEOPLE", "ORDERS", "LEDGER", "TOUCHES"} {
		tables[i].Name = enginetest.Name(name)
		env[name+"_TABLE"] = tables[i].Name
		for _, x := range store.Indexes[i] {
			g := engine.GSI{Name: x.Name, PK: x.PK, SK: x.SK, Projection: "KEYS_ONLY", Include: x.Keeps}
			if len(x.Keeps) > 0 {
				g.Projection = "INCLUDE"
			}
			tables[i].GSIs = append(tables[i].GSIs, g)
		}
	}
	if err := engine.CreateTables(context.Background(), enginetest.Client(t), tables); err != nil {
		t.Fatalf("create tables: %v", err)
	}
	return store.Open(store.ConfigFrom(func(k string) string { return env[k] })), env
}
