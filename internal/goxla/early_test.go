package goxla

import (
	"errors"
	"path/filepath"
	"slices"
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
