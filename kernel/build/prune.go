package build

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
)

// prune removes worlds that no kernel uses, all but the three used last and
// those of the last day, and what only they needed.
//
// It runs after a world was built, which takes so long that this does not matter. It waits for no
// lock, and what it cannot do is left for the next time: errors are no reason to report anything.
// The files of locks stay. To remove one would let two kernels lock two files of one name.
//
// Archives are removed by what the records of all remaining worlds name. One that is younger
// than a day may be of a world that is being built, whose record is not written yet.
func (w *World) prune() {
	type old struct {
		dir  string
		used time.Time
	}
	var worlds []old
	locks, _ := filepath.Glob(filepath.Join(w.cache, "worlds", "*", "use.lock"))
	for _, file := range locks {
		if info, err := os.Stat(file); err == nil {
			worlds = append(worlds, old{filepath.Dir(file), info.ModTime()})
		}
	}
	slices.SortFunc(worlds, func(a, b old) int { return b.used.Compare(a.used) })
	w.pruneTools()
	removed := false
	for i, o := range worlds {
		if i < 3 || time.Since(o.used) < 24*time.Hour {
			continue
		}
		removed = remove(o.dir) || removed
	}
	if !removed {
		return
	}
	// Without a complete list of what is needed, no archive is removed.
	keep := map[string]bool{}
	records, _ := filepath.Glob(filepath.Join(w.cache, "worlds", "*", "packages.json"))
	for _, file := range records {
		rec, err := readRecord(filepath.Dir(file))
		if err != nil {
			return
		}
		for _, p := range rec.Packages {
			keep[p.File], keep[p.Copy] = true, true
		}
	}
	archives, _ := filepath.Glob(filepath.Join(w.cache, "pkg", "*"))
	for _, file := range archives {
		info, err := os.Stat(file)
		if err == nil && !keep[file] && time.Since(info.ModTime()) > 24*time.Hour {
			os.Remove(file)
		}
	}
}

// remove removes a world's folder, unless a kernel uses it, or builds in it.
func remove(dir string) bool {
	// A kernel that finds the world gone builds it again under this lock, and must not begin
	// before all of it is removed.
	build := flock.New(dir + ".lock")
	if ok, err := build.TryLock(); err != nil || !ok {
		return false
	}
	defer build.Unlock()
	// Each kernel that uses it holds this one shared.
	use := flock.New(filepath.Join(dir, "use.lock"))
	if ok, err := use.TryLock(); err != nil || !ok {
		return false
	}
	defer use.Unlock()
	os.RemoveAll(dir)
	return true
}

// pruneTools removes the compilers and linkers that were made of Go's sources for another
// Go or another Holt: those not used for a week. A linker that a world has is the world's,
// under a second name.
//
// A compiler's time is that of the last session that used it ([compilerBuild.start]).
func (w *World) pruneTools() {
	for _, kind := range []string{"compiler", "linker"} {
		tools, _ := filepath.Glob(filepath.Join(w.cache, kind, "*", "*"))
		for _, file := range tools {
			info, err := os.Stat(file)
			if err != nil || time.Since(info.ModTime()) < 7*24*time.Hour {
				continue
			}
			if linked(info) {
				continue
			}
			dir := filepath.Dir(file)
			l := flock.New(dir + ".lock") // of a kernel that makes it
			if ok, err := l.TryLock(); err != nil || !ok {
				continue
			}
			os.RemoveAll(dir)
			l.Unlock()
		}
	}
}
