// Command checkout places orders: quotes, orders, payment, cancellation, receipt and returns, for shoppers without a login.
package main

import (
	"log"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // days of the shop: the machine may have no zones

	"yundian/shared/cashier"
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
	s := store.Open(store.ConfigFrom(os.Getenv))
	web.Serve(routes(&checkout{
		store: s, cashier: cashier.Cashier{Store: s, Providers: providers}, providers: providers,
		keys: keys, identity: identity.Key(os.Getenv("IDENTITY_KEY")), publicURL: os.Getenv("PUBLIC_URL"),
		writes: os.Getenv("MAIL_FROM") != "" && os.Getenv("PUBLIC_URL") != "", now: time.Now,
	}), web.ShopPages(s.Settings))
}
