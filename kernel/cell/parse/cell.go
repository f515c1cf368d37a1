package parse

import (
	"go/ast"
	"go/token"

	"github.com/holt-dl/holt/kernel/cell/hint"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// Source is the text of a cell, with its commands already taken out (their
// lines left blank, so that line numbers stay).
type Source struct {
	Name string // how errors and traces name it, such as cell[5]
	Text string
}

// A Cell is the text of a cell, cut apart and parsed.
//
// It belongs to one check, or to one that looks at a cell without a check, and is not safe for
// concurrent use: parsing a part adds to trees.
type Cell struct {
	Name   string
	Text   []byte
	Chunks []syntax.Chunk // its declarations and statements, by their tokens alone
	Open   bool           // a bracket, a string or a comment is not closed
	Stmts  []*Stmt        // in the order in which they run, once [Cell.FindStmts] was called
	Parses int            // how often go/parser was called

	fset   *token.FileSet // in a check the notebook's: a place leads to its cell
	names  hint.Names
	trees  map[string]tree // what was parsed, by its name and text
	groups [][2]int        // to be blank: what encloses the specs of "var ( … )", //go:embed lines
	pulls  []pull          // declarations that run before their place
}

// New cuts a cell apart. Names answers what hints to syntax errors ask about names; it
// is nil where no packages are known.
//
// The text need not parse, nor even scan. Nothing is parsed yet.
func New(fset *token.FileSet, src Source, names hint.Names) *Cell {
	c := &Cell{Name: src.Name, Text: []byte(src.Text), fset: fset, names: names, trees: map[string]tree{}}
	c.Chunks, c.Open = syntax.Split(c.Text)
	return c
}

// A Stmt is a statement at the top level of a cell.
//
// A statement is one of Go's, but for var: each line of a group is a Stmt, since each defines
// variables with a type of their own, and runs when it is needed.
//
//	var (              two statements, both IsVar and Spec
//		a = b + 1      Defs a
//		b = f()        Defs b, and first in c.Stmts
//	)
//	x, _ := g()        Defs x
//	y = 2              Sets y
//	y += 2             neither: the new value rests on the old one
//	z.n, y = 1, 2      Sets y; z.n is a part of a variable
//
// What stands inside of a statement, such as a := in a loop, is none of its Defs.
type Stmt struct {
	Node       ast.Stmt   // a line of "var ( … )" as a declaration of its own
	Start, End int        // in the cell's text
	IsVar      bool       // a var declaration
	Spec       bool       // one of "var ( … )", so that its text lacks the var
	Values     []ast.Expr // of a var declaration, what stands behind the =
	Embed      []Embed    // of //go:embed
	Defs       []string   // the variables that it defines
	Sets       []string   // the variables that it gives a new value
	Last       bool       // it is the cell's last line
	Hide       bool       // it ends with a semicolon: its value is not shown

	file *syntax.File // in which it was parsed
}

// Offset is where a node of the statement begins or ends in the cell's text.
//
// It is for nodes of Node alone, as it was parsed here. A check parses the statement again, in
// a file with edits, and the nodes of that one have other places.
func (t *Stmt) Offset(p token.Pos) int { return t.file.Back(t.file.Offset(p)) }

// Embed is one pattern of a //go:embed line.
type Embed struct {
	Pattern string // without quotes
	Cell    string // the cell and the line in it, for errors
	Line    int
}

// A pull is a declaration that runs before the statement at which it is needed.
//
// Both are places in the cell's text: Stmts has the new order, and the text keeps the old one
// until pulled renders it.
type pull struct {
	at         int // where the statement that needs it begins
	start, end int // the declaration
}

// A tree is a text as the parser has it.
//
// Of a text with errors it has both: what the parser could make of it, and the errors.
type tree struct {
	ast *ast.File // nil where the parser made nothing of it
	tok *token.File
	err error
}

// Rendered is a text that was edited, and knows where each byte came from.
type Rendered struct {
	Text string
	Back func(int) int // the offset in the cell's text of one in Text
}
