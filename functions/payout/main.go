// Command payout makes scheduled payouts, sends approved ones, and asks what became of those whose outcome is not known. It
// runs on a schedule.
package main

import (
	"log"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"yundian/shared/cashier"
	"yundian/shared/provider"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/telemetry"
)

func main() {
	telemetry.Setup(os.Stdout, os.Getenv("LOG_LEVEL"))
	rails, err := provider.NewRails(strings.Split(os.Getenv("PAYOUT_RAILS"), ","), os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		log.Fatalf("PAYOUT_RAILS: %v", err)
	}
	box, err := seal.ParseBox(os.Getenv("PAYOUT_KEYS"))
	if err != nil {
		log.Fatalf("PAYOUT_KEYS: %v", err)
	}
	p := &payer{paymaster: cashier.Paymaster{Store: store.Open(store.ConfigFrom(os.Getenv)), Rails: rails, Box: box}}
	lambda.Start(p.run)
}
