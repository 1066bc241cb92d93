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

// handler serves the Runtime API of one process.
func (c *process) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+apiPrefix+"invocation/next", c.next)
	mux.HandleFunc("POST "+apiPrefix+"invocation/{id}/response", c.response)
	mux.HandleFunc("POST "+apiPrefix+"invocation/{id}/error", c.invocationError)
	mux.HandleFunc("POST "+apiPrefix+"init/error", c.initialisationError)
	mux.HandleFunc("GET /yundian/sandbox", c.sandbox)
	return mux
}

func (c *process) next(w http.ResponseWriter, r *http.Request) {
	if err := c.pool.ready(c); err != nil {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", err.Error())
		return
	}
	inv, ok := c.take(r.Context())
	if !ok {
		refuse(w, http.StatusInternalServerError, "ContainerExiting", "no more events")
		return
	}
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(inv.payload))}
	h["Lambda-Runtime-Aws-Request-Id"] = []string{inv.id}
	h["Lambda-Runtime-Deadline-Ms"] = []string{strconv.FormatInt(c.deadline.UnixMilli(), 10)}
	h["Lambda-Runtime-Invoked-Function-Arn"] = []string{"arn:aws:lambda:" + c.pool.runtime.options.Region +
		":000000000000:function:" + c.pool.function.FunctionName}
	h["Lambda-Runtime-Trace-Id"] = []string{"Root=1-" + strconv.FormatInt(c.deadline.Unix(), 16) + "-" +
		strings.ReplaceAll(inv.id, "-", "")[:24] + ";Sampled=0"}
	if _, err := w.Write(inv.payload); err != nil {
		// The process is gone or going: its end fails the invocation.
		c.pool.runtime.output(c.pool.function.Name).note("hand over event: %v", err)
	}
}

func (c *process) response(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	body, err := readAll(r, MaxPayload)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		message := "Response payload size exceeded maximum allowed payload size (" + strconv.Itoa(MaxPayload) + " bytes)."
		c.pool.finish(c, id, failure("Function.ResponseSizeTooLarge", message))
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", message)
		return
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	result := Result{Payload: body}
	// The client library reports a body that broke off in a trailer, because its status line was already sent.
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		result = failure(kind, "the response broke off")
	}
	c.accept(w, id, result)
}

func (c *process) invocationError(w http.ResponseWriter, r *http.Request) {
	body, err := readAll(r, maxErrorDocument)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	c.accept(w, r.PathValue("id"), Result{Payload: body, FunctionError: true})
}

func (c *process) accept(w http.ResponseWriter, id string, result Result) {
	if !c.pool.finish(c, id, result) {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "this process does not hold that event")
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// initialisationError keeps why the start failed; the process is expected to exit, and that ends its event.
func (c *process) initialisationError(w http.ResponseWriter, r *http.Request) {
	body, err := readAll(r, maxErrorDocument)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	c.pool.mu.Lock()
	c.initError = body
	c.pool.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
}

// sandbox is not part of Lambda, where this path answers 404: it is how a binary learns that it runs here.
func (c *process) sandbox(w http.ResponseWriter, r *http.Request) {
	s := c.pool.runtime.options.Sandbox
	if s == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(s) // a lost connection is the asker's loss
}

func readAll(r *http.Request, limit int64) ([]byte, error) {
	limited := http.MaxBytesReader(nil, r.Body, limit)
	if r.ContentLength > 0 && r.ContentLength <= limit {
		body := make([]byte, r.ContentLength)
		_, err := io.ReadFull(limited, body)
		return body, err
	}
	return io.ReadAll(limited)
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(failure(kind, message).Payload) // a lost connection is the asker's loss
}
