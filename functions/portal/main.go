// Command portal is what a KOC sees and edits: links, shelf, earnings, orders and statistics as a JSON API, the static
// page that shows them, and applying to become one.
package main

import (
	"log"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // days of the shop: the machine may have no zones

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
	box, err := seal.ParseBox(os.Getenv("PAYOUT_KEYS"))
	if err != nil {
		log.Fatalf("PAYOUT_KEYS: %v", err)
	}
	hookBox, err := seal.ParseBox(os.Getenv("WEBHOOK_KEYS"))
	if err != nil {
		log.Fatalf("WEBHOOK_KEYS: %v", err)
	}
	rails, err := provider.NewRails(strings.Split(os.Getenv("PAYOUT_RAILS"), ","), os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		log.Fatalf("PAYOUT_RAILS: %v", err)
	}
	s := store.Open(store.ConfigFrom(os.Getenv))
	web.Serve(routes(&portal{
		store: s, keys: keys, identity: identity.Key(os.Getenv("IDENTITY_KEY")), box: box, rails: rails, publicURL: os.Getenv("PUBLIC_URL"),
		login: login{Issuer: os.Getenv("ISSUER"), ClientID: os.Getenv("PORTAL_CLIENT_ID")}, now: time.Now, random: randomText,
		hooks: hooks.Desk{Store: s, Box: hookBox, Cursors: keys, Courier: courier.New(os.Getenv("AWS_LAMBDA_RUNTIME_API")), Now: time.Now, Random: randomText},
	}), web.ShopPages(s.Settings))
}
