package parse

import (
	"bytes"
	"go/token"

	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// The parts of a cell's text. Each is as long as the cell and has blanks where the others
// are, so that every byte keeps its line and its column.
//
//	cell                     DeclText                 StmtText
//
//	type point struct {      type point struct {
//		x int                    x int
//	}                        }
//	p := point{1}                                     p := point{1}
//	func (p point) f() {}    func (p point) f() {}
//	p.f()                                             p.f()
//
// A chunk ends before its semicolon, which is kept where it was written: x := 1; y := 2 on one
// line are two chunks of one part, and two statements.

// Decls parses the cell's declarations but for imports.
//
// Like Imports and Body, it may be called at any time and as often as is wanted: a second call
// of the same text finds the first one's tree.
func (c *Cell) Decls() (*syntax.File, error) { return c.parse(c.DeclText(nil), "", "") }

// Imports parses the cell's imports.
func (c *Cell) Imports() (*syntax.File, error) {
	return c.parse(c.part(func(ch syntax.Chunk) bool { return ch.Tok == token.IMPORT }, nil), "", "")
}

// Body parses the cell's statements, as the body of a function.
func (c *Cell) Body() (*syntax.File, error) { return c.parse(c.StmtText(nil), RunHead, RunTail) }

// parse parses a part of the cell.
func (c *Cell) parse(r Rendered, head, tail string) (*syntax.File, error) {
	f := &syntax.File{Name: c.Name, Line: 1, Source: string(c.Text), Body: r.Text, Back: r.Back}
	// The file is returned with an error too: its tree is what could be parsed.
	return f, c.File(f, head, tail)
}

// DeclText is the cell with everything but its declarations blank, and edits of them.
//
// Edits are given by an Editor of the text that is left: they cannot bring back what is blank.
func (c *Cell) DeclText(edit func(*syntax.Editor)) Rendered {
	return c.part(func(ch syntax.Chunk) bool { return ch.IsDecl() && ch.Tok != token.IMPORT }, edit)
}

// StmtText is the cell with everything but its statements blank, and edits of them.
// Without any, each line of "var ( … )" is made a declaration of its own.
//
// A function edit of its own calls Ungroup where it wants that, or writes the lines of a group
// as something else, such as assignments.
func (c *Cell) StmtText(edit func(*syntax.Editor)) Rendered {
	if edit == nil {
		edit = c.Ungroup
	}
	return c.part(func(ch syntax.Chunk) bool { return !ch.IsDecl() }, edit)
}

// Ungroup makes each line of "var ( … )" a declaration of its own.
//
// "var (" and ")" are blank already. Only FindStmts knows the lines, so that before it a group
// stays a group.
func (c *Cell) Ungroup(ed *syntax.Editor) {
	for _, t := range c.Stmts {
		if t.Spec {
			ed.Insert(t.Start, "var ")
		}
	}
}

// part is the cell with everything blank but the chunks to keep, and edits of these.
//
// The text is blanked in two steps and edited in a third, with an Editor for each, since of the
// edits of one Editor those inside a replaced range are dropped.
func (c *Cell) part(keep func(syntax.Chunk) bool, edit func(*syntax.Editor)) Rendered {
	ed := &syntax.Editor{Text: c.Text}
	at := 0
	for _, ch := range c.Chunks {
		if !keep(ch) {
			continue
		}
		c.blankGap(ed, at, ch)
		at = ch.End
		if ch.Semi {
			at++
		}
	}
	ed.Blank(at, len(c.Text))
	base, _ := ed.Render(0, len(c.Text)) // the same length
	ed = &syntax.Editor{Text: []byte(base)}
	// Of "var ( … )" the lines stay, each a statement, and what is around them goes. Of a
	// //go:embed line nothing stays: the generated code has it elsewhere.
	for _, g := range c.groups {
		ed.Blank(g[0], g[1])
	}
	base, _ = ed.Render(0, len(base))
	// A new editor, since edits apply to what is left, and not to what was blanked.
	ed = &syntax.Editor{Text: []byte(base)}
	if edit != nil {
		edit(ed)
	}
	// Only the statements change places: a var is one of them.
	if len(c.pulls) > 0 && keep(syntax.Chunk{Tok: token.VAR}) {
		return c.pulled(ed)
	}
	text, back := ed.Render(0, len(base))
	return Rendered{text, back}
}

// blankGap blanks what stands before a chunk, but for the line comments above a
// declaration: they may be directives such as //go:noinline.
//
// A directive holds for the declaration on the line below it. The loop goes up line by line, as
// long as a line is such a comment and nothing of the chunk before stands on it.
func (c *Cell) blankGap(ed *syntax.Editor, from int, ch syntax.Chunk) {
	start := ch.Start
	if ch.IsDecl() {
		line := bytes.LastIndexByte(c.Text[:ch.Start], '\n') + 1
		for line > from && len(bytes.TrimSpace(c.Text[line:start])) == 0 {
			prev := bytes.LastIndexByte(c.Text[:line-1], '\n') + 1
			if prev < from || !bytes.HasPrefix(bytes.TrimSpace(c.Text[prev:line]), []byte("//")) {
				break
			}
			start, line = prev, prev
		}
	}
	ed.Blank(from, start)
}

// SyntaxError reports the syntax errors of a cell.
//
// It is the first part's that has any, so that the message is of a declaration before it is of a
// statement. The trees stay, and the check finds them.
func (c *Cell) SyntaxError() error {
	if _, err := c.Decls(); err != nil {
		return err
	}
	if _, err := c.Imports(); err != nil {
		return err
	}
	_, err := c.Body()
	return err
}

// CommentAbove is where the comment begins that ends text, with at most one line
// break behind it.
//
// It is a block comment or lines with //, and the length of the text where there is neither.
// Text is what stands before a declaration, with the blanks that indent it.
func CommentAbove(text []byte) int {
	end := len(bytes.TrimRight(text, " \t"))
	if end > 0 && text[end-1] == '\n' {
		end = len(bytes.TrimRight(text[:end-1], " \t"))
	}
	if bytes.HasSuffix(text[:end], []byte("*/")) {
		if i := bytes.LastIndex(text[:end], []byte("/*")); i >= 0 {
			return i
		}
	}
	begin := len(text)
	// Lines are taken as long as they are comments and nothing else.
	for end > 0 {
		line := bytes.LastIndexByte(text[:end], '\n') + 1
		if !bytes.HasPrefix(bytes.TrimSpace(text[line:end]), []byte("//")) {
			break
		}
		begin, end = line, max(0, line-1)
	}
	return begin
}
