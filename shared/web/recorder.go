package web

import (
	"bytes"
	"net/http"
)

// recorder keeps what a handler writes, with net/http's rules: the first status counts, writing without one is
// 200, writing nothing is an empty 200, and an answer to HEAD, 204 or 304 has no body.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	head   bool
}

func newRecorder(r *http.Request) *recorder {
	return &recorder{header: http.Header{}, head: r.Method == http.MethodHead}
}

func (rec *recorder) Header() http.Header { return rec.header }

func (rec *recorder) WriteHeader(status int) {
	// 1xx are interim answers, which a gateway response cannot carry.
	if rec.status == 0 && status >= 200 {
		rec.status = status
	}
}

func (rec *recorder) Write(b []byte) (int, error) {
	rec.WriteHeader(http.StatusOK)
	if rec.status == http.StatusNoContent || rec.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
	if rec.header.Get("Content-Type") == "" {
		rec.header.Set("Content-Type", http.DetectContentType(b))
	}
	if rec.head {
		return len(b), nil
	}
	return rec.body.Write(b)
}

// flush copies the record to the gateway's writer, with the headers that every answer must have unless the handler
// chose otherwise: nothing is cached, sniffed, framed or referred to by accident.
func (rec *recorder) flush(w http.ResponseWriter) {
	header := w.Header()
	for name, values := range rec.header {
		header[name] = values
	}
	header.Del("Content-Length") // the gateway counts the bytes it sends
	for name, value := range defaultHeaders {
		if header.Get(name) == "" {
			header.Set(name, value)
		}
	}
	status := rec.status
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	if rec.body.Len() > 0 {
		_, _ = w.Write(rec.body.Bytes()) // into memory: cannot fail
	}
}

var defaultHeaders = map[string]string{
	"Cache-Control":           "no-store",
	"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
	"Referrer-Policy":         "same-origin",
	"X-Content-Type-Options":  "nosniff",
	// A browser that was here once never asks without TLS again; over plain HTTP, as on a developer's machine, it is not heard.
	"Strict-Transport-Security": hsts,
}

// hsts is for how long browsers ask with TLS only: a year.
const hsts = "max-age=31536000"
