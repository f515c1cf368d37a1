package build_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/host/hosttest"
)

// flip changes some bytes in the middle of a file, and leaves its times as they
// were, as a disk that fails does.
func flip(t *testing.T, file string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, min(200, info.Size()/2))
	at := info.Size()/2 - int64(len(b))/2
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	for i := range b {
		b[i] ^= 0x55
	}
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(file, info.ModTime(), info.ModTime())
}

func cut(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	if err == nil {
		err = os.Truncate(file, info.Size()/2)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func empty(t *testing.T, file string) {
	t.Helper()
	if err := os.Truncate(file, 0); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

// TestDamage damages each file of a world in each way that disks, cleaners and
// full file systems do. It has a GOCACHE of its own, because an archive of Holt's
// cache and one of GOCACHE are one file.
func TestDamage(t *testing.T) {
	hosttest.World(t) // skips where there is no Go
	cache := t.TempDir()
	shared := os.Getenv("GOCACHE")
	t.Setenv("GOCACHE", t.TempDir())
	// To compile the linker in an empty GOCACHE would take a minute.
	tests, err := hosttest.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(cache, "linker"), os.DirFS(filepath.Join(tests, "linker"))); err != nil {
		t.Fatal(err)
	}
	src := fstest.MapFS{
		"go.mod":                {Data: []byte("module example.org/host\n\ngo 1.26\n")},
		"cmd/holt-host/main.go": {Data: []byte("package main\n\nfunc main() {}\n")},
	}
	var warned []string
	open := func() *build.World {
		t.Helper()
		w, err := build.Open(context.Background(), build.Options{Source: src, CacheDir: cache, Warn: func(s string) { warned = append(warned, s) }})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	w := open()
	dir := filepath.Dir(w.Host())
	archive, ok := w.Export("runtime")
	if !ok {
		t.Fatal("there is no archive of runtime")
	}
	w.Close()
	was := map[string][]byte{}
	for _, name := range []string{"host", "host.syms", "link", "extld", "go.mod"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Skip("this Go makes worlds of another kind: ", err)
		}
		was[name] = text
	}

	damages := map[string]func(*testing.T, string){"flipped": flip, "cut off": cut, "empty": empty, "removed": remove}
	for name, ways := range map[string][]string{
		"host": {"flipped", "cut off", "empty", "removed"}, "host.syms": {"flipped", "removed"}, "link": {"flipped", "empty"},
		"extld": {"cut off"}, "go.mod": {"empty"}, "packages.json": {"flipped", "cut off", "empty"},
	} {
		for _, way := range ways {
			t.Run(name+" "+way, func(t *testing.T) {
				if name == "link" {
					t.Setenv("GOCACHE", shared)
				}
				damages[way](t, filepath.Join(dir, name))
				warned = nil
				open().Close()
				if got := strings.Join(warned, "\n"); got != "Holt's cache was damaged ("+filepath.Join(dir, name)+"): it was built again" {
					t.Errorf("it said %q", got)
				}
				for name, want := range was {
					got, err := os.ReadFile(filepath.Join(dir, name))
					if name == "host.syms" && len(got) > 0 { // no two are the same, for the order of a map
						continue
					}
					if err != nil || len(got) != len(want) {
						t.Errorf("%s has %d bytes, had %d (%v)", name, len(got), len(want), err)
					}
				}
				warned = nil
				open().Close()
				if len(warned) > 0 {
					t.Errorf("the next start said %q", warned)
				}
			})
		}
	}
	sound, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	read := func(w *build.World) []byte {
		t.Helper()
		r, err := w.Open("runtime")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, way := range []string{"cut off", "empty", "removed"} {
		t.Run("archive "+way, func(t *testing.T) {
			damages[way](t, archive)
			warned = nil
			w := open()
			defer w.Close()
			if got := strings.Join(warned, "\n"); got != "Holt's cache was damaged ("+archive+"): it was built again" {
				t.Errorf("it said %q", got)
			}
			if !bytes.Equal(read(w), sound) {
				t.Error("the archive is another one")
			}
		})
	}
	t.Run("archive flipped", func(t *testing.T) {
		flip(t, archive)
		warned = nil
		w := open() // sizes alone are looked at
		defer w.Close()
		if !bytes.Equal(read(w), sound) {
			t.Error("the damaged archive was read")
		}
		if got := strings.Join(warned, "\n"); got != "Holt's cache was damaged: the compiled runtime was made again" {
			t.Errorf("it said %q", got)
		}
		if got, err := os.ReadFile(archive); err != nil || !bytes.Equal(got, sound) {
			t.Errorf("the file in the cache is still damaged (%v)", err)
		}
	})
	t.Run("rebuild", func(t *testing.T) {
		w := open()
		defer w.Close()
		flip(t, archive)
		flip(t, w.Host())
		if err := w.Rebuild(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(archive); err != nil || !bytes.Equal(got, sound) {
			t.Errorf("the archive is still damaged (%v)", err)
		}
		if got, err := os.ReadFile(w.Host()); err != nil || len(got) != len(was["host"]) {
			t.Errorf("the host has %d bytes, had %d (%v)", len(got), len(was["host"]), err)
		}
	})
}
