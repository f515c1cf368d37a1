package parse

import (
	"bytes"
	"go/token"

	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// The parts of a cell's text. Each is as long as the cell and has blanks where the others
// are, so that every byte keeps its line and its column.

// Decls parses the cell's declarations but for imports.
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
	return f, c.File(f, head, tail)
}

// DeclText is the cell with everything but its declarations blank, and edits of them.
func (c *Cell) DeclText(edit func(*syntax.Editor)) Rendered {
	return c.part(func(ch syntax.Chunk) bool { return ch.IsDecl() && ch.Tok != token.IMPORT }, edit)
}

// StmtText is the cell with everything but its statements blank, and edits of them.
// Without any, each line of "var ( … )" is made a declaration of its own.
func (c *Cell) StmtText(edit func(*syntax.Editor)) Rendered {
	if edit == nil {
		edit = c.Ungroup
	}
	return c.part(func(ch syntax.Chunk) bool { return !ch.IsDecl() }, edit)
}

// Ungroup makes each line of "var ( … )" a declaration of its own.
func (c *Cell) Ungroup(ed *syntax.Editor) {
	for _, t := range c.Stmts {
		if t.Spec {
			ed.Insert(t.Start, "var ")
		}
	}
}

// part is the cell with everything blank but the chunks to keep, and edits of these.
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
	for _, g := range c.groups {
		ed.Blank(g[0], g[1])
	}
	base, _ = ed.Render(0, len(base))
	// A new editor, since edits apply to what is left, and not to what was blanked.
	ed = &syntax.Editor{Text: []byte(base)}
	if edit != nil {
		edit(ed)
	}
	if len(c.pulls) > 0 && keep(syntax.Chunk{Tok: token.VAR}) {
		return c.pulled(ed)
	}
	text, back := ed.Render(0, len(base))
	return Rendered{text, back}
}

// blankGap blanks what stands before a chunk, but for the line comments above a
// declaration: they may be directives such as //go:noinline.
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
	for end > 0 {
		line := bytes.LastIndexByte(text[:end], '\n') + 1
		if !bytes.HasPrefix(bytes.TrimSpace(text[line:end]), []byte("//")) {
			break
		}
		begin, end = line, max(0, line-1)
	}
	return begin
}
