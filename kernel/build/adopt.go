package build

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// Adopt moves to a world that also has what another go.mod requires: the
// requirements that are newer than the world's, all of its replace and exclude
// directives, and no other replace directives than those and the source's.
// Folders in it are relative to dir, and sum is its go.sum. A fresh world
// begins with the requirements of the source alone. Packages of modules that
// are not there any more are unknown again.
//
// It serves the go.mod that a session's go commands edit, where Add serves imports. What the
// world requires and the other go.mod does not stays required, unless fresh.
//
// Where nothing would change it returns at once.
func (w *World) Adopt(ctx context.Context, mod, sum []byte, dir string, fresh bool) (c Change, err error) {
	w.adds.Lock()
	defer w.adds.Unlock()
	oldMod, oldSum, err := w.moduleFiles(w.Modfile())
	if err != nil {
		return Change{}, err
	}
	newMod, gone, err := w.adopted(oldMod, mod, dir, fresh)
	if err != nil {
		return Change{}, err
	}
	if string(newMod) == string(oldMod) {
		return Change{}, nil
	}
	unlock, err := lock(ctx, filepath.Dir(w.Modfile())+".lock", func() { w.opt.Progress("waiting for another kernel that builds packages") })
	if err != nil {
		return Change{}, err
	}
	defer unlock()
	tmp, err := os.MkdirTemp(filepath.Join(w.cache, "worlds"), ".adopt-")
	if err != nil {
		return Change{}, fmt.Errorf("build: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := writeModuleFiles(tmp, newMod, mergeLines(oldSum, sum)); err != nil {
		return Change{}, err
	}
	file := filepath.Join(tmp, "go.mod")
	// Before the roots are asked for: packages of modules that are gone could not be found.
	lost, putBack := w.forget(gone)
	defer func() {
		if err != nil {
			putBack()
		}
	}()
	// The go command adds what the new requirements need in turn.
	if _, err := w.goList(ctx, file, nil, w.fetching, append([]string{"-deps", "-json=ImportPath"}, w.roots()...)...); err != nil {
		return Change{}, err
	}
	newMod, newSum, err := w.moduleFiles(file)
	if err != nil {
		return Change{}, err
	}
	c, err = w.move(ctx, file, newMod, newSum, nil)
	c.Fetched = newRequirements(string(oldMod), string(newMod))
	c.NewHost = c.NewHost || lost // cells hold those packages
	return c, err
}

// forget makes the packages of modules unknown, and reports whether there were any. PutBack makes
// them known again, where the move to another world failed.
//
// Those of the host stay: it holds them, whatever go.mod says. The importcfg keeps their
// lines until the next record is taken over.
func (w *World) forget(modules map[string]bool) (lost bool, putBack func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	dir, known := w.dir, maps.Clone(w.known)
	maps.DeleteFunc(w.known, func(path string, p *pkg) bool { return !p.Host && moduleOf(modules, path) != "" })
	return len(w.known) < len(known), func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.dir == dir { // else the other world is loaded, and only its record could not be changed
			w.known = known
		}
	}
}

// Required lists what go.mod requires beyond the source's, as "path version".
//
// They are what cells have brought, and what those modules need in turn.
func (w *World) Required() ([]string, error) {
	source, _, err := w.moduleFiles("")
	if err != nil {
		return nil, err
	}
	mod, _, err := w.moduleFiles(w.Modfile())
	return newRequirements(string(source), string(mod)), err
}

// Replaced lists the folders beside the notebook that replace modules, by
// module.
//
// Replacements by other modules are not among them, nor those of Holt's own go.mod.
func (w *World) Replaced() (map[string]string, error) {
	source, _, err := w.moduleFiles("")
	if err != nil {
		return nil, err
	}
	mod, _, err := w.moduleFiles(w.Modfile())
	if err != nil {
		return nil, err
	}
	folders := map[string]string{}
	for i, text := range [][]byte{mod, source} {
		f, err := modfile.Parse("go.mod", text, nil)
		if err != nil {
			return nil, fmt.Errorf("build: %w", err)
		}
		for _, r := range f.Replace {
			if i == 0 && r.New.Version == "" {
				folders[r.Old.Path] = r.New.Path
			} else if i == 1 { // Holt's own
				delete(folders, r.Old.Path)
			}
		}
	}
	return folders, nil
}

// Provides returns an error unless a package is of the standard library, or of
// a module that is required and in the module cache.
//
// It uses no network, and changes no go.mod.
func (w *World) Provides(ctx context.Context, path string) error {
	if _, ok := w.Export(path); ok {
		return nil
	}
	_, err := w.goList(ctx, w.Modfile(), []string{"GOPROXY=off", "GOFLAGS=-mod=readonly"}, nil, "-json=ImportPath", path)
	return err
}

// roots are the packages that were asked for, and those of the host.
func (w *World) roots() []string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	var roots []string
	for path, p := range w.known {
		if p.Root || p.Host {
			roots = append(roots, path)
		}
	}
	slices.Sort(roots)
	return roots
}

// adopted is the go.mod of [World.Adopt]; gone are the modules that it does not
// require any more.
//
// Mod is the other go.mod, and dir the folder that its relative paths are below.
//
// The texts are parsed one by one, also where two are the same, since "to" is changed in
// place: base is the source's, old the world's, to what becomes the result, and from the
// other one.
func (w *World) adopted(oldMod, mod []byte, dir string, fresh bool) (text []byte, gone map[string]bool, err error) {
	source, _, err := w.moduleFiles("")
	if err != nil {
		return nil, nil, err
	}
	begin := oldMod
	if fresh {
		begin = source
	}
	var parsed [4]*modfile.File
	for i, text := range [][]byte{source, oldMod, begin, mod} {
		if parsed[i], err = modfile.Parse("go.mod", text, nil); err != nil {
			return nil, nil, fmt.Errorf("build: %w", err)
		}
	}
	base, old, to, from := parsed[0], parsed[1], parsed[2], parsed[3]
	// Out with replacements that an earlier go.mod or workspace brought. A module that was
	// required only for such a folder has no version that a proxy knows: it goes too, unless
	// the other go.mod replaces it again.
	for _, r := range old.Replace {
		if !slices.ContainsFunc(base.Replace, func(b *modfile.Replace) bool { return b.Old == r.Old }) {
			to.DropReplace(r.Old.Path, r.Old.Version)
			if !slices.ContainsFunc(from.Replace, func(f *modfile.Replace) bool { return f.Old.Path == r.Old.Path }) &&
				slices.ContainsFunc(to.Require, func(q *modfile.Require) bool { return q.Mod.Path == r.Old.Path && q.Mod.Version == localVersion }) {
				to.DropRequire(r.Old.Path)
			}
		}
	}
	to.Cleanup()
	// In with the requirements that are newer: never back, as in Go's minimal version
	// selection.
	have := map[string]string{}
	for _, r := range to.Require {
		have[r.Mod.Path] = r.Mod.Version
	}
	for _, r := range from.Require {
		if semver.Compare(r.Mod.Version, have[r.Mod.Path]) > 0 {
			if err := to.AddRequire(r.Mod.Path, r.Mod.Version); err != nil {
				return nil, nil, fmt.Errorf("build: %w", err)
			}
		}
	}
	// In with all replacements and exclusions.
	for _, r := range from.Replace {
		path := r.New.Path
		if r.New.Version == "" {
			path = absolute(dir, path)
		}
		if err := to.AddReplace(r.Old.Path, r.Old.Version, path, r.New.Version); err != nil {
			return nil, nil, fmt.Errorf("build: %w", err)
		}
	}
	for _, e := range from.Exclude {
		if err := to.AddExclude(e.Mod.Path, e.Mod.Version); err != nil {
			return nil, nil, fmt.Errorf("build: %w", err)
		}
	}
	to.Cleanup()
	// What was required and is not any more.
	gone = map[string]bool{}
	for _, r := range old.Require {
		gone[r.Mod.Path] = true
	}
	for _, r := range to.Require {
		delete(gone, r.Mod.Path)
	}
	if text, err = to.Format(); err != nil {
		return nil, nil, fmt.Errorf("build: %w", err)
	}
	return text, gone, nil
}
