package e2e

import (
	"context"
	"io"
	"testing"
	"time"

	"yundian/infra/chaos/storm"
	"yundian/infra/e2e/drive"
)

// TestNoMoneyIsWrongAfterAStorm is a short `make chaos`: faults between functions and store, and functions killed while
// they work; afterwards everything equals an independent fold of the orders.
func TestNoMoneyIsWrongAfterAStorm(t *testing.T) {
	o := drive.Options("")
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	report, err := storm.Run(ctx, storm.Options{Root: o.Root, Dir: t.TempDir(), BinDir: o.BinDir, Store: o.Store, Seed: 11, Orders: 80,
		Workload: 20 * time.Second, Progress: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Found {
		t.Error(d)
	}
	t.Logf("%+v", report)
	if report.Orders < 10 || report.Kills == 0 || report.Faulted*10 < report.StoreCalls {
		t.Errorf("this was no storm: %d orders, %d kills, %d of %d calls disturbed", report.Orders, report.Kills, report.Faulted, report.StoreCalls)
	}
}
