package build_test

import (
	"context"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/host/hosttest"
)

// smallWorld opens the small world in a cache of the test's own choice.
func smallWorld(t *testing.T, cache string, extra map[string]string) *build.World {
	t.Helper()
	hosttest.World(t) // skips where there is no Go
	src, err := hosttest.Source(extra)
	if err != nil {
		t.Fatal(err)
	}
	w, err := build.Open(context.Background(), build.Options{Source: src, CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func cell(t *testing.T, n int, text string) build.Unit {
	return build.Unit{
		Path: fmt.Sprintf("notebook/c%d", n), Dir: t.TempDir(),
		Files: []build.File{{Name: "cell.go", Text: fmt.Appendf(nil, "package c%d\n//line cell[%d]:1\n%s", n, n, text)}},
	}
}

// TestOpenAgain opens a world that is complete: nothing is worked on.
func TestOpenAgain(t *testing.T) {
	openAgain(t)
}

// BenchmarkOpenAgain says how long that takes.
func BenchmarkOpenAgain(b *testing.B) {
	open := openAgain(b)
	for b.Loop() {
		open()
	}
}

// openAgain opens a complete world, and returns what opens it once more.
func openAgain(t testing.TB) func() {
	hosttest.World(t)
	src, err := hosttest.Source(nil)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := hosttest.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	tc, err := build.Find(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	open := func() {
		w, err := build.Open(context.Background(), build.Options{Source: src, CacheDir: cache, Toolchain: tc,
			Progress: func(s string) { t.Errorf("a complete world was worked on: %s", s) }})
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
	}
	open()
	return open
}

// TestOpenTwice starts two kernels at once on an empty cache: one builds.
func TestOpenTwice(t *testing.T) {
	hosttest.World(t)
	src, err := hosttest.Source(nil)
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	var mu sync.Mutex
	var said []string
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			w, err := build.Open(context.Background(), build.Options{Source: src, CacheDir: cache,
				Progress: func(s string) { mu.Lock(); said = append(said, s); mu.Unlock() }})
			if err != nil {
				t.Error(err)
				return
			}
			w.Close()
		})
	}
	wg.Wait()
	text := strings.Join(said, "\n")
	if strings.Count(text, "linked the host in ") != 1 || strings.Count(text, "waiting for another kernel") != 1 {
		t.Errorf("said\n%s", text)
	}
}

// TestOpenRepairs builds again what was removed.
func TestOpenRepairs(t *testing.T) {
	cache := t.TempDir()
	w := smallWorld(t, cache, nil)
	file, _ := w.Export("fmt")
	host := w.Host()
	w.Close()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	w = smallWorld(t, cache, nil)
	if _, err := os.Stat(file); err != nil || w.Host() != host {
		t.Errorf("the archive of fmt: %v; host %s, was %s", err, w.Host(), host)
	}
}

func TestOpenErrors(t *testing.T) {
	hosttest.World(t)
	bad, err := hosttest.Source(map[string]string{"internal/frame/bad.go": "package frame\n\nvar x int = \"no\"\n"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = build.Open(context.Background(), build.Options{Source: bad, CacheDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), `bad.go:3:13: cannot use "no"`) || strings.Contains(err.Error(), "$WORK") {
		t.Errorf("got %v", err)
	}
	newer, err := hosttest.Source(map[string]string{"go.mod": "module github.com/holt-dl/holt\n\ngo 1.99\n"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = build.Open(context.Background(), build.Options{Source: newer, CacheDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "want go1.99 or newer; install it from https://go.dev/dl") {
		t.Errorf("got %v", err)
	}
	src, err := hosttest.Source(nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err = build.Open(ctx, build.Options{Source: src, CacheDir: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestFind(t *testing.T) {
	hosttest.World(t)
	t.Setenv("GOFLAGS", "-race -mod=vendor")
	t.Setenv("GOOS", "windows")
	tc, err := build.Find(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{tc.Go, tc.Root, tc.ToolDir, tc.CC} {
		if !filepath.IsAbs(file) {
			t.Errorf("%q is not absolute", file)
		}
	}
	if tc.OS != "linux" || !strings.HasPrefix(tc.Version, "go1.") {
		t.Errorf("got %+v", tc)
	}
	dir := t.TempDir()
	if err := os.Symlink(tc.Go, filepath.Join(dir, "go")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOROOT", tc.Root)
	t.Setenv("PATH", dir)
	if _, err = build.Find(context.Background()); !errors.Is(err, build.ErrNoCC) || !strings.Contains(err.Error(), "sudo apt-get install gcc") {
		t.Errorf("without gcc: got %v", err)
	}
	old := filepath.Join(dir, "old")
	os.Mkdir(old, 0o755)
	script := "#!/bin/sh\necho '{\"GOVERSION\": \"go1.21.3\"}'\n"
	if err := os.WriteFile(filepath.Join(old, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", old)
	want := "build: Go is go1.21.3 (" + filepath.Join(old, "go") + "), want go1.26 or newer; install it from https://go.dev/dl and put it first in PATH"
	if _, err = build.Find(context.Background()); err == nil || err.Error() != want {
		t.Errorf("old Go: got %v\nwant %s", err, want)
	}
}

// TestFindToolchain: GOTOOLCHAIN chooses the Go of cells, as it does on a command line.
func TestFindToolchain(t *testing.T) {
	hosttest.World(t)
	tc, err := build.Find(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOTOOLCHAIN", "go1.999.0")
	t.Setenv("GOPROXY", "off")
	if _, err := build.Find(context.Background()); err == nil || !strings.Contains(err.Error(), "go1.999.0") {
		t.Errorf("a Go that is not there: got %v", err)
	}
	// A go command that another one answers for, as GOTOOLCHAIN makes it do.
	dir := t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\nGOTOOLCHAIN=local exec %s \"$@\"\n", tc.Go)
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	got, err := build.Find(context.Background())
	if err != nil || got.Go != filepath.Join(tc.Root, "bin", "go") || got.Version != tc.Version {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDiagnostics(t *testing.T) {
	w := hosttest.World(t)
	_, err := w.Compile(context.Background(), cell(t, 1, "import \"fmt\"\nfunc Run() {\n\tvar s string = 1\n\tfmt.Printl(undefined)\n}\n"))
	var ce *build.CompileError
	if !errors.As(err, &ce) {
		t.Fatalf("got %v", err)
	}
	want := []build.Diagnostic{
		{File: "cell[1]", Line: 3, Msg: "declared and not used: s"},
		{File: "cell[1]", Line: 3, Msg: "cannot use 1 (untyped int constant) as string value in variable declaration"},
		{File: "cell[1]", Line: 4, Msg: "undefined: fmt.Printl"},
		{File: "cell[1]", Line: 4, Msg: "undefined: undefined"},
	}
	var got []build.Diagnostic
	for _, d := range ce.Diagnostics {
		d.Col = 0
		got = append(got, d)
	}
	slices.SortFunc(want, byText)
	slices.SortFunc(got, byText)
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func byText(a, b build.Diagnostic) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }

func TestUnitErrors(t *testing.T) {
	w := hosttest.World(t)
	tests := []struct {
		unit build.Unit
		err  string
	}{
		{build.Unit{}, "build: unit: Path and Dir are required"},
		{build.Unit{Path: "notebook/c1", Dir: "x"}, "build: notebook/c1: no files, want at least one"},
		{build.Unit{Path: "notebook/c1", Dir: "x", Files: []build.File{{Name: "../a.go"}}}, `build: notebook/c1: file is "../a.go", want a name without folder that ends in .go`},
	}
	for _, tt := range tests {
		if _, err := w.Build(context.Background(), tt.unit); err == nil || err.Error() != tt.err {
			t.Errorf("got %v\nwant %s", err, tt.err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Build(ctx, cell(t, 1, "func Run() {}")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// TestEnvironment builds a cell in an environment that would break it.
func TestEnvironment(t *testing.T) {
	w := hosttest.World(t)
	for key, value := range map[string]string{
		"GOFLAGS": "-race -mod=vendor -tags=x", "GOWORK": "/none", "GOOS": "windows", "GOARCH": "arm",
		"CGO_ENABLED": "0", "GO111MODULE": "off", "GOEXPERIMENT": "nosuch", "GOTOOLCHAIN": "go1.99",
	} {
		t.Setenv(key, value)
	}
	if _, err := w.Build(context.Background(), cell(t, 1, "import \"fmt\"\nfunc Run() { fmt.Println() }")); err != nil {
		t.Error(err)
	}
}

func TestLookup(t *testing.T) {
	w := hosttest.World(t)
	if w.Name("encoding/json") != "json" || w.Name("no/such") != "" {
		t.Errorf("names are %q and %q", w.Name("encoding/json"), w.Name("no/such"))
	}
	imp := importer.ForCompiler(token.NewFileSet(), "gc", w.Open)
	pkg, err := imp.Import("fmt")
	if err != nil || pkg.Scope().Lookup("Println") == nil {
		t.Errorf("import fmt: %v, %v", pkg, err)
	}
	std := w.Std()
	for _, path := range []string{"fmt", "net/http", "go/types"} {
		if !slices.Contains(std, path) {
			t.Errorf("Std lacks %s", path)
		}
	}
	for _, path := range append(std, w.All()...) {
		if strings.Contains(path, "internal") || strings.Contains(path, "vendor") || path == "main" {
			t.Errorf("%s cannot be imported by cells", path)
		}
	}
}

func TestAddStd(t *testing.T) {
	cache := t.TempDir()
	w := smallWorld(t, cache, nil)
	if _, ok := w.Export("text/scanner"); ok {
		t.Fatal("the small host holds text/scanner; take another package")
	}
	before, _ := w.Export("fmt")
	c, err := w.Add(context.Background(), []string{"text/scanner", "fmt", "unsafe"})
	if err != nil || !slices.Contains(c.Added, "text/scanner") || c.NewHost || len(c.Fetched) > 0 {
		t.Fatalf("got %+v, %v", c, err)
	}
	if after, _ := w.Export("fmt"); after != before {
		t.Errorf("the archive of fmt was %s and is %s", before, after)
	}
	if _, err := w.Build(context.Background(), cell(t, 1, "import \"text/scanner\"\nfunc Run() { var s scanner.Scanner; s.Next() }")); err != nil {
		t.Error(err)
	}
	// Another kernel knows it too.
	if again := smallWorld(t, cache, nil); again.Name("text/scanner") != "scanner" {
		t.Error("the world forgot text/scanner")
	}
}

func TestAddErrors(t *testing.T) {
	w := hosttest.World(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	t.Setenv("GOPROXY", "http://"+nobody)
	t.Setenv("HTTP_PROXY", "")
	t.Setenv("HTTPS_PROXY", "")
	tests := []struct{ path, err string }{
		{"json", `build: package json is not in the standard library of go1.`},
		{"json", `; did you mean "encoding/json"?`},
		{"internal/abi", `build: import "internal/abi": cells cannot import internal packages`},
		{"example.org/none/such", "build: example.org/none/such is not in the module cache, and the network cannot be reached (" + nobody + ": dial tcp"},
		{"example.org/none/such@v1.2.3", "the network cannot be reached"},
		{"github.com/holt-dl/holt/nosuch", "nosuch"},
	}
	for _, tt := range tests {
		start := time.Now()
		_, err := w.Add(context.Background(), []string{tt.path})
		if err == nil || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: got %v\nwant %s", tt.path, err, tt.err)
		}
		if took := time.Since(start); took > 15*time.Second {
			t.Errorf("%s: took %v", tt.path, took)
		}
	}
	t.Setenv("GOPROXY", "off")
	_, err = w.Add(context.Background(), []string{"example.org/none/such"})
	if !errors.Is(err, build.ErrOffline) || !strings.Contains(err.Error(), "GOPROXY=off forbids to fetch it") {
		t.Errorf("got %v", err)
	}
}

// TestAddModule requires a module that the module cache holds, without a
// network.
func TestAddModule(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	cache := t.TempDir()
	w := smallWorld(t, cache, nil)
	const path = "github.com/pkg/errors"
	c, err := w.Add(context.Background(), []string{path})
	if errors.Is(err, build.ErrOffline) {
		t.Skipf("the module cache lacks %s", path)
	}
	if err != nil || c.NewHost || !slices.Contains(c.Added, path) || len(c.Fetched) == 0 || !strings.HasPrefix(c.Fetched[0], path+" v") {
		t.Fatalf("got %+v, %v", c, err)
	}
	if _, err := w.Build(context.Background(), cell(t, 1, "import \"github.com/pkg/errors\"\nfunc Run() { errors.New(\"x\") }")); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(w.Modfile()); err != nil || !strings.Contains(string(text), path) {
		t.Errorf("go.mod: %s, %v", text, err)
	}
	// A session that starts with that go.mod has the package at once.
	src, err := hosttest.Source(nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := build.Open(context.Background(), build.Options{Source: src, CacheDir: cache, Mod: w.Modfile(),
		Progress: func(s string) { t.Errorf("a complete world was worked on: %s", s) }})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if again.Name(path) != "errors" {
		t.Error("the world forgot the module")
	}
}

// TestSource: the binary carries every file of this module that the host is
// built from, and none of the tests.
func TestSource(t *testing.T) {
	tc, err := build.Find(context.Background())
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(tc.Go, "list", "-deps", "-f", `{{if not .Standard}}{{with .Module}}{{if .Main}}{{$.Dir}}{{range $.GoFiles}} {{.}}{{end}}{{range $.CgoFiles}} {{.}}{{end}}{{range $.EmbedFiles}} {{.}}{{end}}{{end}}{{end}}{{end}}`, "../../cmd/holt-host")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		dir, err := filepath.Rel(root, fields[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range fields[1:] {
			n++
			if _, err := fs.Stat(holt.Source, path.Join(filepath.ToSlash(dir), file)); err != nil {
				t.Errorf("%v; name it in embed.go", err)
			}
		}
	}
	if n < 20 {
		t.Errorf("go list named %d files, want more", n)
	}
	err = fs.WalkDir(holt.Source, ".", func(name string, d fs.DirEntry, err error) error {
		if strings.HasSuffix(name, "_test.go") || d != nil && d.Name() == "testdata" {
			t.Errorf("%s is carried", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
