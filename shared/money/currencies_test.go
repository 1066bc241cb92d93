package money

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bojanz/currency"
)

// The table is CLDR's: when the library brings newer data, this test says what the table has to be.
func TestCurrenciesAreCLDRs(t *testing.T) {
	var want strings.Builder
	codes := slices.Sorted(slices.Values(currency.GetCurrencyCodes()))
	for _, code := range codes {
		digits, _ := currency.GetDigits(code)
		fmt.Fprintf(&want, "%s%d", code, digits)
		if c, err := ParseCurrency(code); err != nil || c.Digits() != int(digits) {
			t.Errorf("%s: %v, %d digits, want %d", code, err, c.Digits(), digits)
		}
	}
	if want.String() != currencies {
		t.Errorf("the table has to be\n%s", want.String())
	}
	for _, code := range []string{"", "C", "CNYY", "CN2", "2AF", "cny", "AAA", "ZZZ", "XXX"} {
		if c, err := ParseCurrency(code); err == nil {
			t.Errorf("%q is taken for a currency", c)
		}
		if d := Currency(code).Digits(); d != 2 {
			t.Errorf("%q has %d digits", code, d)
		}
	}
}
