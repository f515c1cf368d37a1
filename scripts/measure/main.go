// Measure prints how the kernel's code is made, at each commit that is named, or in
// the working tree:
//
//	go run ./scripts/measure [-in kernel,kernel/cell,dl] [COMMIT...]
//
// For each folder, with the packages below it and without tests: packages, files,
// lines, the share of lines that are comments, the files that use one another in a
// circle (the largest circle of each package, summed), and the functions whose
// cyclomatic complexity is above 15, with the highest three. Then, how often
// kernel/cell calls go/parser for a few cells.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	in := flag.String("in", "kernel,kernel/cell", "folders to measure, with commas between them")
	flag.Parse()
	if err := run(flag.Args(), strings.Split(*in, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func run(commits, folders []string) error {
	if len(commits) == 0 {
		return measure(".", "working tree", folders)
	}
	for _, commit := range commits {
		if err := at(commit, folders); err != nil {
			return err
		}
	}
	return nil
}

// at measures a commit in a work tree of its own.
func at(commit string, folders []string) error {
	name, err := output(".", "git", "log", "-1", "--format=%h", commit)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "measure-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tree := filepath.Join(dir, "tree")
	if _, err := output(".", "git", "worktree", "add", "--detach", tree, commit); err != nil {
		return err
	}
	defer output(".", "git", "worktree", "remove", "--force", tree)
	return measure(tree, strings.TrimSpace(string(name)), folders)
}

func measure(dir, name string, folders []string) error {
	for _, folder := range folders {
		f, err := measureFolder(dir, folder)
		if err != nil {
			return err
		}
		fmt.Printf("%s %s: %v\n", name, folder, f)
	}
	counts, err := parses(dir)
	if err != nil {
		return err
	}
	fmt.Printf("%s parses: %s\n", name, counts)
	return nil
}

// figures are what is counted in a folder.
type figures struct {
	packages, files int
	lines, comments int
	circle          int // files in the largest circle of each package
	complex         int // functions with a complexity above tooComplex
	functions       []function
}

const tooComplex = 15

type function struct {
	name       string
	complexity int
}

func (f figures) String() string {
	slices.SortStableFunc(f.functions, func(a, b function) int { return cmp.Compare(b.complexity, a.complexity) })
	var top []string
	for _, fn := range f.functions[:min(3, len(f.functions))] {
		top = append(top, fmt.Sprintf("%s %d", fn.name, fn.complexity))
	}
	return fmt.Sprintf("%d packages, %d files, %d lines, %d %% comments; %d files in circles; %d functions above complexity %d: %s, …",
		f.packages, f.files, f.lines, 100*f.comments/max(f.lines, 1), f.circle, f.complex, tooComplex, strings.Join(top, ", "))
}

// listed is what go list says of a package.
type listed struct {
	Dir, ImportPath, Export string
	GoFiles                 []string
	DepOnly                 bool
}

func measureFolder(dir, folder string) (figures, error) {
	out, err := output(dir, "go", "list", "-export", "-deps", "-json=Dir,ImportPath,Export,GoFiles,DepOnly", "./"+folder+"/...")
	if err != nil {
		return figures{}, err
	}
	exports := map[string]string{}
	var pkgs []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p listed
		if err := dec.Decode(&p); err != nil {
			return figures{}, err
		}
		exports[p.ImportPath] = p.Export
		if !p.DepOnly {
			pkgs = append(pkgs, p)
		}
	}
	var f figures
	for _, p := range pkgs {
		fset := token.NewFileSet()
		var files []*ast.File
		for _, name := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				return figures{}, err
			}
			file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
			if err != nil {
				return figures{}, err
			}
			files = append(files, file)
			f.lines += bytes.Count(text, []byte("\n"))
			for _, group := range file.Comments {
				f.comments += fset.Position(group.End()).Line - fset.Position(group.Pos()).Line + 1
			}
			f.functions = append(f.functions, functions(file)...)
		}
		uses, err := fileUses(fset, p.ImportPath, files, exports)
		if err != nil {
			return figures{}, err
		}
		if n := largestCircle(uses); n > 1 {
			f.circle += n
		}
		f.packages++
		f.files += len(files)
	}
	for _, fn := range f.functions {
		if fn.complexity > tooComplex {
			f.complex++
		}
	}
	return f, nil
}

// functions lists the functions of a file with their cyclomatic complexity: one, and
// one for each branch, loop, case, && and ||.
func functions(f *ast.File) (list []function) {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		n := 1
		ast.Inspect(fn, func(x ast.Node) bool {
			switch x := x.(type) {
			case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt:
				n++
			case *ast.CaseClause:
				if x.List != nil {
					n++
				}
			case *ast.CommClause:
				if x.Comm != nil {
					n++
				}
			case *ast.BinaryExpr:
				if x.Op == token.LAND || x.Op == token.LOR {
					n++
				}
			}
			return true
		})
		list = append(list, function{f.Name.Name + "." + fn.Name.Name, n})
	}
	return list
}

// fileUses finds the files of a package whose declarations a file uses.
func fileUses(fset *token.FileSet, path string, files []*ast.File, exports map[string]string) (map[string][]string, error) {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{
		Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }),
		Error:    func(error) {}, // files of cgo lack what cmd/cgo adds
	}
	pkg, _ := conf.Check(path, fset, files, info)
	uses := map[string][]string{}
	for _, f := range files {
		uses[fset.Position(f.Package).Filename] = nil
	}
	for id, obj := range info.Uses {
		if obj.Pkg() != pkg || !obj.Pos().IsValid() {
			continue
		}
		from, to := fset.Position(id.Pos()).Filename, fset.Position(obj.Pos()).Filename
		if from != to && !slices.Contains(uses[from], to) {
			uses[from] = append(uses[from], to)
		}
	}
	return uses, nil
}

// largestCircle is the size of the largest set of nodes of which each reaches each
// other, by Tarjan's algorithm.
func largestCircle(arrows map[string][]string) int {
	index, low, onStack := map[string]int{}, map[string]int{}, map[string]bool{}
	var stack []string
	largest := 0
	var visit func(string)
	visit = func(v string) {
		index[v] = len(index) + 1
		low[v] = index[v]
		stack = append(stack, v)
		onStack[v] = true
		for _, w := range arrows[v] {
			if index[w] == 0 {
				visit(w)
				low[v] = min(low[v], low[w])
			} else if onStack[w] {
				low[v] = min(low[v], index[w])
			}
		}
		if low[v] != index[v] {
			return
		}
		at := slices.Index(stack, v)
		for _, w := range stack[at:] {
			onStack[w] = false
		}
		largest = max(largest, len(stack)-at)
		stack = stack[:at]
	}
	for v := range arrows {
		if index[v] == 0 {
			visit(v)
		}
	}
	return largest
}

// counter is put beside kernel/cell's tests.
const counter = `package cell

import (
	"context"
	"fmt"
	"go/parser"
	"strings"
	"testing"
)

func TestMeasureParses(t *testing.T) {
	nb := New(newStdPackages())
	var list []string
	for i, text := range []string{"x := 1", "x + 1", "fmt.Println(x)", "type T struct{ n int }\nfunc (t T) Get() int { return t.n }\nt := T{3}\nt.Get()", "x = 5; fmt.Println(t)"} {
		before := parser.Parses
		p, err := nb.Check(context.Background(), Source{Name: fmt.Sprintf("cell[%d]", i+1), Text: text})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf("%q %d", text, parser.Parses-before))
		p.Commit(-1)
	}
	fmt.Println("parses:", strings.Join(list, ", "))
}
`

// parses counts the files that kernel/cell has parsed for a few cells: its tests are
// built with a go/parser that counts.
func parses(dir string) (string, error) {
	root, err := output(dir, "go", "env", "GOROOT")
	if err != nil {
		return "", err
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "go", "parser", "interface.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	const head = "func ParseFile("
	if bytes.Count(text, []byte(head)) != 1 {
		return "", fmt.Errorf("%s has no %q", source, head)
	}
	counted := strings.Replace(string(text), head, "func parseFile(", 1) +
		"\nvar Parses int\n\nfunc ParseFile(fset *token.FileSet, filename string, src any, mode Mode) (*ast.File, error) {\n\tParses++\n\treturn parseFile(fset, filename, src, mode)\n}\n"
	tmp, err := os.MkdirTemp("", "measure-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	replace := map[string]string{source: counted, filepath.Join(dir, "kernel", "cell", "measure_test.go"): counter}
	overlay := map[string]map[string]string{"Replace": {}}
	for to, text := range replace {
		file := filepath.Join(tmp, filepath.Base(to))
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return "", err
		}
		overlay["Replace"][to] = file
	}
	list, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	file := filepath.Join(tmp, "overlay.json")
	if err := os.WriteFile(file, list, 0o644); err != nil {
		return "", err
	}
	out, err := output(dir, "go", "test", "-vet=off", "-count=1", "-overlay="+file, "-run=^TestMeasureParses$", "-v", "./kernel/cell")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(out)) {
		if counts, ok := strings.CutPrefix(line, "parses: "); ok {
			return strings.TrimSpace(counts), nil
		}
	}
	return "", fmt.Errorf("go test printed no count:\n%s", out)
}

// output runs a program in a folder and returns what it prints. The error has what
// it printed as errors.
func output(dir, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, stderr.Bytes(), out)
	}
	return out, nil
}
