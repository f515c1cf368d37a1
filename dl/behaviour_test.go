package dl_test

import (
	"math"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
)

func TestDropout(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		x := dl.FromSlice(slices.Repeat([]float32{1}, 10000), 100, 100)
		dl.Seed(5)
		a, b := dl.Dropout{P: 0.3}.Forward(x).Float64s(), x.Dropout(0.3).Float64s()
		for i, y := range [][]float64{a, b} {
			kept := 0
			for _, v := range y {
				if v != 0 {
					kept++
					if math.Abs(v-1/0.7) > 1e-6 {
						t.Fatalf("a kept value is %v, want %v", v, 1/0.7)
					}
				}
			}
			// A binomial of 10000 and 0.7 has a deviation of 46; this is four.
			if kept < 6816 || kept > 7184 {
				t.Errorf("draw %d: %d values kept, want about 7000", i, kept)
			}
		}
		if slices.Equal(a, b) {
			t.Error("two draws are the same")
		}
		dl.Seed(5)
		if again := (dl.Dropout{P: 0.3}).Forward(x).Float64s(); !slices.Equal(a, again) {
			t.Error("the same seed draws other values")
		}
		if y := (dl.Dropout{P: 1}).Forward(x).Sum().Item(); y != 0 {
			t.Errorf("P of 1 keeps %v", y)
		}
		m := must(dl.Build(dl.Dropout{}, dl.Shape{2, 3}))
		if y := must(m.Predict(fill(1, 1, 2, 3))).Float32s(); !slices.Equal(y, fill(1, 1, 2, 3).Float32s()) {
			t.Errorf("Predict drops: %v", y)
		}
	})
}

// TestDropoutIsTheSameEverywhere trains with dropout on both backends, and
// twice.
func TestDropoutIsTheSameEverywhere(t *testing.T) {
	var losses [][]float64
	for _, backend := range []string{"go", "cpu", "go"} {
		on(t, backend)
		dl.Seed(2)
		m := must(dl.Build(dl.Sequential{dl.Linear{Out: 16}, dl.Dropout{}, dl.Linear{Out: 16}, dl.Dropout{P: 0.2}, dl.Linear{Out: 2}}, dl.Shape{4, 3}))
		step := dl.TrainStep(m, nil, dl.SGD{LR: 0.1})
		var all []float64
		for range 5 {
			all = append(all, must(step.Run(dl.Batch{Inputs: fill(1, 1, 4, 3), Labels: dl.FromSlice([]int64{0, 1, 1, 0})})).Loss)
		}
		losses = append(losses, all)
	}
	if !slices.Equal(losses[0], losses[2]) {
		t.Errorf("the same seed gives %v and %v", losses[0], losses[2])
	}
	near(t, "losses on cpu", losses[1], losses[0], 1e-5) // sums in another order
}

// TestBatchNormOfFilledBatch trains on a small batch in a program for a larger
// one, and alone: weights and running values must be the same.
func TestBatchNormOfFilledBatch(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		var dicts []dl.StateDict
		for _, larger := range []bool{false, true} {
			dl.Seed(1)
			m := must(dl.Build(dl.Sequential{
				dl.Conv2d{Out: 4, Kernel: 3}, dl.BatchNorm2d{}, dl.ReLU{}, dl.Flatten{}, dl.Linear{Out: 3}, dl.BatchNorm1d{}, dl.Linear{Out: 2},
			}, dl.Shape{3, 2, 5, 5}))
			start := m.StateDict()
			step := dl.TrainStep(m, nil, dl.SGD{LR: 0.1})
			if larger {
				must(step.Run(dl.Batch{Inputs: fill(2, 1, 7, 2, 5, 5), Labels: dl.FromSlice(make([]int64, 7))}))
				if err := m.LoadStateDict(start); err != nil {
					t.Fatal(err)
				}
			}
			must(step.Run(dl.Batch{Inputs: fill(1, 1, 3, 2, 5, 5), Labels: dl.FromSlice([]int64{0, 1, 1})}))
			dicts = append(dicts, m.StateDict())
		}
		for name, want := range dicts[0] {
			near(t, name, dicts[1][name].Float64s(), want.Float64s(), 1e-5) // sums in another order
		}
		if n := dicts[1]["1.num_batches_tracked"]; n.DType() != dl.Int64 || n.Item() != 1 {
			t.Errorf("num_batches_tracked is %v", n)
		}
	})
}

// TestModes checks what Train and Eval do to training steps, and that
// prediction needs neither.
func TestModes(t *testing.T) {
	on(t, "go")
	build := func() *dl.Model {
		dl.Seed(1)
		return must(dl.Build(&Pair{dl.Sequential{dl.Linear{Out: 4}, dl.BatchNorm1d{}}, dl.Sequential{dl.BatchNorm1d{}, dl.Linear{Out: 2}}}, dl.Shape{4, 3}))
	}
	batch := dl.Batch{Inputs: fill(1, 1, 4, 3), Labels: dl.FromSlice([]int64{0, 1, 1, 0})}
	moved := func(m *dl.Model, name string) bool { return m.Param(name).Abs().Sum().Item() != 0 }
	for _, c := range []struct {
		name       string
		set        func(m *dl.Model)
		body, head bool // whether the running mean moves
	}{
		{"new", func(m *dl.Model) {}, true, true},
		{"eval", func(m *dl.Model) { m.Eval() }, false, false},
		{"part", func(m *dl.Model) { m.Eval("body") }, false, true},
		{"part of it", func(m *dl.Model) { m.Eval(); m.Train("head.0") }, false, true},
		{"back", func(m *dl.Model) { m.Eval(); m.Train() }, true, true},
	} {
		m := build()
		c.set(m)
		before := must(m.Predict(batch.Inputs)).Float32s()
		if c.name == "new" || !slices.Equal(before, must(build().Predict(batch.Inputs)).Float32s()) {
			if c.name != "new" {
				t.Errorf("%s: Predict depends on the mode", c.name)
			}
		}
		step := dl.TrainStep(m, nil, dl.SGD{LR: 0.1})
		must(step.Run(batch))
		if body, head := moved(m, "body.1.running_mean"), moved(m, "head.0.running_mean"); body != c.body || head != c.head {
			t.Errorf("%s: running means moved: %v %v, want %v %v", c.name, body, head, c.body, c.head)
		}
	}
	m := build()
	step := dl.TrainStep(m, nil, dl.SGD{LR: 0.1})
	must(step.Run(batch))
	mean := m.Param("body.1.running_mean").Float32s()
	m.Eval()
	must(step.Run(batch)) // the same step, another program
	if !slices.Equal(mean, m.Param("body.1.running_mean").Float32s()) {
		t.Error("Eval between two steps did nothing")
	}
	wantError(t, m.Eval("boddy"), `dl: Eval: path is "boddy", want one of body, body.0, body.1, head, head.0, head.1; did you mean body?`)
}

type Pair struct{ Body, Head dl.Sequential }

func (p *Pair) Forward(x *dl.Tensor) *dl.Tensor { return p.Head.Forward(p.Body.Forward(x)) }

func TestFeatures(t *testing.T) {
	on(t, "go")
	m := must(dl.Build(&Net{
		Features: dl.Sequential{dl.Conv2d{Out: 4, Kernel: 3, Padding: 1}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2}, &Skip{Conv: dl.Conv2d{Out: 4, Kernel: 1}}},
		Head:     dl.Linear{Out: 10},
	}, dl.Shape{2, 3, 8, 8}))
	x := fill(1, 1, 2, 3, 8, 8)
	conv := must(m.Features("features.0", x))
	want := x.Conv2d(m.Param("features.0.weight"), m.Param("features.0.bias"), dl.Conv2d{Padding: 1})
	near(t, "features.0", conv.Float64s(), want.Float64s(), 1e-6) // another program
	pooled := must(m.Features("features.2", x))
	near(t, "features.2", pooled.Float64s(), want.ReLU().MaxPool2d(dl.MaxPool2d{Kernel: 2}).Float64s(), 1e-6) // another program
	for path, shape := range map[string]dl.Shape{"features.3": {2, 4, 4, 4}, "features.3.conv": {2, 4, 4, 4}, "features": {2, 4, 4, 4}, "head": {2, 10}, "": {2, 10}} {
		if y, err := m.Features(path, x); err != nil || !shape.Equal(y.Shape()) {
			t.Errorf("%q gives %v, %v, want %v", path, y, err, shape)
		}
	}
	whole := must(m.Features("features.3", x))
	inner := must(m.Features("features.3.conv", x))
	near(t, "a struct of one's own", whole.Float64s(), inner.Add(pooled).Float64s(), 1e-6) // another program
}

type Skip struct{ Conv dl.Conv2d }

func (s *Skip) Forward(x *dl.Tensor) *dl.Tensor { return x.Add(s.Conv.Forward(x)) }

// TestInitialValues compares the distributions of new weights with PyTorch's.
func TestInitialValues(t *testing.T) {
	on(t, "go")
	dl.Seed(1)
	check := func(m *dl.Model, name string, bound, deviation float64) {
		t.Helper()
		v := m.Param(name).Float64s()
		sum, square, most := 0.0, 0.0, 0.0
		for _, x := range v {
			sum, square, most = sum+x, square+x*x, max(most, math.Abs(x))
		}
		n := float64(len(v))
		// Five deviations of a mean, and of a variance, of n numbers.
		if got := math.Sqrt(square / n); math.Abs(sum/n) > 5*deviation/math.Sqrt(n) || math.Abs(got-deviation) > 5*deviation/math.Sqrt(n) || most > bound {
			t.Errorf("%s: mean %v, deviation %v, at most %v; want 0, %v, %v", name, sum/n, got, most, deviation, bound)
		}
	}
	uniform := func(m *dl.Model, name string, bound float64) { t.Helper(); check(m, name, bound, bound/math.Sqrt(3)) }
	uniform(must(dl.Build(dl.Conv2d{Out: 64, Kernel: 5, Groups: 2}, dl.Shape{1, 8, 8, 8})), "weight", 1/math.Sqrt(100))
	uniform(must(dl.Build(dl.ConvTranspose2d{Out: 64, Kernel: 3}, dl.Shape{1, 8, 8, 8})), "weight", 1/math.Sqrt(64*9))
	uniform(must(dl.Build(dl.Linear{Out: 64}, dl.Shape{1, 100})), "weight", 0.1)
	uniform(must(dl.Build(dl.LSTM{Hidden: 64}, dl.Shape{1, 1, 8})), "weight_hh_l0", 1.0/8)
	attention := must(dl.Build(dl.MultiheadAttention{Heads: 8}, dl.Shape{1, 1, 64}))
	uniform(attention, "in_proj_weight", math.Sqrt(6.0/(4*64)))
	uniform(attention, "out_proj.weight", 1.0/8)
	if attention.Param("in_proj_bias").Abs().Max().Item() != 0 || attention.Param("out_proj.bias").Abs().Max().Item() != 0 {
		t.Error("the biases of attention do not start at 0")
	}
	embedding := must(dl.Build(dl.Embedding{In: 100, Out: 64, PaddingIdx: new(99)}, dl.Shape{1, 1}, dl.Int64))
	if embedding.Param("weight").Index(99).Abs().Max().Item() != 0 {
		t.Error("the padding's vector does not start at 0")
	}
	check(must(dl.Build(dl.Embedding{In: 100, Out: 64}, dl.Shape{1, 1}, dl.Int64)), "weight", 6, 1)
}

// TestFunctionsByHand is the course's example: 5×5 by 3×3.
func TestFunctionsByHand(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		x := dl.FromSlice([]float32{
			1, 2, 0, 3, 1,
			0, 1, 2, 3, 1,
			1, 2, 1, 0, 0,
			5, 2, 3, 1, 1,
			2, 1, 0, 1, 1}, 1, 1, 5, 5)
		w := dl.FromSlice([]float32{
			1, 2, 1,
			0, 1, 0,
			2, 1, 0}, 1, 1, 3, 3)
		for _, c := range []struct {
			name string
			got  *dl.Tensor
			want []float64
		}{
			{"stride 1", x.Conv2d(w, nil, dl.Conv2d{}), []float64{10, 12, 12, 18, 16, 16, 13, 9, 3}},
			{"stride 2", x.Conv2d(w, nil, dl.Conv2d{Stride: 2}), []float64{10, 12, 13, 3}},
			{"padding", x.Conv2d(w, nil, dl.Conv2d{Padding: 1}), []float64{1, 3, 4, 10, 8, 5, 10, 12, 12, 6, 7, 18, 16, 16, 8, 11, 13, 9, 3, 4, 14, 13, 9, 7, 4}},
			{"largest", x.MaxPool2d(dl.MaxPool2d{Kernel: 3}), []float64{2}},
			{"largest, over the edge", x.MaxPool2d(dl.MaxPool2d{Kernel: 3, Ceil: true}), []float64{2, 3, 5, 1}},
			{"bias", x.Conv2d(w, dl.FromSlice([]float32{100}), dl.Conv2d{Stride: 2}), []float64{110, 112, 113, 103}},
		} {
			near(t, c.name, c.got.Float64s(), c.want, 1e-6) // whole numbers in float32
		}
	})
}

// TestGradientsWhereGoMLXDiffers has the places where GoMLX's own gradients
// are not PyTorch's, which functions of this package mend.
func TestGradientsWhereGoMLXDiffers(t *testing.T) {
	on(t, "go")
	for _, c := range []struct {
		name string
		f    func(x *dl.Tensor) *dl.Tensor
		x    []float32
		want []float64
	}{
		{"Abs at 0", func(x *dl.Tensor) *dl.Tensor { return x.Abs() }, []float32{0, -2, 3}, []float64{0, -1, 1}},
		{"ReLU at 0", func(x *dl.Tensor) *dl.Tensor { return x.ReLU() }, []float32{0, -2, 3}, []float64{0, 0, 1}},
		{"Max of equals", func(x *dl.Tensor) *dl.Tensor { return x.Max() }, []float32{1, 4, 4}, []float64{0, 0.5, 0.5}},
		{"Min of equals", func(x *dl.Tensor) *dl.Tensor { return x.Min() }, []float32{1, 1, 4}, []float64{0.5, 0.5, 0}},
	} {
		g := must(dl.Grad(func(x ...*dl.Tensor) *dl.Tensor { return c.f(x[0]).Sum() }, dl.FromSlice(c.x)))
		near(t, c.name, g[0].Float64s(), c.want, 0)
	}
}
