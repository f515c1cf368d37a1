package build

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// copies returns the importcfg lines with which Go's own linker makes a plugin. It
// puts a copy of everything that the plugin reaches into it, the host's packages
// included, and a plugin's archives are made with -dynlink, which the host's are
// not. So the first such plugin has the host's packages compiled once more, for
// this and all later ones.
func (w *World) copies(ctx context.Context) (config string, err error) {
	w.copying.Lock()
	defer w.copying.Unlock()
	missing, damaged := w.uncopied()
	if len(missing) > 0 {
		unlock, err := lock(ctx, filepath.Dir(w.Modfile())+".lock", func() { w.opt.Progress("waiting for another kernel that builds packages") })
		if err != nil {
			return "", err
		}
		defer unlock()
		if err := w.discard(ctx, damaged); err != nil {
			return "", err
		}
		pkgs, err := w.compiled(ctx, w.Modfile(), len(missing), copyFlags(), missing)
		if err != nil {
			return "", err
		}
		if err := w.keepCopies(pkgs); err != nil {
			return "", err
		}
		if missing, damaged = w.uncopied(); len(damaged) > 0 {
			return "", &Damage{Files: damaged, Dir: w.cache}
		} else if len(missing) > 0 {
			return "", errors.New("build: go list named no archive of " + some(missing))
		}
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(w.known)) {
		file := w.known[path].File
		if w.known[path].Host {
			file = w.known[path].Copy
		}
		fmt.Fprintf(&b, "packagefile %s=%s\n", path, file)
	}
	return b.String(), nil
}

// uncopied returns the packages of the host that [World.copies] has to compile, and
// those of their archives that are damaged.
func (w *World) uncopied() (paths, damaged []string) {
	w.verifying.Lock()
	defer w.verifying.Unlock()
	w.mu.RLock()
	defer w.mu.RUnlock()
	for path, p := range w.known {
		if !p.Host {
			continue
		}
		archive := pkg{Path: path, File: p.Copy, ID: filepath.Base(p.Copy)}
		if _, err := os.Stat(p.Copy); err != nil {
			paths = append(paths, path)
		} else if !w.verified[archive.ID] {
			if archive.verify() != nil {
				paths, damaged = append(paths, path), append(damaged, p.Copy)
				continue
			}
			w.verified[archive.ID] = true
		}
	}
	slices.Sort(paths)
	return paths, damaged
}

// keepCopies takes the archives into the world and into its file.
func (w *World) keepCopies(pkgs []*pkg) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := maps.Clone(w.known)
	for _, p := range pkgs {
		if known := all[p.Path]; known != nil && known.Host {
			with := *known
			with.Copy = p.File
			all[p.Path] = &with
		}
	}
	rec := record{Std: w.std, Sums: w.sums, Packages: slices.Collect(maps.Values(all))}
	if err := save(w.dir, rec); err != nil {
		return err
	}
	w.set(rec)
	return nil
}
