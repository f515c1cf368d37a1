package programs

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where the notebooks of the programs stand that are shown first.
const gallery = "../notebooks/gallery"

// TestNotebooks checks that each program's notebook holds the declarations of
// NAME/NAME.go letter by letter, so that what its test compares with PyTorch is
// what a person sees and runs; those of the pole that three programs balance, too.
func TestNotebooks(t *testing.T) {
	var notebooks []string
	for _, pattern := range []string{"*/*.ipynb", gallery + "/*.ipynb"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("found %d notebooks by %s: %v", len(found), pattern, err)
		}
		notebooks = append(notebooks, found...)
	}
	for _, path := range notebooks {
		code := cells(t, path)
		name := strings.TrimSuffix(filepath.Base(path), ".ipynb")
		sources := []string{filepath.Join(name, name+".go")}
		if strings.Contains(code, "CartPole") {
			sources = append(sources, "cartpole/cartpole.go")
		}
		for _, source := range sources {
			text, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, source, text, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range file.Decls {
				if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
					continue
				}
				if declaration := string(text[fset.Position(d.Pos()).Offset:fset.Position(d.End()).Offset]); !strings.Contains(code, declaration) {
					t.Errorf("%s has not, letter by letter, this declaration of %s:\n%s", path, source, declaration)
				}
			}
		}
	}
}

// TestWhole checks that each program has its notebook, its test, its script for
// PyTorch and the numbers of that.
func TestWhole(t *testing.T) {
	folders, err := filepath.Glob("*/torch.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		dir := filepath.Dir(f)
		for _, name := range []string{dir + ".go", dir + "_test.go", dir + ".py"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Errorf("%s: %v", dir, err)
			}
		}
		_, here := os.Stat(filepath.Join(dir, dir+".ipynb"))
		_, shown := os.Stat(filepath.Join(gallery, dir+".ipynb"))
		if (here == nil) == (shown == nil) {
			t.Errorf("%s: want one notebook, here (%v) or in the gallery (%v)", dir, here, shown)
		}
	}
}

// cells returns the code of a notebook, without its outputs, which it must not have.
func cells(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var notebook struct {
		Cells []struct {
			Type    string            `json:"cell_type"`
			Source  json.RawMessage   `json:"source"`
			Outputs []json.RawMessage `json:"outputs"`
		} `json:"cells"`
	}
	if err := json.Unmarshal(data, &notebook); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var code strings.Builder
	for _, c := range notebook.Cells {
		if c.Type != "code" {
			continue
		}
		if len(c.Outputs) > 0 {
			t.Errorf("%s: clear its outputs before you commit", path)
		}
		var lines []string
		var whole string
		if err := json.Unmarshal(c.Source, &lines); err != nil {
			if err := json.Unmarshal(c.Source, &whole); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		}
		code.WriteString(whole + strings.Join(lines, "") + "\n")
	}
	return code.String()
}
