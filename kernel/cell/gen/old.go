package gen

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// Where a type is declared again, values of the old one may stay behind
// interfaces: to a type switch they are of another type. What can be known of
// that only the host sees, so a program that declares types again ends with a
// look at the variables that may hold some.

// replaced lists the types that this program declares again, by the name and
// path that their values have now.
//
// They are written as the host finds them by reflection, "notebook/c1.T". An alias is another
// name for a type and an interface the type of no value: neither can be found in one.
func (g *generator) replaced() []string {
	var list []string
	for name, e := range g.in.Scope.All() {
		if e.Kind != scope.Type || !declaresType(g.in, name) && g.in.Redeclared[name] == nil {
			continue
		}
		if tn, ok := e.Obj.(*types.TypeName); !ok || tn.IsAlias() || types.IsInterface(tn.Type()) {
			continue
		}
		list = append(list, spell.PkgPath(e.Home)+"."+e.Obj.Name())
	}
	slices.Sort(list) // only these: there may be a thousand names
	return list
}

// oldValues writes the call that looks for values of replaced types.
//
// It is deferred, so that it comes after the cell's statements, which may have replaced the
// values, and also when one of them fails. The types of earlier programs are looked for too:
// their values may still be there. A program that declares no type again has no such look.
func (g *generator) oldValues(use map[string]string) string {
	list := append(g.replaced(), g.code.replaced...)
	if len(list) == len(g.code.replaced) {
		return ""
	}
	var b strings.Builder
	for _, name := range g.in.Scope.Names() {
		e := g.in.Scope.Lookup(name)
		// A variable that this cell defines has what this cell gives it; others of these have no
		// value.
		if e.Kind != scope.Var || g.in.NewVars[name] || g.in.Dropped[name] != "" || e.Lost != "" {
			continue
		}
		// One whose type changed is a variable of this program by then.
		home, t := e.Home, e.Obj.Type()
		if g.in.Retyped[name] != nil {
			home, t = g.in.Seq, g.in.Pkg.Scope().Lookup(spell.Var(name)).Type()
		}
		if !holdsInterface(t) {
			continue
		}
		ref := refTo(use, e)
		if home == g.in.Seq {
			ref = variableRef("", name, Keeps(g.in, name))
		}
		fmt.Fprintf(&b, "{%q, %q, &%s},", name, e.Cell, ref)
	}
	if b.Len() == 0 {
		return ""
	}
	return fmt.Sprintf("\tdefer func() { ˣrt.Old([]string{%s}, []ˣrt.Holder{%s}) }()\n", quoteAll(list), b.String())
}

// quoteAll writes strings as the elements of a Go literal.
func quoteAll(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(quoted, ", ")
}

// holdsInterface reports whether a value of type t can lead to an interface.
//
// It keeps the look short: a []float64 is not gone through. What a channel or a function
// holds cannot be seen, and counts as nothing.
func holdsInterface(t types.Type) bool {
	seen := map[types.Type]bool{}
	var holds func(types.Type) bool
	holds = func(t types.Type) bool {
		if t = types.Unalias(t); seen[t] {
			return false
		}
		seen[t] = true
		switch u := t.Underlying().(type) {
		case *types.Interface:
			return true
		case *types.Pointer:
			return holds(u.Elem())
		case *types.Slice:
			return holds(u.Elem())
		case *types.Array:
			return holds(u.Elem())
		case *types.Map:
			return holds(u.Key()) || holds(u.Elem())
		case *types.Struct:
			if n, ok := t.(*types.Named); ok && !spell.FromNotebook(n) {
				return false // a library's own
			}
			for f := range u.Fields() {
				if holds(f.Type()) {
					return true
				}
			}
		}
		return false
	}
	return holds(t)
}
