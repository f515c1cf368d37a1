package build

import (
	"os"
	"path/filepath"
)

// UnitsBeforeCompiler is unitsBeforeCompiler.
const UnitsBeforeCompiler = unitsBeforeCompiler

// DropCompiler removes the changed compiler.
func (w *World) DropCompiler() { os.RemoveAll(filepath.Dir(w.compilerFile())) }

// Compiler returns the file name of the changed compiler, which may not be there.
func (w *World) Compiler() string { return w.compilerFile() }

// PruneTools removes old compilers and linkers below a cache folder.
func PruneTools(cache string) { (&World{cache: cache}).pruneTools() }
