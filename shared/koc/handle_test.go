package koc_test

import (
	"testing"

	"yundian/shared/koc"
)

func TestReservedHandles(t *testing.T) {
	names := []string{"Longjing House 龙井", "tea"}
	for handle, want := range map[string]bool{
		"admin": true, "the-admin": true, "0fficial": true, "mei-official": true, "off-icial": true, "support": true, "kefu": true,
		"longjing-house": true, "1ongjinghouse": true, "longjing-house-mei": true, "tea": true, "shop": true, "koc": true,
		"adm1n": true, "a-d-m-i-n": true, "admin1": true, "support2024": true, "mei-admin2": true, "5upport": true, "0ff1cial": true,
		"officialstore": true, "adminteam": true, "teamsupport": true, "meiofficial": true, "1admin": true, "longj1nghouse": true,
		"customer-service": true, "koc-7": false, "koc-5": false, "shop2": false, "mei2024": false, "mei-1": false, "123": false, "kefun": false, "teamei": false, "shoppingmei": false,
		"mei": false, "teatime": false, "mei-shop": false, "longjing": false, "supporter": false, "badminton": false, "steam": false,
	} {
		if got := koc.ReservedHandle(handle, names...); got != want {
			t.Errorf("%q reserved: %t, want %t", handle, got, want)
		}
	}
	if koc.ReservedHandle("mei", "云店", "") {
		t.Error("a brand without Latin letters reserves every handle")
	}
}

func TestHandleShapes(t *testing.T) {
	for _, c := range [][2]string{{"mei", "me-i"}, {"lily", "1ily"}, {"coco", "c0c0"}, {"morning", "moming"}, {"wei", "vvei"}} {
		if koc.HandleShape(c[0]) != koc.HandleShape(c[1]) {
			t.Errorf("%q and %q look alike", c[0], c[1])
		}
	}
	if koc.HandleShape("mei") == koc.HandleShape("mel") {
		t.Error("mei and mel are two names")
	}
}
