package dl_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/limit"
)

// kept wants exactly one state dict in a folder, with the weights of m.
func kept(t *testing.T, path string, want *dl.Tensor) {
	t.Helper()
	dict, err := dl.LoadStateDict(path)
	if err != nil || !slices.Equal(dict["x"].Float32s(), want.Float32s()) {
		t.Errorf("the file before is no longer there: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("the folder holds %v", left)
	}
}

// TestFileTooLong saves where the system allows no file of that length, as
// with a quota: an error that names the file, and the old file stays.
func TestFileTooLong(t *testing.T) {
	if !limit.FileSize(t, 10_000) {
		return
	}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	small := fill(1, 1, 10)
	if err := dl.SaveStateDict(path, dl.StateDict{"x": small}); err != nil {
		t.Fatal(err)
	}
	err := dl.SaveStateDict(path, dl.StateDict{"x": fill(1, 1, 10_000)})
	if !errors.Is(err, syscall.EFBIG) || !strings.HasPrefix(err.Error(), "dl: save "+path+": ") {
		t.Errorf("error is %v", err)
	}
	kept(t, path, small)
}

// TestDiskFull trains with a disk that becomes full: the run ends with an
// error that says so, the last state that was whole is there, and the model
// still has its weights and can be saved elsewhere.
func TestDiskFull(t *testing.T) {
	on(t, "go")
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("needs the right to mount a small disk: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	path := filepath.Join(dir, "states")
	m, training := restless(path)
	training.Checkpoint.Keep = 1000
	run := dl.Start(m, training)
	err := run.Wait()
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "no space left on device") {
		t.Fatalf("error is %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(path, ".*")); len(left) > 0 {
		t.Errorf("left half written: %v", left)
	}
	files, _ := filepath.Glob(filepath.Join(path, "step-*"))
	if len(files) == 0 {
		t.Fatal("no state is left")
	}
	for _, f := range files {
		if _, err := dl.LoadStateDict(f); err != nil {
			t.Error(err)
		}
	}
	if err := m.Save(filepath.Join(t.TempDir(), "elsewhere")); err != nil {
		t.Errorf("after that: %v", err)
	}
	// With room it goes on from there.
	for _, f := range files[:len(files)-1] {
		os.Remove(f)
	}
	again, training := restless(path)
	training.Checkpoint.Resume, training.Checkpoint.Keep = true, 1
	if run := dl.Start(again, training); run.Wait() != nil || run.N() == 0 {
		t.Errorf("with room again: %v", run.Err())
	}
}

// TestReadOnlyFolder saves where nobody may write.
func TestReadOnlyFolder(t *testing.T) {
	outer := t.TempDir()
	dir := filepath.Join(outer, "weights")
	path := filepath.Join(dir, "w.safetensors")
	os.Mkdir(dir, 0o755)
	x := fill(1, 1, 10)
	if err := dl.SaveStateDict(path, dl.StateDict{"x": x}); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, outer, filepath.Dir(outer)} { // nobody else may enter them as they are
		if err := os.Chmod(d, 0o555); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(d, 0o755)
	}
	if os.Getuid() == 0 { // root may write anywhere: be nobody on this thread
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		const nobody = 65534
		syscall.Syscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		defer syscall.Syscall(syscall.SYS_SETFSUID, 0, 0, 0)
	}
	err := dl.SaveStateDict(path, dl.StateDict{"x": fill(2, 1, 10)})
	if !errors.Is(err, os.ErrPermission) || !strings.HasPrefix(err.Error(), "dl: save "+path+": ") {
		t.Errorf("error is %v", err)
	}
	kept(t, path, x)
}

// TestReplacedWhileReading reads a file that others save again and again:
// each time it is one of those that were saved, whole.
func TestReplacedWhileReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	save := func(v int) error {
		return dl.SaveStateDict(path, dl.StateDict{"x": dl.FromSlice(slices.Repeat([]float32{float32(v)}, 50_000))})
	}
	if err := save(0); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for w := range 2 {
		group.Go(func() {
			for v := range 20 {
				if err := save(100*w + v); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		dict, err := dl.LoadStateDict(path)
		if err != nil {
			t.Fatal(err)
		}
		if v := dict["x"].Float32s(); len(slices.Compact(v)) != 1 {
			t.Fatal("the file is a mixture of two")
		}
	}
	// A program that writes into the file, which Holt never does, is found out.
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func() error{
		"cut":         func() error { return os.Truncate(path, int64(len(b)/2)) },
		"overwritten": func() error { return os.WriteFile(path, append(b[:len(b)-4:len(b)-4], 1, 2, 3, 4), 0o644) },
		"longer":      func() error { return os.WriteFile(path, append(b[:len(b):len(b)], 0), 0o644) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if _, err := dl.LoadStateDict(path); !errors.Is(err, dl.ErrCorrupt) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// TestTwoProcessesSave trains twice with one folder at the same time, which
// nobody should: both end well, and a whole state is left.
func TestTwoProcessesSave(t *testing.T) {
	on(t, "go")
	if dir := os.Getenv("HOLT_TEST_SAVES_TWICE"); dir != "" {
		m, training := restless(dir)
		training.Patience, training.Checkpoint.Resume = 0, true
		if err := dl.Start(m, training).Wait(); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir := t.TempDir()
	var cmds []*exec.Cmd
	var out [2]bytes.Buffer
	for i := range out {
		cmd := exec.Command(os.Args[0], "-test.run=^TestTwoProcessesSave$")
		cmd.Env = append(os.Environ(), "HOLT_TEST_SAVES_TWICE="+dir)
		cmd.Stdout, cmd.Stderr = &out[i], &out[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, &out[i])
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "step-*"))
	if len(files) == 0 || newest(dir) < 10 {
		t.Fatalf("states %v", files)
	}
	for _, f := range files {
		if _, err := dl.LoadStateDict(f); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left half written: %v", left)
	}
}

// TestUmask saves for no one else to read. The umask is that of the process, so
// the test runs beside no other.
func TestUmask(t *testing.T) {
	on(t, "go")
	for _, tt := range []struct {
		umask int
		want  fs.FileMode
	}{{0o077, 0o600}, {0o022, 0o644}} {
		dir := t.TempDir()
		m, training := restless(filepath.Join(dir, "states"))
		old := syscall.Umask(tt.umask)
		err := m.Save(filepath.Join(dir, "w.safetensors"))
		if err == nil {
			err = dl.Start(m, training).Wait()
		}
		syscall.Umask(old)
		if err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*.safetensors"))
		states, _ := filepath.Glob(filepath.Join(dir, "states", "*"))
		if len(files) == 0 || len(states) == 0 {
			t.Fatalf("saved %v and %v", files, states)
		}
		for _, file := range append(files, states...) {
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != tt.want {
				t.Errorf("umask %03o: %s has mode %v (%v), want %v", tt.umask, file, info.Mode(), err, tt.want)
			}
		}
	}
}
