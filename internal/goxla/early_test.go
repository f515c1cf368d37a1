package goxla

import (
	"errors"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/holt-dl/holt/internal/executables"
)

// loader stands for a plugin: it counts what is loaded, and the executable "bad" cannot be.
type loader struct {
	loads    []string
	unloaded int
}

func (l *loader) early(store executables.Store) *early {
	return &early{store: store,
		load: func(executable []byte) (unsafe.Pointer, error) {
			l.loads = append(l.loads, string(executable))
			if string(executable) == "bad" {
				return nil, errors.New("refused")
			}
			return unsafe.Pointer(unsafe.SliceData(executable)), nil
		},
		unload: func(unsafe.Pointer) { l.unloaded++ }}
}

func TestEarly(t *testing.T) {
	store := executables.Store{Dir: t.TempDir(), Limit: 1 << 20}
	key := func(name string) executables.Key { return executables.KeyOf([]byte(name)) }
	for _, name := range []string{"a", "b", "c", "d", "bad"} {
		if err := store.Save(key(name), []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	// run is a kernel that begins, uses some executables, and returns those of them that were
	// loaded early. all says whether it runs for long.
	run := func(notebook string, all bool, uses ...string) (l *loader, found []string) {
		l = &loader{}
		e := l.early(store)
		e.begin([]byte("machine"), notebook)
		for _, name := range uses {
			if e.take(key(name)) != nil {
				found = append(found, name)
			}
			e.used(key(name))
		}
		if all {
			e.end()
		}
		e.write()
		return l, found
	}
	check := func(what string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	l, found := run("n", true, "a", "b", "c", "bad")
	check("the first kernel loads", l.loads, nil)
	check("and finds", found, nil)
	l, found = run("other", true, "d")
	check("another notebook's loads", l.loads, nil)
	check("and finds", found, nil)
	l, found = run("n", false, "a", "d")
	check("the second one loads", l.loads, []string{"a", "b", "c", "bad"})
	check("and finds", found, []string{"a"})
	// It ended soon, so that b and c may still be the notebook's.
	l, found = run("n", true, "b", "a")
	check("the third one loads", l.loads, []string{"a", "d", "b", "c", "bad"})
	check("and finds", found, []string{"b", "a"})
	if l.unloaded != 2 {
		t.Errorf("%d are unloaded, want c and d", l.unloaded)
	}
	store.Remove(key("a"))
	l, found = run("n", true, "b", "a")
	check("the fourth one loads", l.loads, []string{"b"})
	check("and finds", found, []string{"b"})
}

// TestEarlyUsed has an executable used while others wait to be loaded.
func TestEarlyUsed(t *testing.T) {
	store := executables.Store{Dir: filepath.Join(t.TempDir(), "new"), Limit: 1 << 20}
	k := executables.KeyOf([]byte("a"))
	if err := store.Save(k, []byte("a")); err != nil {
		t.Fatal(err)
	}
	l := &loader{}
	e := l.early(store)
	e.before = []executables.Key{k}
	e.used(k)
	e.loadOne(k)
	e.end()
	e.loadOne(k)
	if len(l.loads) > 0 {
		t.Errorf("%q are loaded", l.loads)
	}
	if (*early)(nil).take(k) != nil {
		t.Error("none has one")
	}
	(*early)(nil).used(k)
}

// TestEarlyBusy has an executable wanted that the thread in the background is just loading, and
// does not get done.
func TestEarlyBusy(t *testing.T) {
	store := executables.Store{Dir: t.TempDir(), Limit: 1 << 20}
	k := executables.KeyOf([]byte("a"))
	if err := store.Save(k, []byte("a")); err != nil {
		t.Fatal(err)
	}
	begun, goOn, unloaded := make(chan bool), make(chan bool), make(chan unsafe.Pointer)
	var loads atomic.Int64
	background := unsafe.Pointer(new(int))
	e := &early{store: store, before: []executables.Key{k},
		load: func(executable []byte) (unsafe.Pointer, error) {
			if loads.Add(1) == 1 {
				begun <- true
				<-goOn
				return background, nil
			}
			return unsafe.Pointer(unsafe.SliceData(executable)), nil
		},
		unload: func(loaded unsafe.Pointer) { unloaded <- loaded }}
	go e.loadOne(k)
	<-begun
	if got := e.take(k); got == nil || got == background {
		t.Errorf("%v is taken, want what is loaded meanwhile", got)
	}
	close(goOn)
	if got := <-unloaded; got != background {
		t.Errorf("%v is unloaded, want what the background loaded", got)
	}
}
