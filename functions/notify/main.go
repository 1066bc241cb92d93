// Command notify tells the outside what happened: signed webhooks to the systems of KOCs and operators, e-mails to
// shoppers and KOCs. It reads the stream of the ledger, and runs every minute for what has to be sent again.
package main

import (
	"log"
	"os"
	"time"
	_ "time/tzdata" // days of the shop: the machine may have no zones

	"github.com/aws/aws-lambda-go/lambda"

	"yundian/shared/courier"
	"yundian/shared/mail"
	"yundian/shared/seal"
	"yundian/shared/store"
	"yundian/shared/telemetry"
)

func main() {
	telemetry.Setup(os.Stdout, os.Getenv("LOG_LEVEL"))
	keys, err := seal.Parse(os.Getenv("SIGNING_KEYS"))
	if err != nil {
		log.Fatalf("SIGNING_KEYS: %v", err)
	}
	box, err := seal.ParseBox(os.Getenv("WEBHOOK_KEYS"))
	if err != nil {
		log.Fatalf("WEBHOOK_KEYS: %v", err)
	}
	lambda.Start(&notify{store: store.Open(store.ConfigFrom(os.Getenv)), keys: keys, box: box, courier: courier.New(os.Getenv("AWS_LAMBDA_RUNTIME_API")),
		sender: mail.New(os.Getenv("MAIL_FROM"), os.Getenv), publicURL: os.Getenv("PUBLIC_URL"), firstTry: firstTry, now: time.Now})
}
