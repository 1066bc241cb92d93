package lambda

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const apiPrefix = "/2018-06-01/runtime/"

// maxErrorDocument bounds what a function may report as its error.
const maxErrorDocument = 256 * 1024

var errBodyTooLarge = errors.New("body is too large")

// answer is what the Runtime API says to one request.
type answer struct {
	status int
	fields []string // of the header: name, value, name, value
	body   []byte
	close  bool // the connection cannot go on
}

var accepted = answer{status: http.StatusAccepted}

// answerTo serves the Runtime API of one process, which has one request at a time under way.
func (c *process) answerTo(r *http.Request) answer {
	path, ok := strings.CutPrefix(r.URL.Path, apiPrefix)
	switch {
	case r.Method == http.MethodGet && ok && path == "invocation/next":
		return c.next()
	case r.Method == http.MethodPost && ok && path == "init/error":
		return c.startError(r)
	case r.Method == http.MethodGet && r.URL.Path == "/yundian/sandbox":
		return c.sandbox()
	case r.Method == http.MethodGet && r.URL.Path == "/yundian/loopback":
		return c.loopback()
	case r.Method == http.MethodPost && ok:
		if id, found := strings.CutSuffix(strings.TrimPrefix(path, "invocation/"), "/response"); found {
			return c.response(id, r)
		}
		if id, found := strings.CutSuffix(strings.TrimPrefix(path, "invocation/"), "/error"); found {
			return c.invocationError(id, r)
		}
	}
	return refuse(http.StatusNotFound, "NotFound", "the Runtime API has no "+r.Method+" "+r.URL.Path)
}

func (c *process) next() answer {
	if err := c.pool.ready(c); err != nil {
		return refuse(http.StatusForbidden, "InvalidStateTransition", err.Error())
	}
	inv, ok := c.take()
	if !ok {
		return refuse(http.StatusInternalServerError, "ContainerExiting", "no more events")
	}
	return answer{status: http.StatusOK, body: inv.payload, fields: []string{
		"Content-Type", "application/json",
		"Lambda-Runtime-Aws-Request-Id", inv.id,
		"Lambda-Runtime-Deadline-Ms", strconv.FormatInt(c.deadline.UnixMilli(), 10),
		"Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:" + c.pool.runtime.options.Region +
			":000000000000:function:" + c.pool.function.FunctionName,
		"Lambda-Runtime-Trace-Id", "Root=1-" + strconv.FormatInt(c.deadline.Unix(), 16) + "-" +
			strings.ReplaceAll(inv.id, "-", "")[:24] + ";Sampled=0",
	}}
}

func (c *process) response(id string, r *http.Request) answer {
	body, err := readBody(r, MaxPayload)
	if errors.Is(err, errBodyTooLarge) {
		message := "Response payload size exceeded maximum allowed payload size (" + strconv.Itoa(MaxPayload) + " bytes)."
		c.pool.finish(c, id, failure("Function.ResponseSizeTooLarge", message))
		return refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", message)
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "InvalidRequest", err.Error())
	}
	result := Result{Payload: body}
	// The client library reports a body that broke off in a trailer, because its status line was already sent.
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		result = failure(kind, "the response broke off")
	}
	return c.finish(id, result)
}

func (c *process) invocationError(id string, r *http.Request) answer {
	body, err := readBody(r, maxErrorDocument)
	if err != nil {
		return refuse(http.StatusBadRequest, "InvalidRequest", err.Error())
	}
	return c.finish(id, Result{Payload: body, FunctionError: true})
}

func (c *process) finish(id string, result Result) answer {
	if !c.pool.finish(c, id, result) {
		return refuse(http.StatusBadRequest, "InvalidRequestID", "this process does not hold that event")
	}
	return accepted
}

// startError keeps why the start failed; the process is expected to exit, and that ends its event.
func (c *process) startError(r *http.Request) answer {
	body, err := readBody(r, maxErrorDocument)
	if err != nil {
		return refuse(http.StatusBadRequest, "InvalidRequest", err.Error())
	}
	c.pool.mu.Lock()
	c.initError = body
	c.pool.mu.Unlock()
	return accepted
}

// sandbox is not part of Lambda, where this path answers 404: it is how a binary learns that it runs here.
func (c *process) sandbox() answer {
	s := c.pool.runtime.options.Sandbox
	if s == nil {
		return refuse(http.StatusNotFound, "NotFound", "there is no sandbox")
	}
	body, err := json.Marshal(s)
	if err != nil { // Two strings always marshal.
		panic(err)
	}
	return answer{status: http.StatusOK, body: body, fields: []string{"Content-Type", "application/json"}}
}

// loopback is not part of Lambda either: webhooks of the store may go to this machine, as everybody's do who tries it.
func (c *process) loopback() answer {
	if c.pool.runtime.options.Sandbox == nil {
		return refuse(http.StatusNotFound, "NotFound", "webhooks go to public addresses only")
	}
	return answer{status: http.StatusNoContent}
}

func readBody(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, errBodyTooLarge
	}
	if r.ContentLength >= 0 {
		body := make([]byte, r.ContentLength)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		return nil, errBodyTooLarge
	}
	return body, err
}

// refuse closes the connection too, because the rest of a refused body may still be on it.
func refuse(status int, kind, message string) answer {
	return answer{status: status, body: failure(kind, message).Payload, close: true,
		fields: []string{"Content-Type", "application/json"}}
}
