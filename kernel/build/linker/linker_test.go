package linker

import (
	"bytes"
	"context"
	"errors"
	"go/format"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/build/gosource"
)

// goroot returns the GOROOT in use, or skips the test.
func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("no go command: %v", err)
	}
	root := strings.TrimSpace(string(out))
	if _, err := os.Stat(filepath.Join(root, "src", "cmd", "link")); err != nil {
		t.Skipf("this Go came without its sources: %v", err)
	}
	return root
}

// TestPatched: the edits know the Go that is installed.
func TestPatched(t *testing.T) {
	root := goroot(t)
	files, err := patched(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		holds := func(e gosource.Edit) bool {
			return bytes.Contains(files[filepath.Join(root, "src", filepath.FromSlash(e.File))], []byte(e.New))
		}
		if !holds(e) && (e.Or == nil || !holds(*e.Or)) {
			t.Errorf("%s lacks %q", e.File, e.New)
		}
	}
	for name, text := range files {
		got, err := format.Source(text)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s is not formatted: %v", name, err)
		}
	}
}

func TestPatchedErrors(t *testing.T) {
	root := t.TempDir()
	_, err := patched(root)
	if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "linker: the sources of Go: open "+root) {
		t.Errorf("without sources: got %v", err)
	}
	name := filepath.Join(root, "src", "cmd", "link", "internal", "ld", "main.go")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	for n, text := range map[int]string{0: "package ld\n", 2: edits[0].Old + edits[0].Old} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		want := "linker: " + name + ` holds "bench.Start(\"loadlib\")" ` + string(rune('0'+n)) + " times, want once; Holt does not know this Go"
		if _, err := patched(root); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

// TestBuild builds a linker, and finds it the second time.
func TestBuild(t *testing.T) {
	root := goroot(t)
	opt := Options{
		Go: filepath.Join(root, "bin", "go"), Root: root, ID: "test", Parent: t.TempDir(),
		Env: append(os.Environ(), "GOFLAGS=-mod=readonly", "GOTOOLCHAIN=local", "GOWORK=off", "GOOS=", "GOARCH="),
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Build(ctx, opt); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	file, err := Build(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	help, _ := exec.Command(file, "-help").CombinedOutput()
	for _, name := range []string{"-holt-import", "-holt-export", "-holt-ld", "-holt-shared", "-holt-wait"} {
		if !strings.Contains(string(help), name) {
			t.Errorf("%s is no flag of the linker: %s", name, help)
		}
	}
	opt.Go = "/none"
	if again, err := Build(context.Background(), opt); err != nil || again != file {
		t.Errorf("the second time: got %s, %v", again, err)
	}
	left, err := filepath.Glob(filepath.Join(opt.Parent, ".*.holt-part-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// TestLists: what is no list of symbols is refused in words.
func TestLists(t *testing.T) {
	root := goroot(t)
	file, err := Build(context.Background(), Options{
		Go: filepath.Join(root, "bin", "go"), Root: root, ID: "test", Parent: t.TempDir(),
		Env: append(os.Environ(), "GOFLAGS=-mod=readonly", "GOTOOLCHAIN=local", "GOWORK=off", "GOOS=", "GOARCH="),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "short", strings.Repeat("not a list of symbols at all ", 10)} {
		list := filepath.Join(t.TempDir(), "x.syms")
		if err := os.WriteFile(list, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(file, "-holt-import", list, "x.a").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "not a list of symbols") {
			t.Errorf("%q: got %v: %s", text, err, out)
		}
		for in, want := range map[string]string{
			list + "\x00": list + ": not a list of symbols",
			"":            "-holt-wait: standard input ended before the last file was named",
			list:          "-holt-wait: standard input ended before the last file was named",
		} {
			cmd := exec.Command(file, "-holt-wait", "-o", filepath.Join(t.TempDir(), "x.so"), "x.a")
			cmd.Stdin = strings.NewReader(in)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), want) {
				t.Errorf("-holt-wait, given %q: got %v: %s", in, err, out)
			}
		}
	}
}
