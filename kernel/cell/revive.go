package cell

import (
	"fmt"
	"slices"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// What no longer compiles after a change is gone, but its source is kept: when a
// later cell changes something that it mentions, it is compiled again, and is back
// if that works.

// broken is a declaration that no longer compiled.
type broken struct {
	e        *entity         // nil for a method
	unit     *unit           // its source
	mentions map[string]bool // the names in it that are declared elsewhere
}

// keepBroken keeps the source of what is dropped.
func (c *check) keepBroken(e *entity, u *unit) {
	b := &broken{e: e, unit: u, mentions: map[string]bool{}}
	name := u.fullName()
	if e != nil {
		name = e.name
	}
	units := []*unit{u}
	if e != nil {
		for _, m := range e.methods {
			units = append(units, m)
		}
	}
	for _, u := range units {
		f, _, err := c.alone(u.text)
		if err != nil {
			return
		}
		for _, id := range f.Unresolved {
			b.mentions[id.Name] = true
		}
	}
	c.nb.broken[name] = b
}

// revive adds broken declarations to what this cell compiles again: those that
// mention what the cell changes, and those that mention them. It reports whether
// there are new ones.
func (c *check) revive() (more bool) {
	if len(c.own)+len(c.top) == 0 {
		return false
	}
	hit := func(name string) bool {
		return c.ownNames[name] || c.defines(name) || c.changed[name] || c.revived[name] != nil || c.imported[name]
	}
	for again := true; again; {
		again = false
		for _, name := range sortedKeys(c.nb.broken) {
			b := c.nb.broken[name]
			if c.revived[name] != nil || c.refused[name] || c.taken(name) || !slices.ContainsFunc(sortedKeys(b.mentions), hit) {
				continue
			}
			if b.e == nil && !c.reviveMethod(b.unit) {
				continue
			}
			c.revived[name] = b
			if b.e != nil {
				c.redeclared[name] = b.e
			}
			again, more = true, true
		}
	}
	return more
}

// taken reports whether a name means something else, or will.
func (c *check) taken(name string) bool {
	return c.nb.names[name] != nil || c.ownNames[name] || c.defines(name) || c.imported[name]
}

// reviveMethod declares the type of a broken method again, and reports whether
// there is one.
func (c *check) reviveMethod(u *unit) bool {
	e := c.nb.names[u.recv]
	if e == nil || e.kind != kType || e.methods[u.names[0]] != nil || c.ownMethod(u.recv, u.names[0]) || c.dropped[u.recv] != "" {
		return c.ownType(u.recv) && !c.ownMethod(u.recv, u.names[0])
	}
	if !c.ownNames[u.recv] {
		c.changed[u.recv], c.redeclared[u.recv] = true, e
	}
	return true
}

func (c *check) isRevived(u *unit) bool { return c.revivedAs(u) != "" }

// revivedAs returns the name of what is tried again with a unit, or "".
func (c *check) revivedAs(u *unit) string {
	for name, b := range c.revived {
		if b.unit == u || b.e != nil && b.e.methods[u.names[0]] == u {
			return name
		}
	}
	return ""
}

// refuse gives up on a broken declaration: it still does not compile.
func (c *check) refuse(u *unit) {
	for name := c.revivedAs(u); name != ""; name = c.revivedAs(u) { // of a group of constants, all
		c.refused[name] = true
		delete(c.revived, name)
		delete(c.redeclared, name)
	}
}

// refuseRevived leaves all broken declarations out, in case they are why the cell has
// errors, and reports whether there were any.
func (c *check) refuseRevived() bool {
	any := len(c.revived) > 0
	for _, name := range sortedKeys(c.revived) {
		if b := c.revived[name]; b != nil {
			c.refuse(b.unit)
		}
	}
	return any
}

// entity returns what a name means, also when it is only tried again.
func (c *check) entity(name string) *entity {
	if b := c.revived[name]; b != nil && b.e != nil {
		return b.e
	}
	return c.nb.names[name]
}

// reviveNotices says what is back.
func (c *check) reviveNotices() {
	seen := map[*unit]bool{}
	for _, name := range sortedKeys(c.revived) {
		if u := c.revived[name].unit; !seen[u] {
			seen[u] = true
			c.notices = append(c.notices, fmt.Sprintf("%s (%s) compiles again and is back", spell.Written(name), u.cell))
		}
	}
}

// commitBroken keeps what is gone, and makes what is back live.
func (c *check) commitBroken() {
	nb := c.nb
	for name, b := range c.revived {
		delete(nb.broken, name)
		delete(nb.gone, name)
		if b.e != nil {
			nb.names[name] = b.e
		} else if e := nb.names[b.unit.recv]; e != nil && e.kind == kType {
			e.methods[b.unit.names[0]] = b.unit
		}
	}
	for name := range nb.broken {
		if c.ownNames[name] || c.vars[name] != nil || c.imported[name] {
			delete(nb.broken, name)
		}
	}
}
