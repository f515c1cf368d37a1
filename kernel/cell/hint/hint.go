// Package hint adds to messages about wrong cells what to try, for a person who
// knows Python and PyTorch better than Go. A hint is given where it is very likely
// right; where it is not, the message stays as Go has it.
//
// What is asked of the notebook is the interface [Names], and what PyTorch's names
// are here is in dl's own table, package dl/words.
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
type Names interface {
	// Package returns the package that a name before a dot means: the one that is
	// imported under it, or else the one that would be imported for what is
	// selected from it. It is nil where there is none.
	Package(name string, selected ...string) *types.Package
	// Packages lists names for which Package may have one that nothing imports.
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

const (
	Other        Part = iota
	Statements        // the cell's statements, in the body of its last function
	Declarations      // the cell's declarations
	Earlier           // a declaration of an earlier cell
)

// A File is one that was checked, as part of the package Pkg.
type File struct {
	Part   Part
	AST    *ast.File
	Source string              // the text that it was made from
	Offset func(token.Pos) int // the place in Source where a node begins or ends
	Info   *types.Info
	Pkg    *types.Package
	Names  Names
}

// Text is a node as the source has it.
func (f *File) Text(n ast.Node) string { return f.Source[f.Offset(n.Pos()):f.Offset(n.End())] }

// line is the line of the source that a place is in.
func (f *File) line(pos token.Pos) string {
	at := f.Offset(pos)
	begin := strings.LastIndexByte(f.Source[:at], '\n') + 1
	line, _, _ := strings.Cut(f.Source[begin:], "\n")
	return line
}

// innermost returns the last node of path that is a T.
func innermost[T ast.Node](path []ast.Node) (t T, ok bool) {
	for i := len(path) - 1; i >= 0; i-- {
		if t, ok = path[i].(T); ok {
			return t, true
		}
	}
	return t, false
}

// exported lists the exported names of a package, by the name that Guess knows.
func exported(names Names, name string) []string {
	pkg := names.Package(name)
	if pkg == nil {
		return nil
	}
	return slices.DeleteFunc(pkg.Scope().Names(), func(n string) bool { return !token.IsExported(n) })
}
