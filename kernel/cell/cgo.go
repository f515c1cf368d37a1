package cell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// A cell that imports "C" is checked with the Go declarations that cmd/cgo
// makes of the names of C it uses, as golang.org/x/tools does it: the checker
// takes C.f for the _Cfunc_f that they declare. What is generated keeps C.f,
// and the build hands it to cmd/cgo once more.
//
// The comment above import "C" belongs to its cell, as in Go to its file. The
// types of C are one in all cells: those that an earlier program has declared
// alike are taken from there.

// Cgo is implemented by [Packages] that can compile C.
type Cgo interface {
	// CTypes returns the Go file in which cmd/cgo declares the names of C that
	// the given files use. Errors of the C code are an [*Error].
	CTypes(ctx context.Context, files []File) (string, error)
}

// addC records the comment above import "C".
func (c *check) addC(f *syntax.File, s *ast.ImportSpec) error {
	refuse := func(msg string) error {
		return &Error{Diagnostics: []Diagnostic{f.Diagnose(s.Pos(), msg)}}
	}
	if _, ok := c.nb.pk.(Cgo); !ok {
		return refuse(`import "C" is not supported here`)
	}
	start, _ := f.Span(s)
	at := slices.IndexFunc(c.cell.Chunks, func(ch syntax.Chunk) bool { return ch.Start <= start && start < ch.End })
	if s.Name != nil || at < 0 || strings.Contains(string(c.cell.Text[c.cell.Chunks[at].Start:start]), "(") {
		return refuse(`import "C" stands on a line of its own, without a name, and its comment with the C code directly above it`)
	}
	if c.pre != nil {
		return refuse(`import "C" stands twice in this cell; put the C code above the first`)
	}
	begin := parse.CommentAbove(c.cell.Text[:c.cell.Chunks[at].Start])
	text := strings.TrimRight(string(c.cell.Text[begin:c.cell.Chunks[at].Start]), " \t\n")
	c.pre = &scope.Preamble{Cell: c.cell.Name, Line: 1 + bytes.Count(c.cell.Text[:begin], []byte("\n")), Text: text}
	if strings.Contains(string(c.cell.Text), "\n//export ") || strings.HasPrefix(string(c.cell.Text), "//export ") {
		return refuse(`//export does not work in a cell, whose functions may be replaced; put what C calls back into a package of a module and import that`)
	}
	c.imports["C"] = "C"
	return nil
}

// A cName is a name of C as a file uses it.
type cName struct {
	name string
	use  string // how a file for cmd/cgo uses it again
}

// cNames adds the names of C that a file uses to c.cUses, with their places,
// so that cmd/cgo is asked again when there are new ones.
func (c *check) cNames(f *syntax.File) {
	pre := f.Preamble(c.pre)
	if pre == nil || !syntax.ImportsC(f.AST) {
		return
	}
	if c.cUses[pre] == nil {
		c.cUses[pre] = map[cName]string{}
	}
	calls := map[*ast.SelectorExpr]string{}
	pair := func(n int, values []ast.Expr) {
		if call, ok := single(values).(*ast.CallExpr); ok && n == 2 {
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
				calls[sel] = "_, _ = C.%s()"
			}
		}
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			pair(len(n.Lhs), n.Rhs)
		case *ast.ValueSpec:
			pair(len(n.Names), n.Values)
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && calls[sel] == "" {
				calls[sel] = "C.%s()"
			}
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); !ok || id.Name != "C" {
				return true
			}
			use := calls[n]
			if use == "" {
				use = "_ = C.%s"
			}
			name := cName{n.Sel.Name, use}
			if _, known := c.cUses[pre][name]; !known {
				d := f.Diagnose(n.X.Pos(), "")
				c.cUses[pre][name] = fmt.Sprintf("/*line %s:%d:%d*/", d.Cell, d.Line, d.Col)
				c.cText = ""
			}
		}
		return true
	})
}

func single(list []ast.Expr) ast.Expr {
	if len(list) != 1 {
		return nil
	}
	return ast.Unparen(list[0])
}

// sortedNames lists the names of C in use, those in calls apart.
func sortedNames(uses map[cName]string) []cName {
	return slices.SortedFunc(maps.Keys(uses), func(a, b cName) int { return strings.Compare(a.use+a.name, b.use+b.name) })
}

// cFile returns the declarations of the names of C in use, or nil.
func (c *check) cFile() (*syntax.File, error) {
	if len(c.cUses) == 0 {
		return nil, nil
	}
	if c.cText == "" {
		var list []File
		for pre, uses := range c.cUses {
			var b strings.Builder
			fmt.Fprintf(&b, "package notebook\n%sfunc _() {\n", pre.Import())
			for _, n := range sortedNames(uses) {
				fmt.Fprintf(&b, "%s"+n.use+"\n", uses[n], n.name)
			}
			b.WriteString("}\n")
			list = append(list, File{Name: pre.File(), Text: b.String()})
		}
		slices.SortFunc(list, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
		text, err := c.nb.pk.(Cgo).CTypes(c.ctx, list)
		if err != nil {
			return nil, err
		}
		c.cText = text
		if err := c.nb.pk.Add(c.ctx, []string{"runtime/cgo", "syscall"}); err != nil {
			return nil, c.importError(err)
		}
	}
	_, text, _ := strings.Cut(c.cText, "package notebook")
	f := &syntax.File{Kind: syntax.CgoFile, Name: c.cell.Name, Line: 1, Source: text, Body: text, Back: func(i int) int { return i }}
	if err := c.cell.File(f, "", ""); err != nil {
		return nil, err
	}
	return f, nil
}

// cErrors are what the C compiler objects to.
func (c *check) cErrors(err error) []passError {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Diagnostics: []Diagnostic{{Cell: c.cell.Name, Msg: err.Error()}}}
	}
	var list []passError
	lines := strings.Split(string(c.cell.Text), "\n")
	for _, d := range e.Diagnostics {
		if d.Cell == c.cell.Name && d.Line > 0 && d.Line <= len(lines) {
			d.Source = lines[d.Line-1]
		}
		list = append(list, passError{d, &syntax.File{Kind: syntax.StmtFile}, token.NoPos})
	}
	return list
}

// shareC leaves out the C types that an earlier program has declared alike,
// themselves and all that they mention, and puts those in the package's scope.
func (c *check) shareC(f *syntax.File, scope *types.Scope) {
	specs := map[string]*ast.TypeSpec{}
	for _, d := range f.AST.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE && len(g.Specs) == 1 {
			ts := g.Specs[0].(*ast.TypeSpec)
			specs[ts.Name.Name] = ts
		}
	}
	same := map[string]bool{}
	for name, ts := range specs {
		text, _ := c.nb.code.CType(name)
		same[name] = text == f.Text(ts)
	}
	for again := true; again; {
		again = false
		for name, ts := range specs {
			ast.Inspect(ts.Type, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && specs[id.Name] != nil && same[name] && !same[id.Name] {
					same[name], again = false, true
				}
				return true
			})
		}
	}
	c.cShared = map[string]*types.TypeName{}
	rest := *f.AST
	f.AST = &rest
	f.AST.Decls = slices.DeleteFunc(slices.Clone(f.AST.Decls), func(d ast.Decl) bool {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE || len(g.Specs) != 1 || !same[g.Specs[0].(*ast.TypeSpec).Name.Name] {
			return false
		}
		name := g.Specs[0].(*ast.TypeSpec).Name.Name
		_, obj := c.nb.code.CType(name)
		c.cShared[name] = obj
		scope.Insert(obj)
		return true
	})
}

// mentionsC reports whether a type is made of C types.
func mentionsC(t types.Type) (found bool) {
	spell.NotebookTypes(t, func(obj *types.TypeName) { found = found || spell.IsCType(obj) })
	return found
}

// usesCgo makes the checker take C.f for what cmd/cgo declared. The field is
// internal to the standard library's tools and x/tools, which sets it so too.
func usesCgo(conf *types.Config) {
	field := reflect.ValueOf(conf).Elem().FieldByName("go115UsesCgo")
	*(*bool)(unsafe.Pointer(field.UnsafeAddr())) = true
}
