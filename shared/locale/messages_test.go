package locale

import (
	"encoding/json"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// all reads the messages of one language as forms.
func all(t *testing.T, l Language) map[string]forms {
	t.Helper()
	found := map[string]forms{}
	names, err := files.ReadDir("messages")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range names {
		area, ok := strings.CutSuffix(file.Name(), "."+string(l)+".json")
		if !ok {
			continue
		}
		area, _, _ = strings.Cut(area, "-")
		text, err := files.ReadFile(path.Join("messages", file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var messages map[string]forms
		if err := json.Unmarshal(text, &messages); err != nil {
			t.Fatalf("%s: %v", file.Name(), err)
		}
		for name, f := range messages {
			if _, twice := found[area+"."+name]; twice {
				t.Errorf("%s.%s stands in two files of %s", area, name, l)
			}
			found[area+"."+name] = f
		}
	}
	return found
}

var gap = regexp.MustCompile(`\{[^{}]*\}`)

func gapsOf(text string) []string {
	found := gap.FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestLanguagesSayTheSame(t *testing.T) {
	english := all(t, English)
	if len(english) == 0 {
		t.Fatal("no messages")
	}
	for _, l := range []Language{Hans, Hant} {
		chinese := all(t, l)
		for id, f := range english {
			g, ok := chinese[id]
			switch {
			case !ok:
				t.Errorf("%s is missing in %s", id, l)
			case !slices.Equal(gapsOf(f.Other), gapsOf(g.Other)):
				t.Errorf("%s has gaps %v in English and %v in %s", id, gapsOf(f.Other), gapsOf(g.Other), l)
			case g.One != "":
				t.Errorf("%s has a singular in %s, which knows none", id, l)
			}
		}
		for id := range chinese {
			if _, ok := english[id]; !ok {
				t.Errorf("%s is in %s only", id, l)
			}
		}
	}
	for id, f := range english {
		if f.Other == "" || f.One != "" && !strings.Contains(f.Other, "{count}") {
			t.Errorf("%s lacks its general form, or has a singular without {count}", id)
		}
	}
}

// Characters that exist in one script only must not stand in the other.
func TestScriptsAreNotMixed(t *testing.T) {
	const hansOnly, hantOnly = "这个们为会来对说时过还没请选订单购买货款数额签发证错误级语标题图样价钱账户线", "這個們為會來對說時過還沒請選訂單購買貨款數額簽發證錯誤級語標題圖樣價錢賬戶線"
	for l, foreign := range map[Language]string{Hans: hantOnly, Hant: hansOnly} {
		own := map[Language]string{Hans: hansOnly, Hant: hantOnly}[l]
		for id, f := range all(t, l) {
			for _, c := range f.Other {
				if strings.ContainsRune(foreign, c) && !strings.ContainsRune(own, c) {
					t.Errorf("%s in %s has %c: %s", id, l, c, f.Other)
				}
			}
		}
	}
}

const errorsFile = "messages/errors.en.json"

// Every refusal that the source can make has a message, in the words that stand in the source. UPDATE=1 writes the English
// file from the source; the other languages are written by hand.
func TestEveryRefusalHasAMessage(t *testing.T) {
	refusals := readSource(t).refusals(t)
	if len(refusals) < 50 {
		t.Fatalf("only %d codes found: the search is broken", len(refusals))
	}
	if os.Getenv("UPDATE") != "" {
		update(t, refusals)
		return
	}
	english := all(t, English)
	for code, texts := range refusals {
		f, ok := english["errors."+code]
		switch {
		case !ok:
			t.Errorf("errors.%s is missing: run UPDATE=1 go test ./shared/locale, then write it in the other languages", code)
		case !slices.Contains(texts, f.Other):
			t.Errorf("errors.%s is %q, but the source says %q", code, f.Other, texts)
		}
		for _, text := range texts[1:] {
			if !slices.Equal(gapsOf(text), gapsOf(texts[0])) {
				t.Errorf("code %s has texts with different gaps: %q", code, texts)
			}
		}
	}
	for id := range english {
		if code, ok := strings.CutPrefix(id, "errors."); ok && refusals[code] == nil {
			t.Errorf("%s is refused nowhere", id)
		}
	}
}

func update(t *testing.T, refusals map[string][]string) {
	t.Helper()
	english := map[string]string{}
	for code, texts := range refusals {
		english[code] = slices.Min(texts)
	}
	others, err := files.ReadDir("messages")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range others {
		if !strings.HasPrefix(file.Name(), "errors-") || !strings.HasSuffix(file.Name(), ".en.json") {
			continue
		}
		text, err := files.ReadFile(path.Join("messages", file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var own map[string]string
		if err := json.Unmarshal(text, &own); err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(english, func(code, _ string) bool { return own[code] != "" })
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(english); err != nil { // keys of a map are sorted
		t.Fatal(err)
	}
	if err := os.WriteFile(errorsFile, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestEveryMessageAskedForExists(t *testing.T) {
	known := all(t, English)
	spoken := readSource(t).spoken()
	for _, id := range slices.Sorted(maps.Keys(spoken)) {
		if _, ok := known[id]; !ok {
			t.Errorf("%s asks for %s, which does not exist", spoken[id], id)
		}
	}
	if len(spoken) == 0 {
		t.Error("no message is asked for: the search is broken")
	}
}
