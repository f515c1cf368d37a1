package gen

import (
	"go/ast"
	"go/types"
	"strconv"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// How the package of a program names what other programs hold: types, and what stands for
// names that are not exported.

// fieldHome is the program whose package declares the field v of the struct
// type t.
//
// It is for fields of the notebook. The position of v would not do where the struct has a
// shape: the field of a struct that is spelled here belongs to the program with the alias.
func (g *generator) fieldHome(t types.Type, v *types.Var) int {
	if sh, ok := g.shapeOf(t, v); ok {
		return sh.home
	}
	if _, ok := types.Unalias(t).(*types.Struct); ok {
		return g.in.Seq // spelled here alone
	}
	return g.home(v)
}

// printer writes types as the generated package names them.
//
// Each file has its own, since imports are a file's: what a type names is added to use. The
// names that it gives to packages begin with ˣ and clash with none of the cell's.
func (g *generator) printer(use map[string]string) *spell.Printer {
	from := func(home int) string {
		if home == g.in.Seq {
			return ""
		}
		alias := "ˣ" + strconv.Itoa(home)
		use[alias] = spell.PkgPath(home)
		return alias + "."
	}
	tp := &spell.Printer{
		Pkg: func(p *types.Package) string {
			// The file may import the package already, under the name that the cell uses.
			for alias, path := range use {
				if path == p.Path() {
					return alias
				}
			}
			alias := "ˣi" + strconv.Itoa(len(use))
			use[alias] = p.Path()
			return alias
		},
		Name: func(t *types.TypeName) string {
			home := g.home(t)
			if home != g.in.Seq && !t.Exported() {
				return from(home) + "Ħ" + t.Name()
			}
			return from(home) + t.Name()
		},
		Embed: func(t *types.TypeName) (string, bool) {
			if t.Pkg() == nil || t.Pkg().Path() != spell.Path || t.Exported() || g.home(t) == g.in.Seq {
				return "", false
			}
			g.localAlias[t.Name()] = t
			return t.Name(), true
		},
		Method: methodName,
	}
	// It writes the types of fields, by the same printer, which has to be there before.
	tp.Anon = func(t *types.Struct) (string, bool) { return g.anonymous(tp, from, t) }
	return tp
}

// owner is the name of the type after which the accessors of t's field v are named.
//
// It is "unknown" where there is none: the accessor that is called then does not exist, which
// the compiler reports.
func (g *generator) owner(t types.Type, v *types.Var) string {
	if o, ok := g.code.owners[v.Origin()]; ok {
		return o.Name()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		return n.Obj().Name()
	}
	return "unknown"
}

// hookOf names the hook of a function that is declared in full, or is empty.
//
// Without a hook are methods of generic types, generic functions, functions that only get a
// new body, whose first body has the hook, and what no other code calls: init, main, _ and
// functions of ours.
func (g *generator) hookOf(d *ast.FuncDecl) string {
	name := d.Name.Name
	if name == "_" {
		return ""
	}
	if d.Recv != nil {
		recv, generic := scope.Receiver(d.Recv.List[0].Type)
		if e := g.in.Scope.Lookup(recv); generic || e != nil && e.Kind == scope.Type && e.Unit.Generic && !g.in.OwnNames[recv] {
			return ""
		}
		return spell.Hook(recv, name)
	}
	if d.Type.TypeParams != nil || g.hooked[name] != nil || name == "_" || scope.IsInit(name) ||
		name == "main" || spell.Ours(name) {
		return ""
	}
	return spell.Hook("", name)
}

// fromAlias returns the prefix under which support.go names another program, and imports it.
func fromAlias(use map[string]string, home int) string {
	alias := "ˣ" + strconv.Itoa(home)
	use[alias] = spell.PkgPath(home)
	return alias + "."
}

// methodName is what a method is called in generated code. An unexported one of
// the notebook becomes an exported one, so that it is the same method in all
// packages.
//
// Go takes area of package c3 and area of c7 as two methods, so that no type of one would
// implement an interface of the other. It is written so in declarations, in calls and in
// interface types alike.
func methodName(m *types.Func) string {
	if m.Exported() || m.Pkg() == nil || m.Pkg().Path() != spell.Path {
		return m.Name()
	}
	return "Ħ" + m.Name()
}
