// Package modules knows which modules and packages cells can import.
//
// [Packages] are those of a [build.World], as the check of a cell reads them: exported APIs
// from the archives that the host was linked with, and the package that a name means which no
// cell imports. [Modules] is the notebook's own go.mod, with which !*go get and other commands
// change what the world has.
//
// # Two files of requirements
//
// The world has a go.mod of its own: the requirements of Holt, with which the host was built,
// and what imports of cells have added. The notebook's go.mod begins empty. The two meet twice:
//
//	Note    before a command      the world's additions are written into the notebook's
//	Adopt   after the command     the notebook's requirements are taken over by the world
//
// So a person sees, in the folder of the notebook's go.mod, a module as any other, and the
// world keeps the versions that the host needs.
//
// # When the host must go
//
// Cells are compiled against the archives from which the host was linked, and Go refuses a
// plugin that was built with others. A requirement that raises the version of a module that the
// host holds therefore means another host: [Packages.Add] says so by [ErrNewHost], and
// [Modules.Adopt] by its result. A module that is new to the host changes nothing that is
// there: its packages come with the first cell that imports them.
package modules
