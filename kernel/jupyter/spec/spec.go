// Package spec tells Jupyter about Holt: it writes and removes the kernelspec
// (https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs).
package spec

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/aside"
)

//go:embed logos/logo-32x32.png logos/logo-64x64.png logos/logo-svg.svg
var logos embed.FS

// Name and DisplayName are what Jupyter calls the kernel unless told otherwise.
const (
	Name        = "holt"
	DisplayName = "Go (holt)"
)

// Options say where to install; the zero value is for the current user.
type Options struct {
	Prefix      string // install below this folder, such as an environment of Python; empty means for the user
	SysPrefix   bool   // install below the environment of Python that is active
	Name        string // the kernel's name; empty means [Name]
	DisplayName string // what menus show; empty means [DisplayName]
	// What the program is started with; empty means "kernel", "-f" and the
	// connection file.
	Args []string
}

// Spec is a kernel.json.
type Spec struct {
	Argv          []string          `json:"argv"`
	DisplayName   string            `json:"display_name"`
	Language      string            `json:"language"`
	InterruptMode string            `json:"interrupt_mode"`
	Env           map[string]string `json:"env"`
	Metadata      map[string]any    `json:"metadata"`
}

// Installed is where a kernel was installed.
type Installed struct {
	Dir    string // the kernelspec's folder
	Binary string // the copy of holt that Jupyter starts
}

var validName = regexp.MustCompile(`^[a-zA-Z0-9._-]+$`)

// Install copies the holt that runs to a place that stays, and writes a
// kernelspec that starts the copy, and templates for nbconvert. What was
// installed before under the same name is replaced; kernels that run go on.
func Install(opt Options) (Installed, error) {
	self, err := os.Executable()
	if err != nil {
		return Installed{}, fmt.Errorf("spec: install: %w", err)
	}
	return install(opt, self)
}

func install(opt Options, self string) (Installed, error) {
	p, err := opt.places()
	if err != nil {
		return Installed{}, err
	}
	if err := copyBinary(self, p.Binary); err != nil {
		return Installed{}, fmt.Errorf("spec: install: %w", err)
	}
	spec := Spec{
		Argv:          append([]string{p.Binary}, opt.Args...),
		DisplayName:   opt.DisplayName,
		Language:      "go",
		InterruptMode: "message",
		Env:           environment(),
		Metadata:      map[string]any{},
	}
	if len(opt.Args) == 0 {
		spec.Argv = append(spec.Argv, "kernel", "-f", "{connection_file}")
	}
	if spec.DisplayName == "" {
		spec.DisplayName = DisplayName
	}
	if err := writeDir(p.Dir, spec); err != nil {
		return Installed{}, fmt.Errorf("spec: install: %w", err)
	}
	if err := writeTemplates(templatesDir(p.Dir)); err != nil {
		return Installed{}, fmt.Errorf("spec: install: %w", err)
	}
	return p, nil
}

// Uninstall removes what Install made. The binary and the templates stay while
// another kernelspec of the same place starts it.
func Uninstall(opt Options) (Installed, error) {
	p, err := opt.places()
	if err != nil {
		return Installed{}, err
	}
	if _, err := read(p.Dir); err != nil {
		return Installed{}, fmt.Errorf("spec: uninstall: no kernel in %s: %w", p.Dir, err)
	}
	if err := os.RemoveAll(p.Dir); err != nil {
		return Installed{}, fmt.Errorf("spec: uninstall: %w", err)
	}
	others, _ := filepath.Glob(filepath.Join(filepath.Dir(p.Dir), "*"))
	for _, dir := range others {
		if s, err := read(dir); err == nil && len(s.Argv) > 0 && s.Argv[0] == p.Binary {
			return p, nil
		}
	}
	if err := removeTemplates(templatesDir(p.Dir)); err != nil {
		return Installed{}, fmt.Errorf("spec: uninstall: %w", err)
	}
	if err := os.Remove(p.Binary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return Installed{}, fmt.Errorf("spec: uninstall: %w", err)
	}
	return p, nil
}

// Find returns the kernelspecs, by folder, that start a holt and that Jupyter
// finds for this user, or that are below one of the prefixes: environments of Python.
func Find(prefixes ...string) map[string]Spec {
	found := map[string]Spec{}
	dirs := dataDirs()
	for _, prefix := range prefixes {
		dirs = append(dirs, filepath.Join(prefix, "share", "jupyter"))
	}
	for _, dir := range dirs {
		specs, _ := filepath.Glob(filepath.Join(dir, "kernels", "*"))
		for _, d := range specs {
			if s, err := read(d); err == nil && s.startsHolt() {
				found[d] = s
			}
		}
	}
	return found
}

// startsHolt reports whether a kernel is holt: its binary, or the Python package that finds
// it, which pip installed.
func (s Spec) startsHolt() bool {
	return slices.Contains(s.Argv, "kernel") && (strings.HasPrefix(filepath.Base(s.Argv[0]), "holt") || slices.Contains(s.Argv, "holt_kernel"))
}

func read(dir string) (Spec, error) {
	var s Spec
	data, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("%s is not a kernelspec: %w", dir, err)
	}
	if len(s.Argv) == 0 {
		return s, fmt.Errorf("%s has no argv", dir)
	}
	return s, nil
}

// places says where the options put things.
func (o Options) places() (Installed, error) {
	name := o.Name
	if name == "" {
		name = Name
	}
	if !validName.MatchString(name) {
		return Installed{}, fmt.Errorf("spec: name is %q, want letters, digits, dots, hyphens and underscores", name)
	}
	name = strings.ToLower(name) // as Jupyter looks it up
	prefix := o.Prefix
	if o.SysPrefix {
		if prefix != "" {
			return Installed{}, errors.New("spec: both a prefix and --sys-prefix are given, want one; leave one out")
		}
		var err error
		if prefix, err = sysPrefix(); err != nil {
			return Installed{}, err
		}
	}
	if prefix != "" {
		abs, err := filepath.Abs(prefix)
		if err != nil {
			return Installed{}, fmt.Errorf("spec: prefix: %w", err)
		}
		share := filepath.Join(abs, "share")
		return Installed{
			Dir:    filepath.Join(share, "jupyter", "kernels", name),
			Binary: filepath.Join(share, "holt", "bin", program(runtime.GOOS)),
		}, nil
	}
	home, err := Home()
	if err != nil {
		return Installed{}, err
	}
	data, err := userDataDir()
	if err != nil {
		return Installed{}, err
	}
	return Installed{Dir: filepath.Join(data, "kernels", name), Binary: filepath.Join(home, "bin", program(runtime.GOOS))}, nil
}

// environment is what a kernel needs that a Jupyter started from a desktop
// lacks: the tools that are in PATH now, and where Holt keeps its files.
// Jupyter puts the PATH that it has in place of ${PATH}.
func environment() map[string]string {
	env := map[string]string{}
	path := []string{"${PATH}"}
	for _, tool := range []string{"go", "gcc", "ld.gold", "git"} {
		file, err := exec.LookPath(tool)
		if err != nil {
			continue
		}
		if file, err = filepath.Abs(file); err == nil && !slices.Contains(path, filepath.Dir(file)) {
			path = append(path, filepath.Dir(file))
		}
	}
	env["PATH"] = strings.Join(path, string(os.PathListSeparator))
	if dir := os.Getenv("HOLT_HOME"); dir != "" {
		if abs, err := filepath.Abs(dir); err == nil {
			env["HOLT_HOME"] = abs
		}
	}
	return env
}

// writeDir writes a kernelspec aside and puts it in the place of the old one.
func writeDir(dir string, spec Spec) error {
	return aside.Folder(dir, func(part string) error { return fill(part, spec) })
}

// fill makes a folder of the files of a kernelspec.
func fill(part string, spec Spec) error {
	if err := os.Mkdir(part, 0o755); err != nil {
		return err
	}
	data, err := json.MarshalIndent(spec, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(part, "kernel.json"), append(data, '\n'), 0o644); err != nil {
		return err
	}
	files, err := logos.ReadDir("logos")
	if err != nil {
		return err
	}
	for _, f := range files {
		data, err := logos.ReadFile("logos/" + f.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(part, f.Name()), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// copyBinary copies a program aside and renames it, as a running program
// cannot be written over.
func copyBinary(from, to string) error {
	a, err := os.Stat(from)
	if err != nil {
		return err
	}
	if b, err := os.Stat(to); err == nil && os.SameFile(a, b) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	write := func() error {
		return aside.WriteMode(to, 0o755, func(w io.Writer) error { _, err := io.Copy(w, in); return err })
	}
	if runtime.GOOS == "windows" {
		return replaceRunning(to, write)
	}
	return write()
}
