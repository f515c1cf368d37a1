// Package modules knows which modules and packages cells can import.
//
// [Packages] are those of a [build.World], as the check of a cell reads them: exported
// APIs from the archives that the host was linked with, and the package that a name means
// which no cell imports. [Modules] is the notebook's own go.mod, with which !*go get and
// other commands change what the world has.
package modules
