package cell

import (
	"context"
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/golden"
)

// withDL are packages with a small dl among them, which kernel must not import.
type withDL struct{ *stdPackages }

func (p withDL) Import(path string) (*types.Package, error) {
	if path != "x/dl" {
		return p.stdPackages.Import(path)
	}
	pkg := types.NewPackage("x/dl", "dl")
	for _, name := range []string{"Linear", "Conv2d", "MSELoss"} {
		obj := types.NewTypeName(token.NoPos, pkg, name, nil)
		types.NewNamed(obj, types.NewStruct(nil, nil), nil)
		pkg.Scope().Insert(obj)
	}
	pkg.Scope().Insert(types.NewConst(token.NoPos, pkg, "Version", types.Typ[types.Int], constant.MakeInt64(1)))
	pkg.MarkComplete()
	return pkg, nil
}

func (p withDL) Add(ctx context.Context, paths []string) error { return nil }

func (p withDL) Guess(name string, selected []string) (string, bool) {
	if name == "dl" {
		return "x/dl", true
	}
	return p.stdPackages.Guess(name, selected)
}

func (p withDL) Names() []string { return append(p.stdPackages.Names(), "dl") }

// messageTests are wrong cells, after cells that were run before, which lines of
// --- separate.
var messageTests = []struct{ before, cell string }{
	// Names.
	{"total := 3", "totl + 1"},
	{"", "x := strngs.ToUpper(\"a\")"},
	{"", "strings.ToUper(\"a\")"},
	{"", "strings.toUpper(\"a\")"},
	{"", "fmt.Printline(1)"},
	{"", "var b strings.Builder\nb.WriteStrng(\"a\")"},
	{"type point struct{ x, y int }\np := point{}", "p.X2"},
	{"type point struct{ width int }\np := point{}", "p.widht = 3"},
	{"", "l := nn.Linear{}"},
	{"", "l := torch.nn.Linear(3, 4)"},
	{"", "l := nn.Conv2D{}"},
	{"", "a := np.zeros(3)"},
	{"", "l := dl.Liner{}"},
	{"", "plt.plot(1)"},
	{"", "x := True"},
	{"", "var p *int = None"},
	{"", "x = 3"},
	{"", "y := x + 1\nx := 2"},
	{"", "quux()"},
	// Values that nobody takes.
	{"a, b := 1, 2", "a == b\na++"},
	{"a := 1", "a + 1\na++"},
	{"a := 1", "func f() { a + 1 }"},
	{"", "func f() { n := 1 }"},
	{"", "x := 1\nx := 2"},
	// Types.
	{"n, f := 3, 1.5", "n * f"},
	{"n := int32(3)", "var m int64 = n + int64(1)"},
	{"n := 3", "math.Sqrt(n)"},
	{"n := 3", "math.Sqrt(n * 2)"},
	{"n := 3", "if n { n++ }"},
	{"", "s := \"abc\"\ns[0] = 'x'"},
	{"", "type T struct{ n int }\nm := map[string]T{}\nm[\"a\"].n = 3"},
	{"type Shape interface{ Area() float64 }", "type Sq struct{}\nfunc (s *Sq) Area() float64 { return 1 }\nvar s Shape = Sq{}"},
	{"", "func zero[T any]() (z T) { return }\nzero()"},
	{"func f(a, b int) int { return a }", "f(1)"},
	{"func f() (int, error) { return 1, nil }", "func g() int { x := f(); return x }"},
	{"x := 3", "const c = x + 1"},
	{"", "x := 3\nconst c = x + 1"},
	{"n := 3", "var a [n]int"},
	{"", "func f(b bool) int { if b { return 1 } }"},
	{"", "return 3"},
	{"", "func f() { L: for { } }"},
	// What is no Go.
	{"", "while x < 3 { x++ }"},
	{"", "def f(x):\n\treturn x"},
	{"", "class A:\n\tpass"},
	{"", "import numpy as np"},
	{"", "for x in xs { }"},
	{"x := 1", "if x > 3:\n\tx = 2"},
	{"", "try { f() }"},
	{"", "let x = 3"},
	{"", "f := lambda x: x + 1"},
	{"a := 1", "b := a > 0 ? 1 : 2"},
	{"x := 1", "y := x++"},
	{"", "# a comment"},
	{"", "s := 'abc'"},
	{"", "s := \"abc"},
	{"", "y := 2 ** 3"},
	{"", "xs := [1, 2, 3]"},
	{"", "func f() {\n\tfunc g() {}\n}"},
	{"", "fmt.Println((1 + 2)"},
	{"x := 1", "if x > 1 { x = 2 }\nelse { x = 3 }"},
	// What earlier cells declared.
	{"type T struct{ a int }\n---\nt := T{1}\n---\ntype T struct{ a, b int }", "t.a"},
	{"func f() int { return 1 }\n---\nfunc g() int { return f() }\n---\nfunc f() string { return `` }", "g()"},
}

// TestMessages compares what wrong cells are told, to the letter, with
// testdata/messages.golden.
func TestMessages(t *testing.T) {
	var b strings.Builder
	for _, tt := range messageTests {
		nb := New(withDL{newStdPackages()})
		n := 0
		check := func(text string) error {
			n++
			p, err := nb.Check(context.Background(), Source{Name: fmt.Sprintf("cell[%d]", n), Text: text})
			if err != nil {
				return err
			}
			for _, note := range p.Notices {
				fmt.Fprintf(&b, "notice: %s\n", note)
			}
			p.Commit(-1)
			return nil
		}
		if tt.before != "" {
			for text := range strings.SplitSeq(tt.before, "\n---\n") {
				if err := check(text); err != nil {
					t.Fatalf("%q: %v", text, err)
				}
				fmt.Fprintf(&b, "%s\n---\n", text)
			}
		}
		err := check(tt.cell)
		if err == nil {
			t.Errorf("no error: %s", tt.cell)
			continue
		}
		fmt.Fprintf(&b, "%s\n→ %s\n\n", tt.cell, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	golden.Check(t, "messages", []byte(b.String()))
}
