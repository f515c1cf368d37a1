package session_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestResetKeepsNewFiles resets a notebook while the files of its last cell are still to
// be removed, which takes long here. The next cell has that cell's number again, and its
// files stay.
func TestResetKeepsNewFiles(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	n := open(t, t.TempDir(), nil)
	n.must(`println("one")`, "one")
	dirs, err := filepath.Glob(filepath.Join(temp, "holt-*", "c1"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("the folders of cell 1: %q, %v", dirs, err)
	}
	for i := range 20_000 {
		if err := os.WriteFile(filepath.Join(dirs[0], fmt.Sprint(i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	n.must("%reset", "everything is forgotten")
	n.must(`println("two")`, "two")
	n.must(`println("three")`, "three")
}
