package doctor

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

func TestRun(t *testing.T) {
	check := func(name string, optional bool, f Finding) Check {
		return Check{Name: name, Optional: optional, Look: func(context.Context) Finding { return f }}
	}
	tests := []struct {
		name    string
		checks  []Check
		healthy bool
		want    string
	}{
		{
			name:    "all there",
			checks:  []Check{check("Go", false, Finding{OK: true, Detail: "1.26.8"})},
			healthy: true,
			want:    "ok       Go  1.26.8\n\nHolt can run here.\n",
		},
		{
			name: "optional absent",
			checks: []Check{check("Go", false, Finding{OK: true, Detail: "1.26.8"}),
				check("GPU", true, Finding{Detail: "none"})},
			healthy: true,
			want:    "ok       Go   1.26.8\nabsent   GPU  none\n\nHolt can run here.\n",
		},
		{
			name:   "missing",
			checks: []Check{check("kernelspec", false, Finding{Detail: "none", Fix: "holt install"})},
			want:   "MISSING  kernelspec  none\n                     → holt install\n\nHolt cannot run here yet: mend what is MISSING.\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			if got := Run(context.Background(), &b, tt.checks); got != tt.healthy {
				t.Errorf("healthy is %v, want %v", got, tt.healthy)
			}
			if b.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), tt.want)
			}
		})
	}
}

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
