// Package fakenccl is NCCL and CUDA's driver for tests: a library in C of the same functions, by
// which processes add up ordinary memory of theirs.
package fakenccl

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed testdata/fake.c
var source []byte

// Build compiles the library, and returns the variables of a process that finds it in the place of
// both.
func Build(t *testing.T) (env []string) {
	t.Helper()
	dir := t.TempDir()
	code, library := filepath.Join(dir, "fake.c"), filepath.Join(dir, "fake.so")
	if err := os.WriteFile(code, source, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-O2", "-shared", "-fPIC", "-pthread", "-Wl,-soname,libnccl.so.2", "-o", library, code).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"libnccl.so.2", "libcuda.so.1"} {
		if err := os.Symlink(library, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"LD_LIBRARY_PATH=" + dir + ":" + os.Getenv("LD_LIBRARY_PATH")}
}
