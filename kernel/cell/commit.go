package cell

import (
	"go/types"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// A commit makes the model of what names mean after a cell: stage by stage, since what
// is dropped makes room for what is back, and that for what the cell declares.
type commit struct {
	checked *check.Result
	ed      *scope.Edit
	made    *types.Scope // what the program's package declares
	home    int          // the program
	done    int          // how many statements were; negative for all
	cell    string
}

// Commit makes what the program declares live. Reached is how many of the
// cell's top-level statements were done: a variable that was not reached keeps
// its old meaning. A negative number says all.
func (p *Program) Commit(reached int) {
	c, nb := p.checked, p.notebook
	nb.seq = p.Seq
	delete(c.Imports, "C") // which is its cell's alone
	ed := nb.scope.Edit()
	ed.Import(c.Imports, c.Dots)
	if p.Empty {
		nb.scope = ed.Model()
		return
	}
	p.code.Commit()
	s := &commit{checked: c, ed: ed, made: c.Pkg.Scope(), home: p.Seq, done: reached, cell: c.Cell.Name}
	s.dropped()
	s.revived()
	for name := range c.Unhide {
		ed.Drop(name)
		ed.Reveal(name)
	}
	s.declared()
	s.redeclared()
	s.retyped()
	s.variables()
	for name := range c.Imported {
		if ed.Lookup(name) != nil && !c.OwnNames[name] && c.Vars[name] == nil {
			ed.Drop(name)
		}
	}
	nb.scope, nb.release = ed.Model(), ed.Released()
}

// dropped takes away what no longer compiles, and keeps its source.
func (s *commit) dropped() {
	for name, why := range s.checked.Dropped {
		if recv, method, ok := strings.Cut(name, "."); ok {
			if v := s.ed.Lookup(recv); v != nil && v.Methods[method] != nil {
				s.keepBroken(nil, v.Methods[method])
				s.ed.SetMethod(recv, method, nil)
			}
			continue
		}
		if v := s.ed.Lookup(name); v != nil && v.Unit != nil {
			s.keepBroken(v, v.Unit)
		}
		sentence := name + " is gone since " + s.cell + ", with which it no longer compiles: " + why
		if v := s.checked.Retyped[name]; v != nil {
			sentence = name + " is gone since " + s.cell + ", with which its type no longer compiles: run " + v.Cell + " again to make it"
		}
		s.ed.SetGone(name, sentence)
		s.ed.Drop(name)
	}
}

// keepBroken keeps the source of what is dropped, which is a version with its methods, or
// one method.
func (s *commit) keepBroken(e *scope.Version, u *scope.Unit) {
	b := &scope.Broken{Version: e, Unit: u, Mentions: map[string]bool{}}
	name := u.FullName()
	if e != nil {
		name = e.Name
	}
	units := []*scope.Unit{u}
	if e != nil {
		for _, m := range e.Methods {
			units = append(units, m)
		}
	}
	for _, u := range units {
		f, _, err := s.checked.Cell.Alone(u.Text)
		if err != nil {
			return
		}
		for _, id := range f.Unresolved {
			b.Mentions[id.Name] = true
		}
	}
	s.ed.Break(name, b)
}

// revived makes what compiles again live, and forgets the source of what has another
// meaning now.
func (s *commit) revived() {
	for name, b := range s.checked.Revived {
		s.ed.Mend(name)
		s.ed.SetGone(name, "")
		if b.Version != nil {
			s.ed.Restore(b.Version)
		} else {
			s.ed.SetMethod(b.Unit.Recv, b.Unit.Names[0], b.Unit)
		}
	}
	for name := range s.checked.Scope.Broken() {
		if s.checked.OwnNames[name] || s.checked.Vars[name] != nil || s.checked.Imported[name] {
			s.ed.Mend(name)
		}
	}
}

// declared makes the cell's own declarations live, the types before their methods.
func (s *commit) declared() {
	for _, u := range s.checked.Own {
		switch {
		case u.Recv != "" || u.Unnamed():
			continue
		case s.checked.NewBodies[u] != nil:
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
	for _, u := range s.checked.Own {
		if u.Recv != "" {
			s.ed.SetMethod(u.Recv, u.Names[0], u)
		}
	}
}

// redeclared has what was compiled again from its source mean its new object.
func (s *commit) redeclared() {
	for name := range s.checked.Redeclared {
		if s.checked.OwnNames[name] || s.checked.Dropped[name] != "" {
			continue
		}
		in := name
		if s.checked.Hides[name] {
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
	for name, old := range s.checked.Retyped {
		if s.checked.Dropped[name] != "" || s.checked.NewVars[name] && !s.reached(name) {
			continue
		}
		obj := s.made.Lookup(spell.Var(name))
		s.ed.Again(name, func(v *scope.Version) {
			if v.Lost == "" && !s.checked.NewVars[name] && !spell.SameLayout(old.Obj.Type(), obj.Type()) {
				v.Lost = "the type of its value was changed in " + s.cell
			}
			v.Obj, v.Home = obj, s.home
		})
	}
}

// variables makes the variables live that the cell came to define, and notes which
// have a value again.
func (s *commit) variables() {
	for name := range s.checked.Vars {
		switch {
		case !s.reached(name):
		case !s.checked.NewVars[name]:
			s.ed.Update(name, func(v *scope.Version) { v.Lost, v.Cell = "", s.cell })
		default:
			if s.checked.Hides[name] {
				s.ed.Hide(name)
			}
			s.ed.Define(scope.Version{Name: name, Kind: scope.Var, Obj: s.made.Lookup(spell.Var(name)), Home: s.home, Cell: s.cell})
		}
	}
	for i, t := range s.checked.Cell.Stmts {
		for _, name := range t.Sets {
			if v := s.ed.Lookup(name); v != nil && v.Lost != "" && (s.done < 0 || i < s.done) {
				s.ed.Update(name, func(v *scope.Version) { v.Lost, v.Cell = "", s.cell })
			}
		}
	}
}

// reached reports whether the statement that first defines a variable was done.
func (s *commit) reached(name string) bool {
	if s.done < 0 {
		return true
	}
	for i, t := range s.checked.Cell.Stmts {
		if slices.Contains(t.Defs, name) {
			return i < s.done
		}
	}
	return true
}
