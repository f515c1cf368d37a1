// Package cell is the front end of the engine: it turns the text of a cell
// into a Go package that the builder can compile.
//
// A [Notebook] knows everything that earlier cells declared, in a [scope.Model].
// [Notebook.Check] parses a cell, checks it as if all cells were one package, and
// returns a [Program]: generated Go files and what they need. Nothing changes until
// [Program.Commit] is called, after the program was loaded, and makes the model of
// what names mean from then on.
//
// # How a cell becomes a package
//
// Cell 5 becomes package c5 (import path notebook/c5). Its types, functions
// and constants are declarations of that package. A variable that the cell
// defines at top level, by := or var, becomes a package variable. All other
// statements run in order in one function. Later cells import the package.
//
// Names in the generated code that begin with Ħ (U+0126, an upper-case letter)
// or hold ˣ (U+02E3) are ours. They make unexported names reachable from other
// packages:
//
//	Ħx          the variable, function or constant x
//	Ħpoint      alias of the unexported type point
//	Ħarea       the unexported method area, renamed
//	ĦˣF_T_x     function that gives the address of the unexported field T.x
//	ĦˣH_f       hook: when set, f calls it, so that earlier callers follow a redefinition
//	Ħˣb_f       a new body of f
//	Ħˣs0        alias of a struct type without a name
//	ˣ…          what no other package needs
//
// # Order
//
// Statements run from top to bottom. A var declaration that a var declaration
// above it needs runs before that one, as in a Go package; constants, types and
// functions are known in the whole cell.
//
// # What is made again
//
// A redefined function or method with the same signature is compiled alone and
// hooked into its first package. A type that changed, or got a new method, is a
// new type: everything that mentions it is compiled again from its source into
// the new package, and values whose memory layout is the same are carried over.
// Values of the old type that stay behind interfaces are found by the host, and
// the variables that hold them are named.
//
// # Where to read
//
// The packages are the stages, each of which knows only those before it: spell, scope,
// syntax, parse, then this package, which checks, and gen, to which it hands what it found
// out.
//
//	spell                  how names and types are written
//	scope                  the model of what names mean
//	syntax                 a cell's text: chunks, files, edits, messages
//	parse                  the cell's declarations and statements, parsed
//	check.go               the stages of a check, in order
//	text.go, parse.go      how they are edited for a pass; what they import
//	hide.go                names that hide what they are made from
//	imports.go, changes.go packages that are named; what a change makes new
//	infer.go, pass.go      the types of variables; one run of go/types
//	inner.go               calls inside of statements whose error ends the cell
//	lost.go                errors of earlier cells' code; values that are gone
//	unnamed.go             variables that are objects in what is checked, and not text
//	witness                variables of types that a library does not export
//	consts.go              constants that are made of their own old values
//	cgo.go                 C code in a cell
//	revive.go              what is back when its cause is put right
//	hint                   what to try, after an error; hints.go joins it
//	gen                    the code of a checked cell
//	program.go, commit.go  the result; what it makes live
//	uses.go, effects.go    names that its declarations use; what it takes from other cells
//	listing.go             the cell as it was written, for holt export
//	source.go              declarations of a model as Go text
package cell
