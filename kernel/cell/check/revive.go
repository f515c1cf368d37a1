package check

import (
	"fmt"
	"slices"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// What no longer compiles after a change is gone, but its source is kept: when a
// later cell changes something that it mentions, it is compiled again, and is back
// if that works. After
//
//	const size = 2
//	type board [size]int
//
// a cell with const size = "big" drops board, and one with const size = 3 brings it back. A
// variable of type board stays gone: its value went with its type.
//
// The person did not ask for it, so it may not be in the way: what is tried and does not
// compile is left out again without a word, and before a cell is refused it is checked
// without any of it.

// revive adds broken declarations to what this cell compiles again: those that
// mention what the cell changes, and those that mention them. It reports whether
// there are new ones.
func (c *checker) revive() (more bool) {
	if len(c.Own)+len(c.Cell.Stmts) == 0 { // a cell that changes nothing, or a rebuild
		return false
	}
	// Also what is imported: a package may be what was missing.
	hit := func(name string) bool { // whether the name has another meaning by this cell
		return c.OwnNames[name] || c.Cell.Defines(name) || c.changed[name] || c.Revived[name] != nil || c.Imported[name]
	}
	for again := true; again; { // what is back may be what others wait for
		again = false
		for _, name := range sortedKeys(c.Scope.Broken()) {
			b := c.Scope.Broken()[name]
			if c.Revived[name] != nil || c.refused[name] || c.isTaken(name) || !slices.ContainsFunc(sortedKeys(b.Mentions), hit) {
				continue
			}
			if b.Version == nil && !c.reviveMethod(b.Unit) {
				continue
			}
			c.Revived[name] = b
			if b.Version != nil {
				c.Redeclared[name] = b.Version
			}
			again, more = true, true
		}
	}
	return more
}

// isTaken reports whether a name means something else, or will: then the person has it for
// another thing, and what was gone stays gone.
func (c *checker) isTaken(name string) bool {
	return c.Scope.Lookup(name) != nil || c.OwnNames[name] || c.Cell.Defines(name) || c.Imported[name]
}

// reviveMethod declares the type of a broken method again, and reports whether
// there is one. A type is made with all its methods, so that one that is back takes the type
// to be compiled again, and with it what mentions the type.
func (c *checker) reviveMethod(u *scope.Unit) bool {
	e := c.Scope.Lookup(u.Recv)
	isType := e != nil && e.Kind == scope.Type
	switch {
	case c.ownMethod(u.Recv, u.Names[0]) || isType && e.Methods[u.Names[0]] != nil: // it has a successor
		return false
	case c.ownType(u.Recv) || c.Revived[u.Recv] != nil: // its type is compiled in any case
		return true
	case !isType || c.Dropped[u.Recv] != "":
		return false
	}
	if !c.OwnNames[u.Recv] {
		c.changed[u.Recv], c.Redeclared[u.Recv] = true, e
	}
	return true
}

// isRevived reports whether a unit is of what is tried again.
func (c *checker) isRevived(u *scope.Unit) bool { return c.revivedAs(u) != "" }

// revivedAs returns the name of what is tried again with a unit, or "".
func (c *checker) revivedAs(u *scope.Unit) string {
	for name, b := range c.Revived {
		if b.Unit == u || b.Version != nil && b.Version.Methods[u.Names[0]] == u {
			return name
		}
	}
	return ""
}

// refuse gives up on a broken declaration: it still does not compile. A type goes with all its
// methods. It is not tried again in this check; it stays in the model for later cells.
func (c *checker) refuse(u *scope.Unit) {
	for name := c.revivedAs(u); name != ""; name = c.revivedAs(u) { // of a group of constants, all
		c.refused[name] = true
		delete(c.Revived, name)
		delete(c.Redeclared, name)
	}
}

// refuseRevived leaves all broken declarations out, in case they are why the cell has
// errors, and reports whether there were any.
func (c *checker) refuseRevived() bool {
	any := len(c.Revived) > 0
	for _, name := range sortedKeys(c.Revived) {
		if b := c.Revived[name]; b != nil { // else it went with another name of its group
			c.refuse(b.Unit)
		}
	}
	return any
}

// reviveNotices says what is back: once for a group of constants.
func (c *checker) reviveNotices() {
	seen := map[*scope.Unit]bool{}
	for _, name := range sortedKeys(c.Revived) {
		if u := c.Revived[name].Unit; !seen[u] {
			seen[u] = true
			c.Notices = append(c.Notices, fmt.Sprintf("%s (%s) compiles again and is back", spell.Written(name), u.Cell))
		}
	}
}
