package build

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// localVersion is what a module is required at that is replaced by a folder.
//
// It is the one that the go command writes. No release has it, so a requirement of it is
// recognised as one of a folder.
const localVersion = "v0.0.0-00010101000000-000000000000"

// workspace holds the modules beside a notebook: the modules of a go.work, or the
// one of a go.mod, in its folder or above.
//
// Unlike the go command's, it is not what is built: what its modules say is carried over into
// the go.mod of a world ([workspace.apply]), as far as a cell's imports need it.
type workspace struct {
	file    string                     // the go.work or go.mod
	folders map[string]string          // module → absolute folder
	require map[string]string          // module → the highest version required
	replace map[module.Version]replace // of those files
	sum     []byte                     // their go.sum texts
	vendor  map[string]vendored        // modules in a folder vendor, by path
}

// newWorkspace returns a workspace without modules.
func newWorkspace(file string) *workspace {
	return &workspace{file: file, folders: map[string]string{}, require: map[string]string{}, replace: map[module.Version]replace{}, vendor: map[string]vendored{}}
}

// replace is what a replace directive names on its right. Version is empty for a folder.
type replace struct{ path, version string } // an absolute folder, or a module

// findWorkspace looks for a workspace from dir upwards; nil when there is
// none. GOWORK names a go.work file, or is "off", as for the go command.
//
// The go.work counts before a go.mod that is nearer, as for the go command. It is read anew
// by each call, since a person edits it while the kernel runs.
func findWorkspace(dir string) (*workspace, error) {
	work := os.Getenv("GOWORK")
	if work == "" {
		work = above(dir, "go.work")
	}
	if work != "" && work != "off" {
		return readWork(work)
	}
	mod := above(dir, "go.mod")
	if mod == "" {
		return nil, nil
	}
	ws := newWorkspace(mod)
	f, err := ws.readMod(filepath.Dir(mod))
	if err != nil {
		return ws, err
	}
	return ws, ws.readVendor(filepath.Dir(mod), goLine(f.Go), f.Require)
}

// InModule reports whether go commands in a folder have a go.mod or go.work
// there or above to work on.
//
// It does not look at GOWORK.
func InModule(dir string) bool { return above(dir, "go.mod") != "" || above(dir, "go.work") != "" }

// above finds a file in dir or the nearest folder above.
//
// It is empty where there is none up to the root.
func above(dir, name string) string {
	for {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// readWork reads a go.work and the modules that it uses.
func readWork(file string) (*workspace, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("build: the notebook's workspace: %w", err)
	}
	f, err := modfile.ParseWork(file, text, nil)
	if err != nil {
		return nil, fmt.Errorf("build: the notebook's workspace: %w", err)
	}
	ws := newWorkspace(file)
	var require []*modfile.Require
	for _, u := range f.Use {
		m, err := ws.readMod(absolute(filepath.Dir(file), u.Path))
		if err != nil {
			return nil, err
		}
		require = append(require, m.Require...)
	}
	// What the modules require of each other, or at several versions, the go command
	// has settled when it wrote the folder vendor.
	require = slices.DeleteFunc(require, func(r *modfile.Require) bool {
		return ws.folders[r.Mod.Path] != "" || ws.require[r.Mod.Path] != r.Mod.Version
	})
	ws.addReplaces(filepath.Dir(file), f.Replace) // over those of the modules
	if err := ws.readVendor(filepath.Dir(file), goLine(f.Go), require); err != nil {
		return nil, err
	}
	return ws, ws.readSum(file + ".sum")
}

// goLine returns the version of a go line, and "" where there is none.
func goLine(g *modfile.Go) string {
	if g == nil {
		return ""
	}
	return g.Version
}

// readMod adds the module in a folder, and returns its go.mod.
//
// Where several modules require one, the highest version counts, as in Go's minimal version
// selection.
func (ws *workspace) readMod(dir string) (*modfile.File, error) {
	file := filepath.Join(dir, "go.mod")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("build: the notebook's workspace: %w", err)
	}
	f, err := modfile.Parse(file, text, nil)
	if err != nil {
		return nil, fmt.Errorf("build: the notebook's workspace: %w", err)
	}
	if f.Module == nil {
		return nil, fmt.Errorf("build: the notebook's workspace: %s names no module; write module NAME", file)
	}
	ws.folders[f.Module.Mod.Path] = dir
	for _, r := range f.Require {
		if old := ws.require[r.Mod.Path]; old == "" || semver.Compare(old, r.Mod.Version) < 0 {
			ws.require[r.Mod.Path] = r.Mod.Version
		}
	}
	ws.addReplaces(dir, f.Replace)
	return f, ws.readSum(filepath.Join(dir, "go.sum"))
}

// addReplaces adds replace directives of a file in dir, over those that are there.
func (ws *workspace) addReplaces(dir string, list []*modfile.Replace) {
	for _, r := range list {
		to := replace{r.New.Path, r.New.Version}
		if to.version == "" {
			to.path = absolute(dir, to.path)
		}
		ws.replace[r.Old] = to
	}
}

// readSum adds the lines of a go.sum or go.work.sum, which need not be there.
func (ws *workspace) readSum(file string) error {
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("build: the notebook's workspace: %w", err)
	}
	ws.sum = append(ws.sum, text...)
	return nil
}

// absolute returns a path as seen from dir.
func absolute(dir, path string) string {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return filepath.Clean(path)
}

// moduleOf returns the module of the list whose packages include path: the one
// with the longest name.
//
// It is empty where there is none. "example.org/a" includes example.org/a/b and not
// example.org/ab.
func moduleOf[V any](modules map[string]V, path string) string {
	best := ""
	for m := range modules {
		if (path == m || strings.HasPrefix(path, m+"/")) && len(m) > len(best) {
			best = m
		}
	}
	return best
}

// SetDir tells the world in which folder the notebook is: cells can import the
// modules of a go.work or go.mod there or above, and other packages come at
// the versions that those require.
//
// The next call of [World.Add] looks there.
func (w *World) SetDir(dir string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notebook = dir
}

// IsLocal reports whether a package is of a folder beside the notebook, where
// it may have changed since it was compiled.
func (w *World) IsLocal(path string) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	p := w.known[path]
	return p != nil && p.Local
}

// folder returns what SetDir was told, and "" before.
func (w *World) folder() string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.notebook
}

// workspace returns the modules beside the notebook; nil when there are none.
func (w *World) workspace() (*workspace, error) {
	dir := w.folder()
	if dir == "" {
		return nil, nil
	}
	return findWorkspace(dir)
}

// has reports whether a package is of one of the workspace's folders.
func (ws *workspace) has(path string) bool { return ws != nil && moduleOf(ws.folders, path) != "" }

// apply changes the go.mod at mod so that the modules of the workspace
// which the paths need are there, at its versions. Cache is the folder for copies
// of those that are vendored.
//
// For a notebook beside
//
//	module example.org/a
//
//	require gopkg.in/yaml.v3 v3.0.1
//
// a cell that imports example.org/a/b adds to the world's go.mod
//
//	require example.org/a v0.0.0-00010101000000-000000000000
//	replace example.org/a => DIR
//
// and one that imports yaml a requirement of v3.0.1, not of the newest. What the world
// requires already stays as it is: cells were compiled with it.
func (ws *workspace) apply(mod, cache string, paths []string) error {
	text, err := os.ReadFile(mod)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	f, err := modfile.Parse(mod, text, nil)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	have := map[string]bool{f.Module.Mod.Path: true}
	for _, r := range f.Require {
		have[r.Mod.Path] = true
	}
	delete(ws.folders, f.Module.Mod.Path) // a notebook in Holt's own checkout
	// Each path adds what it is of: a folder, a module in a folder vendor, or one that is
	// required at a version.
	changed, local := false, false
	for _, path := range paths {
		if m := moduleOf(ws.folders, path); m != "" {
			local = true
			if !have[m] {
				have[m], changed = true, true
				f.AddNewRequire(m, localVersion, false)
			}
		} else if moduleOf(ws.vendor, path) != "" {
			local = true
		} else if m := moduleOf(ws.require, path); m != "" && !have[m] && moduleOf(have, path) == "" {
			have[m], changed = true, true
			f.AddNewRequire(m, ws.require[m], false)
		}
	}
	if !changed && !local {
		return nil
	}
	// The modules of a workspace may need each other. Where Holt's own go.mod
	// says something of a module, that stays: the host was built with it.
	own := map[string]bool{}
	for _, r := range f.Replace {
		own[r.Old.Path] = true
	}
	// Vendored modules, from copies.
	copies, err := ws.mirror(cache)
	if err != nil {
		return err
	}
	for _, m := range slices.Sorted(maps.Keys(copies)) {
		if !have[m] {
			own[m] = true
			f.AddNewRequire(m, ws.vendor[m].version, true)
			f.AddReplace(m, "", copies[m], "")
		}
	}
	// The folders of the workspace, all of them: a replacement that is not needed has no
	// effect.
	for _, m := range slices.Sorted(maps.Keys(ws.folders)) {
		if !own[m] {
			own[m] = true
			f.AddReplace(m, "", ws.folders[m], "")
		}
	}
	// Then what the files of the workspace replace. A module that the world requires and the
	// workspace does not keeps what it is.
	olds := slices.Collect(maps.Keys(ws.replace))
	module.Sort(olds)
	for _, old := range olds {
		to := ws.replace[old]
		if !own[old.Path] && (!have[old.Path] || ws.require[old.Path] != "") {
			f.AddReplace(old.Path, old.Version, to.path, to.version)
		}
	}
	f.Cleanup()
	f.SortBlocks()
	if text, err = f.Format(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	sum := strings.TrimSuffix(mod, ".mod") + ".sum"
	sums, err := os.ReadFile(sum)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("build: %w", err)
	}
	return writeModuleFiles(filepath.Dir(mod), text, mergeLines(sums, ws.sum))
}

// mergeLines returns the lines of a and those of b that a lacks.
//
// It is for go.sum, whose order has no meaning.
func mergeLines(a, b []byte) []byte {
	out := slices.Clone(a)
	have := map[string]bool{}
	for line := range bytes.Lines(a) {
		have[string(bytes.TrimSpace(line))] = true
	}
	for line := range bytes.Lines(b) {
		if text := string(bytes.TrimSpace(line)); text != "" && !have[text] {
			have[text] = true
			out = append(out, text+"\n"...)
		}
	}
	return out
}
