package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/executables"
)

func TestLookExecutables(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "executables")
	plugin := filepath.Join(t.TempDir(), "plugin.so")
	for _, file := range []string{plugin, folder + ".file"} {
		if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	store := executables.Store{Dir: folder, Limit: 1 << 20}
	if err := store.Save(executables.KeyOf([]byte("a")), make([]byte, 1<<19)); err != nil {
		t.Fatal(err)
	}
	check := func(env, path, want string) {
		t.Helper()
		t.Setenv(executables.Env, env)
		if f := lookExecutables(path); f.Detail != want || f.OK == f.Broken || f.Broken != strings.HasPrefix(want, "cannot") {
			t.Errorf("it finds %+v, want %q", f, want)
		}
	}
	check("0", "", "not kept, as HOLT_EXECUTABLES=0 asks")
	check(folder, "", "1 files, 0.5 of at most 1024 MiB, "+folder)
	check(folder+".file", "", "cannot be kept, so that every kernel compiles its programs again: open "+folder+".file: not a directory")
	if err := os.WriteFile(filepath.Join(folder, "abc.xla"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check(folder, "", "2 files, 0.5 of at most 1024 MiB, "+folder+"; 1 of them damaged or of another user, and not used, such as abc.xla")
	check(folder, plugin, "2 files, 0.5 of at most 1024 MiB, "+folder+"; 1 of them damaged or of another user, and not used, such as abc.xla; of those for the processor none, because Holt's tests did not run with "+plugin)
}

func TestLookOneDNN(t *testing.T) {
	t.Setenv(executables.Env, t.TempDir())
	plugin := filepath.Join(t.TempDir(), "plugin.so")
	if err := os.WriteFile(plugin, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ env, path, want string }{
		{"0", plugin, "not called, as HOLT_ONEDNN=0 asks"},
		{"", "", "comes with the cpu backend"},
		{"", plugin, "not called, because Holt's tests did not run with " + plugin},
	} {
		t.Setenv("HOLT_ONEDNN", tt.env)
		if f := lookOneDNN(tt.path); f.Detail != tt.want || f.Broken || f.OK != (tt.env == "0") {
			t.Errorf("%q, %q: it finds %+v, want %q", tt.env, tt.path, f, tt.want)
		}
	}
}
