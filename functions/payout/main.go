// Command payout makes scheduled payouts, sends approved ones, and asks what became of those whose outcome is not known. It
// runs on a schedule.
package main

import (
	"log"
	"os"
	"strings"
	_ "time/tzdata" // days of the shop: the machine may have no zones

	"github.com/aws/aws-lambda-go/lambda"

	"yundian/shared/cashier"
	"yundian/shared/provider"
	"yundian/shared/provider/stripe"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/telemetry"
)

func main() {
	telemetry.Setup(os.Stdout, os.Getenv("LOG_LEVEL"))
	senders, err := stripe.New(stripe.Shop{Key: os.Getenv("STRIPE_KEY"), Name: os.Getenv("LEDGER_TABLE")})
	if err != nil {
		log.Fatalf("STRIPE_KEY: %v", err)
	}
	rails, err := provider.NewRails(strings.Split(os.Getenv("PAYOUT_RAILS"), ","), os.Getenv("AWS_LAMBDA_RUNTIME_API"), senders...)
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
