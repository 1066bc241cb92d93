package e2e

import (
	"testing"

	"yundian/infra/e2e/drive"
)

// TestAdjustments: one operator asks, another approves, the KOC reads why; available never falls below zero.
func TestAdjustments(t *testing.T) {
	o := outside(t, drive.Shared(t).URL)
	other := o.Token("operator:" + drive.Fresh("checker"))
	path := "/v1/admin/adjustments"
	ask := func(minor int, reason string) string {
		t.Helper()
		made := o.post(201, path, o.Operator, object{"koc": o.Handle, "amount": drive.CNY(minor), "reason": reason})
		made.Want(t, "requested", "state")
		return made.Text("id")
	}
	given, taken, dropped := ask(700, "the parcel was late"), ask(-900, "paid twice by hand"), ask(5, "typed wrongly")
	o.post(403, path+"/"+given+"/approve", o.Operator, object{})
	o.post(403, path+"/"+given+"/approve", o.KOC, object{})
	o.post(200, path+"/"+given+"/approve", other, object{}).Want(t, 700, "approved", "available", "amount")
	o.post(200, path+"/"+taken+"/approve", other, object{}).Want(t, 200, "approved", "debt", "amount")
	o.post(409, path+"/"+taken+"/approve", other, object{})
	o.post(200, path+"/"+dropped+"/reject", o.Operator, object{"reason": "typed wrongly"}).Want(t, "rejected", "state")
	o.Quiet()
	o.Earns(o.KOC, 0, 0, 200)

	list := o.get(200, path+"?limit=2&koc="+o.Handle, o.Operator)
	list.Want(t, dropped, "items", 0, "id")
	list.Want(t, taken, "items", 1, "id")
	o.get(200, path+"?koc="+o.Handle+"&limit=2&cursor="+list.Text("next"), o.Operator).Want(t, given, "items", 0, "id")
	o.get(200, path+"/"+given, o.Operator).Want(t, "the parcel was late", "reason")

	entries := o.get(200, "/v1/earnings/entries", o.KOC)
	entries.Want(t, "adjustment", "items", 0, "kind")
	entries.Want(t, -900, "items", 0, "amount")
	entries.Want(t, "paid twice by hand", "items", 0, "reason")
	entries.Want(t, "the parcel was late", "items", 1, "reason")
	o.Verify()
}
