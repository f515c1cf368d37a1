package cell

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/golden"
)

// torchCells go before those that a person writes who is used to PyTorch.
const torchCells = `x := dl.FromSlice([]float32{1, 2})
model := dl.Build(dl.Linear{Out: 2}, dl.Shape{1, 2})
type Set struct{}
func (Set) Len() int { return 0 }
func (Set) Get(i int) (dl.Example, error) { return dl.Example{}, nil }
set := Set{}
loader := dl.DataLoader{Dataset: set}
optimizer, loss := dl.SGD{LR: 0.1}, dl.MSELoss{}
step := dl.TrainStep(model, loss, optimizer)`

// messageTests are wrong cells, after cells that were run before, which lines of
// --- separate.
var messageTests = []struct{ before, cell string }{
	// Names.
	{"total := 3", "totl + 1"},
	{"", "x := strngs.ToUpper(\"a\")"},
	{"", "strings.ToUper(\"a\")"},
	{"", "strings.toUpper(\"a\")"},
	{"", "fmt.Printline(1)"},
	{"", "fmt.Printn(1)"},
	{"", "func f() int { var n int = `a`; return n }\nfmt.Printn(1)\nx := 1\nfunc g() int { var n string = x; return n }"},
	// Cells that end too early.
	{"", "1 +"},
	{"", "x := 2\ny := x *\n"},
	{"", "x :="},
	{"", "fmt."},
	{"", "var"},
	{"", "fmt.Println(1,\n"},
	{"", "x := 1 // and\nx &&"},
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
	{"c, f := 1i, 2.5", "c * f"},
	{"c, n := 1i, 3", "n * c"},
	{"c, f := complex64(1i), float32(2.5)", "f * c"},
	{"c, d := complex64(1i), 1i", "c * d"},
	{"c := 1i", "math.Sqrt(c)"},
	{"func f(c complex128) {}\nx := 2.5", "f(x)"},
	{"func f(x float32) {}\nc := 1i", "f(c)"},
	{"type level float64\nc, f := 1i, level(2)", "c * f"},
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
	// What a person writes who is used to PyTorch.
	{torchCells, "model(x)"},
	{torchCells, "model.forward(x)"},
	{torchCells, "model.parameters()"},
	{torchCells, "y := model.Predict(x).Softmax(\"1\")"},
	{torchCells, "display.Graph(model.Predict(x), model.Predict(x))"},
	{torchCells, "func f() { model.Predict(x).Softmax(1) }"},
	{torchCells, "func f() { y := model.Predict(x); fmt.Println(y) }"},
	{torchCells, "for b, err := range loader.Epoch(0) { fmt.Println(b) }"},
	{torchCells, "loss.backward()"},
	{"", "interact(func(lr float64) any { return lr })"},
	{torchCells, "optimizer.zero_grad()"},
	{torchCells, "loss(x, x)"},
	{torchCells, "dl.ReLU{}(x)"},
	{torchCells, "x.shape"},
	{torchCells, "x.size()"},
	{torchCells, "x.view(-1)"},
	{torchCells, "x.add_(x)"},
	{torchCells, "x.cuda()"},
	{torchCells, "x.T"},
	{torchCells, "x + x"},
	{torchCells, "x * 2"},
	{torchCells, "x - 2"},
	{torchCells, "2 * x"},
	{torchCells, "2 - x"},
	{torchCells, "2 / x"},
	{torchCells, "x / 2"},
	{torchCells, "-x"},
	{torchCells, "x.Add(2)"},
	{torchCells, "x @ x"},
	{torchCells, "x[0]"},
	{torchCells, "x[0:2]"},
	{torchCells, "x[:, 1]"},
	{torchCells, "len(x)"},
	{torchCells, "if x.Sum() > 3 { fmt.Println(x) }"},
	{torchCells, "for images, labels := range loader.Batches() { fmt.Println(images) }"},
	{torchCells, "for batch := range loader { fmt.Println(batch) }"},
	{torchCells, "images := next(iter(loader))"},
	{torchCells, "dl.Conv2d(3, 32, 5)"},
	{torchCells, "dl.Conv2d{3, 32, 5}"},
	{torchCells, "dl.Conv2d{Out: 32, kernel_size: 5}"},
	{torchCells, "dl.Conv2d{Out: 32, Bias: false}"},
	{torchCells, "dl.SGD{lr: 0.1}"},
	{torchCells, "dl.DataLoader{num_workers: 4, batchsize: 3, collate: nil}"},
	{torchCells, "dl.ReLU()"},
	{torchCells, "s := dl.Sequential{dl.Linear{Out: 3}, dl.ReLU}"},
	{torchCells, "dl.Sequential(dl.Linear{Out: 3}, dl.ReLU{})"},
	{torchCells, "dl.Linear(3)"},
	{torchCells, "dl.Tensor([]float32{1, 2})"},
	{torchCells, "torch.tensor(3)"},
	{torchCells, "torch.nn.Linear(3, 4)"},
	{torchCells, "torch.cuda.is_available()"},
	{torchCells, "with torch.no_grad():\n\ty := 1"},
	{torchCells, "DataLoader{}"},
	{torchCells, "optim.SGD(model, lr=0.1)"},
	{torchCells, "x.Sum(dim=1)"},
	{torchCells, "fmt.Println(f\"loss {x}\")"},
	{torchCells, "dl.FromSlice([1, 2])"},
	{torchCells, "dl.Build(dl.Linear{Out: 2}, (2, 3))"},
	{torchCells, "dl.Build(dl.Linear{Out: 2}, [2, 3])"},
	{torchCells, "dl.Start(model, loader)"},
	{torchCells, "dl.Start(model, dl.Training{Data: set})"},
	{torchCells, "step.Run(x, x)"},
	{torchCells, "step.Run(x)"},
	{torchCells, "image, label = set.Get(0)"},
	{torchCells, "Image.open(\"a.jpg\")"},
	{torchCells, "dl.Build{dl.Linear{Out: 2}}"},
	{torchCells, "dl.FromSlice([][]float32{{1, 2}, {3, 4}})"},
	{"n := 3", "fmt.Println(\"loss: \" + n)"},
	{"n := 3", "lr := 0.1\nlr *= 2 * n"},
	{"", "for i := 0; i < 3; ++i { }"},
	{"x := 1", "y := x if x > 0 else 2"},
	{"", "assert 1 == 1"},
	{"x := 1", "type(x)"},
	{"", "if x > 3: x = 2"},
	// What earlier cells declared.
	{"type T struct{ a int }\n---\nt := T{1}\n---\ntype T struct{ a, b int }", "t.a"},
	{"func f() int { return 1 }\n---\nfunc g() int { return f() }\n---\nfunc f() string { return `` }", "g()"},
}

// TestMessages compares what wrong cells are told, to the letter, with
// testdata/messages.golden.
func TestMessages(t *testing.T) {
	var b strings.Builder
	pk := realPackages{newStdPackages()}
	for _, tt := range messageTests {
		nb := New(pk)
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
				if text != torchCells {
					fmt.Fprintf(&b, "%s\n---\n", text)
				}
			}
		}
		err := check(tt.cell)
		if err == nil {
			t.Errorf("no error: %s", tt.cell)
			continue
		}
		fmt.Fprintf(&b, "%s\n→ %s\n\n", tt.cell, strings.ReplaceAll(err.Error(), "\n", "\n  "))
	}
	// Go 1.27 says this too; Holt's own words follow it.
	text := strings.ReplaceAll(b.String(), " (type has unexported fields - use key:value pairs)", "")
	golden.Check(t, "messages", []byte(text))
}

// TestEqualNotice tells that == of tensors compares no values, and only then.
func TestEqualNotice(t *testing.T) {
	nb := New(realPackages{newStdPackages()})
	for i, tt := range []struct {
		cell string
		want []string
	}{
		{"x, y := dl.Ones(2), dl.Ones(2)", nil},
		{"x == y", []string{"x == y asks whether both are one and the same tensor, not what is in them: x.Equal(y) compares value by value"}},
		{"for range 2 { if x.Neg() != y && x != nil { fmt.Println(1 == 2, x == nil) } }", []string{
			"x.Neg() != y asks whether both are one and the same tensor, not what is in them: x.Neg().NotEqual(y) compares value by value"}},
		{"func same(a, b *dl.Tensor) bool { return a == b }", []string{"a == b asks whether both are one and the same tensor, not what is in them: a.Equal(b) compares value by value"}},
		{"same(x, y)\nx.Equal(y)", nil},
	} {
		p, err := nb.Check(context.Background(), Source{Name: fmt.Sprintf("cell[%d]", i+1), Text: tt.cell})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.Notices, tt.want) {
			t.Errorf("%s: notices are %q, want %q", tt.cell, p.Notices, tt.want)
		}
		p.Commit(-1)
	}
}

// TestPrintNotice tells that Go's own print shows no value, and only then.
func TestPrintNotice(t *testing.T) {
	nb := New(newStdPackages())
	for i, tt := range []struct {
		cell string
		want []string
	}{
		{"xs := []int{1}\nprint(xs)\nprintln(\"xs\", xs)\nfor range 2 { print(xs) }", []string{
			"print is Go's own and shows where xs lies in memory: fmt.Println(xs) shows its value",
			"println is Go's own and shows where xs lies in memory: fmt.Println(xs) shows its value",
		}},
		{"print(1, true, \"text\")", nil},
		{"{ print := fmt.Println; print([]int{1}) }", nil},
	} {
		p, err := nb.Check(context.Background(), Source{Name: fmt.Sprintf("cell[%d]", i+1), Text: tt.cell})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.Notices, tt.want) {
			t.Errorf("%s: notices are %q, want %q", tt.cell, p.Notices, tt.want)
		}
	}
}
