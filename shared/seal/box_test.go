package seal

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func box(t testing.TB, keys map[string]string) Box { return Box{ring(t, keys)} }

func TestBox(t *testing.T) {
	b := box(t, map[string]string{"1": newSecret})
	text := rapid.StringN(0, 20, 200)
	rapid.Check(t, func(t *rapid.T) {
		bound := Binding{Owner: text.Draw(t, "owner"), Query: text.Draw(t, "what")}
		plain := text.Draw(t, "plain")
		sealed := b.Seal(bound, plain)
		if got, err := b.Open(bound, sealed); err != nil || got != plain {
			t.Fatalf("opened %q, %v; want %q", got, err, plain)
		}
		if len(plain) > 3 && strings.Contains(sealed, plain) {
			t.Fatal("the text can be read")
		}
		other := Binding{Owner: text.Draw(t, "other owner"), Query: text.Draw(t, "other what")}
		if _, err := b.Open(other, sealed); err == nil && other != bound {
			t.Fatal("another binding opened it")
		}
	})
}

func TestBoxKeysRotate(t *testing.T) {
	bound := Binding{Owner: "mei", Query: "payout method"}
	before, after := box(t, map[string]string{"1": oldSecret}), box(t, map[string]string{"1": oldSecret, "2": newSecret})
	old := before.Seal(bound, "6222 0000")
	if got, err := after.Open(bound, old); err != nil || got != "6222 0000" {
		t.Errorf("after rotation: %q, %v", got, err)
	}
	fresh := after.Seal(bound, "6222 0000")
	if _, err := before.Open(bound, fresh); err == nil || fresh == old {
		t.Error("the greatest key does not seal")
	}
	if got := after.Seal(bound, "6222 0000"); got != fresh {
		t.Error("the same text gives other characters: a repeated write would not be the same")
	}
}

func TestBoxRefusals(t *testing.T) {
	b := box(t, map[string]string{"1": newSecret})
	bound := Binding{Owner: "mei", Query: "payout method"}
	good := b.Seal(bound, "6222 0000")
	cursor := b.ring.Cursor(bound, "6222 0000")
	for name, sealed := range map[string]string{"nothing": "", "cut": good[:len(good)-1], "flipped": "A" + good[1:], "not base64": "%%%", "short": "AAAA", "a cursor": cursor} {
		if got, err := b.Open(bound, sealed); err == nil || strings.Contains(err.Error(), "6222") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := b.ring.OpenCursor(bound, good); err == nil {
		t.Error("what is stored opens as a cursor")
	}
	if _, err := ParseBox(`{"1": "short"}`); err == nil {
		t.Error("short keys are accepted")
	}
}

func TestOrderSecret(t *testing.T) {
	r := ring(t, map[string]string{"1": newSecret})
	if s := r.OrderSecret("o1"); !r.OpensOrder(s, "o1") || r.OpensOrder(s, "o2") || r.OpensOrder("", "o1") || r.OpensOrder(r.MAC("invite", "o1"), "o1") {
		t.Error("an order opens with something else than its own secret")
	}
	if got := r.OrderPath("o 1"); !strings.HasPrefix(got, "/orders/o%201?secret=") {
		t.Errorf("path %s", got)
	}
}
