package e2e

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"yundian/infra/e2e/drive"
)

// TestTheReadmesTour pastes the tour of README.md into a shell beside a freshly seeded store, as a newcomer would.
func TestTheReadmesTour(t *testing.T) {
	store := drive.Start(t)
	if err := store.Seed(context.Background(), io.Discard); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(drive.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, tour, _ := strings.Cut(string(readme), "```sh\n")
	tour, _, found := strings.Cut(tour, "```")
	const address = "http://127.0.0.1:8080"
	if !found || !strings.Contains(tour, address) {
		t.Fatal("README.md holds no tour")
	}
	out, err := exec.Command("bash", "-euo", "pipefail", "-c", strings.ReplaceAll(tour, address, store.URL)).CombinedOutput()
	if err != nil {
		t.Fatalf("the tour failed: %v\n%s", err, out)
	}
	said := string(out)
	for _, want := range []string{`"kind": "accrual"`, `"outcome": "won"`, "shipped", "delivered", "succeeded"} {
		if !strings.Contains(said, want) {
			t.Errorf("the tour does not show %s:\n%s", want, said)
		}
	}
	if !strings.HasSuffix(strings.TrimSpace(said), "[]") {
		t.Errorf("the tour does not end with a clean verification:\n%s", said)
	}
	t.Log(said)
}
