// Package syntax is the text of cells: how it is cut apart, how it is changed, and how
// errors name places of it.
//
// [Split] cuts a cell into chunks, its declarations and statements. A [File] is a source
// file of the package that is checked, and knows which place of the cell each of its
// places comes from. An [Editor] changes a text and keeps that knowledge. What is wrong
// with a cell is an [*Error].
//
// # Two texts and the way back
//
// What the person wrote and what is compiled differ, for instance
//
//	x := 1             the source
//	Ħx = 1             the text that is generated
//
// but a message and a stack trace must name the place in the source. Two things see to this.
// Edits keep line breaks, so that a line of the result is the same line of the cell and //line
// is enough for the compiler. For columns, every step that changes text also returns a
// function from offsets in the result to offsets in what it was made from; File.Back is all of
// them in a row. Offsets are in bytes, as go/token has them.
//
// # Trees
//
// Text is parsed once, and its tree is never changed. Where a pass of the checker wants
// a tree to have imports, or functions to have no bodies, it takes a copy: see
// [WithImports], [WithoutBodies] and [WithUses].
package syntax
