package cell

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// From text to files: the parts of a cell are parsed, and files get the imports of what
// they name. A cell need not import what it uses, and two cells may mean two packages by
// one name, so that each file imports what its own names mean.

// addImport records an import declaration of the cell.
func (c *check) addImport(f *syntax.File, s *ast.ImportSpec) error {
	path, err := strconv.Unquote(s.Path.Value)
	if err != nil || path == "" {
		return &Error{Diagnostics: []Diagnostic{f.Diagnose(s.Pos(), "import path "+s.Path.Value+" is not a string")}}
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
		c.blank = append(c.blank, path)
		return nil
	case ".":
		c.dots[path] = true
		return nil
	}
	c.imports[name] = path
	c.imported[name] = true
	return nil
}

// selectorBases finds the names x in x.Sel that nothing in the file declares,
// and what is selected from each.
func selectorBases(f *ast.File) map[string][]string {
	free := scope.Free(f)
	maps.DeleteFunc(free, func(_ string, selected []string) bool { return len(selected) == 0 })
	return free
}

// addImports imports what a file needs.
func (c *check) addImports(f *syntax.File) {
	imports := c.imports
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
	for _, path := range sortedKeys(c.dots) {
		if c.needsDot(f.AST, path) {
			list = append(list, syntax.Imported{Name: ".", Path: path})
		}
	}
	f.AST = syntax.WithImports(f.AST, list)
}

// needsDot reports whether a file uses a name that only a dot import declares.
func (c *check) needsDot(f *ast.File, path string) bool {
	p, err := c.nb.pk.Import(path)
	if err != nil {
		return false
	}
	for _, id := range f.Unresolved {
		if id.IsExported() && c.scope.Lookup(id.Name) == nil && !c.ownNames[id.Name] && !c.newVars[id.Name] && p.Scope().Lookup(id.Name) != nil {
			return true
		}
	}
	return false
}

// shadows reports whether a declaration of the notebook hides the import of a
// name.
func (c *check) shadows(name string) bool {
	return c.ownNames[name] || c.newVars[name] || c.scope.Lookup(name) != nil && !c.imported[name] && !(c.before[name] && c.kind == passFirst)
}

// varFile declares variables that the package defines, one a line, and returns what
// it imports. It is nil where there are none. The others are objects: see asObject.
func (c *check) varFile(kind passKind) (*syntax.File, []syntax.Imported) {
	names := map[string]types.Type{}
	for name, e := range c.retyped {
		if c.dropped[name] == "" && !asObject(e.Obj.Type()) {
			names[name] = e.Obj.Type()
		}
	}
	if kind == passFinal {
		for name := range c.newVars {
			if !asObject(c.vars[name]) {
				names[name] = c.vars[name]
			}
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	f := &syntax.File{Kind: syntax.VarFile, Name: c.cell.Name, Line: 1, Back: func(i int) int { return 0 }}
	aliases := map[string]string{}
	tp := c.checkPrinter(aliases)
	var b strings.Builder
	for _, name := range sortedKeys(names) {
		fmt.Fprintf(&b, "\nvar %s %s", spell.Var(name), tp.String(names[name]))
		f.Vars = append(f.Vars, name)
	}
	f.Body = b.String()
	var list []syntax.Imported
	for _, path := range sortedKeys(aliases) {
		list = append(list, syntax.Imported{Name: aliases[path], Path: path})
	}
	return f, list
}

// checkPrinter writes types as the checked package names them.
func (c *check) checkPrinter(aliases map[string]string) *spell.Printer {
	return &spell.Printer{
		Pkg:  aliasFor(aliases),
		Name: c.typeName,
		Anon: func(*types.Struct) (string, bool) { return "", false },
	}
}

// typeName is the name that a type of the notebook has in this check.
func (c *check) typeName(t *types.TypeName) string {
	name := c.scope.TypeName(t)
	plain := spell.Written(name)
	switch {
	case c.unhide[plain]:
		return plain
	case c.hides[plain]:
		return spell.TypeMark + plain
	}
	return name
}

func aliasFor(aliases map[string]string) func(*types.Package) string {
	return func(p *types.Package) string {
		if aliases[p.Path()] == "" {
			aliases[p.Path()] = "ˣi" + strconv.Itoa(len(aliases))
		}
		return aliases[p.Path()]
	}
}
