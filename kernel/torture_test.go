package kernel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"hash/fnv"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/session"
)

// The tests whose names begin with TestTorture are what make torture runs whole:
// programs of others, in cells. Each has a table in testdata/torture of what it
// leaves out, which says why.

// TestTortureGo runs the programs of Go's own test directory as notebooks, each
// twice: cut before main, and cut in three, the types, the rest and main. In
// cells a program prints what it prints under go run, and does not fail.
//
// It runs a tenth of them, the same every time. HOLT_TORTURE=all runs them all,
// HOLT_TORTURE=left-out those that the table leaves out, and HOLT_TORTURE=NAME,…
// the programs named.
func TestTortureGo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the host program")
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(goroot)), "test")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("this Go came without its tests: %v", err)
	}
	leftOut := readLeftOut(t, "testdata/torture/go.txt")
	var runs []tortureRun
	for _, name := range goPrograms(t, dir) {
		for _, way := range []string{"two", "three"} {
			run := tortureRun{name: name, way: way}
			if run.wanted(os.Getenv("HOLT_TORTURE"), leftOut) {
				runs = append(runs, run)
			}
		}
	}
	if len(runs) == 0 {
		t.Fatalf("HOLT_TORTURE=%s names no program of %s", os.Getenv("HOLT_TORTURE"), dir)
	}
	leftOut.print(os.Getenv("HOLT_TORTURE"))

	next := make(chan tortureRun)
	var wg sync.WaitGroup
	for range min(2, runtime.NumCPU()) {
		n := openTorture(t, dir)
		defer n.s.Close()
		wg.Go(func() {
			for run := range next {
				if err := n.goProgram(dir, run); err != nil {
					t.Errorf("%s, cut in %s: %v", run.name, run.way, err)
				}
			}
		})
	}
	for _, run := range runs {
		next <- run
	}
	close(next)
	wg.Wait()
	t.Logf("%d notebooks of %d programs", len(runs), len(slices.CompactFunc(runs, func(a, b tortureRun) bool { return a.name == b.name })))
}

// A tortureRun is one program, cut in one way.
type tortureRun struct{ name, way string }

// wanted reports whether a run is among those that HOLT_TORTURE asks for.
func (r tortureRun) wanted(which string, out leftOut) bool {
	_, left := out[r]
	switch which {
	case "":
		h := fnv.New32a()
		h.Write([]byte(r.name))
		return h.Sum32()%10 == 0 && !left
	case "all":
		return !left
	case "left-out":
		return left
	}
	return slices.Contains(strings.Split(which, ","), r.name)
}

// leftOut says why a run is left out.
type leftOut map[tortureRun]string

// readLeftOut reads a table of which each line is a program, a way to cut it, or
// both, and the reason.
func readLeftOut(t *testing.T, file string) leftOut {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	out := leftOut{}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		if len(words) < 3 || !slices.Contains([]string{"two", "three", "both"}, words[1]) {
			t.Fatalf("%s:%d: %q; want a program, two, three or both, and a reason", file, i+1, line)
		}
		for _, way := range []string{"two", "three"} {
			if words[1] == way || words[1] == "both" {
				out[tortureRun{words[0], way}] = strings.Join(words[2:], " ")
			}
		}
	}
	return out
}

// print shows the table to the person who asked for all.
func (l leftOut) print(which string) {
	if which != "all" {
		return
	}
	var runs []tortureRun
	for r := range l {
		runs = append(runs, r)
	}
	slices.SortFunc(runs, func(a, b tortureRun) int { return strings.Compare(a.name+a.way, b.name+b.way) })
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "left out\tcut in\twhy")
	for _, r := range runs {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.name, r.way, l[r])
	}
	w.Flush()
}

// goPrograms lists the programs below dir that Go's own tests run as they are,
// without flags or arguments, on this machine.
func goPrograms(t *testing.T, dir string) []string {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && filepath.Ext(path) == ".dir" { // programs of several packages
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		first, rest, _ := strings.Cut(string(text), "\n")
		if strings.TrimSpace(first) != "// run" {
			return nil
		}
		head, _, _ := strings.Cut(rest, "\npackage ")
		for line := range strings.Lines(head) {
			if x, err := constraint.Parse(strings.TrimSpace(line)); err == nil && !x.Eval(buildTag) {
				return nil
			}
		}
		name, err := filepath.Rel(dir, strings.TrimSuffix(path, ".go"))
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil || len(names) < 500 {
		t.Fatalf("%d programs in %s, want 500 and more (%v)", len(names), dir, err)
	}
	return names
}

// buildTag reports whether a build tag holds for a test of Go on this machine.
func buildTag(tag string) bool {
	switch tag {
	case runtime.GOOS, runtime.GOARCH, "gc", "cgo", "goexperiment.regabiargs":
		return true
	}
	return strings.HasPrefix(tag, "go1.") || tag == "unix" && runtime.GOOS != "windows"
}

// goProgram runs a program of Go's tests in cells. It prints what the file beside
// it says, where there is one, or what it prints under go run, which is most
// often nothing.
func (n *torture) goProgram(dir string, run tortureRun) error {
	path := filepath.Join(dir, filepath.FromSlash(run.name))
	text, err := os.ReadFile(path + ".go")
	if err != nil {
		return err
	}
	cells, err := cutInCells(text, run.way)
	if err != nil {
		return err
	}
	stdout, stderr, err := n.run(cells)
	if err != nil {
		return err
	}
	want, err := os.ReadFile(path + ".out")
	if errors.Is(err, fs.ErrNotExist) && stdout+stderr != "" {
		cmd := exec.Command("go", "run", path+".go")
		cmd.Dir = dir
		if want, err = cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go run: %w: %s", err, want)
		}
	}
	if !interleaved(string(want), stdout, stderr) {
		return fmt.Errorf("the cells print\n%s\nand to stderr\n%s\nthe program prints\n%s", stdout, stderr, want)
	}
	return nil
}

// cutInCells cuts a program before main, and for the way "three" also behind its
// types and the constants that types are written with.
func cutInCells(text []byte, way string) ([]string, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	off := func(p token.Pos) int { return fset.Position(p).Offset }
	var typesCell, rest, main strings.Builder
	at := off(f.Name.End())
	for _, d := range f.Decls {
		piece := string(text[at:off(d.End())]) + "\n"
		at = off(d.End())
		to := &rest
		switch d := d.(type) {
		case *ast.GenDecl:
			if way == "three" && (d.Tok == token.TYPE || d.Tok == token.IMPORT || d.Tok == token.CONST) {
				to = &typesCell
			}
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "main" {
				to = &main
			}
		}
		to.WriteString(piece)
	}
	rest.WriteString(string(text[at:]))
	var cells []string
	for _, c := range []string{typesCell.String(), rest.String(), main.String()} {
		if strings.TrimSpace(c) != "" {
			cells = append(cells, c)
		}
	}
	return cells, nil
}

// A torture runs one notebook after the other, each in a host of its own.
type torture struct {
	s     *session.Session
	out   *streams
	count int
}

func openTorture(t *testing.T, dir string) *torture {
	out := &streams{}
	s, err := session.Open(session.Options{Source: holt.Source, Dir: dir, Version: "test"}, out)
	if err != nil {
		t.Fatal(err)
	}
	return &torture{s: s, out: out}
}

// run runs cells in an empty notebook. The error says which failed.
func (n *torture) run(cells []string) (stdout, stderr string, err error) {
	for i, c := range append([]string{"%reset"}, cells...) {
		if i == 1 {
			n.out.reset()
		}
		n.count++
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		f := n.s.Execute(ctx, session.Request{Code: c, Count: n.count})
		cancel()
		stdout, stderr = n.out.text()
		if f != nil {
			return "", "", fmt.Errorf("%s\nthe cells print\n%s\nand to stderr\n%s", ansi.ReplaceAllString(strings.Join(f.Traceback, "\n"), ""), stdout, stderr)
		}
	}
	return stdout, stderr, nil
}

// streams keeps what cells print, without what Holt says beside it.
type streams struct {
	mu             sync.Mutex
	stdout, stderr bytes.Buffer
}

func (o *streams) Stream(name string, p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if name == "stdout" {
		o.stdout.Write(p)
	} else {
		o.stderr.Write(p)
	}
}

func (o *streams) Frame(frame.Message) {}

func (o *streams) reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stdout.Reset()
	o.stderr.Reset()
}

// text returns what was printed since the last reset, with main as the package of
// all cells.
func (o *streams) text() (stdout, stderr string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var kept strings.Builder
	for line := range strings.Lines(o.stderr.String()) {
		if !strings.HasPrefix(line, "holt: ") {
			kept.WriteString(line)
		}
	}
	main := func(s string) string {
		return packageName.ReplaceAllString(strings.ReplaceAll(s, "notebook/c", "c"), "main.")
	}
	return main(o.stdout.String()), main(kept.String())
}

// interleaved reports whether the lines of two streams can have been written in
// such an order that together they are what is wanted.
func interleaved(want, stdout, stderr string) bool {
	a, b := append(strings.SplitAfter(stdout, "\n"), ""), append(strings.SplitAfter(stderr, "\n"), "")
	for line := range strings.Lines(want) {
		switch line {
		case a[0]:
			a = a[1:]
		case b[0]:
			b = b[1:]
		default:
			return false
		}
	}
	return strings.Join(a, "")+strings.Join(b, "") == ""
}
