package cell

import (
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/gen"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// A commit makes the model of what names mean after a cell: stage by stage, since what
// is dropped makes room for what is back, and that for what the cell declares.
//
// The check decided what is written down here. Only how far the cell came is known no sooner.
type commit struct {
	checked *check.Result // says names by what they meant before the cell
	ed      *scope.Edit
	made    *types.Scope // what the checked package declares; variables by [spell.Var]
	home    int          // the program's number
	done    int          // how many statements were, in the order in which they ran; negative for all
	cell    string       // its name, such as cell[5]
}

// Commit makes what the program declares live. Reached is how many of the
// cell's top-level statements were done: a variable that was not reached keeps
// its old meaning. A negative number says all. After
//
//	x := 1
//	y := 1 / zero()
//
// fails in its second line, Reached is 1: x is there, and y is not. Types, functions and
// constants are part of the plugin that was loaded, so they are live however far it came.
//
// It is called once, by the goroutine that checks cells, and before the next [Notebook.Check]:
// the check was made against the model that this one replaces. A program that was loaded is
// committed even when its host process ended, with 0, so that its number is not used again.
func (p *Program) Commit(reached int) {
	c, nb := p.checked, p.notebook
	nb.seq = p.Seq
	delete(c.Imports, "C") // which is its cell's alone
	// Imports that were guessed are live as well: the next cell means the same package by the
	// name, whatever it selects from it.
	ed := nb.scope.Edit()
	ed.Import(c.Imports, c.Dots)
	if p.Empty {
		showPackages(ed, c)
		nb.scope, nb.release = ed.Model(), append(nb.release, ed.Released()...)
		return
	}
	p.code.Commit()
	// The stages read and write one edit. Their order is part of what they mean: what is declared
	// takes over the methods of the type before, a type that is compiled again must be there to
	// be hidden, and what mentions a type is renamed once all of it is in the model.
	s := &commit{checked: c, ed: ed, made: c.Pkg.Scope(), home: p.Seq, done: reached, cell: c.Cell.Name}
	held := c.Held()
	s.held(held) // of what the names meant before the cell, and below of what they mean after it
	s.dropped()
	s.revived()
	// A type that was hidden by a variable of its name, and that the cell declares again: the
	// variable goes, and the type has its name back, so that it passes its methods on.
	for _, name := range sortedKeys(c.Unhide) {
		ed.Drop(name)
		ed.Reveal(name)
	}
	s.declared()
	s.redeclared()
	s.retyped()
	s.variables()
	s.held(held)
	showPackages(ed, c)
	// The program itself released the variables that were to be released before it.
	nb.scope, nb.release = ed.Model(), ed.Released()
}

// showPackages drops what has the name of a package that the cell imports, such as a
// variable time: the name is the package's.
func showPackages(ed *scope.Edit, c *check.Result) {
	for _, name := range sortedKeys(c.Imported) {
		if ed.Lookup(name) != nil && !c.OwnNames[name] && c.Vars[name] == nil {
			ed.Drop(name)
		}
	}
}

// dropped takes away what no longer compiles, and keeps its source. Names are those of
// package level, and methods as T.m. A variable has no source: it is gone with its type, and
// only its own cell can make it again.
//
// Methods come before their types: one that does not compile for a reason of its own is kept
// alone, and does not keep its type from coming back.
func (s *commit) dropped() {
	names := sortedKeys(s.checked.Dropped)
	for _, name := range names {
		if recv, method, ok := strings.Cut(name, "."); ok { // the type stays, without the method
			if v := s.ed.Lookup(recv); v != nil && v.Methods[method] != nil {
				s.keepBroken(nil, v.Methods[method])
				s.ed.SetMethod(recv, method, nil)
			}
		}
	}
	for _, name := range names {
		if strings.Contains(name, ".") {
			continue
		}
		why := s.checked.Dropped[name]
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
// one method, for which e is nil. It also notes what the source mentions: a later cell that
// gives one of these names another meaning has it tried again. Text that cannot be parsed
// alone is not kept.
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
// meaning now. A version comes back with its old object; redeclared, which comes later, gives
// it that of this program.
func (s *commit) revived() {
	for _, name := range sortedKeys(s.checked.Revived) { // a type before its methods
		b := s.checked.Revived[name]
		s.ed.Mend(name)
		s.ed.SetGone(name, "")
		if b.Version != nil {
			s.ed.Restore(b.Version)
		} else {
			s.ed.SetMethod(b.Unit.Recv, b.Unit.Names[0], b.Unit)
		}
	}
	// To bring these back later would take the name from what the person has declared since.
	for _, u := range s.checked.Own {
		if u.Recv != "" {
			s.ed.Mend(u.FullName())
		}
	}
	for name := range s.checked.Scope.Broken() {
		if s.checked.OwnNames[name] || s.checked.Vars[name] != nil || s.checked.Imported[name] {
			s.ed.Mend(name)
		}
	}
}

// declared makes the cell's own declarations live, the types before their methods: a method
// is kept with the version of its type, which must be the new one by then.
func (s *commit) declared() {
	for _, u := range s.checked.Own {
		switch {
		case u.Recv != "" || u.Unnamed(): // methods come below; init and main leave nothing behind
			continue
		case s.checked.NewBodies[u] != nil:
			// The function stays that of its first package, whose hook leads to the new body. So do
			// its object and its home; what is new is the source.
			s.ed.Again(u.Names[0], func(v *scope.Version) { v.Unit, v.Cell = u, s.cell })
			continue
		}
		for _, n := range u.Names {
			if n == "_" {
				continue
			}
			v := scope.Version{Name: n, Kind: u.Kind, Obj: s.made.Lookup(n), Home: s.home, Unit: u, Cell: s.cell}
			// A type that is declared again keeps the methods that earlier cells gave it: the check
			// compiled them again with it.
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

// redeclared has what was compiled again from its source mean its new object. Its source and
// its cell stay: it is the same declaration, of other things.
func (s *commit) redeclared() {
	for _, name := range sortedKeys(s.checked.Redeclared) {
		if s.checked.OwnNames[name] || s.checked.Dropped[name] != "" {
			continue
		}
		in := name
		if s.checked.Hides[name] { // a variable of this cell has the plain name in the package
			in = spell.TypeMark + name
		}
		obj := s.made.Lookup(in)
		s.ed.Again(name, func(v *scope.Version) { v.Obj, v.Home = obj, s.home })
		// Until variables hides the type, which it does only where the variable was reached, it
		// goes by its plain name in the model.
		if t, ok := obj.(*types.TypeName); ok && in != name {
			s.ed.SetHidden(t, name)
		}
	}
}

// retyped has variables whose type was declared again mean those of the new type. One
// keeps its memory, and so its value, where the program has a pointer to it (see gen.Keeps).
func (s *commit) retyped() {
	for _, name := range sortedKeys(s.checked.Retyped) {
		// A variable that the cell also defines is dealt with in variables, which releases the
		// old one. Where the cell failed before it, the old one stays, with its type and value.
		if s.checked.Dropped[name] != "" || s.checked.NewVars[name] {
			continue
		}
		keeps := gen.Keeps(s.checked, name)
		obj := s.made.Lookup(spell.Var(name))
		s.ed.Again(name, func(v *scope.Version) {
			if v.Lost == "" && !keeps {
				v.Lost = "the type of its value was changed in " + s.cell
			}
			v.Obj, v.Home, v.Pointer = obj, s.home, keeps
		})
	}
}

// held notes the variables that pointers or function literals lead to.
func (s *commit) held(names []string) {
	for _, name := range names {
		s.ed.Update(name, func(v *scope.Version) { v.Held = true })
	}
}

// variables makes the variables live that the cell came to define, and notes which
// have a value again. One that has the type it had before is the same variable: there is no
// new version, and nothing that uses it is out of date.
func (s *commit) variables() {
	for _, name := range sortedKeys(s.checked.Vars) {
		switch {
		case !s.reached(name): // what it meant before, it means
		case !s.checked.NewVars[name]:
			s.ed.Update(name, func(v *scope.Version) { v.Lost, v.Cell = "", s.cell })
		default:
			if s.checked.Hides[name] {
				s.ed.Hide(name)
			}
			s.ed.Define(scope.Version{Name: name, Kind: scope.Var, Obj: s.made.Lookup(spell.Var(name)), Home: s.home, Cell: s.cell})
		}
	}
	// x = f() gives a value to a variable that lost its own when a host process ended.
	for i, t := range s.checked.Cell.Stmts {
		for _, name := range t.Sets {
			if v := s.ed.Lookup(name); v != nil && v.Lost != "" && (s.done < 0 || i < s.done) {
				s.ed.Update(name, func(v *scope.Version) { v.Lost, v.Cell = "", s.cell })
			}
		}
	}
}

// reached reports whether the statement that first defines a variable was done. Statements
// count in the order in which they run, in which ˣmark counts them too. It is true of a
// variable that no statement defines, which the program's package declares in any case.
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

// sortedKeys lists the keys of a map in order. Versions are numbered, and variables released, in
// the order in which they are gone through, so that a cell has one result.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
