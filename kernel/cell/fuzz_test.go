package cell

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holt-dl/holt/kernel/cell/parse"
)

// fuzzPackages knows a few packages, fetches none, and has a C compiler that
// knows one function.
type fuzzPackages struct{ *stdPackages }

func (p fuzzPackages) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	for _, known := range guesses {
		if path == known {
			return p.stdPackages.Import(path)
		}
	}
	if path == "runtime/cgo" || path == "syscall" {
		return p.stdPackages.Import(path)
	}
	return nil, fmt.Errorf("package %q is not known", path)
}

func (p fuzzPackages) Add(ctx context.Context, paths []string) error {
	for _, path := range paths {
		if _, err := p.Import(path); err != nil {
			return err
		}
	}
	return nil
}

func (p fuzzPackages) CTypes(ctx context.Context, files []File) (string, error) {
	return "package notebook\n\ntype _Ctype_int int32\n\ntype _Ctype_void [0]byte\n\nfunc _Cfunc_abs(p0 _Ctype_int) (r1 _Ctype_int)\n", nil
}

// fuzzStd is shared: reading export data takes most of the time.
var fuzzStd = sync.OnceValue(newStdPackages)

// FuzzCell runs cells, separated by lines of ---, through the front end. No
// text may make it panic or take long, and what it writes must be Go in which
// every literal stands on the line of the cell that it came from.
//
// Whether that Go compiles is checked with HOLT_FUZZ_TYPES set.
func FuzzCell(f *testing.F) {
	for _, tt := range cellTests {
		f.Add(strings.Join(tt.cells, "\n---\n"))
	}
	for _, tt := range messageTests {
		f.Add(tt.before + "\n---\n" + tt.cell)
	}
	files, _ := filepath.Glob("../testdata/corpus/*.go")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		_, text2, _ := strings.Cut(string(text), "package main\n")
		f.Add(text2)
		f.Add(strings.ReplaceAll(text2, "\n}\n", "\n}\n---\n"))
	}
	f.Add("// #include <stdlib.h>\nimport \"C\"\nn := C.abs(-3)\nfunc f(x C.int) int { return int(C.abs(x)) }\n---\nint(n)")
	strict := os.Getenv("HOLT_FUZZ_TYPES") != ""
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		began := time.Now()
		nb := New(fuzzPackages{fuzzStd()})
		world := generatedWorld{nb: nb, fset: token.NewFileSet(), pkgs: map[string]*types.Package{}}
		cells := strings.Split(text, "\n---\n")
		for i, c := range cells[:min(len(cells), 12)] {
			parse.IsComplete(c)
			parse.Parse(Source{Text: c}).Halves()
			p, err := nb.Check(context.Background(), Source{Name: fmt.Sprintf("cell[%d]", i+1), Text: c})
			if err != nil {
				continue
			}
			for _, file := range p.Files {
				checkLines(t, cells, file)
			}
			if strict {
				world.check(t, p)
			}
			p.Commit(-1 + i%3)
			nb.Source()
			nb.Declarations()
		}
		if p, err := nb.Rebuild(context.Background()); err == nil {
			p.Commit(-1)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

// checkLines compares the literals of generated code with the cells' lines.
func checkLines(t *testing.T, cells []string, file File) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file.Name, file.Text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("%s does not parse: %v\n%s", file.Name, err, file.Text)
	}
	tags := map[*ast.BasicLit]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			tags[n.Tag] = true // of types that are written out
		case *ast.BasicLit:
			if n.Kind == token.INT || tags[n] {
				return true
			}
			pos := fset.Position(n.Pos())
			var number int
			if _, err := fmt.Sscanf(pos.Filename, "cell[%d]", &number); err != nil || number > len(cells) {
				return true
			}
			want, _, _ := strings.Cut(n.Value, "\n")
			lines := strings.Split(cells[number-1], "\n")
			if pos.Line < 1 || pos.Line > len(lines) || !strings.Contains(lines[pos.Line-1], strings.TrimSuffix(want, "\r")) {
				t.Fatalf("%s at %v is not in that line of the cell\n%s", n.Value, pos, file.Text)
			}
		}
		return true
	})
}

// generatedWorld type-checks generated packages as the compiler will.
type generatedWorld struct {
	nb   *Notebook
	fset *token.FileSet
	pkgs map[string]*types.Package
}

func (w *generatedWorld) Import(path string) (*types.Package, error) {
	if p := w.pkgs[path]; p != nil {
		return p, nil
	}
	if path == runtimePath {
		return w.runtime()
	}
	return w.nb.pk.Import(path)
}

func (w *generatedWorld) runtime() (*types.Package, error) {
	names, _ := filepath.Glob("../host/rt/*.go")
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(w.fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	conf := types.Config{Importer: fuzzStd(), IgnoreFuncBodies: true, Error: func(error) {}}
	p, _ := conf.Check(runtimePath, w.fset, files, nil)
	w.pkgs[runtimePath] = p
	return p, nil
}

// beyond are errors that come of C's names, which only cmd/cgo declares.
var beyond = regexp.MustCompile(`_Cfunc|_Ctype|\bC\b|invalid type`)

func (w *generatedWorld) check(t *testing.T, p *Program) {
	var files []*ast.File
	for _, file := range p.Files {
		f, err := parser.ParseFile(w.fset, file.Name, file.Text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	var errs []string
	conf := types.Config{Importer: w, GoVersion: "go1.26", Sizes: sizes, Error: func(err error) {
		if !strings.HasPrefix(err.(types.Error).Msg, "\t") {
			errs = append(errs, err.Error())
		}
	}}
	w.pkgs[p.Path], _ = conf.Check(p.Path, w.fset, files, nil)
	if slices.ContainsFunc(errs, beyond.MatchString) {
		return
	}
	if len(errs) > 0 {
		t.Fatalf("the compiler will say:\n%s\n%s", strings.Join(errs, "\n"), p.Describe())
	}
}
