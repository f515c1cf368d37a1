package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/jupyter/spec"
)

func TestRun(t *testing.T) {
	check := func(name string, optional bool, f Finding) Check {
		return Check{Name: name, Optional: optional, Look: func(context.Context) Finding { return f }}
	}
	only := func(name, user string, f Finding) Check {
		c := check(name, false, f)
		c.Only = user
		return c
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
			name:    "optional broken",
			checks:  []Check{check("backend", true, Finding{Broken: true, Detail: "does not load", Fix: "bring it"})},
			healthy: true,
			want:    "broken   backend  does not load\n                  → bring it\n\nHolt can run here.\n",
		},
		{
			name: "no Jupyter",
			checks: []Check{check("Go", false, Finding{OK: true, Detail: "1.26.8"}),
				only("Jupyter", "JupyterLab", Finding{Detail: "none", Fix: "install it"}),
				only("kernelspec", "JupyterLab", Finding{Detail: "none"}),
				only("gopls", "completion", Finding{Detail: "none"})},
			healthy: true,
			want: "ok       Go          1.26.8\n" +
				"absent   Jupyter     none; only for JupyterLab\n                     → install it\n" +
				"absent   kernelspec  none; only for JupyterLab\nabsent   gopls       none; only for completion\n" +
				"\nHolt can run here: holt run runs notebooks.\n" +
				"Absent for JupyterLab: Jupyter, kernelspec.\nAbsent for completion: gopls.\n",
		},
		{
			name:   "missing",
			checks: []Check{check("Go", false, Finding{Detail: "none", Fix: "install it"}), only("gopls", "completion", Finding{Detail: "none"})},
			want: "MISSING  Go     none\n                → install it\nabsent   gopls  none; only for completion\n" +
				"\nHolt cannot run here yet: mend what is MISSING.\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			if err := Run(context.Background(), &b, tt.checks, Cells); (err == nil) != tt.healthy || err != nil && err != ErrUnhealthy {
				t.Errorf("error is %v, and healthy should be %v", err, tt.healthy)
			}
			if b.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), tt.want)
			}
		})
	}
}

// Jupyter in a checkout's own environment counts, though it is not in PATH.
func TestJupyterBeside(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("PATH", filepath.Join(dir, "nothing"))
	for _, name := range []string{"JUPYTER_PATH", "JUPYTER_DATA_DIR", "XDG_DATA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX"} {
		t.Setenv(name, "")
	}
	venv := filepath.Join(dir, "checkout", ".venv")
	if f := lookJupyter(t.Context(), venv); f.OK || f.Detail != "no jupyter command in PATH" {
		t.Errorf("without an environment: %+v", f)
	}
	lab, kernel := filepath.Join(venv, "bin", "jupyter-lab"), filepath.Join(venv, "share", "jupyter", "kernels", "holt", "kernel.json")
	for file, text := range map[string]string{
		lab:    "#!/bin/sh\necho 4.6.6\n",
		kernel: `{"argv": ["` + filepath.Join(venv, "share", "holt", "bin", "holt") + `", "kernel"], "display_name": "Go (holt)"}`,
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if f := lookJupyter(t.Context(), venv); !f.OK || f.Detail != "jupyter-lab 4.6.6, "+lab+" (not in PATH; make lab uses it)" {
		t.Errorf("got %+v", f)
	}
	if f := lookJupyter(t.Context(), ""); f.OK {
		t.Errorf("without that environment: %+v", f)
	}
	if got := spec.Find(); len(got) > 0 && got[filepath.Dir(kernel)].DisplayName != "" {
		t.Errorf("Jupyter would not find %v", got)
	}
	if got := spec.Find(venv)[filepath.Dir(kernel)].DisplayName; got != "Go (holt)" {
		t.Errorf("the kernelspec in the environment is %q", got)
	}
}
