package check

import (
	"go/types"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// What a name means in the package that is checked, where the cell and earlier cells may
// both have a meaning for it. The cell's goes first.

// live returns the unit that u would replace, or nil. Of a group of constants, all names must
// be those of one live group: a group that takes names of two, or of something else, replaces
// no unit, and each name gets a new meaning.
func (c *checker) live(u *scope.Unit) *scope.Unit {
	if u.Recv != "" {
		if e := c.Scope.Lookup(u.Recv); e != nil && e.Kind == scope.Type {
			return e.Methods[u.Names[0]]
		}
		return nil
	}
	var old *scope.Unit
	for _, n := range u.Names {
		if n == "_" {
			continue
		}
		e := c.Scope.Lookup(n)
		if e == nil || e.Unit == nil || e.Kind != u.Kind || old != nil && e.Unit != old {
			return nil
		}
		old = e.Unit
	}
	return old
}

// ownMethod reports whether the cell declares a method, in another way than before.
func (c *checker) ownMethod(recv, name string) bool {
	for _, u := range c.Own {
		if u.Recv == recv && u.Names[0] == name {
			return true
		}
	}
	return false
}

// ownType reports whether the cell declares a type, in another way than before. OwnNames would
// not tell it from a function that takes the name of a type.
func (c *checker) ownType(name string) bool {
	for _, u := range c.Own {
		if u.Kind == scope.Type && u.Names[0] == name {
			return true
		}
	}
	return false
}

// meaning returns what a name means, also when it is only tried again: what no longer compiled
// is not in the model.
func (c *checker) meaning(name string) *scope.Version {
	if b := c.Revived[name]; b != nil && b.Version != nil {
		return b.Version
	}
	return c.Scope.Lookup(name)
}

// shadows reports whether a declaration of the notebook hides the import of a
// name. Go refuses a file that imports a package under the name of a declaration of its
// package, so what means the package then says ˣold_time. A name that the cell itself imports
// is the package's. So is, in the first pass, one that is defined again from its package, as
// by time := time.Now(), run twice.
func (c *checker) shadows(name string) bool {
	return c.OwnNames[name] || c.NewVars[name] || c.Scope.Lookup(name) != nil && !c.Imported[name] && !(c.before[name] && c.kind == passFirst)
}

// typeName is the name that a type of the notebook has in this check: the model's, unless the
// cell hides the type by a variable, or declares again what a variable hid.
func (c *checker) typeName(t *types.TypeName) string {
	name := c.Scope.TypeName(t)
	plain := spell.Written(name)
	switch {
	case c.Unhide[plain]:
		return plain
	case c.Hides[plain]:
		return spell.TypeMark + plain
	}
	return name
}
