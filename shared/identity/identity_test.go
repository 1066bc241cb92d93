package identity

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var key = Key("the identity key of a test, long enough")

func TestOneMailbox(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"mei@example.com", "mei@example.com", true},
		{"mei@example.com", "MEI@Example.com", true},
		{"mei+tea@example.com", "mei@example.com", true},
		{"mei+a+b@example.com", "mei+c@example.com", true},
		{"m.e.i@gmail.com", "mei+tea@googlemail.com", true},
		{"m.ei@example.com", "mei@example.com", false}, // only Gmail reads no dots
		{"mei@example.com", "mei@example.org", false},
		{"mei@example.com", "mei2@example.com", false},
		{"+tea@example.com", "@example.com", false}, // a name that is a tag alone stays a name
		{"+tea@example.com", "+milk@example.com", false},
	} {
		if key.Email(c.a).Meet(key.Email(c.b)) != c.same {
			t.Errorf("%s and %s: one mailbox is not %v", c.a, c.b, c.same)
		}
	}
}

func TestOneDoor(t *testing.T) {
	door := Place{"CN", "浙江省", "杭州市", "西湖区", "文三路 1 号 3 栋"}
	with := func(change func(*Place)) Place {
		p := door
		change(&p)
		return p
	}
	for name, c := range map[string]struct {
		at   Place
		same bool
	}{
		"itself":              {door, true},
		"no spaces":           {with(func(p *Place) { p.Line = "文三路1号3栋" }), true},
		"full width":          {with(func(p *Place) { p.Line = "文三路　１号，３栋。" }), true},
		"short names":         {with(func(p *Place) { p.Region, p.City, p.District = "浙江", "杭州", "" }), true},
		"everything in line":  {with(func(p *Place) { p.Line = "浙江省杭州市西湖区文三路1号3栋" }), true},
		"short names in line": {with(func(p *Place) { p.Line = "浙江 杭州 西湖 文三路1号3栋" }), true},
		"full names in line": {with(func(p *Place) {
			p.Region, p.City, p.District, p.Line = "浙江", "杭州", "西湖", "浙江省杭州市西湖区文三路1号3栋"
		}), true},
		"country in small": {with(func(p *Place) { p.Country = "cn" }), true},
		"another number":   {with(func(p *Place) { p.Line = "文三路 2 号 3 栋" }), false},
		"another city":     {with(func(p *Place) { p.City = "宁波市" }), false},
		"another region":   {with(func(p *Place) { p.Region = "江苏省" }), false},
		"another country":  {with(func(p *Place) { p.Country = "TW" }), false},
	} {
		if key.Place(door).Meet(key.Place(c.at)) != c.same {
			t.Errorf("%s: one door is not %v", name, c.same)
		}
	}
	municipal, again := Place{Country: "CN", Region: "北京市", City: "北京市", Line: "知春路 60 号"}, Place{Country: "CN", City: "北京", Line: "知春路60号"}
	if !key.Place(municipal).Meet(key.Place(again)) {
		t.Error("a city that is its own region is two")
	}
	for _, line := range []string{"", "自提", " - , - ", "杭州市", "西湖区 1"} {
		if got := key.Place(with(func(p *Place) { p.Line = line })); got != nil {
			t.Errorf("%q names a door: %v", line, got)
		}
	}
}

func TestKindsNeverMeet(t *testing.T) {
	if key.Email("13800000000").Meet(key.Phone("13800000000")) || !key.Phone("+86 138 0000 0000").Meet(key.Phone("+8613800000000")) {
		t.Error("an e-mail address meets a phone, or a phone does not meet itself")
	}
	if key.Email("") != nil || key.Phone("") != nil || key.Phone("none") != nil || (Hashes)(nil).Meet(nil) {
		t.Error("nothing is something")
	}
	other := Key("the identity key of another shop")
	if key.Email("mei@example.com").Meet(other.Email("mei@example.com")) {
		t.Error("hashes of two shops meet")
	}
	for _, h := range [](Hashes){key.Email("mei@example.com"), key.Phone("+8613800000000"), key.Place(Place{Line: "1 Tea Street"})} {
		if strings.Contains(h[0], "mei") || strings.Contains(h[0], "138000") || len(h[0]) > 60 {
			t.Errorf("%s shows what it is a hash of", h[0])
		}
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var known Hashes
		for _, n := range rapid.SliceOf(rapid.IntRange(0, 60)).Draw(t, "used") {
			one := fmt.Sprint("email:", n)
			known = known.And(Hashes{one})
			if known[len(known)-1] != one || len(known) > MaxKept || len(slices.Compact(slices.Sorted(slices.Values(known)))) != len(known) {
				t.Fatalf("after %s: %v", one, known)
			}
		}
	})
}
