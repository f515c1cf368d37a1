package dl_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// This file shows the rule of the package comment, "Errors".

// TestErrorRule reads the package: an exported function that panics gives what a
// chain or a loop goes on with, or is used among such, and returns no error.
func TestErrorRule(t *testing.T) {
	chained := map[string]bool{"Optim.Step": true, "CustomGrad": true}
	files, _ := filepath.Glob("*.go")
	panics := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() || fn.Body == nil {
				continue
			}
			name, results := fn.Name.Name, ""
			if fn.Recv != nil {
				recv := strings.TrimLeft(types.ExprString(fn.Recv.List[0].Type), "*")
				if !ast.IsExported(recv) {
					continue
				}
				name = recv + "." + name
			}
			if fn.Type.Results != nil {
				for _, r := range fn.Type.Results.List {
					results += types.ExprString(r.Type) + " "
				}
			}
			direct := false
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if _, ok := n.(*ast.FuncLit); ok {
					return strings.Contains(results, "iter.Seq")
				}
				if call, ok := n.(*ast.CallExpr); ok {
					id, ok := call.Fun.(*ast.Ident)
					direct = direct || ok && id.Name == "panic"
				}
				return true
			})
			if !direct {
				continue
			}
			panics++
			goesOn := false
			for _, of := range []string{"*Tensor", "iter.Seq", "*Optim", "*LBFGSOptim", "Init", "*Compiled[F]", "T ", "S "} {
				goesOn = goesOn || strings.Contains(results, of)
			}
			if strings.Contains(results, "error") || !goesOn && !chained[name] && !strings.HasPrefix(name, "Tensor.") {
				t.Errorf("%s panics and returns %q; by the rule of the package comment it returns an error", name, results)
			}
		}
	}
	if panics < 20 {
		t.Errorf("only %d functions panic: the test does not find them", panics)
	}
}

// failing is a source of batches whose second batch cannot be read.
type failing struct{ with any }

func (failing) Len() int { return 2 }
func (f failing) Epoch(int) iter.Seq[dl.Batch] {
	return func(yield func(dl.Batch) bool) {
		if yield(pointBatch()) {
			panic(f.with)
		}
	}
}

// TestLoopsOverBatches has a loop panic with what cannot be read, and all that runs
// such a loop return it. Loops that embed a loader keep their own Epoch.
func TestLoopsOverBatches(t *testing.T) {
	on(t, "go")
	broken := errors.New("b.jpg: truncated")
	loader := dl.DataLoader{Dataset: blobs{n: 8, fail: 5}, BatchSize: 4, Workers: -1}
	n := 0
	text := panicText(func() {
		for range loader.Batches() {
			n++
		}
	})
	if n != 1 || !strings.Contains(text, "example 5") {
		t.Errorf("the loop did %d batches and panicked with %q, want 1 and example 5", n, text)
	}
	for name, f := range map[string]func(dl.Batches) error{
		"Start": func(b dl.Batches) error {
			return dl.Start(pointNet(), dl.Training{Data: b, Optimizer: dl.SGD{LR: 0.1}}).Wait()
		},
		"Evaluate": func(b dl.Batches) error { _, err := dl.Evaluate(pointNet(), b); return err },
		"Doctor":   func(b dl.Batches) error { _, err := dl.Doctor(pointNet(), b, nil); return err },
		"FindLR":   func(b dl.Batches) error { _, err := dl.FindLR(pointNet(), dl.LRTest{Data: b}); return err },
	} {
		if err := f(failing{broken}); !errors.Is(err, broken) {
			t.Errorf("%s returns %v, want the source's error", name, err)
		}
	}
	if text := panicText(func() { dl.Evaluate(pointNet(), failing{"a bug"}) }); text != "a bug" {
		t.Errorf("Evaluate hides a panic that is no error: %q", text)
	}
}

// TestParamIsTheParameter reads and sets what the network itself uses.
func TestParamIsTheParameter(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		m := smallNet()
		w := m.Param("0.weight")
		before := w.Detach()
		old := slices.Clone(before.Float32s())
		for range 3 {
			must(dl.TrainStep(m, nil, dl.SGD{LR: 0.5}).Run(dl.Batch{Inputs: fill(1, 1, 4, 2), Labels: dl.FromSlice([]int64{0, 1, 0, 1})}))
		}
		if slices.Equal(w.Float32s(), old) {
			t.Error("Param does not follow the training")
		}
		if !slices.Equal(before.Float32s(), old) {
			t.Error("Detach does not keep the values")
		}
		w.Set(before)
		if got := m.StateDict()["0.weight"].Float32s(); !slices.Equal(got, old) {
			t.Errorf("the model has %v after Set, want %v", got, old)
		}
	})
}

// TestApply starts parameters in a way of one's own: of a model, of a part of it,
// and not of what is not built.
func TestApply(t *testing.T) {
	on(t, "go")
	net := newTwoParts()
	m := must(dl.Build(net, dl.Shape{6, 2, 5, 5}))
	var names []string
	if err := dl.Apply(m, func(name string, p *dl.Tensor) {
		names = append(names, name)
		p.Init(dl.Constant(2))
	}); err != nil {
		t.Fatal(err)
	}
	for name, p := range m.StateDict() {
		buffer := strings.Contains(name, "running") || strings.Contains(name, "num_batches")
		if slices.Contains(names, name) == buffer {
			t.Errorf("Apply saw %v, %s is a buffer: %v", names, name, buffer)
		}
		if v := p.Float64s()[0]; !buffer && v != 2 {
			t.Errorf("%s begins with %v, want 2", name, v)
		}
	}
	if err := dl.Apply(net.Head, func(name string, p *dl.Tensor) { p.Set(dl.Full(3, p.Shape()...)) }); err != nil {
		t.Fatal(err)
	}
	if a, b := m.Param("head.weight").Float32s()[0], m.Param("features.0.weight").Float32s()[0]; a != 3 || b != 2 {
		t.Errorf("Apply to a part made its weight %v and another part's %v, want 3 and 2", a, b)
	}
	wantError(t, dl.Apply(m, func(_ string, p *dl.Tensor) { p.Set(dl.Full(1, 9)) }), "dl: Set: input is [9], want [4 2 3 3]")
	wantError(t, dl.Apply(&dl.Linear{Out: 2}, func(string, *dl.Tensor) {}), "dl: Apply: *dl.Linear holds no parameters; give its model, or build it first with dl.Build")
}

func ExampleApply() {
	model := pointNet()
	err := dl.Apply(model, func(name string, p *dl.Tensor) {
		if strings.HasSuffix(name, "bias") {
			p.Init(dl.Constant(0))
		} else {
			p.Init(dl.XavierUniform)
		}
	})
	fmt.Println(model.Param("bias").Float32s(), err)
	// Output: [0 0] <nil>
}
