package build

import (
	"os"
	"path/filepath"
)

// Tidy removes the files of a unit that were needed to build and load it. With
// leaf, which says that no later unit imports this one, it removes its archive
// too, and reports whether the unit is to be forgotten: not when its plugin was
// the first to hold some package, to which later ones are bound.
func (w *World) Tidy(u Unit, b Built, leaf bool) (gone bool) {
	if leaf && !w.Carries(b.Archive) {
		w.carrying.Delete(b.Archive)
		os.RemoveAll(u.Dir)
		return true
	}
	entries, err := os.ReadDir(u.Dir)
	if err != nil {
		return false
	}
	keep := map[string]bool{filepath.Base(b.Archive): true, filepath.Base(symsFile(b.Archive)): true}
	for _, e := range entries {
		if !keep[e.Name()] {
			os.RemoveAll(filepath.Join(u.Dir, e.Name()))
		}
	}
	return false
}
