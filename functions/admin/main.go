// Command admin is the operators' API: catalogue, stock, KOCs, orders, refunds, settings and verification.
package main

import (
	"crypto/rand"
	"log"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // days of the shop: the machine may have no zones

	"yundian/shared/cashier"
	"yundian/shared/courier"
	"yundian/shared/hooks"
	"yundian/shared/identity"
	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/telemetry"
	"yundian/shared/web"
)

func main() {
	telemetry.Setup(os.Stdout, os.Getenv("LOG_LEVEL"))
	keys, err := seal.Parse(os.Getenv("SIGNING_KEYS"))
	if err != nil {
		log.Fatalf("SIGNING_KEYS: %v", err)
	}
	providers, err := provider.New(strings.Split(os.Getenv("PROVIDERS"), ","), os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		log.Fatalf("PROVIDERS: %v", err)
	}
	box, err := seal.ParseBox(os.Getenv("WEBHOOK_KEYS"))
	if err != nil {
		log.Fatalf("WEBHOOK_KEYS: %v", err)
	}
	payees, err := seal.ParseBox(os.Getenv("PAYOUT_KEYS"))
	if err != nil {
		log.Fatalf("PAYOUT_KEYS: %v", err)
	}
	s := store.Open(store.ConfigFrom(os.Getenv))
	web.Serve(routes(&admin{store: s, cashier: cashier.Cashier{Store: s, Providers: providers}, keys: keys, identity: identity.Key(os.Getenv("IDENTITY_KEY")),
		paymaster: cashier.Paymaster{Store: s, Box: payees}, publicURL: os.Getenv("PUBLIC_URL"), now: time.Now, random: rand.Text,
		hooks: hooks.Desk{Store: s, Box: box, Cursors: keys, Courier: courier.New(os.Getenv("AWS_LAMBDA_RUNTIME_API")), Now: time.Now, Random: rand.Text}}),
		web.GroupsClaim(os.Getenv("GROUPS_CLAIM")))
}
