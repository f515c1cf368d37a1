package cell

import (
	"go/token"
	"go/types"

	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
	"github.com/holt-dl/holt/kernel/cell/witness"
)

// canKeep reports whether a later cell can have a variable of this type.
func (c *check) canKeep(t types.Type) bool {
	_, ok := witness.NewFinder(c.checkPrinter(map[string]string{}), "").Of(t)
	return ok
}

// mixesOwnTypes reports whether a type that cannot be written mentions types of the
// notebook as well, which may be declared again.
func mixesOwnTypes(t types.Type) (found bool) {
	if witness.Needed(t) {
		spell.NotebookTypes(t, func(*types.TypeName) { found = true })
	}
	return found
}

// madeHere names a type of this program in a type that cannot be written, or
// returns "": its final form is not known yet.
func (c *check) madeHere(t types.Type) (name string) {
	if witness.Needed(t) {
		spell.NotebookTypes(t, func(t *types.TypeName) {
			if n := c.typeName(t); c.ownNames[n] || c.redeclared[n] != nil {
				name = n
			}
		})
	}
	return name
}

// asObject reports whether a variable of this type is put into the checked package
// as an object, and not declared by text: its type cannot be written, or it is the
// same whatever the package declares and text would only be parsed again.
func asObject(t types.Type) bool {
	if witness.Needed(t) {
		return true
	}
	same := true
	spell.Walk(t, func(t types.Type) {
		switch t := t.(type) {
		case *types.Basic:
			same = same && t.Kind() != types.Invalid
		case *types.Pointer, *types.Slice, *types.Array, *types.Map, *types.Chan:
		case *types.Named:
			same = same && (t.Obj().Pkg() == nil || t.Obj().Pkg().Path() != spell.Path)
		default: // its parts have names and places of their own
			same = false
		}
	})
	return same
}

// declareObjects gives the checked package the variables that varFile leaves out.
func (c *check) declareObjects(p *passed, kind passKind) {
	pos := token.NoPos // in a file of this program, which is then the variables' home
	for _, f := range p.files {
		if f.Kind == syntax.StmtFile {
			pos = f.Tok.Pos(0)
		}
	}
	for name, e := range c.retyped {
		if c.dropped[name] == "" && asObject(e.Obj.Type()) && !(kind == passFinal && c.newVars[name]) {
			p.pkg.Scope().Insert(types.NewVar(pos, p.pkg, spell.Var(name), e.Obj.Type()))
		}
	}
	if kind != passFinal {
		return
	}
	for name := range c.newVars {
		if asObject(c.vars[name]) {
			p.pkg.Scope().Insert(types.NewVar(pos, p.pkg, spell.Var(name), c.vars[name]))
		}
	}
}
