package export_test

import (
	"bytes"
	"context"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/notebook/export"
	"github.com/holt-dl/holt/kernel/notebook/ipynb"
	"github.com/holt-dl/holt/kernel/session"
	"github.com/holt-dl/holt/kernel/session/modules"
)

// world is the one that the kernel's own tests use too.
func world(t *testing.T) *build.World {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the host program")
	}
	w, err := build.Open(t.Context(), build.Options{Source: holt.Source})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func read(t *testing.T, file string) *ipynb.Notebook {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	nb := &ipynb.Notebook{Minor: 5}
	if text := strings.TrimPrefix(string(archive.Comment), "# "); text != "" {
		nb.Cells = append(nb.Cells, &ipynb.Cell{Type: ipynb.Markdown, Source: text})
	}
	for _, f := range archive.Files {
		nb.Cells = append(nb.Cells, &ipynb.Cell{Type: ipynb.Code, Source: strings.TrimSuffix(string(f.Data), "\n")})
	}
	return nb
}

// printed keeps what a notebook shows as a program would print it.
type printed struct {
	mu sync.Mutex
	bytes.Buffer
}

func (p *printed) Stream(name string, text []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if name == "stdout" {
		p.Write(text)
	}
}

func (p *printed) Frame(m frame.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.Bundle == nil {
		return
	}
	if text, ok := m.Bundle.Data["text/plain"].(string); ok && !strings.HasPrefix(text, "holt: ") {
		fmt.Fprintln(p, text)
	}
}

// notebook runs the cells in a kernel's session and returns what they show.
func notebook(t *testing.T, nb *ipynb.Notebook) string {
	t.Helper()
	var out printed
	dir := t.TempDir()
	s, err := session.Open(session.Options{Source: holt.Source, Dir: dir, Version: "test"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := 0
	for _, c := range nb.Cells {
		if c.Type != ipynb.Code {
			continue
		}
		n++
		if f := s.Execute(context.Background(), session.Request{Code: c.Source, Count: n}); f != nil {
			t.Fatalf("cell %d fails in the notebook:\n%s", n, strings.Join(f.Traceback, "\n"))
		}
	}
	return strings.ReplaceAll(out.String(), dir, "DIR")
}

// program exports the notebook, builds and vets the program and returns what it prints.
func program(t *testing.T, w *build.World, nb *ipynb.Notebook, name string) string {
	t.Helper()
	p, err := export.Write(t.Context(), nb, name, modules.NewPackages(w, func() string { return "" }))
	if err != nil {
		t.Fatal(err)
	}
	for file, text := range p.Files {
		if formatted, err := format.Source(text); err != nil || !bytes.Equal(formatted, text) {
			t.Errorf("%s is not formatted: %v", file, err)
		}
	}
	dir := t.TempDir()
	if err := p.Save(t.Context(), dir, export.Module{Modfile: w.Modfile(), Go: w.Toolchain().Go, Source: holt.Source}); err != nil {
		t.Fatal(err)
	}
	goCommand := func(args ...string) {
		cmd := exec.Command(w.Toolchain().Go, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s\n%s", strings.Join(args, " "), err, out, p.Files["main.go"])
		}
	}
	goCommand("vet", "-unsafeptr=false", ".")
	goCommand("build", "-o", "program", ".")
	cmd := exec.Command(filepath.Join(dir, "program"))
	cmd.Dir = t.TempDir()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the program: %v\n%s%s\n%s", err, out, stderr.Bytes(), p.Files["main.go"])
	}
	if os.Getenv("HOLT_DEBUG") != "" {
		t.Logf("%s", p.Files["main.go"])
	}
	return strings.ReplaceAll(string(out), cmd.Dir, "DIR")
}

// controls is what stands for controls in a notebook that is read as text: a program has none.
var controls = regexp.MustCompile(`(?m)^controls: .*\n`)

// Every notebook in testdata prints as a program what it prints as a notebook.
func TestSameAsNotebook(t *testing.T) {
	w := world(t)
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) < 10 {
		t.Fatalf("%d notebooks in testdata, want them all", len(files))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			nb := read(t, file)
			want := controls.ReplaceAllString(notebook(t, nb), "")
			if want == "" {
				t.Fatal("the notebook shows nothing")
			}
			if got := program(t, w, nb, name); got != want {
				t.Errorf("the program prints\n%s\nthe notebook\n%s", got, want)
			}
		})
	}
}

// Where there is no host, as on a laptop that is no Linux, every notebook becomes the program that
// it is with one. Only the names of C need a compiler of Linux.
func TestWithoutHost(t *testing.T) {
	host := world(t)
	w, err := build.Open(t.Context(), build.Options{Source: holt.Source, NoHost: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := os.Stat(w.Host()); err == nil {
		t.Errorf("%s was built", w.Host())
	}
	notebooks := map[string]*ipynb.Notebook{}
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		notebooks[file] = read(t, file)
	}
	course, _ := filepath.Glob("../../../notebooks/*.ipynb")
	for _, file := range course {
		nb, err := ipynb.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		notebooks[filepath.Base(file)] = nb
	}
	if len(files) < 10 || len(course) < 20 {
		t.Fatalf("%d notebooks in testdata and %d of the course, want them all", len(files), len(course))
	}
	for name, nb := range notebooks {
		t.Run(name, func(t *testing.T) {
			var got [2]*export.Program
			var errs [2]error
			for i, w := range []*build.World{host, w} {
				got[i], errs[i] = export.Write(t.Context(), nb, "n", modules.NewPackages(w, func() string { return "" }))
			}
			if fmt.Sprint(errs[0]) != fmt.Sprint(errs[1]) || !reflect.DeepEqual(got[0], got[1]) {
				t.Errorf("without a host it is\n%v, %+v\nwith one\n%v, %+v", errs[1], got[1], errs[0], got[0])
			}
		})
	}
	c := &ipynb.Notebook{Cells: []*ipynb.Cell{{Type: ipynb.Code, Source: "// int one(void) { return 1; }\nimport \"C\"\nfmt.Println(C.one())"}}}
	_, err = export.Write(t.Context(), c, "c", modules.NewPackages(w, func() string { return "" }))
	if want := `a cell imports "C", whose names only a C compiler for Linux knows; export the notebook on the machine that its kernel runs on`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("C code: %v, want %s", err, want)
	}
}

// The error of a call inside of a statement ends the program, which names its line.
func TestInnerError(t *testing.T) {
	w := world(t)
	nb := &ipynb.Notebook{Cells: []*ipynb.Cell{{Type: ipynb.Code, Source: "fmt.Println(\"before\")\nfor _, s := range []string{\"5\", \"six\"} {\n\tfmt.Println(max(1, strconv.Atoi(s)))\n}"}}}
	p, err := export.Write(t.Context(), nb, "inner", modules.NewPackages(w, func() string { return "" }))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := p.Save(t.Context(), dir, export.Module{Modfile: w.Modfile(), Go: w.Toolchain().Go, Source: holt.Source}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(w.Toolchain().Go, "run", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	at := strings.Count(strings.Split(string(p.Files["main.go"]), "must(strconv.Atoi(s))")[0], "\n") + 1
	if want := fmt.Sprintf("main.go:%d: strconv.Atoi: parsing \"six\": invalid syntax\n", at); err == nil || string(out) != "before\n5\n" || !strings.HasPrefix(stderr.String(), want) {
		t.Errorf("the program ends with %v and prints %q and %q, want an error, before and 5, and %q", err, out, stderr.String(), want)
	}
}

// The quickstart is a program that builds. What it prints depends on the
// training, so that running it is for a person.
func TestQuickstart(t *testing.T) {
	w := world(t)
	nb, err := ipynb.ReadFile("../../../notebooks/quickstart.ipynb")
	if err != nil {
		t.Fatal(err)
	}
	p, err := export.Write(t.Context(), nb, "Quick start!", modules.NewPackages(w, func() string { return "" }))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Warnings) > 0 || p.Name != "quick-start" {
		t.Errorf("name %q, warnings %q", p.Name, p.Warnings)
	}
	dir := t.TempDir()
	if err := p.Save(t.Context(), dir, export.Module{Modfile: w.Modfile(), Go: w.Toolchain().Go, Source: holt.Source}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(w.Toolchain().Go, "vet", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go vet: %v\n%s\n%s", err, out, p.Files["main.go"])
	}
	main := string(p.Files["main.go"])
	for _, want := range []string{
		"// # Quickstart: train a network in Go\n",
		"\ttest, err := vision.CIFAR10{Root: \"data\", OrSample: true}.Open()\n\tif err != nil {\n\t\treturn fmt.Errorf(\"cell 2: %w\", err)\n\t}\n",
		"// firstBatch returns the next batch that a loader makes.\nfunc firstBatch(l *dl.DataLoader) dl.Batch {\n",
		"\tif err := run.Wait(); err != nil {\n",
		"Download: false, // true brings the whole set, 162 MB\n",
	} {
		if !strings.Contains(main, want) {
			t.Errorf("main.go lacks\n%s", want)
		}
	}
}

func TestModule(t *testing.T) {
	w := world(t)
	nb := &ipynb.Notebook{Cells: []*ipynb.Cell{{Type: ipynb.Code, Source: "display.Table{}"}}}
	p, err := export.Write(t.Context(), nb, "n", modules.NewPackages(w, func() string { return "" }))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, release string
		has, not      []string
	}{
		{"from a checkout", "", []string{"module notebook/n\n", "require github.com/holt-dl/holt v0.0.0\n", "replace github.com/holt-dl/holt => ./holt\n", "gonum.org/v1/plot v0.17.0\n"}, []string{"zmq4", "chroma"}},
		{"of a release", "v1.2.3", []string{"require github.com/holt-dl/holt v1.2.3\n"}, []string{"replace"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := p.Save(t.Context(), dir, export.Module{Modfile: w.Modfile(), Go: w.Toolchain().Go, Release: tt.release, Source: holt.Source}); err != nil {
				t.Fatal(err)
			}
			mod, _ := os.ReadFile(filepath.Join(dir, "go.mod"))
			for _, want := range tt.has {
				if !strings.Contains(string(mod), want) {
					t.Errorf("go.mod lacks %s\n%s", want, mod)
				}
			}
			for _, no := range tt.not {
				if strings.Contains(string(mod), no) && tt.release == "" || no == "replace" && strings.Contains(string(mod), no) {
					t.Errorf("go.mod has %s\n%s", no, mod)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "holt", "kernel")); err == nil {
				t.Error("the kernel was copied")
			}
		})
	}
}

func TestSaveKeepsOtherPrograms(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	err := (&export.Program{}).Save(t.Context(), dir, export.Module{})
	if want := "export: " + dir + " holds a main.go that holt export did not write; name another folder with -o"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestWarningsAndErrors(t *testing.T) {
	w := world(t)
	tests := []struct{ name, cell, tag, warning, err string }{
		{"a command", "%list\nfmt.Println(1)", "", "cell 1: %list has no counterpart in a program: it is a comment there", ""},
		{"a cell for another program", "%%script python3\nprint(1)", "", "cell 1: the cell that begins with %%script python3 has no counterpart in a program: it is a comment there", ""},
		{"a cell that may fail", "panic(1)", "raises-exception", "cell 1: it may fail, as its tag raises-exception says: its error ends the program", ""},
		{"a cell that does not compile and may", "undefinedName()", "raises-exception", "cell 1: it does not compile, as its tag raises-exception allows: the program leaves it out", ""},
		{"a cell that does not compile", "x := 1\nx = undefinedName", "", "", "export: cell 1 cannot be written as a program: cell[1]:2:5: undefined: undefinedName"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &ipynb.Cell{Type: ipynb.Code, Source: tt.cell}
			if tt.tag != "" {
				c.Metadata = map[string]any{"tags": []any{tt.tag}}
			}
			p, err := export.Write(t.Context(), &ipynb.Notebook{Cells: []*ipynb.Cell{c}}, "n", modules.NewPackages(w, func() string { return "" }))
			switch {
			case tt.err != "":
				if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
					t.Errorf("got  %v\nwant %s", err, tt.err)
				}
			case err != nil:
				t.Error(err)
			case strings.Join(p.Warnings, "|") != tt.warning:
				t.Errorf("got  %q\nwant %q", p.Warnings, tt.warning)
			}
		})
	}
}

// A question about a name is a comment in the program.
func TestQuestion(t *testing.T) {
	w := world(t)
	cells := []*ipynb.Cell{{Type: ipynb.Code, Source: "strings.ToUpper??\nfmt.Println(1)"}, {Type: ipynb.Code, Source: "?fmt"}}
	p, err := export.Write(t.Context(), &ipynb.Notebook{Cells: cells}, "n", modules.NewPackages(w, func() string { return "" }))
	if err != nil {
		t.Fatal(err)
	}
	main := string(p.Files["main.go"])
	for _, want := range []string{"// strings.ToUpper??\n", "fmt.Println(1)\n", "// fmt?\n"} {
		if !strings.Contains(main, want) {
			t.Errorf("no %q in\n%s", want, main)
		}
	}
}
