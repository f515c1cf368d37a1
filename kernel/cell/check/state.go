package check

import (
	"context"
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// checker is one run of a check: what was found out so far, and what the stages need to
// know of each other on the way there. See run.go for the stages. It is for one goroutine
// and one cell.
//
// Sets of names grow from one turn of the check to the next, with three exceptions: NewVars and
// Hides are found again by each of the first passes; what is dropped or given up on leaves
// the sets of what is compiled again; and a unit leaves NewBodies when its body alone will not do.
type checker struct {
	Result
	ctx context.Context

	unchanged  [][2]int                             // ranges of the cell's text: declarations that are as before
	changed    map[string]bool                      // names that mean something else from now on
	kind       passKind                             // of the pass that runs, or ran last
	bodies     bool                                 // the first pass looks into functions, too
	before     map[string]bool                      // variables defined again from what their names hide; see findRedefined
	locals     map[*types.Var]bool                  // the cell's variables as objects of the first passes
	constEdits []syntax.Edit                        // of constants that are made of their own old values
	arrays     map[string]types.Type                // arrays of the cell whose length its declarations need
	refused    map[string]bool                      // what was tried again and still does not compile
	cUses      map[*scope.Preamble]map[cName]string // the names of C in use: where
	cText      string                               // what cmd/cgo makes of them; empty when it is to be asked
}

// newChecker returns a check that has not begun. Its Cell is to be set. Imports are copies,
// since the check adds those that the cell has or that are guessed.
func newChecker(ctx context.Context, in Input) *checker {
	return &checker{
		Result: Result{
			Input: in, Imports: maps.Clone(in.Scope.Imports()), Imported: map[string]bool{}, Dots: maps.Clone(in.Scope.Dots()),
			OwnNames: map[string]bool{}, Vars: map[string]types.Type{}, NewVars: map[string]bool{}, Hides: map[string]bool{}, Unhide: map[string]bool{},
			Redeclared: map[string]*scope.Version{}, Retyped: map[string]*scope.Version{}, NewBodies: map[*scope.Unit]*scope.Unit{},
			Revived: map[string]*scope.Broken{}, Dropped: map[string]string{}, TakenErr: map[int]int{},
		},
		ctx: ctx, changed: map[string]bool{}, before: map[string]bool{}, locals: map[*types.Var]bool{},
		arrays: map[string]types.Type{}, refused: map[string]bool{}, cUses: map[*scope.Preamble]map[cName]string{},
	}
}

// passed is the result of checking the whole package once. There is one even of a package with
// errors: go/types goes on after them, and what it found out of the rest is used to find what
// the cell leaves to the notebook, such as errors that it does not take.
type passed struct {
	pkg   *types.Package
	info  *types.Info
	files []*syntax.File
	errs  []passError             // in the order in which they were found
	old   map[types.Object]string // objects under another name: what the name stood for before
}

// A passError is an error of go/types, or of cmd/cgo, and the file that it is in: one in
// the cell is the person's, one in an earlier cell's declaration means that it no longer
// compiles.
type passError struct {
	syntax.Diagnostic
	file *syntax.File
	pos  token.Pos
}

// A passKind says how a pass of go/types has the statements of the cell.
type passKind int

const (
	passFirst passKind = iota // variables are local to the statements, bodies are left out
	passFinal                 // variables are package-level; this is what code is made of
)

// A cName is a name of C as a file uses it. One name used in two ways is two of them, since
// cmd/cgo declares what the use asks for: of x, err := C.f() it makes another function than
// of C.f().
type cName struct {
	name string
	use  string // how a file for cmd/cgo uses it again, as a format: "_ = C.%s"
}

// body is the function that a file of statements consists of. It is the last declaration,
// since imports are put before it.
func body(f *syntax.File) *ast.BlockStmt {
	return f.AST.Decls[len(f.AST.Decls)-1].(*ast.FuncDecl).Body
}

// sortedKeys lists the keys of a map in order. What becomes text, or what the person reads, is
// gone through in this order, so that a cell has one result.
func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// importError is what the check returns when packages could not be had: the error as it is
// where the caller acts on it, or else as what is wrong with the cell, without a place.
func (c *checker) importError(err error) error {
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	var e *syntax.Error
	if errors.As(err, &e) || errors.Is(err, ErrAgain) {
		return err
	}
	return &syntax.Error{Diagnostics: []syntax.Diagnostic{{Cell: c.Cell.Name, Msg: err.Error()}}}
}
