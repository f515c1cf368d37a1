package plugins

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// home makes an empty home folder and forgets what the machine has set.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	for _, name := range []string{HomeEnv, "XDG_DATA_HOME", "LD_LIBRARY_PATH", PathEnv, NoAutoEnv} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	return dir
}

func touch(t *testing.T, path string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDir(t *testing.T) {
	tests := []struct{ name, env, value, want string }{
		{"home", "", "", "HOME/.local/share/holt/plugins"},
		{"data folder", "XDG_DATA_HOME", "/data", "/data/holt/plugins"},
		{"relative data folder is ignored, as XDG says", "XDG_DATA_HOME", "data", "HOME/.local/share/holt/plugins"},
		{"own", "HOLT_HOME", "/holt", "/holt/plugins"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := home(t)
			if tt.env != "" {
				t.Setenv(tt.env, tt.value)
			}
			if got, want := Dir(), strings.Replace(tt.want, "HOME", dir, 1); got != want {
				t.Errorf("Dir is %s, want %s", got, want)
			}
		})
	}
}

func TestFind(t *testing.T) {
	dir := home(t)
	if path, ok := Find([]string{dir}, "cpu"); ok {
		t.Errorf("found %s in an empty folder", path)
	}
	own := touch(t, filepath.Join(Dir(), "cpu", "pjrt_c_api_cpu_plugin.so"))
	if path, ok := Find(SearchDirs(), "cpu"); !ok || path != own {
		t.Errorf("found %q, want %s", path, own)
	}
	older := touch(t, filepath.Join(dir, ".local/lib/go-xla/pjrt_c_api_cpu_v0.83.1_plugin.so"))
	newer := touch(t, filepath.Join(dir, ".local/lib/go-xla/pjrt_c_api_cpu_v0.83.4_plugin.so"))
	if path, _ := Find(SearchDirs(), "cpu"); path != newer {
		t.Errorf("found %q, want %s: where go-xla looks comes before Holt's folder", path, newer)
	}
	os.Remove(newer)
	if err := os.Symlink("nowhere", newer); err != nil {
		t.Fatal(err)
	}
	if path, _ := Find(SearchDirs(), "cpu"); path != older {
		t.Errorf("found %q, want %s: the other link is broken", path, older)
	}
	if path, ok := Find(SearchDirs(), "cuda"); ok {
		t.Errorf("found %s for cuda", path)
	}
}

// What make leaves beside bin/holt is found without an environment variable.
func TestBeside(t *testing.T) {
	dir := home(t)
	checkout := filepath.Join(dir, "checkout")
	own := touch(t, filepath.Join(checkout, ".holt", "plugins", "cpu", "pjrt_c_api_cpu_plugin.so"))
	for _, tt := range []struct{ program, name, want string }{
		{filepath.Join(checkout, "bin", "holt"), ".holt/plugins", filepath.Join(checkout, ".holt", "plugins")},
		{filepath.Join(checkout, "bin", "holt"), ".venv", ""},                 // not made yet
		{filepath.Join(checkout, "holt"), ".holt/plugins", ""},                // not where make puts it
		{filepath.Join(dir, "elsewhere", "bin", "holt"), ".holt/plugins", ""}, // a copy that was installed
	} {
		if got := beside(tt.program, tt.name); got != tt.want {
			t.Errorf("beside %s, %s is %q, want %q", tt.program, tt.name, got, tt.want)
		}
	}
	users := touch(t, filepath.Join(Dir(), "cpu", "pjrt_c_api_cpu_plugin.so"))
	if path, _ := Find(searchDirs(filepath.Join(checkout, ".holt", "plugins"), Dir()), "cpu"); path != own {
		t.Errorf("found %q, want %s before %s", path, own, users)
	}
}

func TestSetup(t *testing.T) {
	dir := home(t)
	t.Setenv("LD_LIBRARY_PATH", "relative:/ld::/usr/local/lib/go-xla")
	cpu := filepath.Dir(touch(t, filepath.Join(Dir(), "cpu", "pjrt_c_api_cpu_plugin.so")))
	Setup()
	got := strings.Split(os.Getenv(PathEnv), ":")
	if got[0] != filepath.Join(dir, ".local/lib/go-xla") || got[len(got)-1] != cpu || !slices.Contains(got, "/ld") || slices.Contains(got, "relative") {
		t.Errorf("%s is %q", PathEnv, got)
	}
	if os.Getenv(NoAutoEnv) != "1" {
		t.Errorf("%s is %q", NoAutoEnv, os.Getenv(NoAutoEnv))
	}
	before := os.Getenv(PathEnv)
	if Setup(); os.Getenv(PathEnv) != before {
		t.Errorf("a second Setup made it %q", os.Getenv(PathEnv))
	}
	t.Setenv(PathEnv, "/mine")
	if Setup(); os.Getenv(PathEnv) != "/mine:"+cpu {
		t.Errorf("with a path of the user's it is %q", os.Getenv(PathEnv))
	}
}

func TestLoaderDirs(t *testing.T) {
	dir := t.TempDir()
	main := filepath.Join(dir, "ld.so.conf")
	os.WriteFile(main, []byte("# libraries\n/one\ninclude "+dir+"/d/*.conf\nhwcap 0 nosegneg\n"), 0o644)
	touch(t, filepath.Join(dir, "d", "a.conf"))
	os.WriteFile(filepath.Join(dir, "d", "b.conf"), []byte(" /two \ninclude "+main+"\n"), 0o644) // a loop
	got := loaderDirs(main, 2)
	if want := []string{"/one", "/two"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
