// Command attribute decides which KOC earned each new order, from the stream of orders.
package main

import (
	"os"
	"time"
	_ "time/tzdata" // days of the shop: the machine may have no zones

	"yundian/shared/store"
	"yundian/shared/stream"
	"yundian/shared/telemetry"
)

func main() {
	telemetry.Setup(os.Stdout, os.Getenv("LOG_LEVEL"))
	a := &attribute{store: store.Open(store.ConfigFrom(os.Getenv)), now: time.Now}
	stream.Start(stream.Batch(a.batch))
}
