package dl_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// fill is the formula of testdata/ref/make.py.
func fill(seed int, bound float64, shape ...int) *dl.Tensor {
	values := make([]float32, dl.Shape(shape).Size())
	for i := range values {
		values[i] = float32((float64((i*7919+seed*104729+(i*i)%613)%2003)/1001.5 - 1) * bound)
	}
	return dl.FromSlice(values, shape...)
}

// brief is make.py's shortening of a tensor.
func brief(t *dl.Tensor) []float64 {
	v := t.Float64s()
	if len(v) <= 64 {
		return v
	}
	out := []float64{0, 0}
	for _, x := range v {
		out[0], out[1] = out[0]+x, out[1]+math.Abs(x)
	}
	step := len(v) / 32
	for i := range 32 {
		out = append(out, v[i*step])
	}
	return out
}

// near compares with PyTorch's numbers. Sums are taken in another order
// there, hence a tolerance relative to the largest number of the list.
func near(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, want %d", what, len(got), len(want))
		return
	}
	largest := 1e-3
	for _, w := range want {
		largest = max(largest, math.Abs(w))
	}
	for i := range got {
		if d := math.Abs(got[i] - want[i]); !(d <= tolerance*largest) {
			t.Errorf("%s: number %d is %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}

type reference struct {
	Torch      string
	Conv, Pool []struct {
		Settings struct {
			Shape                                                 dl.Shape
			Out, Kernel, Stride, Padding, Dilation, Groups, Round int
		}
		layerReference
	}
	ReLU         layerReference
	Linear       layerReference
	CrossEntropy layerReference `json:"cross_entropy"`
	Net          struct {
		Gradients                     map[string][]float64
		SGD, Momentum, Nesterov, Adam netReference
	}
}

type layerReference struct {
	Output    []float64
	Shape     dl.Shape
	Gradients [][]float64
}

type netReference struct {
	Losses []float64
	Params map[string][]float64
}

func readReference(t *testing.T) (ref reference) {
	b, err := os.ReadFile("testdata/ref/torch.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &ref); err != nil {
		t.Fatal(err)
	}
	return ref
}

// checkLayer compares a layer's output and the gradients of Σ output·fill(9)
// for its input and weights with PyTorch's.
func checkLayer(t *testing.T, name string, layer dl.Layer, x *dl.Tensor, weights []*dl.Tensor, ref layerReference) {
	t.Helper()
	y, gradients, err := dl.Differentiate(layer, x, weights, fill(9, 1, ref.Shape...))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if got := dl.Shape(y.Shape()); !got.Equal(ref.Shape) {
		t.Errorf("%s: output is %v, want %v", name, got, ref.Shape)
	}
	near(t, name+" output", brief(y), ref.Output, 1e-6)
	for i, g := range gradients {
		near(t, fmt.Sprint(name, " gradient ", i), brief(g), ref.Gradients[i], 2e-6)
	}
}

func TestLayersLikePyTorch(t *testing.T) {
	ref := readReference(t)
	eachBackend(t, func(t *testing.T) {
		for _, c := range ref.Conv {
			s := c.Settings
			layer := dl.Conv2d{Out: s.Out, Kernel: s.Kernel, Stride: s.Stride, Padding: s.Padding, Dilation: s.Dilation, Groups: s.Groups}
			weights := []*dl.Tensor{fill(2, 1, s.Out, s.Shape[1]/s.Groups, s.Kernel, s.Kernel), fill(3, 1, s.Out)}
			checkLayer(t, fmt.Sprintf("%+v", s), layer, fill(1, 1, s.Shape...), weights, c.layerReference)
		}
		for _, c := range ref.Pool {
			s := c.Settings
			x := fill(4, 1, s.Shape...)
			if s.Round != 0 {
				v := x.Float32s()
				for i := range v {
					v[i] = float32(math.RoundToEven(float64(v[i] * 2)))
				}
				x = dl.FromSlice(v, s.Shape...)
			}
			checkLayer(t, fmt.Sprintf("%+v", s), dl.MaxPool2d{Kernel: s.Kernel, Stride: s.Stride, Padding: s.Padding}, x, nil, c.layerReference)
		}
		x := fill(5, 1, 4, 5)
		checkLayer(t, "linear", dl.Linear{Out: 3}, x, []*dl.Tensor{fill(6, 1, 3, 5), fill(7, 1, 3)}, ref.Linear)
		v := x.Float32s()
		for i := range v {
			if math.Abs(float64(v[i])) <= 0.2 {
				v[i] = 0
			}
		}
		checkLayer(t, "relu", dl.ReLU{}, dl.FromSlice(v, 4, 5), nil, ref.ReLU)
		cross := dl.Func(func(x *dl.Node) *dl.Node {
			labels := x.Constant([]int64{0, 2, 4, 1})
			terms, _ := dl.CrossEntropyLoss{}.Terms(x.Scale(5), labels)
			return terms.Mean()
		})
		checkLayer(t, "cross entropy", cross, x, nil, ref.CrossEntropy)
	})
}

func TestTrainsLikePyTorch(t *testing.T) {
	ref := readReference(t)
	on(t, "cpu")
	for _, c := range []struct {
		name string
		opt  dl.Optimizer
		ref  netReference
	}{
		{"sgd", dl.SGD{LR: 0.01}, ref.Net.SGD},
		{"momentum", dl.SGD{LR: 0.01, Momentum: 0.9, WeightDecay: 0.001}, ref.Net.Momentum},
		{"nesterov", dl.SGD{LR: 0.01, Momentum: 0.9, Nesterov: true}, ref.Net.Nesterov},
		{"adam", dl.Adam{}, ref.Net.Adam},
	} {
		m := must(dl.Build(cifarNet(), dl.Shape{8, 3, 32, 32}))
		fans := map[string]int{"0": 75, "2": 800, "4": 800, "7": 1024, "8": 64}
		for i, name := range m.Names() {
			shape := m.Param(name).Shape()
			if err := m.SetParam(name, fill(20+i, 1/math.Sqrt(float64(fans[name[:1]])), shape...)); err != nil {
				t.Fatal(err)
			}
		}
		step := dl.TrainStep(m, nil, c.opt)
		for n, want := range c.ref.Losses {
			labels := make([]int64, 8)
			for i := range labels {
				labels[i] = int64((i*3 + n) % 10)
			}
			got := step.Run(dl.Batch{Inputs: fill(40+n, 1, 8, 3, 32, 32), Labels: dl.FromSlice(labels)})
			// DESIGN asks for 1e-4 over 50 steps of float32.
			if math.Abs(got-want) > 1e-4*want {
				t.Errorf("%s: loss of step %d is %v, want %v", c.name, n, got, want)
			}
		}
		for name, want := range c.ref.Params {
			// Ten steps add up roundings: a tenth of what one step moves.
			near(t, c.name+" "+name, brief(m.Param(name)), want, 5e-4)
		}
	}
}
