package spell

import (
	"go/types"
	"strings"
)

// IsOfC reports whether cmd/cgo made the name of a package-level object.
func IsOfC(name string) bool {
	return strings.HasPrefix(name, "_C") || strings.HasPrefix(name, "_cgo") || strings.HasPrefix(name, "__cgo") || name == "runtime_throw"
}

// IsCType reports whether an object is a C type.
func IsCType(obj types.Object) bool {
	_, ok := obj.(*types.TypeName)
	return ok && strings.HasPrefix(obj.Name(), "_Ctype_")
}

// IsCVoid reports whether t is what a C function without a result returns.
func IsCVoid(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "_Ctype_void" && FromNotebook(n)
}

// MentionsC reports whether a type is made of C types.
func MentionsC(t types.Type) (found bool) {
	NotebookTypes(t, func(obj *types.TypeName) { found = found || IsCType(obj) })
	return found
}
