// Package check finds out what a cell means, and whether it compiles.
//
// All cells are checked as one package. [Run] parses a cell and has go/types look at it
// together with what earlier cells declared: as the objects that the checker made of it
// then, where it stays as it is, and as source, where the cell changes something that it
// mentions. The [Result] says all that the later stages need to know, so that code, the
// listing for holt export, lineage and the next model of the notebook are made of one
// parse and one check. A check changes nothing of the notebook.
//
// # Two passes
//
// In a notebook x := f() defines a variable of the package, and Go infers such types only
// inside of functions. So the statements are checked twice: as the body of a function, to
// learn the types of the variables, and again with the variables at package level. See
// infer.go for what else the first pass decides. A cell that defines nothing is checked
// once.
//
// # What is compiled again
//
// A cell that changes what a name means makes stale what mentions it. Nothing of an earlier
// cell's package can be changed, since it is loaded, so what is stale is checked once more from
// its source and becomes part of this cell's program. Of
//
//	type point struct{ x, y int }      // cell 1
//	func norm(p point) int { … }       // cell 2
//	here := point{3, 4}                // cell 3
//	func show() { print(norm(here)) }  // cell 4
//
// a cell that gives point a third field declares point, norm and here again, since the type of
// each mentions it, and gets a new body for show, whose type does not. See changes.go. What of
// this does not compile is dropped, and its source is kept: see lost.go and revive.go.
//
// # Names
//
// A variable may take the name of what it is made from, which Go has no scopes for at
// package level. In what is checked one of the two has a longer name: see hide.go.
//
// # Where to read
//
// The files are in layers, and none uses one that stands above it.
//
//	run.go                   the stages of a check, in order
//	collect.go               what the cell declares
//	infer.go                 the first passes: types of variables, errors that are taken
//	lost.go, revive.go       what no longer compiles, and what does again; values that are gone
//	changes.go               what a change makes new
//	pass.go                  one run of go/types
//	edits.go, unit.go        the text of a pass: the cell's, and that of earlier declarations
//	inner.go                 calls inside of statements whose error ends the cell
//	vars.go, consts.go       variables, and constants, of the checked package
//	hide.go                  names that hide what they are made from
//	imports.go, cgo.go       packages that are named; C code
//	uses.go                  names that the cell's declarations use
//	names.go, hints.go       what a name means in the checked package; what hints ask
//	result.go, state.go      what is found out, and on the way there
package check
