package assist

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// program writes a file that can be executed.
func program(t *testing.T, file string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFind(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("HOLT_HOME", filepath.Join(home, "holt"))
	t.Setenv("PATH", filepath.Join(home, "path"))
	t.Setenv("GOBIN", filepath.Join(home, "gobin"))
	t.Setenv("GOPATH", filepath.Join(home, "gopath"))
	if _, err := Find(); err != ErrNoGopls {
		t.Errorf("with none, the error is %v, want %v", err, ErrNoGopls)
	}
	// The later ones come before the earlier ones.
	for _, name := range []string{"go/bin/gopls", "gopath/bin/gopls", "gobin/gopls", "path/gopls", "holt/bin/gopls-" + Version} {
		want := program(t, filepath.Join(home, name))
		if got, err := Find(); err != nil || got != want {
			t.Errorf("Find gives %s, %v, want %s", got, err, want)
		}
	}
	if got, err := Install(t.Context()); err != nil || got != filepath.Join(home, "holt/bin/gopls-"+Version) {
		t.Errorf("Install where it is there gives %s, %v", got, err)
	}
}

func TestInstallWithoutNetwork(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOLT_HOME", home)
	t.Setenv("GOMODCACHE", filepath.Join(home, "mod"))
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "-modcacherw")
	_, err := Install(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "assist: install gopls: go install golang.org/x/tools/gopls@"+Version+": ") || !strings.Contains(err.Error(), "disabled by GOPROXY=off") {
		t.Errorf("error is %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(home, "bin", "*gopls-*")); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
}
