// Command mature records what time has made true: unpaid orders expired, receipt by default, commission released. It
// runs on a schedule.
package main

import (
	"log"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"yundian/shared/cashier"
	"yundian/shared/provider"
	"yundian/shared/store"
	"yundian/shared/telemetry"
)

func main() {
	telemetry.Setup(os.Stdout, os.Getenv("LOG_LEVEL"))
	providers, err := provider.New(strings.Split(os.Getenv("PROVIDERS"), ","), os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		log.Fatalf("PROVIDERS: %v", err)
	}
	s := store.Open(store.ConfigFrom(os.Getenv))
	m := &mature{store: s, cashier: cashier.Cashier{Store: s, Providers: providers}}
	lambda.Start(m.run)
}
