package dl_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFiniteDifferencesOfAll finds every loss and every layer with weights in
// the sources, by their methods, and wants each among the finite differences.
func TestFiniteDifferencesOfAll(t *testing.T) {
	text, err := os.ReadFile("finite_test.go")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	// Layers without weights are operations of Tensor, which TestFiniteDifferences
	// checks; a Sequential and a Func are what is in them, and so are Transformers.
	// Dropout draws anew.
	others := map[string]bool{"Sequential": true, "Func": true, "Dropout": true, "Dropout2d": true, "Flatten": true, "Tensor": true,
		"TransformerEncoder": true, "TransformerDecoder": true, "Transformer": true}
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Name.Name != "Forward" && fn.Name.Name != "Terms" {
				continue
			}
			typ := fn.Recv.List[0].Type
			if star, ok := typ.(*ast.StarExpr); ok {
				typ = star.X
			}
			id, ok := typ.(*ast.Ident)
			if !ok || !id.IsExported() || others[id.Name] {
				continue
			}
			found++
			if s := string(text); !strings.Contains(s, "dl."+id.Name+"{") && !strings.Contains(s, `"`+id.Name+`":`) {
				t.Errorf("%s: the gradient of %s is not compared with finite differences", file, id.Name)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d layers and losses were found", found)
	}
}
