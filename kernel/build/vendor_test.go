package build_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/host/hosttest"
)

// vendoring is a module with a folder vendor, whose modules no proxy has.
func vendoring(t *testing.T) string {
	dir := t.TempDir()
	hosttest.Write(t, dir, map[string]string{
		"go.mod": "module example.com/v\n\ngo 1.26\n\nrequire example.com/dep v1.0.0\n\nrequire example.com/deep v0.2.0 // indirect\n\nreplace example.com/dep => ../gone\n",
		"vendor/modules.txt": "# example.com/dep v1.0.0 => ../gone\n## explicit; go 1.20\nexample.com/dep\nexample.com/dep/sub\n" +
			"# example.com/deep v0.2.0\n## explicit\nexample.com/deep\n# example.com/dep/nested v1.5.0\n## explicit; go 1.21\nexample.com/dep/nested\n# example.com/dep => ../gone\n",
		"vendor/example.com/dep/dep.go":           "package dep\nimport (\n\t_ \"embed\"\n\t\"example.com/deep\"\n)\n//go:embed hello.txt\nvar Hello string\nfunc F() { println(Hello); deep.F() }",
		"vendor/example.com/dep/hello.txt":        "hello",
		"vendor/example.com/dep/sub/sub.go":       "package sub\nfunc F() {}",
		"vendor/example.com/dep/nested/nested.go": "package nested\nfunc F() {}",
		"vendor/example.com/deep/deep.go":         "package deep\nfunc F() {}",
		"own/own.go":                              "package own\nimport \"example.com/dep\"\nfunc F() { dep.F() }",
		"internal/sec/sec.go":                     "package sec\nfunc F() {}",
		"a/internal/x/x.go":                       "package x\nfunc F() {}",
		"notebooks/n.ipynb":                       "",
		"a/b/n.ipynb":                             "",
	})
	return dir
}

// TestVendor imports what only the folder vendor has, without a network.
func TestVendor(t *testing.T) {
	hosttest.ModCache(t)
	t.Setenv("GOPROXY", "off")
	dir := vendoring(t)
	for i, flags := range []string{"", "-mod=vendor"} {
		t.Setenv("GOFLAGS", flags)
		w := smallWorld(t, cache, nil)
		w.SetDir(filepath.Join(dir, "notebooks"))
		for j, path := range []string{"example.com/v/own", "example.com/dep", "example.com/dep/sub", "example.com/dep/nested", "example.com/deep"} {
			c, err := w.Add(context.Background(), []string{path})
			if err != nil {
				t.Fatalf("GOFLAGS=%s, %s: %v", flags, path, err)
			}
			if j == 0 && !slices.Contains(c.Local, "example.com/dep v1.0.0 of the folder vendor") {
				t.Errorf("it says %+v", c)
			}
			if _, err := w.Build(context.Background(), cell(t, 10*i+j+1, uses(path))); err != nil {
				t.Errorf("GOFLAGS=%s, %s: %v", flags, path, err)
			}
		}
	}
	// A file that is changed is taken over by the next import.
	w := smallWorld(t, cache, nil)
	w.SetDir(dir)
	if _, err := w.Add(context.Background(), []string{"example.com/deep"}); err != nil {
		t.Fatal(err)
	}
	hosttest.Write(t, dir, map[string]string{"vendor/example.com/deep/deep.go": "package deep\nfunc F() {}\nfunc G() {}"})
	if c, err := w.Add(context.Background(), []string{"example.com/deep"}); err != nil || !c.NewHost {
		t.Errorf("after a change: %+v, %v", c, err)
	}
	if _, err := w.Build(context.Background(), cell(t, 90, "import \"example.com/deep\"\nfunc Run() { deep.G() }")); err != nil {
		t.Error(err)
	}
	// What go build refuses.
	t.Setenv("GOFLAGS", "")
	mod, _ := os.ReadFile(filepath.Join(dir, "go.mod"))
	os.WriteFile(filepath.Join(dir, "go.mod"), []byte(strings.Replace(string(mod), "dep v1.0.0", "dep v1.2.0", 1)), 0o666)
	_, err := w.Add(context.Background(), []string{"example.com/dep/sub2"})
	if want := "go.mod requires example.com/dep v1.2.0, which is there at v1.0.0 in " + filepath.Join(dir, "vendor", "modules.txt") + "; run go mod vendor, or set GOFLAGS=-mod=mod to use no vendor folder"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("inconsistent: %v", err)
	}
}

// TestInternal is Go's rule for internal packages, with the notebook as code of
// the folder that it is in.
func TestInternal(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	dir := vendoring(t)
	tests := []struct{ dir, path, err string }{
		{dir: "", path: "example.com/v/internal/sec"},
		{dir: "notebooks", path: "example.com/v/internal/sec"},
		{dir: "a/b", path: "example.com/v/a/internal/x"},
		{dir: "notebooks", path: "example.com/v/a/internal/x", err: `build: import "example.com/v/a/internal/x": only packages below example.com/v/a can import this internal package, and the notebook is in example.com/v/notebooks`},
		{dir: "/", path: "example.com/v/internal/sec", err: "only packages below example.com/v can import this internal package, and the notebook is in no module"},
		{dir: "", path: "internal/abi", err: `build: import "internal/abi": cells cannot import internal packages of the standard library`},
		{dir: "", path: "github.com/holt-dl/holt/internal/frame", err: "only packages below github.com/holt-dl/holt can import this internal package, and the notebook is in example.com/v"},
		{dir: "", path: "example.com/v/vendor/example.com/dep", err: "packages are not imported by their place in a vendor folder"},
	}
	w := smallWorld(t, cache, nil)
	for i, tt := range tests {
		at := filepath.Join(dir, tt.dir)
		if tt.dir == "/" {
			at = t.TempDir()
		}
		w.SetDir(at)
		_, err := w.Add(context.Background(), []string{tt.path})
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s in %q: got %v, want %s", tt.path, tt.dir, err, tt.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s in %q: %v", tt.path, tt.dir, err)
			continue
		}
		if _, err := w.Build(context.Background(), cell(t, i+1, uses(tt.path))); err != nil {
			t.Error(err)
		}
	}
}
