package build

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// UnitsBeforeCompiler is unitsBeforeCompiler.
const UnitsBeforeCompiler = unitsBeforeCompiler

// DropCompiler removes the changed compiler.
func (w *World) DropCompiler() { os.RemoveAll(filepath.Dir(w.compilerFile())) }

// Compiler returns the file name of the changed compiler, which may not be there.
func (w *World) Compiler() string { return w.compilerFile() }

// Recent returns what the last units named, for the one that was started last.
func (w *World) Recent() string {
	w.next.recent.add(w, w.next.built)
	return w.next.recent.list()
}

// Forget makes the next compiler read nothing ahead.
func (w *World) Forget() { w.Remember("") }

// Remember makes the next compiler read names, a line each, and nothing else.
func (w *World) Remember(names string) {
	w.next.mu.Lock()
	defer w.next.mu.Unlock()
	w.next.built, w.next.recent.names = nil, nil
	for line := range strings.Lines(names) {
		path, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		w.next.recent.names = append(w.next.recent.names, recentName{path: path, name: name, unit: 1 << 30})
	}
}

// RunTool runs a tool as World.Ahead does, until its file is complete.
func RunTool(cmd *exec.Cmd) (said string, err error) {
	p := &toolProcess{cmd: cmd}
	if err := p.start(); err != nil {
		return "", err
	}
	return p.wait()
}

// CompleteLine is completeLine.
const CompleteLine = completeLine

// RemoveWorld removes a world's folder, unless a kernel uses it or builds in it.
var RemoveWorld = remove

// PruneTools removes old compilers and linkers below a cache folder.
func PruneTools(cache string) { (&World{cache: cache}).pruneTools() }
