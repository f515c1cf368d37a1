package proc_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/holt-dl/holt/kernel/host/hosttest"
)

// TestLeave waits for what the host does before it leaves: the small one writes a file.
func TestLeave(t *testing.T) {
	h := hosttest.Start(t)
	dir := t.TempDir()
	if _, err := h.Chdir(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := h.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "left")); err != nil {
		t.Error(err)
	}
}
