// Command verify recomputes every figure of the shop from the facts it follows from, once a day, and raises an alarm when one
// differs. It writes nothing.
package main

import (
	"os"
	"time"
	_ "time/tzdata" // days of the shop: the machine may have no zones

	"github.com/aws/aws-lambda-go/lambda"

	"yundian/shared/audit"
	"yundian/shared/store"
	"yundian/shared/telemetry"
)

func main() {
	telemetry.Setup(os.Stdout, os.Getenv("LOG_LEVEL"))
	s := store.Open(store.ConfigFrom(os.Getenv))
	v := &verify{auditor: audit.Auditor{Store: s, Now: time.Now, Wait: audit.Pause, Postings: perKOC}}
	lambda.Start(v.run)
}
