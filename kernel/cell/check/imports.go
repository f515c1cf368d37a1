package check

import (
	"go/ast"
	"go/types"
	"maps"
	"sort"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// A cell need not import what it uses, and two cells may mean two packages by one name. So
// each file of the checked package imports what its own names mean, and nothing else.
//
// A name before a dot means, in this order: what the text itself declares, an import of the
// cell, a declaration of the notebook, a live import, or the package that is guessed from the
// name and from what is selected. What was guessed is an import from then on, as if a cell
// had said it.

// resolveImports makes the packages that the cell imports known, and finds what those are
// called that it imports without a name. It may take long: a package may have to be fetched
// and compiled. Its error wraps [ErrAgain] where that changed packages of earlier cells.
func (c *checker) resolveImports() error {
	var need []string
	for name := range c.Imported {
		need = append(need, c.Imports[name])
	}
	need = append(need, c.Blank...)
	need = append(need, sortedKeys(c.Dots)...)
	// Live dot imports are among them: whether a file needs one is looked up in the package.
	sort.Strings(need)
	if len(need) > 0 {
		if err := c.Packages.Add(c.ctx, need); err != nil {
			return c.importError(err)
		}
	}
	// The name of an import without one is known only now.
	for name, path := range maps.Clone(c.Imports) { // a clone: the map changes on the way
		if !strings.HasPrefix(name, "?") {
			continue
		}
		delete(c.Imports, name)
		p, err := c.Packages.Import(path)
		if err != nil {
			return c.importError(err)
		}
		c.Imports[p.Name()] = path
		delete(c.Imported, name)
		c.Imported[p.Name()] = true
	}
	return nil
}

// guessImports finds the packages that the cell names without importing them. What
// resolveImports says of time and errors holds here too.
func (c *checker) guessImports() error {
	// A name before a dot that nothing declares is a package that the person did not import.
	// What is selected from it tells packages of one name apart, such as math/rand and
	// crypto/rand.
	bases := map[string][]string{}
	for _, f := range []struct {
		parse func() (*syntax.File, error)
		stmts bool
	}{
		{c.Cell.Decls, false}, {c.Cell.Body, true},
	} {
		parsed, err := f.parse()
		if err != nil {
			return err
		}
		for name, sels := range selectorBases(parsed.AST) {
			if f.stmts || !c.Cell.Defines(name) { // time := time.Now() defines it after its use
				bases[name] = append(bases[name], sels...)
			}
		}
	}
	var guessed []string
	// What means something already is no package to be guessed, and Go's own names are none.
	for _, name := range sortedKeys(bases) {
		if c.Imports[name] != "" || c.Scope.Lookup(name) != nil || c.OwnNames[name] || types.Universe.Lookup(name) != nil {
			continue
		}
		if path, ok := c.Packages.Guess(c.ctx, name, bases[name]); ok {
			c.Imports[name] = path
			guessed = append(guessed, path)
		}
	}
	if len(guessed) > 0 {
		if err := c.Packages.Add(c.ctx, guessed); err != nil {
			return c.importError(err)
		}
	}
	return nil
}

// addImport records an import declaration of the cell. An import without a name goes by
// "?" and its path until the package has been loaded: its name is in the package clause, as
// in math/rand/v2, whose name is rand.
func (c *checker) addImport(f *syntax.File, s *ast.ImportSpec) error {
	path, err := strconv.Unquote(s.Path.Value)
	if err != nil || path == "" {
		return &syntax.Error{Diagnostics: []syntax.Diagnostic{f.Diagnose(s.Pos(), "import path "+s.Path.Value+" is not a string")}}
	}
	if path == "C" {
		return c.addC(f, s)
	}
	name := "?" + path
	if s.Name != nil {
		name = s.Name.Name
	}
	switch name {
	case "_":
		c.Blank = append(c.Blank, path)
		return nil
	case ".":
		c.Dots[path] = true
		return nil
	}
	c.Imports[name] = path
	c.Imported[name] = true
	return nil
}

// selectorBases finds the names x in x.Sel that nothing in the file declares,
// and what is selected from each. They may be variables of other cells as well as packages.
func selectorBases(f *ast.File) map[string][]string {
	free := scope.Free(f)
	maps.DeleteFunc(free, func(_ string, selected []string) bool { return len(selected) == 0 })
	return free
}

// addImports imports what a file needs: of an earlier cell's declaration what its own cell meant
// by the names, whatever they are imported as since. A name that a declaration of the notebook
// has cannot be an import's in the same package (spec, Declarations and scope); such a package
// goes by ˣold_x, which the text has by now too.
func (c *checker) addImports(f *syntax.File) {
	imports := c.Imports
	if f.Unit != nil && f.Kind == syntax.UnitFile {
		imports = f.Unit.Imports
	}
	var list []syntax.Imported
	bases := selectorBases(f.AST)
	for _, name := range sortedKeys(bases) {
		old, ok := strings.CutPrefix(name, spell.OldMark)
		if name == "C" && imports[name] == "C" {
			list = append(list, syntax.Imported{Path: "C"})
		} else if path := imports[old]; path != "" && (ok || !c.shadows(name)) {
			list = append(list, syntax.Imported{Name: name, Path: path})
		}
	}
	for _, path := range sortedKeys(c.Dots) {
		if c.needsDot(f.AST, path) {
			list = append(list, syntax.Imported{Name: ".", Path: path})
		}
	}
	f.AST = syntax.WithImports(f.AST, list)
}

// needsDot reports whether a file uses a name that only a dot import declares. Go refuses a dot
// import that brings a name which the package declares too, and a dot import stays live
// although later cells declare such names; so only files that need one have it.
func (c *checker) needsDot(f *ast.File, path string) bool {
	p, err := c.Packages.Import(path)
	if err != nil {
		return false
	}
	for _, id := range f.Unresolved {
		if id.IsExported() && c.Scope.Lookup(id.Name) == nil && !c.OwnNames[id.Name] && !c.NewVars[id.Name] && p.Scope().Lookup(id.Name) != nil {
			return true
		}
	}
	return false
}
