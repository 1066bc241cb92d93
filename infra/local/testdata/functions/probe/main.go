// Command probe is the function that the runner's own tests drive: its event says what to do.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// command is an event.
type command struct {
	Do    string `json:"do"`
	Size  int    `json:"size"`
	Error string `json:"error"`
	File  string `json:"file"`

	Records []record // of a stream
}

// record is one record of a stream; the item's attribute do says what to do with it.
type record struct {
	DynamoDB struct {
		SequenceNumber string
		NewImage       map[string]struct{ S string }
	} `json:"dynamodb"`
}

func main() {
	lambda.Start(func(ctx context.Context, event json.RawMessage) (any, error) {
		if err := keep(event); err != nil {
			return nil, err
		}
		var c command
		if err := json.Unmarshal(event, &c); err != nil {
			return nil, fmt.Errorf("read event: %w", err)
		}
		if len(c.Records) > 0 {
			return stream(c.Records)
		}
		return c.run(ctx, event)
	})
}

// keep appends the event as one line to the file that RECORD names, before anything can go wrong.
func keep(event json.RawMessage) error {
	path := os.Getenv("RECORD")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(event) + "\n")
	return err
}

// stream fails the whole batch for an item that says fail, and only that record for one that says part.
func stream(records []record) (any, error) {
	failures := []map[string]string{}
	for _, r := range records {
		switch r.DynamoDB.NewImage["do"].S {
		case "fail":
			return nil, errors.New("told to fail")
		case "part":
			failures = append(failures, map[string]string{"itemIdentifier": r.DynamoDB.SequenceNumber})
		}
	}
	return map[string]any{"batchItemFailures": failures}, nil
}

func (c command) run(ctx context.Context, event json.RawMessage) (any, error) {
	switch c.Do {
	case "pid":
		return os.Getpid(), nil
	case "environment":
		return os.Environ(), nil
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{"id": lc.AwsRequestID, "arn": lc.InvokedFunctionArn, "left": time.Until(deadline).Seconds()}, nil
	case "fail":
		return nil, errors.New(c.Error)
	case "panic":
		panic(c.Error)
	case "exit":
		os.Exit(3)
	case "hang": // Says so first, so that a test knows when it has begun.
		if c.File != "" {
			if err := os.WriteFile(c.File, nil, 0o600); err != nil {
				return nil, err
			}
		}
		select {}
	case "large":
		return strings.Repeat("x", c.Size), nil
	case "print":
		fmt.Println(c.Error)
		fmt.Fprint(os.Stderr, "no newline")
		return nil, nil
	case "sandbox":
		return sandbox()
	}
	return event, nil
}

func sandbox() (any, error) {
	res, err := http.Get("http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/yundian/sandbox")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1000))
	return map[string]any{"status": res.StatusCode, "body": string(body)}, err
}
