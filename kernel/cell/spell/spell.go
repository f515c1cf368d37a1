// Package spell says how names and types of the notebook are written, in what is
// checked and in generated code.
//
// A variable may take the name of what it is made from: time := time.Now(). Go has
// no such scopes at package level, so that in what is checked one of the two has a
// longer name:
//
//	ˣold_x    what x means before this cell defines it anew, and a package that
//	          earlier code means by x
//	ˣtype_x   a type that a variable hides
//	ˣnew_x    the variable, where x is a name of Go's own
//
// The package comment of kernel/cell lists the other names that begin with Ħ or hold
// ˣ.
package spell

import (
	"go/types"
	"strconv"
	"strings"
)

// Path is the path of the package that is checked, and that all cells are together.
const Path = "notebook"

// What stands before a name that has a longer one in what is checked.
const (
	OldMark  = "ˣold_"
	TypeMark = "ˣtype_"
	NewMark  = "ˣnew_"
)

var marks = []string{OldMark, TypeMark, NewMark}

// Written returns a name as cells have it.
func Written(name string) string {
	for _, m := range marks {
		name = strings.TrimPrefix(name, m)
	}
	return name
}

// IsMarked reports whether a name has one of the marks.
func IsMarked(name string) bool { return Written(name) != name }

// Ours reports whether a name was made by this package.
func Ours(name string) bool {
	return strings.HasPrefix(name, "ˣ") || strings.HasPrefix(name, "Ħˣ")
}

// OfGo reports whether Go itself declares a name.
func OfGo(name string) bool { return types.Universe.Lookup(name) != nil }

// Var is the name that a variable has in what is checked.
func Var(name string) string {
	if OfGo(name) {
		return NewMark + name
	}
	return name
}

// PkgPrefix begins the import paths of programs' packages.
const PkgPrefix = Path + "/c"

// PkgPath is the import path of a program's package.
func PkgPath(program int) string { return PkgPrefix + strconv.Itoa(program) }

// Run is the function that the statements of a cell are in.
const Run = "ˣrun"

// Init is the function that an init function of a cell becomes, which begins at an offset.
func Init(offset int) string { return "ˣinit_" + strconv.Itoa(offset) }

// Must is the function around a call whose error ends the cell, and which has that many
// other results.
func Must(values int) string { return "ˣmust" + strconv.Itoa(values) }

// Embed is the variable that the compiler fills for one with //go:embed above it.
func Embed(name string) string { return "ˣembed_" + name }

// MethodFunc is the function that the new body of a method becomes.
func MethodFunc(recv, name string) string { return "Ħˣm_" + recv + "_" + name }

// PackageLevel reports whether the notebook has an object at package level.
func PackageLevel(obj types.Object) bool {
	return obj.Pkg() != nil && obj.Pkg().Path() == Path && obj.Parent() == obj.Pkg().Scope()
}

// Declared returns the object by which a type was declared, which has the name
// that its own package knows.
func Declared(t *types.TypeName) *types.TypeName {
	switch typ := t.Type().(type) {
	case *types.Named:
		if typ.Obj().Pos() == t.Pos() {
			return typ.Obj()
		}
	case *types.Alias:
		if typ.Obj().Pos() == t.Pos() {
			return typ.Obj()
		}
	}
	return t
}

// FromNotebook reports whether a type is declared in the notebook, or has no name.
func FromNotebook(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return !ok || n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == Path
}

// Type writes a type for a message: those of the notebook without a package.
func Type(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p.Path() == Path {
			return ""
		}
		return p.Name()
	})
}

// Deref returns what a pointer points to, and true, or t itself.
func Deref(t types.Type) (types.Type, bool) {
	if p, ok := types.Unalias(t).Underlying().(*types.Pointer); ok {
		return p.Elem(), true
	}
	return t, false
}
