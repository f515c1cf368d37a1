package session

import (
	"context"
	"fmt"
	"go/doc"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/cell/parse"
)

// gotestPath is the package that runs tests in the host with package testing's own runner, and
// does what go test's generated main would, without the end of the process.
const gotestPath = "github.com/holt-dl/holt/kernel/host/gotest"

// testKinds are the functions that go test runs, in the fields of gotest.Set. A function counts
// by its name and its type, as cmd/go has it; the type is matched as %list shows it, with or
// without the parameter's name.
var testKinds = []struct {
	prefix, field string
	fn            string // the field of an entry that holds the function
	typ           *regexp.Regexp
}{
	{"Test", "Tests", "F", regexp.MustCompile(`^func\((\w+ )?\*testing\.T\)$`)},
	{"Benchmark", "Benchmarks", "F", regexp.MustCompile(`^func\((\w+ )?\*testing\.B\)$`)},
	{"Fuzz", "Fuzz", "Fn", regexp.MustCompile(`^func\((\w+ )?\*testing\.F\)$`)},
	{"Example", "Examples", "F", regexp.MustCompile(`^func\(\)$`)},
}

// test runs the notebook's tests in the host. Without flags it runs those that the cell
// declares, or all tests where it declares none.
//
// The run is a program of its own, with the name of those that no cell holds, which is checked
// and built as any cell:
//
//	import holt_gotest "github.com/holt-dl/holt/kernel/host/gotest"
//	holt_gotest.Set{
//		Tests: holt_gotest.Tests{{Name: "TestX", F: TestX}},
//	}.Run([]string{"-test.v", "-test.run=^(TestX)$"})
//
// So tests see the values of the notebook and an interrupt ends them. The import is forgotten
// again at the end.
func (s *Session) test(ctx context.Context, text string, flags []string) error {
	if err := s.restartHost(ctx); err != nil {
		return err
	}
	found := map[string][]string{} // field of gotest.Set → functions
	// Stage 1: what the notebook declares, sorted by kind. A function of the right name and
	// another type is no test.
	for _, d := range s.nb.Declarations() {
		if d.Name == "TestMain" {
			commands{s}.Warn("holt: %test: TestMain is not called: it would end the process that holds the notebook's values\n")
			continue
		}
		for _, k := range testKinds {
			if d.Kind == "func" && isTest(d.Name, k.prefix) && k.typ.MatchString(d.Type) {
				found[k.field] = append(found[k.field], d.Name)
			}
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("%%test: the notebook declares no tests, want functions such as func TestX(t *testing.T)")
	}
	// Stage 2: which of them run.
	if flags == nil {
		flags = chooseTests(text, found)
	}
	// %test "" asks for all with no flags at all: flags that are not nil, and are empty.
	flags = slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return f == "" })
	// Stage 3: the program that runs them. Its import has a name that no one uses, and is
	// removed with the program's end, or later cells would list it.
	const local = "holt_gotest"
	code := fmt.Sprintf("import %s %q\n%s.Set{%s}.Run(%#v)", local, gotestPath, local, s.testSet(found), flags)
	defer s.nb.Remove(local)
	return s.runCell(ctx, parse.Source{Name: "cell[0]", Text: code})
}

// testSet writes the fields of a gotest.Set. Of the examples it takes those that say what they
// print, as go test only compiles the others.
func (s *Session) testSet(found map[string][]string) string {
	var b strings.Builder
	for _, k := range testKinds {
		names := found[k.field]
		if len(names) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s: holt_gotest.%s{", k.field, k.field)
		if k.prefix == "Example" {
			for _, e := range s.examples() {
				if name := "Example" + e.Name; slices.Contains(names, name) && (e.Output != "" || e.EmptyOutput) {
					fmt.Fprintf(&b, "{Name: %q, F: %s, Output: %q, Unordered: %v}, ", name, name, e.Output, e.Unordered)
				}
			}
			// The loop below is for the other kinds, whose entries have only a name and a
			// function.
			names = nil
		}
		for _, name := range names {
			fmt.Fprintf(&b, "{Name: %q, %s: %s}, ", name, k.fn, name)
		}
		b.WriteString("}, ")
	}
	return b.String()
}

// examples returns the notebook's examples with the output that their comments promise. Go's
// own package doc finds that comment; it wants a file, so all declarations are written as one.
func (s *Session) examples() []*doc.Example {
	f, err := parser.ParseFile(token.NewFileSet(), "", cell.Declarations(s.nb.Scope()), parser.ParseComments)
	if err != nil {
		return nil
	}
	return doc.Examples(f)
}

// chooseTests returns the flags that run what a cell declares. Benchmarks need a flag of their
// own, and with them alone no test is to run, which the pattern ^$ says. A cell that declares
// none leaves the default: all tests.
func chooseTests(text string, found map[string][]string) []string {
	var run, bench []string
	for _, d := range parse.Parse(parse.Source{Text: text}).Declares() {
		for field, names := range found {
			switch {
			case d.Tok != token.FUNC || !slices.Contains(names, d.Name.Name):
			case field == "Benchmarks":
				bench = append(bench, d.Name.Name)
			default:
				run = append(run, d.Name.Name)
			}
		}
	}
	flags := []string{"-test.v"}
	if len(run)+len(bench) > 0 {
		flags = append(flags, "-test.run="+anyOf(run))
	}
	if len(bench) > 0 {
		flags = append(flags, "-test.bench="+anyOf(bench))
	}
	return flags
}

// anyOf returns a regular expression for exactly these names; for none, one that matches
// nothing.
func anyOf(names []string) string {
	if len(names) == 0 {
		return "^$"
	}
	return "^(" + strings.Join(names, "|") + ")$"
}

// isTest reports whether go test takes a name for that of a test: Test, TestX and Test_x, but
// not Testify.
func isTest(name, prefix string) bool {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return false
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return rest == "" || !unicode.IsLower(r)
}
