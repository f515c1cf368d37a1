package aside

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func content(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", name, got, err, want)
	}
}

func alone(t *testing.T, dir string, want ...string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	if fmt.Sprint(names) != fmt.Sprint(want) {
		t.Errorf("the folder holds %v, want %v", names, want)
	}
}

// TestMode sets the umask of the whole process, so it runs beside no other test.
func TestMode(t *testing.T) {
	for _, tt := range []struct {
		umask          int
		existing, want os.FileMode // existing is 0 for a new file
	}{
		{umask: 0o022, want: 0o644},
		{umask: 0o077, want: 0o600},
		{umask: 0o027, want: 0o640},
		{umask: 0o002, want: 0o664},
		{umask: 0o077, existing: 0o664, want: 0o664},
		{umask: 0o022, existing: 0o600, want: 0o600},
	} {
		name := filepath.Join(t.TempDir(), "w.safetensors")
		if tt.existing != 0 {
			if err := os.WriteFile(name, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(name, tt.existing); err != nil {
				t.Fatal(err)
			}
		}
		old := syscall.Umask(tt.umask)
		err := WriteFile(name, text("x"))
		syscall.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != tt.want {
			t.Errorf("umask %03o, existing %v: mode is %v (%v), want %v", tt.umask, tt.existing, info.Mode().Perm(), err, tt.want)
		}
		content(t, name, "x")
	}
}

func TestFailureKeepsTheOld(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "w")
	if err := WriteFile(name, text("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left")
	err := WriteFile(name, func(w io.Writer) error { io.WriteString(w, "new"); return full })
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	content(t, name, "old")
	alone(t, dir, "w")
}

func TestLinkStays(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	os.WriteFile(target, []byte("old"), 0o644)
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(link, text("new")); err != nil {
		t.Fatal(err)
	}
	content(t, target, "new")
	if _, err := os.Readlink(link); err != nil {
		t.Error(err)
	}
}

// TestSweep kills a writer, as kill -9 does, and writes beside one that lives.
func TestSweep(t *testing.T) {
	if dir := os.Getenv("ASIDE_TEST_DIR"); dir != "" { // the writer to be killed
		WriteFile(filepath.Join(dir, "w.safetensors"), func(w io.Writer) error {
			w.Write(make([]byte, 2<<20))
			time.Sleep(time.Minute)
			return nil
		})
		return
	}
	dir := t.TempDir()
	writer := exec.Command(os.Args[0], "-test.run=^TestSweep$")
	writer.Env = append(os.Environ(), "ASIDE_TEST_DIR="+dir)
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	parts := func() []string {
		list, _ := filepath.Glob(filepath.Join(dir, ".w.safetensors"+infix+"*"))
		return list
	}
	for end := time.Now().Add(30 * time.Second); len(parts()) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the writer does not begin")
		}
	}
	other := filepath.Join(dir, "other")
	if err := WriteFile(other, text("x")); err != nil {
		t.Fatal(err)
	}
	if len(parts()) != 1 {
		t.Fatal("the file of a living writer was removed")
	}
	writer.Process.Kill()
	writer.Wait()
	// Files of the person's own that look alike stay.
	mine := filepath.Join(dir, ".w.safetensors.123")
	os.WriteFile(mine, nil, 0o644)
	if err := WriteFile(other, text("y")); err != nil {
		t.Fatal(err)
	}
	alone(t, dir, ".w.safetensors.123", "other")
}

func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "w")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				if err := WriteFile(name, text(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	alone(t, dir, "w")
}

// TestWriteMode: what is private stays so, and a program can be run.
func TestWriteMode(t *testing.T) {
	for _, tt := range []struct{ existing, want os.FileMode }{{0, 0o600}, {0o644, 0o600}, {0, 0o755}, {0o600, 0o755}} {
		name := filepath.Join(t.TempDir(), "f")
		if tt.existing != 0 {
			if err := os.WriteFile(name, nil, tt.existing); err != nil {
				t.Fatal(err)
			}
		}
		if err := WriteMode(name, tt.want, Bytes([]byte("x"))); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != tt.want {
			t.Errorf("mode is %v (%v), want %v", info.Mode().Perm(), err, tt.want)
		}
		content(t, name, "x")
	}
}

// fill makes a folder with one file.
func fill(s string) func(string) error {
	return func(path string) error {
		if err := os.Mkdir(path, 0o777); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(path, "f"), []byte(s), 0o644)
	}
}

func TestFolder(t *testing.T) {
	root := filepath.Join(t.TempDir(), "not there yet")
	dir := filepath.Join(root, "d")
	for _, s := range []string{"one", "two"} {
		if err := Folder(dir, fill(s)); err != nil {
			t.Fatal(err)
		}
		content(t, filepath.Join(dir, "f"), s)
		alone(t, root, "d")
	}
	full := errors.New("no space left")
	err := Folder(dir, func(path string) error { return errors.Join(fill("three")(path), full) })
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if err := Folder(dir, func(string) error { return nil }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a folder: %v, want %v", err, os.ErrNotExist)
	}
	content(t, filepath.Join(dir, "f"), "two")
	alone(t, root, "d")

	if err := NewFolder(dir, fill("late")); err != nil {
		t.Fatal(err)
	}
	content(t, filepath.Join(dir, "f"), "two")
	if err := NewFolder(filepath.Join(root, "e"), fill("first")); err != nil {
		t.Fatal(err)
	}
	content(t, filepath.Join(root, "e", "f"), "first")
	if err := NewFolder(filepath.Join(root, "g"), func(string) error { return nil }); err == nil {
		t.Error("a folder that was not made is no error")
	}
	alone(t, root, "d", "e")
}

// TestSweepFolder leaves a folder as a process that was killed does, and another
// that is being made.
func TestSweepFolder(t *testing.T) {
	root := t.TempDir()
	dead := filepath.Join(root, ".d"+infix+"7", "d")
	if err := os.MkdirAll(dead, 0o755); err != nil {
		t.Fatal(err)
	}
	err := Folder(filepath.Join(root, "d"), func(path string) error {
		if _, err := os.Stat(dead); err == nil {
			t.Error("what a killed process left is still there")
		}
		if err := fill("x")(path); err != nil {
			return err
		}
		if err := WriteFile(filepath.Join(root, "other"), text("y")); err != nil {
			return err
		}
		_, err := os.Stat(path)
		return err // the write beside it took it for a leftover
	})
	if err != nil {
		t.Fatal(err)
	}
	alone(t, root, "d", "other")
}

// TestAbandoned: where no lock says that a writer has died, a day without a change does.
func TestAbandoned(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		age  time.Duration
		want bool
	}{
		{file, 0, false}, {file, 23 * time.Hour, false}, {file, 25 * time.Hour, true}, {dir, 25 * time.Hour, true}, {link, 25 * time.Hour, false},
	} {
		info, err := os.Lstat(tt.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := abandoned(info, info.ModTime().Add(tt.age)); got != tt.want {
			t.Errorf("%s after %s: abandoned is %v, want %v", filepath.Base(tt.name), tt.age, got, tt.want)
		}
	}
}
