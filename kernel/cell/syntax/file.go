package syntax

import (
	"go/ast"
	"go/token"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// A Kind says what a file holds.
type Kind int

const (
	DeclFile Kind = iota // the cell's declarations
	StmtFile             // the cell's statements
	VarFile              // variables, one a line
	CgoFile              // declared by cmd/cgo
	UnitFile             // a declaration of an earlier cell
)

// A File is one source file of the package that is checked. It has three texts: the
// source, which the person wrote; the body, which is the source as this check has it,
// with names and statements changed; and what was parsed, which is a prelude of ours,
// such as the package clause, and the body. Messages name places of the source.
//
// For a cell of the one line x := f(), whose x an earlier cell declared:
//
//	source   x := f()
//	body     x = ˣmust1(f())
//	parsed   package notebook;func ˣrun() {x = ˣmust1(f())
//	         }
//
// Offset leads from a position in what was parsed to the body, and Back from there to the
// source.
type File struct {
	Kind    Kind
	Name    string // the cell, for errors and //line
	Line    int    // of the source's first line in the cell
	Source  string
	Body    string        // what is checked, and generated from
	Back    func(int) int // the offset in the source of one in the body
	Prelude int           // bytes that were parsed before the body
	Unit    *scope.Unit   // the declaration of an earlier cell, of a UnitFile
	Vars    []string      // of a VarFile, the names by line
	AST     *ast.File
	Tok     *token.File
}

// Span returns the offsets in Source at which a node begins and ends.
// A node must be one of this file's AST: the positions of another would name a wrong text.
func (f *File) Span(n ast.Node) (start, end int) {
	s, e := f.Offsets(n)
	return f.Back(s), f.Back(e)
}

// Offsets returns the offsets in Body at which a node begins and ends.
func (f *File) Offsets(n ast.Node) (start, end int) {
	return f.Offset(n.Pos()), f.Offset(n.End())
}

// Text is a node as the file's source has it.
// It may differ from what is checked: f(x) in the source where the body has ˣmust1(f(x)).
func (f *File) Text(n ast.Node) string {
	start, end := f.Span(n)
	return f.Source[start:end]
}

// Offset returns where a place is in the file's body.
// Places in the prelude become 0, and places behind the body its end: an error at the brace
// that was put behind the statements is shown at the end of the cell.
func (f *File) Offset(pos token.Pos) int {
	return max(0, min(f.Tok.Offset(pos)-f.Prelude, len(f.Body)))
}

// Diagnose makes a message about a place of what was parsed.
// The message is go/types' own, about the text that was parsed: our names are taken out of it,
// and the place is led back to the source. A place that is not valid gives a message without a
// line.
func (f *File) Diagnose(pos token.Pos, msg string) Diagnostic {
	d := Diagnostic{Cell: f.Name, Msg: plainNames.Replace(withoutMust(msg))}
	if !pos.IsValid() {
		return d
	}
	return f.At(f.Back(f.Offset(pos)), d)
}

// plainNames takes our marks and the package of all cells off the names in a message.
//
// The order matters: of several that match at a place, strings.NewReplacer takes the first, so
// the long marks stand before Ħ and ˣ alone.
//
//	cannot use ˣold_x (variable of type notebook.point)  →  cannot use x (variable of type point)
var plainNames = strings.NewReplacer("notebook.", "", spell.OldMark, "", spell.TypeMark, "", spell.NewMark, "", "Ħˣb_", "", "Ħˣm_", "", spell.Dot, ".", "Ħ", "", "ˣ", "", "_Ctype_", "C.")

// withoutMust takes off a message what stands around calls whose error is taken:
// ˣmust1(f(x)) is f(x).
//
// go/types writes expressions into its messages as they stand in the tree.
func withoutMust(msg string) string {
	// Both forms: a call with one result beside its error, and one with two.
	for _, mark := range []string{spell.Must(1) + "(", spell.Must(2) + "("} {
		for {
			before, rest, ok := strings.Cut(msg, mark)
			if !ok {
				break
			}
			// To the bracket that closes the call; brackets in literals do not count.
			end, open := 0, 1
			for end < len(rest) && open > 0 {
				switch rest[end] {
				case '(':
					open++
				case ')':
					open--
				case '"', '`', '\'':
					if text, err := strconv.QuotedPrefix(rest[end:]); err == nil {
						end += len(text) - 1
					}
				}
				end++
			}
			msg = before + rest[:end]
			// Where the message shortens the call, its bracket may not be there.
			if open == 0 {
				msg = before + rest[:end-1] + rest[end:]
			}
		}
	}
	return msg
}

// At completes a diagnostic with the place of a source offset.
// The name and the message are in d already; Line, Col and Source are set here.
func (f *File) At(off int, d Diagnostic) Diagnostic {
	off = min(off, len(f.Source))
	// The end of the text is reported on its last line.
	for off > 0 && off == len(f.Source) && f.Source[off-1] == '\n' {
		off--
	}
	begin := strings.LastIndexByte(f.Source[:off], '\n') + 1
	end := len(f.Source)
	if i := strings.IndexByte(f.Source[off:], '\n'); i >= 0 {
		end = off + i
	}
	d.Line = f.Line + strings.Count(f.Source[:off], "\n")
	d.Col = off - begin + 1
	d.Source = f.Source[begin:end]
	return d
}

// Preamble returns the C code that C.x in the file means: that of the declaration's
// own cell, or else of the cell that is checked. It is nil where there is none.
//
// A preamble is the comment above import "C", which cmd/cgo compiles. Each cell has its own,
// so C.f of an earlier cell's declaration is not that of the cell that is checked.
func (f *File) Preamble(checked *scope.Preamble) *scope.Preamble {
	if f.Unit != nil && f.Kind == UnitFile {
		return f.Unit.C
	}
	return checked
}

// Variable returns the variable that a place in a VarFile declares.
// An error in such a file says that the variable's type no longer compiles, and its text is
// ours: all that can be named to the person is the variable. It is "" outside of the lines of
// variables.
func (f *File) Variable(pos token.Pos) string {
	if !pos.IsValid() {
		return ""
	}
	// The body begins with a line break, so that the first variable is in its second line.
	line := strings.Count(f.Body[:f.Offset(pos)], "\n") - 1
	if line < 0 || line >= len(f.Vars) {
		return ""
	}
	return f.Vars[line]
}
