package dl_test

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// TestCompilesOnce counts what the compiler does. What was compiled for a
// shape is never compiled again: not for a last batch that is smaller, after an
// evaluation, for another TrainStep, or for the same network built anew.
func TestCompilesOnce(t *testing.T) {
	dl.AlwaysXLA(true) // in Go nothing is compiled
	defer dl.AlwaysXLA(false)
	on(t, "cpu")
	data := blobs{n: 43, fail: -1} // 43 = 5·8 + 3
	train := func() {
		dl.Seed(1)
		m := must(dl.Build(dl.Sequential{dl.Linear{Out: 9}, dl.Tanh{}, dl.Linear{Out: 2}}, dl.Shape{8, 2}))
		for range 2 {
			step := dl.TrainStep(m, nil, dl.SGD{LR: 0.1})
			for b, err := range dl.EpochOf(inOrder{data: data, size: 8}, 0) {
				if err != nil {
					t.Fatal(err)
				}
				must(step.Run(b))
			}
			step.SetLR(0.01)
			must(dl.Evaluate(m, inOrder{data: data, size: 8}))
			must(m.Predict(fill(1, 1, 8, 2)))
		}
		run := dl.Start(m, dl.Training{Data: inOrder{data: data, size: 8}, Eval: inOrder{data: data, size: 8}, Epochs: 3, Optimizer: dl.SGD{LR: 0.1}})
		if err := run.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	before := dl.Compilations()
	train()
	if got := dl.Compilations() - before; got != 3 {
		t.Errorf("%d compilations, want 3: the step, the evaluation and the prediction", got)
	}
	before = dl.Compilations()
	train()
	if got := dl.Compilations() - before; got != 0 {
		t.Errorf("the same network, built again, compiled %d programs", got)
	}
}

// TestGradCompilesOnce calls Grad with functions that are written anew at each
// call: equal ones are one program, also with another number inside.
func TestGradCompilesOnce(t *testing.T) {
	dl.AlwaysXLA(true) // in Go nothing is compiled
	defer dl.AlwaysXLA(false)
	on(t, "cpu")
	x := dl.FromSlice([]float32{1, 2, 3})
	slope := func(by float64) []float64 {
		return must(dl.Grad(func(x ...*dl.Tensor) *dl.Tensor { return x[0].Square().Scale(by).Sum() }, x))[0].Float64s()
	}
	want := fmt.Sprint(slope(7))
	before := dl.Compilations()
	for range 3 {
		if got := fmt.Sprint(slope(7)); got != want {
			t.Errorf("gradient is %s, want %s", got, want)
		}
	}
	if got := dl.Compilations() - before; got != 0 {
		t.Errorf("the same gradient compiled %d times more", got)
	}
	if got := fmt.Sprint(slope(5)); got != "[10 20 30]" || dl.Compilations() != before {
		t.Errorf("another gradient is %s, with %d compilations more, want [10 20 30] with none", got, dl.Compilations()-before)
	}
}
