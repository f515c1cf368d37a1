package gen

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// Commit notes what later programs may use of the code, once it is loaded.
//
// It is not called for a program that was not loaded, of which the code stays as it was.
func (o *Output) Commit() { o.generator.commit() }

// Generate writes the code of a checked cell, which also releases variables that no name
// means any more. The error is a [*syntax.Error].
//
// The order of the stages matters: the aliases of struct types are known before any text is
// written, and support.go comes last, since it declares what the other files turned out to
// need: hooks, accessors, local aliases, helpers.
func Generate(in *check.Result, released []*scope.Version, code *Code) (*Output, error) {
	g := &generator{in: in, released: released, code: code, out: &Output{}, hooked: map[string]*scope.Version{}, localAlias: map[string]*types.TypeName{},
		files: map[*token.File]bool{}, owners: map[*types.Var]*types.TypeName{}, shapes: map[string]shape{}, named: map[string][]namedShape{},
		declared: map[string]shape{}, shaped: map[*types.Var]shape{}, deps: map[int]bool{}, external: map[string]bool{}}
	g.out.generator = g
	// Functions with new bodies keep their home. Methods among them need nothing here: the
	// check has made functions of them, which are declared in this program.
	for u := range in.NewBodies {
		if u.Recv == "" {
			g.hooked[u.Names[0]] = in.Scope.Lookup(u.Names[0])
		}
	}
	for _, f := range in.Files {
		g.files[f.Tok] = true
	}
	// The packages that the cell imports for their effects alone are named by no text. The
	// import stands in support.go, which every program has.
	for _, path := range in.Blank {
		g.external[path] = true
	}
	g.findShapes() // before any text is written that could name one
	g.rewriteFiles()
	use := map[string]string{}
	// The compiler takes //go:embed only in a file that imports "embed". A file of its own has
	// that import and does not depend on what the cell imports.
	text, embeds := g.embeds(use)
	if g.out.Embeds = embeds; len(embeds) > 0 {
		g.emit("embed.go", "import _ \"embed\"", "\n"+text, use)
		g.external["embed"] = true
	}
	// C types of earlier programs: the build writes them as aliases into what cmd/cgo makes,
	// which is no file of this package's text, so that emit does not see the import.
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
//
// Each file of the check becomes a file f0.go, f1.go, … of the package: declarations and
// statements of the cell, and a file for each declaration of an earlier cell that is
// compiled again. A name is imported by each file anew, so that two cells may import two
// packages under one name.
//
// A file that imports "C" is an exception: cmd/cgo gives C.x the meaning of the comment
// above that import, file by file. All Go code that belongs to one such comment goes into
// one file with it, or the C code would be compiled, and its functions defined, twice.
func (g *generator) rewriteFiles() {
	withC := map[*scope.Preamble]*cPart{}
	for i, f := range g.in.Files {
		// Variables are declared in support.go. What cmd/cgo declares is made again by the
		// build. A file of imports alone has nothing to import them for.
		if f.Kind == syntax.VarFile || f.Kind == syntax.CgoFile || f.Kind != syntax.StmtFile && len(f.AST.Decls) == imports(f.AST) {
			continue
		}
		if f.Kind == syntax.StmtFile {
			// The last declaration is the function of the statements: imports may stand
			// before it. A cell of declarations alone has it empty.
			if len(f.AST.Decls[len(f.AST.Decls)-1].(*ast.FuncDecl).Body.List) == 0 {
				continue
			}
			g.out.HasRun = true
		}
		// The files that share a file share its imports, each of which it has once.
		use := map[string]string{}
		part := withC[f.Preamble(g.in.Preamble)]
		if syntax.ImportsC(f.AST) {
			if part == nil {
				part = &cPart{use: use}
				withC[f.Preamble(g.in.Preamble)] = part
			}
			use = part.use
		}
		// A //line directive begins a line, and counts from the one below it. The text of
		// statements ends with a line break, so that a comment at its end does not hide the
		// brace.
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
	// The name of the file and the place of the import are those that the build takes errors
	// of the C compiler back from: see [scope.Preamble].
	for pre, part := range withC {
		g.emit(pre.File(), pre.Import(), part.text+g.keepC(pre), part.use)
	}
}

// cPart is the Go code that goes into one file with its C code.
type cPart struct {
	text string            // without the package clause, the imports and the C code
	use  map[string]string // imports of all of it: name → path
}

// emit adds a file, with the imports of what it uses, name → path, and of packages that
// are imported for their effects alone.
//
// Head stands behind the package clause, before the imports: import "C" with its comment, or
// the import of embed. What is imported is noted: another program as one that this needs
// (deps), any other package as one that the build has to have (external).
func (g *generator) emit(name, head, text string, use map[string]string, blank ...string) {
	var b strings.Builder
	fmt.Fprintf(&b, "package c%d\n%s\n", g.in.Seq, head)
	for _, alias := range sortedKeys(use) {
		path := use[alias]
		if !strings.Contains(text, alias+".") {
			continue // of a type that was looked at and not written; Go refuses an import without use
		}
		fmt.Fprintf(&b, "import %s %q\n", alias, path)
		if home, ok := spell.Program(path); ok {
			g.deps[home] = true
		} else {
			g.external[path] = true
		}
	}
	for _, path := range blank {
		fmt.Fprintf(&b, "import _ %q\n", path)
	}
	b.WriteString(text)
	g.out.Files = append(g.out.Files, check.File{Name: name, Text: b.String()})
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
//
// The deps of a program are those that [Output] has, indirect ones among them. What was
// declared again is asked for once more: the model of before the cell still holds it, since
// a model never changes.
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
