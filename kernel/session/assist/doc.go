// Package assist completes and explains the names in a cell by asking gopls.
//
// An [Assistant] keeps one gopls for a notebook. The notebook tells it what is
// declared as a [Snapshot], which [Assistant.Complete] and [Assistant.Inspect]
// join with the cell's text as three files of one package:
//
//	notebook.go  the declarations of earlier cells
//	decls.go     the cell with everything but its declarations blank
//	stmts.go     the cell with everything but its statements blank, in a function
//
// Blanks keep every byte in its place, so that a place in the cell is a place
// in one of the files. Gopls reads them from memory; the folder on disk holds
// only the notebook's go.mod and go.sum.
//
// Gopls is found in PATH or among Holt's tools, see [Find]. Where it is
// not, completion and inspection are empty and the notebook works all the same.
package assist
