package customer_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"

	"yundian/shared/customer"
)

func TestPhones(t *testing.T) {
	for _, c := range []struct{ typed, country, want, extension string }{
		{"852 9123 4567", "HK", "+85291234567", ""},
		{"85366123456", "MO", "+85366123456", ""},
		{"886912345678", "TW", "+886912345678", ""},
		{"+886 0912-345-678", "TW", "+886912345678", ""},
		{"+886(0)912345678", "TW", "+886912345678", ""},
		{"+86 0571 88888888", "CN", "+8657188888888", ""},
		{"138 0000 0000", "CN", "+8613800000000", ""},
		{"+86-138-0000-0000", "CN", "+8613800000000", ""},
		{"8613800000000", "CN", "+8613800000000", ""},
		{"0086 138 0000 0000", "CN", "+8613800000000", ""},
		{"００８６ １３８ ００００ ００００", "CN", "+8613800000000", ""},
		{"＋８６　１３８００００００００", "CN", "+8613800000000", ""},
		{"\u202d+86 138-0000-0000\u202c", "CN", "+8613800000000", ""},
		{"+86 +86 13800000000", "CN", "+8613800000000", ""},
		{"+868613800000000", "CN", "+8613800000000", ""},
		{"+86 086 138 0000 0000", "CN", "+8613800000000", ""},
		{"tel:+8613800000000", "CN", "+8613800000000", ""},
		{"138 – 0000 — 0000", "CN", "+8613800000000", ""},
		{"138·0000·0000", "CN", "+8613800000000", ""},
		{"138.0000.0000", "CN", "+8613800000000", ""},
		{"013800000000", "CN", "+8613800000000", ""},
		{"0571 8888 8888", "CN", "+8657188888888", ""},
		{"0571-88888888 转 12", "CN", "+8657188888888", "12"},
		{"0571-88888888 ext. 12", "CN", "+8657188888888", "12"},
		{"0571-88888888轉12", "CN", "+8657188888888", "12"},
		{"400-820-8820", "CN", "+864008208820", ""},
		{"0852 9123 4567", "HK", "+85291234567", ""},
		{"+852 852 9123 4567", "HK", "+85291234567", ""},
		{"00852 91234567", "CN", "+85291234567", ""},
		{"۹۱۲۳۴۵۶۷", "HK", "+85291234567", ""},
		{"0912345678", "TW", "+886912345678", ""},
		{"86+13800000000", "CN", "+8613800000000", ""},
		{"13800000000（微信同号）", "CN", "+8613800000000", ""},
		{"010-62345678-8001", "CN", "+861062345678", "8001"},
		{"0571-88888888 转分机12", "CN", "+8657188888888", "12"},
		{"03-3234-5678（内線12）", "JP", "+81332345678", "12"},
		{"02-123-4567 ต่อ 12", "TH", "+6621234567", "12"},
		{"49 151 23456789", "DE", "+4915123456789", ""},
		{"(02) 2345-6789", "TW", "+886223456789", ""},
		{"8123 4567", "SG", "+6581234567", ""},
		{"012-345 6789", "MY", "+60123456789", ""},
		{"090-1234-5678", "JP", "+819012345678", ""},
		{"０９０ー１２３４ー５６７８", "JP", "+819012345678", ""},
		{"010-1234-5678", "KR", "+821012345678", ""},
		{"081 234 5678", "TH", "+66812345678", ""},
		{"091 234 56 78", "VN", "+84912345678", ""},
		{"0812-3456-7890", "ID", "+6281234567890", ""},
		{"0917 123 4567", "PH", "+639171234567", ""},
		{"0412 345 678", "AU", "+61412345678", ""},
		{"021 123 4567", "NZ", "+64211234567", ""},
		{"(212) 555-0123", "US", "+12125550123", ""},
		{"1 416 555 0123", "CA", "+14165550123", ""},
		{"07400 123456", "GB", "+447400123456", ""},
		{"+44 (0)7400 123456", "GB", "+447400123456", ""},
		{"+44 7700 900123", "GB", "+447700900123", ""}, // a range that the plan keeps for films
		{"085 123 4567", "IE", "+353851234567", ""},
		{"06 12 34 56 78", "FR", "+33612345678", ""},
		{"0151 23456789", "DE", "+4915123456789", ""},
		{"06 12345678", "NL", "+31612345678", ""},
		{"612 34 56 78", "ES", "+34612345678", ""},
		{"06 1234 5678", "IT", "+390612345678", ""}, // Italy keeps its zero
		{"347 123 4567", "IT", "+393471234567", ""},
		{"+971 50 123 4567", "AE", "+971501234567", ""}, // a country that the form does not name
	} {
		got, wrong := customer.ReadPhone("body.contact.phone", c.typed, c.country)
		if wrong != nil || got.Number != c.want || got.Extension != c.extension {
			t.Errorf("%q in %s is %+v (%v), want %s %s", c.typed, c.country, got, wrong, c.want, c.extension)
		}
	}
}

func TestImpossiblePhones(t *testing.T) {
	for _, c := range []struct{ typed, country, code string }{
		{"91234567", "CN", "phone_unknown"}, // eight digits are no mobile of the mainland
		{"1380000", "CN", "phone_unknown"},
		{"1380013800", "CN", "phone_unknown"},
		{"138001380001", "CN", "phone_unknown"},
		{"13800000000", "HK", "phone_unknown"}, // of the mainland, but typed without its country code
		{"+86 91234567", "CN", "phone_unknown"},
		{"912", "TW", "phone_short"},
		{"8880571888888880", "CN", "phone_long"},
		{"+86 1380000000000000", "CN", "phone_long"},
		{"call me", "CN", "phone_form"},
		{"+", "CN", "phone_form"},
		{"0571-88888888 转 12345678901", "CN", "phone_long"},
		{"13800000000\x00", "CN", "phone_form"},
		{"12", "CN", "phone_short"},
		{"13800000000", "", "phone_form"}, // no country to read it in
		{"+999 1234 5678", "CN", "phone_form"},
		{strings.Repeat("1", 300), "CN", "phone_form"},
		{"13800000000/13911111111", "CN", "phone_two"},
		{"13800000000 13911111111", "CN", "phone_two"},
		{"13800000000、13911111111", "CN", "phone_two"},
		{"13800000000;13911111111", "CN", "phone_two"},
		{"+86 138 0000 0000, +86 139 1111 1111", "CN", "phone_two"},
		{"9123 4567 / +86 13800000000", "HK", "phone_two"},
	} {
		got, wrong := customer.ReadPhone("body.contact.phone", c.typed, c.country)
		if len(wrong) != 1 || wrong[0].Code != c.code || got.Number != "" {
			t.Errorf("%q in %s is %+v, %+v; want a refusal with %s", c.typed, c.country, got, wrong, c.code)
		}
	}
}

// TestOneNumberIsOnePerson types one number in many ways.
func TestOneNumberIsOnePerson(t *testing.T) {
	wide := strings.NewReplacer("0", "０", "1", "１", "2", "２", "3", "３", "4", "４", "5", "５", "6", "６", "7", "７", "8", "８", "9", "９", "+", "＋")
	homes := []struct{ country, code, trunk, national string }{
		{"CN", "86", "", "13800138000"}, {"CN", "86", "0", "57188888888"}, {"HK", "852", "", "91234567"}, {"MO", "853", "", "66123456"},
		{"TW", "886", "0", "912345678"}, {"SG", "65", "", "81234567"}, {"JP", "81", "0", "9012345678"}, {"GB", "44", "0", "7400123456"},
	}
	rapid.Check(t, func(t *rapid.T) {
		home := rapid.SampledFrom(homes).Draw(t, "home")
		text := rapid.SampledFrom([]string{
			home.trunk + home.national, "+" + home.code + home.national, "+" + home.code + home.trunk + home.national,
			"00" + home.code + home.national, home.code + home.national, "+" + home.code + " +" + home.code + home.national,
			"+" + home.code + "(" + home.trunk + ")" + home.national,
		}).Draw(t, "form")
		var b strings.Builder
		for i, r := range text {
			if i > 0 && r != '+' && r != ')' {
				b.WriteString(rapid.SampledFrom([]string{"", "", "", " ", "-", "\u200b", "\u202c", "－", " "}).Draw(t, "gap"))
			}
			b.WriteRune(r)
		}
		text = b.String()
		if rapid.Bool().Draw(t, "wide") {
			text = wide.Replace(text)
		}
		got, wrong := customer.ReadPhone("body.contact.phone", text, home.country)
		if want := "+" + home.code + home.national; wrong != nil || got.Number != want {
			t.Fatalf("%q is %+v (%v), want %s", text, got, wrong, want)
		}
	})
}

// TestEveryHomeHasOneForm types a number of each kind and country that the form offers in all the usual ways.
func TestEveryHomeHasOneForm(t *testing.T) {
	kinds := []phonenumbers.PhoneNumberType{phonenumbers.MOBILE, phonenumbers.FIXED_LINE}
	for _, country := range strings.Fields("CN HK MO TW SG MY JP KR TH VN ID PH AU NZ US CA GB IE FR DE NL ES IT") {
		for _, kind := range kinds {
			n := phonenumbers.GetExampleNumberForType(country, kind)
			code := strconv.Itoa(int(n.GetCountryCode()))
			national, home := phonenumbers.GetNationalSignificantNumber(n), phonenumbers.Format(n, phonenumbers.NATIONAL)
			want := phonenumbers.Format(n, phonenumbers.E164)
			for _, text := range []string{want, home, national, "+" + code + " " + home, "+" + code + "(0)" + national, "00" + code + national,
				code + national, code + " " + national, "(" + code + ") " + national, "+" + code + " +" + code + national, code + "+" + national} {
				if strings.Contains(text, "(0)") && (country == "IT" || !strings.HasPrefix(home, "0")) {
					continue // the country puts no zero before this number
				}
				if got, wrong := customer.ReadPhone("", text, country); wrong != nil || got.Number != want {
					t.Errorf("%q in %s is %+v (%v), want %s", text, country, got, wrong, want)
				}
			}
		}
	}
}
