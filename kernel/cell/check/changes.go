package check

import (
	"fmt"
	"go/types"
	"slices"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// What a change makes new. Go compiles a package as a whole, so that all of it fits together.
// Here each cell is a package, and those of earlier cells are loaded and cannot be changed. So
// when a cell gives a name another meaning, everything that mentions the name is found and
// compiled again into the cell's package, as if all were one package after all.

// sameImports reports whether the names of packages in a unit mean what they meant in its own
// cell.
func (c *checker) sameImports(u *scope.Unit) bool {
	for name, path := range u.Imports {
		if c.Imports[name] != path {
			return false
		}
	}
	return true
}

// sameC reports whether this cell has the C code that u was compiled with.
func (c *checker) sameC(u *scope.Unit) bool {
	return u.C == nil || c.Preamble != nil && c.Preamble.Text == u.C.Text
}

// classify sorts the cell's own declarations into those that replace a body and
// those that change what a name means. After
//
//	func area(w, h int) int { return w * h }
//
// the first of these replaces a body, and callers of area call the new one; the second
// is another function, so that its callers are compiled again:
//
//	func area(w, h int) int { return w * h / 2 }
//	func area(w, h float64) float64 { return w * h }
//
// A name that is new is not among what changes: nothing can mention it.
func (c *checker) classify() {
	for _, u := range c.Own {
		if u.Recv != "" {
			if c.OwnNames[u.Recv] { // it is compiled with its type, which the cell declares
				continue
			}
			e := c.Scope.Lookup(u.Recv)
			if e == nil || e.Kind != scope.Type {
				continue // the checker explains it
			}
			if old := e.Methods[u.Names[0]]; old != nil && old.Sig == u.Sig && !e.Unit.Generic && !u.Recovers {
				c.NewBodies[u] = old
			} else { // a type has all its methods when it is made: with another, it is another type
				c.changed[u.Recv] = true
				c.Redeclared[u.Recv] = e
			}
			continue
		}
		// A function with the same signature stays the function that it is, and gets another
		// body. Of a generic one each caller has instances of its own, which no hook reaches; for
		// one that recovers see recovers.
		if old := c.live(u); old != nil && u.Kind == scope.Func && old.Sig == u.Sig && !u.Generic && !old.Generic && !u.Recovers {
			c.NewBodies[u] = old
			continue
		}
		for _, n := range u.Names {
			if c.Scope.Lookup(n) != nil {
				c.changed[n] = true
			}
			// A type that a variable hides, declared again: both its names change meaning.
			if u.Kind == scope.Type && c.Scope.Lookup(spell.TypeMark+n) != nil {
				c.changed[spell.TypeMark+n], c.Unhide[n] = true, true
			}
		}
	}
}

// findChanged finds what must be compiled again because of what changed. What a name
// means has changed when the cell declares it in another way, and also when it is
// declared again because of another name: so it goes on until nothing more is found.
//
// A type, constant or function that mentions a changed name where others see it, in
// its type or signature, is declared again, and so is a variable of such a type. Where
// only the body of a function or method mentions one, the body alone is compiled, and
// hooked into the package that is there. Of what is generic, there is no body apart
// from what uses it, and what recovers cannot be reached by a hook.
//
// It is called whenever a stage has added to changed, and only adds to what it found before.
// Versions come in no order, which does not matter: it goes on until nothing is added. After most
// cells nothing has changed, and the names of the notebook are not gone through.
func (c *checker) findChanged() {
	if len(c.changed) == 0 && len(c.NewBodies) == 0 {
		return
	}
	for again := true; again; {
		again = false
		for name, e := range c.Scope.All() {
			if c.OwnNames[name] || c.NewVars[name] || c.Redeclared[name] != nil || c.Retyped[name] != nil || c.isGone(name) {
				continue
			}
			// A type that a library does not export, made of one of the notebook, such as
			// lib.box[point]: no text says it, so that nothing makes it of the new point.
			if e.Kind == scope.Var && mixesOwnTypes(e.Obj.Type()) && c.typeChanged(e) {
				c.Dropped[name], c.changed[name] = "its type was declared again", true
				c.Notices = append(c.Notices, fmt.Sprintf("%s (%s) is gone: its type %s holds one that was declared again; run %s again to make it", name, e.Cell, spell.Type(e.Obj.Type()), e.Cell))
				continue
			}
			if c.isStale(e) {
				again = true
				c.redeclare(name, e)
			}
		}
		again = c.notBodyAlone() || again
	}
	// Bodies last: which declarations are compiled whole is known by now.
	for name, e := range c.Scope.All() {
		if c.Redeclared[name] == nil && !c.isGone(name) && (!c.OwnNames[name] || e.Kind == scope.Func) {
			c.staleBodies(name, e)
		}
	}
}

// isGone reports whether a name is dropped, or that of a hidden type which is declared
// again under its own name.
func (c *checker) isGone(name string) bool {
	return c.Dropped[name] != "" || c.Unhide[spell.Written(name)] && spell.IsMarked(name)
}

// hits reports whether one of the names has changed.
func (c *checker) hits(names map[string]bool) bool {
	for n := range names {
		if c.changed[n] {
			return true
		}
	}
	return false
}

// typeChanged reports whether the type of a variable or constant mentions a type of
// the notebook that has changed.
func (c *checker) typeChanged(e *scope.Version) (changed bool) {
	spell.NotebookTypes(e.Obj.Type(), func(t *types.TypeName) { changed = changed || c.changed[c.Scope.TypeName(t)] })
	return changed
}

// isStale reports whether what a name means rests on a name that has changed. A constant keeps
// its value as a variable does, whatever it was made of: after const n = 2, const m = 2*n and
// const n = 5, m is 4 until its own cell runs again. Only another type makes it another one. A
// type is made with its methods, so their signatures count as its own.
func (c *checker) isStale(e *scope.Version) bool {
	switch e.Kind {
	case scope.Var, scope.Const:
		return c.typeChanged(e)
	case scope.Type:
		stale := c.hits(e.Unit.Signature)
		for _, m := range e.Methods {
			stale = stale || c.hits(m.Signature) || (e.Unit.Generic || m.Recovers) && c.hits(m.Body)
		}
		return stale
	}
	return c.hits(e.Unit.Signature) || (e.Unit.Generic || e.Unit.Recovers) && c.hits(e.Unit.Body)
}

// redeclare has a name declared again; of a group of constants, all that still mean what the
// group says.
func (c *checker) redeclare(name string, e *scope.Version) {
	c.changed[name] = true
	if e.Kind == scope.Var {
		c.Retyped[name] = e
		return
	}
	c.Redeclared[name] = e
	if e.Kind != scope.Const {
		return
	}
	for _, n := range e.Unit.Names {
		if o := c.Scope.Lookup(n); o != nil && o.Unit == e.Unit && !c.OwnNames[n] {
			c.Redeclared[n], c.changed[n] = o, true
		}
	}
}

// notBodyAlone finds functions whose type was declared again in this cell, or which
// are themselves declared again: they are no longer a matter of their bodies alone. It
// reports whether a name has changed by that.
func (c *checker) notBodyAlone() (again bool) {
	for u, old := range c.NewBodies {
		name := u.Names[0]
		switch isOwn := slices.Contains(c.Own, u); {
		case u.Recv != "": // a method that is compiled with its type
			if c.Redeclared[u.Recv] != nil || c.OwnNames[u.Recv] {
				delete(c.NewBodies, u)
			}
		case !isOwn && c.Redeclared[name] != nil: // a function that is compiled whole
			delete(c.NewBodies, u)
		case c.hits(old.Signature) && !c.changed[name]: // the same text is another type by now
			delete(c.NewBodies, u)
			c.changed[name] = true
			if !isOwn {
				c.Redeclared[name] = c.Scope.Lookup(name)
			}
			again = true
		}
	}
	return again
}

// staleBodies has the bodies compiled that mention what changed: of a function, or of
// a type's methods. The unit stands for the old body and the new: its text is the same, and
// its names mean something else.
func (c *checker) staleBodies(name string, e *scope.Version) {
	switch {
	case e.Unit == nil || e.Unit.Generic || e.Unit.Recovers:
	case e.Kind == scope.Func:
		if !c.OwnNames[name] && c.hits(e.Unit.Body) {
			c.NewBodies[e.Unit] = e.Unit
		}
	case e.Kind == scope.Type:
		for _, m := range e.Methods {
			if c.hits(m.Body) && !c.ownMethod(name, m.Names[0]) {
				c.NewBodies[m] = m
			}
		}
	}
}
