package cell

import (
	"errors"
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/holt-dl/holt/kernel/cell/hint"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

type fileKind int

// A file is one source file of the package that is checked.
type file struct {
	kind    fileKind
	name    string // the cell, for errors and //line
	line    int    // of the source's first line in the cell
	source  string
	body    string // what follows the prelude: what is checked, and generated from
	back    func(int) int
	prelude int
	unit    *scope.Unit
	vars    []string // of a varFile, the names by line
	ast     *ast.File
	tok     *token.File
}

// span returns where a node stands in the file's source.
func (f *file) span(n ast.Node) (start, end int) {
	s, e := f.offsets(n)
	return f.back(s), f.back(e)
}

// offsets returns where a node stands in the file's body.
func (f *file) offsets(n ast.Node) (start, end int) {
	return f.offset(n.Pos()), f.offset(n.End())
}

// text is a node as the file's source has it.
func (f *file) text(n ast.Node) string {
	start, end := f.span(n)
	return f.source[start:end]
}

func (f *file) offset(pos token.Pos) int {
	return max(0, min(f.tok.Offset(pos)-f.prelude, len(f.body)))
}

func (f *file) diagnose(pos token.Pos, msg string) Diagnostic {
	d := Diagnostic{Cell: f.name, Msg: plainNames.Replace(msg)}
	if !pos.IsValid() {
		return d
	}
	return f.at(f.back(f.offset(pos)), d)
}

// plainNames takes our marks and the package of all cells off the names in a message.
var plainNames = strings.NewReplacer("notebook.", "", spell.OldMark, "", spell.TypeMark, "", spell.NewMark, "", "Ħˣb_", "", "Ħˣm_", "", "Ħ", "", "ˣ", "", "_Ctype_", "C.")

// at completes a diagnostic with the place of a source offset.
func (f *file) at(off int, d Diagnostic) Diagnostic {
	off = min(off, len(f.source))
	// The end of the text is reported on its last line.
	for off > 0 && off == len(f.source) && f.source[off-1] == '\n' {
		off--
	}
	begin := strings.LastIndexByte(f.source[:off], '\n') + 1
	end := len(f.source)
	if i := strings.IndexByte(f.source[off:], '\n'); i >= 0 {
		end = off + i
	}
	d.Line = f.line + strings.Count(f.source[:off], "\n")
	d.Col = off - begin + 1
	d.Source = f.source[begin:end]
	return d
}

// syntaxErrors reports the syntax errors of a cell.
func (c *check) syntaxErrors() error {
	if _, err := c.decls(); err != nil {
		return err
	}
	if _, err := c.importDecls(); err != nil {
		return err
	}
	_, err := c.stmts()
	return err
}

// decls parses the cell's declarations but for imports.
func (c *check) decls() (*file, error) { return c.parse(c.declText(nil), "", "") }

// importDecls parses the cell's imports.
func (c *check) importDecls() (*file, error) {
	return c.parse(c.part(func(ch chunk) bool { return ch.tok == token.IMPORT }, nil), "", "")
}

// stmts parses the cell's statements, as the body of a function.
func (c *check) stmts() (*file, error) { return c.parse(c.stmtText(nil), runHead, runTail) }

// parse parses a piece of the cell.
func (c *check) parse(r rendered, head, tail string) (*file, error) {
	f := &file{name: c.src.Name, line: 1, source: string(c.text), body: r.text, back: r.back}
	return f, c.parseFile(f, head, tail)
}

// parseFile parses a file's body, with text of ours before and after it.
func (c *check) parseFile(f *file, head, tail string) error {
	prelude := packageClause + head
	f.prelude = len(prelude)
	t := c.tree(f.name, prelude+f.body+tail)
	f.ast, f.tok = t.ast, t.tok
	if t.err == nil {
		return nil
	}
	var list scanner.ErrorList
	if !errors.As(t.err, &list) {
		return t.err
	}
	list = slices.Clone(list)
	list.RemoveMultiples() // one a line: garbage has one at every byte
	// What the cell lacks at its end is asked for once, however many errors it has.
	trimmed := len(strings.TrimRight(f.body, " \t\n"))
	atEnd := sync.OnceValue(func() string { return hint.Unfinished(f.source) })
	var ds []Diagnostic
	for _, e := range list {
		if len(ds) > 0 && strings.HasSuffix(e.Msg, "found 'EOF'") {
			continue // what comes of the error before
		}
		off := max(0, min(e.Pos.Offset-f.prelude, len(f.body)))
		d := f.at(f.back(off), Diagnostic{Cell: f.name, Msg: "syntax error: " + strings.TrimPrefix(e.Msg, "syntax error: ")})
		if off >= trimmed && strings.Contains(e.Msg, "found '") && atEnd() != "" {
			d.Msg = "syntax error: " + atEnd() // the brace that is found is ours
			d.Col = len(strings.TrimRight(d.Source, " \t")) + 1
			ds = append(ds, d)
			continue
		}
		d.Msg += hint.Syntax(c.names(), e.Msg, d.Source, c.open && len(ds) == 0)
		ds = append(ds, d)
	}
	return &Error{Diagnostics: trim(ds)}
}

// addImport records an import declaration of the cell.
func (c *check) addImport(f *file, s *ast.ImportSpec) error {
	path, err := strconv.Unquote(s.Path.Value)
	if err != nil || path == "" {
		return &Error{Diagnostics: []Diagnostic{f.diagnose(s.Pos(), "import path "+s.Path.Value+" is not a string")}}
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
func (c *check) addImports(f *file) {
	imports := c.imports
	if f.unit != nil && f.kind == unitFile {
		imports = f.unit.Imports
	}
	var list []imported
	bases := selectorBases(f.ast)
	for _, name := range sortedKeys(bases) {
		old, ok := strings.CutPrefix(name, spell.OldMark)
		if name == "C" && imports[name] == "C" {
			list = append(list, imported{path: "C"})
		} else if path := imports[old]; path != "" && (ok || !c.shadows(name)) {
			list = append(list, imported{name, path})
		}
	}
	for _, path := range sortedKeys(c.dots) {
		if c.needsDot(f.ast, path) {
			list = append(list, imported{".", path})
		}
	}
	f.ast = withImports(f.ast, list)
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
func (c *check) varFile(kind passKind) (*file, []imported) {
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
	f := &file{kind: varFile, name: c.src.Name, line: 1, back: func(i int) int { return 0 }}
	aliases := map[string]string{}
	tp := c.checkPrinter(aliases)
	var b strings.Builder
	for _, name := range sortedKeys(names) {
		fmt.Fprintf(&b, "\nvar %s %s", spell.Var(name), tp.String(names[name]))
		f.vars = append(f.vars, name)
	}
	f.body = b.String()
	var list []imported
	for _, path := range sortedKeys(aliases) {
		list = append(list, imported{aliases[path], path})
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
