// Package hint adds to messages about wrong cells what to try, for a person who
// knows Python and PyTorch better than Go. A hint is given where it is very likely
// right; where it is not, the message stays as Go has it.
//
// What is asked of the notebook is the interface [Names], and what PyTorch's names
// are here is in dl's own table, package dl/words.
//
// # How an answer is found
//
// A message comes with a place. [File.Explain] makes the path of nodes from the file to that
// place, and asks, one after the other, until one has something to say:
//
//	hiding       is it about a variable that has the name of a package or a type?
//	habit        is it what PyTorch's users write? (a table, by the form of the message)
//	undefined …  what the beginning of the message calls for
//	endings      a table of regular expressions, with a fixed answer for each
//
// What the answer says of PyTorch's names comes from the table of words where it has an entry,
// and else from the types of Holt's packages, as go/types has them: the kernel must not import
// dl.
//
//	x + x             ; Go's operators are for numbers and strings: write x.Add(x)
//	nn.Linear(3, 4)   ; nn.Linear is dl.Linear here: dl.Linear{In: 3, Out: 4}
//
// An answer begins with a semicolon, since it is put behind the message, in the same line. No
// answer is "". Code in an answer is the person's own where it can be, by [File.Text], so that
// it can be copied into the cell.
//
// Messages of go/types are not part of Go's promise of compatibility: the forms here are those
// of Go 1.26 and 1.27. One that changes costs its hint and nothing else.
//
// # Files
//
//	explain.go    messages of go/types, and names that nothing declares
//	pytorch.go    what PyTorch's users write: operators, calls of models, fields
//	packages.go   names of PyTorch's packages; members.go, its methods
//	names.go      what packages and the table have under a name
//	keywords.go   arguments by name
//	samples.go    how a call is written, from a function's type
//	numbers.go    numbers of two types; print.go, Go's own print
//	hiding.go     variables that have the name of something else
//	syntax.go     text that is no Go
package hint

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// Names is what a hint asks about the names of a notebook, with the cell that is
// checked.
//
// Package check implements it. Nothing that it returns may be changed.
type Names interface {
	// Package returns the package that a name before a dot means: the one that is
	// imported under it, or else the one that would be imported for what is
	// selected from it. It is nil where there is none.
	// It may read a package that was not used yet, or have it compiled, and so take a while.
	Package(name string, selected ...string) *types.Package
	// Packages lists names for which Package may have one that nothing imports.
	// They are for guesses at a misspelt package.
	Packages() []string
	// Imports lists the names under which packages are imported.
	Imports() []string
	// Defined lists the statements of the cell that define a variable, by the
	// offsets at which they begin, in the order in which they run.
	Defined(name string) []int
	// Cell is the cell that declared what a name means, or "".
	Cell(name string) string
	// HidesType reports whether a variable has the name of an earlier cell's type.
	HidesType(name string) bool
	// Gone says why a name that was declared is not any more, or returns "". Now
	// says that it may be because of the cell that is checked.
	Gone(name string, now bool) string
}

// Part is what a file holds.
type Part int

// Other is for files that have no text of the cell: a hint about places in one would be wrong.
const (
	Other        Part = iota
	Statements        // the cell's statements, in the body of its last function
	Declarations      // the cell's declarations
	Earlier           // a declaration of an earlier cell
)

// A File is one that was checked, as part of the package Pkg.
//
// Files share Info and Pkg with the others of their package. Where the check failed, Info
// lacks the types of what it could not make sense of: a missing type is nil, which
// what [File.Explain] calls must expect.
type File struct {
	Part   Part
	AST    *ast.File           // not changed
	Source string              // the text that it was made from
	Offset func(token.Pos) int // the place in Source where a node begins or ends
	Info   *types.Info         // Types and Uses are read
	Pkg    *types.Package      // whose scope has the notebook's names
	Names  Names               // what the notebook knows beside these
}

// Text is a node as the source has it.
// The node must be of this file. The text is that of the person, where what was checked may
// have words of ours in it.
func (f *File) Text(n ast.Node) string { return f.Source[f.Offset(n.Pos()):f.Offset(n.End())] }

// line is the line of the source that a place is in.
// It is for hints that go by the look of a line, as those for text that does not parse.
func (f *File) line(pos token.Pos) string {
	at := f.Offset(pos)
	begin := strings.LastIndexByte(f.Source[:at], '\n') + 1
	line, _, _ := strings.Cut(f.Source[begin:], "\n")
	return line
}

// innermost returns the last node of path that is a T.
// A message about an argument has a path that ends in the argument: the innermost call is the
// one that it is an argument of, unless it is a call itself.
func innermost[T ast.Node](path []ast.Node) (t T, ok bool) {
	for i := len(path) - 1; i >= 0; i-- {
		if t, ok = path[i].(T); ok {
			return t, true
		}
	}
	return t, false
}

// exported lists the exported names of a package, by the name that Guess knows.
// It is nil where there is no such package, so that callers need not ask first.
func exported(names Names, name string) []string {
	pkg := names.Package(name)
	if pkg == nil {
		return nil
	}
	return slices.DeleteFunc(pkg.Scope().Names(), func(n string) bool { return !token.IsExported(n) })
}
