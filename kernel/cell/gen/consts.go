package gen

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// A line of const ( … ) without a value repeats the one above it, and the names in
// it mean what they mean on the new line:
//
//	const (
//		X = X + X // of the X outside
//		Y         // X + X, of the line above
//	)
//
// Where the two lines need different names in generated code, the repetition is
// written out.
//
// The example is of a function's body, where X is in scope from behind its line on (Go spec,
// "Declarations and scope"). If the X outside is a constant of another program, the first line
// has to say ˣ3.ĦX + ˣ3.ĦX, and the second X + X: there is no text that means both.

// constGroup writes out the repetitions of constants inside a function.
//
// A group at package level needs none of it: there a name means one thing in all lines.
func (r *rewriter) constGroup(g *ast.GenDecl) {
	if g.Tok != token.CONST {
		return
	}
	var last *ast.ValueSpec
	for _, s := range g.Specs {
		s := s.(*ast.ValueSpec)
		if len(s.Values) > 0 {
			last = s
			continue
		}
		if last == nil {
			return
		}
		// iota is not written out: it has its own value on each line anyway.
		differs := false
		var text strings.Builder
		if last.Type != nil {
			text.WriteString(" " + r.respelled(last.Type, last, s, &differs))
		}
		sep := " = "
		for _, v := range last.Values {
			text.WriteString(sep + r.respelled(v, last, s, &differs))
			sep = ", "
		}
		if differs {
			r.ed.Insert(r.off(s.End()), text.String())
		}
	}
}

// respelled is the text of an expression of one line, with its names as another
// line means them. It notes for the first line what its own names mean: of a
// repeated expression, the checker keeps the last meaning.
//
// Differs is set where a name has two meanings. The text has no line breaks: it is put behind
// the names of a line, and the lines below must stay where they are.
func (r *rewriter) respelled(x ast.Expr, line, repeat *ast.ValueSpec, differs *bool) string {
	ed := &syntax.Editor{Text: []byte(r.f.Body)}
	sel := map[*ast.Ident]bool{}
	ast.Inspect(x, func(n ast.Node) bool {
		// Behind a dot there is no name to be looked up.
		if s, ok := n.(*ast.SelectorExpr); ok {
			sel[s.Sel] = true
		}
		id, ok := n.(*ast.Ident)
		if !ok || sel[id] {
			return true
		}
		first, again := r.lookup(id.Name, line.Pos()), r.lookup(id.Name, repeat.Pos())
		if first == nil || again == nil {
			return true
		}
		if first != again {
			*differs = true
			r.meant[id] = first
		}
		if name := r.spell(id.Name, again); name != id.Name {
			ed.Replace(r.off(id.Pos()), r.off(id.End()), name)
		}
		return true
	})
	text, _ := ed.Render(r.off(x.Pos()), r.off(x.End()))
	return strings.ReplaceAll(text, "\n", " ")
}

// lookup finds what a name means at a place.
//
// A constant is in scope from the end of its own line on, so that the position of a line gives
// what its expressions mean. It is nil where the place is in no scope of the package.
func (r *rewriter) lookup(name string, pos token.Pos) types.Object {
	s := r.g.in.Pkg.Scope().Innermost(pos)
	if s == nil {
		return nil
	}
	_, obj := s.LookupParent(name, pos)
	return obj
}
