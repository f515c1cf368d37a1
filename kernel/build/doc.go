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
// # From a cell to a plugin
//
// What package cell has made of a cell comes as a [Unit]: Go files of one package, with a path
// that no other unit has. [World.Build] turns it into a shared object:
//
//	notebook/c5: f0.go, support.go
//	    + holt_entry.go     says which function runs the cell (link.go)
//	    → cell.a            the compiler, with an importcfg that names all archives (compile.go)
//	    → c5.so, cell.syms  the changed linker, bound to host.syms (link.go, bind.go)
//	    or c5.so            Go's own linker, with copies of all packages (copies.go)
//
// all in a folder of its own. The archive stays for later units that import this one; the rest
// goes when the plugin is loaded ([World.Tidy]).
//
// # A world on disk
//
// A world follows from its go.mod, its go.sum, Holt's sources and the Go in use. The hash of
// these is the name of its folder ([World.worldDir]), so kernels with the same have one, and one
// that is there is never changed into another: [World.Add] goes over to another folder instead.
//
//	CACHE/
//	    src/HASH/               Holt's sources, from which the host is built
//	    worlds/HASH/            go.mod, go.sum, packages.json, host, host.syms, link, extld
//	    worlds/HASH.lock        held while a kernel builds in it
//	    worlds/HASH/use.lock    held shared by each kernel that uses it
//	    pkg/                    archives, under the names that they have in GOCACHE
//	    compiler/, linker/      Go's, changed, each in a folder of its own
//	    vendored/               copies of modules of notebooks' vendor folders
//
// # Locks
//
// Adds is taken first and held longest: go.mod and the host change under it alone. The lock file
// of the folder keeps other kernels out, and is held while archives are compiled and the record
// is written. Mu is taken last, and for moments only: no command runs while it is held.
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
