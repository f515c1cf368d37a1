package gen

import (
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// wellKnown are interfaces that libraries look for in any value.
//
// A package that cannot be imported is passed over.
var wellKnown = []struct{ pkg, name string }{
	{"fmt", "Stringer"}, {"fmt", "Formatter"}, {"fmt", "GoStringer"},
	{"sort", "Interface"}, {"io", "Reader"}, {"io", "Writer"}, {"io", "Closer"}, {"io", "ReadWriter"},
	{"encoding/json", "Marshaler"}, {"encoding/json", "Unmarshaler"},
	{"encoding", "TextMarshaler"}, {"encoding", "TextUnmarshaler"},
	{"image", "Image"}, {"net/http", "Handler"},
}

// keep writes conversions that must be part of the package which declares a type, since
// each plugin that makes an itab or a type descriptor of its own makes another type of
// it: to the interfaces that the type implements, and to the composite types that reflect
// could make first.
//
// For type point with a method String, in outline:
//
//	func ˣkeep() {
//		ˣrt.Keep([]point(nil), (*[]point)(nil), map[string]point(nil), …)
//		{ var v point; ˣrt.Keep([]fmt.Stringer{v}) }
//		{ var v *point; ˣrt.Keep([]fmt.Stringer{v}) }
//	}
//
// Run calls it behind "if ˣrt.Never", so that it is linked and does not run.
func (g *generator) keep(tp *spell.Printer, named []*types.TypeName) string {
	k := &keeper{g: g, tp: tp}
	mine := map[string]bool{}
	for _, obj := range named {
		mine[obj.Name()] = true
		// Of a generic type there are no values; its instances are made where they are used.
		nt, ok := obj.Type().(*types.Named)
		if !ok || nt.TypeParams().Len() > 0 {
			continue
		}
		if it, ok := nt.Underlying().(*types.Interface); ok && !it.IsMethodSet() {
			continue // a constraint, of which there are no values
		}
		k.composites(nt)
		// Without methods, of its own or promoted, it implements nothing but any.
		if nt.NumMethods() == 0 && !hasEmbedded(nt) || types.IsInterface(nt) {
			continue
		}
		k.libraries(nt)
	}
	if len(mine) > 0 {
		k.notebook(mine)
	}
	return k.b.String()
}

// A keeper writes the conversions.
type keeper struct {
	g  *generator
	tp *spell.Printer  // of the support file, which imports what it names
	b  strings.Builder // the body of ˣkeep
}

// conversion writes that of a type, and of a pointer to it, to an interface which it
// implements.
//
// A pointer has the value's methods and its own, so that it may implement what the value does
// not. Of an interface without methods there is no itab, and a constraint has no values.
func (k *keeper) conversion(t types.Type, iface types.Type) {
	it, ok := iface.Underlying().(*types.Interface)
	if !ok || it.Empty() || !it.IsMethodSet() || types.IsInterface(t) {
		return
	}
	for _, t := range []types.Type{t, types.NewPointer(t)} {
		if types.Implements(t, it) {
			fmt.Fprintf(&k.b, "\t{ var v %s; ˣrt.Keep([]%s{v}) }\n", k.tp.String(t), k.tp.String(iface))
		}
	}
}

// composites names the types that are made of a type.
func (k *keeper) composites(t *types.Named) {
	s := k.tp.String(t)
	fmt.Fprintf(&k.b, "\tˣrt.Keep([]%[1]s(nil), (*[]%[1]s)(nil), map[string]%[1]s(nil), []*%[1]s(nil), map[string]*%[1]s(nil), (*%[1]s)(nil), (**%[1]s)(nil), (func(%[1]s))(nil), (func() %[1]s)(nil))\n", s)
	if check.Sizes.Sizeof(t.Underlying()) < 1<<16 { // a larger one cannot be sent
		fmt.Fprintf(&k.b, "\tˣrt.Keep((chan %s)(nil))\n", s)
	}
}

// libraries converts a type to the interfaces of packages that the cell imports, and to
// those that libraries look for in any value.
//
// All exported interfaces of the imported packages are tried, since any function of theirs may
// assert one.
func (k *keeper) libraries(t *types.Named) {
	k.conversion(t, spell.ErrorType)
	for _, w := range wellKnown {
		if pkg, err := k.g.in.Packages.Import(w.pkg); err == nil {
			if o := pkg.Scope().Lookup(w.name); o != nil {
				k.conversion(t, o.Type())
			}
		}
	}
	for _, path := range slices.Sorted(maps.Values(k.g.in.Imports)) {
		pkg, err := k.g.in.Packages.Import(path)
		if err != nil || isWellKnown(path) {
			continue
		}
		for _, name := range pkg.Scope().Names() {
			if tn, ok := pkg.Scope().Lookup(name).(*types.TypeName); ok && tn.Exported() && types.IsInterface(tn.Type()) {
				if n, ok := tn.Type().(*types.Named); ok && n.TypeParams().Len() == 0 {
					k.conversion(t, tn.Type())
				}
			}
		}
	}
}

// notebook converts types of the notebook to its interfaces, where one of the two is
// new.
//
// The package of the check holds them all, also those of earlier cells: an interface of this
// cell is implemented by types that came before it.
func (k *keeper) notebook(mine map[string]bool) {
	scope := k.g.in.Pkg.Scope()
	var ifaces, concrete []*types.Named
	for _, name := range scope.Names() {
		tn, ok := scope.Lookup(name).(*types.TypeName)
		// A type that a variable hides is in the package under a longer name, which go/types
		// takes for an alias.
		if !ok || tn.IsAlias() && !spell.IsMarked(name) {
			continue
		}
		n, ok := tn.Type().(*types.Named)
		if !ok || n.TypeParams().Len() > 0 {
			continue
		}
		if types.IsInterface(n) {
			ifaces = append(ifaces, n)
		} else {
			concrete = append(concrete, n)
		}
	}
	for _, i := range ifaces {
		for _, t := range concrete {
			if mine[i.Obj().Name()] || mine[t.Obj().Name()] {
				k.conversion(t, i)
			}
		}
	}
}

// isWellKnown reports whether libraries has done the package's interfaces that matter.
func isWellKnown(path string) bool {
	for _, w := range wellKnown {
		if w.pkg == path {
			return true
		}
	}
	return false
}

// hasEmbedded reports whether a type may have methods of a field that it embeds.
func hasEmbedded(t *types.Named) bool {
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for i := range st.NumFields() {
		if st.Field(i).Embedded() {
			return true
		}
	}
	return false
}
