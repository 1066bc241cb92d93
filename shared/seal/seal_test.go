package seal

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"yundian/shared/fail"
)

func ring(t testing.TB, keys map[string]string) Ring {
	text, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const (
	oldSecret = "an old secret of enough bytes"
	newSecret = "a new secret of enough bytes"
)

func TestParseRefuses(t *testing.T) {
	many := map[string]string{}
	for i := range maxKeys + 1 {
		many[fmt.Sprint(i)] = newSecret
	}
	tooMany, _ := json.Marshal(many)
	for name, text := range map[string]string{
		"nothing":            ``,
		"no object":          `["` + newSecret + `"]`,
		"no keys":            `{}`,
		"null":               `null`,
		"short secret":       `{"1": "hush-hush"}`,
		"long secret":        `{"1": "` + strings.Repeat("x", maxSecret+1) + `"}`,
		"empty id":           `{"": "` + newSecret + `"}`,
		"secret of a number": `{"1": 1234567890123456789}`,
		"too many":           string(tooMany),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(text)
			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), newSecret) || strings.Contains(err.Error(), "123456789") {
				t.Fatalf("the error tells the secret: %v", err)
			}
		})
	}
}

func TestGreatestIDSigns(t *testing.T) {
	for _, ids := range [][2]string{{"1", "2"}, {"9", "10"}, {"2025-12", "2026-01"}, {"007", "8"}, {"99", "a"}} {
		both := ring(t, map[string]string{ids[0]: oldSecret, ids[1]: newSecret})
		only := ring(t, map[string]string{"x": newSecret})
		if both.MAC("order", "42") != only.MAC("order", "42") {
			t.Errorf("of %v the first signs, want the second", ids)
		}
	}
}

func TestIDsHaveOneOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[0-9a-b]{1,4}`), 2, 8, rapid.ID).Draw(t, "ids")
		slices.SortFunc(ids, compareIDs)
		for i := range ids {
			for j := range ids {
				if got := compareIDs(ids[i], ids[j]); (got < 0) != (i < j) || (got == 0) != (i == j) {
					t.Fatalf("compare %q %q = %d at positions %d and %d", ids[i], ids[j], got, i, j)
				}
			}
		}
	})
}

func TestEveryKeyVerifies(t *testing.T) {
	before := ring(t, map[string]string{"1": oldSecret})
	during := ring(t, map[string]string{"1": oldSecret, "2": newSecret})
	after := ring(t, map[string]string{"2": newSecret})
	mac := before.MAC("order", "42")
	if !during.Verify("order", mac, "42") {
		t.Error("rotation made an old signature worthless")
	}
	if !during.Verify("order", during.MAC("order", "42"), "42") {
		t.Error("the signing key does not verify beside an older one")
	}
	if after.Verify("order", mac, "42") {
		t.Error("a retired key still verifies")
	}
	if (Ring{}).Verify("order", mac, "42") {
		t.Error("a ring without keys verifies")
	}
}

func TestOnlyTheSamePurposeAndPartsVerify(t *testing.T) {
	r := ring(t, map[string]string{"1": newSecret})
	word := rapid.StringMatching(`[a-c]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		purposeA, partsA := word.Draw(t, "purpose"), rapid.SliceOfN(word, 0, 3).Draw(t, "parts")
		purposeB, partsB := word.Draw(t, "other purpose"), rapid.SliceOfN(word, 0, 3).Draw(t, "other parts")
		same := purposeA == purposeB && slices.Equal(partsA, partsB)
		if got := r.Verify(purposeB, r.MAC(purposeA, partsA...), partsB...); got != same {
			t.Fatalf("verify = %v, want %v", got, same)
		}
	})
}

func TestNoBitMayChange(t *testing.T) {
	r := ring(t, map[string]string{"1": newSecret})
	mac := r.MAC("order", "42")
	if len(mac) != 43 {
		t.Fatalf("a signature has %d characters, want 43", len(mac))
	}
	raw, _ := base64.RawURLEncoding.DecodeString(mac)
	for bit := range len(raw) * 8 {
		raw[bit/8] ^= 1 << (bit % 8)
		if r.Verify("order", base64.RawURLEncoding.EncodeToString(raw), "42") {
			t.Fatalf("bit %d does not matter", bit)
		}
		raw[bit/8] ^= 1 << (bit % 8)
	}
	// The last character of 43 carries two unused bits: only the spelling that MAC gives is accepted.
	for _, forged := range []string{"", mac[:42], mac + "A", mac + "=", mac[:42] + string(mac[42]+1), " " + mac, mac + "\n"} {
		if r.Verify("order", forged, "42") {
			t.Errorf("%q verifies", forged)
		}
	}
}

func TestHashIsStableAndSeparate(t *testing.T) {
	key := []byte("the identity key of this shop")
	// Written down: stored hashes must never change, whatever happens to this package.
	if got, want := Hash(key, "phone", "+8613800000000"), "pu5_ari3sNQIUnbofIpGFGtZveAjaATjnoU6DmaksBI"; got != want {
		t.Errorf("hash = %s, want %s", got, want)
	}
	if Hash(key, "phone", "x") == Hash(key, "email", "x") || Hash(key, "phone", "x") == Hash([]byte("another identity key"), "phone", "x") {
		t.Error("purpose or key does not matter")
	}
}

func TestCursor(t *testing.T) {
	r := ring(t, map[string]string{"1": newSecret})
	text := rapid.StringN(0, 20, 200)
	rapid.Check(t, func(t *rapid.T) {
		b := Binding{Owner: text.Draw(t, "owner"), Query: text.Draw(t, "query")}
		position := text.Draw(t, "position")
		cursor := r.Cursor(b, position)
		if got, err := r.OpenCursor(b, cursor); err != nil || got != position {
			t.Fatalf("opened %q, %v; want %q", got, err, position)
		}
		if position == "" {
			return
		}
		if len(position) > 3 && strings.Contains(cursor, base64.RawURLEncoding.EncodeToString([]byte(position))) {
			t.Fatal("the position can be read in the cursor")
		}
		other := Binding{Owner: text.Draw(t, "other owner"), Query: text.Draw(t, "other query")}
		if other != b {
			if _, err := r.OpenCursor(other, cursor); !fail.Is(err, "cursor_invalid") {
				t.Fatalf("another owner or query opened it: %v", err)
			}
		}
	})
}

func TestCursorRefusals(t *testing.T) {
	r := ring(t, map[string]string{"1": newSecret})
	rotated := ring(t, map[string]string{"1": newSecret, "2": oldSecret})
	b := Binding{Owner: "koc_1", Query: "entries"}
	good := r.Cursor(b, "page 2")
	if got, err := rotated.OpenCursor(b, good); err != nil || got != "page 2" {
		t.Errorf("after rotation: %q, %v", got, err)
	}
	for name, cursor := range map[string]string{
		"moved border": r.Cursor(Binding{Owner: "koc_1entr", Query: "ies"}, "page 2"),
		"cut":          good[:len(good)-1],
		"flipped":      "A" + good[1:] + "A",
		"line end":     good + "\n",
		"short":        "AAAA",
		"not base64":   "%%%",
		"retired key":  ring(t, map[string]string{"1": oldSecret}).Cursor(b, "page 2"),
		"huge":         strings.Repeat("A", MaxCursor+1),
	} {
		_, err := r.OpenCursor(b, cursor)
		if !fail.Is(err, "cursor_invalid") || fail.KindOf(err) != fail.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
