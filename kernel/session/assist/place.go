package assist

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// The three files of the package that gopls sees; the package comment says what is in
	// which.
	notebookFile = "notebook.go"
	declsFile    = "decls.go"
	stmtsFile    = "stmts.go"

	ours      = "holtCell" // begins names that are not the notebook's
	fileHead  = "package main\n\n"
	stmtsHead = "func " + ours + "() {\n"
	stmtsTail = "\n}\n"
)

// position is a place in a file that is open in gopls: the file's URI, its text, and a byte
// offset in that.
type position struct {
	uri    string
	text   string
	offset int
}

// params is a position as the protocol has it: lines and columns from 0, columns in UTF-16 code
// units, the only encoding that every server knows.
func (p position) params() map[string]any {
	line := strings.Count(p.text[:p.offset], "\n")
	begin := strings.LastIndexByte(p.text[:p.offset], '\n') + 1
	return map[string]any{
		"textDocument": map[string]any{"uri": p.uri},
		"position":     map[string]any{"line": line, "character": units(p.text[begin:p.offset])},
	}
}

// units counts UTF-16 code units, in which the protocol counts columns.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// place tells gopls of the notebook and the cell, and returns where the offset is. The caller
// holds mu.
//
// The cell x := 1 after one that named fmt becomes
//
//	package main
//
//	import fmt "fmt"
//	func holtCell() {
//	x := 1
//	}
//
// in stmts.go, and the same head with a blank line in decls.go. Both halves have the head,
// since the imports of a file count in that file alone.
func (a *Assistant) place(ctx context.Context, s Snapshot, c Cell, offset int) (position, error) {
	if len(c.Decls) != len(c.Stmts) || offset < 0 || offset > len(c.Decls) {
		return position{}, fmt.Errorf("assist: offset is %d in texts of %d and %d bytes, want texts of one length and an offset within", offset, len(c.Decls), len(c.Stmts))
	}
	if err := a.ensure(ctx, s); err != nil {
		return position{}, err
	}
	// All three files are told each time; tell sends those that changed.
	head := fileHead + a.head(s, c)
	decls, stmts := head+c.Decls+"\n", head+stmtsHead+c.Stmts+stmtsTail
	files := map[string]string{notebookFile: s.Decls, declsFile: decls, stmtsFile: stmts}
	for name, text := range files {
		if err := a.tell(name, text); err != nil {
			return position{}, err
		}
	}
	// The offset in the file is that in the cell, moved by what stands before the cell's text.
	if isDecl(c, offset) {
		return position{a.uri(declsFile), decls, len(head) + offset}, nil
	}
	return position{a.uri(stmtsFile), stmts, len(head) + len(stmtsHead) + offset}, nil
}

// head returns the import declarations for a cell: those of the packages that it names, and of
// all that cells named before. An import more is no harm, while gopls loads its packages again
// whenever the imports of a file change.
//
// A package that has the name of something declared is left out, unless the cell means the
// package: both in one package are an error (Go's spec, Declarations and scope).
func (a *Assistant) head(s Snapshot, c Cell) string {
	// A name that means another package by now has that one.
	maps.Copy(a.imports, c.Imports)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(a.imports)) {
		if _, named := c.Imports[name]; named || !s.Declared[name] && !c.Declared[name] {
			fmt.Fprintf(&b, "import %s %q\n", name, a.imports[name])
		}
	}
	return b.String()
}

// isDecl reports whether an offset is in a declaration: whether the nearest text before it is
// of one. With nothing but blanks before it, it is in a statement.
func isDecl(c Cell, offset int) bool {
	blank := func(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }
	for i := offset - 1; i >= 0; i-- {
		if !blank(c.Decls[i]) {
			return true
		}
		if !blank(c.Stmts[i]) {
			return false
		}
	}
	return false
}

// isName reports whether a character can be part of a Go name.
func isName(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// nameAt moves an offset that is behind a name onto its last character, also over the bracket
// of a call that is being written: with the cursor at |, all of these ask for Println:
//
//	fmt.Print|ln    fmt.Println|    fmt.Println(|    fmt.Println( |
//
// It looks back at most 7 bytes. An offset with no name near stays.
func nameAt(c Cell, offset int) int {
	offset = min(max(offset, 0), len(c.Stmts), len(c.Decls))
	// The character at a byte of the cell, from whichever half has it.
	at := func(i int) rune {
		if r, _ := utf8.DecodeRuneInString(c.Stmts[i:]); !unicode.IsSpace(r) {
			return r
		}
		r, _ := utf8.DecodeRuneInString(c.Decls[i:])
		return r
	}
	if offset < len(c.Stmts) && isName(at(offset)) {
		return offset
	}
	for i := offset - 1; i >= 0 && offset-i < 8; i-- {
		switch r := at(i); {
		case isName(r):
			return i
		case r == '(' || r == ' ' || !utf8.RuneStart(c.Stmts[i]) || r == utf8.RuneError:
		default:
			return offset
		}
	}
	return offset
}
