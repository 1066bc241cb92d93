package locale

import (
	"math"
	"testing"

	"github.com/bojanz/currency"

	"yundian/shared/money"
)

// Every currency is written as CLDR says.
func TestMoneyIsWrittenAsCLDRSays(t *testing.T) {
	for _, language := range []Language{Hans, Hant, English} {
		f := currency.NewFormatter(currency.NewLocale(string(language)))
		for _, code := range currency.GetCurrencyCodes() {
			for _, minor := range []int64{0, 1, -5, 10, 99, 100, 999, -1000, 99999, 100000, -12345678, 123456789, math.MaxInt64, math.MinInt64} {
				a := money.Of(minor, money.Currency(code))
				amount, err := currency.NewAmount(a.Decimal(), code)
				if err != nil {
					t.Fatal(err)
				}
				if got, want := For(language).Money(a), f.Format(amount); got != want {
					t.Errorf("%s: %s is written %q, want %q", language, a, got, want)
				}
			}
		}
	}
}
