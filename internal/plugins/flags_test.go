package plugins_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/plugins"
)

func TestFlagsFor(t *testing.T) {
	// A library whose names lie across the pieces that are read.
	content := strings.Repeat("x", 1<<20-5) + "xla_dump_to\x00" + strings.Repeat("y", 1<<20) + "xla_gpu_ftz\x00in a message: xla_gpu_fast is wrong\x00"
	library := filepath.Join(t.TempDir(), "plugin.so")
	if err := os.WriteFile(library, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "flags")
	if err := os.WriteFile(list, []byte("--xla_dump_to=/a\n--no_such"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		value          string
		known, unknown []string
	}{
		{"", nil, nil},
		{"  ", nil, nil},
		{"--xla_dump_to=/tmp/x", []string{"--xla_dump_to=/tmp/x"}, nil},
		{"--xla_gpu_ftz  --xla_gpu_fast=true\t--xla_dump_to='a b'", []string{"--xla_gpu_ftz", "--xla_dump_to='a b'"}, []string{"--xla_gpu_fast=true"}},
		{"-xla_gpu_ftz=false --", []string{"-xla_gpu_ftz=false"}, []string{"--"}},
		{list, []string{"--xla_dump_to=/a"}, []string{"--no_such"}},
	} {
		known, unknown, err := plugins.FlagsFor(library, tt.value)
		if err != nil || !slices.Equal(known, tt.known) || !slices.Equal(unknown, tt.unknown) {
			t.Errorf("%q: %q, %q, %v; want %q, %q", tt.value, known, unknown, err, tt.known, tt.unknown)
		}
	}
	if _, _, err := plugins.FlagsFor(library, "/no/such/file"); err == nil || !strings.HasPrefix(err.Error(), "XLA_FLAGS names a file of flags that cannot be read: ") {
		t.Errorf("error is %v", err)
	}
}

func TestOwnFlags(t *testing.T) {
	home := t.TempDir()
	t.Setenv(plugins.HomeEnv, home)
	plugin := filepath.Join(home, "plugins", "cuda", "lib", "nvidia", "pjrt_c_api_cuda_plugin.so")
	if err := os.MkdirAll(filepath.Dir(plugin), 0o755); err != nil {
		t.Fatal(err)
	}
	got := plugins.OwnFlags(plugin, "")
	want := []string{"--xla_gpu_cuda_data_dir=" + filepath.Dir(plugin), "--xla_gpu_per_fusion_autotune_cache_dir=" + filepath.Join(home, "autotune")}
	if !slices.Equal(got, want) {
		t.Errorf("flags are %q, want %q", got, want)
	}
	if got := plugins.OwnFlags(plugin, "--xla_gpu_cuda_data_dir=/x --xla_gpu_per_fusion_autotune_cache_dir=/y"); len(got) != 0 {
		t.Errorf("flags are %q beside the user's own", got)
	}
}

func TestNeutral(t *testing.T) {
	for _, tt := range []struct {
		kind, path string
		same       bool
	}{
		{"cpu", "home/ada/cpu/pjrt_c_api_cpu_plugin.so", true},
		{"cpu", "home/nvidia/cpu/pjrt_c_api_cpu_plugin.so", false},
		{"cpu", "data/CUDA/cpu/pjrt_c_api_cpu_plugin.so", false},
		{"cpu", "a,b/pjrt_c_api_cpu_plugin.so", false},
		{"cuda", "home/ada/cuda/lib/nvidia/pjrt_c_api_cuda_plugin.so", true},
		{"cuda", "home/cpuser/cuda/lib/nvidia/pjrt_c_api_cuda_plugin.so", false},
		{"go", "home/nvidia/x", true},
	} {
		path := filepath.Join(t.TempDir(), filepath.FromSlash(tt.path))
		for _, folder := range []string{filepath.Dir(path), filepath.Join(filepath.Dir(filepath.Dir(path)), "nvidia")} {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, []byte(tt.path), 0o644); err != nil {
			t.Fatal(err)
		}
		neutral, remove, err := plugins.Neutral(tt.kind, path)
		if err != nil {
			t.Errorf("%s at %s: %v", tt.kind, tt.path, err)
			continue
		}
		if b, err := os.ReadFile(neutral); err != nil || string(b) != tt.path {
			t.Errorf("%s holds %q, %v", neutral, b, err)
		}
		if (neutral == path) != tt.same {
			t.Errorf("%s at %s is loaded as %s", tt.kind, tt.path, neutral)
		}
		lower := strings.ToLower(neutral)
		if tt.kind == "cpu" && (strings.Contains(lower, "cuda") || strings.Contains(lower, "nvidia") || !strings.Contains(lower, "cpu")) ||
			tt.kind == "cuda" && (strings.Contains(lower, "cpu") || !strings.Contains(lower, "cuda")) || strings.Contains(neutral, ",") {
			t.Errorf("go-xla would take %s for another than %s", neutral, tt.kind)
		}
		if tt.kind == "cuda" { // where its libraries are looked for
			if info, err := os.Stat(filepath.Dir(neutral) + "/../nvidia"); err != nil || !info.IsDir() {
				t.Errorf("%s has no ../nvidia: %v", neutral, err)
			}
		}
		remove()
		if _, err := os.Stat(path); err != nil {
			t.Errorf("the plugin is gone: %v", err)
		}
		if _, err := os.Lstat(neutral); (err == nil) != tt.same {
			t.Errorf("%s: %v after its removal", neutral, err)
		}
	}
}
