package parse

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
	"sync"

	"github.com/holt-dl/holt/kernel/cell/hint"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

const (
	// packageClause begins every file that is checked. It has no line break, so
	// that the lines of what is parsed are those of the body.
	packageClause = "package notebook;"

	// RunHead and RunTail make the body of a function of statements. The brace is on a line
	// of its own, since the last statement may end in a comment.
	RunHead = "func " + spell.Run + "() {"
	RunTail = "\n}"
)

// tree parses a file of the checked package, or returns what it made of the same
// text before.
//
// The name is part of the key, since places in the tree lead to it. A change of a tree would be
// seen by all who ask for the text: package syntax changes copies, as WithImports does.
func (c *Cell) tree(name, text string) tree {
	key := name + "\x00" + text
	t, ok := c.trees[key]
	if ok {
		return t
	}
	// Most cells have no imports, or no declarations: of such a part nothing is left.
	if strings.TrimSpace(text) == packageClause {
		t = c.emptyTree(name, text)
	} else {
		c.Parses++
		// SkipObjectResolution is off: guessImports reads File.Unresolved.
		t.ast, t.err = parser.ParseFile(c.fset, name, text, parser.ParseComments)
		if t.ast != nil {
			t.tok = c.fset.File(t.ast.FileStart)
		}
	}
	c.trees[key] = t
	return t
}

// Alone parses text that is not checked in this form, such as one declaration, for
// what stands where in it. The function returns the offset of a place.
//
// The tree may be nil or lack what is wrong, when there is an error. The text has no name, and
// its places are not the cell's.
func (c *Cell) Alone(text string) (*ast.File, func(token.Pos) int, error) {
	t := c.tree("", packageClause+text)
	return t.ast, func(pos token.Pos) int { return t.tok.Offset(pos) - len(packageClause) }, t.err
}

// emptyTree is the tree of a file without declarations.
//
// It is what the parser would make of it, without a call of the parser: the file's place in
// fset, and a scope and lists that are empty.
func (c *Cell) emptyTree(name, text string) tree {
	tok := c.fset.AddFile(name, -1, len(text))
	tok.SetLinesForContent([]byte(text))
	start := tok.Pos(0)
	return tree{tok: tok, ast: &ast.File{
		Package: start, FileStart: start, FileEnd: tok.Pos(len(text)), Scope: ast.NewScope(nil),
		Name: &ast.Ident{NamePos: tok.Pos(len("package ")), Name: spell.Path},
	}}
}

// File parses a file's body, with text of ours before and after it.
//
// The body is all of f that has to be set, with its source and the way back there; File sets the
// prelude and what was parsed. Head and tail, such as RunHead and RunTail, have no place in the
// cell: an error in them is reported at the beginning or the end of the body.
//
// The error is a [*syntax.Error] with at most one message a line, each at its place in the
// source and with what to try, if that can be said. The tree is set in any case, as far as there
// is one.
func (c *Cell) File(f *syntax.File, head, tail string) error {
	prelude := packageClause + head
	f.Prelude = len(prelude)
	t := c.tree(f.Name, prelude+f.Body+tail)
	f.AST, f.Tok = t.ast, t.tok
	if t.err == nil {
		return nil
	}
	var list scanner.ErrorList
	if !errors.As(t.err, &list) {
		return t.err
	}
	// The list is the remembered tree's.
	list = slices.Clone(list)
	list.RemoveMultiples() // one a line: garbage has one at every byte
	// What the cell lacks at its end is asked for once, however many errors it has.
	trimmed := len(strings.TrimRight(f.Body, " \t\n"))
	atEnd := sync.OnceValue(func() string { return hint.Unfinished(f.Source) })
	var ds []syntax.Diagnostic
	for _, e := range list {
		if len(ds) > 0 && strings.HasSuffix(e.Msg, "found 'EOF'") {
			continue // what comes of the error before
		}
		off := max(0, min(e.Pos.Offset-f.Prelude, len(f.Body)))
		d := f.At(f.Back(off), syntax.Diagnostic{Cell: f.Name, Msg: "syntax error: " + strings.TrimPrefix(e.Msg, "syntax error: ")})
		if off >= trimmed && strings.Contains(e.Msg, "found '") && atEnd() != "" {
			d.Msg = "syntax error: " + atEnd() // the brace that is found is ours
			d.Col = len(strings.TrimRight(d.Source, " \t")) + 1
			ds = append(ds, d)
			continue
		}
		// An open bracket explains the first error. Those behind it are what the parser made of
		// text that it took for something else.
		d.Msg += hint.Syntax(c.names, e.Msg, d.Source, c.Open && len(ds) == 0)
		ds = append(ds, d)
	}
	return &syntax.Error{Diagnostics: syntax.Trim(ds)}
}
