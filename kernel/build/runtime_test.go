package build_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/host/hosttest"
)

// TestRuntime: the host has the runtime that looks at each module's types once.
func TestRuntime(t *testing.T) {
	w := hosttest.World(t)
	if err := build.CheckRuntime(w.Toolchain().Root); err != nil {
		t.Fatal(err)
	}
	syms, err := os.ReadFile(filepath.Join(filepath.Dir(w.Host()), "host.syms"))
	if err != nil {
		t.Skipf("plugins are not bound with this Go: %v", err)
	}
	if !bytes.Contains(syms, []byte("runtime.holtCollected")) {
		t.Error("the host was linked with Go's own runtime")
	}
}

func TestRuntimeUnknown(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "src", "runtime"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "src", "runtime", "type.go")
	if err := os.WriteFile(file, []byte("package runtime\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := build.CheckRuntime(root); err == nil || !strings.Contains(err.Error(), file+` holds "typehash := make(map[uint32][]*_type, len(firstmoduledata.typelinks))" 0 times, want once`) {
		t.Errorf("got %v", err)
	}
}
