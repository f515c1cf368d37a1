package session

import (
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/cell/parse"
)

// pageProgram makes a whole program of a cell: its declarations, and those of
// earlier cells that it needs, with its statements as main. The variables that
// the cell declares with var are the program's; those of other cells are zero
// in it.
//
// The cell is not checked, only parsed: what it imports need not be there for this
// machine. What its names mean is looked up in the notebook's model.
func (s *Session) pageProgram(name, text string, constants map[string]string) (string, error) {
	p := parse.Parse(parse.Source{Name: name, Text: text})
	if p.Err != nil {
		return "", p.Err
	}
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
	imports, blank := s.importsOf(p)
	earlier, packages := cell.Needed(s.nb.Scope(), slices.Sorted(maps.Keys(p.Free)), declared)
	for n, selected := range p.Free {
		if len(selected) == 0 || declared[n] || packages[n] != "" || s.nb.Scope().Lookup(n) != nil && imports[n] == "" {
			continue
		}
		path, ok := imports[n]
		if !ok {
			path, ok = s.nb.Scope().Imports()[n]
		}
		if !ok {
			path, ok = s.packages.Guess(n, selected)
		}
		if ok {
			packages[n] = path
		}
	}
	var out strings.Builder
	out.WriteString("package main\n\n")
	for _, n := range slices.Sorted(maps.Keys(packages)) {
		fmt.Fprintf(&out, "import %s %q\n", n, packages[n])
	}
	for _, path := range blank {
		fmt.Fprintf(&out, "import _ %q\n", path)
	}
	for _, n := range slices.Sorted(maps.Keys(constants)) {
		fmt.Fprintf(&out, "const %s = %q\n", n, constants[n])
	}
	// The cell's own text keeps its lines.
	decls, vars, stmts := p.Thirds()
	fmt.Fprintf(&out, "%s\n//line %s:1\n%s\n//line %s:1\n%s\nfunc main() {\n//line %s:1\n%s\n}\n", earlier, name, decls, name, vars, name, stmts)
	return out.String(), nil
}

// importsOf returns what a cell imports, name to path, and for its effects alone.
func (s *Session) importsOf(p *parse.Parsed) (imports map[string]string, blank []string) {
	imports = map[string]string{}
	for _, spec := range p.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		name := nameOf(path)
		if n := s.world.Name(path); n != "" {
			name = n
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == "_" {
			blank = append(blank, path)
		} else {
			imports[name] = path
		}
	}
	return imports, blank
}
