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
// know of each other on the way there. See run.go for the stages.
type checker struct {
	Result
	ctx context.Context

	unchanged  [][2]int                             // ranges of declarations that are as before
	changed    map[string]bool                      // names that mean something else from now on
	kind       passKind                             // of the pass that runs
	bodies     bool                                 // the first pass looks into functions, too
	before     map[string]bool                      // variables defined again from what their names hide
	locals     map[*types.Var]bool                  // of the first pass, the cell's variables
	constEdits []syntax.Edit                        // of constants that are made of their own old values
	arrays     map[string]types.Type                // arrays of the cell whose length its declarations need
	refused    map[string]bool                      // what was tried again and still does not compile
	cUses      map[*scope.Preamble]map[cName]string // the names of C in use: where
	cText      string                               // what cmd/cgo makes of them
}

// newChecker returns a check that has not begun. Its Cell is to be set.
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

// passed is the result of checking the whole package once.
type passed struct {
	pkg   *types.Package
	info  *types.Info
	files []*syntax.File
	errs  []passError
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

type passKind int

const (
	passFirst passKind = iota // variables are local to the statements, bodies are left out
	passFinal                 // variables are package-level
)

// A cName is a name of C as a file uses it.
type cName struct {
	name string
	use  string // how a file for cmd/cgo uses it again
}

// body is the function that a file of statements consists of.
func body(f *syntax.File) *ast.BlockStmt {
	return f.AST.Decls[len(f.AST.Decls)-1].(*ast.FuncDecl).Body
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

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
