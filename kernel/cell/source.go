package cell

import (
	"context"
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"path"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// Halves returns a cell twice: with everything but its declarations blank, and
// with everything but its statements blank. Every byte keeps its place.
func Halves(text string) (decls, stmts string) {
	c := &check{text: []byte(text)}
	c.chunks, _ = split(c.text)
	isStmt := func(ch chunk) bool { return !ch.isDecl() }
	return c.part(chunk.isDecl, nil).text, c.part(isStmt, nil).text
}

// Parse returns the declarations of a cell but for imports, and its statements, each
// as far as they can be parsed. A declaration of variables is a statement, since it
// runs where it stands.
func Parse(text string) (decls []ast.Decl, stmts []ast.Stmt) {
	c := New(nil).newCheck(context.Background(), Source{Text: text})
	c.chunks, c.open = split(c.text)
	if f, _ := c.decls(); f.ast != nil {
		decls = f.ast.Decls
	}
	f, _ := c.stmts()
	if f.ast == nil || len(f.ast.Decls) == 0 {
		return decls, nil
	}
	if fn, ok := f.ast.Decls[0].(*ast.FuncDecl); ok && fn.Body != nil {
		stmts = fn.Body.List
	}
	return decls, stmts
}

// Source returns what is declared as one Go file of package main, with
// variables as "var x T": what a tool for Go code needs to know of the notebook.
// It imports the given packages as well.
func (nb *Notebook) Source(paths ...string) string {
	var b strings.Builder
	imports := map[string]string{}
	for _, p := range paths {
		imports[path.Base(p)] = p
	}
	maps.Copy(imports, nb.imports)
	tp := &spell.Printer{
		Pkg: func(p *types.Package) string {
			for name, path := range imports {
				if path == p.Path() && nb.names[name] == nil {
					return name
				}
			}
			name := "holt_" + strconv.Itoa(len(imports))
			imports[name] = p.Path()
			return name
		},
		Name: nb.typeName,
		Anon: func(*types.Struct) (string, bool) { return "", false },
	}
	c := nb.newCheck(context.Background(), Source{})
	source := func(u *unit) {
		for local, path := range u.imports {
			if c.shadows(local) {
				local = spell.OldMark + local
			}
			imports[local] = path
		}
		text, _ := c.respell(u, passFirst)
		fmt.Fprintf(&b, "\n%s%s\n", u.doc, strings.ReplaceAll(text, spell.NewMark, ""))
	}
	seen := map[*unit]bool{}
	for _, name := range sortedKeys(nb.names) {
		e := nb.names[name]
		if e.unit == nil {
			tp.Err = nil
			if typ := tp.String(e.obj.Type()); tp.Err == nil {
				fmt.Fprintf(&b, "\nvar %s %s\n", name, typ)
			}
			continue
		}
		if !seen[e.unit] {
			seen[e.unit] = true
			source(e.unit)
		}
		for _, m := range sortedKeys(e.methods) {
			source(e.methods[m])
		}
	}
	var head strings.Builder
	head.WriteString("package main\n\n")
	for _, name := range sortedKeys(imports) {
		if nb.names[name] == nil {
			fmt.Fprintf(&head, "import %s %q\n", name, imports[name])
		}
	}
	for _, path := range sortedKeys(nb.dots) {
		fmt.Fprintf(&head, "import . %q\n", path)
	}
	return head.String() + b.String()
}
