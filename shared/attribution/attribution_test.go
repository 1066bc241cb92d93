package attribution_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"yundian/shared/attribution"
	"yundian/shared/identity"
	"yundian/shared/koc"
	"yundian/shared/ordering"
	"yundian/shared/seal"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

const window = 14 * 24 * time.Hour

func ring(t *testing.T, text string) seal.Ring {
	t.Helper()
	r, err := seal.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const oneKey = `{"k1":"a secret of at least thirty-two characters"}`

func TestTokens(t *testing.T) {
	keys := ring(t, oneKey)
	good := attribution.SignToken(keys, "mei_abc1234", noon.Add(-time.Hour))
	others := ring(t, `{"k1":"another secret of thirty-two characters!!"}`)
	swapped := strings.Replace(good, "mei_abc1234", "bob_abc1234", 1)
	for name, c := range map[string]struct {
		token, problem string
		at             time.Time
	}{
		"good":            {good, "", noon},
		"other key":       {attribution.SignToken(others, "mei_abc1234", noon), "forged", noon},
		"other KOC":       {swapped, "forged", noon},
		"expired":         {good, "expired", noon.Add(window)},
		"from the future": {attribution.SignToken(keys, "mei", noon.Add(time.Hour)), "from_the_future", noon},
		"cut":             {good[:len(good)-1], "forged", noon},
		"no parts":        {"mei", "malformed", noon},
		"no handle":       {"../etc.AAAAAAA.x", "malformed", noon},
		"too long":        {strings.Repeat("a", 300), "malformed", noon},
		"four parts":      {good + ".x", "malformed", noon},
		"year 36812":      {"mei.______8.x", "forged", noon},
		"stamp bent":      {stamped(good, "______8"), "forged", noon},
		"stamp longer":    {stamped(good, "________"), "malformed", noon},
		"stamp respelt":   {stamped(good, strings.Split(good, ".")[1]+"="), "malformed", noon},
		"no stamp":        {stamped(good, ""), "malformed", noon},
		"no mac":          {"mei.______8.", "forged", noon},
		"signed too far":  {attribution.SignToken(keys, "mei", time.Unix(1<<40-1, 0)), "malformed", noon},
		"signed too long": {attribution.SignToken(keys, "mei", time.Unix(0, 0)), "malformed", noon},
	} {
		e := attribution.ReadToken(keys, c.token, c.at, window)
		if e.Problem != c.problem {
			t.Errorf("%s: problem %q, want %q", name, e.Problem, c.problem)
		}
		if unproven := c.problem == "malformed" || c.problem == "forged"; unproven && (e.Code != "" || !e.At.Equal(c.at)) {
			t.Errorf("%s: says the code %q and the time %v", name, e.Code, e.At)
		}
	}
	if e := attribution.ReadToken(keys, good, noon, window); e.Code != "mei_abc1234" || !e.At.Equal(noon.Add(-time.Hour)) {
		t.Errorf("read back %+v", e)
	}
	for i := range len(good) { // any change of any byte
		bent := good[:i] + string(good[i]^1) + good[i+1:]
		if e := attribution.ReadToken(keys, bent, noon, window); e.Problem == "" {
			t.Errorf("byte %d bent and still genuine: %s", i, bent)
		}
	}
	rotated := ring(t, `{"k1":"a secret of at least thirty-two characters","k2":"the next secret, also thirty-two long"}`)
	if _, _, genuine := attribution.TokenCode(rotated, good, noon); !genuine {
		t.Error("a rotated key broke the tokens signed before")
	}
}

// stamped is a token with another stamp.
func stamped(token, stamp string) string {
	parts := strings.Split(token, ".")
	return parts[0] + "." + stamp + "." + parts[2]
}

// FuzzReadToken: whatever a client sends as a token is evidence that can be stored and decided on, and only what this shop
// has signed says a code and a time.
func FuzzReadToken(f *testing.F) {
	keys, err := seal.Parse(oneKey)
	if err != nil {
		f.Fatal(err)
	}
	good := attribution.SignToken(keys, "mei_abc1234", noon)
	for _, token := range []string{good, attribution.SignToken(keys, "mei", time.Unix(1<<40-1, 0)), attribution.SignToken(keys, "mei", time.Unix(0, 0)), "mei.______8.x", stamped(good, "______8"),
		"", "..", "mei..", ".AAAAAAA.x", "mei.AAAAAA\nA.x", "MEI" + good[3:], " " + good, good[:len(good)-1], "店.店.店", "\xff.\xff.\xff", "__proto__.AAAAAAA.x"} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		e := attribution.ReadToken(keys, token, noon, window)
		switch e.Problem {
		case "malformed", "forged":
			if e.Code != "" || !e.At.Equal(noon) {
				t.Fatalf("%q is %s and says %+v", token, e.Problem, e)
			}
		default:
			code, _, _ := strings.Cut(token, ".")
			if attribution.SignToken(keys, code, e.At) != token || e.Code != koc.NormalCode(code) {
				t.Fatalf("%q was not signed by this shop and says %+v", token, e)
			}
		}
		o := ordering.Order{PlacedAt: noon, Evidence: []ordering.Evidence{e}}
		if a := attribution.Decide(o, attribution.Known{}, noon); len(a.Winners) > 0 || len(a.Candidates) != 1 || a.Candidates[0].KOC != "" && e.Code == "" {
			t.Fatalf("%q is decided as %+v", token, a)
		}
		if _, err := json.Marshal(e); err != nil {
			t.Fatalf("%q cannot be stored: %v", token, err)
		}
	})
}

func approved(handle string, from time.Time) koc.Profile {
	return koc.Profile{Handle: handle, Standings: []koc.Standing{{Status: koc.Approved, From: from}}}
}

func TestDecide(t *testing.T) {
	suspended := approved("sus", noon.AddDate(0, 0, -30))
	suspended.Standings = append(suspended.Standings, koc.Standing{Status: koc.Suspended, From: noon.Add(-time.Minute)})
	later := approved("late", noon.AddDate(0, 0, -30))
	later.Standings = append(later.Standings, koc.Standing{Status: koc.Suspended, From: noon.Add(time.Minute)})
	known := attribution.Known{"mei": approved("mei", noon.AddDate(0, 0, -30)), "bob": approved("bob", noon.AddDate(0, 0, -30)),
		"new": approved("new", noon.Add(time.Hour)), "sus": suspended, "late": later}
	link := func(code string, minutes int) ordering.Evidence {
		return ordering.Evidence{Kind: ordering.ByLink, Code: code, At: noon.Add(-time.Duration(minutes) * time.Minute)}
	}
	code := ordering.Evidence{Kind: ordering.ByCode, Code: "bob", At: noon}
	for name, c := range map[string]struct {
		evidence       []ordering.Evidence
		winner, reason string
		outcomes       string // of the candidates as ranked
	}{
		"nothing":            {nil, "", "no_evidence", ""},
		"one link":           {[]ordering.Evidence{link("mei_x", 5)}, "mei", "last_link", "last_link"},
		"last link":          {[]ordering.Evidence{link("bob_x", 1), link("mei_x", 5)}, "bob", "last_link", "last_link later_link"},
		"order is no matter": {[]ordering.Evidence{link("mei_x", 5), link("bob_x", 1)}, "bob", "last_link", "last_link later_link"},
		"same second":        {[]ordering.Evidence{link("mei_x", 5), link("bob_x", 5)}, "bob", "last_link", "last_link later_link"},
		"code first":         {[]ordering.Evidence{link("mei_x", 1), code}, "bob", "code_typed", "code_typed code_goes_first"},
		"same KOC":           {[]ordering.Evidence{link("bob_x", 1), code}, "bob", "code_typed", "code_typed same_koc_again"},
		"suspended":          {[]ordering.Evidence{link("sus_x", 1), link("mei_x", 5)}, "mei", "last_link", "koc_suspended last_link"},
		"suspended later":    {[]ordering.Evidence{link("late_x", 1)}, "late", "last_link", "last_link"},
		"approved later":     {[]ordering.Evidence{link("new_x", 1)}, "", "none_eligible", "koc_not_approved"},
		"unknown":            {[]ordering.Evidence{link("who_x", 1)}, "", "none_eligible", "koc_unknown"},
		"forged":             {[]ordering.Evidence{{Kind: ordering.ByLink, Code: "mei_x", At: noon, Problem: "forged"}}, "", "none_eligible", "token_forged"},
		"expired":            {[]ordering.Evidence{{Kind: ordering.ByLink, Code: "mei_x", At: noon, Problem: "expired"}}, "", "none_eligible", "token_expired"},
	} {
		a := attribution.Decide(ordering.Order{PlacedAt: noon, Evidence: c.evidence, Terms: ordering.Terms{PolicyVersion: 3}}, known, noon)
		winner := ""
		if len(a.Winners) > 0 {
			winner = a.Winners[0].KOC
		}
		var outcomes []string
		for _, x := range a.Candidates {
			outcomes = append(outcomes, x.Reason)
			if (x.Outcome == "won") != (x.KOC == winner && (x.Reason == a.Reason)) {
				t.Errorf("%s: candidate %+v", name, x)
			}
		}
		if winner != c.winner || a.Reason != c.reason || strings.Join(outcomes, " ") != c.outcomes || a.PolicyVersion != 3 {
			t.Errorf("%s: %q won by %q with %v", name, winner, a.Reason, outcomes)
		}
	}
}

// TestNobodyEarnsByBuying: an order with a phone, an e-mail or an address of a KOC's own is nobody's, unless somebody else
// has brought it.
func TestNobodyEarnsByBuying(t *testing.T) {
	mei, bob := approved("mei", noon.AddDate(0, 0, -30)), approved("bob", noon.AddDate(0, 0, -30))
	mei.Identity = identity.Hashes{"email:a", "phone:a", "place:a"}
	suspended := mei
	suspended.Standings = append(slices.Clone(mei.Standings), koc.Standing{Status: koc.Suspended, From: noon.Add(-time.Minute)})
	link := func(code string, minutes int) ordering.Evidence {
		return ordering.Evidence{Kind: ordering.ByLink, Code: code, At: noon.Add(-time.Duration(minutes) * time.Minute)}
	}
	code := ordering.Evidence{Kind: ordering.ByCode, Code: "mei", At: noon}
	for name, c := range map[string]struct {
		evidence         []ordering.Evidence
		own              identity.Hashes
		mei              koc.Profile
		winner, decision string
		outcomes         string // of the candidates as ranked
	}{
		"own e-mail":             {[]ordering.Evidence{link("mei_x", 5)}, identity.Hashes{"phone:b", "email:a"}, mei, "", "self_purchase", "self_purchase"},
		"own phone":              {[]ordering.Evidence{link("mei_x", 5)}, identity.Hashes{"phone:a"}, mei, "", "self_purchase", "self_purchase"},
		"own address":            {[]ordering.Evidence{link("mei_x", 5)}, identity.Hashes{"phone:b", "place:a"}, mei, "", "self_purchase", "self_purchase"},
		"own code":               {[]ordering.Evidence{code}, identity.Hashes{"phone:a"}, mei, "", "self_purchase", "self_purchase"},
		"link and code":          {[]ordering.Evidence{link("mei_x", 5), code}, identity.Hashes{"phone:a"}, mei, "", "self_purchase", "self_purchase self_purchase"},
		"others are considered":  {[]ordering.Evidence{link("bob_x", 5), link("mei_x", 1)}, identity.Hashes{"email:a"}, mei, "bob", "last_link", "self_purchase last_link"},
		"somebody else's":        {[]ordering.Evidence{link("bob_x", 5)}, identity.Hashes{"email:a"}, mei, "bob", "last_link", "last_link"},
		"somebody else orders":   {[]ordering.Evidence{link("mei_x", 5)}, identity.Hashes{"email:b", "phone:b"}, mei, "mei", "last_link", "last_link"},
		"kinds are told apart":   {[]ordering.Evidence{link("mei_x", 5)}, identity.Hashes{"email:phone:a"}, mei, "mei", "last_link", "last_link"},
		"nothing is known":       {[]ordering.Evidence{link("mei_x", 5)}, nil, mei, "mei", "last_link", "last_link"},
		"suspended all the same": {[]ordering.Evidence{link("mei_x", 5)}, identity.Hashes{"email:a"}, suspended, "", "none_eligible", "koc_suspended"},
		"a forged one proves nothing": {[]ordering.Evidence{{Kind: ordering.ByLink, At: noon, Problem: "forged"}}, identity.Hashes{"email:a"}, mei, "",
			"none_eligible", "token_forged"},
	} {
		o := ordering.Order{PlacedAt: noon, Evidence: c.evidence, Identity: c.own}
		a := attribution.Decide(o, attribution.Known{"mei": c.mei, "bob": bob}, noon)
		winner := ""
		if len(a.Winners) > 0 {
			winner = a.Winners[0].KOC
		}
		var outcomes []string
		for _, x := range a.Candidates {
			outcomes = append(outcomes, x.Reason)
			if won := x.Outcome == "won"; won != (x.Reason == "last_link") {
				t.Errorf("%s: candidate %+v", name, x)
			}
		}
		if winner != c.winner || a.Reason != c.decision || strings.Join(outcomes, " ") != c.outcomes {
			t.Errorf("%s: %q by %q with %v; want %q by %q with %s", name, winner, a.Reason, outcomes, c.winner, c.decision, c.outcomes)
		}
	}
}

// TestWhoIsToldOfTheirOwnLink: only whoever types the e-mail address of the KOC who would earn the order.
func TestWhoIsToldOfTheirOwnLink(t *testing.T) {
	mei, bob := approved("mei", noon.AddDate(0, 0, -30)), approved("bob", noon.AddDate(0, 0, -30))
	mei.Identity, bob.Identity = identity.Hashes{"email:mei"}, identity.Hashes{"email:bob"}
	known := attribution.Known{"mei": mei, "bob": bob}
	links := []ordering.Evidence{{Kind: ordering.ByLink, Code: "bob_x", At: noon.Add(-2)}, {Kind: ordering.ByLink, Code: "mei_x", At: noon.Add(-1)}}
	for name, c := range map[string]struct {
		evidence []ordering.Evidence
		email    identity.Hashes
		want     bool
	}{
		"own link":                  {links, mei.Identity, true},
		"another one's, overtaken":  {links, bob.Identity, false}, // twenty links at once would ask about twenty KOCs
		"a stranger":                {links, identity.Hashes{"email:chen"}, false},
		"no address":                {links, nil, false},
		"no link":                   {nil, mei.Identity, false},
		"of a link that is not one": {[]ordering.Evidence{{Kind: ordering.ByLink, Code: "mei_x", At: noon, Problem: "expired"}}, mei.Identity, false},
	} {
		if attribution.TellsSelf(c.evidence, c.email, known, noon) != c.want {
			t.Errorf("%s: told is not %v", name, c.want)
		}
	}
}
