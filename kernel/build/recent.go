package build

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// What the last units named of packages that the host holds is what the next one will
// likely name. A name is forgotten when keepUnits units came without it; there are at
// most keepNames.
//
// More names would cost the waiting compiler memory and time; it stops anyway when the
// sources come, so those that are likely come first.
const (
	keepUnits = 20
	keepNames = 60
)

// recent holds the names that units of late have used.
//
// Its zero value has none. Its methods may be called by several goroutines.
type recent struct {
	mu sync.Mutex
	// units counts the units that were added, and is the age of names.
	units int
	names []recentName // the last one that was used comes first
}

// recentName is a package that a unit imported, or an exported name that it used of one.
type recentName struct {
	path, name string // name is empty for the package itself
	unit       int    // the last that used it
}

// add takes the names of a unit's files. Files that do not parse have none.
//
// A unit that did not compile counts too: it is likely corrected and run again.
func (r *recent) add(w *World, files []File) {
	var used []recentName
	for _, f := range files {
		for _, n := range namesOf(w, f.Text) {
			if !slices.Contains(used, n) {
				used = append(used, n)
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.units++
	old := r.names
	for i := range used {
		used[i].unit = r.units
	}
	// Then the others, in the order that they had. The least likely are cut off.
	for _, n := range old {
		again := slices.ContainsFunc(used, func(u recentName) bool { return u.path == n.path && u.name == n.name })
		if !again && n.unit > r.units-keepUnits {
			used = append(used, n)
		}
	}
	r.names = used[:min(len(used), keepNames)]
}

// list returns the names as the changed compiler wants them in aheadVar.
func (r *recent) list() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, n := range r.names {
		b.WriteString(n.path + ":" + n.name + "\n")
	}
	return b.String()
}

// namesOf returns the packages of the host that a file imports and what it names of
// them.
//
// For
//
//	import text "fmt"
//
//	var s = text.Sprint(2)
//
// they are fmt and its Sprint. It goes by the text alone, without types: a variable that has
// the name of an import gives names that may not exist, which the compiler passes over.
func namesOf(w *World, text []byte) (list []recentName) {
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	paths := map[string]string{}
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		// Names of other packages are not read ahead: what reading adds to the code to
		// generate is dropped when the cell does not reach it, and the host has it all.
		if err != nil || !w.InHost(path) {
			continue
		}
		name := w.Name(path)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		paths[name] = path
		list = append(list, recentName{path: path})
	}
	if len(paths) == 0 {
		return nil
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if x, ok := n.(*ast.SelectorExpr); ok {
			if pkg, ok := x.X.(*ast.Ident); ok && paths[pkg.Name] != "" && x.Sel.IsExported() {
				list = append(list, recentName{path: paths[pkg.Name], name: x.Sel.Name})
			}
		}
		return true
	})
	return list
}
