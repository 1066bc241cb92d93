// Command touch records that a real browser saw a share link, once per visitor, link and day.
package main

import (
	"log"
	"os"
	"time"
	_ "time/tzdata" // days of the shop: the machine may have no zones

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
	web.Serve(routes(&touch{
		store: store.Open(store.ConfigFrom(os.Getenv)), keys: keys, identity: []byte(os.Getenv("IDENTITY_KEY")),
		publicURL: os.Getenv("PUBLIC_URL"), now: time.Now,
	}))
}
