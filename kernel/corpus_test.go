package kernel_test

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/session"
)

// TestCorpus runs the programs of testdata/corpus once as Go programs and once
// as notebooks, cut into cells at random places, and compares what they print.
// HOLT_SEEDS says how often each is cut, 1 when it is empty; a failure names
// the seed.
//
// A program is cut between declarations, and between the statements of main,
// but not above a comment // together. It declares what it uses before it uses
// it, prints to standard output alone, and main has no defer.
func TestCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the host program")
	}
	files, err := filepath.Glob("testdata/corpus/*.go")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d programs, want 40 and more (%v)", len(files), err)
	}
	want := runPrograms(t, files)
	out := &stdout{}
	s, err := session.Open(session.Options{Source: holt.Source, Dir: t.TempDir(), Version: "test"}, out)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	seeds, _ := strconv.Atoi(os.Getenv("HOLT_SEEDS"))
	count := 0
	for i, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".go")
		t.Run(name, func(t *testing.T) {
			for k := range max(seeds, 1) {
				seed := uint64(i + 1000*k)
				cells := cut(t, file, rand.New(rand.NewPCG(seed, 0)))
				for i, c := range append([]string{"%reset"}, cells...) {
					if i == 1 {
						out.buf.Reset()
					}
					count++
					ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
					f := s.Execute(ctx, session.Request{Code: c, Count: count})
					cancel()
					if f != nil {
						t.Fatalf("seed %d: %s\n--- of the cells\n%s", seed, ansi.ReplaceAllString(strings.Join(f.Traceback, "\n"), ""), strings.Join(cells, "\n---\n"))
					}
				}
				if got := packageName.ReplaceAllString(out.buf.String(), "main."); got != want[name] {
					t.Errorf("seed %d: the cells print\n%s\nthe program prints\n%s\n--- the cells\n%s", seed, got, want[name], strings.Join(cells, "\n---\n"))
				}
			}
		})
	}
}

// packageName is the name of a cell's package, as %T prints it.
var packageName = regexp.MustCompile(`\bc[0-9]+\.`)

// stdout keeps what cells print; the values of their last lines are no output
// of the program.
type stdout struct{ buf bytes.Buffer }

func (o *stdout) Stream(name string, p []byte) {
	if name == "stdout" {
		o.buf.Write(p)
	}
}

func (o *stdout) Frame(frame.Message) {}

// runPrograms returns the output of each program, by name.
func runPrograms(t *testing.T, files []string) map[string]string {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module corpus\n\ngo 1.26\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sub := filepath.Join(dir, strings.TrimSuffix(filepath.Base(file), ".go"))
		if err := os.Mkdir(sub, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sub, "main.go"), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(dir, "bin")+"/", "./...")
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := map[string]string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".go")
		out, err := exec.Command(filepath.Join(dir, "bin", name)).Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want[name] = string(out)
	}
	return want
}

// cut takes a program apart into cells: declarations, then the statements of
// main, with about every fourth place a cut.
func cut(t *testing.T, file string, r *rand.Rand) []string {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	off := func(p token.Pos) int { return fset.Position(p).Offset }
	var pieces []string
	at := off(f.Name.End())
	var main *ast.BlockStmt
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name == "main" {
			main = fn.Body
			continue
		}
		if main != nil { // what stands behind main comes before it in a notebook
			pieces = append(pieces, string(text[off(d.Pos()):off(d.End())]))
			continue
		}
		pieces = append(pieces, string(text[at:off(d.End())]))
		at = off(d.End())
	}
	at = off(main.Lbrace) + 1
	for _, st := range main.List {
		pieces = append(pieces, string(text[at:off(st.End())]))
		at = off(st.End())
	}
	pieces = append(pieces, string(text[at:off(main.Rbrace)]))
	cells := []string{""}
	for _, p := range pieces {
		if r.IntN(4) == 0 && !strings.Contains(p, "// together") && strings.TrimSpace(cells[len(cells)-1]) != "" {
			cells = append(cells, "")
		}
		cells[len(cells)-1] += p + "\n"
	}
	return cells
}

// TestCut checks that no text of a program is lost.
func TestCut(t *testing.T) {
	cells := cut(t, "testdata/corpus/state.go", rand.New(rand.NewPCG(1, 2)))
	all := strings.Join(cells, "")
	for _, want := range []string{"type machine struct", "// together\nfunc number", "m := &machine{input: \"12 + 3*456\"}", "fmt.Println(m2.run(), m2.pos)"} {
		if strings.Count(all, want) != 1 {
			t.Errorf("%q is not there once:\n%s", want, all)
		}
	}
	if len(cells) < 3 {
		t.Error(fmt.Sprint(len(cells), " cells, want several"))
	}
}
