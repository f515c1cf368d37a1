package gen

import (
	"go/token"
	"go/types"

	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// Keeps reports whether a variable of an earlier cell whose type the checked cell declares
// again keeps its memory, which needs the same layout under both types. The cell's package then
// has a pointer to it: what earlier cells made of the variable, pointers to it, functions that
// use it and goroutines, and what later cells make, mean one variable.
func Keeps(in *check.Result, name string) bool {
	e := in.Retyped[name]
	return e != nil && in.Dropped[name] == "" && !in.NewVars[name] && e.Lost == "" &&
		spell.SameLayout(e.Obj.Type(), in.Pkg.Scope().Lookup(spell.Var(name)).Type())
}

// points reports whether the package of a home holds a pointer to a variable of the notebook,
// and not the variable.
func (g *generator) points(name string, obj types.Object, home int) bool {
	if _, ok := obj.(*types.Var); !ok {
		return false
	}
	if home == g.in.Seq {
		return Keeps(g.in, name)
	}
	e := g.in.Scope.Lookup(name)
	return e != nil && e.Home == home && e.Pointer
}

// refTo writes the variable of an earlier program.
func refTo(use map[string]string, v *scope.Version) string {
	return variableRef(fromAlias(use, v.Home), v.Name, v.Pointer)
}

// variableRef writes a variable of the package that from names, which holds it or a pointer
// to it. With an empty from the package is the program's own.
func variableRef(from, name string, isPointer bool) string {
	if isPointer {
		return "(*" + from + "Ħ" + name + ")"
	}
	return from + "Ħ" + name
}

// spell writes the name of an object as generated code has it.
//
// It does for text what ident does for a name in the tree.
func (r *rewriter) spell(name string, obj types.Object) string {
	if obj.Pkg() == nil || !r.g.in.PackageLevel(obj) {
		return name
	}
	home := r.g.home(obj)
	if t, ok := obj.(*types.TypeName); ok {
		if home == r.g.in.Seq {
			return name
		}
		if name = spell.Declared(t).Name(); !token.IsExported(name) {
			name = "Ħ" + name
		}
		return r.from(home) + name
	}
	name = spell.Written(name)
	return variableRef(r.from(home), name, r.g.points(name, obj, home))
}
