package dl_test

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// TestCompiledStepLikeTrainStep trains one network by hand at once, by hand in a
// compiled function, and by TrainStep: the losses are the same.
func TestCompiledStepLikeTrainStep(t *testing.T) {
	on(t, "go")
	build := func() *dl.Model {
		dl.Seed(3)
		return must(dl.Build(dl.Sequential{dl.Linear{Out: 8}, dl.BatchNorm1d{}, dl.ReLU{}, dl.Linear{Out: 3}}, dl.Shape{4, 5}))
	}
	x, y := fill(1, 1, 4, 5), dl.FromSlice([]int64{0, 2, 1, 1})
	rule := dl.Adam{LR: 0.05, WeightDecay: 0.1}
	losses := func(step func() float64) (all []float64) {
		for range 5 {
			all = append(all, step())
		}
		return all
	}
	m := build()
	trained := dl.TrainStep(m, nil, rule)
	want := losses(func() float64 { return must(trained.Run(dl.Batch{Inputs: x, Labels: y})).Loss })

	m2 := build()
	opt := rule.For(m2)
	eager := losses(func() float64 {
		loss := m2.Call(x).CrossEntropy(y)
		opt.ZeroGrad()
		loss.Backward()
		opt.Step()
		return loss.Item()
	})
	m3 := build()
	opt3 := rule.For(m3)
	step := dl.Compile(func(x, y *dl.Tensor) *dl.Tensor {
		loss := m3.Call(x).CrossEntropy(y)
		loss.Backward()
		opt3.Step()
		return loss
	})
	compiled := losses(func() float64 { return step.Call(x, y).Item() })
	for i := range want {
		if math.Abs(eager[i]-want[i]) > 1e-5 || math.Abs(compiled[i]-want[i]) > 1e-5 {
			t.Fatalf("losses by TrainStep are %v, at once %v, compiled %v", want, eager, compiled)
		}
	}
	if opt3.N() != 5 {
		t.Errorf("the optimizer has done %d steps, want 5", opt3.N())
	}
	for _, name := range m.Names() {
		if a, b := m.Param(name).Float64s(), m3.Param(name).Float64s(); math.Abs(a[0]-b[0]) > 1e-5 {
			t.Errorf("%s is %v by TrainStep and %v compiled", name, a[0], b[0])
		}
	}
}

// TestNothingStale changes what a network reads between calls.
func TestNothingStale(t *testing.T) {
	on(t, "go")
	scale := 1.0
	net := dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Scale(scale) })
	m := must(dl.Build(dl.Sequential{net}, dl.Shape{1, 1}))
	for _, scale = range []float64{1, 10, 10, 3} {
		if got := must(m.Predict(dl.FromSlice([]float32{1}, 1, 1))).Item(); got != scale {
			t.Errorf("with scale %v the prediction is %v", scale, got)
		}
	}
}

// targets is a data set with targets and no labels.
type targets struct{}

func (targets) Len() int { return 3 }
func (targets) Get(i int) (dl.Example, error) {
	x := float32(i)
	return dl.Example{Input: dl.FromSlice([]float32{x}), Target: dl.FromSlice([]float32{2 * x})}, nil
}

// TestEvaluateLikeTraining has the loss of the training, and the targets, where
// the data is a data set.
func TestEvaluateLikeTraining(t *testing.T) {
	on(t, "go")
	m := must(dl.Build(dl.Sequential{dl.Linear{Out: 1}}, dl.Shape{1, 1}))
	m.Param("0.weight").Set(dl.FromSlice([]float32{1}, 1, 1))
	m.Param("0.bias").Set(dl.FromSlice([]float32{0}))
	dl.TrainStep(m, dl.MSELoss{}, dl.SGD{LR: 0.1})
	r := must(dl.Evaluate(m, targets{}))
	if want := "loss 1.6667 (MSELoss)  on 3 examples"; r.String() != want { // (0 + 1 + 4) / 3
		t.Errorf("evaluation is %q, want %q", r, want)
	}
}

// oneBatch is data of one batch.
type oneBatch struct{ batch dl.Batch }

func (oneBatch) Len() int { return 1 }
func (b oneBatch) Epoch(int) iter.Seq[dl.Batch] {
	return func(yield func(dl.Batch) bool) { yield(b.batch) }
}

// counted returns how many examples a confusion matrix has.
func counted(c *dl.Confusion) (n int) {
	for _, row := range c.Counts {
		for _, v := range row {
			n += v
		}
	}
	return n
}

// TestEvaluateIgnoresLabels leaves out of the accuracy what the loss leaves out.
func TestEvaluateIgnoresLabels(t *testing.T) {
	on(t, "go")
	m := must(dl.Build(dl.Func(func(x *dl.Tensor) *dl.Tensor { return x }), dl.Shape{1, 2}))
	batch := dl.Batch{
		Inputs: dl.FromSlice([]float32{5, 0, 0, 5, 5, 0, 5, 0}, 4, 2),
		Labels: dl.FromSlice([]int64{0, 1, 1, -100}),
	}
	r := must(dl.Evaluate(m, oneBatch{batch}, dl.ConfusionMatrix{}))
	if math.Abs(r.Accuracy-2.0/3) > 1e-6 || counted(r.Confusion) != 3 {
		t.Errorf("accuracy is %v of %d examples, want 2 of 3", r.Accuracy, counted(r.Confusion))
	}
}

// TestSettingsAreOwn changes the weights of a loss after it was used, and uses
// another with the values that they had.
func TestSettingsAreOwn(t *testing.T) {
	on(t, "go")
	x, y := fill(1, 1, 2, 2), dl.FromSlice([]int64{0, 1})
	weights := []float64{1, 2}
	want := x.Loss(dl.CrossEntropyLoss{Weight: weights}, y).Item()
	weights[1] = 50
	x4 := dl.Concat(0, x, x)
	y4 := dl.FromSlice([]int64{0, 1, 0, 1})
	if got := x4.Loss(dl.CrossEntropyLoss{Weight: []float64{1, 2}}, y4).Item(); math.Abs(got-want) > 1e-6 {
		t.Errorf("the loss is %v, want %v as before", got, want)
	}
	step := dl.Compile(func(x, y *dl.Tensor) *dl.Tensor { return x.Loss(dl.CrossEntropyLoss{Weight: []float64{1, 2}}, y) })
	if got := step.Call(x, y).Item(); math.Abs(got-want) > 1e-6 {
		t.Errorf("the compiled loss is %v, want %v as before", got, want)
	}
}

// TestRandomTensors draws other numbers at each call, also inside of a compiled
// function, and the same after Seed.
func TestRandomTensors(t *testing.T) {
	on(t, "go")
	draw := func() (all [][]float64) {
		dl.Seed(7)
		f := dl.Compile(func(x *dl.Tensor) (a, b *dl.Tensor) { return x.Add(dl.RandnLike(x)), dl.Rand(4) })
		zero := dl.Full(0, 1000)
		for range 2 {
			a, b := f.Call(zero)
			all = append(all, a.Float64s(), b.Float64s())
		}
		return append(all, dl.Randn(1000).Float64s(), dl.Rand(1000).Float64s())
	}
	first, again := draw(), draw()
	for i := range first {
		if !slices.Equal(first[i], again[i]) {
			t.Errorf("draw %d differs after the same seed", i)
		}
		for k := range i {
			if slices.Equal(first[i], first[k]) {
				t.Errorf("draws %d and %d are equal", k, i)
			}
		}
	}
	mean, square := 0.0, 0.0
	for _, v := range first[0] {
		mean, square = mean+v/1000, square+v*v/1000
	}
	if math.Abs(mean) > 0.1 || math.Abs(square-1) > 0.15 {
		t.Errorf("mean and square of 1000 normal numbers are %v and %v, want 0 and 1", mean, square)
	}
	if low, high := slices.Min(first[5]), slices.Max(first[5]); low < 0 || high >= 1 || low > 0.02 || high < 0.98 {
		t.Errorf("even numbers lie in [%v, %v], want all of [0, 1)", low, high)
	}
}

// TestComparisons has bools, and rows of ones.
func TestComparisons(t *testing.T) {
	on(t, "go")
	a, b := dl.FromSlice([]float32{1, 2, 3}), dl.FromSlice([]float32{2, 2, 2})
	for name, got := range map[string][]float64{
		"less 1 0 0": a.Less(b).Float64s(), "equal 0 1 0": a.Equal(b).Float64s(), "greater 0 0 1": a.Greater(b).Float64s(),
		"onehot 0 1 0 0 0 1": dl.FromSlice([]int64{1, 2}).OneHot(3).Float64s(), "arange 0 1 2": dl.Arange(3).Float64s(),
		"where 1 2 2": dl.Where(a.Less(b), a, b).Float64s(),
	} {
		text := fmt.Sprint(got)
		_, want, _ := strings.Cut(name, " ")
		if text != "["+want+"]" {
			t.Errorf("%s: got %s", name, text)
		}
	}
}

// masked is a network that keeps tensors, which are no layers, in fields of its own.
type masked struct {
	Linear dl.Linear
	mask   *dl.Tensor
	Others []*dl.Tensor
}

func (m *masked) Forward(x *dl.Tensor) *dl.Tensor {
	return m.Linear.Forward(x).Mul(m.mask).Add(m.Others[0])
}

func TestFieldsOfTensors(t *testing.T) {
	on(t, "go")
	net := &masked{Linear: dl.Linear{Out: 2}, mask: dl.FromSlice([]float32{0, 0}), Others: []*dl.Tensor{dl.FromSlice([]float32{3, 4})}}
	m := must(dl.Build(net, dl.Shape{1, 3}))
	if got := must(m.Predict(fill(1, 1, 1, 3))).Float32s(); !slices.Equal(got, []float32{3, 4}) {
		t.Errorf("got %v", got)
	}
	if got := len(m.Names()); got != 2 {
		t.Errorf("the parameters are %v", m.Names())
	}
}

// TestCompiledError has the two forms of a compiled function: one that panics, and
// one that returns errors, its own too. A call that fails changes nothing.
func TestCompiledError(t *testing.T) {
	on(t, "go")
	w := dl.NewParam(dl.FromSlice([]float32{1, 2}))
	add := func(x *dl.Tensor) *dl.Tensor {
		w.Set(w.Add(x))
		return w.Sum()
	}
	want := "dl: Add: input is [2] and [3], want equal axes, or axes of 1"
	if got := panicText(func() { dl.Compile(add).Call(dl.FromSlice([]float32{1, 1, 1})) }); !strings.Contains(got, "Add") {
		t.Errorf("it panics with %q, want %s", got, want)
	}
	refused := errors.New("no negative numbers")
	safe := dl.Compile(func(x *dl.Tensor, negative bool) (*dl.Tensor, error) {
		y := add(x)
		if negative {
			return y, refused
		}
		return y, nil
	})
	var shape *dl.ShapeError
	if y, err := safe.Call(dl.FromSlice([]float32{1, 1, 1}), false); y != nil || !errors.As(err, &shape) {
		t.Errorf("a wrong shape gives %v, %v, want a ShapeError", y, err)
	}
	if y, err := safe.Call(dl.FromSlice([]float32{1, 1}), true); y != nil || err != refused {
		t.Errorf("an error of the function gives %v, %v", y, err)
	}
	if got := w.Float32s(); !slices.Equal(got, []float32{1, 2}) {
		t.Errorf("calls that failed changed the parameter to %v", got)
	}
	if y, err := safe.Call(dl.FromSlice([]float32{1, 1}), false); err != nil || y.Item() != 5 {
		t.Errorf("a call gives %v, %v, want 5", y, err)
	}
	bug := dl.Compile(func(x *dl.Tensor) (*dl.Tensor, error) {
		var none []int
		return x.Scale(float64(none[3])), nil
	})
	if got := panicText(func() { bug.Call(w) }); !strings.Contains(got, "index out of range") {
		t.Errorf("a bug in the function panics with %q", got)
	}
}
