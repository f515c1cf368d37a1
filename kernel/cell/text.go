package cell

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"go/types"
	"sort"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// A cell's text is checked in two files, its declarations and its statements. Each is
// the cell's text of the same length, in which the other's part is blank, so that lines
// and columns stay the cell's, and then edited: names get the spelling of this pass,
// definitions become assignments, and calls of ours go around what a cell does and Go
// does not, such as a value on the last line.

// A rendered text knows where each byte came from.
type rendered struct {
	text string
	back func(int) int
}

// declText is the cell with everything but its declarations blank.
func (c *check) declText(more func(*syntax.Editor)) rendered {
	return c.part(func(ch syntax.Chunk) bool { return ch.IsDecl() && ch.Tok != token.IMPORT }, more)
}

// stmtText is the cell with everything but its statements blank.
func (c *check) stmtText(more func(*syntax.Editor)) rendered {
	if more == nil {
		more = c.ungroup
	}
	return c.part(func(ch syntax.Chunk) bool { return !ch.IsDecl() }, more)
}

// ungroup makes each line of "var ( … )" a declaration of its own.
func (c *check) ungroup(ed *syntax.Editor) {
	for _, t := range c.top {
		if t.spec {
			ed.Insert(t.start, "var ")
		}
	}
}

func (c *check) part(keep func(syntax.Chunk) bool, more func(*syntax.Editor)) rendered {
	ed := &syntax.Editor{Text: c.text}
	at := 0
	for _, ch := range c.chunks {
		if !keep(ch) {
			continue
		}
		c.blankGap(ed, at, ch)
		at = ch.End
		if ch.Semi {
			at++
		}
	}
	ed.Blank(at, len(c.text))
	base, _ := ed.Render(0, len(c.text)) // the same length
	ed = &syntax.Editor{Text: []byte(base)}
	for _, g := range c.groups {
		ed.Blank(g[0], g[1])
	}
	base, _ = ed.Render(0, len(base))
	ed = &syntax.Editor{Text: []byte(base)}
	if more != nil {
		more(ed)
	}
	if len(c.pulls) > 0 && keep(syntax.Chunk{Tok: token.VAR}) {
		return c.pulled(ed)
	}
	text, back := ed.Render(0, len(base))
	return rendered{text, back}
}

// blankGap blanks what stands before a chunk, but for the line comments above a
// declaration: they may be directives such as //go:noinline.
func (c *check) blankGap(ed *syntax.Editor, from int, ch syntax.Chunk) {
	start := ch.Start
	if ch.IsDecl() {
		line := bytes.LastIndexByte(c.text[:ch.Start], '\n') + 1
		for line > from && len(bytes.TrimSpace(c.text[line:start])) == 0 {
			prev := bytes.LastIndexByte(c.text[:line-1], '\n') + 1
			if prev < from || !bytes.HasPrefix(bytes.TrimSpace(c.text[prev:line]), []byte("//")) {
				break
			}
			start, line = prev, prev
		}
	}
	ed.Blank(from, start)
}

func errName(n int) string { return "ˣe" + strconv.Itoa(n) }

// defined lists the variables that the statements define.
func (c *check) defined() (names []string) {
	for _, t := range c.top {
		names = append(names, t.defs...)
	}
	return names
}

// editFirst prepares the statements for the first pass.
func (c *check) editFirst(ed *syntax.Editor) {
	c.editTop(ed, true)
	c.mark(ed, syntax.StmtFile)
}

func (c *check) editTop(ed *syntax.Editor, first bool) {
	if first {
		c.ungroup(ed)
	}
	for i, t := range c.top {
		if t.last && len(t.defs) == 0 && (t.value || c.isPlainExpr(t)) {
			if t.hide {
				ed.Insert(t.start, "_ = ")
			} else {
				ed.Insert(t.start, "ˣresult(")
				ed.Insert(t.end, ")")
			}
		}
		if n, ok := c.takenErr[i]; ok {
			c.takeError(ed, t, n, first)
		}
		if len(t.sets) > 0 && len(t.defs) == 0 {
			c.markDone(ed, i)
		}
	}
	for i, n := range c.nested { // x := f()    becomes    x, ˣn0 := f(); ˣuse(ˣn0)
		name := "ˣn" + strconv.Itoa(i)
		ed.Insert(n.names, ", "+name)
		ed.Insert(n.end, "; ˣuse("+name+")")
	}
}

// markDone says that statement i was done, behind it.
func (c *check) markDone(ed *syntax.Editor, i int) {
	ed.Insert(c.top[i].end, "; ˣmark("+strconv.Itoa(i+1)+")")
}

// takeError puts the results of a call in variables of our own, takes the
// error, and only then gives the others to those that the statement names: a
// call that fails leaves them as they were.
//
//	x := f()    becomes    ˣv0_0, ˣe0 := f(); ˣuse(ˣe0); x := ˣv0_0
func (c *check) takeError(ed *syntax.Editor, t *topStmt, n int, first bool) {
	off := t.offset
	var lhs, op string
	var names int
	var call token.Pos
	switch s := t.stmt.(type) {
	case *ast.AssignStmt:
		names, call = len(s.Lhs), s.Rhs[0].Pos()
		lhs = string(c.text[off(s.Lhs[0].Pos()):off(s.Lhs[names-1].End())])
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
	if !first || strings.Trim(lhs, "_, ") == "" {
		op = " = "
	}
	var own strings.Builder
	var list []string
	for i := range names {
		list = append(list, fmt.Sprintf("ˣv%d_%d", n, i))
		own.WriteString(list[i] + ", ")
	}
	ed.Replace(t.start, off(call), own.String()+errName(n)+" := ")
	ed.Insert(t.end, "; ˣuse("+errName(n)+"); "+lhs+op+strings.Join(list, ", "))
}

// identifiers returns the names in a list of expressions, or nil when some are
// none.
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

// leftNames writes the names on the left of an assignment as this pass has them.
func (c *check) leftNames(ids []*ast.Ident, first, defines bool) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = id.Name
		e := c.scope.Lookup(id.Name)
		if !first && c.vars[id.Name] != nil || !defines && !c.defines(id.Name) && e != nil && e.Kind == scope.Var {
			names[i] = spell.Var(id.Name)
		}
	}
	return strings.Join(names, ", ")
}

// offset is where a node of the statement begins or ends in the cell's text.
func (t *topStmt) offset(p token.Pos) int { return t.file.Back(t.file.Offset(p)) }

// isPlainExpr reports whether the statement is an expression that Go does not
// allow as a statement: anything but a call or a receive.
func (c *check) isPlainExpr(t *topStmt) bool {
	es, ok := t.stmt.(*ast.ExprStmt)
	if !ok {
		return false
	}
	switch x := ast.Unparen(es.X).(type) {
	case *ast.CallExpr:
		return false
	case *ast.UnaryExpr:
		return x.Op != token.ARROW
	}
	return true
}

// editFinal turns definitions into assignments, since the variables are
// package-level now, and names the old value where it is meant.
func (c *check) editFinal(ed *syntax.Editor, first *passed) {
	c.editTop(ed, false)
	for _, ch := range c.initChunks() {
		ed.Insert(ch.Start, spell.Init(ch.Start)+"();")
	}
	for i, t := range c.top {
		if len(t.defs) > 0 {
			c.markDone(ed, i)
		}
	}
	for i, t := range c.top {
		if _, taken := c.takenErr[i]; taken {
			continue
		}
		if len(t.defs) == 0 {
			if t.spec { // var _ = …
				ed.Insert(t.start, "var ")
			}
			continue
		}
		off := t.offset
		switch s := t.stmt.(type) {
		case *ast.AssignStmt:
			ed.Replace(off(s.TokPos), off(s.TokPos)+2, " =")
		case *ast.DeclStmt:
			g := s.Decl.(*ast.GenDecl)
			if !t.spec {
				ed.Blank(off(g.TokPos), off(g.TokPos)+len("var"))
			}
			for _, sp := range g.Specs {
				vs := sp.(*ast.ValueSpec)
				if len(t.embed) > 0 {
					ed.Insert(off(vs.Pos()), spell.Var(t.defs[0])+" = "+spell.Embed(t.defs[0]))
					ed.Blank(off(vs.Pos()), off(vs.End()))
				} else if len(vs.Values) == 0 {
					names := make([]string, 0, len(vs.Names))
					for _, n := range vs.Names {
						if n.Name != "_" {
							names = append(names, "&"+spell.Var(n.Name))
						}
					}
					for i := range names {
						names[i] = "ˣzero(" + names[i] + ")"
					}
					ed.Insert(off(vs.Pos()), strings.Join(names, "; "))
					ed.Blank(off(vs.Pos()), off(vs.End()))
				} else if vs.Type != nil {
					// The names go behind a type of several lines, where = follows.
					names := c.leftNames(vs.Names, false, true)
					ed.Blank(off(vs.Pos()), off(vs.Type.End()))
					ed.Insert(off(vs.Type.End()), names)
				}
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

// oldRefs finds the places in the statements that mean a name as it was
// understood before this cell defines it anew, and the marks that say so.
func (c *check) oldRefs(first *passed) []syntax.Edit {
	var marks []syntax.Edit
	for _, f := range first.files {
		if f.Kind != syntax.StmtFile {
			continue
		}
		for id, obj := range first.info.Uses {
			name := spell.Written(id.Name)
			if c.nb.fset.File(id.Pos()) == f.Tok && (c.newVars[name] && c.retyped[name] == nil || c.before[name]) {
				e := c.scope.Lookup(name)
				_, isPkg := obj.(*types.PkgName)
				if isPkg || e != nil && spell.PackageLevel(obj) {
					mark := spell.OldMark
					if _, isType := obj.(*types.TypeName); isType && !c.ownNames[name] {
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
// that only get a new body into functions.
func (c *check) editDecls(ed *syntax.Editor) {
	defer c.mark(ed, syntax.DeclFile)
	ed.Edits = append(ed.Edits, c.constEdits...)
	for _, r := range c.unchanged {
		end := r[1]
		if end < len(c.text) && c.text[end] == ';' { // alone it would be an error
			end++
		}
		ed.Blank(r[0], end)
	}
	for _, ch := range c.chunks {
		if ch.Tok != token.FUNC {
			continue
		}
		text := string(c.text[ch.Start:ch.End])
		for u := range c.newBodies {
			if u.Recv != "" && u.Text == text {
				for _, e := range c.asFuncEdits(text) {
					ed.Replace(ch.Start+e.Start, ch.Start+e.End, e.Text)
				}
				break
			}
		}
	}
}

// initChunks are the cell's init functions, which run where they stand.
func (c *check) initChunks() []syntax.Chunk {
	var list []syntax.Chunk
	for _, ch := range c.chunks {
		if ch.Tok == token.FUNC && scope.IsInit(funcName(c.text[ch.Start:ch.End])) {
			list = append(list, ch)
		}
	}
	return list
}

// funcName is the name in the text of a function, empty for a method.
func funcName(text []byte) string {
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(text)), text, nil, 0)
	s.Scan() // func
	_, _, name := s.Scan()
	return name
}
