package audit_test

import (
	"testing"

	"yundian/shared/store"
	"yundian/shared/store/storetest"
)

func TestAnEmptyShopIsClean(t *testing.T) {
	s := storetest.Open(t)
	if r := run(t, (&world{t: t, s: s, at: noon}).auditor()); r.Checked+r.Unsettled+len(r.Differences) != 0 {
		t.Errorf("%+v", r)
	}
}

func TestARunningShopAgrees(t *testing.T) {
	for name, s := range map[string]*store.Store{"engine": storetest.Open(t), "maps": store.OpenMaps(store.NewMaps())} {
		w := newWorld(t, s)
		ids := w.sold(4)
		w.closed()
		r := run(t, w.auditor())
		if r.Checked != len(ids)+2*len(handles)+5+1+4+2 || r.Unsettled != 0 || len(r.Differences)+len(r.Left) != 0 {
			t.Errorf("%s: %+v", name, r)
		}
		w.step("o001", 5)
		if r := run(t, w.auditor()); r.Unsettled != 1 || r.Waiting[0] != "o001" || len(r.Differences) != 0 {
			t.Errorf("%s: an order ahead of the ledger: %+v", name, r)
		}
	}
}
