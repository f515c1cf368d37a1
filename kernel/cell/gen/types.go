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
	tp.Anon = func(t *types.Struct) (string, bool) { return g.anonymous(tp, from, t) }
	return tp
}

// owner is the type after which the accessors of t's field v are named.
func (g *generator) owner(t types.Type, v *types.Var) *types.TypeName {
	if o, ok := g.code.owners[v.Origin()]; ok {
		return o
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		return n.Obj()
	}
	return types.NewTypeName(v.Pos(), v.Pkg(), "unknown", nil)
}

// hookOf names the hook of a function that is declared in full, or is empty.
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
		return "ĦˣH_" + recv + "_" + name
	}
	if d.Type.TypeParams != nil || g.hooked[name] != nil || name == "_" || scope.IsInit(name) ||
		name == "main" || spell.Ours(name) {
		return ""
	}
	return "ĦˣH_" + name
}

func fromAlias(use map[string]string, home int) string {
	alias := "ˣ" + strconv.Itoa(home)
	use[alias] = spell.PkgPath(home)
	return alias + "."
}

// methodName is what a method is called in generated code. An unexported one of
// the notebook becomes an exported one, so that it is the same method in all
// packages.
func methodName(m *types.Func) string {
	if m.Exported() || m.Pkg() == nil || m.Pkg().Path() != spell.Path {
		return m.Name()
	}
	return "Ħ" + m.Name()
}
