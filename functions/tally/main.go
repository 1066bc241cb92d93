// Command tally keeps the statistics of KOCs, from the streams of the ledger and of touches.
package main

import (
	"os"

	"yundian/shared/store"
	"yundian/shared/stream"
	"yundian/shared/telemetry"
)

func main() {
	telemetry.Setup(os.Stdout, os.Getenv("LOG_LEVEL"))
	t := &tally{store: store.Open(store.ConfigFrom(os.Getenv))}
	stream.Start(stream.Batch(t.batch))
}
