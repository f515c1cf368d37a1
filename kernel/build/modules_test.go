package build_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/host/hosttest"
)

// cache is where worlds of tests live that may share one; TestMain makes it.
var cache string

func TestMain(m *testing.M) { hosttest.RunTests(m, &cache) }

// uses is a cell that imports a package and calls its F.
func uses(path string) string {
	return "import p \"" + path + "\"\nfunc Run() { p.F() }"
}

// TestProxy fetches a module from a proxy and says so; another world finds it
// in the module cache.
func TestProxy(t *testing.T) {
	hosttest.Proxy(t, map[string]map[string]string{
		"example.com/m@v1.0.0": {"go.mod": "module example.com/m\n", "m.go": "package m\nfunc F() {}"},
		"example.com/m@v1.1.0": {"go.mod": "module example.com/m\n", "m.go": "package m\nfunc F() {}\nfunc G() {}"},
	})
	w := smallWorld(t, cache, nil)
	c, err := w.Add(context.Background(), []string{"example.com/m"})
	if err != nil || c.NewHost || !slices.Equal(c.Fetched, []string{"example.com/m v1.1.0"}) || !slices.Equal(c.Downloaded, c.Fetched) {
		t.Fatalf("got %+v, %v, want the newest version, downloaded", c, err)
	}
	if _, err := w.Build(context.Background(), cell(t, 1, uses("example.com/m"))); err != nil {
		t.Error(err)
	}
	t.Setenv("GOPROXY", "off")
	again := smallWorld(t, cache, nil)
	c, err = again.Add(context.Background(), []string{"example.com/m"})
	if err != nil || !slices.Equal(c.Fetched, []string{"example.com/m v1.1.0"}) || c.Downloaded != nil {
		t.Fatalf("got %+v, %v, want it from the module cache", c, err)
	}
}

// TestWorkspace imports from modules beside the notebook, and takes other
// modules at the version that those require.
func TestWorkspace(t *testing.T) {
	hosttest.Proxy(t, map[string]map[string]string{
		"example.com/m@v1.0.0": {"go.mod": "module example.com/m\n", "m.go": "package m\nfunc F() {}"},
		"example.com/m@v1.1.0": {"go.mod": "module example.com/m\n", "m.go": "package m\nfunc F() {}"},
	})
	dir := t.TempDir()
	hosttest.Write(t, dir, map[string]string{
		"go.mod":             "module mine\n\ngo 1.26\n\nrequire example.com/m v1.0.0\n",
		"tools/tools.go":     "package tools\nimport \"example.com/m\"\nfunc F() { m.F() }",
		"work/go.work":       "go 1.26\n\nuse (\n\t./a\n\t./b\n)\n",
		"work/a/go.mod":      "module example.org/a\n\ngo 1.26\n\nrequire example.org/b v1.0.0\n",
		"work/a/a.go":        "package a\nimport \"example.org/b\"\nfunc F() { b.F() }",
		"work/b/go.mod":      "module example.org/b\n\ngo 1.26\n\nrequire example.net/c v0.1.0\n\nreplace example.net/c => ../c\n",
		"work/b/b.go":        "package b\nimport \"example.net/c\"\nfunc F() { c.F() }",
		"work/c/go.mod":      "module example.net/c\n",
		"work/c/c.go":        "package c\nfunc F() {}",
		"broken/go.mod":      "modul broken\n",
		"notebooks/x/y.txt":  "",
		"work/notebooks/y.x": "",
	})
	tests := []struct {
		dir, path string
		fetched   []string
		local     []string
		err       string
	}{
		{"notebooks/x", "mine/tools", nil, []string{"mine in " + dir}, ""},
		{"notebooks/x", "example.com/m", []string{"example.com/m v1.0.0"}, nil, ""},
		{"", "mine/nothing", nil, nil, "mine/nothing"},
		{"work/notebooks", "example.org/a", nil, []string{"example.org/a in " + filepath.Join(dir, "work/a")}, ""},
		{"broken", "mine/tools", nil, nil, filepath.Join(dir, "broken/go.mod") + ":1: unknown directive: modul"},
		{"", "text/scanner", nil, nil, ""},
	}
	for _, tt := range tests {
		w := smallWorld(t, cache, nil)
		w.SetDir(filepath.Join(dir, tt.dir))
		c, err := w.Add(context.Background(), []string{tt.path})
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %v, want %s", tt.path, err, tt.err)
			}
			continue
		}
		if err != nil || c.NewHost {
			t.Errorf("%s: got %+v, %v", tt.path, c, err)
			continue
		}
		if !slices.Equal(c.Fetched, tt.fetched) {
			t.Errorf("%s: fetched %q, want %q", tt.path, c.Fetched, tt.fetched)
		}
		if !slices.Equal(c.Local, tt.local) {
			t.Errorf("%s: local %q, want %q", tt.path, c.Local, tt.local)
		}
		if tt.path == "text/scanner" {
			continue
		}
		if _, err := w.Build(context.Background(), cell(t, 1, uses(tt.path))); err != nil {
			t.Errorf("%s: %v", tt.path, err)
		}
	}
}

// TestLocalChange compiles a local package again when it has changed, which
// needs another process; a later session takes it as it is then.
func TestLocalChange(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	dir := t.TempDir()
	hosttest.Write(t, dir, map[string]string{"go.mod": "module mine\n\ngo 1.26\n", "tools/tools.go": "package tools\nfunc F() {}"})
	add := func(w *build.World) build.Change {
		t.Helper()
		c, err := w.Add(context.Background(), []string{"mine/tools"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	w := smallWorld(t, cache, nil)
	w.SetDir(dir)
	add(w)
	host := w.Host()
	if c := add(w); c.NewHost {
		t.Errorf("unchanged: got %+v", c)
	}
	if !w.IsLocal("mine/tools") || w.IsLocal("fmt") {
		t.Error("IsLocal knows not what is local")
	}
	hosttest.Write(t, dir, map[string]string{"tools/tools.go": "package tools\nfunc F() {}\nfunc G() {}"})
	if c := add(w); !c.NewHost || w.Host() != host {
		t.Errorf("changed: got %+v with host %s, want a new process of %s", c, w.Host(), host)
	}
	// A session of its own, whose world is on disk already.
	hosttest.Write(t, dir, map[string]string{"tools/tools.go": "package tools\nfunc F() { println() }"})
	later := smallWorld(t, cache, nil)
	later.SetDir(dir)
	if c := add(later); c.NewHost {
		t.Errorf("later: got %+v, want nothing of the running host changed", c)
	}
	old, _ := w.Export("mine/tools")
	if now, _ := later.Export("mine/tools"); now == old {
		t.Error("a later session has the old package")
	}
}

// TestNewHost: a version that the host's own packages change with is another
// program.
func TestNewHost(t *testing.T) {
	hosttest.Proxy(t, map[string]map[string]string{
		"example.com/m@v1.0.0": {"go.mod": "module example.com/m\n", "m.go": "package m\nfunc F() {}"},
		"example.com/m@v1.1.0": {"go.mod": "module example.com/m\n", "m.go": "package m\nfunc F() {}\nfunc G() {}"},
	})
	w := smallWorld(t, t.TempDir(), map[string]string{
		"go.mod":                "module github.com/holt-dl/holt\n\ngo 1.26\n\nrequire example.com/m v1.0.0\n",
		"cmd/holt-host/more.go": "package main\n\nimport _ \"example.com/m\"\n",
	})
	host := w.Host()
	c, err := w.Add(context.Background(), []string{"example.com/m@v1.1.0"})
	if err != nil || !c.NewHost || w.Host() == host || !slices.Equal(c.Fetched, []string{"example.com/m v1.1.0"}) {
		t.Fatalf("got %+v, %v, want a new host", c, err)
	}
	if _, err := os.Stat(w.Host()); err != nil {
		t.Error(err)
	}
}

// TestBlackHole: proxies that take connections and never answer, and those
// that GOPROXY passes over.
func TestBlackHole(t *testing.T) {
	dir := hosttest.Proxy(t, map[string]map[string]string{
		"example.com/m@v1.0.0": {"go.mod": "module example.com/m\n", "m.go": "package m\nfunc F() {}"},
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // connections wait in its queue
	hole := "http://" + l.Addr().String()
	w := smallWorld(t, cache, nil)
	for _, proxy := range []string{hole, hole + ",file://" + dir} {
		t.Setenv("GOPROXY", proxy)
		_, err = w.Add(context.Background(), []string{"example.com/m"})
		if !errors.Is(err, build.ErrOffline) || !strings.Contains(err.Error(), l.Addr().String()+": no answer within 3s") {
			t.Errorf("%s: got %v", proxy, err)
		}
	}
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	t.Setenv("GOPROXY", "http://"+nobody.Addr().String()+"|file://"+dir)
	if _, err := w.Add(context.Background(), []string{"example.com/m"}); err != nil {
		t.Errorf("the second proxy was not asked: %v", err)
	}
	// The time that the first takes is not the second's.
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	t.Setenv("GOPROXY", hole+"|"+server.URL)
	if err := w.Online(context.Background(), []string{"example.com/n"}); err != nil {
		t.Errorf("the second proxy was not asked: %v", err)
	}
}

// TestAdoptStopped: where a go.mod is not adopted in the end, the packages of modules stay known that
// it would have taken away.
func TestAdoptStopped(t *testing.T) {
	hosttest.Proxy(t, map[string]map[string]string{
		"example.com/adopted@v1.0.0": {"go.mod": "module example.com/adopted\n", "m.go": "package m\nfunc F() {}"},
	})
	w := smallWorld(t, cache, nil)
	if _, err := w.Add(context.Background(), []string{"example.com/adopted"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Adopt(ctx, []byte("module notebook\n\ngo 1.26\n"), nil, t.TempDir(), true); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want it stopped", err)
	}
	if _, known := w.Export("example.com/adopted"); !known {
		t.Error("the package of before is unknown")
	}
	if _, err := w.Build(context.Background(), cell(t, 1, uses("example.com/adopted"))); err != nil {
		t.Error(err)
	}
}

// TestStopDownload: a proxy that answers and then stalls is left at once when
// the person interrupts.
func TestStopDownload(t *testing.T) {
	asked := make(chan struct{}, 100)
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
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
	t.Setenv("GOMODCACHE", hosttest.ModCache(t))
	w := smallWorld(t, cache, nil)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		<-asked
		cancel()
	}()
	if _, err := w.Add(ctx, []string{"example.com/m"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want it stopped", err)
	}
}
