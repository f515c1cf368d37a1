// Package linker makes Go's linker link a plugin against what the process
// that will load it has already.
//
// The stock linker puts a copy of everything that a plugin reaches into the
// plugin, the runtime included. The dynamic linker then binds nearly all of it
// to the copies that came first, the host's. The copies cost time with every
// link, and memory with every plugin. Here the host keeps every symbol of its
// packages and writes a list of them; a plugin holds the code of its cell and of
// packages that came with none before it, and what a list has is an import. A plugin
// writes a list too, for those after it. That is how -buildmode=shared and -linkshared work, which
// Go's linker has for shared libraries but not for plugins or programs, and whose
// way to learn the symbols, reading the library's, takes longer than all the
// rest.
//
// With -holt-wait, a linker that was started before there is anything to link stops
// when it has read what it can, and goes on when its standard input says so.
//
// The linker is built on the user's machine, from the sources in GOROOT, with
// the few lines of [edits] changed and the files ld.go.txt, loader.go.txt and
// those of package shared added, both by "go build -overlay": nothing is written to
// GOROOT. Where the sources are absent, or are not the ones that the
// edits know, [Build] returns an error and cells are linked by the stock linker.
//
// Go's sources are under Go's BSD-style licence (GOROOT/LICENSE). This package
// holds of them only the lines that its edits look for.
package linker
