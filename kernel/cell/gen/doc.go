// Package gen writes the Go code of a cell that was checked.
//
// What is checked is one package, as if all cells were one, while every program is a
// package of its own that the others import. [Generate] takes what a check found out, a
// [check.Result], and writes its files so that they stand in the program's package: names of
// other programs with the package that holds them, fields that are not exported by
// functions which reach them, statements with what ends a cell when it is interrupted,
// fails or prints. It writes these by edits of the text, so that lines stay the cell's.
//
// This cell, as program 5,
//
//	n := len(os.Args)
//	for i := range n { fmt.Println(i) }
//	n
//
// becomes, but for blanks,
//
//	package c5
//
//	import fmt "fmt"
//	import os "os"
//	import ˣrt "github.com/holt-dl/holt/kernel/host/rt"
//
//	func ˣrun() {
//	//line cell[5]:1
//	Ħn = len(os.Args); ˣmark(1)
//	for i := range Ħn {if ˣstop != 0 { ˣrt.Check() }; fmt.Fprintln(ˣrt.Stdout, i) }
//	ˣrt.Result(Ħn)
//	}
//
// of which the check has made n := an assignment and put ˣmark and ˣresult in.
//
// Beside them it writes support.go: variables, what later programs need to reach what
// this one declares, and Run, which the host calls.
//
// A [Code] remembers what the generated code of later programs may use. It is one for
// each notebook, and changes with [Output.Commit], after a program was loaded, and with
// [Code.Restart], when the host process has ended.
//
// # Where to read
//
//	generate.go            what becomes which file
//	rewrite.go             one file: names, functions, hooks, the look at the stop flag
//	fields.go              fields, conversions and literals of other programs' types
//	top.go                 statements: errors that are dropped, the value of the last line
//	consts.go              constants that repeat the line above
//	anon.go                struct types without a name, which are one in all cells
//	waits.go, exits.go     waits that an interrupt ends; what ends a cell in place of the process
//	recover.go             calls of recover, which stay in their function
//	prints.go              what it prints goes to the cell whose goroutine prints
//	support.go             variables, hooks, accessors, aliases, Run
//	keep.go, old.go        what plugins need to be sound; values of types declared again
//	cgo.go, embed.go       C types of earlier programs; what the compiler fills
//	types.go               how other programs' types and names are written
//	rewriter.go            what the edits of a file share
//	generator.go, code.go  what is known on the way; what later programs may use
package gen
