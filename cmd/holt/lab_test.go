package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/jupyter/spec"
)

// TestLab opens the course with a JupyterLab that only says what it was given.
func TestLab(t *testing.T) {
	home, bin := t.TempDir(), t.TempDir()
	for _, name := range []string{"JUPYTER_PATH", "JUPYTER_DATA_DIR", "XDG_DATA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("HOLT_HOME", filepath.Join(home, "holt"))
	t.Setenv("PATH", bin)
	if err := (labCmd{}).Run(); err == nil || !strings.HasPrefix(err.Error(), "lab: there is no jupyter-lab in PATH or beside ") {
		t.Errorf("without JupyterLab: %v", err)
	}
	said := filepath.Join(home, "said")
	script := "#!/bin/sh\necho \"$@\" >" + said + "\nexit $STATUS\n"
	if err := os.WriteFile(filepath.Join(bin, "jupyter-lab"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STATUS", "0")
	if err := (labCmd{Args: []string{"--no-browser"}}).Run(); err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(home, "holt-course", "quickstart.ipynb")
	if got, err := os.ReadFile(said); err != nil || string(got) != "--no-browser "+first+"\n" {
		t.Errorf("it was given %q (%v)", got, err)
	}
	if _, err := os.Stat(first); err != nil {
		t.Error(err)
	}
	if len(spec.Find()) != 1 {
		t.Errorf("Jupyter finds %v, want the kernelspec that was installed", spec.Find())
	}
	t.Setenv("STATUS", "3")
	other := filepath.Join(home, "other")
	if err := (labCmd{Dir: other}).Run(); err == nil || !strings.HasSuffix(err.Error(), "jupyter-lab: exit status 3") {
		t.Errorf("JupyterLab that fails: %v", err)
	}
	if got, _ := os.ReadFile(said); string(got) != filepath.Join(other, "quickstart.ipynb")+"\n" {
		t.Errorf("with --dir it was given %q", got)
	}
}
