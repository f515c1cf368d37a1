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
type Cell struct {
	Name   string
	Text   []byte
	Chunks []syntax.Chunk
	Open   bool    // a bracket, a string or a comment is not closed
	Stmts  []*Stmt // in the order in which they run, once [Cell.FindStmts] was called
	Parses int     // how often go/parser was called

	fset   *token.FileSet
	names  hint.Names
	trees  map[string]tree // what was parsed, by its name and text
	groups [][2]int        // what encloses the specs of "var ( … )", and //go:embed lines
	pulls  []pull          // declarations that run before their place
}

// New cuts a cell apart. Names answers what hints to syntax errors ask about names; it
// is nil where no packages are known.
func New(fset *token.FileSet, src Source, names hint.Names) *Cell {
	c := &Cell{Name: src.Name, Text: []byte(src.Text), fset: fset, names: names, trees: map[string]tree{}}
	c.Chunks, c.Open = syntax.Split(c.Text)
	return c
}

// A Stmt is a statement at the top level of a cell.
type Stmt struct {
	Node       ast.Stmt // a line of "var ( … )" as a declaration of its own
	Start, End int      // in the cell's text
	IsVar      bool     // a var declaration
	Spec       bool     // one of "var ( … )", so that its text lacks the var
	Values     []ast.Expr
	Embed      []Embed  // of //go:embed
	Defs       []string // the variables that it defines
	Sets       []string // the variables that it gives a new value
	Last       bool     // it is the cell's last line
	Hide       bool     // it ends with a semicolon: its value is not shown

	file *syntax.File // in which it was parsed
}

// Offset is where a node of the statement begins or ends in the cell's text.
func (t *Stmt) Offset(p token.Pos) int { return t.file.Back(t.file.Offset(p)) }

// Embed is one pattern of a //go:embed line.
type Embed struct {
	Pattern string
	Cell    string
	Line    int
}

// A pull is a declaration that runs before the statement at which it is needed.
type pull struct {
	at         int // where the statement that needs it begins
	start, end int // the declaration
}

// A tree is a text as the parser has it.
type tree struct {
	ast *ast.File // nil where the parser made nothing of it
	tok *token.File
	err error
}

// Rendered is a text that was edited, and knows where each byte came from.
type Rendered struct {
	Text string
	Back func(int) int
}
