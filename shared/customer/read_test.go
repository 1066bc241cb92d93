package customer_test

import (
	"errors"
	"strings"
	"testing"

	"yundian/shared/customer"
	"yundian/shared/fail"
	"yundian/shared/ordering"
)

func address() ordering.Address {
	return ordering.Address{Country: "CN", Region: "浙江省", City: "杭州市", District: "西湖区", Division: "330106",
		Line1: "文三路 1 号", Postcode: "310000"}
}

// refusal is the only thing wrong with what was read: its place and its code.
func refusal(err error) string {
	refused, ok := errors.AsType[*fail.Error](err)
	if !ok || len(refused.Fields) != 1 {
		return ""
	}
	return refused.Fields[0].Location + " " + refused.Fields[0].Code
}

func TestContactsAsTyped(t *testing.T) {
	for _, c := range []struct{ typed, want ordering.Contact }{
		{ordering.Contact{Name: " 陈静\u200e ", Phone: "138 0000 0000"}, ordering.Contact{Name: "陈静", Phone: "+8613800000000"}},
		{ordering.Contact{Name: "علی\u200cرضا", Email: "mei＠example.com"}, ordering.Contact{Name: "علی\u200cرضا", Email: "mei@example.com"}},
		{ordering.Contact{Name: "陈\n静", Email: " A@B.cn "}, ordering.Contact{Name: "陈 静", Email: "a@b.cn"}},
		{ordering.Contact{Name: "陈静", Phone: "0571-88888888 转 12"}, ordering.Contact{Name: "陈静", Phone: "+8657188888888", Extension: "12"}},
		{ordering.Contact{Name: "陈静", Phone: "+8657188888888", Extension: "１２"}, ordering.Contact{Name: "陈静", Phone: "+8657188888888", Extension: "12"}},
		{ordering.Contact{Name: "陈静", Phone: "\u200b", Email: "a@b.cn"}, ordering.Contact{Name: "陈静", Email: "a@b.cn"}},
	} {
		got, err := customer.ReadContact(c.typed, "CN")
		if err != nil || got != c.want {
			t.Errorf("%+v is read as %+v, %v; want %+v", c.typed, got, err, c.want)
			continue
		}
		if again, err := customer.ReadContact(got, "CN"); err != nil || again != got {
			t.Errorf("%+v read again is %+v, %v", got, again, err)
		}
	}
}

func TestRefusedContacts(t *testing.T) {
	person := func(name, phone, email string) ordering.Contact {
		return ordering.Contact{Name: name, Phone: phone, Email: email}
	}
	long := strings.Repeat
	for _, c := range []struct {
		contact ordering.Contact
		want    string
	}{
		{person("陈", "", "m@b.cn"), ""},
		{person(" \u3164", "", "m@b.cn"), "body.contact.name text_length"},
		{person(long("陈", 60), "", "m@b.cn"), ""},
		{person(long("陈", 61), "", "m@b.cn"), "body.contact.name text_length"},
		{person("陈\x00静", "", "m@b.cn"), "body.contact.name text_hidden"},
		{person("陈静", "", ""), "body.contact.phone contact_required"},
		{person("陈静", "call me", ""), "body.contact.phone phone_form"},
		{person("陈静", "91234567", ""), "body.contact.phone phone_unknown"},
		{person("陈静", "", "a@b"), "body.contact.email email_form"},
		{person("陈静", "", long("m", 64)+"@example.com"), ""},
		{person("陈静", "", long("m", 65)+"@example.com"), "body.contact.email email_form"},
		{person("陈静", "", "m@"+long("e", 248)+".com"), ""},
		{person("陈静", "", "m@"+long("e", 249)+".com"), "body.contact.email email_form"},
		{ordering.Contact{Name: "陈静", Email: "m@b.cn", Extension: "12345678901"}, "body.contact.extension text_length"},
	} {
		_, err := customer.ReadContact(c.contact, "CN")
		if refusal(err) != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%+v: %v, want %q", c.contact, err, c.want)
		}
	}
}

func TestAddressesAsTyped(t *testing.T) {
	for _, c := range []struct {
		change func(*ordering.Address)
		want   func(*ordering.Address)
	}{
		{func(a *ordering.Address) { a.Line1 = "文三路 1 号\n3 栋 201" }, func(a *ordering.Address) { a.Line1 = "文三路 1 号 3 栋 201" }},
		{func(a *ordering.Address) { a.Line1 = "文三路 1 号\t201" }, func(a *ordering.Address) { a.Line1 = "文三路 1 号 201" }},
		{func(a *ordering.Address) { a.Line1 = "文三路 1 号\u2028201" }, func(a *ordering.Address) { a.Line1 = "文三路 1 号 201" }},
		{func(a *ordering.Address) { a.City = "杭\u202e州" }, func(a *ordering.Address) { a.City = "杭州" }},
		{func(a *ordering.Address) { a.Postcode = "３１００００" }, func(a *ordering.Address) { a.Postcode = "310000" }},
		{func(a *ordering.Address) { a.Country, a.Postcode = "jp", "〒１００－０００１" }, func(a *ordering.Address) { a.Country, a.Postcode = "JP", "100-0001" }},
		{func(a *ordering.Address) { a.Division = "３３０１０６" }, func(a *ordering.Address) { a.Division = "330106" }},
	} {
		typed, want := address(), address()
		c.change(&typed)
		c.want(&want)
		if got, err := customer.ReadAddress(typed); err != nil || got != want {
			t.Errorf("%+v is read as %+v, %v", typed, got, err)
		}
	}
}

func TestRefusedAddresses(t *testing.T) {
	for want, change := range map[string]func(*ordering.Address){
		"body.address.country country_form":   func(a *ordering.Address) { a.Country = "CHN" },
		"body.address.city text_length":       func(a *ordering.Address) { a.City = "\u200b" },
		"body.address.region text_length":     func(a *ordering.Address) { a.Region = strings.Repeat("浙", 61) },
		"body.address.line1 text_hidden":      func(a *ordering.Address) { a.Line1 = "1\x1b[2J" },
		"body.address.division division_form": func(a *ordering.Address) { a.Division = "33010" },
		"body.address.postcode postcode_form": func(a *ordering.Address) { a.Postcode = "31*00" },
	} {
		a := address()
		change(&a)
		if _, err := customer.ReadAddress(a); refusal(err) != want {
			t.Errorf("%+v: %v, want %q", a, err, want)
		}
	}
}
