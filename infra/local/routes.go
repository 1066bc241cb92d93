package local

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// quietPatience is how long GET /_local/quiet waits before it answers 503: callers ask again.
const quietPatience = 2 * time.Second

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}

// token gives an access token: GET /_local/token?user=koc:<name>.
func (r *Runner) token(w http.ResponseWriter, req *http.Request) {
	token, err := r.issuer.Token(req.URL.Query().Get("user"))
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
		return
	}
	reply(w, http.StatusOK, map[string]string{"token": token})
}

// run fires a scheduled function: POST /_local/run/{function}?at=<RFC 3339>.
func (r *Runner) run(w http.ResponseWriter, req *http.Request) {
	at := time.Now()
	if text := req.URL.Query().Get("at"); text != "" {
		var err error
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			reply(w, http.StatusBadRequest, map[string]string{"message": "at: a time such as 2026-03-01T12:00:00Z"})
			return
		}
	}
	_, err := r.RunSchedule(req.Context(), req.PathValue("function"), at)
	if errors.Is(err, ErrNotScheduled) {
		reply(w, http.StatusNotFound, map[string]string{"message": err.Error()})
		return
	}
	if err != nil {
		reply(w, http.StatusBadGateway, map[string]string{"message": err.Error()})
		return
	}
	reply(w, http.StatusOK, map[string]string{"ran": req.PathValue("function"), "at": at.UTC().Format(time.RFC3339)})
}

// quiet answers 200 once every stream is drained, 503 while it is not.
func (r *Runner) quiet(w http.ResponseWriter, req *http.Request) {
	ctx, cancel := context.WithTimeout(req.Context(), quietPatience)
	defer cancel()
	if err := r.Quiet(ctx); err != nil {
		w.Header().Set("Retry-After", "1")
		reply(w, http.StatusServiceUnavailable, map[string]string{"message": "records are still being delivered"})
		return
	}
	reply(w, http.StatusOK, map[string]bool{"quiet": true})
}
