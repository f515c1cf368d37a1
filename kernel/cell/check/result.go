package check

import (
	"context"
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"runtime"

	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// ErrAgain is wrapped by the error of [Packages.Add] when packages that earlier
// cells were compiled with are others now. [Run] returns that error as it is; when all
// was declared again, with [Rebuild], the cell can be checked again.
var ErrAgain = errors.New("packages of earlier cells changed")

// Packages gives the front end the packages that cells import.
type Packages interface {
	types.Importer
	// Add makes the packages known, building or fetching them as needed.
	Add(ctx context.Context, paths []string) error
	// Guess names the package that goimports would import for name, given the
	// names that are selected from it; ok is false when there is none, and when ctx has ended.
	Guess(ctx context.Context, name string, selected []string) (path string, ok bool)
	// Names lists the names for which Guess may know a package, for a hint
	// when one is misspelt.
	Names() []string
}

// Cgo is implemented by [Packages] that can compile C.
type Cgo interface {
	// CTypes returns the Go file in which cmd/cgo declares the names of C that
	// the given files use. Errors of the C code are a [*syntax.Error].
	CTypes(ctx context.Context, files []File) (string, error)
}

// File is a Go file that was generated.
type File struct {
	Name string
	Text string
}

// Sizes are those of the compiler, by which unsafe.Sizeof is a constant in the check as well.
var Sizes = types.SizesFor("gc", runtime.GOARCH)

// Input is what a check reads of the notebook, and leaves as it is.
type Input struct {
	Seq      int            // the number of the program that the cell becomes
	Packages Packages       // what can be imported
	Fset     *token.FileSet // shared by all checks, so that a place tells which program it is of
	Scope    *scope.Model   // what names mean before the cell
	// CType returns the text by which an earlier program declares a C type, and the
	// type; nil where none does.
	CType func(name string) (text string, obj *types.TypeName)
}

// Result is a cell that passed its check, and what was found out about it: all that the
// later stages need to know. Names in it are those that the model has: variables without
// ˣnew_, types that a variable of an earlier cell hides with ˣtype_, methods as T.m.
type Result struct {
	Input
	Cell    *parse.Cell // its text and its statements
	Passes  int         // how often go/types was called
	Notices []string    // sentences for the person who ran the cell

	// Of the final pass of go/types, over all that the cell declares and runs, and what
	// is compiled again because of it. Where that would have checked what the first one did, it is
	// the first one.
	Pkg   *types.Package
	Info  *types.Info
	Files []*syntax.File
	Old   map[types.Object]string // objects under another name: what the name stood for before

	Imports  map[string]string // name → path: live imports and those of this cell
	Imported map[string]bool   // names that this cell imports
	Blank    []string          // import _ "path"
	Dots     map[string]bool   // import . "path", live ones and those of this cell

	Own      []*scope.Unit         // what the cell declares and did not stand there before
	OwnNames map[string]bool       // the package-level names among them
	HasMain  bool                  // the cell declares a func main, which runs last
	Vars     map[string]types.Type // the variables that its statements define
	NewVars  map[string]bool       // those that are not the variable of an earlier cell with a new value
	Hides    map[string]bool       // those that take the name of a type
	Unhide   map[string]bool       // names of hidden types that the cell declares again

	Redeclared map[string]*scope.Version   // types, constants and functions that are compiled again from their source
	Retyped    map[string]*scope.Version   // variables whose type is declared again
	NewBodies  map[*scope.Unit]*scope.Unit // functions and methods compiled alone: unit → the live one it replaces
	Revived    map[string]*scope.Broken    // what no longer compiled, and does again
	Dropped    map[string]string           // live names that no longer compile: why

	LastValue bool // the last line is a call of a builtin or a conversion, which Go refuses as a statement
	// The indexes of TakenErr are those of Cell.Stmts. In x := f() at top level the values go
	// through variables of ours, which is where the number comes in; in a loop, and inside of
	// another call, nothing would see x before the error is looked at.
	TakenErr map[int]int // statements whose error is taken: index → number of the variable
	Nested   []NestedErr // likewise inside of loops and branches
	Inner    []InnerCall // calls inside of statements whose error is taken

	Preamble *scope.Preamble              // of the cell's import "C"
	CNames   map[*scope.Preamble][]string // the names of C in use
	SharedC  map[string]*types.TypeName   // C types that are an earlier program's
}

// A NestedErr is a definition x := f() in a loop or a branch of a cell's top level
// that leaves out the error. Places are offsets in the cell's text.
type NestedErr struct {
	Names, End int // where the names end, and the statement
}

// An InnerCall is a call that returns an error beside the values that are wanted of it. More
// than two values are not taken: there is no ˣmust3.
type InnerCall struct {
	Start, End int // in the cell's text
	Values     int // without the error: 1 or 2
}

// Shown is where the statement begins whose value is the cell's, or -1 where none is: the last
// line, unless a semicolon ends it. Whether the statement has a value is not asked here.
func (r *Result) Shown() int {
	if n := len(r.Cell.Stmts); n > 0 && r.Cell.Stmts[n-1].Last && !r.Cell.Stmts[n-1].Hide {
		return r.Cell.Stmts[n-1].Start
	}
	return -1
}

// PackageLevel reports whether obj is declared at package level of the notebook, under its own
// name or a longer one.
func (r *Result) PackageLevel(obj types.Object) bool {
	return r.Old[obj] != "" || spell.PackageLevel(obj)
}

// Method names the method of a notebook's type that a selector means, as T.m, or
// returns "": for a method of a library's type, of an interface without a name, and for a field.
func (r *Result) Method(x *ast.SelectorExpr) string {
	fn, ok := r.Info.Uses[x.Sel].(*types.Func)
	if !ok || fn.Signature().Recv() == nil || fn.Pkg() == nil || fn.Pkg().Path() != spell.Path {
		return ""
	}
	t := fn.Signature().Recv().Type()
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return ""
	}
	return n.Obj().Name() + "." + fn.Name()
}
