package cell

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// A check looks at the same text many times: to find what the cell declares, which
// packages it names, and in each pass of go/types. Text is parsed once, and the passes
// share its tree.

// A tree is a text as the parser has it.
type tree struct {
	ast *ast.File // nil where the parser made nothing of it
	tok *token.File
	err error
}

// tree parses a file of the checked package, or returns what it made of the same
// text before.
func (c *check) tree(name, text string) tree {
	key := name + "\x00" + text
	t, ok := c.trees[key]
	if ok {
		return t
	}
	if strings.TrimSpace(text) == packageClause {
		t = c.emptyTree(name, text)
	} else {
		c.parses++
		// SkipObjectResolution is off: findImports reads File.Unresolved.
		t.ast, t.err = parser.ParseFile(c.nb.fset, name, text, parser.ParseComments)
		if t.ast != nil {
			t.tok = c.nb.fset.File(t.ast.FileStart)
		}
	}
	c.trees[key] = t
	return t
}

// alone parses text that is not checked in this form, such as one declaration, for
// what stands where in it. The function returns the offset of a place.
func (c *check) alone(text string) (*ast.File, func(token.Pos) int, error) {
	t := c.tree("", packageClause+text)
	return t.ast, func(pos token.Pos) int { return t.tok.Offset(pos) - len(packageClause) }, t.err
}

// emptyTree is the tree of a file without declarations.
func (c *check) emptyTree(name, text string) tree {
	tok := c.nb.fset.AddFile(name, -1, len(text))
	tok.SetLinesForContent([]byte(text))
	start := tok.Pos(0)
	return tree{tok: tok, ast: &ast.File{
		Package: start, FileStart: start, FileEnd: tok.Pos(len(text)), Scope: ast.NewScope(nil),
		Name: &ast.Ident{NamePos: tok.Pos(len("package ")), Name: spell.Path},
	}}
}
