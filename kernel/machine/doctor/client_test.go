package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClient is the doctor of a laptop: with nothing, with ssh, and with a machine and Jupyter.
func TestClient(t *testing.T) {
	home, bin := t.TempDir(), t.TempDir()
	for _, name := range []string{"JUPYTER_PATH", "JUPYTER_DATA_DIR", "XDG_DATA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX"} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("HOLT_HOME", filepath.Join(home, "holt"))
	t.Setenv("PATH", bin)
	write := func(file, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	look := func(want error, says ...string) {
		t.Helper()
		var b strings.Builder
		if err := Run(t.Context(), &b, ClientChecks(), Client); err != want {
			t.Errorf("error is %v, want %v", err, want)
		}
		for _, s := range says {
			if !strings.Contains(b.String(), s) {
				t.Errorf("%q is not in\n%s", s, &b)
			}
		}
	}
	look(ErrUnhealthy, "absent   cells", "MISSING  ssh         no ssh is in PATH", "→ install OpenSSH's client",
		"absent   machines    none was added", "→ holt remote add NAME user@host", "cannot be used from here yet")
	write(filepath.Join(bin, "ssh"), "#!/bin/sh\necho 'OpenSSH_9.2p1, OpenSSL 3.0.17' >&2\n")
	look(nil, "ok       ssh         OpenSSH_9.2p1, OpenSSL 3.0.17, "+bin, "can be added from here", "Absent for JupyterLab and other front ends: Jupyter, kernelspec.")
	write(filepath.Join(home, "holt", "remote", "gpu.json"), `{"name": "gpu", "destination": "me@gpu.example"}`)
	write(filepath.Join(bin, "jupyter-lab"), "#!/bin/sh\necho 4.6.6\n")
	write(filepath.Join(bin, "holt"), "")
	write(filepath.Join(home, ".local/share/jupyter/kernels/holt-gpu/kernel.json"), `{"argv": ["`+bin+`/holt", "remote", "kernel", "gpu"], "display_name": "Go (holt) on gpu"}`)
	look(nil, "ok       machines    gpu (me@gpu.example)", "ok       Jupyter     jupyter-lab 4.6.6", `ok       kernelspec  "Go (holt) on gpu"`, "Kernels on other machines can be used from here.")
}

func TestNoCells(t *testing.T) {
	for system, want := range map[string]string{
		"darwin":  "cells do not run here, because Holt's host program and XLA's plugins for the processor are made for Linux, and not for macOS: run them on a Linux machine with holt remote add NAME user@host, in a container, or in a virtual machine",
		"windows": "cells do not run here, because Go has no plugins on Windows, and a cell is loaded as one: run them on a Linux machine with holt remote add NAME user@host, in a container, or in WSL",
		"plan9":   "cells do not run here, because Holt has no host program for plan9: run them on a Linux machine with holt remote add NAME user@host, in a container, or in a virtual machine",
	} {
		if got := NoCells(system); got != want {
			t.Errorf("%s: %s\nwant %s", system, got, want)
		}
	}
}
