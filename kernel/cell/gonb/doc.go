// Package gonb is GoNB's dialect: lines of a cell that begin with % or !.
//
// [Split] takes them out of a cell. [Run] carries them out on a [Notebook],
// before the Go code of the cell as GoNB does
// (https://github.com/janpfeifer/gonb), and returns a [Plan]: what they ask for
// that code. [Magic] is for cells that are not Go at all, such as %%bash.
//
// The commands are a table, of which each subject has a part: cells.go,
// state.go, modules.go, tensorboard.go, page.go. [Help] and [Complete] are made from it.
package gonb
