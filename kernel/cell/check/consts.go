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
// value in its place: in a package they would be a cycle.
func (c *checker) ownValues(f *syntax.File, d *ast.GenDecl) []syntax.Edit {
	var edits []syntax.Edit
	var last *ast.ValueSpec
	expand := false
	start := func(n ast.Node) int { s, _ := f.Span(n); return s }
	end := func(n ast.Node) int { _, e := f.Span(n); return e }
	for _, s := range d.Specs {
		s := s.(*ast.ValueSpec)
		// A line without values repeats those of the line above. Where these were changed, the
		// repetition is written out, since it is made of its own old value and not of theirs.
		if len(s.Values) > 0 {
			last, expand = s, false
		}
		if last == nil {
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

// constText writes the value of a constant, or returns "".
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
// length of a variable: when its cell is run again, these may have changed.
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
	need := map[string]bool{}
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

// leadsToArray reports whether a selector or an index of a value can be an array.
func leadsToArray(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Array, *types.Struct, *types.Map, *types.Slice:
		return true
	}
	return false
}
