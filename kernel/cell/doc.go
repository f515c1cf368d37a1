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
//	ĦˣF_Tˣ_x    function that gives the address of the unexported field T.x
//	ĦˣV_Tˣ_x    function that gives its value, of an operand without an address
//	ĦˣH_f       hook: when set, f calls it, so that earlier callers follow a redefinition
//	ĦˣH_Tˣ_m    likewise of the method T.m
//	Ħˣb_f       a new body of f
//	Ħˣm_Tˣ_m    a new body of the method T.m
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
// hooked into its first package, unless it calls recover, which Go lets a deferred
// function do and none that it calls: that is declared again, and a method with its
// type. A type that changed, or got a new method, is a new type: everything that
// mentions it is compiled again from its source into the new package, and variables
// whose memory layout is the same stay where they are, so that pointers to them, and
// closures and goroutines of earlier cells, mean them still.
// Values of the old type that stay behind interfaces are found by the host, and
// the variables that hold them are named.
//
// # Where to read
//
// The packages are the stages, each of which knows only those before it. This one is
// their face: it holds what the notebook knows, has a cell go through the stages, and makes
// what the cell declares live.
//
//	spell                how names and types are written
//	scope                the model of what names mean
//	syntax               a cell's text: chunks, files, edits, messages
//	witness              types of variables that a library does not export
//	hint                 what to try, after an error
//	parse                the cell's declarations and statements, parsed
//	check                what they mean, by go/types; what else must be compiled again
//	gen                  the code of a checked cell
//	listing, lineage     the cell as it was written, for holt export; what it takes from
//	                     other cells, and which of them are out of date
//	program.go           the way through the stages, and its result
//	commit.go            what a program makes live
//	declarations.go      declarations of a model as Go text
package cell
