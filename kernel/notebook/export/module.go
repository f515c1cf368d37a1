package export

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Module is what go.mod is made of.
type Module struct {
	Modfile string // the go.mod of the packages that the notebook was checked against, its go.sum beside it
	Go      string // the go command
	// Release is the version of Holt that the module proxy has, for a program that
	// uses it. Without one, Source is copied into the program's folder.
	Release string
	Source  fs.FS
}

// mark stands in every main.go that is written.
const mark = "// Holt wrote it: holt export."

// Save writes the program to a folder, with a go.mod that names the versions
// of the modules that the notebook ran with. Files of an earlier export are
// replaced; a main.go of other origin is an error.
func (p *Program) Save(ctx context.Context, dir string, m Module) error {
	if old, err := os.ReadFile(filepath.Join(dir, "main.go")); err == nil && !bytes.Contains(old, []byte(mark)) {
		return fmt.Errorf("export: %s holds a main.go that holt export did not write; name another folder with -o", dir)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	os.Remove(filepath.Join(dir, "support.go"))
	os.Remove(filepath.Join(dir, "backend.go"))
	for name, text := range p.Files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			return err
		}
	}
	return p.saveModule(ctx, dir, m)
}

// saveModule writes go.mod and go.sum.
func (p *Program) saveModule(ctx context.Context, dir string, m Module) error {
	mod, err := os.ReadFile(m.Modfile)
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(strings.TrimSuffix(m.Modfile, ".mod") + ".sum")
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	version, rest := "", ""
	for line := range strings.Lines(string(mod)) {
		switch {
		case strings.HasPrefix(line, "module "):
		case strings.HasPrefix(line, "go "):
			version = line
		default:
			rest += line
		}
	}
	// A name of one part could be that of a package of the standard library.
	head := "module notebook/" + p.Name + "\n\n" + version
	write := func(text string, sum []byte) error {
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o666); err != nil {
			return err
		}
		if len(sum) == 0 {
			os.Remove(filepath.Join(dir, "go.sum"))
			return nil
		}
		return os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o666)
	}
	if !slices.ContainsFunc(p.Imports, func(path string) bool { return strings.Contains(strings.SplitN(path, "/", 2)[0], ".") }) {
		return write(head, nil)
	}
	replace := ""
	if slices.ContainsFunc(p.Imports, func(path string) bool { return path == holtPath || strings.HasPrefix(path, holtPath+"/") }) {
		release := m.Release
		if release == "" {
			release = "v0.0.0"
			replace = "\nreplace " + holtPath + " => ./holt\n"
			if err := copySource(m.Source, filepath.Join(dir, "holt")); err != nil {
				return err
			}
		}
		rest += "\nrequire " + holtPath + " " + release + "\n"
	}
	if err := write(head+rest+replace, sum); err != nil {
		return err
	}
	// Only what the program needs is worth naming; what cannot be found out
	// without a network stays as it is.
	used, err := modules(ctx, dir, m.Go)
	if err != nil {
		return nil
	}
	return write(head+prune(rest, used)+replace, sum)
}

// modules lists the modules that a program's packages are of, on Linux, where the notebook runs,
// and here.
func modules(ctx context.Context, dir, goCommand string) (map[string]bool, error) {
	used := map[string]bool{}
	for _, system := range slices.Compact([]string{"linux", runtime.GOOS}) {
		cmd := exec.CommandContext(ctx, goCommand, "list", "-mod=mod", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off", "GOOS="+system)
		out, err := cmd.Output()
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(out)) {
			used[strings.TrimSpace(line)] = true
		}
	}
	return used, nil
}

// prune leaves out the requirements of modules that are not used.
func prune(mod string, used map[string]bool) string {
	var b strings.Builder
	block := false
	for line := range strings.Lines(mod) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 2 && fields[0] == "require" && fields[1] == "(":
			block = true
		case block && len(fields) == 1 && fields[0] == ")":
			block = false
		case block && len(fields) > 1 && !used[fields[0]], len(fields) > 2 && fields[0] == "require" && !used[fields[1]]:
			continue
		}
		b.WriteString(line)
	}
	return strings.ReplaceAll(b.String(), "require (\n)\n\n", "")
}

// copySource writes the packages of Holt that programs use.
func copySource(source fs.FS, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return fs.WalkDir(source, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == "cmd" || name == "kernel":
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(dir, name), 0o777)
		}
		text, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), text, 0o666)
	})
}
