package backend

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDriver chooses CUDA by what an nvidia-smi and a kernel module say that are no
// more than a text.
func TestDriver(t *testing.T) {
	for _, tt := range []struct {
		name, smi, module string // empty where it is not there
		kind, why, err    string
		none              bool
	}{
		{name: "no driver", none: true},
		{name: "new", smi: "580.82.07, 9.0\n580.82.07, 9.0\n", kind: "cuda", why: "CUDA 13, because NVIDIA's driver is 580.82.07, and it wants 580.65.06 or newer"},
		{name: "the oldest for 13", smi: "580.65.06, 8.9\n", kind: "cuda", why: "CUDA 13, because NVIDIA's driver is 580.65.06, and it wants 580.65.06 or newer"},
		{name: "just older", smi: "580.65.05, 8.9\n", kind: "cuda12", why: "CUDA 12, because NVIDIA's driver is 580.65.05, and CUDA 13 wants 580.65.06 or newer"},
		{name: "old", smi: "550.54.15, 8.0\n", kind: "cuda12", why: "CUDA 12, because NVIDIA's driver is 550.54.15, and CUDA 13 wants 580.65.06 or newer"},
		{name: "an old GPU", smi: "580.82.07, 8.0\n580.82.07, 7.0\n", kind: "cuda12", why: "CUDA 12, because a GPU has compute capability 7.0, and CUDA 13 wants 7.5 or newer"},
		{name: "too old", smi: "470.256.02, 7.0\n", err: "backend: NVIDIA's driver is 470.256.02, want 525.60.13 or newer for CUDA 12, or 580.65.06 for CUDA 13; update the driver, or use the backend cpu"},
		{name: "the module alone", module: "570.124\n", kind: "cuda12", why: "CUDA 12, because NVIDIA's driver is 570.124, and CUDA 13 wants 580.65.06 or newer"},
		{name: "an nvidia-smi that fails", smi: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", module: "580.95.05\n", kind: "cuda", why: "CUDA 13, because NVIDIA's driver is 580.95.05, and it wants 580.65.06 or newer"},
		{name: "an nvidia-smi that does not know capabilities", smi: "525.60.13, [N/A]\n", kind: "cuda12", why: "CUDA 12, because NVIDIA's driver is 525.60.13, and CUDA 13 wants 580.65.06 or newer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			t.Setenv("PATH", folder)
			if tt.smi != "" {
				script := "#!/bin/sh\nwhile read -r line; do echo \"$line\"; done <<'END'\n" + tt.smi + "END\n"
				if err := os.WriteFile(filepath.Join(folder, "nvidia-smi"), []byte(script), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			before := moduleVersion
			moduleVersion = filepath.Join(folder, "version")
			defer func() { moduleVersion = before }()
			if tt.module != "" {
				if err := os.WriteFile(moduleVersion, []byte(tt.module), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			d, ok := FindDriver(t.Context())
			if ok == tt.none {
				t.Fatalf("driver is %+v, %v", d, ok)
			}
			if tt.none {
				return
			}
			kind, why, err := d.CUDA()
			if kind != tt.kind || why != tt.why || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q, %q, %v", kind, why, err)
			}
		})
	}
}
