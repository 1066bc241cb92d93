package orderform

import (
	"net/url"
	"slices"

	"yundian/shared/catalogue"
	"yundian/shared/ordering"
)

// CarriedBytes bounds the lines of a basket in an address: 60 lines of SKUs of 48 bytes. The gateway takes 10,240 bytes of
// request line and headers. An address of ours has 1,200 bytes more at most, for path, link tokens and a variant; browsers
// repeat the address of the page before as Referer, if that has no more than 4,096 bytes; and the other headers of a
// browser and of the gateway have about a thousand.
const CarriedBytes = 3600

// carriedSize is how many bytes a line may come to have in an address, whatever its quantity becomes.
func carriedSize(sku string) int { return len("&line=") + len(url.QueryEscape(sku)) + len("%2A999") }

// HasRoom reports whether a basket that travels in addresses can take this SKU: one that it holds already, or one more.
func HasRoom(basket []ordering.BasketLine, sku string) bool {
	if slices.ContainsFunc(basket, func(b ordering.BasketLine) bool { return catalogue.SameSKU(b.SKU, sku) }) {
		return true
	}
	size := carriedSize(sku)
	for _, b := range basket {
		size += carriedSize(b.SKU)
	}
	return len(basket) < ordering.MaxLines && size <= CarriedBytes
}

// Carry is as much of a basket as addresses carry. An order itself can have SKUs of any length.
func Carry(basket []ordering.BasketLine) []ordering.BasketLine {
	var out []ordering.BasketLine
	for _, b := range basket {
		if HasRoom(out, b.SKU) {
			out = append(out, b)
		}
	}
	return out
}
