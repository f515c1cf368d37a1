package words_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl/words"
)

// places are those that words.tsv may name.
var places = strings.Fields("torch Tensor Module Settings Optim Scheduler Schedule Step Loader Batch Dataset Loss number bool " +
	"init transforms datasets models torchvision numpy pyplot board python keyword axis operator syntax misfit")

// TestTable finds lines that are no entries, and names that two lines have.
func TestTable(t *testing.T) {
	text, err := os.ReadFile("words.tsv")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSuffix(line, "\n"); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		n++
		cells := strings.Split(line, "\t")
		if len(cells) != 4 || !slices.Contains(places, cells[0]) || cells[2] != "yes" && cells[2] != "no" || cells[3] == "" {
			t.Errorf("no entry: %q", line)
		}
	}
	if got := len(words.All()); got != n {
		t.Errorf("%d entries of %d lines", got, n)
	}
	seen := map[string]bool{}
	for _, w := range words.All() {
		for _, name := range w.Names {
			key := w.Place + " " + words.Fold(name)
			if seen[key] && !slices.ContainsFunc(w.Names, func(n string) bool { return n != name && words.Fold(n) == words.Fold(name) }) {
				t.Errorf("%s %s has two entries", w.Place, name)
			}
			seen[key] = true
		}
		if strings.Count(w.Text, "`")%2 != 0 {
			t.Errorf("%s %s: a back quote is not closed", w.Place, w.Names[0])
		}
	}
}

// holts are Holt's packages by their names, and the names of all methods and fields
// of their types.
func holts(t *testing.T) (packages map[string]*types.Package, members map[string]bool) {
	t.Helper()
	const module = "github.com/holt-dl/holt/"
	paths := map[string]string{"dl": module + "dl", "vision": module + "dl/vision", "models": module + "dl/vision/models",
		"board": module + "dl/board", "display": module + "display"}
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", paths["dl"], paths["vision"], paths["models"], paths["board"], paths["display"])
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		exports[path] = file
	}
	imports := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	packages, members = map[string]*types.Package{}, map[string]bool{}
	for name, path := range paths {
		p, err := imports.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		packages[name] = p
		for _, n := range p.Scope().Names() {
			obj, ok := p.Scope().Lookup(n).(*types.TypeName)
			if !ok {
				continue
			}
			for m := range types.NewMethodSet(types.NewPointer(obj.Type())).Methods() {
				members[m.Obj().Name()] = true
			}
			switch u := obj.Type().Underlying().(type) {
			case *types.Struct:
				for v := range u.Fields() {
					members[v.Name()] = true
				}
			case *types.Interface:
				for m := range u.Methods() {
					members[m.Name()] = true
				}
			}
		}
	}
	return packages, members
}

// TestTargetsExist looks up each name that the table's code takes from Holt's
// packages, and each method.
func TestTargetsExist(t *testing.T) {
	packages, members := holts(t)
	std := []string{"math", "rand", "rng", "slices", "fmt", "os", "graph"}
	checked := 0
	for _, w := range words.All() {
		for _, code := range w.Code() {
			code = words.Word{Text: "`" + code + "`"}.Say("x", "")
			f, err := parser.ParseFile(token.NewFileSet(), "", "package p; func _() {\n"+code+"\n}", parser.SkipObjectResolution)
			if err != nil { // a function
				f, err = parser.ParseFile(token.NewFileSet(), "", "package p\n"+code+"\n", parser.SkipObjectResolution)
			}
			if err != nil {
				t.Errorf("%s %s: %s: %v", w.Place, w.Names[0], code, err)
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				x, isName := s.X.(*ast.Ident)
				what := fmt.Sprintf("%s %s: `%s`", w.Place, w.Names[0], code)
				switch {
				case isName && packages[x.Name] != nil:
					if packages[x.Name].Scope().Lookup(s.Sel.Name) == nil {
						t.Errorf("%s: there is no %s.%s", what, x.Name, s.Sel.Name)
					}
				case isName && slices.Contains(std, x.Name):
				case !members[s.Sel.Name]:
					t.Errorf("%s: nothing has a method or field %s", what, s.Sel.Name)
				}
				checked++
				return true
			})
		}
	}
	if checked < 500 {
		t.Errorf("only %d names were looked up", checked)
	}
}

// TestNotebook looks up what the notebook for PyTorch's users writes in its table.
func TestNotebook(t *testing.T) {
	packages, members := holts(t)
	text, err := os.ReadFile("../../notebooks/for-pytorch-users.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	var notebook struct {
		Cells []struct {
			Type   string          `json:"cell_type"`
			Source json.RawMessage `json:"source"`
		}
	}
	if err := json.Unmarshal(text, &notebook); err != nil {
		t.Fatal(err)
	}
	selector := regexp.MustCompile(`(?:\b(\w+)|[)}\]])\.([A-Z]\w*)`)
	n := 0
	for _, c := range notebook.Cells {
		var source string
		var lines []string
		if json.Unmarshal(c.Source, &source) != nil && json.Unmarshal(c.Source, &lines) == nil {
			source = strings.Join(lines, "")
		}
		if c.Type != "markdown" {
			continue
		}
		for line := range strings.Lines(source) {
			cells := strings.Split(line, " | ")
			if len(cells) < 2 || !strings.HasPrefix(line, "| `") {
				continue
			}
			for _, code := range (words.Word{Text: cells[1]}).Code() {
				for _, m := range selector.FindAllStringSubmatch(code, -1) {
					n++
					if p := packages[m[1]]; p != nil && p.Scope().Lookup(m[2]) == nil {
						t.Errorf("the notebook has `%s`, and there is no %s.%s", code, m[1], m[2])
					} else if p == nil && !members[m[2]] && m[1] != "slices" {
						t.Errorf("the notebook has `%s`, and nothing has a method or field %s", code, m[2])
					}
				}
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d names were looked up", n)
	}
}

// TestFind reads the table as messages do.
func TestFind(t *testing.T) {
	for _, tt := range []struct{ place, name, x, args, want string }{
		{"torch", "View", "y", "4, -1", "write y.Reshape(4, -1)"},
		{"torch", "view", "y", "", "write y.Reshape(2, -1)"},
		{"init", "eye_", "x", "", `write model.Param("fc.weight").Set(dl.Eye(64))`},
		{"Loader", "batch_size", "", "", "write loader.BatchSize"},
	} {
		w, ok := words.Find(tt.name, "board", tt.place)
		if got := w.Say(tt.x, tt.args); !ok || got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.place, tt.name, got, tt.want)
		}
	}
	if _, ok := words.Find("nothing", places...); ok || words.Known("nothing") || !words.Known("layer_norm") || !words.Known("LayerNorm") {
		t.Error("a name is found that is not there, or not one that is")
	}
	if w, _ := words.Find("Softplus", "torch"); w.Spells("softplus") || !w.Spells("Softplus") {
		t.Error("a layer is spelt as its function")
	}
}
