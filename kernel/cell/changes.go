package cell

import (
	"fmt"
	"go/types"
	"slices"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// live returns the unit that u would replace, or nil.
func (c *check) live(u *unit) *unit {
	if u.recv != "" {
		if e := c.nb.names[u.recv]; e != nil && e.kind == kType {
			return e.methods[u.names[0]]
		}
		return nil
	}
	var old *unit
	for _, n := range u.names {
		if n == "_" {
			continue
		}
		e := c.nb.names[n]
		if e == nil || e.unit == nil || e.kind != u.kind || old != nil && e.unit != old {
			return nil
		}
		old = e.unit
	}
	return old
}

func (c *check) sameImports(u *unit) bool {
	for name, path := range u.imports {
		if c.imports[name] != path {
			return false
		}
	}
	return true
}

// sameC reports whether this cell has the C code that u was compiled with.
func (c *check) sameC(u *unit) bool {
	return u.pre == nil || c.pre != nil && c.pre.text == u.pre.text
}

// classify sorts the cell's own declarations into those that replace a body and
// those that change what a name means.
func (c *check) classify() {
	for _, u := range c.own {
		if u.recv != "" {
			if c.ownNames[u.recv] {
				continue
			}
			e := c.nb.names[u.recv]
			if e == nil || e.kind != kType {
				continue // the checker explains it
			}
			if old := e.methods[u.names[0]]; old != nil && old.sig == u.sig && !e.unit.generic {
				c.newBodies[u] = old
			} else {
				c.changed[u.recv] = true
				c.redeclared[u.recv] = e
			}
			continue
		}
		if old := c.live(u); old != nil && u.kind == kFunc && old.sig == u.sig && !u.generic && !old.generic {
			c.newBodies[u] = old
			continue
		}
		for _, n := range u.names {
			if c.nb.names[n] != nil {
				c.changed[n] = true
			}
			if u.kind == kType && c.nb.names[spell.TypeMark+n] != nil {
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
		for name, e := range c.nb.names {
			if c.ownNames[name] || c.newVars[name] || c.redeclared[name] != nil || c.retyped[name] != nil || c.isGone(name) {
				continue
			}
			if e.kind == kVar && mixed(e.obj.Type()) && c.typeChanged(e) {
				c.dropped[name], c.changed[name] = "its type was declared again", true
				c.notices = append(c.notices, fmt.Sprintf("%s (%s) is gone: its type %s holds one that was declared again; run %s again to make it", name, e.cell, spell.Type(e.obj.Type()), e.cell))
				continue
			}
			if c.isStale(e) {
				again = true
				c.redeclare(name, e)
			}
		}
		again = c.notBodyAlone() || again
	}
	for name, e := range c.nb.names {
		if c.redeclared[name] == nil && !c.isGone(name) && (!c.ownNames[name] || e.kind == kFunc) {
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
func (c *check) typeChanged(e *entity) (changed bool) {
	spell.NotebookTypes(e.obj.Type(), func(t *types.TypeName) { changed = changed || c.changed[c.nb.typeName(t)] })
	return changed
}

// isStale reports whether what a name means rests on a name that has changed.
func (c *check) isStale(e *entity) bool {
	switch e.kind {
	case kVar, kConst:
		return c.typeChanged(e)
	case kType:
		stale := c.hits(e.unit.iface)
		for _, m := range e.methods {
			stale = stale || c.hits(m.iface) || e.unit.generic && c.hits(m.body)
		}
		return stale
	}
	return c.hits(e.unit.iface) || e.unit.generic && c.hits(e.unit.body)
}

// redeclare has a name declared again; of a group of constants, all.
func (c *check) redeclare(name string, e *entity) {
	c.changed[name] = true
	if e.kind == kVar {
		c.retyped[name] = e
		return
	}
	c.redeclared[name] = e
	if e.kind != kConst {
		return
	}
	for _, n := range e.unit.names {
		if o := c.nb.names[n]; o != nil && o.unit == e.unit && !c.ownNames[n] {
			c.redeclared[n], c.changed[n] = o, true
		}
	}
}

// notBodyAlone finds functions whose type was declared again in this cell, or which
// are themselves declared again: they are no longer a matter of their bodies alone. It
// reports whether a name has changed by that.
func (c *check) notBodyAlone() (again bool) {
	for u, old := range c.newBodies {
		name := u.names[0]
		switch isOwn := slices.Contains(c.own, u); {
		case u.recv != "":
			if c.redeclared[u.recv] != nil || c.ownNames[u.recv] {
				delete(c.newBodies, u)
			}
		case !isOwn && c.redeclared[name] != nil:
			delete(c.newBodies, u)
		case c.hits(old.iface) && !c.changed[name]:
			delete(c.newBodies, u)
			c.changed[name] = true
			if !isOwn {
				c.redeclared[name] = c.nb.names[name]
			}
			again = true
		}
	}
	return again
}

// staleBodies has the bodies compiled that mention what changed: of a function, or of
// a type's methods.
func (c *check) staleBodies(name string, e *entity) {
	switch {
	case e.unit == nil || e.unit.generic:
	case e.kind == kFunc:
		if !c.ownNames[name] && c.hits(e.unit.body) {
			c.newBodies[e.unit] = e.unit
		}
	case e.kind == kType:
		for _, m := range e.methods {
			if c.hits(m.body) && !c.ownMethod(name, m.names[0]) {
				c.newBodies[m] = m
			}
		}
	}
}

func (c *check) ownMethod(recv, name string) bool {
	for _, u := range c.own {
		if u.recv == recv && u.names[0] == name {
			return true
		}
	}
	return false
}
