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
const (
	keepUnits = 20
	keepNames = 60
)

// recent holds the names that units of late have used.
type recent struct {
	mu    sync.Mutex
	units int
	names []recentName // the last one that was used comes first
}

type recentName struct {
	path, name string // name is empty for the package itself
	unit       int    // the last that used it
}

// add takes the names of a unit's files. Files that do not parse have none.
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
func namesOf(w *World, text []byte) (list []recentName) {
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	paths := map[string]string{}
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
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
