package mails

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"yundian/shared/mail"
)

// TestWhatTheStoreSendsIsShown sends with the very code of the functions.
func TestWhatTheStoreSendsIsShown(t *testing.T) {
	m := New(time.Now)
	server := httptest.NewServer(m)
	defer server.Close()
	env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_ENDPOINT_URL_SESV2": server.URL}
	s := mail.New("shop@example.com", func(name string) string { return env[name] })
	for i := range kept + 1 {
		if status, problem := s.Send(t.Context(), "云店", fmt.Sprintf("c%d@example.com", i%2), mail.Message{Subject: fmt.Sprint(i), Text: "text", HTML: "<p>html</p>"}); problem != "" {
			t.Fatalf("%d %s", status, problem)
		}
	}
	get := func(query string) (items []Mail) {
		w := httptest.NewRecorder()
		m.Show(w, httptest.NewRequest("GET", "/"+query, nil))
		var body struct{ Items []Mail }
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatal(err)
		}
		return body.Items
	}
	all := get("")
	if len(all) != kept || all[0].Subject != "1" || all[kept-1].Subject != fmt.Sprint(kept) || all[0].Text != "text" || all[0].HTML != "<p>html</p>" || !strings.HasSuffix(all[0].From, "<shop@example.com>") {
		t.Errorf("%d mails, the first %+v", len(all), all[0])
	}
	if some := get("?to=c0@example.com"); len(some) != kept/2 || some[0].To[0] != "c0@example.com" {
		t.Errorf("%d mails to one of two", len(some))
	}
}

func TestRefusals(t *testing.T) {
	m := New(time.Now)
	good := `{"FromEmailAddress": "a@example.com", "Destination": {"ToAddresses": ["b@example.com"]}, "Content": {"Simple": {"Subject": {"Data": "s"}, "Body": {}}}}`
	for name, tt := range map[string]struct {
		signed bool
		body   string
		want   int
	}{
		"good": {true, good, 200}, "unsigned": {false, good, 403}, "no JSON": {true, "x", 400},
		"no subject":    {true, strings.Replace(good, `"s"`, `""`, 1), 400},
		"two lines":     {true, strings.Replace(good, `"s"`, `"s\r\nBcc: x@example.com"`, 1), 400},
		"nobody":        {true, strings.Replace(good, `"b@example.com"`, ``, 1), 400},
		"no address":    {true, strings.Replace(good, `b@example.com`, `b`, 1), 400},
		"a raw message": {true, strings.Replace(good, `"Simple"`, `"Raw"`, 1), 400},
		"too large":     {true, `"` + strings.Repeat("x", maxMail) + `"`, 400},
	} {
		r := httptest.NewRequest("POST", "/v2/email/outbound-emails", strings.NewReader(tt.body))
		if tt.signed {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=…")
		}
		w := httptest.NewRecorder()
		if m.ServeHTTP(w, r); w.Code != tt.want {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}
