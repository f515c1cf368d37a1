package gen

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// RuntimePath is the package that generated code calls.
const RuntimePath = "github.com/holt-dl/holt/kernel/host/rt"

// Checked is a package that passed its check, and what the check found out.
type Checked struct {
	Seq      int    // of the program
	Cell     string // as errors name it
	Packages types.Importer
	Fset     *token.FileSet
	Scope    *scope.Model // what names mean before the cell

	Pkg   *types.Package
	Info  *types.Info
	Files []*syntax.File
	Old   map[types.Object]string // objects under another name: what the name stood for before

	Imports map[string]string // name → path
	Blank   []string          // import _ "path"
	HasMain bool              // the cell declares a func main, which runs last
	Shown   int               // where the statement begins whose value is the cell's; -1 where none is
	Embeds  []Embedded

	Own        []*scope.Unit   // what the cell declares
	OwnNames   map[string]bool // the package-level names among them
	NewVars    map[string]bool // variables that the cell defines with a new type
	Hides      map[string]bool // those that take the name of a type
	Redeclared map[string]*scope.Version
	Retyped    map[string]*scope.Version
	NewBodies  map[*scope.Unit]*scope.Unit
	Dropped    map[string]string
	Released   []*scope.Version // variables that no name means any more

	Preamble *scope.Preamble              // of the cell's import "C"
	CNames   map[*scope.Preamble][]string // the names of C in use
	SharedC  map[string]*types.TypeName   // C types that are an earlier program's
}

// declaresType reports whether the cell declares a type of that name.
func (in *Checked) declaresType(name string) bool {
	return slices.ContainsFunc(in.Own, func(u *scope.Unit) bool { return u.Kind == scope.Type && u.Names[0] == name })
}

// Code is what generated code of later programs may use of that of earlier ones. It is
// not safe for concurrent use.
type Code struct {
	files    map[*token.File]int            // the program that a source file went into
	shapes   map[string]shape               // struct types without a name, by their shapeKey; see anon.go
	named    map[string][]namedShape        // the structs of named types, in order
	shaped   map[*types.Var]shape           // fields that a shape declares
	owners   map[*types.Var]*types.TypeName // the type whose accessors reach a field
	deps     map[int][]int                  // programs that a program's package imports
	cTypes   map[string]cType               // C types that programs have declared
	replaced []string                       // types that were declared again, such as notebook/c1.T
}

// NewCode is what there is before the first program.
func NewCode() *Code {
	c := &Code{files: map[*token.File]int{}, deps: map[int][]int{}}
	c.Restart()
	return c
}

// Restart forgets what the packages of a host process hold that has ended. The sources
// that they were made of are declared again.
func (c *Code) Restart() {
	c.shapes, c.named, c.shaped = map[string]shape{}, map[string][]namedShape{}, map[*types.Var]shape{}
	c.owners, c.cTypes = map[*types.Var]*types.TypeName{}, map[string]cType{}
}

// CType returns the text by which an earlier program declares a C type, and the type;
// nil where none does.
func (c *Code) CType(name string) (text string, obj *types.TypeName) {
	t := c.cTypes[name]
	return t.text, t.obj
}

// File is one generated Go file.
type File struct {
	Name string
	Text string
}

// Output is generated code and what it needs.
type Output struct {
	Files    []File
	Deps     []int            // the programs whose packages it needs, directly or not
	Imports  []string         // the other packages that it imports
	Embeds   []parse.Embed    // the //go:embed patterns that it uses
	CTypes   map[string]CType // C types that are those of earlier programs, by name
	Notices  []string         // sentences for the person who ran the cell
	HasRun   bool             // it has statements to run
	Declares bool             // it declares struct types that a later program could import

	generator *generator
}

// Commit notes what later programs may use of the code, once it is loaded.
func (o *Output) Commit() { o.generator.commit() }

// generator makes a program of a package that passed its check.
type generator struct {
	in         *Checked
	code       *Code
	out        *Output
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

	deps     map[int]bool    // programs that a file imports
	external map[string]bool // other packages that one does
}

// Generate writes the code of a checked package. The error is a [*syntax.Error].
func Generate(in *Checked, code *Code) (*Output, error) {
	g := &generator{in: in, code: code, out: &Output{}, hooked: map[string]*scope.Version{}, localAlias: map[string]*types.TypeName{},
		files: map[*token.File]bool{}, owners: map[*types.Var]*types.TypeName{}, shapes: map[string]shape{}, named: map[string][]namedShape{},
		declared: map[string]shape{}, shaped: map[*types.Var]shape{}, deps: map[int]bool{}, external: map[string]bool{}}
	g.out.generator = g
	for u := range in.NewBodies {
		if u.Recv == "" {
			g.hooked[u.Names[0]] = in.Scope.Lookup(u.Names[0])
		}
	}
	for _, f := range in.Files {
		g.files[f.Tok] = true
	}
	for _, path := range in.Blank {
		g.external[path] = true
	}
	g.findShapes()
	g.rewriteFiles()
	use := map[string]string{}
	text, embeds := g.embeds(use)
	if g.out.Embeds = embeds; len(embeds) > 0 {
		g.emit("embed.go", "import _ \"embed\"", "\n"+text, use)
		g.external["embed"] = true
	}
	g.out.CTypes = g.sharedC()
	for name := range g.out.CTypes {
		g.deps[code.cTypes[name].home] = true
	}
	text, use, err := g.support(g.out.HasRun)
	if err != nil {
		return nil, err
	}
	g.emit("support.go", "", text, use, in.Blank...)
	g.out.Deps, g.out.Imports = g.dependencies(), sortedKeys(g.external)
	g.out.Declares = len(g.structs) > 0
	return g.out, nil
}

// rewriteFiles writes what was checked as files of the package. The Go code that uses
// the C code of a cell goes into one file with it.
func (g *generator) rewriteFiles() {
	withC := map[*scope.Preamble]*cPart{}
	for i, f := range g.in.Files {
		if f.Kind == syntax.VarFile || f.Kind == syntax.CgoFile || f.Kind != syntax.StmtFile && len(f.AST.Decls) == imports(f.AST) {
			continue
		}
		if f.Kind == syntax.StmtFile {
			if len(f.AST.Decls[len(f.AST.Decls)-1].(*ast.FuncDecl).Body.List) == 0 {
				continue
			}
			g.out.HasRun = true
		}
		use := map[string]string{}
		part := withC[f.Preamble(g.in.Preamble)]
		if syntax.ImportsC(f.AST) {
			if part == nil {
				part = &cPart{use: use}
				withC[f.Preamble(g.in.Preamble)] = part
			}
			use = part.use
		}
		text := fmt.Sprintf("//line %s:%d\n%s\n", f.Name, f.Line, g.rewrite(f, use))
		if f.Kind == syntax.StmtFile {
			text = fmt.Sprintf("func %s() {\n%s}\n", spell.Run, text)
		}
		if syntax.ImportsC(f.AST) {
			part.text += "\n" + text
		} else {
			g.emit(fmt.Sprintf("f%d.go", i), "", "\n"+text, use)
		}
	}
	for pre, part := range withC {
		g.emit(pre.File(), pre.Import(), part.text+g.keepC(pre), part.use)
	}
}

// cPart is the Go code that goes into one file with its C code.
type cPart struct {
	text string
	use  map[string]string
}

// emit adds a file, with the imports of what it uses, name → path, and of packages that
// are imported for their effects alone.
func (g *generator) emit(name, head, text string, use map[string]string, blank ...string) {
	var b strings.Builder
	fmt.Fprintf(&b, "package c%d\n%s\n", g.in.Seq, head)
	for _, alias := range sortedKeys(use) {
		path := use[alias]
		if !strings.Contains(text, alias+".") {
			continue // of a type that was looked at and not written
		}
		fmt.Fprintf(&b, "import %s %q\n", alias, path)
		if home, ok := strings.CutPrefix(path, spell.PkgPrefix); ok {
			n, _ := strconv.Atoi(home)
			g.deps[n] = true
		} else {
			g.external[path] = true
		}
	}
	for _, path := range blank {
		fmt.Fprintf(&b, "import _ %q\n", path)
	}
	b.WriteString(text)
	g.out.Files = append(g.out.Files, File{name, b.String()})
}

// imports counts the import declarations of a file.
func imports(f *ast.File) int {
	n := 0
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			n++
		}
	}
	return n
}

// dependencies lists the programs that the package needs, directly or not.
func (g *generator) dependencies() []int {
	all := map[int]bool{}
	var add func(int)
	add = func(n int) {
		if all[n] || n == g.in.Seq {
			return
		}
		all[n] = true
		for _, d := range g.code.deps[n] {
			add(d)
		}
	}
	for n := range g.deps {
		add(n)
	}
	return slices.Sorted(maps.Keys(all))
}

// commit notes what generated code of later programs may use of this one.
func (g *generator) commit() {
	c := g.code
	c.deps[g.in.Seq] = g.out.Deps
	for f := range g.files {
		c.files[f] = g.in.Seq
	}
	maps.Copy(c.shapes, g.shapes)
	for key, list := range g.named {
		c.named[key] = append(c.named[key], list...)
	}
	maps.Copy(c.shaped, g.shaped)
	maps.Copy(c.owners, g.owners)
	g.commitC()
	c.replaced = append(c.replaced, g.replaced()...)
}

// packageLevel reports whether obj is declared at package level of the notebook.
func (g *generator) packageLevel(obj types.Object) bool {
	if _, ok := g.in.Old[obj]; ok {
		return true
	}
	return spell.PackageLevel(obj)
}

// home is the program whose package holds an object.
func (g *generator) home(obj types.Object) int {
	tok := g.in.Fset.File(obj.Pos())
	if g.files[tok] {
		if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() == nil {
			if e := g.hooked[fn.Name()]; e != nil {
				return e.Home
			}
		}
		return g.in.Seq
	}
	return g.code.files[tok]
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
