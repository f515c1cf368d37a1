package scope

import (
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// Reach lists the live names that the given ones rest on, directly or not, with those
// of them that are live, in alphabetic order. A function rests on what its signature
// and its body mention, a type on what it and its methods do, a variable on its type.
// Names for which except is true are left out, and what they alone rest on.
//
// A program that runs without the notebook, such as a page's, is made of what is listed here.
func (m *Model) Reach(names []string, except func(string) bool) []string {
	reached := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		v := m.names[name]
		if v == nil || reached[name] || except(name) { // nil: one of Go's own, or a package
			return
		}
		reached[name] = true
		for _, n := range m.restsOn(v) {
			visit(n)
		}
	}
	for _, name := range names {
		visit(name)
	}
	return slices.Sorted(maps.Keys(reached))
}

// restsOn lists the names that a version mentions itself, types in place of their methods. A
// type counts with all its methods, since it has them all wherever it is declared. A variable
// has no source to look at, only the types of the notebook that its own type is made of.
func (m *Model) restsOn(v *Version) (names []string) {
	if v.Unit == nil {
		spell.NotebookTypes(v.Obj.Type(), func(t *types.TypeName) { names = append(names, m.TypeName(t)) })
		return names
	}
	units := append(slices.Collect(maps.Values(v.Methods)), v.Unit)
	for _, u := range units {
		for name := range u.RestsOn() {
			name, _, _ = strings.Cut(name, ".")
			names = append(names, name)
		}
	}
	return names
}
