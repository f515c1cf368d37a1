package build_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/holt-dl/holt/kernel/build"
)

// TestPruneTools: compilers and linkers that nothing has used for a week are removed,
// but not one that a world has or that a kernel makes.
func TestPruneTools(t *testing.T) {
	cache := t.TempDir()
	week := time.Now().Add(-8 * 24 * time.Hour)
	tool := func(name string, used time.Time) string {
		file := filepath.Join(cache, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("tool"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, used, used); err != nil {
			t.Fatal(err)
		}
		return file
	}
	gone := []string{tool("compiler/old/compile", week), tool("linker/old/link", week)}
	kept := []string{
		tool("compiler/new/compile", time.Now()), tool("compiler/locked/compile", week), tool("linker/new/link", time.Now()), tool("linker/linked/link", week),
	}
	lock := flock.New(filepath.Join(cache, "compiler", "locked.lock"))
	if ok, err := lock.TryLock(); err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer lock.Unlock()
	if err := os.Link(kept[3], filepath.Join(cache, "world-link")); err != nil {
		t.Fatal(err)
	}
	build.PruneTools(cache)
	for _, file := range gone {
		if exists(filepath.Dir(file)) {
			t.Errorf("%s is left", file)
		}
	}
	for _, file := range kept {
		if !exists(file) {
			t.Errorf("%s is gone", file)
		}
	}
}

// TestPruneLocks: a world that a kernel uses or builds is not removed, and the file of the lock stays
// that keeps two kernels from building one.
func TestPruneLocks(t *testing.T) {
	world := filepath.Join(t.TempDir(), "world")
	use := filepath.Join(world, "use.lock")
	if err := os.Mkdir(world, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{world + ".lock", use} {
		lock := flock.New(file)
		if ok, err := lock.TryRLock(); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if build.RemoveWorld(world) || !exists(world) {
			t.Errorf("it was removed, though %s is locked", file)
		}
		lock.Unlock()
	}
	if !build.RemoveWorld(world) || exists(world) || !exists(world+".lock") {
		t.Error("it was not removed, or its lock was")
	}
}
