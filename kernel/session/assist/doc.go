// Package assist completes and explains the names in a cell by asking gopls.
//
// An [Assistant] keeps one gopls for a notebook. The notebook tells it what is declared as a
// [Snapshot], which [Assistant.Complete] and [Assistant.Inspect] join with the cell's text as
// three files of one package:
//
//	notebook.go  the declarations of earlier cells
//	decls.go     the cell with everything but its declarations blank
//	stmts.go     the cell with everything but its statements blank, in a function
//
// Blanks keep every byte in its place, so that a place in the cell is a place in one of the
// files. Gopls reads them from memory; the folder on disk holds only the notebook's go.mod and
// go.sum.
//
// Gopls is found in PATH or among Holt's tools, see [Find]. Where it is not, completion and
// inspection are empty and the notebook works all the same.
//
// # Why gopls and not go/types
//
// The check of a cell has all types at hand, but refuses what does not parse, while a question
// comes in the middle of a word. Gopls reads unfinished text, ranks what it finds, knows the
// comments of packages from their sources, and offers packages that are not imported yet. The
// cost is another process and a second reading of all packages, so it is started by the first
// question and not before.
//
// # The way of a question
//
//	halves    package session  the cell's text, cut in declarations and statements
//	ensure    assist.go        gopls runs, with the go.mod of the cells
//	place     place.go         it has the three files, and the place in one of them is known
//	call      rpc.go           the question itself, as the Language Server Protocol has it
//	match     assist.go        the answer, in Jupyter's words
//
// A question about the cell that runs is answered from what the cells before it left: a
// Snapshot never holds half of a cell.
package assist
