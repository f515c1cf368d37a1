package session

import (
	"errors"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/cell/check"
)

// Packages returns the packages of a world as a [cell.Notebook] reads them,
// for a tool that checks cells and runs none. After an error of the front end
// for which [ModulesChanged] is true, begin again with a new notebook and new packages.
func Packages(w *build.World) check.Packages { return newPackages(w) }

// ModulesChanged reports whether err came because a cell imports what changes
// the versions of modules that earlier cells were checked against.
func ModulesChanged(err error) bool { return errors.Is(err, errNewHost) }
