package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"yundian/infra/e2e/drive"
)

// TestZonesAreLinkedWhereTheyAreRead: a function that can come to read a time zone has all zones with it, because a machine
// may have none, and no other carries their 450 KB. The linker leaves out what cannot be reached, so that the names of
// functions in a binary tell.
func TestZonesAreLinkedWhereTheyAreRead(t *testing.T) {
	drive.Shared(t) // builds them
	functions, err := filepath.Glob(filepath.Join(drive.Root(), "functions", "*", "main.go"))
	if err != nil || len(functions) == 0 {
		t.Fatalf("no functions: %v", err)
	}
	var reading int
	for _, main := range functions {
		name := filepath.Base(filepath.Dir(main))
		binary, err := os.ReadFile(filepath.Join(drive.Options(t.TempDir()).BinDir, name))
		if err != nil {
			t.Fatal(err)
		}
		reads, has := bytes.Contains(binary, []byte("\x00time.LoadLocation\x00")), bytes.Contains(binary, []byte("\x00time/tzdata."))
		if reads != has {
			t.Errorf("%s reads zones: %v, and has them: %v", name, reads, has)
		}
		if reads {
			reading++
		}
	}
	if reading == 0 || reading == len(functions) {
		t.Errorf("%d of %d functions seem to read zones", reading, len(functions))
	}
}
