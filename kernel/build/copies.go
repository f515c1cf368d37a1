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
//
// That takes as long as the compiler needs for all of the host's packages, once for a world.
// Lines of packages that the host lacks name the archives that cells are compiled against,
// which were made for plugins in the first place.
func (w *World) copies(ctx context.Context) (config string, err error) {
	// The second of two cells must not compile them again, but find them.
	w.copying.Lock()
	defer w.copying.Unlock()
	missing, damaged := w.uncopied()
	if len(missing) > 0 {
		if err := w.compileCopies(ctx, missing, damaged); err != nil {
			return "", err
		}
		// What was just compiled is looked at like everything else.
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

// compileCopies compiles the packages of the host that miss a copy, those with a damaged one
// among them, and takes the archives into the world.
//
// It holds the world's lock, under which uncopied must not be called: [World.sound] takes the
// lock while it holds what uncopied waits for.
func (w *World) compileCopies(ctx context.Context, missing, damaged []string) error {
	unlock, err := lock(ctx, filepath.Dir(w.Modfile())+".lock", func() { w.opt.Progress("waiting for another kernel that builds packages") })
	if err != nil {
		return err
	}
	defer unlock()
	if err := w.discard(ctx, damaged); err != nil {
		return err
	}
	pkgs, err := w.compiled(ctx, w.Modfile(), len(missing), copyFlags(), missing)
	if err != nil {
		return err
	}
	return w.keepCopies(pkgs)
}

// uncopied returns the packages of the host that [World.copies] has to compile, and
// those of their archives that are damaged.
//
// The damaged ones are among the paths too. An archive is read once in a session, as
// [World.sound] does with those that cells are compiled against.
func (w *World) uncopied() (paths, damaged []string) {
	w.verifying.Lock()
	defer w.verifying.Unlock()
	w.mu.RLock()
	defer w.mu.RUnlock()
	for path, p := range w.known {
		if !p.Host {
			continue
		}
		// An empty Copy is a file that does not exist.
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
//
// The go command lists all that the packages import, among which may be some that the host
// lacks: they are passed over.
func (w *World) keepCopies(pkgs []*pkg) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := maps.Clone(w.known)
	for _, p := range pkgs {
		if known := all[p.Path]; known != nil && known.Host {
			// Others read the known one meanwhile.
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
