package cell

import (
	"go/types"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// A commit makes the model of what names mean after a cell: stage by stage, since what
// is dropped makes room for what is back, and that for what the cell declares.
type commit struct {
	*result
	ed   *scope.Edit
	made *types.Scope // what the program's package declares
	home int          // the program
	done int          // how many statements were; negative for all
	cell string
}

// commit makes what the program declares live.
func (g *result) commit(prog *Program, reached int) {
	c, nb := g.c, g.c.nb
	nb.seq = prog.Seq
	delete(c.imports, "C") // which is its cell's alone
	ed := nb.scope.Edit()
	ed.Import(c.imports, c.dots)
	if prog.Empty {
		nb.scope = ed.Model()
		return
	}
	g.out.Commit()
	s := &commit{result: g, ed: ed, made: g.p.pkg.Scope(), home: prog.Seq, done: reached, cell: c.cell.Name}
	s.dropped()
	s.revived()
	for name := range c.unhide {
		ed.Drop(name)
		ed.Reveal(name)
	}
	s.declared()
	s.redeclared()
	s.retyped()
	s.variables()
	for name := range c.imported {
		if ed.Lookup(name) != nil && !c.ownNames[name] && c.vars[name] == nil {
			ed.Drop(name)
		}
	}
	nb.scope, nb.release = ed.Model(), ed.Released()
}

// dropped takes away what no longer compiles, and keeps its source.
func (s *commit) dropped() {
	for name, why := range s.c.dropped {
		if recv, method, ok := strings.Cut(name, "."); ok {
			if v := s.ed.Lookup(recv); v != nil && v.Methods[method] != nil {
				s.c.keepBroken(s.ed, nil, v.Methods[method])
				s.ed.SetMethod(recv, method, nil)
			}
			continue
		}
		if v := s.ed.Lookup(name); v != nil && v.Unit != nil {
			s.c.keepBroken(s.ed, v, v.Unit)
		}
		sentence := name + " is gone since " + s.cell + ", with which it no longer compiles: " + why
		if v := s.c.retyped[name]; v != nil {
			sentence = name + " is gone since " + s.cell + ", with which its type no longer compiles: run " + v.Cell + " again to make it"
		}
		s.ed.SetGone(name, sentence)
		s.ed.Drop(name)
	}
}

// revived makes what compiles again live, and forgets the source of what has another
// meaning now.
func (s *commit) revived() {
	for name, b := range s.c.revived {
		s.ed.Mend(name)
		s.ed.SetGone(name, "")
		if b.Version != nil {
			s.ed.Restore(b.Version)
		} else {
			s.ed.SetMethod(b.Unit.Recv, b.Unit.Names[0], b.Unit)
		}
	}
	for name := range s.c.scope.Broken() {
		if s.c.ownNames[name] || s.c.vars[name] != nil || s.c.imported[name] {
			s.ed.Mend(name)
		}
	}
}

// declared makes the cell's own declarations live, the types before their methods.
func (s *commit) declared() {
	for _, u := range s.c.own {
		switch {
		case u.Recv != "" || u.Unnamed():
			continue
		case s.c.newBodies[u] != nil:
			s.ed.Again(u.Names[0], func(v *scope.Version) { v.Unit, v.Cell = u, s.cell })
			continue
		}
		for _, n := range u.Names {
			if n == "_" {
				continue
			}
			v := scope.Version{Name: n, Kind: u.Kind, Obj: s.made.Lookup(n), Home: s.home, Unit: u, Cell: s.cell}
			if old := s.ed.Lookup(n); u.Kind == scope.Type && old != nil && old.Kind == scope.Type {
				v.Methods = old.Methods
			}
			s.ed.Define(v)
		}
	}
	for _, u := range s.c.own {
		if u.Recv != "" {
			s.ed.SetMethod(u.Recv, u.Names[0], u)
		}
	}
}

// redeclared has what was compiled again from its source mean its new object.
func (s *commit) redeclared() {
	for name := range s.c.redeclared {
		if s.c.ownNames[name] || s.c.dropped[name] != "" {
			continue
		}
		in := name
		if s.c.hides[name] {
			in = spell.TypeMark + name
		}
		obj := s.made.Lookup(in)
		s.ed.Again(name, func(v *scope.Version) { v.Obj, v.Home = obj, s.home })
		if t, ok := obj.(*types.TypeName); ok && in != name {
			s.ed.SetHidden(t, name)
		}
	}
}

// retyped has variables whose type was declared again mean those of the new type. One
// keeps its value if its memory has the same layout.
func (s *commit) retyped() {
	for name, old := range s.c.retyped {
		if s.c.dropped[name] != "" || s.c.newVars[name] && !s.reached(name, s.done) {
			continue
		}
		obj := s.made.Lookup(spell.Var(name))
		s.ed.Again(name, func(v *scope.Version) {
			if v.Lost == "" && !s.c.newVars[name] && !spell.SameLayout(old.Obj.Type(), obj.Type()) {
				v.Lost = "the type of its value was changed in " + s.cell
			}
			v.Obj, v.Home = obj, s.home
		})
	}
}

// variables makes the variables live that the cell came to define, and notes which
// have a value again.
func (s *commit) variables() {
	for name := range s.c.vars {
		switch {
		case !s.reached(name, s.done):
		case !s.c.newVars[name]:
			s.ed.Update(name, func(v *scope.Version) { v.Lost, v.Cell = "", s.cell })
		default:
			if s.c.hides[name] {
				s.ed.Hide(name)
			}
			s.ed.Define(scope.Version{Name: name, Kind: scope.Var, Obj: s.made.Lookup(spell.Var(name)), Home: s.home, Cell: s.cell})
		}
	}
	for i, t := range s.c.cell.Stmts {
		for _, name := range t.Sets {
			if v := s.ed.Lookup(name); v != nil && v.Lost != "" && (s.done < 0 || i < s.done) {
				s.ed.Update(name, func(v *scope.Version) { v.Lost, v.Cell = "", s.cell })
			}
		}
	}
}

// reached reports whether the statement that first defines a variable was done.
func (g *result) reached(name string, reached int) bool {
	if reached < 0 {
		return true
	}
	for i, t := range g.c.cell.Stmts {
		if slices.Contains(t.Defs, name) {
			return i < reached
		}
	}
	return true
}
