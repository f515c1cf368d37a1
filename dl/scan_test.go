package dl_test

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// pair is a state of two tensors.
type pair struct{ H, C *dl.Tensor }

// TestScanLikeGo compares a loop in the program with the same loop in Go: results
// and gradients, of a state in a struct, of a sequence in a slice, and of what the
// function takes from outside; at once and compiled.
func TestScanLikeGo(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		const steps = 5
		w := dl.NewParam(fill(1, 0.7, 3, 3))
		x0, z0, h0 := fill(2, 1, steps, 2, 3), fill(3, 1, steps, 2, 1), fill(4, 1, 2, 3)
		one := func(s pair, x, z *dl.Tensor) (pair, *dl.Tensor) {
			h := s.H.MatMul(w).Add(x).Tanh()
			c := s.C.Mul(z.Sigmoid()).Add(h)
			return pair{h, c}, h.Mul(c).Scale(0.5)
		}
		inGo := func(x, z, h *dl.Tensor) *dl.Tensor {
			s, ys := pair{h, h.Scale(2)}, []*dl.Tensor{}
			for i := range steps {
				var y *dl.Tensor
				s, y = one(s, x.Narrow(0, i, 1).Squeeze(0), z.Narrow(0, i, 1).Squeeze(0))
				ys = append(ys, y.Unsqueeze(0))
			}
			return dl.Concat(0, ys...).Mul(fill(5, 1, steps, 2, 3)).Sum().Add(s.C.Square().Sum())
		}
		scanned := func(x, z, h *dl.Tensor) *dl.Tensor {
			s, ys := dl.Scan(func(s pair, in []*dl.Tensor) (pair, *dl.Tensor) { return one(s, in[0], in[1]) }, pair{h, h.Scale(2)}, []*dl.Tensor{x, z})
			return ys.Mul(fill(5, 1, steps, 2, 3)).Sum().Add(s.C.Square().Sum())
		}
		type result struct {
			value  float64
			dw, dx []float64
			dz, dh []float64
		}
		run := func(f func(x, z, h *dl.Tensor) *dl.Tensor, compiled bool) (r result) {
			w.ZeroGrad()
			x, z, h := x0.Shift(0).RequiresGrad(), z0.Shift(0).RequiresGrad(), h0.Shift(0).RequiresGrad()
			if compiled {
				c := dl.Compile(func(x, z, h *dl.Tensor) []*dl.Tensor {
					y := f(x, z, h)
					y.Backward()
					return []*dl.Tensor{y, w.Grad(), x.Grad(), z.Grad(), h.Grad()}
				})
				out := c.Call(x, z, h)
				return result{out[0].Item(), out[1].Float64s(), out[2].Float64s(), out[3].Float64s(), out[4].Float64s()}
			}
			y := f(x, z, h)
			y.Backward()
			return result{y.Item(), w.Grad().Float64s(), x.Grad().Float64s(), z.Grad().Float64s(), h.Grad().Float64s()}
		}
		want := run(inGo, true)
		for _, compiled := range []bool{false, true} {
			got := run(scanned, compiled)
			near(t, "the value", []float64{got.value}, []float64{want.value}, 1e-5) // sums in another order
			near(t, "the gradient of a parameter", got.dw, want.dw, 1e-5)
			near(t, "the gradient of the sequence", got.dx, want.dx, 1e-5)
			near(t, "the gradient of the second sequence", got.dz, want.dz, 1e-5)
			near(t, "the gradient of the state", got.dh, want.dh, 1e-5)
		}
	})
}

// TestScanSecondDerivative compares the gradient of a gradient with that of the
// same loop in Go, for loops inside of loops too.
func TestScanSecondDerivative(t *testing.T) {
	on(t, "cpu")
	w0, xs := fill(1, 0.7, 3, 3), fill(2, 1, 4, 3)
	step := func(w, h, x *dl.Tensor) *dl.Tensor { return h.MatMul(w).Add(x.Unsqueeze(0)).Tanh() }
	loops := map[string]func(w *dl.Tensor) *dl.Tensor{
		"in Go": func(w *dl.Tensor) *dl.Tensor {
			h := fill(3, 1, 1, 3)
			for range 2 {
				for i := range 4 {
					h = step(w, h, xs.Narrow(0, i, 1).Squeeze(0))
				}
				h = h.Mul(h)
			}
			return h.Sum()
		},
		"in the program": func(w *dl.Tensor) *dl.Tensor {
			h := fill(3, 1, 1, 3)
			h, _ = dl.Scan(func(h, _ *dl.Tensor) (*dl.Tensor, struct{}) {
				h, _ = dl.Scan(func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) { return step(w, h, x), nil }, h, xs)
				return h.Mul(h), struct{}{}
			}, h, dl.Arange(2))
			return h.Sum()
		},
	}
	second := func(f func(w *dl.Tensor) *dl.Tensor) []float64 {
		g := must(dl.Grad(func(w ...*dl.Tensor) *dl.Tensor {
			g := must(dl.Grad(func(w ...*dl.Tensor) *dl.Tensor { return f(w[0]) }, w[0]))
			return g[0].Square().Sum()
		}, w0))
		return g[0].Float64s()
	}
	near(t, "the second derivative", second(loops["in the program"]), second(loops["in Go"]), 1e-4) // sums in another order
}

// unrolledNet reads a sequence with a cell of its own, in the program or in Go.
type unrolledNet struct {
	In, State, Out dl.Linear
	Drop           dl.Dropout
	InGo           bool
}

func (n *unrolledNet) step(h, x *dl.Tensor) *dl.Tensor {
	return n.Drop.Forward(n.In.Forward(x).Add(n.State.Forward(h))).Tanh()
}

// Forward reads x [N L D].
func (n *unrolledNet) Forward(x *dl.Tensor) *dl.Tensor {
	h := dl.Full(0, x.Dim(0), 4)
	if n.InGo {
		for i := range x.Dim(1) {
			h = n.step(h, x.Narrow(1, i, 1).Squeeze(1))
		}
		return n.Out.Forward(h)
	}
	h, _ = dl.Scan(func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) { return n.step(h, x), nil }, h, x.Transpose(1, 0, 2))
	return n.Out.Forward(h)
}

// TestScanInModel trains a network with a loop, which Build has sized.
func TestScanInModel(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		var losses, macs [2][]float64
		for i, inGo := range []bool{true, false} {
			dl.Seed(1)
			m := must(dl.Build(&unrolledNet{In: dl.Linear{Out: 4}, State: dl.Linear{Out: 4, NoBias: true}, Out: dl.Linear{Out: 2}, Drop: dl.Dropout{P: 1e-9}, InGo: inGo}, dl.Shape{3, 5, 2}))
			if got := strings.Join(m.Names(), " "); got != "in.weight in.bias state.weight out.weight out.bias" {
				t.Fatalf("names are %s", got)
			}
			step := dl.TrainStep(m, nil, dl.SGD{LR: 0.5})
			b := dl.Batch{Inputs: fill(1, 1, 3, 5, 2), Labels: dl.FromSlice([]int64{0, 1, 1})}
			for range 3 {
				losses[i] = append(losses[i], must(step.Run(b)).Loss)
			}
			losses[i] = append(losses[i], must(m.Predict(b.Inputs)).Float64s()...)
			macs[i] = []float64{float64(m.Summary().MACs)}
			if _, err := m.Graph(); err != nil {
				t.Error(err)
			}
		}
		near(t, "the losses", losses[1], losses[0], 1e-5) // sums in another order
		near(t, "the multiplications", macs[1], macs[0], 0)
	})
}

// TestScanCustomGradients has gradients of one's own, and gradients that are
// changed, inside of the function, as the same loop in Go has them.
func TestScanCustomGradients(t *testing.T) {
	on(t, "cpu")
	round := dl.CustomGrad(func(x *dl.Tensor) *dl.Tensor { return x.Floor() }, func(g, x *dl.Tensor) *dl.Tensor { return g.Mul(x.Shift(2)) })
	step := func(h, x *dl.Tensor) *dl.Tensor {
		h = h.Scale(1.5).Add(x)
		h.OnGrad(func(g *dl.Tensor) *dl.Tensor { return g.Scale(3) })
		return round(h)
	}
	xs := dl.FromSlice([]float32{0.5, 1.25, -0.75}, 3, 1)
	loops := map[string]func(h *dl.Tensor) *dl.Tensor{
		"in Go": func(h *dl.Tensor) *dl.Tensor {
			for i := range 3 {
				h = step(h, xs.Narrow(0, i, 1).Squeeze(0))
			}
			return h.Sum()
		},
		"in the program": func(h *dl.Tensor) *dl.Tensor {
			h, _ = dl.Scan(func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) { return step(h, x), nil }, h, xs)
			return h.Sum()
		},
	}
	gradient := func(f func(h *dl.Tensor) *dl.Tensor) []float64 {
		h := dl.FromSlice([]float32{1.25}).RequiresGrad()
		y := dl.Compile(func(h *dl.Tensor) *dl.Tensor {
			f(h).Backward()
			return h.Grad()
		})
		return y.Call(h).Float64s()
	}
	near(t, "the gradient", gradient(loops["in the program"]), gradient(loops["in Go"]), 1e-6)
}

// TestScanGradInside finds a gradient inside of the function: gradient descent in
// the program.
func TestScanGradInside(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		goal := dl.FromSlice([]float32{1, -2})
		x, losses := dl.Scan(func(x, _ *dl.Tensor) (*dl.Tensor, *dl.Tensor) {
			loss := func(x ...*dl.Tensor) *dl.Tensor { return x[0].Sub(goal).Square().Sum() }
			g, err := dl.Grad(loss, x)
			if err != nil {
				t.Fatal(err)
			}
			return x.Sub(g[0].Scale(0.25)), loss(x)
		}, dl.Full(0, 2), dl.Arange(3))
		near(t, "the place", x.Float64s(), []float64{0.875, -1.75}, 1e-6)
		near(t, "the losses", losses.Float64s(), []float64{5, 1.25, 0.3125}, 1e-6)
	})
}

// TestScanDraws has other random numbers in each step, the same from the same seed,
// and others at the next call; Go's own are drawn once.
func TestScanDraws(t *testing.T) {
	on(t, "cpu")
	draw := func() []float64 {
		_, ys := dl.Scan(func(s, _ *dl.Tensor) (*dl.Tensor, *dl.Tensor) { return s, dl.Rand(2).Add(s) }, dl.Full(0, 2), dl.Arange(4))
		return ys.Float64s()
	}
	dl.Seed(1)
	first := draw()
	seen := map[float64]bool{}
	for _, v := range append(draw(), first...) {
		if seen[v] || v < 0 || v >= 1 {
			t.Errorf("%v is drawn twice, or outside of [0, 1)", v)
		}
		seen[v] = true
	}
	dl.Seed(1)
	near(t, "what the same seed draws", draw(), first, 0)

	dropped := dl.Compile(func(x *dl.Tensor) *dl.Tensor {
		_, ys := dl.Scan(func(s, _ *dl.Tensor) (*dl.Tensor, *dl.Tensor) { return s, x.Dropout(0.5) }, x, dl.Arange(3))
		return ys
	})
	masks := map[string]bool{}
	ys := dropped.Call(dl.Full(1, 32))
	for i := range 3 {
		masks[fmt.Sprint(ys.Index(i).Float64s())] = true
	}
	if len(masks) != 3 {
		t.Errorf("Dropout of a tensor from outside draws %d masks in 3 steps", len(masks))
	}

	calls, add := 0, 0.0
	number := func() []float64 {
		_, ys := dl.Scan(func(s, _ *dl.Tensor) (*dl.Tensor, *dl.Tensor) {
			calls++
			add = rand.Float64()
			return s, s.Shift(add)
		}, dl.Full(0), dl.Arange(2))
		return ys.Float64s()
	}
	for range 3 {
		ys := number()
		near(t, "Go's number", ys, []float64{add, add}, 1e-6) // float32
	}
	if calls != 3 {
		t.Errorf("the function was called %d times in 3 Scans", calls)
	}
}

// TestScanWholeNumbers carries integers: the text that a model writes, say.
func TestScanWholeNumbers(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		m := must(dl.Build(dl.Embedding{In: 4, Out: 4}, dl.Shape{1}, dl.Int64))
		m.Param("weight").Set(dl.FromSlice([]float32{0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0}, 4, 4))
		last, all := dl.Scan(func(token, _ *dl.Tensor) (*dl.Tensor, *dl.Tensor) {
			token = m.Call(token).Argmax(-1)
			return token, token
		}, dl.FromSlice([]int64{1}), dl.Arange(5))
		if got := fmt.Sprint(all.Int64s(), last.Int64s()); got != "[2 3 0 1 2] [2]" {
			t.Errorf("the numbers are %s", got)
		}
	})
}

// TestScanChanges runs a loop whose function changes between calls: nothing is
// stale.
func TestScanChanges(t *testing.T) {
	on(t, "cpu")
	scale, square, outside := 1.0, false, dl.Full(1, 1)
	run := dl.Compile(func(x *dl.Tensor) *dl.Tensor {
		y, _ := dl.Scan(func(y, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) {
			if square {
				x = x.Square()
			}
			return y.Add(x.Scale(scale)).Add(outside), nil
		}, dl.Full(0, 1), x)
		return y
	})
	x := dl.FromSlice([]float32{1, 2, 3}, 3, 1)
	for _, tt := range []struct {
		scale, outside, want float64
		square               bool
	}{{1, 1, 9, false}, {2, 1, 15, false}, {2, 1, 31, true}, {3, 1, 45, true}, {3, 0, 42, true}, {1, 1, 9, false}} {
		scale, square, outside = tt.scale, tt.square, dl.Full(tt.outside, 1)
		if got := run.Call(x).Item(); got != tt.want {
			t.Errorf("with %+v the sum is %v", tt, got)
		}
	}
}

// TestWhile runs until a condition that the program calculates.
func TestWhile(t *testing.T) {
	on(t, "cpu")
	one := dl.Full(1)
	halve := func(x *dl.Tensor) *dl.Tensor {
		return dl.While(func(x *dl.Tensor) *dl.Tensor { return x.Norm().Greater(one) }, func(x *dl.Tensor) *dl.Tensor { return x.Scale(0.5) }, x)
	}
	for _, f := range []func(x *dl.Tensor) *dl.Tensor{halve, dl.Compile(halve).Call} {
		near(t, "the halves", f(dl.FromSlice([]float32{12, 16})).Float64s(), []float64{0.375, 0.5}, 0)
		near(t, "what is small already", f(dl.FromSlice([]float32{0.5})).Float64s(), []float64{0.5}, 0)
	}
	type counted struct{ N, X *dl.Tensor }
	s := dl.While(func(s counted) *dl.Tensor { return s.X.Less(dl.Full(100)) },
		func(s counted) counted { return counted{s.N.Add(dl.Scalar(int64(1))), s.X.Scale(3)} }, counted{dl.Scalar(int64(0)), dl.Full(1)})
	if s.N.Item() != 5 || s.X.Item() != 243 {
		t.Errorf("1 is tripled %v times, to %v, until it is 100", s.N.Item(), s.X.Item())
	}
	x := dl.Full(3).RequiresGrad()
	writtenOnce(t)
	if got := panicText(func() { halve(x).Sum().Backward() }); !strings.HasPrefix(got, "dl: Backward: While: no gradient goes back through it") {
		t.Errorf("the gradient of a While: %s", got)
	}
	halve(x).Detach().Mul(x).Backward()
	if got := x.Grad().Item(); got != 0.75 {
		t.Errorf("the gradient beside a While that is detached is %v", got)
	}
}

// TestScanSays has a sentence for what cannot be.
func TestScanSays(t *testing.T) {
	on(t, "go")
	h, xs := dl.Full(0, 2, 3), dl.Full(1, 4, 2, 3)
	m := must(dl.Build(dl.Sequential{dl.BatchNorm1d{}}, dl.Shape{2, 3}))
	p := dl.NewParam(dl.Full(1, 3))
	keep := func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) { return h, x }
	var escaped *dl.Tensor
	dl.Scan(func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) { escaped = x; return h, x }, h, xs)
	for _, tt := range []struct {
		name string
		f    func()
		want string
	}{
		{"another shape", func() {
			dl.Scan(func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) { return h.Sum(0), nil }, h, xs)
		},
			"dl: Scan: input is [3], want [2 3] float32 for the state after a step, as it began, not float32; a state keeps its shape and type from step to step"},
		{"another type", func() {
			dl.Scan(func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) { return h.Argmax(0).OneHot(2), nil }, dl.Full(0, 3, 2), xs)
		},
			"dl: Scan: input is [2 2], want [3 2] float32 for the state after a step, as it began, not float32; a state keeps its shape and type from step to step"},
		{"a state that is nil", func() { dl.Scan(keep, nil, xs) },
			"dl: Scan: the state to begin with holds no tensor, want a *dl.Tensor, a slice of them, or a struct with exported fields of these"},
		{"nothing to go through", func() {
			dl.Scan(func(h *dl.Tensor, _ int) (*dl.Tensor, *dl.Tensor) { return h, nil }, h, 4)
		},
			"dl: Scan: there is no sequence, want tensors whose first axis is the steps; for n steps without inputs pass dl.Arange(n), which numbers them"},
		{"sequences of two lengths", func() {
			dl.Scan(func(h *dl.Tensor, x []*dl.Tensor) (*dl.Tensor, *dl.Tensor) { return h, nil }, h, []*dl.Tensor{xs, h})
		},
			"dl: Scan: input is [2 3], want a first axis of 4 steps, as that of the first tensor of the sequence; what is the same in all steps need not be handed over: the function may read it from outside"},
		{"a parameter changed", func() {
			dl.Scan(func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) { p.Set(x.Sum(0)); return h, nil }, h, xs)
		},
			"dl: Scan: a parameter or buffer gets a new value inside of the function, which it cannot: make it a part of the state and Set it afterwards, or evaluate a BatchNorm with its Eval"},
		{"batch normalization in training", func() {
			dl.Scan(func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) { return m.Call(h), nil }, h, xs)
		},
			"dl: Scan: a parameter or buffer gets a new value inside of the function, which it cannot: make it a part of the state and Set it afterwards, or evaluate a BatchNorm with its Eval"},
		{"Backward inside", func() {
			dl.Scan(func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) { h.Mul(p).Sum().Backward(); return h, nil }, h, xs)
		},
			"dl: Backward: it is called inside of the function of Scan, where no gradient can stay; use dl.Grad there, or Backward of what comes out of it"},
		{"a tensor that escaped", func() { escaped.Add(h) },
			"dl: a tensor of a compiled function is used after the function has ended, and has no values; return it from the function"},
		{"a condition of numbers", func() {
			dl.While(func(h *dl.Tensor) *dl.Tensor { return h.Sum() }, func(h *dl.Tensor) *dl.Tensor { return h }, h)
		},
			"dl: While: the condition is [] float32, want one bool; compare with Less, Greater or Equal, after Sum, Max or Min"},
		{"a While without loops", func() {
			dl.While(func(h *dl.Tensor) *dl.Tensor { return h.Sum().Less(dl.Full(1)) }, func(h *dl.Tensor) *dl.Tensor { return h.Shift(1) }, h)
		}, `dl: While: the pure-Go backend has no loops of a length that is not known before; use XLA: dl.Use("cpu")`},
	} {
		if got := panicText(tt.f); got != tt.want {
			t.Errorf("%s: got  %s\nwant %s", tt.name, got, tt.want)
		}
	}
	// What failed left nothing behind.
	if y, _ := dl.Scan(keep, h, xs); y.Sum().Item() != 0 {
		t.Error("a Scan after errors is wrong")
	}
}

// TestScanCompilesOnce has programs as long for a recurrence of 999 steps, with its
// gradient, as for one of 9: a loop written out would take minutes to compile.
func TestScanCompilesOnce(t *testing.T) {
	on(t, "cpu")
	dl.AlwaysXLA(true)
	defer dl.AlwaysXLA(false)
	w := dl.NewParam(fill(1, 0.1, 8, 8))
	var long [2]int
	for i, steps := range []int{9, 999} {
		folder := t.TempDir()
		t.Setenv("HOLT_PROGRAMS", folder)
		x := fill(2, 1, steps, 3, 8)
		h, _ := dl.Scan(func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) { return h.MatMul(w).Add(x).Tanh(), nil }, dl.Full(0, 3, 8), x)
		h.Sum().Backward()
		for _, file := range must(filepath.Glob(filepath.Join(folder, "*.mlir"))) {
			long[i] += len(must(os.ReadFile(file)))
		}
	}
	if long[0] == 0 || long[1] > long[0]*3/2 {
		t.Errorf("9 steps are %d bytes of programs, and 999 are %d", long[0], long[1])
	}
}
