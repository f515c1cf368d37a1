package build

import (
	"os"
	"path/filepath"
	"sync"
)

// tidying is what is being removed.
type tidying struct {
	mu   sync.Mutex
	dirs map[string]chan struct{} // closed when it is done, by the units' folders
}

// begin notes that something is removed from a folder until end is called.
func (t *tidying) begin(dir string) (end func()) {
	done := make(chan struct{})
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dirs == nil {
		t.dirs = map[string]chan struct{}{}
	}
	t.dirs[dir] = done
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.dirs[dir] == done {
			delete(t.dirs, dir)
		}
		close(done)
	}
}

// wait waits until nothing more is removed from a folder. A unit may have the folder of an
// earlier one: that of a cell whose program failed, and of all cells after the notebook
// was reset.
func (t *tidying) wait(dir string) {
	t.mu.Lock()
	done := t.dirs[dir]
	t.mu.Unlock()
	if done != nil {
		<-done
	}
}

// waitAll waits until nothing is removed any more.
func (t *tidying) waitAll() {
	for {
		t.mu.Lock()
		var done chan struct{}
		for _, done = range t.dirs {
			break
		}
		t.mu.Unlock()
		if done == nil {
			return
		}
		<-done
	}
}

// Tidy removes the files of a unit that were needed to build and load it. With
// leaf, which says that no later unit imports this one, it removes its archive
// too, and reports whether the unit is to be forgotten: not when its plugin was
// the first to hold some package, to which later ones are bound. It does not wait for
// the removal, for which a file system takes a millisecond: a later unit in the same folder
// does, and [World.Close].
func (w *World) Tidy(u Unit, b Built, leaf bool) (gone bool) {
	gone = leaf && !w.Carries(b.Archive)
	if gone {
		w.carrying.Delete(b.Archive)
	}
	end := w.tidying.begin(u.Dir)
	go func() {
		defer end()
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
	}()
	return gone
}
