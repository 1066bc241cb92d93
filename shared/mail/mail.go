// Package mail writes e-mails and hands them to Amazon SES. Without a sender's address the shop writes none.
package mail

import (
	"context"
	"errors"
	"net/http"
	"net/mail"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"

	"yundian/shared/typed"
)

// timeout bounds one e-mail: SES takes a fraction of a second.
const timeout = 5 * time.Second

// Sender hands e-mails to SES.
type Sender struct {
	from string
	ses  *sesv2.Client
}

// New makes a sender. from is the address that e-mails come from, empty for a shop that sends none; getenv gives Lambda's
// own environment.
func New(from string, getenv func(string) string) *Sender {
	o := sesv2.Options{
		Region:      getenv("AWS_REGION"),
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"), getenv("AWS_SESSION_TOKEN"))),
		// What fails is tried again later by whoever keeps the letter: a repetition here would send twice what was answered too late.
		Retryer:    aws.NopRetryer{},
		HTTPClient: &http.Client{Timeout: timeout, Transport: &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second}},
	}
	if endpoint := getenv("AWS_ENDPOINT_URL_SESV2"); endpoint != "" {
		o.BaseEndpoint = aws.String(endpoint)
	}
	return &Sender{from: from, ses: sesv2.New(o)}
}

// On reports whether the shop sends e-mails.
func (s *Sender) On() bool { return s.from != "" }

// Send hands over one e-mail, in the name of the brand. It returns the status of SES's answer, 0 without one, and the code
// of what went wrong, empty when SES took it.
func (s *Sender) Send(ctx context.Context, brand, to string, m Message) (status int, problem string) {
	if _, ok := typed.Email(to); !ok {
		return 0, "address"
	}
	content := func(text string) *types.Content {
		return &types.Content{Data: aws.String(text), Charset: aws.String("UTF-8")}
	}
	from := mail.Address{Name: typed.TidyLine(brand), Address: s.from}
	_, err := s.ses.SendEmail(ctx, &sesv2.SendEmailInput{
		FromEmailAddress: aws.String(from.String()),
		Destination:      &types.Destination{ToAddresses: []string{to}},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: content(typed.TidyLine(m.Subject)),
			Body:    &types.Body{Text: content(m.Text), Html: content(m.HTML)},
			// Out-of-office programs answer nothing that says this.
			Headers: []types.MessageHeader{{Name: aws.String("Auto-Submitted"), Value: aws.String("auto-generated")}},
		}},
	})
	if err == nil {
		return http.StatusOK, ""
	}
	if answer, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		status = answer.HTTPStatusCode()
	}
	if refusal, ok := errors.AsType[smithy.APIError](err); ok {
		return status, refusal.ErrorCode()
	}
	return status, "unreachable"
}
