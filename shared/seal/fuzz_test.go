package seal

import (
	"strings"
	"testing"

	"yundian/shared/fail"
)

// FuzzOpenCursor: a list begins where a cursor says only if this ring gave that very text for that very list.
func FuzzOpenCursor(f *testing.F) {
	r := ring(f, map[string]string{"1": oldSecret, "2": newSecret})
	former := ring(f, map[string]string{"1": oldSecret})
	b := Binding{Owner: "mei", Query: "entries"}
	good := r.Cursor(b, "page 2")
	for _, cursor := range []string{good, former.Cursor(b, "page 2"), good[:len(good)-1], good + "A", good + "=", good + "\n", "A" + good[1:],
		"", "AAAA", strings.Repeat("A", 16), strings.Repeat("A", 38), strings.Repeat("A", MaxCursor+1), "%%%", "\x00", "-_-_", "\xff\xfe", "店"} {
		f.Add(cursor, "mei", "entries")
	}
	f.Add(good, "lin", "entries")
	f.Add(good, "meient", "ries")
	f.Add(good, "", "")
	f.Fuzz(func(t *testing.T, cursor, owner, query string) {
		asked := Binding{Owner: owner, Query: query}
		position, err := r.OpenCursor(asked, cursor)
		switch {
		case err != nil:
			if !fail.Is(err, "cursor_invalid") || fail.KindOf(err) != fail.Invalid || position != "" {
				t.Fatalf("%q: %q, %v", cursor, position, err)
			}
		case cursor == "":
			if position != "" {
				t.Fatalf("no cursor leads to %q", position)
			}
		case r.Cursor(asked, position) != cursor && former.Cursor(asked, position) != cursor:
			t.Fatalf("%q was not given for %+v and leads to %q", cursor, asked, position)
		}
	})
}

// FuzzSecrets: texts that open an order or a box are those that the ring gave, and no others.
func FuzzSecrets(f *testing.F) {
	r := ring(f, map[string]string{"1": newSecret})
	b := box(f, map[string]string{"1": newSecret})
	bound := Binding{Owner: "mei", Query: "payout method"}
	for _, text := range []string{r.OrderSecret("o1"), r.MAC("invite", "o1"), b.Seal(bound, "6222 0000"), r.Cursor(bound, "6222 0000"), "", "A", strings.Repeat("A", 43), "\xff", "=\n"} {
		f.Add(text, "o1")
	}
	f.Fuzz(func(t *testing.T, text, id string) {
		if r.OpensOrder(text, id) != (text == r.OrderSecret(id)) {
			t.Fatalf("%q opens the order %q: %v", text, id, r.OpensOrder(text, id))
		}
		// The decoder skips line ends; what is stored never has any.
		if plain, err := b.Open(bound, text); err == nil && b.Seal(bound, plain) != strings.NewReplacer("\n", "", "\r", "").Replace(text) {
			t.Fatalf("%q opens as %q", text, plain)
		}
	})
}
