package cell

import (
	"fmt"
	"go/types"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// What a model declares, as Go text that stands on its own: for tools that know nothing of
// notebooks, and for programs that run without one.

// Declarations is what a model declares as one Go file of package main, with variables
// as "var x T": what a tool for Go code needs to know of the notebook. It imports the
// given packages as well. After a cell with
//
//	type point struct{ x, y int }
//	p := point{1, 2}
//
// it is
//
//	package main
//
//	var p point
//
//	type point struct{ x, y int }
//
// Names are in alphabetic order. A variable whose type no other package can write is left
// out. The text is for tools that bear errors: all imports stand in it, used or not.
func Declarations(m *scope.Model, paths ...string) string {
	w := newSourceWriter(m)
	// Paths come before the live imports, which win where both have a name. The last element of a
	// path is a guess at its package's name, and the name by which it is imported in any case.
	for _, p := range paths {
		w.imports[path.Base(p)] = p
	}
	maps.Copy(w.imports, m.Imports())
	for _, name := range m.Names() {
		w.version(m.Lookup(name))
	}
	var head strings.Builder
	head.WriteString("package main\n\n")
	for _, name := range slices.Sorted(maps.Keys(w.imports)) {
		if m.Lookup(name) == nil { // else Go would see it declared twice
			fmt.Fprintf(&head, "import %s %q\n", name, w.imports[name])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(m.Dots())) {
		fmt.Fprintf(&head, "import . %q\n", path)
	}
	return head.String() + w.b.String()
}

// Source is [Declarations] of what names mean now.
func (nb *Notebook) Source(paths ...string) string { return Declarations(nb.scope, paths...) }

// Needed is the declarations that names of a model rest on, directly or not, as Go
// text, and the packages that they name, name to path. What is declared otherwise is
// left out: names, and methods as T.m. It is for a cell that is compiled into a program of
// its own, without the notebook: variables come without their values.
func Needed(m *scope.Model, names []string, declared map[string]bool) (text string, imports map[string]string) {
	w := newSourceWriter(m)
	w.omit = declared
	for _, name := range m.Reach(names, func(name string) bool { return declared[name] }) {
		w.version(m.Lookup(name))
	}
	return w.b.String(), w.imports
}

// A sourceWriter writes declarations of a model as Go.
type sourceWriter struct {
	model   *scope.Model
	types   *spell.Printer       // of variables' types
	imports map[string]string    // of what is written, name → path
	seen    map[*scope.Unit]bool // what was written: the names of a group share a unit
	omit    map[string]bool      // methods that are left out, as T.m
	b       strings.Builder
}

// newSourceWriter returns a writer that has written nothing and omits nothing. Types without
// a name are written out: their aliases are a matter of the generated packages.
func newSourceWriter(m *scope.Model) *sourceWriter {
	w := &sourceWriter{model: m, imports: map[string]string{}, seen: map[*scope.Unit]bool{}}
	w.types = &spell.Printer{Pkg: w.pkg, Name: m.TypeName, Anon: func(*types.Struct) (string, bool) { return "", false }}
	return w
}

// pkg is the name under which a package is imported: one that the text imports already, that
// of a live import, or else a name of ours. A name that a declaration has is of no use. Of
// several, it is the first in alphabetic order, so that a model has one text.
func (w *sourceWriter) pkg(p *types.Package) string {
	for _, imports := range []map[string]string{w.imports, w.model.Imports()} {
		for _, name := range slices.Sorted(maps.Keys(imports)) {
			if imports[name] == p.Path() && w.model.Lookup(name) == nil {
				w.imports[name] = p.Path()
				return name
			}
		}
	}
	name := "holt_" + strconv.Itoa(len(w.imports))
	w.imports[name] = p.Path()
	return name
}

// version writes what a name means. Of a group of constants, the first writes all.
func (w *sourceWriter) version(v *scope.Version) {
	if v.Unit == nil {
		w.types.Err = nil // of the variable before, which is left out alone
		if typ := w.types.String(v.Obj.Type()); w.types.Err == nil {
			fmt.Fprintf(&w.b, "\nvar %s %s\n", v.Name, typ)
		}
		return
	}
	if !w.seen[v.Unit] {
		w.seen[v.Unit] = true
		w.unit(v.Unit)
	}
	for _, m := range slices.Sorted(maps.Keys(v.Methods)) {
		if !w.omit[v.Name+"."+m] {
			w.unit(v.Methods[m])
		}
	}
}

// unit writes a declaration with the comment above it.
//
// A unit's own imports are those of its cell. Where a variable has taken the name since, as
// in time := time.Now(), [check.Spelled] writes the package as ˣold_time, and it is imported
// so. A hidden type keeps its mark, ˣtype_T, by which the model lists it. The mark of a
// variable with a name of Go's, ˣnew_max, comes off: its declaration here hides Go's.
func (w *sourceWriter) unit(u *scope.Unit) {
	for name, path := range u.Imports {
		if w.model.Lookup(name) != nil {
			name = spell.OldMark + name
		}
		w.imports[name] = path
	}
	fmt.Fprintf(&w.b, "\n%s%s\n", u.Doc, strings.ReplaceAll(check.Spelled(w.model, u), spell.NewMark, ""))
}
