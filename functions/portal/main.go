// Command portal is what a KOC sees and edits: links, shelf, earnings, orders and statistics as a JSON API, the static
// page that shows them, and applying to become one.
package main

import (
	"log"
	"os"
	"strings"
	"time"

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
	rails, err := provider.NewRails(strings.Split(os.Getenv("PAYOUT_RAILS"), ","), os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		log.Fatalf("PAYOUT_RAILS: %v", err)
	}
	web.Serve(routes(&portal{
		store: store.Open(store.ConfigFrom(os.Getenv)), keys: keys, box: box, rails: rails, publicURL: os.Getenv("PUBLIC_URL"),
		login: login{Issuer: os.Getenv("ISSUER"), ClientID: os.Getenv("PORTAL_CLIENT_ID")}, now: time.Now, random: randomText,
	}))
}
