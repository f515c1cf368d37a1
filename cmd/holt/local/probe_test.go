package local

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/internal/plugins"
)

// TestMain is holt itself where the doctor starts it to load a plugin.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "probe" {
		if err := (probeCmd{Path: os.Args[2]}).Run(); err != nil {
			fmt.Fprintln(os.Stderr, "holt:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// library builds a shared library of C.
func library(t *testing.T, source string) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("needs a C compiler")
	}
	path := filepath.Join(t.TempDir(), "plugin.so")
	cmd := exec.Command(cc, "-shared", "-fPIC", "-x", "c", "-o", path, "-")
	cmd.Stdin = strings.NewReader(source)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// TestLookPlugin shows the doctor plugins that do not work, each in its way.
func TestLookPlugin(t *testing.T) {
	text := filepath.Join(t.TempDir(), "plugin.so")
	if err := os.WriteFile(text, []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path, want string
		limit            time.Duration
	}{
		{"no library", text, "does not work: cannot be loaded: ", 30 * time.Second},
		{"no plugin", library(t, "int x;"), "it has no function GetPjrtApi, as a PJRT plugin has", 30 * time.Second},
		{"one that ends the process", library(t, `#include <stdio.h>
#include <stdlib.h>
void *GetPjrtApi(void) { fprintf(stderr, "first\nF0000 Unknown flag in XLA_FLAGS\n"); abort(); }`), "does not work: it ends its process (", 30 * time.Second},
		{"one that never answers", library(t, "#include <unistd.h>\nvoid *GetPjrtApi(void) { for (;;) sleep(1); }"), "does not work: it did not open its devices in time", time.Second},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), tt.limit)
		f := lookPlugin(ctx, "cpu", tt.path)
		cancel()
		if f.OK || !f.Broken || !strings.HasPrefix(f.Detail, tt.path+" ") || !strings.Contains(f.Detail, tt.want) || f.Fix == "" {
			t.Errorf("%s: %+v, want %s", tt.name, f, tt.want)
		}
	}
	path, ok := plugins.Find(plugins.SearchDirs(), "cpu")
	if !ok {
		t.Skip("the XLA plugin for cpu is not here")
	}
	t.Setenv(plugins.FlagsEnv, "--no_such_flag=1") // would end the process
	f := lookPlugin(context.Background(), "cpu", path)
	if !f.OK || !strings.HasPrefix(f.Detail, path+": PJRT 0.") || !strings.Contains(f.Detail, ", cpu, CpuDevice(id=0)") {
		t.Errorf("the plugin is %+v", f)
	}
}
