// Package gonb is GoNB's dialect: lines of a cell that begin with % or !.
//
// [Split] takes them out of a cell, and [Run] carries them out on a
// [Notebook]. They run before the Go code of the cell, as in GoNB
// (https://github.com/janpfeifer/gonb).
package gonb
