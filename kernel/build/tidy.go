package build

import (
	"os"
	"path/filepath"
)

// Tidy removes the files of a unit that were needed to build and load it. With
// leaf, which says that no later unit imports this one, it removes its archive
// too, and reports whether the unit is to be forgotten: not when its plugin was
// the first to hold some package, to which later ones are bound. It does not wait for
// the removal, as [World.WaitTidy] does: a file system takes a millisecond for it.
func (w *World) Tidy(u Unit, b Built, leaf bool) (gone bool) {
	gone = leaf && !w.Carries(b.Archive)
	if gone {
		w.carrying.Delete(b.Archive)
	}
	w.tidying.Go(func() {
		if gone {
			os.RemoveAll(u.Dir)
			return
		}
		entries, err := os.ReadDir(u.Dir)
		if err != nil {
			return
		}
		keep := map[string]bool{filepath.Base(b.Archive): true, filepath.Base(symsFile(b.Archive)): true}
		for _, e := range entries {
			if !keep[e.Name()] {
				os.RemoveAll(filepath.Join(u.Dir, e.Name()))
			}
		}
	})
	return gone
}

// WaitTidy waits until all that [World.Tidy] removes is removed. Before that no unit may
// be built in a folder that an earlier unit had.
func (w *World) WaitTidy() { w.tidying.Wait() }
