package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

const runtimePath = "github.com/holt-dl/holt/kernel/host/rt"

// File is one generated Go file.
type File struct {
	Name string
	Text string
}

// Program is a checked cell as a Go package that exports a function Run.
type Program struct {
	Seq     int    // its number; programs are never numbered alike
	Path    string // its import path
	Files   []File
	Deps    []int            // the programs whose packages it needs, directly or not
	Imports []string         // the other packages that it imports
	Embeds  []Embed          // the //go:embed patterns that it uses
	CTypes  map[string]CType // C types that are those of earlier programs, by name
	Notices []string         // sentences for the person who ran the cell
	Empty   bool             // nothing to compile or run
	Effects Effects          // on other cells, when all of it runs
	Leaf    bool             // it declares nothing that a later program could import

	commit  func(reached int)
	listing func() *Listing
}

// Commit makes what the program declares live. Reached is how many of the
// cell's top-level statements were done: a variable that was not reached keeps
// its old meaning. A negative number says all.
func (p *Program) Commit(reached int) { p.commit(reached) }

// generator makes a program of a package that passed its check.
type generator struct {
	c          *check
	p          *passed
	hooked     map[string]*scope.Version  // functions that get a new body only
	localAlias map[string]*types.TypeName // embedded types of other programs
	converts   bool                       // a conversion needs ˣconvert
	shapes     map[string]shape           // of struct types without a name, by their shapeKey
	named      map[string][]namedShape    // of named types
	declared   map[string]shape           // those among both that this program declares
	structs    []*types.Struct            // a struct type of each of these, in the order of their names
	shaped     map[*types.Var]shape       // fields of struct types that this program spells
	files      map[*token.File]bool
	owners     map[*types.Var]*types.TypeName // whose accessors reach a field
}

func (c *check) initName(offset int) string { return "ˣinit_" + strconv.Itoa(offset) }

func (c *check) generate(p *passed) (*Program, error) {
	g := &generator{c: c, p: p, hooked: map[string]*scope.Version{}, localAlias: map[string]*types.TypeName{}, files: map[*token.File]bool{}, owners: map[*types.Var]*types.TypeName{},
		shapes: map[string]shape{}, named: map[string][]namedShape{}, declared: map[string]shape{}, shaped: map[*types.Var]shape{}}
	for u := range c.newBodies {
		if u.Recv == "" {
			g.hooked[u.Names[0]] = c.scope.Lookup(u.Names[0])
		}
	}
	for _, f := range p.files {
		g.files[f.Tok] = true
	}
	g.findShapes()
	prog := &Program{Seq: c.seq, Path: pkgPath(c.seq), Notices: c.notices}
	deps := map[int]bool{}
	external := map[string]bool{}
	for _, path := range c.blank {
		external[path] = true
	}
	emit := func(name, head, text string, use map[string]string, extra ...string) {
		var b strings.Builder
		fmt.Fprintf(&b, "package c%d\n%s\n", c.seq, head)
		for _, alias := range sortedKeys(use) {
			path := use[alias]
			if !strings.Contains(text, alias+".") {
				continue // of a type that was looked at and not written
			}
			fmt.Fprintf(&b, "import %s %q\n", alias, path)
			if home, ok := strings.CutPrefix(path, "notebook/c"); ok {
				n, _ := strconv.Atoi(home)
				deps[n] = true
			} else {
				external[path] = true
			}
		}
		for _, path := range extra {
			fmt.Fprintf(&b, "import _ %q\n", path)
		}
		b.WriteString(text)
		prog.Files = append(prog.Files, File{name, b.String()})
	}
	hasRun := false
	withC := map[*scope.Preamble]*cPart{} // the C code of a cell goes into one file
	for i, f := range p.files {
		if f.Kind == syntax.VarFile || f.Kind == syntax.CgoFile || f.Kind != syntax.StmtFile && len(f.AST.Decls) == imports(f.AST) {
			continue
		}
		if f.Kind == syntax.StmtFile {
			if len(f.AST.Decls[len(f.AST.Decls)-1].(*ast.FuncDecl).Body.List) == 0 {
				continue
			}
			hasRun = true
		}
		use := map[string]string{}
		part := withC[c.preambleOf(f)]
		if importsC(f.AST) {
			if part == nil {
				part = &cPart{use: use}
				withC[c.preambleOf(f)] = part
			}
			use = part.use
		}
		text := fmt.Sprintf("//line %s:%d\n%s\n", f.Name, f.Line, g.rewrite(f, use))
		if f.Kind == syntax.StmtFile {
			text = fmt.Sprintf("func %s() {\n%s}\n", runName, text)
		}
		if importsC(f.AST) {
			part.text += "\n" + text
		} else {
			emit(fmt.Sprintf("f%d.go", i), "", "\n"+text, use)
		}
	}
	for pre, part := range withC {
		emit(pre.File(), pre.Import(), part.text+g.keepC(pre), part.use)
	}
	embedUse := map[string]string{}
	embedText, embeds := g.embeds(embedUse)
	if prog.Embeds = embeds; len(embeds) > 0 {
		emit("embed.go", "import _ \"embed\"", "\n"+embedText, embedUse)
		external["embed"] = true
	}
	prog.CTypes = g.sharedC()
	for _, t := range prog.CTypes {
		n, _ := strconv.Atoi(strings.TrimPrefix(t.Path, "notebook/c"))
		deps[n] = true
	}
	if c.pre != nil && len(c.cUses[c.pre]) == 0 {
		c.notices = append(c.notices, `the C code of this cell is for the Go code of the same cell, which has no C.name; import "C" did nothing`)
	}
	for _, f := range p.files {
		if f.Kind == syntax.StmtFile {
			c.notices = append(c.notices, c.hinted(p, f).Printed()...)
		}
		if f.Kind == syntax.StmtFile || f.Kind == syntax.DeclFile {
			c.notices = append(c.notices, c.hinted(p, f).Compared()...)
		}
	}
	text, use, err := g.support(hasRun)
	if err != nil {
		return nil, err
	}
	emit("support.go", "", text, use, c.blank...)
	prog.Notices = c.notices
	g.dependencies(prog, deps)
	prog.Imports = sortedKeys(external)
	prog.Empty = !hasRun && !c.hasMain && len(c.own) == 0 && len(c.redeclared) == 0 && len(c.retyped) == 0 && len(c.newBodies) == 0 && len(c.blank) == 0
	prog.Effects = g.effects()
	prog.Leaf = len(c.newVars)+len(c.retyped)+len(c.redeclared)+len(g.structs)+len(c.cUses) == 0 &&
		!slices.ContainsFunc(c.own, func(u *scope.Unit) bool { return !u.Unnamed() && c.newBodies[u] == nil })
	prog.listing = g.listing
	prog.commit = func(reached int) { g.commit(prog, reached) }
	return prog, nil
}

// cPart is the Go code that goes into one file with its C code.
type cPart struct {
	text string
	use  map[string]string
}

func imports(f *ast.File) int {
	n := 0
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			n++
		}
	}
	return n
}

// dependencies adds the programs that the direct ones need.
func (g *generator) dependencies(prog *Program, direct map[int]bool) {
	all := map[int]bool{}
	var add func(int)
	add = func(n int) {
		if all[n] || n == prog.Seq {
			return
		}
		all[n] = true
		for _, d := range g.c.nb.deps[n] {
			add(d)
		}
	}
	for n := range direct {
		add(n)
	}
	prog.Deps = slices.Sorted(maps.Keys(all))
}

// packageLevel reports whether obj is declared at package level of the notebook.
func (g *generator) packageLevel(obj types.Object) bool {
	if _, ok := g.p.old[obj]; ok {
		return true
	}
	return spell.PackageLevel(obj)
}

// home is the program whose package holds an object.
func (g *generator) home(obj types.Object) int {
	tok := g.c.nb.fset.File(obj.Pos())
	if g.files[tok] {
		if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() == nil {
			if e := g.hooked[fn.Name()]; e != nil {
				return e.Home
			}
		}
		return g.c.seq
	}
	return g.c.nb.files[tok]
}

// Describe is the text of a program's files, for tests and bug reports.
func (p *Program) Describe() string {
	var b strings.Builder
	files := slices.Clone(p.Files)
	sort.Slice(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	for _, f := range files {
		fmt.Fprintf(&b, "-- %s --\n%s", f.Name, f.Text)
	}
	return b.String()
}
