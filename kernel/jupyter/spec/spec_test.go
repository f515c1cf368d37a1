package spec

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestInstall(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_DATA_HOME", "")
	t.Setenv("JUPYTER_DATA_DIR", "")
	t.Setenv("HOLT_HOME", "")
	t.Setenv("VIRTUAL_ENV", filepath.Join(home, "venv"))
	self := filepath.Join(home, "built", "holt")
	if err := os.MkdirAll(filepath.Dir(self), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(self, []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	prefix := filepath.Join(home, "env")
	tests := []struct {
		name        string
		opt         Options
		dir, binary string
		display     string
		err         string
	}{
		{name: "user", dir: ".local/share/jupyter/kernels/holt", binary: ".local/share/holt/bin/holt", display: "Go (holt)"},
		{name: "prefix", opt: Options{Prefix: prefix, Name: "Holt-2", DisplayName: "Go 2"}, dir: "env/share/jupyter/kernels/holt-2", binary: "env/share/holt/bin/holt", display: "Go 2"},
		{name: "environment", opt: Options{SysPrefix: true}, dir: "venv/share/jupyter/kernels/holt", binary: "venv/share/holt/bin/holt", display: "Go (holt)"},
		{name: "bad name", opt: Options{Name: "../x"}, err: `spec: name is "../x", want letters, digits, dots, hyphens and underscores`},
		{name: "two places", opt: Options{Prefix: prefix, SysPrefix: true}, err: "spec: both a prefix and --sys-prefix are given, want one; leave one out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for range 2 { // again over itself
				got, err := install(tt.opt, self)
				if tt.err != "" {
					if err == nil || err.Error() != tt.err {
						t.Fatalf("error is %v\nwant %s", err, tt.err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if want := (Installed{filepath.Join(home, tt.dir), filepath.Join(home, tt.binary)}); got != want {
					t.Fatalf("got %v\nwant %v", got, want)
				}
			}
			spec, err := read(filepath.Join(home, tt.dir))
			if err != nil {
				t.Fatal(err)
			}
			if spec.Argv[0] != filepath.Join(home, tt.binary) || strings.Join(spec.Argv[1:], " ") != "kernel -f {connection_file}" {
				t.Errorf("argv is %q", spec.Argv)
			}
			if spec.InterruptMode != "message" || spec.Language != "go" || spec.DisplayName != tt.display {
				t.Errorf("spec is %+v", spec)
			}
			if !strings.HasPrefix(spec.Env["PATH"], "${PATH}") {
				t.Errorf("PATH is %q", spec.Env["PATH"])
			}
			if info, err := os.Stat(filepath.Join(home, tt.binary)); err != nil || info.Mode()&0o111 == 0 {
				t.Errorf("the binary is %v, %v", info, err)
			}
			if info, err := os.Stat(filepath.Join(home, tt.dir)); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("the folder is %v, %v", info, err)
			}
			if _, err := os.Stat(filepath.Join(home, tt.dir, "logo-svg.svg")); err != nil {
				t.Error(err)
			}
			template := filepath.Join(templatesDir(filepath.Join(home, tt.dir)), "holt", "index.html.j2")
			if _, err := os.Stat(template); err != nil {
				t.Error(err)
			}
			if tt.name != "prefix" && Find()[filepath.Join(home, tt.dir)].DisplayName != tt.display {
				t.Errorf("Find does not find it: %v", Find())
			}
			if _, err := Uninstall(tt.opt); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(home, tt.binary)); !os.IsNotExist(err) {
				t.Errorf("the binary is still there: %v", err)
			}
			if _, err := os.Stat(template); !os.IsNotExist(err) {
				t.Errorf("the template is still there: %v", err)
			}
			if _, err := Uninstall(tt.opt); err == nil || !strings.Contains(err.Error(), "spec: uninstall: no kernel in") {
				t.Errorf("second uninstall: %v", err)
			}
		})
	}
}

func TestUninstallKeepsSharedBinary(t *testing.T) {
	dir := t.TempDir()
	self := filepath.Join(dir, "holt")
	if err := os.WriteFile(self, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	a, b := Options{Prefix: dir, Name: "a"}, Options{Prefix: dir, Name: "b"}
	for _, o := range []Options{a, b} {
		if _, err := install(o, self); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Uninstall(a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p.Binary); err != nil {
		t.Errorf("the binary of the other kernel is gone: %v", err)
	}
	if _, err := os.Stat(filepath.Join(templatesDir(p.Dir), "holt-latex")); err != nil {
		t.Errorf("the templates of the other kernel are gone: %v", err)
	}
}

func TestLogos(t *testing.T) {
	for name, side := range map[string]int{"logo-32x32.png": 32, "logo-64x64.png": 64} {
		data, err := logos.ReadFile("logos/" + name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := png.DecodeConfig(bytes.NewReader(data))
		if err != nil || c.Width != side || c.Height != side {
			t.Errorf("%s is %d×%d, %v", name, c.Width, c.Height, err)
		}
	}
}

func TestStartsHolt(t *testing.T) {
	for argv, want := range map[string]bool{
		"/home/me/.local/share/holt/bin/holt kernel -f x": true,
		"/home/me/bin/holt remote kernel gpu -f x":        true,
		"python -m holt_kernel kernel -f x":               true,
		"python -m ipykernel_launcher -f x":               false,
		"gonb --kernel x":                                 false,
	} {
		if got := (Spec{Argv: strings.Fields(argv)}).startsHolt(); got != want {
			t.Errorf("%s: %v, want %v", argv, got, want)
		}
	}
}
