// Command payments receives the signed webhooks of payment providers and records what they say on the orders.
package main

import (
	"log"
	"os"
	"strings"
	"time"

	"yundian/shared/cashier"
	"yundian/shared/provider"
	"yundian/shared/store"
	"yundian/shared/telemetry"
	"yundian/shared/web"
)

func main() {
	telemetry.Setup(os.Stdout, os.Getenv("LOG_LEVEL"))
	providers, err := provider.New(strings.Split(os.Getenv("PROVIDERS"), ","), os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		log.Fatalf("PROVIDERS: %v", err)
	}
	s := store.Open(store.ConfigFrom(os.Getenv))
	web.Serve(routes(&payments{cashier: cashier.Cashier{Store: s, Providers: providers}, providers: providers, now: time.Now}))
}
