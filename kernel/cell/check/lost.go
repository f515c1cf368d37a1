package check

import (
	"fmt"
	"go/ast"
	"go/types"
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
//
// An error in an earlier cell's declaration is not one of the cell that is run, which would
// else be refused for something that it does not mention: the declaration goes, the person is
// told, and what the cell itself still calls by the name is undefined.

// handleErrors looks at the errors of the last pass. Those in the cell end it. What
// earlier cells declared and no longer compiles is dropped with a notice, and the
// check is made again. With again the error means nothing; an error without again ends the
// check; neither means that the package is as it should be.
func (c *checker) handleErrors(p *passed) (again bool, err error) {
	var mine []syntax.Diagnostic
	for _, d := range p.errs {
		if c.isOwn(d) {
			mine = append(mine, d.Diagnostic)
		}
	}
	switch {
	case c.dropBroken(p): // first: errors of the cell may come of what is dropped now
		return true, nil
	case len(mine) > 0: // what is tried again may be why, and is left out before the cell is refused
		return c.refuseRevived(), &syntax.Error{Diagnostics: syntax.Trim(mine)}
	// Errors of earlier cells alone, of which there is nothing to drop any more. The cell is
	// refused, since its code would not compile.
	case len(p.errs) > 0:
		return false, &syntax.Error{Diagnostics: syntax.Trim([]syntax.Diagnostic{p.errs[0].Diagnostic})}
	}
	return false, nil
}

// isOwn reports whether an error is in what the cell itself says. A line of the file of
// variables is, unless it is a variable of an earlier cell whose type is declared again. What
// the C compiler objects to has no unit, and counts as the cell's.
func (c *checker) isOwn(e passError) bool {
	if e.file.Kind == syntax.VarFile {
		return c.Retyped[e.file.Variable(e.pos)] == nil
	}
	return e.file.Unit == nil || slices.Contains(c.Own, e.file.Unit)
}

// dropBroken drops what earlier cells declared and no longer compiles, and reports
// whether there is more of it than before.
func (c *checker) dropBroken(p *passed) (more bool) {
	for _, d := range p.errs {
		if c.isOwn(d) {
			continue
		}
		// A variable has no source that could be kept: it is gone with its type, and its cell must
		// be run again.
		if d.file.Kind == syntax.VarFile {
			name := d.file.Variable(d.pos)
			if c.Dropped[name] != "" {
				continue
			}
			e := c.Retyped[name]
			c.Dropped[name], c.changed[name] = "its type no longer compiles", true
			c.Notices = append(c.Notices, fmt.Sprintf("%s (%s) is gone with its type %s; run %s again to make it", name, e.Cell, spell.Type(e.Obj.Type()), e.Cell))
			more = true
			continue
		}
		// The unit is gone as a whole: of a group of constants, those that compile may rest on
		// the one that does not.
		u := d.file.Unit
		named := slices.DeleteFunc(slices.Clone(u.Names), func(n string) bool { return n == "_" })
		if len(named) == 0 {
			continue
		}
		if c.isRevived(u) { // it was gone before, of which the person knows
			c.refuse(u)
			more = true
			continue
		}
		name := u.FullName()
		if c.Dropped[name] != "" {
			continue
		}
		c.Dropped[name] = d.Msg
		more = true
		if u.Recv != "" { // a type is made without the method: its calls must not run the old one
			if e := c.Scope.Lookup(u.Recv); e != nil && !c.OwnNames[u.Recv] && c.Dropped[u.Recv] == "" {
				c.changed[u.Recv], c.Redeclared[u.Recv] = true, e
			}
		} else { // of a group of constants, all
			for _, n := range named {
				c.Dropped[n], c.changed[n] = d.Msg, true
				delete(c.Redeclared, n)
			}
			name = strings.Join(named, ", ")
		}
		verb := "compiles and is"
		if strings.Contains(name, ",") {
			verb = "compile and are"
		}
		c.Notices = append(c.Notices, fmt.Sprintf("%s (%s) no longer %s gone: %s; change it and run its cell again", spell.Written(name), u.Cell, verb, d.Msg))
		delete(c.NewBodies, u)
	}
	return more
}

// refuseLost refuses a cell that uses a value which ended with an earlier host process,
// itself or through a function. A cell that gives the variable a new value first, by x = … at
// its top level, may use it, and one that assigns behind its use is taken for such too.
func (c *checker) refuseLost(p *passed) error {
	set := map[string]bool{} // made anew by a top-level assignment
	for _, t := range c.Cell.Stmts {
		for _, name := range t.Sets {
			set[name] = true
		}
	}
	var diags []syntax.Diagnostic
	seen := map[string]bool{}
	for _, f := range p.files {
		if f.Unit != nil || f.Kind == syntax.VarFile { // only what the cell itself says
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
			// The old x is meant, though lostIn leaves out what the cell defines.
			if e := c.Scope.Lookup(name); p.old[obj] != "" && e.Lost != "" { // x := f(x)
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
		return &syntax.Error{Diagnostics: syntax.Trim(diags)}
	}
	return nil
}

// refuseBefore refuses a cell that declares the type of a variable again, defines a new variable
// of that name and reads the one of before: the checked package has the new one alone, and its
// zero value would be taken for the old value. In the first pass, which is given, the old one is
// the package's, and the new one the function's.
func (c *checker) refuseBefore(p *passed, f *syntax.File) error {
	var diags []syntax.Diagnostic
	seen := map[string]bool{}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		name := spell.Written(id.Name)
		e, again := c.Retyped[name], p.pkg.Scope().Lookup(spell.Var(name))
		if e == nil || again == nil || p.info.Uses[id] != again || !c.NewVars[name] || seen[name] {
			return true
		}
		seen[name] = true
		msg := fmt.Sprintf("the cell declares the type of %[1]s again and another %[1]s, so that it cannot read the one of before; declare the type in a cell of its own before this one", name)
		switch {
		case e.Lost != "":
			msg = fmt.Sprintf("the value of %s is gone: %s; run %s again to make it", name, e.Lost, e.Cell)
		case !spell.SameLayout(e.Obj.Type(), again.Type()):
			msg = fmt.Sprintf("the value of %s is gone with its type, which this cell changes; copy what you need of it in a cell before this one", name)
		}
		diags = append(diags, f.Diagnose(id.Pos(), msg))
		return true
	})
	if len(diags) > 0 {
		return &syntax.Error{Diagnostics: syntax.Trim(diags)}
	}
	return nil
}

// isValueOfEarlier reports whether an object is a variable, constant or function of
// package level whose name means something before this cell.
func (c *checker) isValueOfEarlier(obj types.Object, name string) bool {
	if obj == nil || obj.Parent() == nil || !spell.PackageLevel(obj) || spell.IsOfC(obj.Name()) || c.Scope.Lookup(name) == nil {
		return false
	}
	_, isType := obj.(*types.TypeName)
	return !isType
}

// lostIn returns the variable whose lost value a name of earlier cells leads to, itself
// or through the bodies of functions and methods; nil where there is none. Visited holds
// the names that were looked at, so that recursion ends. What the cell declares or defines has
// its own new value.
func (c *checker) lostIn(name string, visited map[string]bool) *scope.Version {
	e := c.Scope.Lookup(name)
	if e == nil || visited[name] || c.OwnNames[name] || c.Vars[name] != nil {
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
