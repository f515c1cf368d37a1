package cell

import (
	"context"
	"fmt"
	"go/token"
	"go/types"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl/words"
	"github.com/holt-dl/holt/internal/golden"
	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/hint"
)

// realPackages are Holt's own and those that its cells use most, from the export
// data that the go command makes.
type realPackages struct{ *stdPackages }

const ownModule = "github.com/holt-dl/holt/"

var realGuesses = map[string]string{
	"dl": ownModule + "dl", "vision": ownModule + "dl/vision", "models": ownModule + "dl/vision/models", "board": ownModule + "dl/board",
	"pth": ownModule + "dl/pth", "display": ownModule + "display", "rand": "math/rand/v2", "slices": "slices",
	"graph": "github.com/gomlx/gomlx/core/graph",
}

func (p realPackages) Guess(ctx context.Context, name string, selected []string) (string, bool) {
	if path, ok := realGuesses[name]; ok {
		return path, true
	}
	return p.stdPackages.Guess(ctx, name, selected)
}

func (p realPackages) Names() []string {
	return append(p.stdPackages.Names(), sortedKeys(realGuesses)...)
}

// wordCells come before what the tests type: values of each kind, as the table
// calls them.
const wordCells = `x := dl.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
y, z, w, labels, target, output, scores, weight, bias, index, mask, ids := x, x, x, x, x, x, x, x, x, x, x, x
q, k, v, h, c, anchor, positive, negative, variance := x, x, x, x, x, x, x, x, x
xs := []*dl.Tensor{x, y}
n, lr, path := 3, 0.1, "a.pth"
values := []float64{1, 2}
type Net struct{ FC dl.Linear }
func (n *Net) Forward(x *dl.Tensor) *dl.Tensor { return n.FC.Forward(x) }
net := &Net{FC: dl.Linear{Out: 2}}
model := dl.Build(net, dl.Shape{1, 2})
mean := model
var set dl.Dataset = dl.Subset{}
loader := dl.DataLoader{Dataset: set}
optimizer, criterion := dl.Adam{LR: 0.1}, dl.MSELoss{}
loss := output.Loss(criterion, target)
step := dl.TrainStep(model, criterion, optimizer)
opt := optimizer.For(model)
schedule := step.Schedule(dl.StepLR{StepSize: 3})
scheduler := dl.StepLR{StepSize: 3}
batch := dl.Batch{Inputs: x, Labels: y}
lstm, attention := dl.LSTM{Hidden: 3}, dl.MultiheadAttention{Heads: 2}
f := func(x ...*dl.Tensor) *dl.Tensor { return x[0].Sum() }
img, rng := &vision.Image{}, rand.New(rand.NewPCG(1, 2))
type Stream struct{}
func (s *Stream) Len() int { return 0 }
run := dl.Start(model, dl.Training{Data: loader})
sorted, output2 := x, x
_ = []any{rng, img, math.Pi, slices.Max(values), os.Args, graph.Add}`

// wordNotebook checks cells after wordCells. What a cell defines stays for the next
// one where keep is set.
func wordNotebook(t *testing.T, pk check.Packages) (run func(text string, keep bool) error) {
	t.Helper()
	nb := New(pk)
	n := -1
	run = func(text string, keep bool) error {
		n++
		p, err := nb.Check(context.Background(), Source{Name: fmt.Sprintf("cell[%d]", n), Text: text})
		if err == nil && keep {
			p.Commit(-1)
		}
		return err
	}
	if err := run(wordCells, true); err != nil {
		t.Fatal(err)
	}
	return run
}

// TestWordsCompile checks the code of each of the table's answers, as cells.
func TestWordsCompile(t *testing.T) {
	pk := realPackages{newStdPackages()}
	shared := wordNotebook(t, pk)
	for _, w := range words.All() {
		run, several := shared, len(w.Code()) > 1
		if several && (strings.Contains(w.Text, ":=") || strings.Contains(w.Text, "`type ")) {
			run = wordNotebook(t, pk)
		} else {
			several = false
		}
		x := map[string]string{"Module": "net", "Settings": "optimizer", "Scheduler": "scheduler", "Loss": "criterion", "number": "lr"}[w.Place]
		if x == "" {
			x = "x"
		}
		for _, code := range w.Code() {
			text := words.Word{Text: "`" + code + "`"}.Say(x, "")
			if err := run(text, several); err != nil {
				t.Errorf("%s %s: `%s` does not compile: %v", w.Place, w.Names[0], text, err)
			}
		}
	}
}

// packageNames answers what hints ask about packages, and nothing else.
type packageNames struct {
	hint.Names
	pk realPackages
}

func (n packageNames) Package(name string, selected ...string) *types.Package {
	path, _ := n.pk.Guess(context.Background(), name, selected)
	pkg, err := n.pk.Import(path)
	if err != nil {
		return nil
	}
	return pkg
}

func (n packageNames) Packages() []string { return n.pk.Names() }

func (n packageNames) Imports() []string { return nil }

// TestWordsAreMissing finds what the table calls missing and a package has now.
func TestWordsAreMissing(t *testing.T) {
	names := packageNames{pk: realPackages{newStdPackages()}}
	for _, w := range words.All() {
		if !w.Missing || !slices.Contains(words.Places, w.Place) && w.Place != "Tensor" {
			continue
		}
		for _, name := range w.Names {
			if m := hint.Method(names, name); m != nil && w.Place != "init" && w.Place != "transforms" && w.Place != "torchvision" {
				t.Errorf("%s: tensors have %s now; remove it from the table", name, m.Name())
			}
			for _, pkg := range []string{"dl", "vision", "models"} {
				if obj := hint.Named(names, pkg, name); obj != nil && (pkg == "dl") == (w.Place == "torch") {
					t.Errorf("%s: there is %s.%s now; remove it from the table", name, pkg, obj.Name())
				}
			}
		}
	}
}

// answered begin code that is not the table's, up to the end of a message.
var answered = []string{" here: ", "of tensors: write ", "a function: write ", "a layer: write ", "never changes: write "}

// TestGuesses types names of PyTorch into a cell, and compares the answers with
// testdata/guesses.golden: none is without a hint, and what an answer makes of a
// function's types compiles.
func TestGuesses(t *testing.T) {
	run := wordNotebook(t, realPackages{newStdPackages()})
	text, err := os.ReadFile("testdata/guesses.txt")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		guess := strings.TrimSuffix(line, "\n")
		if guess == "" || strings.HasPrefix(guess, "//") {
			continue
		}
		err := run(guess, false)
		if err == nil {
			fmt.Fprintf(&b, "%s → it compiles\n", guess)
			continue
		}
		answer, _, _ := strings.Cut(err.Error(), "\n")
		_, answer, _ = strings.Cut(answer, ": ")
		fmt.Fprintf(&b, "%s → %s\n", guess, answer)
		first, hint, ok := strings.Cut(answer, "; ")
		switch {
		case !ok && !strings.Contains(first, "but does have") && !strings.Contains(first, "but have"):
			t.Errorf("%s: no hint: %s", guess, answer)
		case strings.Contains(hint, "is in package"):
			t.Errorf("%s: the hint names a package, not what is in it: %s", guess, answer)
		}
		for _, lead := range answered {
			if _, code, ok := strings.Cut(hint, lead); ok {
				if err := run(code, false); err != nil {
					t.Errorf("%s: the answer %q does not compile: %v", guess, code, err)
				}
			}
		}
	}
	golden.Check(t, "guesses", []byte(b.String()))
}

// TestEveryName types each public name of PyTorch, as a function, a layer and a
// method: none is without an answer, and none is sent to a package that lacks it.
func TestEveryName(t *testing.T) {
	run := wordNotebook(t, realPackages{newStdPackages()})
	n := 0
	for _, name := range words.Names() {
		for _, guess := range []string{"dl." + name + "(x)", "torch." + name + "(x)", "x." + name + "()"} {
			if token.IsKeyword(name) {
				continue
			}
			n++
			err := run(guess, false)
			if err == nil {
				continue
			}
			answer, _, _ := strings.Cut(err.Error(), "\n")
			_, hint, ok := strings.Cut(answer, "; ")
			if !ok && !strings.Contains(answer, "but does have") && !strings.Contains(answer, "but have") {
				t.Errorf("%s: no hint: %s", guess, answer)
			}
			for _, lead := range answered {
				if _, code, ok := strings.Cut(hint, lead); ok {
					if err := run(code, false); err != nil {
						t.Errorf("%s: the answer %q does not compile: %v", guess, code, err)
					}
				}
			}
		}
	}
	if n < 3500 {
		t.Errorf("only %d guesses", n)
	}
}
