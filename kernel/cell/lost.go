package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

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
		return c.refuseRevived(), &Error{Diagnostics: trim(mine)}
	case len(p.errs) > 0:
		return false, &Error{Diagnostics: trim([]Diagnostic{p.errs[0].Diagnostic})}
	}
	return false, nil
}

// isOwn reports whether an error is in what the cell itself says.
func (c *check) isOwn(e passError) bool {
	if e.file.kind == varFile {
		return c.retyped[e.file.variable(e.pos)] == nil
	}
	return e.file.unit == nil || slices.Contains(c.own, e.file.unit)
}

// dropBroken drops what earlier cells declared and no longer compiles, and reports
// whether there is more of it than before.
func (c *check) dropBroken(p *passed) (more bool) {
	for _, d := range p.errs {
		if c.isOwn(d) {
			continue
		}
		if d.file.kind == varFile {
			name := d.file.variable(d.pos)
			if c.dropped[name] != "" {
				continue
			}
			e := c.retyped[name]
			c.dropped[name], c.changed[name] = "its type no longer compiles", true
			c.notices = append(c.notices, fmt.Sprintf("%s (%s) is gone with its type %s; run %s again to make it", name, e.Cell, spell.Type(e.Obj.Type()), e.Cell))
			more = true
			continue
		}
		u := d.file.unit
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

// variable returns the variable that a place in a varFile declares.
func (f *file) variable(pos token.Pos) string {
	if !pos.IsValid() {
		return ""
	}
	line := strings.Count(f.body[:f.offset(pos)], "\n") - 1
	if line < 0 || line >= len(f.vars) {
		return ""
	}
	return f.vars[line]
}

// refuseLost refuses a cell that uses a value which ended with an earlier
// host process, itself or through a function.
func (c *check) refuseLost(p *passed) error {
	var diags []Diagnostic
	seen := map[string]bool{}
	var lostIn func(name string, visited map[string]bool) *scope.Version
	lostIn = func(name string, visited map[string]bool) *scope.Version {
		e := c.scope.Lookup(name)
		if e == nil || visited[name] || c.ownNames[name] || c.vars[name] != nil {
			return nil
		}
		visited[name] = true
		if e.Lost != "" {
			return e
		}
		if e.Unit != nil {
			for _, dep := range sortedKeys(e.Unit.Body) {
				if l := lostIn(dep, visited); l != nil {
					return l
				}
			}
		}
		for _, m := range e.Methods {
			for _, dep := range sortedKeys(m.Body) {
				if l := lostIn(dep, visited); l != nil {
					return l
				}
			}
		}
		return nil
	}
	set := map[string]bool{} // made anew by a top-level assignment
	for _, t := range c.top {
		for _, name := range t.sets {
			set[name] = true
		}
	}
	for _, f := range p.files {
		if f.unit != nil || f.kind == varFile {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok || seen[id.Name] || set[id.Name] && p.old[p.info.Uses[id]] == "" {
				return true
			}
			obj := p.info.Uses[id]
			name := spell.Written(id.Name)
			if obj == nil || obj.Pkg() == nil || obj.Pkg().Path() != spell.Path || obj.Parent() == nil || c.scope.Lookup(name) == nil || namesOfC(obj.Name()) {
				return true
			}
			if _, isType := obj.(*types.TypeName); isType {
				return true
			}
			if local := obj.Parent() != obj.Pkg().Scope(); local {
				return true
			}
			l := lostIn(name, map[string]bool{})
			if e := c.scope.Lookup(name); p.old[obj] != "" && e.Lost != "" { // x := f(x)
				l = e
			}
			if l != nil {
				seen[id.Name] = true
				msg := fmt.Sprintf("the value of %s is gone: %s; run %s again to make it", l.Name, l.Lost, l.Cell)
				if l.Name != name {
					msg = fmt.Sprintf("%s uses %s, whose value is gone: %s; run %s again to make it", name, l.Name, l.Lost, l.Cell)
				}
				d := f.diagnose(id.Pos(), msg)
				diags = append(diags, d)
			}
			return true
		})
	}
	if len(diags) > 0 {
		return &Error{Diagnostics: trim(diags)}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// trim sorts diagnostics by place, drops repeats, and keeps the first ten.
func trim(ds []Diagnostic) []Diagnostic {
	sort.SliceStable(ds, func(i, j int) bool {
		if ds[i].Line != ds[j].Line {
			return ds[i].Line < ds[j].Line
		}
		return ds[i].Col < ds[j].Col
	})
	ds = slices.CompactFunc(ds, func(a, b Diagnostic) bool { return a.Line == b.Line && a.Msg == b.Msg })
	if len(ds) > 10 {
		more := len(ds) - 10
		ds = append(ds[:10:10], Diagnostic{Cell: ds[0].Cell, Msg: fmt.Sprintf("and %d more errors", more)})
	}
	return ds
}
