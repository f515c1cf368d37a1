package session_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/host/hosttest"
	"github.com/holt-dl/holt/kernel/machine/tensorboard/tensorboardtest"
	"github.com/holt-dl/holt/kernel/session"
)

// cache is where the worlds of these tests live; TestMain makes it.
var cache string

func TestMain(m *testing.M) {
	tensorboardtest.Main()
	hosttest.RunTests(m, &cache)
}

// notebook is a session with the small host of hosttest.
type notebook struct {
	t testing.TB
	s *session.Session
	n int

	mu    sync.Mutex
	out   bytes.Buffer
	first func() // called at the next output
}

// Stream collects what cells print.
func (n *notebook) Stream(_ string, p []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.out.Write(p)
	if n.first != nil {
		n.first()
		n.first = nil
	}
}

// Frame collects the texts of results, warnings and notices.
func (n *notebook) Frame(m frame.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case m.Kind == frame.KindResult:
		fmt.Fprintf(&n.out, "= %v\n", m.Bundle.Data["text/plain"])
	case m.Kind == frame.KindWarn, m.Notice:
		fmt.Fprintln(&n.out, m.Bundle.Data["text/plain"])
	}
}

// open opens a notebook in a folder; extra are files of the host's module.
func open(t testing.TB, dir string, extra map[string]string) *notebook {
	t.Helper()
	hosttest.World(t) // skips where there is no Go
	src, err := hosttest.Source(extra)
	if err != nil {
		t.Fatal(err)
	}
	n := &notebook{t: t}
	n.s, err = session.Open(session.Options{Source: src, CacheDir: cache, Dir: dir, Version: "test"}, n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.s.Close() })
	return n
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

// run runs a cell and returns what it printed and how it failed.
func (n *notebook) run(ctx context.Context, code string) (out string, f *session.Failure) {
	n.n++
	f = n.s.Execute(ctx, session.Request{Code: code, Count: n.n})
	n.mu.Lock()
	defer n.mu.Unlock()
	out = n.out.String()
	n.out.Reset()
	if f != nil {
		out += ansi.ReplaceAllString(strings.Join(f.Traceback, "\n"), "") + "\n"
	}
	return out, f
}

// must runs a cell that has to succeed, and checks what it prints by regular
// expressions.
func (n *notebook) must(code string, want ...string) {
	n.t.Helper()
	out, f := n.run(context.Background(), code)
	if f != nil {
		n.t.Fatalf("%s\nfailed: %s", code, out)
	}
	n.matches(code, out, want)
}

// fails runs a cell that must not succeed.
func (n *notebook) fails(code string, want ...string) {
	n.t.Helper()
	out, f := n.run(context.Background(), code)
	if f == nil {
		n.t.Fatalf("%s\ndid not fail: %s", code, out)
	}
	n.matches(code, out, want)
}

func (n *notebook) matches(code, out string, want []string) {
	n.t.Helper()
	for _, w := range want {
		if !regexp.MustCompile("(?m)" + w).MatchString(out) {
			n.t.Errorf("%s\ngot:  %s\nwant: %s", code, out, w)
		}
	}
}

var versions = map[string]map[string]string{
	"example.com/m@v1.0.0": {"go.mod": "module example.com/m\n", "m.go": "package m\ntype T struct{ N int }\nfunc F() string { return `one` }"},
	"example.com/m@v1.1.0": {"go.mod": "module example.com/m\n", "m.go": "package m\ntype T struct{ N, More int }\nfunc F() string { return `two` }\nfunc G() {}"},
	"example.com/k@v0.1.0": {"go.mod": "module example.com/k\n", "k.go": "package k\nfunc F() int { return 7 }"},
}

// TestImports: what is fetched is said, once; go get brings a version.
func TestImports(t *testing.T) {
	hosttest.Proxy(t, versions)
	n := open(t, t.TempDir(), nil)
	n.must(`import "example.com/k"`, `^holt: fetched example\.com/k v0\.1\.0$`)
	n.must("k.F()", "^= 7$")
	n.must("!go get example.com/m@v1.0.0")
	n.must(`import "example.com/m"`+"\nm.F()", "^= one$")
	n.must("t := m.T{N: 3}; func describe(t m.T) string { return fmt.Sprint(t.N, m.F()) }")
	n.must("describe(t)", "^= 3one$")
	n.must("x := 5")

	// A newer version of what cells were compiled with: a new host.
	n.must("!go get example.com/m@v1.1.0",
		`^holt: packages that cells were compiled with changed: a new host process takes over; declarations are kept, and the values of t, x are gone: run the cells again that make them$`)
	n.must("m.F()", "^= two$")
	n.must("describe(m.T{N: 4, More: 1})", "^= 4two$")
	n.fails("t.N", `the value of t is gone: the modules of the notebook changed; run cell\[5\] again`)
	n.must("t := m.T{N: 1, More: 2}; t.More", "^= 2$")
}

// TestNewHost: a module that the host itself is made of.
func TestNewHost(t *testing.T) {
	hosttest.Proxy(t, versions)
	n := open(t, t.TempDir(), map[string]string{
		"go.mod":                "module github.com/holt-dl/holt\n\ngo 1.26\n\nrequire example.com/m v1.0.0\n",
		"cmd/holt-host/more.go": "package main\n\nimport _ \"example.com/m\"\n",
	})
	n.must(`import "example.com/m"`+"\nm.F()", "^= one$")
	n.must("x := m.T{N: 2}; func f() string { return m.F() + `!` }")
	n.must("!go get example.com/m@v1.1.0", "a new host process takes over; declarations are kept, and the value of x is gone: run the cell again that makes it")
	n.must("f()", "^= two!$")
	n.must("x := m.T{N: 2}; x.N", "^= 2$")
}

// TestWorkspace: modules beside the notebook.
func TestWorkspace(t *testing.T) {
	hosttest.Proxy(t, versions)
	dir := t.TempDir()
	hosttest.Write(t, dir, map[string]string{
		"go.mod":             "module mine\n\ngo 1.26\n\nrequire example.com/m v1.0.0\n",
		"tools/tools.go":     "package tools\nimport \"example.com/m\"\nfunc F() string { return m.F() }",
		"work/go.work":       "go 1.26\n\nuse ./a\n",
		"work/a/go.mod":      "module example.org/a\n\ngo 1.26\n",
		"work/a/a.go":        "package a\nfunc F() string { return `in a` }",
		"notebooks/keep.txt": "",
	})
	n := open(t, filepath.Join(dir, "notebooks"), nil)
	n.must(`import "mine/tools"`, `^holt: mine in `+regexp.QuoteMeta(dir)+` is used; import it again to take over changes$`)
	n.must("tools.F()", "^= one$")
	n.must(`import "example.com/m"`+"\nm.F()", "^= one$")
	n.must("x := 1")

	// A change is taken over when it is asked for.
	hosttest.Write(t, dir, map[string]string{"tools/tools.go": "package tools\nfunc F() string { return `changed` }"})
	n.must("tools.F()", "^= one$")
	n.must(`import "mine/tools"`, "a new host process takes over.*the value of x is gone")
	n.must("tools.F()", "^= changed$")

	// With go get, which knows the notebook's own go.mod too.
	n.must("!go get example.com/k@v0.1.0")
	n.must(`import "example.com/k"`+"\nk.F()", "^= 7$")
	n.must("tools.F()", "^= changed$")
	if text, err := os.ReadFile(filepath.Join(dir, "go.mod")); err != nil || !strings.Contains(string(text), "example.com/k v0.1.0") {
		t.Errorf("the module's go.mod is %s, %v", text, err)
	}

	n.must("%cd ../work")
	n.must(`import "example.org/a"`+"\na.F()", `^holt: example\.org/a in `, "^= in a$")
}

// TestOffline: an import that nothing can bring is an error in seconds.
func TestOffline(t *testing.T) {
	t.Setenv("GOMODCACHE", hosttest.ModCache(t))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // takes connections, and never answers
	t.Setenv("GOPROXY", "http://"+l.Addr().String())
	n := open(t, t.TempDir(), nil)
	n.must("x := 1")
	n.fails(`import "example.com/m"`, `CompileError`, `build: example\.com/m is not in the module cache, and the network cannot be reached \(.*: no answer within 3s\); connect, or set GOPROXY`)
	n.fails("!go get example.com/m@v1.0.0", `the network cannot be reached`)
	t.Setenv("GOPROXY", "off")
	n.fails(`import "example.com/m"`, "GOPROXY=off forbids to fetch it")
	n.must("x", "^= 1$")
}

// TestInterruptDownload: a download is left when the person says so.
func TestInterruptDownload(t *testing.T) {
	t.Setenv("GOMODCACHE", hosttest.ModCache(t))
	asked := make(chan struct{}, 100)
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			return
		}
		asked <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(release)
	t.Setenv("GOPROXY", server.URL)
	n := open(t, t.TempDir(), nil)
	n.must("x := 1")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-asked
		cancel()
	}()
	out, f := n.run(ctx, `import "example.com/m"`)
	if f == nil || f.Name != "Interrupted" {
		t.Errorf("got %s, want it interrupted", out)
	}
	n.must("x", "^= 1$")
}

// TestInterruptCompile: a compilation too, and nothing of the cell takes
// effect.
func TestInterruptCompile(t *testing.T) {
	n := open(t, t.TempDir(), nil)
	n.must("x := 1")
	// Seconds of work for the compiler, a moment for the type checker.
	slow := "func slow(a, b int) int {\n" + strings.Repeat("if a < b { a = a*b + b ^ a } else { b = b*a - a | b }\n", 4_000) + "return a }\nx = 2"
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := make(chan struct{})
	go func() {
		defer cancel()
		for compiling() == 0 {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	out, f := n.run(ctx, slow)
	close(stop)
	if f == nil || f.Name != "Interrupted" {
		t.Errorf("got %.2000s, want it interrupted", out)
	}
	n.must("x", "^= 1$")
	n.fails("slow(1, 2)", "undefined: slow")
}

// compiling counts the compilers that this process has started.
func compiling() int {
	children, _ := filepath.Glob("/proc/self/task/*/children")
	count := 0
	for _, file := range children {
		text, _ := os.ReadFile(file)
		for _, pid := range strings.Fields(string(text)) {
			line, _ := os.ReadFile("/proc/" + pid + "/cmdline")
			program, _, _ := bytes.Cut(line, []byte{0})
			if filepath.Base(string(program)) == "compile" && bytes.Contains(line, []byte("notebook/c")) {
				count++
			}
		}
	}
	return count
}

// TestCopies: a cell that cannot be bound to the host says so once, and works.
func TestCopies(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	n := open(t, t.TempDir(), nil)
	n.must("x := 1")
	lists, err := filepath.Glob(filepath.Join(os.TempDir(), "holt-*", "c*", "cell.syms"))
	if err != nil || len(lists) == 0 {
		t.Skipf("plugins are not bound with this Go: %v", err)
	}
	for _, list := range lists {
		// As long as it was: a file of another length would be put back.
		info, err := os.Stat(list)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(list, bytes.Repeat([]byte("x"), int(info.Size())), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	n.must("x++", `^holt: this cell is linked with copies of its packages, in \d+\.\d s, as later cells with these packages will be, because it could not be bound to the host \(.*not a list of symbols\); values are shared all the same$`)
	if out, f := n.run(context.Background(), "x"); f != nil || out != "= 2\n" {
		t.Errorf("got %q, %v", out, f)
	}
}

// TestUnknownGo: with a Go whose linker has another text than any that is known,
// cells work, linked by Go's own linker, and say so once.
func TestUnknownGo(t *testing.T) {
	hosttest.World(t)
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	// The installed Go, in which one file is another.
	root, made := strings.TrimSpace(string(out)), t.TempDir()
	const file = "src/cmd/link/internal/ld/main.go"
	for dir := file; dir != "."; {
		dir = path.Dir(dir)
		if err := os.MkdirAll(filepath.Join(made, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil {
			t.Skipf("this Go came without its sources: %v", err)
		}
		for _, e := range entries {
			if name := path.Join(dir, e.Name()); name != file && !strings.HasPrefix(file, name+"/") {
				if err := os.Symlink(filepath.Join(root, name), filepath.Join(made, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("bench.Start(\"loadlib\")"), []byte("bench.Start(\"load libraries\")"), 1)
	if err := os.WriteFile(filepath.Join(made, file), text, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOROOT", made)
	src, err := hosttest.Source(nil)
	if err != nil {
		t.Fatal(err)
	}
	n := &notebook{t: t}
	if n.s, err = session.Open(session.Options{Source: src, CacheDir: t.TempDir(), Dir: t.TempDir(), Version: "test"}, n); err != nil {
		t.Fatal(err)
	}
	defer n.s.Close()
	n.must("x := 41", `^holt: this cell is linked with copies of its packages, in \d+\.\d s, as later cells .* \(linker: .*main.go holds "bench.Start\(\\"loadlib\\"\)" 0 times, want once; Holt does not know this Go\); values are shared all the same$`)
	if out, f := n.run(context.Background(), "x + 1"); f != nil || out != "= 42\n" {
		t.Errorf("got %q, %v", out, f)
	}
}

// TestOddCacheFolder has a cache folder whose name the tools take apart where it
// is not quoted.
func TestOddCacheFolder(t *testing.T) {
	hosttest.World(t)
	src, err := hosttest.Source(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{`a 'b $HOME c`, `a "b 'c $(x) ä`} {
		odd := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(odd, 0o755); err != nil {
			t.Fatal(err)
		}
		n := &notebook{t: t}
		if n.s, err = session.Open(session.Options{Source: src, CacheDir: odd, Dir: t.TempDir(), Version: "test"}, n); err != nil {
			t.Fatal(err)
		}
		n.must("x := 41")
		n.must("x + 1", "^= 42$")
		n.must("import \"text/tabwriter\"\nw := tabwriter.NewWriter(os.Stdout, 0, 1, 1, ' ', 0)\nfmt.Fprint(w, `a`)\nw.Flush()", "^a")
		n.s.Close()
	}
}

// TestOwnModule imports an internal package and a vendored one of the module
// that the notebook is in.
func TestOwnModule(t *testing.T) {
	hosttest.ModCache(t)
	t.Setenv("GOPROXY", "off")
	dir := t.TempDir()
	hosttest.Write(t, dir, map[string]string{
		"go.mod":                      "module example.com/mine\n\ngo 1.26\n\nrequire example.com/dep v1.0.0\n",
		"internal/sec/sec.go":         "package sec\n\nfunc S() string { return \"secret\" }",
		"vendor/modules.txt":          "# example.com/dep v1.0.0\n## explicit; go 1.20\nexample.com/dep\n",
		"vendor/example.com/dep/d.go": "package dep\n\nfunc D() string { return \"vendored\" }",
	})
	n := open(t, dir, nil)
	n.must("import \"example.com/mine/internal/sec\"\nsec.S()", "^= secret$", "^holt: example.com/dep v1.0.0 of the folder vendor is used; import it again to take over changes$")
	n.must("import \"example.com/dep\"\ndep.D()", "^= vendored$")
	n.must("sec.S() + dep.D()", "^= secretvendored$")
	n.fails("import \"internal/abi\"\n_ = abi.FuncPCABI0", "cells cannot import internal packages of the standard library")
}
