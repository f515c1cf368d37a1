package dl_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// sign is a sign whose gradient is that of the identity, cut to ±1.
var sign = dl.CustomGrad(
	func(x *dl.Tensor) *dl.Tensor { return x.Sign() },
	func(grad, x *dl.Tensor) *dl.Tensor { return grad.Clamp(-1, 1) },
)

// bothWays runs f at once and compiled: it returns the gradient of f's result for
// x.
func bothWays(x *dl.Tensor, f func(x *dl.Tensor) *dl.Tensor) map[string][]float64 {
	at := x.Detach().Shift(0).RequiresGrad()
	f(at).Backward()
	compiled := dl.Compile(func(x *dl.Tensor) *dl.Tensor {
		x.RequiresGrad()
		f(x).Backward()
		return x.Grad()
	})
	return map[string][]float64{"at once": at.Grad().Float64s(), "compiled": compiled.Call(x).Float64s()}
}

// TestCustomGrad has the gradients that backward says, at once and compiled.
func TestCustomGrad(t *testing.T) {
	on(t, "go")
	product := dl.CustomGrad( // a·b·k, with gradients that are no product's
		func(a *dl.Tensor, k float64, b *dl.Tensor) *dl.Tensor { return a.Mul(b).Scale(k) },
		func(g, a *dl.Tensor, k float64, b *dl.Tensor) (ga, gb *dl.Tensor) { return g.Mul(b).Scale(10 * k), nil },
	)
	square := dl.CustomGrad(
		func(x *dl.Tensor) *dl.Tensor { return x.Square() },
		func(g, x *dl.Tensor) *dl.Tensor { return g.Mul(x).Scale(2) },
	)
	steps := dl.CustomGrad((*dl.Tensor).Floor, func(g, x *dl.Tensor) *dl.Tensor { return g })
	shared := dl.FromSlice([]float32{7, 7, 7})
	constant := dl.CustomGrad(func(x *dl.Tensor) *dl.Tensor { return shared }, func(g, x *dl.Tensor) *dl.Tensor { return g.Scale(4) })
	x := dl.FromSlice([]float32{-2, 0.5, 3})
	inf := float32(math.Inf(1))
	for _, tt := range []struct {
		name string
		x    *dl.Tensor
		f    func(x *dl.Tensor) *dl.Tensor
		want []float64
	}{
		{"straight through", x, func(x *dl.Tensor) *dl.Tensor { return sign(x).Mul(x.Detach()).Sum() }, []float64{-1, 0.5, 1}},
		{"straight through by Detach", x, func(x *dl.Tensor) *dl.Tensor { return x.Add(x.Sign().Sub(x).Detach()).Scale(3).Sum() }, []float64{3, 3, 3}},
		{"rounded", x, func(x *dl.Tensor) *dl.Tensor { return steps(x.Scale(2)).Sum() }, []float64{2, 2, 2}},
		{"in the middle of others", x, func(x *dl.Tensor) *dl.Tensor { return sign(x.Scale(0.5)).Square().Sum().Add(x.Square().Sum()) }, []float64{-4.5, 1.5, 6.5}},
		{"twice", x, func(x *dl.Tensor) *dl.Tensor { return sign(sign(x)).Sum() }, []float64{1, 1, 1}},
		{"of infinite numbers", dl.FromSlice([]float32{inf, -inf, 1}), func(x *dl.Tensor) *dl.Tensor { return sign(x).Sum() }, []float64{1, 1, 1}},
		{"other arguments and no gradient", x, func(x *dl.Tensor) *dl.Tensor { return product(x, 3, x).Sum() }, []float64{-60, 15, 90}},
		{"a constant that others have", x, func(x *dl.Tensor) *dl.Tensor { return constant(x).Sum() }, []float64{4, 4, 4}},
	} {
		for way, g := range bothWays(tt.x, tt.f) {
			near(t, tt.name+" "+way, g, tt.want, 1e-5)
		}
	}
	cube := func(x ...*dl.Tensor) *dl.Tensor { return square(x[0]).Mul(x[0]).Sum() }
	second := must(dl.Grad(func(x ...*dl.Tensor) *dl.Tensor { return must(dl.Grad(cube, x...))[0].Sum() }, x))[0]
	near(t, "the second derivative of x³", second.Float64s(), []float64{-12, 3, 18}, 1e-5)
	if got := shared.Scale(1).Float64s(); !slices.Equal(got, []float64{7, 7, 7}) {
		t.Errorf("the constant is %v", got)
	}
	if y := sign(x); !slices.Equal(y.Float64s(), []float64{-1, 1, 1}) {
		t.Errorf("the sign is %v", y.Float64s())
	}
}

// TestCustomGradInSteps trains through a sign: by TrainStep, and in a network of
// one's own with a parameter that backward uses.
func TestCustomGradInSteps(t *testing.T) {
	on(t, "go")
	w := dl.NewParam(dl.FromSlice([]float32{2}))
	scaled := dl.CustomGrad(
		func(x *dl.Tensor) *dl.Tensor { return x.Mul(w) },
		func(g, x *dl.Tensor) *dl.Tensor { return g.Mul(w) },
	)
	x := dl.FromSlice([]float32{1, -1})
	for i := range 2 { // the program is the same, and reads the parameter anew
		for way, g := range bothWays(x, func(x *dl.Tensor) *dl.Tensor { return scaled(x).Sum() }) {
			near(t, way, g, []float64{2 + float64(i), 2 + float64(i)}, 1e-6)
		}
		w.Set(dl.FromSlice([]float32{3}))
	}
	m := must(dl.Build(dl.Sequential{dl.Linear{Out: 1, NoBias: true}, dl.Func(func(x *dl.Tensor) *dl.Tensor { return sign(x) })}, dl.Shape{2, 1}))
	m.Param("0.weight").Set(dl.Full(0.5, 1, 1))
	step := dl.TrainStep(m, dl.L1Loss{}, dl.SGD{LR: 1})
	loss := must(step.Run(dl.Batch{Inputs: column([]float64{0.1, 0.3}), Labels: column([]float64{-3, -3})})).Loss
	// The mean of |sign(wx) + 3|, whose gradient for w is that of wx: Σ x / 2.
	if got := m.Param("0.weight").Item(); loss != 4 || math.Abs(got-0.3) > 1e-6 {
		t.Errorf("the loss is %v and the weight %v, want 4 and 0.3", loss, got)
	}
}

// TestWrongCustomGrads lists what people get wrong, with the error of each.
func TestWrongCustomGrads(t *testing.T) {
	on(t, "go")
	x := dl.FromSlice([]float32{1, 2}).RequiresGrad()
	same := func(x *dl.Tensor) *dl.Tensor { return x.Scale(1) }
	var leak *dl.Tensor
	leaky := dl.CustomGrad(same, func(g, x *dl.Tensor) *dl.Tensor { leak = g.Scale(2); return leak })
	p := dl.NewParam(dl.Full(1, 2))
	for _, tt := range []struct {
		name string
		f    func()
		want string
	}{
		{"no function", func() { dl.CustomGrad(3, same) }, "dl: CustomGrad: forward is int, want a function of tensors that returns one, such as func(x *dl.Tensor) *dl.Tensor"},
		{"no backward", func() { dl.CustomGrad(same, nil) }, "dl: CustomGrad: backward is nil, want func(*dl.Tensor, *dl.Tensor) *dl.Tensor: it takes the gradient and what forward takes, and returns a gradient for each tensor"},
		{"a backward without the inputs", func() { dl.CustomGrad(same, same) }, "dl: CustomGrad: backward is func(*dl.Tensor) *dl.Tensor, want func(*dl.Tensor, *dl.Tensor) *dl.Tensor"},
		{"a gradient of another shape", func() {
			dl.CustomGrad(same, func(g, x *dl.Tensor) *dl.Tensor { return g.Sum() })(x).Sum().Backward()
		}, "dl: CustomGrad: gradient 0 of backward: input is [], want [2]; a gradient has the shape of what it is for"},
		{"a forward that returns nothing", func() {
			dl.CustomGrad(func(x *dl.Tensor) *dl.Tensor { return nil }, func(g, x *dl.Tensor) *dl.Tensor { return g })(x)
		}, "dl: CustomGrad: forward returned nil; return the last tensor"},
		{"nil given", func() { sign(nil) }, "dl: CustomGrad: argument 0 is nil, want a tensor"},
		{"a value that leaves backward", func() {
			dl.Compile(func(x *dl.Tensor) *dl.Tensor { leaky(x); return leak.Sum() }).Call(x)
		}, "dl: a tensor from inside of a backward function is used outside of it; it exists only while a gradient is computed"},
		{"a parameter that is set in backward", func() {
			dl.CustomGrad(same, func(g, x *dl.Tensor) *dl.Tensor { p.Set(g); return g })(x).Sum().Backward()
		}, "dl: CustomGrad: backward changes a parameter, and need not run; change it outside"},
		{"a value that is read in backward", func() {
			dl.CustomGrad(same, func(g, x *dl.Tensor) *dl.Tensor { return g.Scale(g.Sum().Item()) })(x).Sum().Backward()
		}, "dl: Tensor: a tensor inside of a program has no values yet, only its shape []; return it from the function and read it there"},
		{"OnGrad of what has no gradient", func() { dl.Full(1, 2).OnGrad(same) }, "dl: OnGrad: the tensor has no gradient: it is no parameter, and was not computed from one; call x.RequiresGrad() first"},
		{"OnGrad with another shape", func() {
			y := x.Square()
			y.OnGrad(func(g *dl.Tensor) *dl.Tensor { return g.Sum() })
			y.Sum().Backward()
		}, "dl: OnGrad: the gradient that the function returns: input is [], want [2]; a gradient has the shape of what it is for; return nil to leave it as it is"},
		{"SetGrad of another shape", func() { p.SetGrad(dl.Full(1, 3)) }, "dl: SetGrad: input is [3], want [2]; a gradient has the shape of what it is for"},
	} {
		if got := panics(tt.f); !strings.HasPrefix(got, tt.want) || got == "" {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
	if x.Grad() != nil {
		t.Errorf("after all that the gradient is %v", x.Grad())
	}
}

// TestOnGrad changes gradients of parameters and of values on the way, at once, in
// a compiled function and in a training step.
func TestOnGrad(t *testing.T) {
	on(t, "go")
	x := dl.FromSlice([]float32{1, 2})
	for way, g := range bothWays(x, func(x *dl.Tensor) *dl.Tensor {
		y := x.Scale(3)
		z := y.Square().Add(y) // before OnGrad, as well as after it
		y.OnGrad(func(g *dl.Tensor) *dl.Tensor { return g.Clamp(-10, 10) })
		return z.Sum()
	}) {
		near(t, "a value on the way "+way, g, []float64{21, 30}, 1e-6) // 2·3x + 1 is 7 and 13
	}
	for way, g := range bothWays(x, func(x *dl.Tensor) *dl.Tensor {
		remove := x.OnGrad(func(g *dl.Tensor) *dl.Tensor { return g.Scale(100) })
		remove()
		x.OnGrad(func(g *dl.Tensor) *dl.Tensor { return g.Scale(2) })
		x.OnGrad(func(g *dl.Tensor) *dl.Tensor { return g.Shift(1) })
		x.OnGrad(func(g *dl.Tensor) *dl.Tensor { return nil })
		return x.Square().Sum()
	}) {
		near(t, "a leaf "+way, g, []float64{5, 9}, 1e-6)
	}
	build := func() *dl.Model {
		m := must(dl.Build(dl.Linear{Out: 1, NoBias: true}, dl.Shape{2, 1}))
		m.Param("weight").Set(dl.Full(1, 1, 1))
		return m
	}
	inputs, labels := column([]float64{1, 2}), column([]float64{0, 0})
	loss := func(m *dl.Model, x, y *dl.Tensor) *dl.Tensor { return m.Call(x).Loss(dl.MSELoss{}, y) } // gradient 2·(1 + 4)/2 = 5
	halve := func(g *dl.Tensor) *dl.Tensor { return g.Scale(0.5) }
	for name, train := range map[string]func(m *dl.Model, opt *dl.Optim){
		"at once": func(m *dl.Model, opt *dl.Optim) {
			opt.ZeroGrad()
			loss(m, inputs, labels).Backward()
			opt.Step()
		},
		"compiled": func(m *dl.Model, opt *dl.Optim) {
			dl.Compile(func(x, y *dl.Tensor) {
				loss(m, x, y).Backward()
				opt.Step()
			}).Call(inputs, labels)
		},
		"TrainStep": func(m *dl.Model, opt *dl.Optim) {
			must(dl.TrainStep(m, dl.MSELoss{}, dl.SGD{LR: 0.1}).Run(dl.Batch{Inputs: inputs, Labels: labels}))
		},
		"accumulated": func(m *dl.Model, opt *dl.Optim) {
			step := dl.TrainStep(m, dl.MSELoss{}, dl.SGD{LR: 0.1}).With(dl.Options{Accumulate: 2})
			for range 2 {
				must(step.Run(dl.Batch{Inputs: inputs, Labels: labels}))
			}
		},
		"Start": func(m *dl.Model, opt *dl.Optim) {
			if err := dl.Start(m, dl.Training{Data: oneBatch{dl.Batch{Inputs: inputs, Labels: labels}}, Loss: dl.MSELoss{}, Optimizer: dl.SGD{LR: 0.1}, Epochs: 1}).Wait(); err != nil {
				t.Fatal(err)
			}
		},
	} {
		m := build()
		opt := dl.SGD{LR: 0.1}.For(m)
		seen := 0
		remove := opt.Params()[0].OnGrad(func(g *dl.Tensor) *dl.Tensor { seen++; return halve(g) })
		train(m, opt)
		if got := m.Param("weight").Item(); math.Abs(got-0.75) > 1e-6 || seen != 1 {
			t.Errorf("%s: with half the gradient the weight is %v after %d calls, want 0.75 after 1", name, got, seen)
		}
		remove()
		m.Param("weight").Set(dl.Full(1, 1, 1))
		train(m, opt)
		if got := m.Param("weight").Item(); math.Abs(got-0.5) > 1e-6 || seen != 1 {
			t.Errorf("%s: with the function removed the weight is %v, want 0.5", name, got)
		}
	}
}

// TestOnGradReads has a function that prints the gradient, which there is at once.
func TestOnGradReads(t *testing.T) {
	on(t, "go")
	p := dl.NewParam(dl.FromSlice([]float32{1, 2}))
	var seen []float64
	p.OnGrad(func(g *dl.Tensor) *dl.Tensor { seen = g.Float64s(); return nil })
	for range 2 { // f gets what is added, not the sum
		p.Square().Sum().Backward()
	}
	if !slices.Equal(seen, []float64{2, 4}) || !slices.Equal(p.Grad().Float64s(), []float64{4, 8}) {
		t.Errorf("the function saw %v, and the gradient is %v", seen, p.Grad().Float64s())
	}
	p.SetGrad(dl.FromSlice([]float32{5, 5}))
	dl.SGD{LR: 1}.For(p).Step()
	if got := p.Float64s(); !slices.Equal(got, []float64{-4, -3}) {
		t.Errorf("with a gradient from outside the parameter is %v", got)
	}
	compiled := dl.Compile(func(x *dl.Tensor) { p.Mul(x).Sum().Backward() })
	if got, want := panics(func() { compiled.Call(dl.Full(1, 2)) }), "dl: Tensor: a tensor inside of a program has no values yet"; !strings.HasPrefix(got, want) {
		t.Errorf("read inside of a program: %s, want %s", got, want)
	}
	y := p.Square().RequiresGrad() // as retain_grad
	y.Sum().Backward()
	if got := y.Grad(); got == nil || !slices.Equal(got.Float64s(), []float64{1, 1}) {
		t.Errorf("the gradient of a value on the way is %v", got)
	}
}
