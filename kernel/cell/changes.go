package cell

import (
	"fmt"
	"go/types"
	"slices"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// live returns the unit that u would replace, or nil.
func (c *check) live(u *scope.Unit) *scope.Unit {
	if u.Recv != "" {
		if e := c.scope.Lookup(u.Recv); e != nil && e.Kind == scope.Type {
			return e.Methods[u.Names[0]]
		}
		return nil
	}
	var old *scope.Unit
	for _, n := range u.Names {
		if n == "_" {
			continue
		}
		e := c.scope.Lookup(n)
		if e == nil || e.Unit == nil || e.Kind != u.Kind || old != nil && e.Unit != old {
			return nil
		}
		old = e.Unit
	}
	return old
}

func (c *check) sameImports(u *scope.Unit) bool {
	for name, path := range u.Imports {
		if c.imports[name] != path {
			return false
		}
	}
	return true
}

// sameC reports whether this cell has the C code that u was compiled with.
func (c *check) sameC(u *scope.Unit) bool {
	return u.C == nil || c.pre != nil && c.pre.Text == u.C.Text
}

// classify sorts the cell's own declarations into those that replace a body and
// those that change what a name means.
func (c *check) classify() {
	for _, u := range c.own {
		if u.Recv != "" {
			if c.ownNames[u.Recv] {
				continue
			}
			e := c.scope.Lookup(u.Recv)
			if e == nil || e.Kind != scope.Type {
				continue // the checker explains it
			}
			if old := e.Methods[u.Names[0]]; old != nil && old.Sig == u.Sig && !e.Unit.Generic {
				c.newBodies[u] = old
			} else {
				c.changed[u.Recv] = true
				c.redeclared[u.Recv] = e
			}
			continue
		}
		if old := c.live(u); old != nil && u.Kind == scope.Func && old.Sig == u.Sig && !u.Generic && !old.Generic {
			c.newBodies[u] = old
			continue
		}
		for _, n := range u.Names {
			if c.scope.Lookup(n) != nil {
				c.changed[n] = true
			}
			if u.Kind == scope.Type && c.scope.Lookup(spell.TypeMark+n) != nil {
				c.changed[spell.TypeMark+n], c.unhide[n] = true, true
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
// from what uses it.
func (c *check) findChanged() {
	for again := true; again; {
		again = false
		for name, e := range c.scope.All() {
			if c.ownNames[name] || c.newVars[name] || c.redeclared[name] != nil || c.retyped[name] != nil || c.isGone(name) {
				continue
			}
			if e.Kind == scope.Var && mixesOwnTypes(e.Obj.Type()) && c.typeChanged(e) {
				c.dropped[name], c.changed[name] = "its type was declared again", true
				c.notices = append(c.notices, fmt.Sprintf("%s (%s) is gone: its type %s holds one that was declared again; run %s again to make it", name, e.Cell, spell.Type(e.Obj.Type()), e.Cell))
				continue
			}
			if c.isStale(e) {
				again = true
				c.redeclare(name, e)
			}
		}
		again = c.notBodyAlone() || again
	}
	for name, e := range c.scope.All() {
		if c.redeclared[name] == nil && !c.isGone(name) && (!c.ownNames[name] || e.Kind == scope.Func) {
			c.staleBodies(name, e)
		}
	}
}

// isGone reports whether a name is dropped, or that of a hidden type which is declared
// again under its own name.
func (c *check) isGone(name string) bool {
	return c.dropped[name] != "" || c.unhide[spell.Written(name)] && spell.IsMarked(name)
}

// hits reports whether one of the names has changed.
func (c *check) hits(names map[string]bool) bool {
	for n := range names {
		if c.changed[n] {
			return true
		}
	}
	return false
}

// typeChanged reports whether the type of a variable or constant mentions a type of
// the notebook that has changed.
func (c *check) typeChanged(e *scope.Version) (changed bool) {
	spell.NotebookTypes(e.Obj.Type(), func(t *types.TypeName) { changed = changed || c.changed[c.scope.TypeName(t)] })
	return changed
}

// isStale reports whether what a name means rests on a name that has changed.
func (c *check) isStale(e *scope.Version) bool {
	switch e.Kind {
	case scope.Var, scope.Const:
		return c.typeChanged(e)
	case scope.Type:
		stale := c.hits(e.Unit.Signature)
		for _, m := range e.Methods {
			stale = stale || c.hits(m.Signature) || e.Unit.Generic && c.hits(m.Body)
		}
		return stale
	}
	return c.hits(e.Unit.Signature) || e.Unit.Generic && c.hits(e.Unit.Body)
}

// redeclare has a name declared again; of a group of constants, all.
func (c *check) redeclare(name string, e *scope.Version) {
	c.changed[name] = true
	if e.Kind == scope.Var {
		c.retyped[name] = e
		return
	}
	c.redeclared[name] = e
	if e.Kind != scope.Const {
		return
	}
	for _, n := range e.Unit.Names {
		if o := c.scope.Lookup(n); o != nil && o.Unit == e.Unit && !c.ownNames[n] {
			c.redeclared[n], c.changed[n] = o, true
		}
	}
}

// notBodyAlone finds functions whose type was declared again in this cell, or which
// are themselves declared again: they are no longer a matter of their bodies alone. It
// reports whether a name has changed by that.
func (c *check) notBodyAlone() (again bool) {
	for u, old := range c.newBodies {
		name := u.Names[0]
		switch isOwn := slices.Contains(c.own, u); {
		case u.Recv != "":
			if c.redeclared[u.Recv] != nil || c.ownNames[u.Recv] {
				delete(c.newBodies, u)
			}
		case !isOwn && c.redeclared[name] != nil:
			delete(c.newBodies, u)
		case c.hits(old.Signature) && !c.changed[name]:
			delete(c.newBodies, u)
			c.changed[name] = true
			if !isOwn {
				c.redeclared[name] = c.scope.Lookup(name)
			}
			again = true
		}
	}
	return again
}

// staleBodies has the bodies compiled that mention what changed: of a function, or of
// a type's methods.
func (c *check) staleBodies(name string, e *scope.Version) {
	switch {
	case e.Unit == nil || e.Unit.Generic:
	case e.Kind == scope.Func:
		if !c.ownNames[name] && c.hits(e.Unit.Body) {
			c.newBodies[e.Unit] = e.Unit
		}
	case e.Kind == scope.Type:
		for _, m := range e.Methods {
			if c.hits(m.Body) && !c.ownMethod(name, m.Names[0]) {
				c.newBodies[m] = m
			}
		}
	}
}

func (c *check) ownMethod(recv, name string) bool {
	for _, u := range c.own {
		if u.Recv == recv && u.Names[0] == name {
			return true
		}
	}
	return false
}
