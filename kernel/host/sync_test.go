package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
)

// A logger's Sync of a pipe is no failure, and any other error is one.
func TestCannotSync(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fd, err := syscall.Dup(int(w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	out := os.NewFile(uintptr(fd), "/dev/stdout")
	defer out.Close()
	sync := out.Sync()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{sync, true}, {errors.Join(sync, sync), true}, {fmt.Errorf("flush: %w", sync), true},
		{errors.Join(sync, errors.New("disk full")), false}, {errors.New("sync /dev/stdout: invalid argument"), false},
		{&fs.PathError{Op: "sync", Path: "/tmp/log", Err: syscall.EINVAL}, false},
		{&fs.PathError{Op: "sync", Path: "/dev/stdout", Err: syscall.ENOSPC}, false},
		{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EINVAL}, false},
	} {
		if got := cannotSync(tt.err); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestExplainTwice(t *testing.T) {
	for text, want := range map[string]string{
		"/tmp/host flag redefined: n":     "/tmp/host flag redefined: n; a cell of this notebook did this before in the same process, which is alive: define flags on a new fs := flag.NewFlagSet(\"cell\", flag.ContinueOnError), made in the same cell, or restart the kernel",
		"Reuse of exported var name: x\n": "Reuse of exported var name: x; a cell of this notebook did this before in the same process, which is alive: take what is there by expvar.Get(name), or restart the kernel",
		"index out of range":              "index out of range",
	} {
		if got := explainTwice(text); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for _, text := range []string{
		"pattern \"/\" (registered at cell[1]:1) conflicts with pattern \"/\" (registered at cell[1]:1):\n/ matches the same requests as /",
		"http: multiple registrations for /", "duplicate metrics collector registration attempted", "sql: Register called twice for driver sqlite",
	} {
		if got := explainTwice(text); !strings.Contains(got, "a cell of this notebook did this before in the same process") {
			t.Errorf("no hint: %s", got)
		}
	}
}
