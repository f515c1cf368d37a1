package dl_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// TestOneDNN runs programs until oneDNN's calls are in the place of XLA's own
// convolutions and products, and compares gradients of before and after, and
// gradients of gradients. Before, all runs give the same bits.
func TestOneDNN(t *testing.T) {
	if os.Getenv("HOLT_ONEDNN") != "" {
		t.Skip("HOLT_ONEDNN is set")
	}
	if testing.Short() {
		t.Skip("it compiles much")
	}
	on(t, "cpu")
	all := 0 // numbers that differ, of all forms
	conv := func(c dl.Conv2d) func(x, w *dl.Tensor) *dl.Tensor {
		return func(x, w *dl.Tensor) *dl.Tensor { return x.Conv2d(w, nil, c) }
	}
	each := must(dl.Build(dl.MultiheadAttention{Heads: 4, BatchFirst: true}, dl.Shape{8, 32, 64}))
	earlier := must(dl.Build(&causalAttention{Attention: dl.MultiheadAttention{Heads: 2}}, dl.Shape{32, 8, 64}))
	for _, tt := range []struct {
		name string
		f    func(x, w *dl.Tensor) *dl.Tensor
		x, w dl.Shape
	}{
		{"3×3", conv(dl.Conv2d{Kernel: 3, Padding: 1}), dl.Shape{8, 32, 16, 16}, dl.Shape{32, 32, 3, 3}},
		{"stride 2", conv(dl.Conv2d{Kernel: 3, Stride: 2, Padding: 1}), dl.Shape{8, 32, 17, 16}, dl.Shape{64, 32, 3, 3}},
		{"dilation 2", conv(dl.Conv2d{Kernel: 3, Dilation: 2, Padding: 2}), dl.Shape{8, 32, 16, 16}, dl.Shape{32, 32, 3, 3}},
		{"stride and dilation", conv(dl.Conv2d{Kernel: 3, Stride: 2, Dilation: 2, Padding: 1}), dl.Shape{16, 32, 17, 18}, dl.Shape{64, 32, 3, 3}},
		{"5×5 without padding", conv(dl.Conv2d{Kernel: 5}), dl.Shape{4, 16, 16, 20}, dl.Shape{32, 16, 5, 5}},
		{"7×7, three channels", conv(dl.Conv2d{Kernel: 7, Stride: 2, Padding: 3}), dl.Shape{4, 3, 64, 64}, dl.Shape{64, 3, 7, 7}},
		{"1×1", conv(dl.Conv2d{Kernel: 1, Stride: 2}), dl.Shape{8, 128, 16, 16}, dl.Shape{128, 128, 1, 1}},
		{"pictures smaller than the filter", conv(dl.Conv2d{Kernel: 3, Padding: 1}), dl.Shape{4, 256, 2, 2}, dl.Shape{256, 256, 3, 3}},
		{"more padding than filter", conv(dl.Conv2d{Kernel: 2, Padding: 3}), dl.Shape{8, 64, 8, 8}, dl.Shape{64, 64, 2, 2}},
		{"transposed", func(x, w *dl.Tensor) *dl.Tensor {
			return x.ConvTranspose2d(w, nil, dl.ConvTranspose2d{Kernel: 3, Stride: 2, Padding: 1, OutputPadding: 1})
		}, dl.Shape{8, 64, 8, 8}, dl.Shape{64, 32, 3, 3}},
		{"linear", func(x, w *dl.Tensor) *dl.Tensor { return x.Linear(w, nil) }, dl.Shape{256, 256}, dl.Shape{256, 256}},
		{"linear on sequences", func(x, w *dl.Tensor) *dl.Tensor { return x.Linear(w, nil).Tanh() }, dl.Shape{16, 16, 256}, dl.Shape{256, 256}},
		{"attention", func(x, w *dl.Tensor) *dl.Tensor { return each.Call(x).Linear(w, nil) }, dl.Shape{8, 32, 64}, dl.Shape{64, 64}},
		{"causal attention, sequence first", func(x, w *dl.Tensor) *dl.Tensor { return earlier.Call(x).Linear(w, nil) }, dl.Shape{32, 8, 64}, dl.Shape{64, 64}},
		{"product", func(x, w *dl.Tensor) *dl.Tensor { return x.MatMul(w) }, dl.Shape{16, 16, 256}, dl.Shape{256, 256}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x, w := fill(1, 1, tt.x...), fill(2, 0.1, tt.w...)
			grads := func(x ...*dl.Tensor) []*dl.Tensor {
				return must(dl.Grad(func(x ...*dl.Tensor) *dl.Tensor {
					y := tt.f(x[0], x[1])
					return y.Mul(y).Mean()
				}, x...))
			}
			f := dl.Compile(func(x, w *dl.Tensor) []*dl.Tensor {
				first := grads(x, w)
				return append(first, must(dl.Grad(func(x ...*dl.Tensor) *dl.Tensor {
					g := grads(x...)
					return g[0].Mul(g[0]).Sum().Add(g[1].Mul(g[1]).Sum())
				}, x, w))...)
			})
			var before [][]float32
			for _, g := range f.Call(x, w) {
				before = append(before, g.Float32s())
			}
			differ := 0
			for run := 2; run <= 11; run++ {
				now := f.Call(x, w)
				if run < 9 {
					continue
				}
				for i, g := range now {
					most := 0.0
					for _, v := range before[i] {
						most = max(most, math.Abs(float64(v)))
					}
					for j, v := range g.Float32s() {
						d := math.Abs(float64(v - before[i][j]))
						if d > 0 && run <= 10 {
							t.Fatalf("run %d, gradient %d: number %d is %v, and was %v", run, i, j, v, before[i][j])
						}
						if !(d <= 2e-5*most) {
							t.Fatalf("run %d, gradient %d: number %d is %v, and was %v", run, i, j, v, before[i][j])
						}
						if d > 0 {
							differ++
						}
					}
				}
			}
			all += differ
		})
	}
	// Of one form, such as 1×1, both may have the same bits.
	if all == 0 {
		t.Error("all bits are the same: XLA's own programs run")
	}
}

// TestOneDNNRecurrent trains networks with LSTM and GRU until calls are in the place of XLA's
// loops: the weights are those of a training without calls, but for rounding. A layer in a loop has
// no call, and a program with the gradient of a gradient keeps its loops, and has the same bits.
func TestOneDNNRecurrent(t *testing.T) {
	if os.Getenv("HOLT_ONEDNN") != "" {
		t.Skip("HOLT_ONEDNN is set")
	}
	on(t, "cpu")
	x := fill(1, 1, 9, 13, 5)
	for _, tt := range []struct {
		name  string
		layer dl.Layer
	}{
		{"LSTM, two layers, both ways", dl.LSTM{Hidden: 16, Layers: 2, Bidirectional: true}},
		{"LSTM without bias", dl.LSTM{Hidden: 32, NoBias: true, BatchFirst: true}},
		{"GRU, two layers, both ways", dl.GRU{Hidden: 16, Layers: 2, Bidirectional: true}},
		{"GRU without bias", dl.GRU{Hidden: 32, NoBias: true, BatchFirst: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			train := func() dl.StateDict {
				dl.Seed(1)
				m := must(dl.Build(tt.layer, x.Shape()))
				step := dl.TrainStep(m, dl.MSELoss{}, dl.SGD{LR: 0.5})
				batch := dl.Batch{Inputs: x, Labels: fill(2, 1, m.Call(x).Shape()...)}
				for range 14 {
					must(step.Run(batch))
				}
				return m.StateDict()
			}
			called := train()
			t.Setenv("HOLT_ONEDNN", "0")
			differ := false
			for name, w := range train() {
				want, got := w.Float32s(), called[name].Float32s()
				for i := range want {
					if d := math.Abs(float64(got[i] - want[i])); !(d <= 1e-6) {
						t.Fatalf("%s: number %d is %v, want %v", name, i, got[i], want[i])
					} else if d > 0 {
						differ = true
					}
				}
			}
			if !differ {
				t.Error("all bits are the same: XLA's own loop runs")
			}
		})
	}

	// In a loop's function there is no call; outside of it there is.
	layer, xs := must(dl.Build(dl.LSTM{Hidden: 16}, dl.Shape{4, 3, 16})), fill(4, 1, 5, 4, 3, 16)
	looped := dl.Compile(func(x *dl.Tensor) []*dl.Tensor {
		return must(dl.Grad(func(x ...*dl.Tensor) *dl.Tensor {
			last, _ := dl.Scan(func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) { return layer.Call(x.Add(h)), nil }, x[0], xs)
			return layer.Call(last).Sum()
		}, x))
	})
	w := fill(3, 1, 4, 3, 16)
	first := looped.Call(w)[0].Float32s()
	for range 10 {
		looped.Call(w)
	}
	last := looped.Call(w)[0].Float32s()
	for i, v := range first {
		if !(math.Abs(float64(last[i]-v)) <= 1e-5*math.Abs(float64(v))+1e-9) {
			t.Fatalf("with a loop, number %d is %v, and was %v", i, last[i], v)
		}
	}
	if slices.Equal(first, last) {
		t.Error("with a loop, all bits are the same: XLA's own program runs")
	}

	m := must(dl.Build(dl.LSTM{Hidden: 16}, x.Shape()))
	f := dl.Compile(func(x *dl.Tensor) *dl.Tensor {
		first := func(x ...*dl.Tensor) *dl.Tensor { y := m.Call(x[0]); return y.Mul(y).Mean() }
		return must(dl.Grad(func(x ...*dl.Tensor) *dl.Tensor {
			g := must(dl.Grad(first, x...))[0]
			return g.Mul(g).Sum()
		}, x))[0]
	})
	want := f.Call(x).Float32s()
	for run := range 12 {
		if !slices.Equal(f.Call(x).Float32s(), want) {
			t.Fatalf("the gradient of a gradient has other bits in run %d", run+2)
		}
	}
}

// causalAttention looks at earlier places alone.
type causalAttention struct{ Attention dl.MultiheadAttention }

func (c *causalAttention) Forward(x *dl.Tensor) *dl.Tensor {
	y, _ := c.Attention.Attend(x, x, x, dl.Attention{Causal: true})
	return y
}

// TestOneDNNRepeats trains a network twice, and once with a break, over the step from which oneDNN
// is called: all have the same bits, though the program of the first has calls when the second begins.
func TestOneDNNRepeats(t *testing.T) {
	if os.Getenv("HOLT_ONEDNN") != "" {
		t.Skip("HOLT_ONEDNN is set")
	}
	on(t, "cpu")
	batch := dl.Batch{Inputs: fill(1, 1, 8, 32, 16, 16), Labels: dl.FromSlice([]int64{0, 1, 0, 1, 0, 1, 1, 0})}
	begin := func() (*dl.Model, *dl.Step) {
		dl.Seed(3)
		m := must(dl.Build(dl.Sequential{dl.Conv2d{Out: 32, Kernel: 3, Padding: 1}, dl.Flatten{}, dl.Linear{Out: 2}}, batch.Inputs.Shape()))
		return m, dl.TrainStep(m, nil, dl.SGD{LR: 1e-3})
	}
	first, s := begin()
	runs(s, batch, 14)
	sameBits(t, first, begin, batch, 7)
}

// runs does steps of a training with one batch.
func runs(s *dl.Step, batch dl.Batch, steps int) {
	for range steps {
		must(s.Run(batch))
	}
}

// sameBits wants the weights of a model after twice as many steps, bit by bit, of a training from
// the same beginning, which predicts with its weights half-way, and of one that is loaded there.
func sameBits(t *testing.T, want *dl.Model, begin func() (*dl.Model, *dl.Step), batch dl.Batch, steps int) {
	t.Helper()
	again, s := begin()
	runs(s, batch, steps)
	must(again.Predict(batch.Inputs)).Free()
	path := filepath.Join(t.TempDir(), "state.safetensors")
	if err := s.Save(path); err != nil {
		t.Fatal(err)
	}
	resumed, later := begin()
	if err := later.Load(path); err != nil {
		t.Fatal(err)
	}
	runs(s, batch, steps)
	runs(later, batch, steps)
	for name, w := range want.StateDict() {
		for what, m := range map[string]*dl.Model{"repeated": again, "resumed": resumed} {
			if got := m.StateDict()[name].Float32s(); !slices.Equal(got, w.Float32s()) {
				t.Errorf("%s: %s has other bits", what, name)
			}
		}
	}
}

// TestOneDNNPredicts predicts until oneDNN is called, with two models that have the same weights:
// the same call of both has the same bits, also when another shape came between, and the numbers
// before and after differ by rounding alone.
func TestOneDNNPredicts(t *testing.T) {
	if os.Getenv("HOLT_ONEDNN") != "" {
		t.Skip("HOLT_ONEDNN is set")
	}
	on(t, "cpu")
	x, other := fill(1, 1, 8, 32, 16, 16), fill(2, 1, 4, 32, 16, 16)
	begin := func() *dl.Model {
		dl.Seed(3)
		// Some of these forms have the same bits with oneDNN and without, the convolutions on an
		// Intel Xeon among them, but not all.
		return must(dl.Build(dl.Sequential{
			dl.Conv2d{Out: 64, Kernel: 5, Stride: 2, Padding: 2}, dl.ReLU{},
			dl.Conv2d{Out: 64, Kernel: 3}, dl.ReLU{},
			dl.Flatten{}, dl.Linear{Out: 1024},
		}, x.Shape()))
	}
	predict := func(m *dl.Model, between bool) (all [][]float32) {
		for i := range 13 {
			if between && i%3 == 2 {
				must(m.Predict(other))
			}
			all = append(all, must(m.Predict(x)).Float32s())
		}
		return all
	}
	first, again := predict(begin(), false), predict(begin(), true)
	for i, y := range first {
		if !slices.Equal(y, again[i]) {
			t.Errorf("prediction %d: %v and %v", i+1, y, again[i])
		}
		if i < 10 && !slices.Equal(y, first[0]) {
			t.Errorf("prediction %d is %v, and was %v", i+1, y, first[0])
		}
		for j, v := range y {
			if d := math.Abs(float64(v - first[0][j])); d > 1e-5*math.Abs(float64(first[0][j]))+1e-6 {
				t.Errorf("prediction %d: number %d is %v, and was %v", i+1, j, v, first[0][j])
			}
		}
	}
	if slices.Equal(first[10], first[0]) {
		t.Error("all bits are the same: oneDNN is not called")
	}
}
