package wasm

import (
	"context"
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
)

// Packages says what packages a program can mean. *modules.Packages is one; tests have others.
type Packages interface {
	// Guess names the package that a name means which nothing imports, given the
	// names that are selected from it.
	Guess(ctx context.Context, name string, selected []string) (path string, ok bool)
	// Name is the name of the package at a path.
	Name(path string) string
}

// Program makes a whole program of a cell: its declarations, and those of earlier cells that it
// needs, with its statements as main. The variables that the cell declares with var are the
// program's; those of other cells are zero in it.
//
// The cell is not checked, only parsed: what it imports need not be there for this machine.
// What its names mean is looked up in the notebook's model. The constants are declared in the
// program beside the cell's own.
//
// An example, where an earlier cell declared area and its type point, and strings is imported
// by none:
//
//	var side = 2.0
//	fmt.Println(strings.Repeat("-", 9), area(point{side, side}))
//
// becomes, blank lines aside,
//
//	package main
//
//	import fmt "fmt"
//	import strings "strings"
//
//	type point struct{ x, y float64 }
//
//	func area(p point) float64 { return p.x * p.y }
//
//	//line cell[7]:1
//	var side = 2.0
//	func main() {
//	//line cell[7]:1
//
//	fmt.Println(strings.Repeat("-", 9), area(point{side, side}))
//	}
//
// The error is the parser's, a *syntax.Error. Errors of types come from the compiler.
func Program(ctx context.Context, m *scope.Model, packages Packages, src parse.Source, constants map[string]string) (string, error) {
	p := parse.Parse(src)
	if p.Err != nil {
		return "", p.Err
	}
	// What the cell declares itself is not taken from earlier cells. Methods count as
	// Type.Method: the cell may redefine one of an earlier type.
	declared := map[string]bool{"main": true}
	for _, d := range p.Declares() {
		switch {
		case d.Recv != "":
			declared[d.Recv+"."+d.Name.Name] = true
		case d.Tok != token.DEFINE: // x := is a variable of main
			declared[d.Name.Name] = true
		}
	}
	for n := range constants {
		declared[n] = true
	}
	// What earlier cells must give: their declarations as text, and the packages that those
	// name.
	imports, whole := importsOf(p, packages)
	earlier, needed := cell.Needed(m, slices.Sorted(maps.Keys(p.Free)), declared)
	// A name that is selected from, and that nothing declares, is a package: of an import of
	// the cell, of the notebook, or a guess by what is selected. An import that is not used
	// would not compile, so only names that occur get one.
	for n, selected := range p.Free {
		if len(selected) == 0 || declared[n] || needed[n] != "" || m.Lookup(n) != nil && imports[n] == "" {
			continue
		}
		path, ok := imports[n]
		if !ok {
			path, ok = m.Imports()[n]
		}
		if !ok {
			path, ok = packages.Guess(ctx, n, selected)
		}
		if ok {
			needed[n] = path
		}
	}
	var out strings.Builder
	out.WriteString("package main\n\n")
	// In order, so that the same cell gives the same program, which the build cache knows.
	for _, n := range slices.Sorted(maps.Keys(needed)) {
		fmt.Fprintf(&out, "import %s %q\n", n, needed[n])
	}
	out.WriteString(whole)
	for _, n := range slices.Sorted(maps.Keys(constants)) {
		fmt.Fprintf(&out, "const %s = %q\n", n, constants[n])
	}
	// The cell's own text keeps its lines.
	decls, vars, stmts := p.Thirds()
	fmt.Fprintf(&out, "%s\n//line %s:1\n%s\n//line %s:1\n%s\nfunc main() {\n//line %s:1\n%s\n}\n", earlier, src.Name, decls, src.Name, vars, src.Name, stmts)
	return out.String(), nil
}

// importsOf returns what a cell imports, name to path, and as a text the imports that have no name
// to look for: import _ and import . of a path.
func importsOf(p *parse.Parsed, packages Packages) (imports map[string]string, whole string) {
	imports = map[string]string{}
	for _, spec := range p.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		name := packages.Name(path)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "_" || name == "." {
			whole += fmt.Sprintf("import %s %q\n", name, path)
		} else {
			imports[name] = path
		}
	}
	return imports, whole
}
