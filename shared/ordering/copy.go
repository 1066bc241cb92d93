package ordering

import (
	"reflect"
	"slices"
)

// Clone is a copy whose facts can grow without touching the original. Facts in lists that are changed in place
// (a refund's or dispute's outcome, a hold's lifting, a return's closing) are copied too; what they point to is never changed.
func (o Order) Clone() Order {
	o.Captures = slices.Clone(o.Captures)
	o.Refunds = slices.Clone(o.Refunds)
	o.Disputes = slices.Clone(o.Disputes)
	o.Shipments = slices.Clone(o.Shipments)
	o.Returns = slices.Clone(o.Returns)
	o.Goods = slices.Clone(o.Goods)
	o.Holds = slices.Clone(o.Holds)
	o.Awards = slices.Clone(o.Awards)
	o.Redriven = slices.Clone(o.Redriven)
	return o
}

// Equal reports whether two orders have the same facts.
func (o Order) Equal(other Order) bool { return reflect.DeepEqual(o, other) }

// AsPlaced is the order as it was placed, without anything that happened since.
func (o Order) AsPlaced() Order {
	o.Version, o.Session = 1, ""
	o.Captures, o.Refunds, o.Disputes, o.Shipments, o.Returns, o.Holds, o.Awards, o.Redriven, o.Goods = nil, nil, nil, nil, nil, nil, nil, nil, nil
	o.Confirmation = nil
	o.Delivered, o.Released, o.Cancelled, o.Expired, o.Revived, o.Withdrawn = nil, nil, nil, nil, nil, nil
	return o
}
