package display_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples finds the exported names that no example uses, of this package
// and of display/plot, which draws what is only described here.
func TestExamples(t *testing.T) {
	fset := token.NewFileSet()
	used := map[string]bool{}
	var files []*ast.File
	for _, pattern := range []string{"*.go", "plot/*_test.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(path, "_test.go") {
				files = append(files, f)
				continue
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, "Example") {
					for _, part := range strings.Split(strings.TrimPrefix(fn.Name.Name, "Example"), "_") {
						used[part] = true
					}
					ast.Inspect(fn, func(n ast.Node) bool {
						if s, ok := n.(*ast.SelectorExpr); ok {
							used[s.Sel.Name] = true
						}
						return true
					})
				}
			}
		}
	}
	d, err := doc.NewFromFiles(fset, files, "github.com/holt-dl/holt/display")
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string) {
		if !used[name] {
			t.Errorf("no example uses %s", name)
		}
	}
	for _, f := range d.Funcs {
		check(f.Name)
	}
	for _, typ := range d.Types {
		check(typ.Name)
		for _, f := range typ.Funcs {
			check(f.Name)
		}
		for _, m := range typ.Methods {
			check(m.Name)
		}
	}
}
