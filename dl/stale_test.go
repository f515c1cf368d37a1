package dl_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// moody is a network whose Forward reads what cells may change between calls:
// numbers, a slice, a flag, a function, and how deep it is.
type moody struct {
	W dl.Param

	scale  float64
	shifts []float64 // one for each layer of depth
	twice  bool
	bend   func(x *dl.Tensor) *dl.Tensor
	bent   func(x float64) float64 // what bend does
}

func (m *moody) Forward(x *dl.Tensor) *dl.Tensor {
	for _, shift := range m.shifts {
		x = m.bend(x.Scale(m.scale)).Shift(shift)
		if m.twice {
			x = x.Add(x)
		}
	}
	return x.Mul(m.W.Value())
}

// features is Forward without the parameter, in Go.
func (m *moody) features(x float64) float64 {
	for _, shift := range m.shifts {
		x = m.bent(x*m.scale) + shift
		if m.twice {
			x += x
		}
	}
	return x
}

// change changes one thing.
func (m *moody) change(rng *rand.Rand) {
	switch rng.IntN(5) {
	case 0:
		m.scale = 0.5 + rng.Float64()
	case 1:
		m.shifts = make([]float64, rng.IntN(4))
		for i := range m.shifts {
			m.shifts[i] = rng.Float64()
		}
	case 2:
		m.twice = !m.twice
	case 3:
		if len(m.shifts) > 0 {
			m.shifts[rng.IntN(len(m.shifts))] = rng.Float64()
		}
	default:
		if rng.IntN(2) == 0 {
			m.bend, m.bent = (*dl.Tensor).Tanh, math.Tanh
		} else {
			m.bend, m.bent = (*dl.Tensor).Square, func(x float64) float64 { return x * x }
		}
	}
}

// halved is a loss that a cell may edit: its factor is a variable.
type halved struct{ factor *float64 }

func (h halved) Terms(output, target *dl.Tensor) (terms, weights *dl.Tensor) {
	d := output.Sub(target).Square().Scale(*h.factor)
	return d, d.Scale(0).Shift(1)
}

// TestNothingIsStale changes what a network and a loss read, and has every way to
// run them give what plain Go gives.
func TestNothingIsStale(t *testing.T) {
	on(t, "go")
	rng := rand.New(rand.NewPCG(1, 2))
	net := &moody{W: dl.Param{Shape: dl.Shape{1}, Init: dl.Constant(1)}, scale: 1, bend: (*dl.Tensor).Tanh, bent: math.Tanh}
	m := must(dl.Build(net, dl.Shape{3, 1}))
	xs, targets := []float64{0.3, -0.2, 0.8}, []float64{1, 0.5, -1}
	x, target := column(xs), column(targets)
	batch := dl.Batch{Inputs: x, Labels: target}
	factor := 1.0
	loss := halved{&factor}
	step := dl.TrainStep(m, loss, dl.SGD{LR: 0.01})
	compiled := dl.Compile(func(x *dl.Tensor) *dl.Tensor { return m.Call(x) })
	for i := range 60 {
		net.change(rng)
		if rng.IntN(3) == 0 {
			factor = rng.Float64()
		}
		w := m.Param("w").Item()
		wantLoss, wantGrad := 0.0, 0.0
		var want []float64
		for k, v := range xs {
			f := net.features(v)
			want = append(want, w*f)
			wantLoss += factor * (w*f - targets[k]) * (w*f - targets[k]) / 3
			wantGrad += 2 * factor * (w*f - targets[k]) * f / 3
		}
		near := func(what string, got, want float64) {
			t.Helper()
			if math.Abs(got-want) > 1e-4*max(1, math.Abs(want)) {
				t.Fatalf("change %d: %s is %v, want %v", i, what, got, want)
			}
		}
		near("Predict", must(m.Predict(x)).Float64s()[1], want[1])
		near("Call", m.Call(x).Float64s()[2], want[2])
		near("a compiled function", compiled.Call(x).Float64s()[0], want[0])
		near("Evaluate", must(dl.Evaluate(m, oneBatch{batch})).Loss, wantLoss)
		near("Gradients", must(m.Gradients(batch, loss))["w"].Item(), wantGrad)
		near("a step's loss", must(step.Run(batch)).Loss, wantLoss)
		near("the weight after a step", m.Param("w").Item(), w-0.01*wantGrad)
		fresh := &moody{W: dl.Param{Shape: dl.Shape{1}, Init: dl.Constant(m.Param("w").Item())},
			scale: net.scale, shifts: slices.Clone(net.shifts), twice: net.twice, bend: net.bend}
		if got, want := must(m.Predict(x)).Float64s(), must(must(dl.Build(fresh, dl.Shape{3, 1})).Predict(x)).Float64s(); !slices.Equal(got, want) {
			t.Fatalf("change %d: Predict gives %v, and a fresh model %v", i, got, want)
		}
		if i%20 == 0 {
			now := must(dl.Evaluate(m, oneBatch{batch})).Loss
			near("FindLR's first loss", must(dl.FindLR(m, dl.LRTest{Data: oneBatch{batch}, Loss: loss, Steps: 10})).Loss[0], now)
			for _, f := range must(dl.Doctor(m, oneBatch{batch}, loss)).Findings {
				if f.Check == "first loss" {
					if got, err := strconv.ParseFloat(f.Found, 64); err != nil || math.Abs(got-now) > 1e-3*max(1, now) {
						t.Fatalf("change %d: the first loss of Doctor is %s, want %v", i, f.Found, now)
					}
				}
			}
			run := dl.Start(m, dl.Training{Data: oneBatch{batch}, Loss: loss, Epochs: 1, Optimizer: dl.SGD{LR: 1e-9}})
			if err := run.Wait(); err != nil {
				t.Fatal(err)
			}
			near("a run's loss", run.Epochs()[0].Train.Loss, must(dl.Evaluate(m, oneBatch{batch})).Loss)
		}
		if rng.IntN(4) == 0 { // back to where a step has little to do
			m.Param("w").Set(dl.FromSlice([]float32{1}))
		}
	}
}

// column is a tensor of one column.
func column(values []float64) *dl.Tensor {
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = float32(v)
	}
	return dl.FromSlice(out, len(out), 1)
}
