package session_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/holt-dl/holt/kernel/host/hosttest"
	"github.com/holt-dl/holt/kernel/session"
)

// openBroken opens a notebook whose start fails at first.
func openBroken(t *testing.T, cacheDir string) *notebook {
	t.Helper()
	hosttest.World(t) // skips where there is no Go
	src, err := hosttest.Source(nil)
	if err != nil {
		t.Fatal(err)
	}
	n := &notebook{t: t}
	n.s, err = session.Open(session.Options{Source: src, CacheDir: cacheDir, Dir: t.TempDir(), Version: "test"}, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.s.Close() })
	return n
}

// answers asks for everything that a client can ask for, and fails the test
// when a question panics or is not answered.
func (n *notebook) answers() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := n.s.Complete(ctx, "fmt.Prin", 8); err != nil {
		n.t.Errorf("Complete: %v", err)
	}
	if c, err := n.s.Complete(ctx, "%li", 3); err != nil || len(c.Matches) == 0 {
		n.t.Errorf("Complete of a command: %v, %v", c, err)
	}
	n.s.Inspect(ctx, "fmt.Println", 5, 0) // an error is an answer
	if status, _ := n.s.IsComplete("for {"); status != "incomplete" {
		n.t.Errorf("IsComplete: %q", status)
	}
	short, stop := context.WithTimeout(ctx, 10*time.Millisecond)
	defer stop()
	n.s.Warm(short)
	n.s.Kill()
	n.s.Abandoned()
}

// A start that fails is the error of the cell that waits for it, ends nothing,
// and is made again by the next cell.
func TestStartFails(t *testing.T) {
	t.Run("cache folder", func(t *testing.T) {
		blocked := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(blocked, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		cacheDir := filepath.Join(blocked, "holt")
		n := openBroken(t, cacheDir)
		n.answers()
		const want = `^StartError: build: no cache folder: mkdir .*: not a directory; set XDG_CACHE_HOME to a folder that can be written; the next cell that is run tries again`
		n.fails("x := 1", want)
		n.answers()
		n.fails("%ls", want)
		n.fails("!pwd", want)
		n.answers()
		// The cause is mended: the same kernel goes on.
		os.Remove(blocked)
		if err := os.Mkdir(blocked, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(cache, cacheDir); err != nil {
			t.Fatal(err)
		}
		n.must("x := 41")
		n.must("x + 1", "^= 42$")
	})
	t.Run("no Go", func(t *testing.T) {
		goroot, path := os.Getenv("GOROOT"), os.Getenv("PATH")
		t.Setenv("GOROOT", "")
		t.Setenv("PATH", t.TempDir())
		for _, dir := range []string{"/usr/local/go", "/usr/lib/go", "/snap/go/current"} {
			if _, err := os.Stat(dir); err == nil {
				t.Skip("Go is found without PATH in " + dir)
			}
		}
		n := openBroken(t, cache)
		n.answers()
		n.fails("x := 1", "^StartError: build: Go is not installed: .*the next cell that is run tries again")
		os.Setenv("PATH", path)
		os.Setenv("GOROOT", goroot)
		n.must("x := 41; x + 1", "^= 42$")
	})
	t.Run("temporary folder", func(t *testing.T) {
		temp := filepath.Join(t.TempDir(), "gone")
		t.Setenv("TMPDIR", temp)
		n := openBroken(t, cache)
		n.answers()
		n.fails("x := 1", "^StartError: session: no folder for the cells' programs: .*; set TMPDIR to a folder that can be written; the next")
		if err := os.Mkdir(temp, 0o755); err != nil {
			t.Fatal(err)
		}
		n.must("x := 41; x + 1", "^= 42$")
		n.s.Close()
		left, _ := filepath.Glob(filepath.Join(temp, "holt-*"))
		if len(left) > 0 {
			t.Errorf("left behind: %s", strings.Join(left, ", "))
		}
	})
}

// What is asked of a session that was closed is answered too.
func TestCloseAfterFailedStart(t *testing.T) {
	n := openBroken(t, "/dev/null/x")
	n.s.Close()
	n.answers()
}

// A host that is damaged while the kernel lives is built again when it has to
// start anew.
func TestDamagedHost(t *testing.T) {
	dir := t.TempDir()
	src, err := hosttest.Source(nil)
	if err != nil {
		t.Fatal(err)
	}
	// A world of its own: the other tests' stays as it is.
	src.(fstest.MapFS)["cmd/holt-host/other.go"] = &fstest.MapFile{Data: []byte("package main\n\nvar _ = 1\n")}
	n := &notebook{t: t}
	hosttest.World(t)
	if n.s, err = session.Open(session.Options{Source: src, CacheDir: cache, Dir: dir, Version: "test"}, n); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.s.Close() })
	n.must(`func host() string { s, _ := os.Readlink("/proc/self/exe"); return s }`)
	out, _ := n.run(context.Background(), "host()")
	host := strings.TrimSpace(strings.TrimPrefix(out, "= "))
	n.fails("syscall.Exit(3)", "HostDied")
	text, err := os.ReadFile(host)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(host, text[:len(text)/2], 0o755); err != nil {
		t.Fatal(err)
	}
	n.must("x := 41; x + 1", "^= 42$", `^holt: the host did not start \(proc: start .*: the host process ended: .*\), so it was built again$`)
	n.must(`host() != ""`, "^= true$")
	// Once is enough: what then does not start is not built for ever.
	n.fails("syscall.Exit(3)", "HostDied")
	if err := os.WriteFile(host, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	n.fails("x := 1", "which did not help: remove the folder "+regexp.QuoteMeta(cache)+" and restart the kernel")
}

// TestRemovedFolder removes the folder in which cells and commands run.
func TestRemovedFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "notebooks")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	n := open(t, dir, nil)
	n.must("x := 1")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	n.fails("!pwd", "^Error: !pwd: the folder in which it would run, "+regexp.QuoteMeta(dir)+", is not there any more; make it again, or go to another with %cd$")
	n.must("x + 1", "^= 2$")
	n.must("%cd "+filepath.Dir(dir)+"\n!pwd", "^"+regexp.QuoteMeta(filepath.Dir(dir))+"$")
}
