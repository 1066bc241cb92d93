package local

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"yundian/infra/local/template"
)

func TestNextTimeOfASchedule(t *testing.T) {
	after := time.Date(2026, 3, 12, 19, 3, 58, 0, time.UTC) // a Thursday
	cases := []struct{ expression, zone, want string }{
		{"rate(1 minute)", "", "2026-03-12T19:04:58Z"},
		{"rate(2 hours)", "", "2026-03-12T21:03:58Z"},
		{"rate(7 days)", "", "2026-03-19T19:03:58Z"},
		{"cron(0 3 * * ? *)", "", "2026-03-13T03:00:00Z"},
		{"cron(0 3 * * ? *)", "Asia/Shanghai", "2026-03-13T19:00:00Z"},
		{"cron(15 10 ? * 6 *)", "", "2026-03-13T10:15:00Z"}, // 6 is Friday
		{"cron(15 10 ? * 1 *)", "", "2026-03-15T10:15:00Z"}, // 1 is Sunday
		{"cron(15 10 ? * MON-FRI *)", "", "2026-03-13T10:15:00Z"},
		{"cron(0/15 * * * ? *)", "", "2026-03-12T19:15:00Z"},
		{"cron(0 8 1 * ? *)", "", "2026-04-01T08:00:00Z"},
		{"cron(0 8 1 1 ? 2028)", "", "2028-01-01T08:00:00Z"},
	}
	for _, c := range cases {
		got, err := next(template.Schedule{Expression: c.expression, TimeZone: c.zone}, after)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		if got := got.Format(time.RFC3339); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.expression, c.zone, got, c.want)
		}
	}
	for _, wrong := range []string{"rate(0 minutes)", "rate(1 week)", "rate(99999999999999999999 days)", "cron(0 3 * * ?)", "cron(99 3 * * ? *)", "at(2026-01-01T00:00:00)", ""} {
		if got, err := next(template.Schedule{ID: "Mature/Tick", Expression: wrong}, after); err == nil || !strings.Contains(err.Error(), "Mature/Tick") {
			t.Errorf("%q: %v, %v", wrong, got, err)
		}
	}
	if _, err := next(template.Schedule{Expression: "cron(0 3 * * ? *)", TimeZone: "Mars/Base"}, after); err == nil {
		t.Error("an unknown time zone was accepted")
	}
}

func TestEventOfASchedule(t *testing.T) {
	at := time.Date(2026, 3, 12, 19, 3, 58, 999, time.FixedZone("", 8*3600))
	event := func(s template.Schedule) string {
		t.Helper()
		payload, err := scheduleEvent(s, at)
		if err != nil || !json.Valid(payload) {
			t.Fatalf("%s %v", payload, err)
		}
		return string(payload)
	}
	rule := event(template.Schedule{Name: "tick"})
	scheduler := event(template.Schedule{Name: "tick", Scheduler: true})
	for text, want := range map[string][]string{
		rule:      {`"time":"2026-03-12T11:03:58Z"`, `"source":"aws.events"`, `"detail":{}`, `:rule/tick"`},
		scheduler: {`"time":"2026-03-12T11:03:58Z"`, `"source":"aws.scheduler"`, `"detail":"{}"`, `:schedule/default/tick"`},
	} {
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s is not in %s", w, text)
			}
		}
	}
	if got := event(template.Schedule{Input: `{"a":1}`}); got != `{"a":1}` {
		t.Errorf("declared input: %s", got)
	}
	if got := event(template.Schedule{Scheduler: true, Input: `{"now":"<aws.scheduler.scheduled-time>"}`}); got != `{"now":"2026-03-12T11:03:58Z"}` {
		t.Errorf("declared input with a placeholder: %s", got)
	}
}

func TestGeneratedSecrets(t *testing.T) {
	long := template.Generate{Length: 2000, RequireEach: true}
	contains := func(g template.Generate, set string) bool {
		t.Helper()
		s, err := generate(g)
		if err != nil || len(s) != g.Length {
			t.Fatalf("%d characters, %v", len(s), err)
		}
		return strings.ContainsAny(s, set)
	}
	without := func(change func(*template.Generate)) template.Generate { g := long; change(&g); return g }
	cases := []struct {
		name string
		g    template.Generate
		set  string
		want bool
	}{
		{"lower case", long, "abcdefghijklmnopqrstuvwxyz", true},
		{"no lower case", without(func(g *template.Generate) { g.ExcludeLowercase = true }), "abcdefghijklmnopqrstuvwxyz", false},
		{"no upper case", without(func(g *template.Generate) { g.ExcludeUppercase = true }), "ABCDEFGHIJKLMNOPQRSTUVWXYZ", false},
		{"no numbers", without(func(g *template.Generate) { g.ExcludeNumbers = true }), "0123456789", false},
		{"punctuation", long, `!"#$%&'()*+,-./:;<=>?@[\]^_{|}~`, true},
		{"no punctuation", without(func(g *template.Generate) { g.ExcludePunctuation = true }), `!"#$%&'()*+,-./:;<=>?@[\]^_{|}~`, false},
		{"no space unless asked for", long, " ", false},
		{"space", without(func(g *template.Generate) { g.IncludeSpace = true }), " ", true},
		{"excluded characters", without(func(g *template.Generate) { g.ExcludeCharacters = "aZ9$" }), "aZ9$", false},
	}
	for _, c := range cases {
		if got := contains(c.g, c.set); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	s, err := generate(template.Generate{Template: `{"user":"u"}`, Key: "k1", Length: 8, ExcludePunctuation: true})
	var object map[string]string
	if err != nil || json.Unmarshal([]byte(s), &object) != nil || object["user"] != "u" || len(object["k1"]) != 8 {
		t.Errorf("in a template: %s %v", s, err)
	}
	for range 20 {
		each, err := generate(template.Generate{Length: 4, RequireEach: true})
		if kinds, _ := characters(template.Generate{}); err != nil || !holdsEach(each, kinds) {
			t.Errorf("%q does not hold each kind, %v", each, err)
		}
	}
	if _, err := generate(template.Generate{Length: 3, RequireEach: true}); err == nil {
		t.Error("three characters of four kinds")
	}
	nothing := template.Generate{Length: 8, ExcludeLowercase: true, ExcludeUppercase: true, ExcludeNumbers: true, ExcludePunctuation: true}
	if _, err := generate(nothing); err == nil {
		t.Error("generated from no characters")
	}
}
