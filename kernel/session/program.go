package session

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/cell"
)

// pageProgram makes a whole program of a cell: its declarations, and those of
// earlier cells that it needs, with its statements as main. The variables that
// the cell declares with var are the program's; those of other cells are zero
// in it.
func (s *Session) pageProgram(name, text string, constants map[string]string) (string, error) {
	fset := token.NewFileSet()
	decls, vars, stmts, err := parts(name, text)
	if err != nil {
		return "", err
	}
	mine := "package main\n//line " + name + ":1\n" + decls
	own, err := parser.ParseFile(fset, "", mine, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return "", diagnostics(err)
	}
	body := fmt.Sprintf("package main\n//line %s:1\n%s\nfunc main() {\n//line %s:1\n%s\n}\n", name, vars, name, stmts)
	main, err := parser.ParseFile(fset, "", body, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return "", diagnostics(err)
	}
	earlier, err := parser.ParseFile(fset, "", s.nb.Source(), parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}

	declared := map[string]bool{"main": true}
	for _, f := range []*ast.File{own, main} {
		for _, d := range f.Decls {
			for _, n := range declares(d) {
				declared[n] = true
			}
		}
	}
	for n := range constants {
		declared[n] = true
	}
	used := map[string]map[string]bool{} // name → what is selected from it
	uses(own, used)
	uses(main, used)
	needed := reach(earlier, declared, used)

	imports := map[string]string{} // name → path
	blank := map[string]bool{}
	for _, f := range []*ast.File{earlier, own} {
		for _, spec := range f.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			local := nameOf(path)
			if n := s.world.Name(path); n != "" {
				local = n
			}
			if spec.Name != nil {
				local = spec.Name.Name
			}
			if local == "_" && f == own {
				blank[path] = true
			} else if local != "_" {
				imports[local] = path
			}
		}
	}
	var out strings.Builder
	out.WriteString("package main\n\n")
	for _, n := range slices.Sorted(maps.Keys(used)) {
		if len(used[n]) == 0 || declared[n] {
			continue
		}
		path, ok := imports[n]
		if !ok {
			path, ok = s.packages.Guess(n, slices.Sorted(maps.Keys(used[n])))
		}
		if ok {
			fmt.Fprintf(&out, "import %s %q\n", n, path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(blank)) {
		fmt.Fprintf(&out, "import _ %q\n", path)
	}
	for _, n := range slices.Sorted(maps.Keys(constants)) {
		fmt.Fprintf(&out, "const %s = %q\n", n, constants[n])
	}
	for _, d := range needed {
		if err := printer.Fprint(&out, fset, d); err != nil {
			return "", err
		}
		out.WriteString("\n")
	}
	// The cell's own text keeps its lines; its imports are above.
	fmt.Fprintf(&out, "//line %s:1\n%s\n", name, withoutImports(fset, own, mine))
	out.WriteString(strings.TrimPrefix(body, "package main\n"))
	return out.String(), nil
}

// parts takes the variables that a cell declares with var out of its statements.
func parts(name, text string) (decls, vars, stmts string, err error) {
	decls, stmts = cell.Halves(text)
	const head = "package p; func _() {\n"
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, head+stmts+"\n}", parser.SkipObjectResolution)
	if err != nil {
		// Again, so that the places are those of the cell.
		_, err = parser.ParseFile(token.NewFileSet(), name, "package p; func _() {\n//line "+name+":1\n"+stmts+"\n}", parser.SkipObjectResolution)
		return "", "", "", diagnostics(err)
	}
	v, st := []byte(blanked(stmts)), []byte(stmts)
	for _, s := range f.Decls[0].(*ast.FuncDecl).Body.List {
		if d, ok := s.(*ast.DeclStmt); ok && d.Decl.(*ast.GenDecl).Tok == token.VAR {
			from, to := fset.Position(d.Pos()).Offset-len(head), fset.Position(d.End()).Offset-len(head)
			copy(v[from:to], stmts[from:to])
			copy(st[from:to], blanked(stmts[from:to]))
			if to < len(stmts) && stmts[to] == ';' {
				v[to], st[to] = ';', ' '
			}
		}
	}
	return decls, string(v), string(st), nil
}

// blanked is text with every byte but its line breaks blank.
func blanked(text string) string {
	b := []byte(text)
	for i := range b {
		if b[i] != '\n' {
			b[i] = ' '
		}
	}
	return string(b)
}

// withoutImports returns the text of a parsed file behind its first two lines,
// with imports blank.
func withoutImports(fset *token.FileSet, f *ast.File, text string) string {
	b := []byte(text)
	start := fset.File(f.Pos()).Base()
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			for i := int(g.Pos()) - start; i < int(g.End())-start; i++ {
				if b[i] != '\n' {
					b[i] = ' '
				}
			}
		}
	}
	_, rest, _ := strings.Cut(string(b), "\n")
	_, rest, _ = strings.Cut(rest, "\n")
	return rest
}

// declares returns the names that a declaration makes at package level.
func declares(d ast.Decl) []string {
	var names []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			names = append(names, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, spec.Name.Name)
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					names = append(names, n.Name)
				}
			}
		}
	}
	return names
}

// uses adds the identifiers below a node, each with what is selected from it.
func uses(n ast.Node, used map[string]map[string]bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Ident:
			if used[n.Name] == nil {
				used[n.Name] = map[string]bool{}
			}
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok {
				if used[id.Name] == nil {
					used[id.Name] = map[string]bool{}
				}
				used[id.Name][n.Sel.Name] = true
			}
		}
		return true
	})
}

// reach returns the declarations of earlier cells that a program needs,
// directly or not, and adds what they use.
func reach(earlier *ast.File, declared map[string]bool, used map[string]map[string]bool) []ast.Decl {
	taken := map[ast.Decl]bool{}
	for more := true; more; {
		more = false
		for _, d := range earlier.Decls {
			if taken[d] || !wanted(d, declared, used) {
				continue
			}
			taken[d], more = true, true
			uses(d, used)
		}
	}
	var list []ast.Decl
	for _, d := range earlier.Decls {
		if taken[d] {
			for _, n := range declares(d) {
				declared[n] = true
			}
			list = append(list, d)
		}
	}
	return list
}

// wanted reports whether a program uses what a declaration of an earlier cell
// declares; of a method, its receiver's type.
func wanted(d ast.Decl, declared map[string]bool, used map[string]map[string]bool) bool {
	names := declares(d)
	if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv != nil {
		typ := fn.Recv.List[0].Type
		if star, ok := typ.(*ast.StarExpr); ok {
			typ = star.X
		}
		switch t := typ.(type) {
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		}
		if id, ok := typ.(*ast.Ident); ok {
			names = []string{id.Name}
		}
	}
	return slices.ContainsFunc(names, func(n string) bool { return !declared[n] && used[n] != nil })
}

// diagnostics gives a syntax error the form of the compiler's.
func diagnostics(err error) error {
	if list := build.Diagnostics(err.Error()); len(list) > 0 {
		return &build.CompileError{Diagnostics: list}
	}
	return err
}
