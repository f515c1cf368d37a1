package cell

import (
	"fmt"
	"slices"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// What no longer compiles after a change is gone, but its source is kept: when a
// later cell changes something that it mentions, it is compiled again, and is back
// if that works.

// keepBroken keeps the source of what is dropped.
func (c *check) keepBroken(ed *scope.Edit, e *scope.Version, u *scope.Unit) {
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
		f, _, err := c.cell.Alone(u.Text)
		if err != nil {
			return
		}
		for _, id := range f.Unresolved {
			b.Mentions[id.Name] = true
		}
	}
	ed.Break(name, b)
}

// revive adds broken declarations to what this cell compiles again: those that
// mention what the cell changes, and those that mention them. It reports whether
// there are new ones.
func (c *check) revive() (more bool) {
	if len(c.own)+len(c.cell.Stmts) == 0 {
		return false
	}
	hit := func(name string) bool {
		return c.ownNames[name] || c.cell.Defines(name) || c.changed[name] || c.revived[name] != nil || c.imported[name]
	}
	for again := true; again; {
		again = false
		for _, name := range sortedKeys(c.scope.Broken()) {
			b := c.scope.Broken()[name]
			if c.revived[name] != nil || c.refused[name] || c.isTaken(name) || !slices.ContainsFunc(sortedKeys(b.Mentions), hit) {
				continue
			}
			if b.Version == nil && !c.reviveMethod(b.Unit) {
				continue
			}
			c.revived[name] = b
			if b.Version != nil {
				c.redeclared[name] = b.Version
			}
			again, more = true, true
		}
	}
	return more
}

// isTaken reports whether a name means something else, or will.
func (c *check) isTaken(name string) bool {
	return c.scope.Lookup(name) != nil || c.ownNames[name] || c.cell.Defines(name) || c.imported[name]
}

// reviveMethod declares the type of a broken method again, and reports whether
// there is one.
func (c *check) reviveMethod(u *scope.Unit) bool {
	e := c.scope.Lookup(u.Recv)
	if e == nil || e.Kind != scope.Type || e.Methods[u.Names[0]] != nil || c.ownMethod(u.Recv, u.Names[0]) || c.dropped[u.Recv] != "" {
		return c.ownType(u.Recv) && !c.ownMethod(u.Recv, u.Names[0])
	}
	if !c.ownNames[u.Recv] {
		c.changed[u.Recv], c.redeclared[u.Recv] = true, e
	}
	return true
}

func (c *check) isRevived(u *scope.Unit) bool { return c.revivedAs(u) != "" }

// revivedAs returns the name of what is tried again with a unit, or "".
func (c *check) revivedAs(u *scope.Unit) string {
	for name, b := range c.revived {
		if b.Unit == u || b.Version != nil && b.Version.Methods[u.Names[0]] == u {
			return name
		}
	}
	return ""
}

// refuse gives up on a broken declaration: it still does not compile.
func (c *check) refuse(u *scope.Unit) {
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
			c.refuse(b.Unit)
		}
	}
	return any
}

// meaning returns what a name means, also when it is only tried again.
func (c *check) meaning(name string) *scope.Version {
	if b := c.revived[name]; b != nil && b.Version != nil {
		return b.Version
	}
	return c.scope.Lookup(name)
}

// reviveNotices says what is back.
func (c *check) reviveNotices() {
	seen := map[*scope.Unit]bool{}
	for _, name := range sortedKeys(c.revived) {
		if u := c.revived[name].Unit; !seen[u] {
			seen[u] = true
			c.notices = append(c.notices, fmt.Sprintf("%s (%s) compiles again and is back", spell.Written(name), u.Cell))
		}
	}
}
