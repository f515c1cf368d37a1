// Package build turns the text of a cell into a Go plugin.
//
// A [World] is everything that cells are compiled against: one archive per
// package, made once by "go list -export", and the host program, linked from
// the same archives. Cells call the compiler and the linker directly, without
// "go build" between, which halves the time; and because host and cells share
// the very same archives, a plugin cannot be refused for a "different version
// of package". [World.Ahead] starts both for the next cell, while nothing waits for
// them.
//
// # Rules
//
// Each prevents a fault that would be silent or fatal:
//
//   - What the host holds is compiled as for a program, and -dynlink is for what
//     only plugins hold. A program linked from archives made with -dynlink corrupts
//     its heap when reflect makes functions.
//   - What plugins hold is compiled with -d=wrapglobalmapctl=1, or map literals of
//     variables that the first plugin does not use stay empty in later ones.
//   - Every execution has a package path, plugin path and file name of its
//     own, or old variables are used by new code.
//   - A plugin's package is compiled with -p equal to -pluginpath.
//   - The path of a known package never gets another archive while a host
//     runs; where it must, [Change.NewHost] says so.
package build
