package build

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// Adopt moves to a world that also has what another go.mod asks for: the
// requirements that are newer than the world's, all of its replace and exclude
// directives, and none that an earlier Adopt brought. Folders in it are
// relative to dir, and sum is its go.sum.
func (w *World) Adopt(ctx context.Context, mod, sum []byte, dir string) (Change, error) {
	w.adds.Lock()
	defer w.adds.Unlock()
	oldMod, oldSum, err := w.moduleFiles(w.Modfile())
	if err != nil {
		return Change{}, err
	}
	newMod, err := w.adopted(oldMod, mod, dir)
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
	if err := writeModuleFiles(tmp, newMod, mergeSums(oldSum, sum)); err != nil {
		return Change{}, err
	}
	file := filepath.Join(tmp, "go.mod")
	// The go command adds what the new requirements need in turn.
	if _, err := w.goList(ctx, file, nil, w.fetching, append([]string{"-deps", "-json=ImportPath"}, w.roots()...)...); err != nil {
		return Change{}, err
	}
	newMod, newSum, err := w.moduleFiles(file)
	if err != nil {
		return Change{}, err
	}
	c, err := w.move(ctx, file, newMod, newSum, nil)
	c.Fetched = newRequirements(string(oldMod), string(newMod))
	return c, err
}

// Required lists what go.mod requires beyond the source's, as "path version".
func (w *World) Required() ([]string, error) {
	source, _, err := w.moduleFiles("")
	if err != nil {
		return nil, err
	}
	mod, _, err := w.moduleFiles(w.Modfile())
	return newRequirements(string(source), string(mod)), err
}

// Replaced lists the folders beside the notebook that stand for modules, by
// module.
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

// adopted is the go.mod of [World.Adopt].
func (w *World) adopted(oldMod, mod []byte, dir string) ([]byte, error) {
	source, _, err := w.moduleFiles("")
	if err != nil {
		return nil, err
	}
	base, err := modfile.Parse("go.mod", source, nil)
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	to, err := modfile.Parse("go.mod", oldMod, nil)
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	from, err := modfile.Parse(filepath.Join(dir, "go.mod"), mod, nil)
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	for _, r := range to.Replace {
		if !slices.ContainsFunc(base.Replace, func(b *modfile.Replace) bool { return b.Old == r.Old }) {
			if err := to.DropReplace(r.Old.Path, r.Old.Version); err != nil {
				return nil, fmt.Errorf("build: %w", err)
			}
			// Without its folder there is no such version.
			if slices.ContainsFunc(to.Require, func(q *modfile.Require) bool { return q.Mod.Path == r.Old.Path && q.Mod.Version == localVersion }) {
				if err := to.DropRequire(r.Old.Path); err != nil {
					return nil, fmt.Errorf("build: %w", err)
				}
			}
		}
	}
	have := map[string]string{}
	for _, r := range to.Require {
		have[r.Mod.Path] = r.Mod.Version
	}
	for _, r := range from.Require {
		if semver.Compare(r.Mod.Version, have[r.Mod.Path]) > 0 {
			if err := to.AddRequire(r.Mod.Path, r.Mod.Version); err != nil {
				return nil, fmt.Errorf("build: %w", err)
			}
		}
	}
	for _, r := range from.Replace {
		path := r.New.Path
		if r.New.Version == "" && !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if err := to.AddReplace(r.Old.Path, r.Old.Version, path, r.New.Version); err != nil {
			return nil, fmt.Errorf("build: %w", err)
		}
	}
	for _, e := range from.Exclude {
		if err := to.AddExclude(e.Mod.Path, e.Mod.Version); err != nil {
			return nil, fmt.Errorf("build: %w", err)
		}
	}
	to.Cleanup()
	text, err := to.Format()
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	return text, nil
}

// mergeSums joins the lines of two go.sum files.
func mergeSums(a, b []byte) []byte {
	var lines []string
	for line := range strings.Lines(string(a) + "\n" + string(b)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line+"\n")
		}
	}
	slices.Sort(lines)
	return []byte(strings.Join(slices.Compact(lines), ""))
}
