package toolchain

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestModules(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("go is not in PATH")
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/github.com/!big/mod/@v/v1.0.0.info" {
			http.NotFound(w, r)
		}
	}))
	defer proxy.Close()
	cache := t.TempDir()
	if err := os.MkdirAll(filepath.Join(cache, "github.com", "cached@v1.0.0"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOMODCACHE", cache)
	tests := []struct {
		name, module, proxy string
		ok                  bool
		want                string
	}{
		{"cached", "github.com/cached", "off", true, "in the cache"},
		{"on the proxy", "github.com/Big/mod", proxy.URL + ",direct", true, "the module proxy answers"},
		{"not on the proxy", "github.com/no", proxy.URL, false, "github.com/no v1.0.0 is not in the cache, and the module proxy answers 404 Not Found"},
		{"no network", "github.com/no", "http://127.0.0.1:1", false, "github.com/no v1.0.0 is not in the cache, and the module proxy cannot be reached"},
		{"off", "github.com/no", "off", false, `github.com/no v1.0.0 is not in the cache, and GOPROXY is "off"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("GOPROXY", tt.proxy)
			f := lookModules(context.Background(), tt.module, "v1.0.0")
			if f.OK != tt.ok || !strings.HasPrefix(f.Detail, tt.want) {
				t.Errorf("got %v %q, want %v %q", f.OK, f.Detail, tt.ok, tt.want)
			}
			if !f.OK && f.Fix == "" {
				t.Error("there is no remedy")
			}
		})
	}
}

func TestGoAndCC(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("GOROOT", "")
	f := lookGo(context.Background())
	if !f.OK && (!strings.Contains(f.Detail, "Go is not installed") || !strings.Contains(f.Fix, "https://go.dev/dl")) {
		t.Errorf("got %+v", f)
	}
	if f := lookCC(context.Background()); f.OK || !strings.Contains(f.Fix, "apt-get install gcc") {
		t.Errorf("got %+v", f)
	}
}

// A Holt that an older release built than the one that compiles cells is said.
func TestAge(t *testing.T) {
	for _, tt := range []struct {
		own, compiler string
		ok            bool
	}{
		{"go1.26.8", "go1.26.8", true},
		{"go1.26.1", "go1.26.8", true},
		{"go1.27.0", "go1.26.8", true},
		{"go1.26.8", "go1.27.0 X:greenteagc", false},
		{"devel go1.28-abc", "go1.27.0", true},
	} {
		f := age(tt.own, tt.compiler)
		if f.OK != tt.ok || !f.OK && (!strings.Contains(f.Detail, "older than the Go that compiles cells, go1.27.0,") || !strings.Contains(f.Fix, "go1.27.0")) {
			t.Errorf("%s with %s: got %+v", tt.own, tt.compiler, f)
		}
	}
}
