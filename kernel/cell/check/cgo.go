package check

import (
	"bytes"
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

// addC records the comment above import "C". It refuses, in words that say what to
// do: one in a group of imports or with a name, a second one, and //export.
func (c *checker) addC(f *syntax.File, s *ast.ImportSpec) error {
	refuse := func(msg string) error {
		return &syntax.Error{Diagnostics: []syntax.Diagnostic{f.Diagnose(s.Pos(), msg)}}
	}
	if _, ok := c.Packages.(Cgo); !ok {
		return refuse(`import "C" is not supported here`)
	}
	start, _ := f.Span(s)
	at := slices.IndexFunc(c.Cell.Chunks, func(ch syntax.Chunk) bool { return ch.Start <= start && start < ch.End })
	if s.Name != nil || at < 0 || strings.Contains(string(c.Cell.Text[c.Cell.Chunks[at].Start:start]), "(") {
		return refuse(`import "C" stands on a line of its own, without a name, and its comment with the C code directly above it`)
	}
	if c.Preamble != nil {
		return refuse(`import "C" stands twice in this cell; put the C code above the first`)
	}
	begin := parse.CommentAbove(c.Cell.Text[:c.Cell.Chunks[at].Start])
	text := strings.TrimRight(string(c.Cell.Text[begin:c.Cell.Chunks[at].Start]), " \t\n")
	c.Preamble = &scope.Preamble{Cell: c.Cell.Name, Line: 1 + bytes.Count(c.Cell.Text[:begin], []byte("\n")), Text: text}
	if strings.Contains(string(c.Cell.Text), "\n//export ") || strings.HasPrefix(string(c.Cell.Text), "//export ") {
		return refuse(`//export does not work in a cell, whose functions may be replaced; put what C calls back into a package of a module and import that`)
	}
	c.Imports["C"] = "C"
	return nil
}

// cNames adds the names of C that a file uses to c.cUses, with their places,
// so that cmd/cgo is asked again when there are new ones. A call is
// noted as a call, and one whose errno is taken as such:
//
//	C.int                   _ = C.int
//	C.puts(s)               C.puts()
//	y, err := C.sqrt(x)     _, _ = C.sqrt()
//
// Arguments are left out: cmd/cgo leaves it to the compiler to count them.
func (c *checker) cNames(f *syntax.File) {
	pre := f.Preamble(c.Preamble)
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

// single returns the only expression of a list, without its parentheses, or nil.
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
func (c *checker) cFile() (*syntax.File, error) {
	if len(c.cUses) == 0 {
		return nil, nil
	}
	if c.cText == "" { // cmd/cgo runs the C compiler: it is asked only where a pass found new names
		var list []File
		for pre, uses := range c.cUses {
			var b strings.Builder
			// The C code of a cell, and a function that uses the names as Go code does.
			fmt.Fprintf(&b, "package notebook\n%sfunc _() {\n", pre.Import())
			for _, n := range sortedNames(uses) {
				fmt.Fprintf(&b, "%s"+n.use+"\n", uses[n], n.name)
			}
			b.WriteString("}\n")
			list = append(list, File{Name: pre.File(), Text: b.String()})
		}
		slices.SortFunc(list, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
		text, err := c.Packages.(Cgo).CTypes(c.ctx, list)
		if err != nil {
			return nil, err
		}
		c.cText = text
		if err := c.Packages.Add(c.ctx, []string{"runtime/cgo", "syscall"}); err != nil {
			return nil, c.importError(err)
		}
	}
	_, text, _ := strings.Cut(c.cText, "package notebook")
	f := &syntax.File{Kind: syntax.CgoFile, Name: c.Cell.Name, Line: 1, Source: text, Body: text, Back: func(i int) int { return i }}
	if err := c.Cell.File(f, "", ""); err != nil {
		return nil, err
	}
	return f, nil
}

// cErrors are what the C compiler objects to, as errors of the cell's statements: so they end
// the check as errors of Go do. The C compiler's messages have places and no text of the line,
// which is added for those in this cell.
func (c *checker) cErrors(err error) []passError {
	var e *syntax.Error
	if !errors.As(err, &e) {
		e = &syntax.Error{Diagnostics: []syntax.Diagnostic{{Cell: c.Cell.Name, Msg: err.Error()}}}
	}
	var list []passError
	lines := strings.Split(string(c.Cell.Text), "\n")
	for _, d := range e.Diagnostics {
		if d.Cell == c.Cell.Name && d.Line > 0 && d.Line <= len(lines) {
			d.Source = lines[d.Line-1]
		}
		list = append(list, passError{d, &syntax.File{Kind: syntax.StmtFile}, token.NoPos})
	}
	return list
}

// shareC leaves out the C types that an earlier program has declared alike,
// themselves and all that they mention, and puts those in the package's scope. A C struct that
// two cells include from one header is one type so, and its values can go from one cell to the
// other. The tree of f is replaced by a copy, since another pass may have the same one.
func (c *checker) shareC(f *syntax.File, scope *types.Scope) {
	specs := map[string]*ast.TypeSpec{}
	for _, d := range f.AST.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE && len(g.Specs) == 1 {
			ts := g.Specs[0].(*ast.TypeSpec)
			specs[ts.Name.Name] = ts
		}
	}
	// Alike is what has the same text, and mentions only what is alike: a struct that points
	// to another one is not the same when that one has changed.
	same := map[string]bool{}
	for name, ts := range specs {
		text, _ := c.CType(name)
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
	c.SharedC = map[string]*types.TypeName{}
	rest := *f.AST
	f.AST = &rest
	f.AST.Decls = slices.DeleteFunc(slices.Clone(f.AST.Decls), func(d ast.Decl) bool {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE || len(g.Specs) != 1 || !same[g.Specs[0].(*ast.TypeSpec).Name.Name] {
			return false
		}
		name := g.Specs[0].(*ast.TypeSpec).Name.Name
		_, obj := c.CType(name)
		c.SharedC[name] = obj
		scope.Insert(obj)
		return true
	})
}

// usesCgo makes the checker take C.f for what cmd/cgo declared. The field is
// internal to the standard library's tools and x/tools, which sets it so too.
func usesCgo(conf *types.Config) {
	field := reflect.ValueOf(conf).Elem().FieldByName("go115UsesCgo")
	*(*bool)(unsafe.Pointer(field.UnsafeAddr())) = true
}
