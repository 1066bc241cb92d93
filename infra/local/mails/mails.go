// Package mails is the far side of e-mail on this machine: it takes what functions send through Amazon SES and shows it,
// instead of delivering it to anybody.
package mails

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits of what is kept and taken.
const (
	kept    = 2000    // the latest ones
	maxMail = 1 << 20 // bytes of a request; ours have a few thousand
)

// Mail is one e-mail that was sent.
type Mail struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	From    string    `json:"from"`
	To      []string  `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
}

// Mails takes and shows e-mails. Make one with New.
type Mails struct {
	mux *http.ServeMux
	now func() time.Time

	mu  sync.Mutex
	n   int
	all []Mail
}

// New makes an empty outbox.
func New(now func() time.Time) *Mails {
	m := &Mails{mux: http.NewServeMux(), now: now}
	m.mux.HandleFunc("POST /v2/email/outbound-emails", m.take)
	return m
}

// ServeHTTP answers the part of SES's API, version 2, that the store uses.
func (m *Mails) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

// request is the body of SendEmail with simple content. Source:
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
type request struct {
	FromEmailAddress string
	Destination      struct{ ToAddresses []string }
	Content          struct {
		Simple *struct {
			Subject struct{ Data string }
			Body    struct{ Text, Html struct{ Data string } }
		}
	}
}

func (m *Mails) take(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		refuse(w, http.StatusForbidden, "MissingAuthenticationToken", "the request is not signed")
		return
	}
	var q request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxMail)).Decode(&q); err != nil {
		refuse(w, http.StatusBadRequest, "BadRequestException", err.Error())
		return
	}
	if err := q.check(); err != nil {
		refuse(w, http.StatusBadRequest, "BadRequestException", err.Error())
		return
	}
	id := m.keep(Mail{At: m.now().UTC(), From: q.FromEmailAddress, To: q.Destination.ToAddresses, Subject: q.Content.Simple.Subject.Data,
		Text: q.Content.Simple.Body.Text.Data, HTML: q.Content.Simple.Body.Html.Data})
	answer(w, http.StatusOK, map[string]string{"MessageId": id})
}

// check refuses what SES would.
func (q request) check() error {
	if q.Content.Simple == nil || q.Content.Simple.Subject.Data == "" || strings.ContainsAny(q.Content.Simple.Subject.Data, "\r\n") {
		return fmt.Errorf("only simple content with a subject of one line is taken")
	}
	if len(q.Destination.ToAddresses) == 0 {
		return fmt.Errorf("nobody to send to")
	}
	for _, address := range append([]string{q.FromEmailAddress}, q.Destination.ToAddresses...) {
		if _, err := mail.ParseAddress(address); err != nil {
			return fmt.Errorf("%q: %w", address, err)
		}
	}
	return nil
}

func (m *Mails) keep(x Mail) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	x.ID = fmt.Sprintf("local-%d", m.n)
	m.all = append(m.all, x)
	m.all = m.all[max(0, len(m.all)-kept):]
	return x.ID
}

// Show answers with what was sent, oldest first; to one address with ?to=.
func (m *Mails) Show(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	m.mu.Lock()
	items := slices.DeleteFunc(slices.Clone(m.all), func(x Mail) bool { return to != "" && !slices.Contains(x.To, to) })
	m.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"items": items})
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("X-Amzn-ErrorType", kind)
	answer(w, status, map[string]string{"message": message})
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}
