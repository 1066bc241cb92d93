package money_test

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"yundian/shared/fail"
	"yundian/shared/money"
)

func TestTimesRoundsHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct{ minor, num, den, want int64 }{
		{1000, 1, 10, 100}, {5, 1, 10, 1}, {4, 1, 10, 0}, {-5, 1, 10, -1}, {-4, 1, 10, 0}, {5, -1, 10, -1}, {15, 1, 10, 2},
		{math.MaxInt64, 1, 1, math.MaxInt64}, {math.MaxInt64, 1, 2, math.MaxInt64/2 + 1}, {0, 7, 3, 0}, {7, 0, 3, 0},
	} {
		got, err := money.Of(c.minor, "CNY").Times(money.Ratio{Num: c.num, Den: c.den})
		if err != nil || got.Minor != c.want {
			t.Errorf("%d × %d/%d = %d, %v; want %d", c.minor, c.num, c.den, got.Minor, err, c.want)
		}
	}
}

func TestTimesEqualsExactArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, num := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "num")
		den := rapid.Int64Range(1, math.MaxInt64).Draw(t, "den")
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(num))
		sign := product.Sign()
		product.Abs(product)
		want, rem := new(big.Int).QuoRem(product, big.NewInt(den), new(big.Int))
		if rem.Lsh(rem, 1).Cmp(big.NewInt(den)) >= 0 {
			want.Add(want, big.NewInt(1))
		}
		got, err := money.Of(a, "CNY").Times(money.Ratio{Num: num, Den: den})
		if !want.IsInt64() {
			if err == nil {
				t.Fatalf("%d×%d/%d overflows but gave %d", a, num, den, got.Minor)
			}
			return
		}
		if err != nil || got.Minor != want.Int64()*int64(sign) {
			t.Fatalf("%d×%d/%d = %d, %v; want %v", a, num, den, got.Minor, err, want)
		}
	})
}

func TestAllocateLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := money.Of(rapid.Int64().Filter(func(n int64) bool { return n != math.MinInt64 }).Draw(t, "a"), "CNY")
		weights := rapid.SliceOfN(rapid.Int64Range(0, math.MaxInt64/32), 1, 20).Draw(t, "weights")
		var total int64
		for _, w := range weights {
			total += w
		}
		parts, err := a.Allocate(weights)
		if total == 0 {
			if (err == nil) != a.IsZero() {
				t.Fatalf("%s to no weights: %v", a, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		sum, err := money.Sum(parts...)
		if err != nil || sum.Minor != a.Minor {
			t.Fatalf("%s became %s, %v", a, sum, err)
		}
		for i, p := range parts {
			exact, _ := a.Times(money.Ratio{Num: weights[i], Den: total})
			if d := p.Minor - exact.Minor; d < -1 || d > 1 || weights[i] == 0 && p.Minor != 0 {
				t.Fatalf("part %d of %s by %v is %d, far from %d", i, a, weights, p.Minor, exact.Minor)
			}
		}
	})
}

func TestOverflowAndMixturesAreRefused(t *testing.T) {
	big, one := money.Of(math.MaxInt64, "CNY"), money.Of(1, "CNY")
	for name, do := range map[string]func() error{
		"add":      func() error { _, err := big.Add(one); return err },
		"subtract": func() error { _, err := money.Of(math.MinInt64, "CNY").Sub(one); return err },
		"negate":   func() error { _, err := money.Of(math.MinInt64, "CNY").Neg(); return err },
		"multiply": func() error { _, err := big.Multiply(2); return err },
		"mix":      func() error { _, err := one.Add(money.Of(1, "EUR")); return err },
		"compare":  func() error { _, err := one.Compare(money.Of(1, "EUR")); return err },
	} {
		if err := do(); fail.KindOf(err) != fail.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each figure that is one too large stands beside the largest that passes.
func TestLimitsAreExact(t *testing.T) {
	times := func(minor, num, den int64) func() error {
		return func() error {
			_, err := money.Of(minor, "CNY").Times(money.Ratio{Num: num, Den: den})
			return err
		}
	}
	multiply := func(minor, by int64) func() error {
		return func() error { _, err := money.Of(minor, "CNY").Multiply(by); return err }
	}
	allocate := func(weights ...int64) func() error {
		return func() error { _, err := money.Of(1, "CNY").Allocate(weights); return err }
	}
	for name, c := range map[string]struct{ passes, refused func() error }{
		"multiply beyond 64 bits":      {multiply(1<<31, 1<<31), multiply(1<<32, 1<<32)},
		"multiply to 2^63":             {multiply(1<<31, 1<<31), multiply(1<<32, 1<<31)},
		"a denominator below nothing":  {times(1, 1, 1), times(1, 1, -1)},
		"a denominator of nothing":     {times(0, 1, 1), times(0, 1, 0)},
		"times beyond 64 bits":         {times(math.MaxInt64, 1, 1), times(math.MaxInt64, 4, 1)},
		"times to 2^63":                {times(1<<62, 1, 1), times(1<<62, 2, 1)},
		"something to no weights":      {allocate(0, 1), allocate(0, 0)},
		"a weight below nothing":       {allocate(2, 1), allocate(2, -1)},
		"weights that sum beyond 2^63": {allocate(math.MaxInt64-1, 1), allocate(math.MaxInt64, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.passes(); err != nil {
				t.Errorf("what is just possible: %v", err)
			}
			if err := c.refused(); err == nil {
				t.Error("nothing was refused")
			}
		})
	}
}

func TestDecimals(t *testing.T) {
	for _, c := range []struct {
		text     string
		currency money.Currency
		want     int64
		ok       bool
	}{
		{"50", "CNY", 5000, true}, {"19.99", "CNY", 1999, true}, {"0.5", "CNY", 50, true}, {"7", "JPY", 7, true}, {"7.00", "JPY", 7, true},
		{"1.500", "CNY", 150, true}, {"1.234", "KWD", 1234, true}, {"1.235", "CNY", 0, false}, {"-1", "CNY", 0, false}, {"1e3", "CNY", 0, false},
		{"", "CNY", 0, false}, {".", "CNY", 0, false}, {"1.", "CNY", 0, false}, {".5", "CNY", 0, false}, {"1,000", "CNY", 0, false},
		{"９", "CNY", 0, false}, {"99999999999999999999", "CNY", 0, false}, {" 1", "CNY", 0, false},
	} {
		got, err := money.ParseDecimal(c.text, c.currency)
		if (err == nil) != c.ok || got.Minor != c.want {
			t.Errorf("%q %s: %v, %v", c.text, c.currency, got, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a := money.Of(rapid.Int64Range(0, money.MaxMinor).Draw(t, "minor"), rapid.SampledFrom([]money.Currency{"CNY", "JPY", "KWD"}).Draw(t, "currency"))
		if back, err := money.ParseDecimal(a.Decimal(), a.Currency); err != nil || back != a {
			t.Fatalf("%s came back as %s, %v", a, back, err)
		}
	})
}

func TestCurrencies(t *testing.T) {
	for _, code := range []string{"", "cny", "XXXX", "人民币"} {
		if _, err := money.ParseCurrency(code); err == nil {
			t.Errorf("%q passed for a currency", code)
		}
	}
	if c, err := money.ParseCurrency("CNY"); err != nil || c.Digits() != 2 {
		t.Errorf("CNY: %v", err)
	}
}
