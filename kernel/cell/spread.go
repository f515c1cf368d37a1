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

// decide sorts the cell's own declarations into those that replace a body and
// those that change what a name means.
func (c *check) decide() {
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
				c.rebody[u] = old
			} else {
				c.changed[u.recv] = true
				c.rehome[u.recv] = e
			}
			continue
		}
		if old := c.live(u); old != nil && u.kind == kFunc && old.sig == u.sig && !u.generic && !old.generic {
			c.rebody[u] = old
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

// spread finds what must be compiled again because of what changed.
func (c *check) spread() {
	hits := func(names map[string]bool) bool {
		for n := range names {
			if c.changed[n] {
				return true
			}
		}
		return false
	}
	for again := true; again; {
		again = false
		for name, e := range c.nb.names {
			if c.ownNames[name] || c.rehome[name] != nil || c.moved[name] != nil || c.fresh[name] || c.dropped[name] != "" || c.unhide[spell.Written(name)] && spell.IsMarked(name) {
				continue
			}
			redo := false
			switch e.kind {
			case kVar:
				spell.NotebookTypes(e.obj.Type(), func(t *types.TypeName) { redo = redo || c.changed[c.nb.typeName(t)] })
				if redo && mixed(e.obj.Type()) {
					c.dropped[name], c.changed[name] = "its type was declared again", true
					c.notices = append(c.notices, fmt.Sprintf("%s (%s) is gone: its type %s holds one that was declared again; run %s again to make it", name, e.cell, spell.Type(e.obj.Type()), e.cell))
					continue
				}
				if redo {
					c.moved[name] = e
				}
			case kConst:
				spell.NotebookTypes(e.obj.Type(), func(t *types.TypeName) { redo = redo || c.changed[c.nb.typeName(t)] })
			case kType:
				redo = hits(e.unit.iface)
				for _, m := range e.methods {
					redo = redo || hits(m.iface) || e.unit.generic && hits(m.body)
				}
			case kFunc:
				redo = hits(e.unit.iface) || e.unit.generic && hits(e.unit.body)
			}
			if !redo {
				continue
			}
			again = true
			c.changed[name] = true
			if e.kind != kVar {
				c.rehome[name] = e
				if e.kind == kConst {
					for _, n := range e.unit.names {
						if o := c.nb.names[n]; o != nil && o.unit == e.unit && !c.ownNames[n] {
							c.rehome[n], c.changed[n] = o, true
						}
					}
				}
			}
		}
		// A function whose type was declared again in this cell, or which is
		// itself declared again, is no longer a matter of its body alone.
		for u, old := range c.rebody {
			if u.recv != "" && (c.rehome[u.recv] != nil || c.ownNames[u.recv]) {
				delete(c.rebody, u)
			} else if u.recv == "" && !slices.Contains(c.own, u) && c.rehome[u.names[0]] != nil {
				delete(c.rebody, u)
			} else if hits(old.iface) && u.recv == "" && !c.changed[u.names[0]] {
				delete(c.rebody, u)
				c.changed[u.names[0]] = true
				if !slices.Contains(c.own, u) {
					c.rehome[u.names[0]] = c.nb.names[u.names[0]]
				}
				again = true
			}
		}
	}
	// Bodies that mention what changed.
	for name, e := range c.nb.names {
		if c.dropped[name] != "" || c.rehome[name] != nil || c.ownNames[name] && e.kind != kFunc || c.unhide[spell.Written(name)] && spell.IsMarked(name) {
			continue
		}
		switch e.kind {
		case kFunc:
			if !c.ownNames[name] && !e.unit.generic && hits(e.unit.body) {
				c.rebody[e.unit] = e.unit
			}
		case kType:
			if e.unit.generic {
				continue
			}
			for _, m := range e.methods {
				if hits(m.body) && !c.ownMethod(name, m.names[0]) {
					c.rebody[m] = m
				}
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
