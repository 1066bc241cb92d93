// Command statement closes the months of all KOCs that have ended, once a day.
package main

import (
	"os"
	_ "time/tzdata" // days of the shop: the machine may have no zones

	"github.com/aws/aws-lambda-go/lambda"

	"yundian/shared/store"
	"yundian/shared/telemetry"
)

func main() {
	telemetry.Setup(os.Stdout, os.Getenv("LOG_LEVEL"))
	c := &closer{store: store.Open(store.ConfigFrom(os.Getenv))}
	lambda.Start(c.run)
}
