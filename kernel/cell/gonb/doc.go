// Package gonb is GoNB's dialect: lines of a cell that begin with % or !.
//
// [Split] takes them out of a cell. [Run] carries them out on a [Notebook],
// before the Go code of the cell as GoNB does
// (https://github.com/janpfeifer/gonb), and returns a [Plan]: what they ask for
// that code. [Magic] is for cells that are not Go at all, such as %%bash.
//
// What happens to a cell, for
//
//	%env LR=0.1
//	!nvidia-smi
//	%exec train -epochs=3
//	func train() { … }
//
// Split gives three commands and the Go text, which has blank lines in the place of the
// commands, so that messages name the lines that the person sees. Run sets the variable, runs
// the program, and puts into the plan that train is to be called with the arguments.
// [Plan.Code] adds the call to the Go text. The session checks and runs that.
//
// The commands are a table, of which each subject has a part: cells.go,
// state.go, modules.go, tensorboard.go, page.go. [Help] and [Complete] are made from it.
package gonb
