package check

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// ownValues finds the constants of a group whose value is made of the constant of
// the same name before this cell, as in const X = X + 1, and writes that one's
// value in its place: in a package they would be a cycle. After const X = 2,
//
//	const (
//		X = X + X
//		Y
//	)
//
// is checked, and kept, as
//
//	const (
//		X = 2 + 2
//		Y = X + X
//	)
//
// and with int8(2) in the place of 2 where the old X is an int8. There are no edits where
// no constant is made of its own old value.
func (c *checker) ownValues(f *syntax.File, d *ast.GenDecl) []syntax.Edit {
	var edits []syntax.Edit
	var last *ast.ValueSpec // the last line with values
	expand := false         // these were changed
	start := func(n ast.Node) int { s, _ := f.Span(n); return s }
	end := func(n ast.Node) int { _, e := f.Span(n); return e }
	for _, s := range d.Specs {
		s := s.(*ast.ValueSpec)
		// A line without values repeats those of the line above. Where these were changed, the
		// repetition is written out, since it is made of its own old value and not of theirs.
		if len(s.Values) > 0 {
			last, expand = s, false
		}
		if last == nil { // a first line without a value is an error that go/types explains
			return nil
		}
		var values []string
		for _, v := range last.Values {
			ed := &syntax.Editor{Text: c.Cell.Text}
			ast.Inspect(v, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				if !ok {
					return true
				}
				for _, name := range s.Names {
					if e := c.Scope.Lookup(id.Name); name.Name == id.Name && e != nil && e.Kind == scope.Const {
						if text := constText(e.Obj.(*types.Const)); text != "" {
							expand = true
							ed.Replace(start(id), end(id), text)
						}
					}
				}
				return true
			})
			// The value is written as this line has it: only its own names are replaced.
			text, _ := ed.Render(start(v), end(v))
			values = append(values, text)
			if len(s.Values) > 0 {
				edits = append(edits, ed.Edits...)
			}
		}
		if len(s.Values) == 0 && expand {
			typ := ""
			if last.Type != nil {
				typ = " " + string(c.Cell.Text[start(last.Type):end(last.Type)])
			}
			edits = append(edits, syntax.Insertion(end(s), typ+" = "+strings.Join(values, ", ")))
		}
	}
	return edits
}

// constText writes the value of a constant, or returns "". The text has the constant's type,
// or the kind of an untyped one, which decides what may be made of it (spec, Constants):
//
//	const X int8 = 7       int8(7)
//	const X = 'a'          'a', where 97 would be an integer
//	const X = 3.0          3.0
//	const X = 1.5          (3.0 / 2), exact, where digits might not be
//	const X Celsius = 20   Celsius(20)
func constText(k *types.Const) string {
	text := k.Val().ExactString()
	b, basic := k.Type().(*types.Basic)
	switch {
	case k.Val().Kind() == constant.Complex, k.Val().Kind() == constant.Unknown:
		return ""
	case basic && b.Kind() == types.UntypedRune:
		if v, ok := constant.Int64Val(k.Val()); ok && strconv.IsPrint(rune(v)) {
			return strconv.QuoteRune(rune(v))
		}
	case basic && b.Kind() == types.UntypedFloat:
		if num, denom, ok := strings.Cut(text, "/"); ok {
			return "(" + num + ".0 / " + denom + ")"
		} else if !strings.ContainsAny(text, ".px") {
			return text + ".0"
		}
	case !basic:
		return fmt.Sprintf("%s(%s)", k.Type().(interface{ Obj() *types.TypeName }).Obj().Name(), text)
	case b.Info()&types.IsUntyped == 0:
		if num, denom, ok := strings.Cut(text, "/"); ok {
			text = num + ".0 / " + denom
		}
		return b.Name() + "(" + text + ")"
	}
	return text
}

// restsOnValues reports whether a group of constants is made of others, or of the
// length of a variable: when its cell is run again, these may have changed. So that it gets
// their new values then, such a group is never taken for one that stands there as before.
func (c *checker) restsOnValues(u *scope.Unit) bool {
	for name := range u.Signature {
		if e := c.Scope.Lookup(name); u.Kind == scope.Const && (e == nil || e.Kind != scope.Type) {
			return true
		}
	}
	return false
}

// findArrays finds the arrays among the cell's variables whose length a constant or
// a type of the cell needs, and reports whether there are new ones:
//
//	a := [3]int{1, 2, 3}
//	const n = len(a)
//
// In the first pass a is local to the statements, where n cannot see it. Such a variable
// is put into the package as well, once its type is known, and the pass is made again.
func (c *checker) findArrays(p *passed) bool {
	need := map[string]bool{} // what declarations mention and statements define
	for _, f := range p.files {
		if f.Kind == syntax.DeclFile {
			for _, id := range f.AST.Unresolved {
				need[id.Name] = c.Cell.Defines(id.Name)
			}
		}
	}
	found := false
	for _, f := range p.files {
		if f.Kind != syntax.StmtFile {
			continue
		}
		for id, obj := range p.info.Defs {
			v, ok := obj.(*types.Var)
			if !ok || !need[id.Name] || c.arrays[id.Name] != nil || c.Fset.File(id.Pos()) != f.Tok || !c.atTopLevel(f, id) {
				continue
			}
			// Others stay unknown to declarations: const c = x + 1 is refused, with the reason.
			if t, _ := spell.Deref(v.Type()); leadsToArray(t) {
				c.arrays[id.Name] = v.Type()
				found = true
			}
		}
	}
	return found
}

// atTopLevel reports whether a name is defined by a statement of the cell, not by
// one inside another.
func (c *checker) atTopLevel(f *syntax.File, id *ast.Ident) bool {
	start, _ := f.Span(id)
	for _, t := range c.Cell.Stmts {
		if t.Start <= start && start < t.End {
			return slices.Contains(t.Defs, id.Name)
		}
	}
	return false
}

// leadsToArray reports whether a value, or a selector or an index of it, can be an array, whose
// len is a constant (spec, Length and capacity): len(a), len(b.a), len(m["k"]).
func leadsToArray(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Array, *types.Struct, *types.Map, *types.Slice:
		return true
	}
	return false
}
