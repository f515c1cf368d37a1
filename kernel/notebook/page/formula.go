package page

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// formula is TeX between $ or $$, in which * and _ are not Markdown's.
type formula struct {
	ast.BaseInline
	tex string // with its dollars
}

var kindFormula = ast.NewNodeKind("Formula")

// Kind implements goldmark's Node.
func (*formula) Kind() ast.NodeKind { return kindFormula }

// Dump implements goldmark's Node.
func (f *formula) Dump(source []byte, level int) {
	ast.DumpHelper(f, source, level, map[string]string{"TeX": f.tex}, nil)
}

// formulaParser finds formulas by the rules of Pandoc's tex_math_dollars: $ is
// followed by no space, and its end follows no space and stands before no digit.
type formulaParser struct{}

// Trigger implements goldmark's InlineParser.
func (formulaParser) Trigger() []byte { return []byte{'$'} }

// Parse implements goldmark's InlineParser.
func (formulaParser) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, _ := block.PeekLine()
	if bytes.HasPrefix(line, []byte("$$")) {
		return display(block)
	}
	end := closing(line)
	if end < 0 {
		return nil
	}
	block.Advance(end + 1)
	return &formula{tex: string(line[:end+1])}
}

// closing is where the formula ends that begins the line; negative where it is
// none.
func closing(line []byte) int {
	if len(line) < 3 || line[1] == ' ' || line[1] == '\t' {
		return -1
	}
	for i := 1; i < len(line); i++ {
		switch {
		case line[i] == '\\':
			i++
		case line[i] == '$':
			digit := i+1 < len(line) && line[i+1] >= '0' && line[i+1] <= '9'
			if space := line[i-1] == ' ' || line[i-1] == '\t'; i == 1 || space || digit {
				return -1
			}
			return i
		}
	}
	return -1
}

// display reads a formula between $$, which may have several lines.
func display(block text.Reader) ast.Node {
	at, segment := block.Position()
	block.Advance(2)
	tex := []byte("$$")
	for {
		line, _ := block.PeekLine()
		if line == nil {
			block.SetPosition(at, segment)
			return nil
		}
		if i := bytes.Index(line, []byte("$$")); i >= 0 {
			block.Advance(i + 2)
			return &formula{tex: string(append(tex, line[:i+2]...))}
		}
		tex = append(tex, line...)
		block.AdvanceLine()
	}
}
