package check

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"sort"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// A cell's text is checked in two files, its declarations and its statements. Each is
// the cell's text of the same length, in which the other's part is blank, so that lines
// and columns stay the cell's, and then edited: names get the spelling of this pass,
// definitions become assignments, and calls of ours go around what a cell does and Go
// does not, such as a value on the last line.
//
// What is inserted holds no line break, so that lines stay the cell's. Columns are led back
// by the editor. Several edits at one place apply in the order in which they are
// made, which the functions below rely on: what takes an error comes before the mark that says
// that the statement was done.

// errName is the variable of the checked package that holds the n-th error that is taken.
func errName(n int) string { return "ˣe" + strconv.Itoa(n) }

// editFirst prepares the statements for the first pass. Definitions stay as they are written,
// for go/types to infer their types.
func (c *checker) editFirst(ed *syntax.Editor) {
	c.editTop(ed, true)
	c.mark(ed, syntax.StmtFile)
}

// editTop makes the edits that both passes have: values of last lines, errors that are taken,
// and marks. Of a cell
//
//	data := os.ReadFile("x")
//	n = len(data)
//	n + 1
//
// where n is a variable of an earlier cell, the last two lines become
//
//	n = len(data); ˣmark(2)
//	ˣresult(n + 1)
//
// A mark follows only what gives a variable a value: whether one has its value is all that is
// asked of how far a cell came. Marks of definitions are put in by editFinal.
func (c *checker) editTop(ed *syntax.Editor, first bool) {
	if first {
		c.Cell.Ungroup(ed)
	}
	for i, t := range c.Cell.Stmts {
		if t.Last && len(t.Defs) == 0 && (c.LastValue || t.IsPlainExpr()) {
			if t.Hide { // x + 1; shows nothing, and Go would refuse it as a statement
				ed.Insert(t.Start, "_ = ")
			} else {
				ed.Insert(t.Start, "ˣresult(")
				ed.Insert(t.End, ")")
			}
		}
		if n, ok := c.TakenErr[i]; ok {
			c.takeError(ed, t, n, first)
		}
		if len(t.Sets) > 0 && len(t.Defs) == 0 {
			c.markDone(ed, i)
		}
	}
	for i, n := range c.Nested { // x := f()    becomes    x, ˣn0 := f(); ˣuse(ˣn0)
		name := "ˣn" + strconv.Itoa(i)
		ed.Insert(n.Names, ", "+name)
		ed.Insert(n.End, "; ˣuse("+name+")")
	}
	c.editInner(ed)
}

// markDone says that statement i was done, behind it. Numbers follow the order in which
// statements run, which is not that of the text where a var declaration was pulled up.
func (c *checker) markDone(ed *syntax.Editor, i int) {
	ed.Insert(c.Cell.Stmts[i].End, "; ˣmark("+strconv.Itoa(i+1)+")")
}

// takeError puts the results of a call in variables of our own, takes the
// error, and only then gives the others to those that the statement names: a
// call that fails leaves them as they were.
//
//	x := f()    becomes    ˣv0_0, ˣe0 := f(); ˣuse(ˣe0); x := ˣv0_0
//
// which in the final pass ends with x = ˣv0_0. ˣuse ends the cell when the error is not nil.
// The names of ours hold n, since all statements of the cell share one function.
func (c *checker) takeError(ed *syntax.Editor, t *parse.Stmt, n int, first bool) {
	off := t.Offset
	var lhs, op string // the left side, and what stands between it and ours
	var names int
	var call token.Pos
	switch s := t.Node.(type) {
	case *ast.AssignStmt:
		names, call = len(s.Lhs), s.Rhs[0].Pos()
		lhs = string(c.Cell.Text[off(s.Lhs[0].Pos()):off(s.Lhs[names-1].End())])
		if ids := identifiers(s.Lhs); ids != nil {
			lhs = c.leftNames(ids, first, s.Tok == token.DEFINE)
		}
		op = " " + s.Tok.String() + " "
	case *ast.DeclStmt:
		vs := s.Decl.(*ast.GenDecl).Specs[0].(*ast.ValueSpec)
		names, call = len(vs.Names), vs.Values[0].Pos()
		lhs = c.leftNames(vs.Names, first, true)
		op = " := "
	default:
		return
	}
	// Where all names are _, := would have nothing new on its left side, which Go refuses.
	if !first || strings.Trim(lhs, "_, ") == "" {
		op = " = "
	}
	var own strings.Builder
	var list []string
	for i := range names {
		list = append(list, fmt.Sprintf("ˣv%d_%d", n, i))
		own.WriteString(list[i] + ", ")
	}
	ed.Replace(t.Start, off(call), own.String()+errName(n)+" := ")
	ed.Insert(t.End, "; ˣuse("+errName(n)+"); "+lhs+op+strings.Join(list, ", "))
}

// identifiers returns the names in a list of expressions, or nil when some are
// none, as in p.x, err = f(): such a left side stays as it is written.
func identifiers(list []ast.Expr) []*ast.Ident {
	var ids []*ast.Ident
	for _, x := range list {
		id, ok := x.(*ast.Ident)
		if !ok {
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}

// leftNames writes the names on the left of an assignment as this pass has them: a variable
// with a name of Go's, such as max, is ˣnew_max at package level, whether this cell or an
// earlier one defined it.
func (c *checker) leftNames(ids []*ast.Ident, first, defines bool) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id.Name
		e := c.Scope.Lookup(id.Name)
		if !first && c.Vars[id.Name] != nil || !defines && !c.Cell.Defines(id.Name) && e != nil && e.Kind == scope.Var {
			names[i] = spell.Var(id.Name)
		}
	}
	return strings.Join(names, ", ")
}

// editFinal turns definitions into assignments, since the variables are
// package-level now, and names the old value where it is meant.
//
//	x := f()             x = f()
//	var x int            ˣzero(&x)
//	var x int = f()      x = f()
//	//go:embed f.txt
//	var x string         x = the variable that the compiler fills
func (c *checker) editFinal(ed *syntax.Editor, first *passed) {
	c.editTop(ed, false)
	// init functions are declarations, which are blank here. Calls of them take their places.
	for _, ch := range c.Cell.Inits() { // they are called where they stand, on the same line
		ed.Insert(ch.Start, spell.Init(ch.Start)+"();")
	}
	for i, t := range c.Cell.Stmts {
		if len(t.Defs) > 0 {
			c.markDone(ed, i)
		}
	}
	for i, t := range c.Cell.Stmts {
		if _, taken := c.TakenErr[i]; taken {
			continue
		}
		if len(t.Defs) == 0 {
			if t.Spec { // var _ = …, in a group, whose own var is blank
				ed.Insert(t.Start, "var ")
			}
			continue
		}
		off := t.Offset
		switch s := t.Node.(type) {
		case *ast.AssignStmt:
			ed.Replace(off(s.TokPos), off(s.TokPos)+2, " =") // as long, so that columns stay
		case *ast.DeclStmt:
			g := s.Decl.(*ast.GenDecl)
			if !t.Spec {
				ed.Blank(off(g.TokPos), off(g.TokPos)+len("var"))
			}
			for _, sp := range g.Specs {
				c.assignVar(ed, t, sp.(*ast.ValueSpec))
			}
		}
	}
	for _, r := range c.oldRefs(first) {
		ed.Insert(r.Start, r.Text)
	}
	for _, r := range c.newRefs(first) {
		ed.Insert(r, spell.NewMark)
	}
}

// assignVar makes an assignment of a line of a var declaration, which defines variables of the
// package. One without values sets them to zero: it may be run again, when they have values.
func (c *checker) assignVar(ed *syntax.Editor, t *parse.Stmt, vs *ast.ValueSpec) {
	start, end := t.Offset(vs.Pos()), t.Offset(vs.End())
	switch {
	case len(t.Embed) > 0:
		ed.Insert(start, spell.Var(t.Defs[0])+" = "+spell.Embed(t.Defs[0]))
		ed.Blank(start, end)
	case len(vs.Values) == 0:
		var zeros []string
		for _, n := range vs.Names {
			if n.Name != "_" {
				zeros = append(zeros, "ˣzero(&"+spell.Var(n.Name)+")")
			}
		}
		ed.Insert(start, strings.Join(zeros, "; "))
		ed.Blank(start, end)
	case vs.Type != nil:
		// The names go behind a type of several lines, where = follows.
		end = t.Offset(vs.Type.End())
		ed.Blank(start, end)
		ed.Insert(end, c.leftNames(vs.Names, false, true))
	}
}

// oldRefs finds the places in the statements that mean a name as it was
// understood before this cell defines it anew, and the marks that say so. After x := 1, in
//
//	x := fmt.Sprint(x)
//	y := x
//
// the x in brackets is the old one, and gets ˣold_ before it, and that of y is the new one. Of
// the first pass it is known which is which: there the new x is a variable of the function,
// and the old one of the package.
func (c *checker) oldRefs(first *passed) []syntax.Edit {
	var marks []syntax.Edit
	for _, f := range first.files {
		if f.Kind != syntax.StmtFile {
			continue
		}
		for id, obj := range first.info.Uses {
			name := spell.Written(id.Name)
			if c.Fset.File(id.Pos()) == f.Tok && (c.NewVars[name] && c.Retyped[name] == nil || c.before[name]) {
				e := c.Scope.Lookup(name)
				_, isPkg := obj.(*types.PkgName)
				if isPkg || e != nil && spell.PackageLevel(obj) {
					mark := spell.OldMark // unless it is a type, which lives on: see hide.go
					if _, isType := obj.(*types.TypeName); isType && !c.OwnNames[name] {
						mark = spell.TypeMark
					}
					start, _ := f.Span(id)
					marks = append(marks, syntax.Insertion(start, mark))
				}
			}
		}
	}
	sort.Slice(marks, func(i, j int) bool { return marks[i].Start < marks[j].Start })
	return marks
}

// editDecls leaves out the declarations that did not change, and turns methods
// that only get a new body into functions. It does not ask which pass it is for, so that
// the text is mostly one that was parsed before.
func (c *checker) editDecls(ed *syntax.Editor) {
	defer c.mark(ed, syntax.DeclFile)
	ed.Edits = append(ed.Edits, c.constEdits...)
	for _, r := range c.unchanged {
		end := r[1]
		if end < len(c.Cell.Text) && c.Cell.Text[end] == ';' { // alone it would be an error
			end++
		}
		ed.Blank(r[0], end)
	}
	for _, ch := range c.Cell.Chunks {
		if ch.Tok != token.FUNC {
			continue
		}
		text := string(c.Cell.Text[ch.Start:ch.End])
		for u := range c.NewBodies {
			if u.Recv != "" && u.Text == text {
				for _, e := range c.asFuncEdits(text) {
					ed.Replace(ch.Start+e.Start, ch.Start+e.End, e.Text)
				}
				break
			}
		}
	}
}
