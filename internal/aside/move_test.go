package aside

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMove: a file takes the place of an older one, with its own permissions, and where
// there is none the older one stays.
func TestMove(t *testing.T) {
	dir := t.TempDir()
	made, name := filepath.Join(dir, "made"), filepath.Join(dir, "f")
	for file, mode := range map[string]os.FileMode{made: 0o755, name: 0o600} {
		if err := os.WriteFile(file, []byte(filepath.Base(file)), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := Move(made, name); err != nil {
		t.Fatal(err)
	}
	content(t, name, "made")
	if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("mode is %v (%v), want that of the file that was moved", info.Mode().Perm(), err)
	}
	alone(t, dir, "f")
	if err := Move(filepath.Join(dir, "none"), name); err == nil {
		t.Error("a file that is not there was moved")
	}
	content(t, name, "made")
}
