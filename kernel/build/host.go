package build

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/holt-dl/holt/internal/aside"
)

// build makes the archives and the host of the world in dir, whose go.mod is
// written already.
//
// The caller holds the folder's lock. The changed linker is built meanwhile, since both take
// their time and neither needs the other until the host is linked.
//
// The record comes last: with it the world is complete.
func (w *World) build(ctx context.Context, dir string) error {
	mod := filepath.Join(dir, "go.mod")
	linker := w.startLinker(ctx)
	w.opt.Progress("reading the packages of the host")
	// Whether all modules are in the module cache is found out without the network. Where
	// they are not, a proxy has to answer within seconds, or a person would look at a kernel
	// that starts for minutes.
	if _, err := w.goList(ctx, mod, []string{"GOPROXY=off"}, nil, "-deps", "-json=ImportPath", w.opt.Main); err != nil && ctx.Err() == nil {
		if err := w.Online(ctx, []string{"the modules of the host"}); err != nil {
			return err
		}
	}
	main, roots, err := w.hostPackages(ctx, mod)
	if err != nil {
		return err
	}
	std, err := w.standard(ctx, mod)
	if err != nil {
		return err
	}
	pkgs, err := w.archives(ctx, mod, everything, roots)
	if err != nil {
		return err
	}
	if err := w.finishHost(ctx, dir, main, pkgs, linker); err != nil {
		return err
	}
	return save(dir, record{Std: std, Packages: pkgs})
}

// finishHost makes what a world's folder holds besides its record, which is nothing where there
// is no host.
func (w *World) finishHost(ctx context.Context, dir string, main *listed, pkgs []*pkg, linker <-chan linkerBuilt) error {
	if w.opt.NoHost {
		return nil
	}
	if err := w.linkHost(ctx, dir, main, pkgs, linker); err != nil {
		return err
	}
	return w.writeExtld(dir, slices.ContainsFunc(pkgs, func(p *pkg) bool { return p.Path == "net" }))
}

// hostPackages returns the host's main package, and the packages that the host holds, but for
// those that they import.
//
// Where there is no host, they are those of the host's packages that need no C code and import
// none that does; one with a file nocgo.go, which a build without cgo takes, does without. What a
// cell imports, and what a name in it means, is then the same as with a host; only packages of the
// host itself and of backends are missing. Any Go compiles them for Linux, whatever system it runs
// on.
func (w *World) hostPackages(ctx context.Context, mod string) (*listed, []string, error) {
	main, err := w.hostMain(ctx, mod)
	if err != nil {
		return nil, nil, err
	}
	if !w.opt.NoHost {
		return main, main.roots(), nil
	}
	// With cgo, which lists packages that a build without it refuses. Go lists a package after
	// those that it imports.
	list, err := w.goList(ctx, mod, []string{"CGO_ENABLED=1"}, w.fetching, "-deps", "-json=ImportPath,Imports,CgoFiles,IgnoredGoFiles,Standard", w.opt.Main)
	if err != nil {
		return nil, nil, err
	}
	var roots []string
	needsC := map[string]bool{}
	for _, p := range list {
		if p.Standard { // it does without C
			continue
		}
		needs := len(p.CgoFiles) > 0 && !slices.Contains(p.IgnoredGoFiles, "nocgo.go")
		needsC[p.ImportPath] = needs || slices.ContainsFunc(p.Imports, func(path string) bool { return needsC[path] })
		if !needsC[p.ImportPath] {
			roots = append(roots, p.ImportPath)
		}
	}
	return main, roots, nil
}

// hostMain returns the host's main package.
func (w *World) hostMain(ctx context.Context, mod string) (*listed, error) {
	list, err := w.goList(ctx, mod, nil, w.fetching, "-json=Dir,GoFiles,Imports,Name", w.opt.Main)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 || list[0].Name != "main" {
		return nil, fmt.Errorf("build: %s is not one main package", w.opt.Main)
	}
	return &list[0], nil
}

// roots returns what the host imports, and what the linker adds to it: package runtime, and
// runtime/cgo where it links externally. Package plugin has to be there, or the linker makes a
// program that can load none.
func (p *listed) roots() []string {
	roots := []string{"runtime", "runtime/cgo", "plugin"}
	for _, path := range p.Imports {
		// Unsafe and C have no archive, and the others are in the list already.
		if path != "unsafe" && path != "C" && path != "plugin" && path != "runtime" {
			roots = append(roots, path)
		}
	}
	return roots
}

// linkHost links the host from the very archives that cells are compiled
// against, so that no plugin is refused.
//
// It is made in a temporary folder, and moved when it is whole. Linker gives the changed
// linker, or why there is none: then, and when that one fails, Go's own links the host, cells
// are linked with copies, and the reason is written into the file [unboundName], where Link
// finds it.
func (w *World) linkHost(ctx context.Context, dir string, main *listed, pkgs []*pkg, linker <-chan linkerBuilt) error {
	w.opt.Progress("linking the host")
	start := time.Now()
	tmp, err := os.MkdirTemp(dir, ".host-")
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	defer os.RemoveAll(tmp)
	var config strings.Builder
	for _, p := range pkgs {
		// The changed runtime is for the link alone: cells are compiled against Go's.
		file := p.File
		if p.Path == "runtime" {
			if changed, err := w.runtimeArchive(ctx, file); err == nil {
				file = changed
			} else if ctx.Err() == nil {
				slog.Warn("plugins are loaded by Go's own runtime, which takes longer", "why", err)
			}
		}
		fmt.Fprintf(&config, "packagefile %s=%s\n", p.Path, file)
	}
	cfg := filepath.Join(tmp, "importcfg")
	if err := os.WriteFile(cfg, []byte(config.String()), 0o644); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	archive := filepath.Join(tmp, "main.a")
	// A main package is compiled with -p main, whatever its import path is.
	args := append(w.compileFlags("main", main.Dir, cfg, archive), main.GoFiles...)
	if out, stderr, err := run(command(ctx, main.Dir, w.tc.env(), w.tc.tool("compile"), args...), nil); err != nil {
		return fmt.Errorf("build: compile the host: %w: %s%s", err, out, stderr)
	}
	host := filepath.Join(tmp, "host")
	// No -s: the host's own symbols are what plugins bind to, and its DWARF is
	// not needed, since Go's traces read the pclntab.
	args = []string{
		"-o", host, "-importcfg", cfg, "-linkmode=external", "-buildmode=exe", "-w",
		// The trace of a crash then names the cell that the goroutine belongs to.
		"-X=runtime.godebugDefault=tracebacklabels=1", "-extld", w.tc.CC, archive,
	}
	// An earlier attempt may have left its reason.
	why := filepath.Join(dir, unboundName)
	os.Remove(why)
	if err := w.linkBoundHost(ctx, dir, tmp, args, linker); err != nil && ctx.Err() == nil {
		slog.Warn("cells are linked by Go's own linker, which takes longer", "why", err)
		if err := os.WriteFile(why, []byte(err.Error()), 0o644); err != nil {
			return fmt.Errorf("build: %w", err)
		}
		_, stderr, err := run(command(ctx, tmp, w.tc.env("GOGC=400"), w.tc.tool("link"), args...), nil)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("build: link the host: %w: %s", err, stderr)
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("build: stopped: %w", context.Cause(ctx))
	}
	if err := aside.Move(host, filepath.Join(dir, "host")); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	w.opt.Progress(fmt.Sprintf("linked the host in %.1f s", time.Since(start).Seconds()))
	return nil
}
