package orderform

import (
	"testing"

	"pgregory.net/rapid"

	"yundian/shared/ordering"
)

func TestBasketValuesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := ordering.BasketLine{SKU: rapid.OneOf(rapid.SampledFrom([]string{"a*2", "*", "tea", "a,b #1"}), rapid.String()).Draw(t, "sku"),
			Quantity: rapid.Int64().Draw(t, "quantity")}
		if got, ok := ReadBasketValue(BasketValue(b)); !ok || got != b {
			t.Fatalf("%+v came back as %+v, %t", b, got, ok)
		}
	})
	for _, text := range []string{"", "*", "tea", "tea*", "tea*x", "tea*1.5", "tea*99999999999999999999"} {
		if b, ok := ReadBasketValue(text); ok {
			t.Errorf("%q was read as %+v", text, b)
		}
	}
}
