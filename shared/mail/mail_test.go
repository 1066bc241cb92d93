package mail

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// ses is a sender and what it was asked for; answer decides.
func ses(t *testing.T, answer http.HandlerFunc) (*Sender, *[]string) {
	t.Helper()
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/v2/email/outbound-emails" || !strings.Contains(r.Header.Get("Authorization"), "/us-east-1/ses/aws4_request") {
			t.Errorf("%s %s %v", r.URL.Path, r.Header, err)
		}
		bodies = append(bodies, string(body))
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL_SESV2": server.URL}
	return New("shop@example.com", func(name string) string { return env[name] }), &bodies
}

func TestSend(t *testing.T) {
	s, bodies := ses(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"MessageId": "m1"}`)) })
	status, problem := s.Send(t.Context(), "Tea\r\nBcc: x@example.com", "chen@example.com", Message{Subject: "One\r\nBcc: x@example.com", Text: "text", HTML: "<p>html</p>"})
	if status != 200 || problem != "" || !s.On() {
		t.Fatalf("%d %s", status, problem)
	}
	var sent struct {
		FromEmailAddress string
		Destination      struct{ ToAddresses, CcAddresses, BccAddresses []string }
		Content          struct {
			Simple struct {
				Subject struct{ Data, Charset string }
			}
		}
	}
	if err := json.Unmarshal([]byte((*bodies)[0]), &sent); err != nil {
		t.Fatal(err)
	}
	if sent.FromEmailAddress != `"Tea Bcc: x@example.com" <shop@example.com>` || strings.Join(sent.Destination.ToAddresses, " ") != "chen@example.com" || len(sent.Destination.BccAddresses)+len(sent.Destination.CcAddresses) != 0 ||
		sent.Content.Simple.Subject.Data != "One Bcc: x@example.com" || sent.Content.Simple.Subject.Charset != "UTF-8" {
		t.Errorf("sent %s", (*bodies)[0])
	}
	for _, to := range []string{"", "chen", "a@example.com\r\nBcc: b@example.com", "a@example.com,b@example.com", "a@example.com b@example.com", `"x" <a@example.com>`} {
		if status, problem := s.Send(t.Context(), "Tea", to, Message{}); status != 0 || problem != "address" {
			t.Errorf("%q: %d %s", to, status, problem)
		}
	}
	if len(*bodies) != 1 {
		t.Errorf("%d requests", len(*bodies))
	}
}

// TestSendFails: a failure has a code and is not repeated here, because whoever keeps the letter does that.
func TestSendFails(t *testing.T) {
	for name, tt := range map[string]struct {
		answer  http.HandlerFunc
		status  int
		problem string
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-ErrorType", "MessageRejected")
			w.WriteHeader(400)
			w.Write([]byte(`{"message": "Email address is not verified: chen@example.com"}`))
		}, 400, "MessageRejected"},
		"busy":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, 503, "UnknownError"},
		"broken": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, "unreachable"},
	} {
		s, bodies := ses(t, tt.answer)
		if status, problem := s.Send(t.Context(), "Tea", "chen@example.com", Message{Subject: "x"}); status != tt.status || problem != tt.problem || len(*bodies) != 1 {
			t.Errorf("%s: %d %s, %d requests", name, status, problem, len(*bodies))
		}
	}
	if off := New("", func(string) string { return "" }); off.On() {
		t.Error("a shop without an address sends")
	}
}

func TestLayout(t *testing.T) {
	m := sheet{language: "en", subject: "a\nb", opening: []string{"Hello <you>\r\nX: y"}, rows: [][2]string{{"Tea & cup", "¥1"}}, link: [2]string{"See", `https://a.example/?a=1&b="2"`}, closing: []string{"Bye"}}.message()
	if m.Subject != "a b" || m.Text != "Hello <you> X: y\n\nTea & cup: ¥1\n\nSee\nhttps://a.example/?a=1&b=\"2\"\n\nBye\n" {
		t.Errorf("%q\n%q", m.Subject, m.Text)
	}
	for _, part := range []string{"<p>Hello &lt;you&gt; X: y</p>", "Tea &amp; cup</td>", `<a href="https://a.example/?a=1&amp;b=&#34;2&#34;">See</a>`, `<html lang="en">`} {
		if !strings.Contains(m.HTML, part) {
			t.Errorf("no %s in %s", part, m.HTML)
		}
	}
}
