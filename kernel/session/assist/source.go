package assist

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"os"
	"path/filepath"
)

// definition returns the source of the declaration of the name at a place, with its comment;
// empty where it has none that can be read. The caller holds mu.
//
// The place may be in a file of the assistant's own, whose text is in memory only, or in the
// source of a package on disk.
func (a *Assistant) definition(ctx context.Context, at position) string {
	var found []struct {
		URI   string `json:"uri"`
		Range struct {
			Start struct {
				Line int `json:"line"`
			} `json:"start"`
		} `json:"range"`
	}
	if err := a.server.call(ctx, "textDocument/definition", at.params(), &found); err != nil || len(found) == 0 {
		return ""
	}
	u, err := url.Parse(found[0].URI)
	if err != nil {
		return ""
	}
	// A file of the assistant's own exists in memory only. Its name alone is not enough, as a
	// package may have a decls.go too.
	text, ours := a.open[filepath.Base(u.Path)]
	if !ours || filepath.Dir(u.Path) != filepath.Clean(a.dir) {
		data, err := os.ReadFile(u.Path)
		if err != nil {
			return ""
		}
		text = string(data)
	}
	return declaration(text, found[0].Range.Start.Line+1)
}

// declaration returns the part of a Go file that declares what a line names: a function, or the
// line of a group of types, variables or constants. Of
//
//	var (
//		a = 1
//		b = 2
//	)
//
// line 3 gives "var b = 2". A file with syntax errors, as that of a cell may be, is used as far
// as it was parsed. Lines count from 1; "" says that no declaration is there.
func declaration(text string, line int) string {
	files := token.NewFileSet()
	// A file with errors is used as far as it goes.
	file, err := parser.ParseFile(files, "", text, parser.ParseComments|parser.SkipObjectResolution)
	if file == nil || err != nil && len(file.Decls) == 0 {
		return ""
	}
	// From the first to the last line of a declaration, without its comment: gopls names the
	// line of the name.
	covers := func(n ast.Node) bool {
		return files.Position(n.Pos()).Line <= line && line <= files.Position(n.End()).Line
	}
	cut := func(n ast.Node, doc *ast.CommentGroup) string {
		from := n.Pos()
		if doc != nil {
			from = doc.Pos()
		}
		return text[files.Position(from).Offset:files.Position(n.End()).Offset]
	}
	for _, d := range file.Decls {
		if !covers(d) {
			continue
		}
		switch d := d.(type) {
		case *ast.FuncDecl:
			return cut(d, d.Doc)
		case *ast.GenDecl:
			// A declaration without brackets is whole; of a group only the line that declares
			// the name is of interest, and it lacks the keyword.
			if !d.Lparen.IsValid() {
				return cut(d, d.Doc)
			}
			for _, spec := range d.Specs {
				if covers(spec) {
					return d.Tok.String() + " " + cut(spec, nil)
				}
			}
		}
	}
	return ""
}
