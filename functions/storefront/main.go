// Command storefront shows the store to shoppers: share links, KOCs' storefronts, products, baskets. It writes nothing.
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
	providers, err := provider.New(strings.Split(os.Getenv("PROVIDERS"), ","), os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		log.Fatalf("PROVIDERS: %v", err)
	}
	s := store.Open(store.ConfigFrom(os.Getenv))
	web.Serve(routes(&storefront{
		store: s, keys: keys, providers: providers, publicURL: os.Getenv("PUBLIC_URL"), now: time.Now,
	}), web.ShopPages(s.Settings))
}
