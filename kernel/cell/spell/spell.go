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
//
// Programs are packages below it, notebook/c5, but to go/types there is this one: all objects
// of cells have it as their package, whichever program holds them.
const Path = "notebook"

// What stands before a name that has a longer one in what is checked.
const (
	// They begin with ˣ, which is a letter that does not count as upper case: to Go, a marked name
	// is not exported, and no person types it.
	OldMark  = "ˣold_"
	TypeMark = "ˣtype_"
	NewMark  = "ˣnew_"
)

// marks are all of them, in the order in which Written takes them off.
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
//
// It says so of marked names as well, which mean something of the notebook all the same: ask
// IsMarked first where that matters.
func Ours(name string) bool {
	return strings.HasPrefix(name, "ˣ") || strings.HasPrefix(name, "Ħˣ")
}

// OfGo reports whether Go itself declares a name.
//
// Types, functions and constants are alike here: int, len, nil, true. Keywords are not names.
func OfGo(name string) bool { return types.Universe.Lookup(name) != nil }

// Var is the name that a variable has in what is checked.
//
// Go lets a package declare max. But then the text max(1, 2) of an earlier cell, which may be
// compiled again in the same package, would mean the variable.
func Var(name string) string {
	if OfGo(name) {
		return NewMark + name
	}
	return name
}

// pkgPrefix begins the import paths of programs' packages.
//
// The number behind it tells a program from all others of the notebook, and makes its path one
// that was never used before, as a plugin's has to be.
const pkgPrefix = Path + "/c"

// PkgPath is the import path of a program's package.
func PkgPath(program int) string { return pkgPrefix + strconv.Itoa(program) }

// Program is the program whose package has an import path; ok is false for a package of
// another kind, such as notebook/config of a module notebook.
func Program(path string) (program int, ok bool) {
	number, ok := strings.CutPrefix(path, pkgPrefix)
	program, err := strconv.Atoi(number)
	return program, ok && err == nil
}

// Run is the function that the statements of a cell are in.
//
// The exported function Run of the package, which the host calls, calls it in its turn.
const Run = "ˣrun"

// Init is the function that an init function of a cell becomes, which begins at an offset.
//
// The offset is that in the cell's text, so that two init functions of a cell, which Go allows,
// have two names.
func Init(offset int) string { return "ˣinit_" + strconv.Itoa(offset) }

// Must is the function around a call whose error ends the cell, and which has that many
// other results.
//
// The check knows it as a generic function, and generated code calls rt.Must or rt.Must2.
func Must(values int) string { return "ˣmust" + strconv.Itoa(values) }

// Embed is the variable that the compiler fills for one with //go:embed above it.
//
// It is declared in the cell's own package. The variable that the cell defines may be one of an
// earlier program, and gets the value when its statement runs.
func Embed(name string) string { return "ˣembed_" + name }

// Dot separates a type from its method or field in names that are made for generated code: T.m
// is Tˣ_m there.
//
// An underscore alone would not do, since names in cells may have one: the method b_c of a and
// the method c of a_b would have the same name.
const Dot = "ˣ_"

// MethodFunc is the function that the new body of a method becomes.
//
// A method can be declared in the package of its type alone (Go spec, "Method declarations"),
// and that one is compiled already. So the new body of func (p *T) m(x int) is
//
//	func Ħˣm_Tˣ_m(p *T, x int)
//
// which is set to the hook of the old one.
func MethodFunc(recv, name string) string { return methodFunc + recv + Dot + name }

const methodFunc = "Ħˣm_"

// IsMethodFunc reports whether a name is one of [MethodFunc].
func IsMethodFunc(name string) bool { return strings.HasPrefix(name, methodFunc) }

// NewBody is the function that holds the new body of a function.
func NewBody(name string) string { return "Ħˣb_" + name }

// Hook is the variable that a function looks at when it is called: once it is set, the function
// that it holds is called instead. Recv is the type of a method's receiver, or empty.
func Hook(recv, name string) string {
	if recv != "" {
		name = recv + Dot + name
	}
	return "ĦˣH_" + name
}

// FieldAddr is the function that gives the address of an unexported field of a type.
func FieldAddr(owner, field string) string { return "ĦˣF_" + owner + Dot + field }

// FieldValue is the function that gives the field's value, of an operand without an address.
func FieldValue(owner, field string) string { return "ĦˣV_" + owner + Dot + field }

// PackageLevel reports whether the notebook has an object at package level.
//
// Fields, methods, and what is declared in a function have another parent, or none.
func PackageLevel(obj types.Object) bool {
	return obj.Pkg() != nil && obj.Pkg().Path() == Path && obj.Parent() == obj.Pkg().Scope()
}

// Declared returns the object by which a type was declared, which has the name
// that its own package knows.
//
// A type that a variable hides is in the checked package under a longer name, by an object of
// that name: ˣtype_user, made for it. It has the place of the type's own object, while an alias
// that the person wrote has another place, and is what it is.
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
//
// A type without a name, such as []int, counts as the notebook's: nothing keeps a cell from
// looking into it.
func FromNotebook(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return !ok || n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == Path
}

// Type writes a type for a message: those of the notebook without a package.
//
// Types of packages have the package's name before them, as Go's own messages do.
func Type(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p.Path() == Path {
			return ""
		}
		return p.Name()
	})
}

// Deref returns what a pointer points to, and true, or t itself.
//
// It looks through a name, so that a type P *T is a pointer too: p.f reaches the fields of T.
func Deref(t types.Type) (types.Type, bool) {
	if p, ok := types.Unalias(t).Underlying().(*types.Pointer); ok {
		return p.Elem(), true
	}
	return t, false
}
