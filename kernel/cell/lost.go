package cell

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// What does not go into the program. A declaration of an earlier cell that no longer
// compiles is dropped, and the check is made again without it, since a cell may change
// what others mean. A value that ended with a host process is refused where the cell
// uses it: the variable is there, and its zero value would be taken for the value.

// handleErrors looks at the errors of the last pass. Those in the cell end it. What
// earlier cells declared and no longer compiles is dropped with a notice, and the
// check is made again.
func (c *check) handleErrors(p *passed) (again bool, err error) {
	var mine []Diagnostic
	for _, d := range p.errs {
		if c.isOwn(d) {
			mine = append(mine, d.Diagnostic)
		}
	}
	switch {
	case c.dropBroken(p):
		return true, nil
	case len(mine) > 0:
		return c.refuseRevived(), &Error{Diagnostics: syntax.Trim(mine)}
	case len(p.errs) > 0:
		return false, &Error{Diagnostics: syntax.Trim([]Diagnostic{p.errs[0].Diagnostic})}
	}
	return false, nil
}

// isOwn reports whether an error is in what the cell itself says.
func (c *check) isOwn(e passError) bool {
	if e.file.Kind == syntax.VarFile {
		return c.retyped[e.file.Variable(e.pos)] == nil
	}
	return e.file.Unit == nil || slices.Contains(c.own, e.file.Unit)
}

// dropBroken drops what earlier cells declared and no longer compiles, and reports
// whether there is more of it than before.
func (c *check) dropBroken(p *passed) (more bool) {
	for _, d := range p.errs {
		if c.isOwn(d) {
			continue
		}
		if d.file.Kind == syntax.VarFile {
			name := d.file.Variable(d.pos)
			if c.dropped[name] != "" {
				continue
			}
			e := c.retyped[name]
			c.dropped[name], c.changed[name] = "its type no longer compiles", true
			c.notices = append(c.notices, fmt.Sprintf("%s (%s) is gone with its type %s; run %s again to make it", name, e.Cell, spell.Type(e.Obj.Type()), e.Cell))
			more = true
			continue
		}
		u := d.file.Unit
		named := slices.DeleteFunc(slices.Clone(u.Names), func(n string) bool { return n == "_" })
		if len(named) == 0 {
			continue
		}
		if c.isRevived(u) {
			c.refuse(u)
			more = true
			continue
		}
		name := u.FullName()
		if c.dropped[name] != "" {
			continue
		}
		c.dropped[name] = d.Msg
		more = true
		if u.Recv != "" { // a type is made without the method: its calls must not run the old one
			if e := c.scope.Lookup(u.Recv); e != nil && !c.ownNames[u.Recv] && c.dropped[u.Recv] == "" {
				c.changed[u.Recv], c.redeclared[u.Recv] = true, e
			}
		} else { // of a group of constants, all
			for _, n := range named {
				c.dropped[n], c.changed[n] = d.Msg, true
				delete(c.redeclared, n)
			}
			name = strings.Join(named, ", ")
		}
		verb := "compiles and is"
		if strings.Contains(name, ",") {
			verb = "compile and are"
		}
		c.notices = append(c.notices, fmt.Sprintf("%s (%s) no longer %s gone: %s; change it and run its cell again", spell.Written(name), u.Cell, verb, d.Msg))
		delete(c.newBodies, u)
	}
	return more
}

// refuseLost refuses a cell that uses a value which ended with an earlier host process,
// itself or through a function.
func (c *check) refuseLost(p *passed) error {
	set := map[string]bool{} // made anew by a top-level assignment
	for _, t := range c.cell.Stmts {
		for _, name := range t.Sets {
			set[name] = true
		}
	}
	var diags []Diagnostic
	seen := map[string]bool{}
	for _, f := range p.files {
		if f.Unit != nil || f.Kind == syntax.VarFile {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok || seen[id.Name] || set[id.Name] && p.old[p.info.Uses[id]] == "" {
				return true
			}
			obj, name := p.info.Uses[id], spell.Written(id.Name)
			if !c.isValueOfEarlier(obj, name) {
				return true
			}
			l := c.lostIn(name, map[string]bool{})
			if e := c.scope.Lookup(name); p.old[obj] != "" && e.Lost != "" { // x := f(x)
				l = e
			}
			if l != nil {
				seen[id.Name] = true
				msg := fmt.Sprintf("the value of %s is gone: %s; run %s again to make it", l.Name, l.Lost, l.Cell)
				if l.Name != name {
					msg = fmt.Sprintf("%s uses %s, whose value is gone: %s; run %s again to make it", name, l.Name, l.Lost, l.Cell)
				}
				diags = append(diags, f.Diagnose(id.Pos(), msg))
			}
			return true
		})
	}
	if len(diags) > 0 {
		return &Error{Diagnostics: syntax.Trim(diags)}
	}
	return nil
}

// isValueOfEarlier reports whether an object is a variable, constant or function of
// package level whose name means something before this cell.
func (c *check) isValueOfEarlier(obj types.Object, name string) bool {
	if obj == nil || obj.Parent() == nil || !spell.PackageLevel(obj) || spell.IsOfC(obj.Name()) || c.scope.Lookup(name) == nil {
		return false
	}
	_, isType := obj.(*types.TypeName)
	return !isType
}

// lostIn returns the variable whose lost value a name of earlier cells leads to, itself
// or through the bodies of functions and methods; nil where there is none. Visited holds
// the names that were looked at.
func (c *check) lostIn(name string, visited map[string]bool) *scope.Version {
	e := c.scope.Lookup(name)
	if e == nil || visited[name] || c.ownNames[name] || c.vars[name] != nil {
		return nil
	}
	visited[name] = true
	if e.Lost != "" {
		return e
	}
	var bodies []*scope.Unit
	if e.Unit != nil {
		bodies = append(bodies, e.Unit)
	}
	for _, m := range e.Methods {
		bodies = append(bodies, m)
	}
	for _, u := range bodies {
		for _, used := range sortedKeys(u.Body) {
			if l := c.lostIn(used, visited); l != nil {
				return l
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
