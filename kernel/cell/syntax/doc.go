// Package syntax is the text of cells: how it is cut apart, how it is changed, and how
// errors name places of it.
//
// [Split] cuts a cell into chunks, its declarations and statements. A [File] is a source
// file of the package that is checked, and knows which place of the cell each of its
// places comes from. An [Editor] changes a text and keeps that knowledge. What is wrong
// with a cell is an [*Error].
//
// Text is parsed once, and its tree is never changed. Where a pass of the checker wants
// a tree to have imports, or functions to have no bodies, it takes a copy: see
// [WithImports], [WithoutBodies] and [WithUses].
package syntax
