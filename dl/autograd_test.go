package dl_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

func close64(a, b []float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= 1e-5*max(1, math.Abs(y)) })
}

// TestRequiresGradTwice asks for a gradient once more, which changes nothing.
func TestRequiresGradTwice(t *testing.T) {
	on(t, "go")
	x := dl.FromSlice([]float32{1, 2}).RequiresGrad().RequiresGrad()
	gradients := func(x *dl.Tensor) (at, of *dl.Tensor) {
		x.RequiresGrad()
		y := x.Square().RequiresGrad().RequiresGrad()
		y.Sum().Backward()
		return x.Grad(), y.Grad()
	}
	check := func(at, of *dl.Tensor) {
		t.Helper()
		if g, h := at.Float64s(), of.Float64s(); !close64(g, []float64{2, 4}) || !close64(h, []float64{1, 1}) {
			t.Errorf("the gradients of Σx² are %v for x and %v for x²", g, h)
		}
	}
	check(gradients(x))
	check(dl.Compile(gradients).Call(x))
}

// TestIndexKeepsGradient takes rows at once and in a program: gradients go to them.
func TestIndexKeepsGradient(t *testing.T) {
	on(t, "go")
	second := func(x *dl.Tensor) (row, gradient *dl.Tensor) {
		x.RequiresGrad()
		row = x.Index(1)
		row.Square().Sum().Backward()
		return row.Detach(), x.Grad()
	}
	for name, f := range map[string]func(x *dl.Tensor) (row, gradient *dl.Tensor){"at once": second, "compiled": dl.Compile(second).Call} {
		row, gradient := f(dl.FromSlice([]float32{1, 2, 3, 4}, 2, 2))
		if got, g := row.Float64s(), gradient.Float64s(); !close64(got, []float64{3, 4}) || !close64(g, []float64{0, 0, 6, 8}) {
			t.Errorf("%s: row 1 is %v and the gradient %v", name, got, g)
		}
	}
}

// TestBackward has PyTorch's rules: gradients add up, Detach and NoGrad stop them,
// and frozen parameters have none.
func TestBackward(t *testing.T) {
	on(t, "go")
	x := dl.FromSlice([]float32{1, 2, 3}).RequiresGrad()
	x.Square().Sum().Backward()
	if g := x.Grad().Float64s(); !close64(g, []float64{2, 4, 6}) {
		t.Errorf("the gradient of Σx² is %v", g)
	}
	x.Square().Sum().Backward()
	if g := x.Grad().Float64s(); !close64(g, []float64{4, 8, 12}) {
		t.Errorf("after two Backwards the gradient is %v, want the sum", g)
	}
	x.ZeroGrad()
	x.Mul(x.Detach()).Sum().Backward()
	if g := x.Grad().Float64s(); !close64(g, []float64{1, 2, 3}) {
		t.Errorf("the gradient of Σx·stop(x) is %v", g)
	}
	x.ZeroGrad()
	var twice *dl.Tensor
	dl.NoGrad(func() { twice = x.Scale(2) })
	x.Add(twice).Sum().Backward()
	if g := x.Grad().Float64s(); !close64(g, []float64{1, 1, 1}) {
		t.Errorf("with a part in NoGrad the gradient is %v", g)
	}
	m := must(dl.Build(dl.Sequential{dl.Linear{Out: 2}, dl.Linear{Out: 1}}, dl.Shape{1, 3}))
	m.Freeze("0")
	m.Call(x.Reshape(1, 3)).Sum().Backward()
	first, last := m.Param("0.weight"), m.Param("1.weight")
	if first == nil || last == nil {
		t.Fatal("the parameters are gone")
	}
	x.ZeroGrad()
	for _, tt := range []struct {
		name string
		f    func()
		want string
	}{
		{"many numbers", func() { x.Square().Backward() }, "dl: Backward: input is [3], want one floating-point number; end it with Sum() or Mean()"},
		{"nothing learns", func() { dl.FromSlice([]float32{1}).Sum().Backward() }, "dl: Backward: the number was not calculated from a parameter that learns"},
		{"no gradient", func() { dl.SGD{LR: 1}.For(m).Step() }, ""},
	} {
		func() {
			defer func() {
				err, _ := recover().(error)
				if tt.want == "" && err == nil {
					return
				}
				if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
					t.Errorf("%s: the error is %v, want %s", tt.name, err, tt.want)
				}
			}()
			tt.f()
		}()
	}
}

// TestSecondDerivatives differentiates a gradient: of x³, and the penalty of
// WGAN-GP inside of a compiled function.
func TestSecondDerivatives(t *testing.T) {
	on(t, "go")
	x := dl.FromSlice([]float32{1, 2, -3})
	cube := func(x ...*dl.Tensor) *dl.Tensor { return x[0].Pow(3).Sum() }
	second := must(dl.Grad(func(x ...*dl.Tensor) *dl.Tensor { return must(dl.Grad(cube, x...))[0].Sum() }, x))
	if g := second[0].Float64s(); !close64(g, []float64{6, 12, -18}) {
		t.Errorf("the second derivative of x³ is %v", g)
	}
	w := dl.NewParam(dl.FromSlice([]float32{0.5, -1, 2}))
	penalty := dl.Compile(func(x *dl.Tensor) (loss, grad *dl.Tensor) {
		g := must(dl.Grad(func(x ...*dl.Tensor) *dl.Tensor { return x[0].Mul(w).Tanh().Sum() }, x))[0]
		loss = g.Square().Sum().Sqrt().Shift(-1).Square()
		loss.Backward()
		return loss, w.Grad()
	})
	loss, grad := penalty.Call(x)
	// By finite differences of the loss.
	value := func(w []float64) float64 {
		sum := 0.0
		for i, v := range x.Float64s() {
			h := math.Tanh(v * w[i])
			d := (1 - h*h) * w[i]
			sum += d * d
		}
		return (math.Sqrt(sum) - 1) * (math.Sqrt(sum) - 1)
	}
	at := []float64{0.5, -1, 2}
	if math.Abs(loss.Item()-value(at)) > 1e-5 {
		t.Errorf("the penalty is %v, want %v", loss.Item(), value(at))
	}
	for i := range at {
		up, down := slices.Clone(at), slices.Clone(at)
		up[i] += 1e-5
		down[i] -= 1e-5
		want := (value(up) - value(down)) / 2e-5
		if got := grad.Float64s()[i]; math.Abs(got-want) > 1e-3 {
			t.Errorf("the penalty's gradient for w[%d] is %v, want %v", i, got, want)
		}
	}
}

// TestTwoNetworksInOneStep trains a generator through a discriminator, as a GAN
// does: each optimizer changes its own network only.
func TestTwoNetworksInOneStep(t *testing.T) {
	on(t, "go")
	dl.Seed(5)
	g := must(dl.Build(dl.Sequential{dl.Linear{Out: 4}, dl.Tanh{}, dl.Linear{Out: 1}}, dl.Shape{8, 2}))
	d := must(dl.Build(dl.Sequential{dl.Linear{Out: 4}, dl.Tanh{}, dl.Linear{Out: 1}}, dl.Shape{8, 1}))
	optG, optD := dl.Adam{LR: 0.01}.For(g), dl.Adam{LR: 0.01}.For(d)
	ones, zeros := fill(1, 0, 8, 1).Scale(0).Shift(1), fill(1, 0, 8, 1).Scale(0)
	stepD := dl.Compile(func(real, z *dl.Tensor) *dl.Tensor {
		fake := g.Call(z).Detach()
		loss := d.Call(real).Loss(dl.BCEWithLogitsLoss{}, ones).Add(d.Call(fake).Loss(dl.BCEWithLogitsLoss{}, zeros))
		loss.Backward()
		optD.Step()
		return loss
	})
	stepG := dl.Compile(func(z *dl.Tensor) *dl.Tensor {
		loss := d.Call(g.Call(z)).Loss(dl.BCEWithLogitsLoss{}, ones)
		loss.Backward()
		optG.Step()
		return loss
	})
	real, z := fill(2, 1, 8, 1), fill(3, 1, 8, 2)
	weights := func() (a, b []float64) { return g.Param("0.weight").Float64s(), d.Param("0.weight").Float64s() }
	g0, d0 := weights()
	stepD.Call(real, z)
	g1, d1 := weights()
	if !slices.Equal(g0, g1) || slices.Equal(d0, d1) {
		t.Error("the discriminator's step changed the generator, or nothing")
	}
	stepG.Call(z)
	g2, d2 := weights()
	if slices.Equal(g1, g2) || !slices.Equal(d1, d2) {
		t.Error("the generator's step changed the discriminator, or nothing")
	}
	if optG.N() != 1 || optD.N() != 1 {
		t.Errorf("the optimizers did %d and %d steps, want 1 and 1", optG.N(), optD.N())
	}
}

// TestReadInside says how to read a value of a compiled function.
func TestReadInside(t *testing.T) {
	on(t, "go")
	f := dl.Compile(func(x *dl.Tensor) *dl.Tensor { return x.Scale(x.Sum().Item()) })
	defer func() {
		err, _ := recover().(error)
		if want := "dl: Tensor: a tensor inside of a program has no values yet, only its shape []; return it from the function and read it there"; err == nil || err.Error() != want {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}()
	f.Call(dl.FromSlice([]float32{1, 2}))
}

// TestDetachedLeaf asks for the gradients of detached tensors: of what comes from a
// parameter, of a parameter, and of a plain tensor, which do not get one themselves.
func TestDetachedLeaf(t *testing.T) {
	on(t, "cpu")
	m := must(dl.Build(dl.Linear{Out: 2}, dl.Shape{1, 1}))
	p, x := m.Param("bias"), dl.FromSlice([]float32{4, 5})
	p.Set(dl.FromSlice([]float32{2, 3}))
	for name, of := range map[string]*dl.Tensor{"of a result": p.Mul(x), "of a parameter": p, "of a value": x} {
		z := of.Detach().RequiresGrad()
		z.Square().Sum().Backward()
		if got, want := z.Grad().Float32s(), of.Scale(2).Float32s(); !slices.Equal(got, want) {
			t.Errorf("%s: the gradient is %v, want %v", name, got, want)
		}
		if p.Grad() != nil || x.Grad() != nil || of.Grad() != nil {
			t.Errorf("%s: what it was detached from has a gradient too", name)
		}
		if of.Detach().Grad() != nil {
			t.Errorf("%s: detached again, it has the gradient of the first", name)
		}
	}
	message := func() (m string) {
		defer func() { m = fmt.Sprint(recover()) }()
		x.Square().Sum().Backward()
		return ""
	}()
	if want := "was not calculated from a parameter that learns"; !strings.Contains(message, want) {
		t.Errorf("Backward of a value whose copy wants a gradient says %q, want %q", message, want)
	}
}

// TestNoGradientFor reads what RequiresGrad says of tensors that have no gradient.
func TestNoGradientFor(t *testing.T) {
	m := must(dl.Build(dl.Sequential{dl.Linear{Out: 2}, dl.BatchNorm1d{}}, dl.Shape{4, 3}))
	if err := m.Freeze("0"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"1.running_mean": "dl: RequiresGrad: the tensor is a buffer 1.running_mean, which a layer changes and no gradient does; write x.Detach().RequiresGrad(), or dl.Param for what learns",
		"0.weight":       "dl: RequiresGrad: the parameter 0.weight is frozen; call Unfreeze of its model",
		"1.weight":       "<nil>",
	} {
		got := func() (said string) {
			defer func() { said = fmt.Sprint(recover()) }()
			m.Param(name).RequiresGrad()
			return ""
		}()
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", name, got, want)
		}
	}
}

// TestPoolingBeforeBias has programs in which a max-pooling goes before a convolution's bias and
// a ReLU: what is pooled has its own gradient where that is asked for, and all numbers are those
// of programs in which something stands between them, so that the pooling comes last.
func TestPoolingBeforeBias(t *testing.T) {
	on(t, "go")
	of := func(pool dl.MaxPool2d, asks, between bool) func(x, w, b *dl.Tensor) (pooled, ofX, ofBias, ofConv, ofReLU *dl.Tensor) {
		step := func(x *dl.Tensor) *dl.Tensor {
			if between {
				x = x.Scale(1)
			}
			if asks {
				x.RequiresGrad()
			}
			return x
		}
		return func(x, w, b *dl.Tensor) (pooled, ofX, ofBias, ofConv, ofReLU *dl.Tensor) {
			x.RequiresGrad()
			b.RequiresGrad()
			y := step(x.Conv2d(w, b, dl.Conv2d{Padding: 1}))
			z := step(y.ReLU())
			pooled = pool.Forward(z)
			pooled.Square().Sum().Backward()
			ofConv, ofReLU = x, x
			if asks {
				ofConv, ofReLU = y.Grad(), z.Grad()
			}
			return pooled.Detach(), x.Grad(), b.Grad(), ofConv, ofReLU
		}
	}
	inputs := func() (x, w, b *dl.Tensor) { return fill(1, 1, 2, 3, 8, 8), fill(2, 1, 4, 3, 3, 3), fill(3, 1, 4) }
	list := func(a, b, c, d, e *dl.Tensor) []*dl.Tensor { return []*dl.Tensor{a, b, c, d, e} }
	for name, pool := range map[string]dl.MaxPool2d{"side by side": {Kernel: 2}, "overlapping": {Kernel: 3, Stride: 2, Padding: 1}} {
		for _, asks := range []bool{false, true} {
			want := list(dl.Compile(of(pool, asks, true)).Call(inputs()))
			f := of(pool, asks, false)
			for way, got := range map[string][]*dl.Tensor{"at once": list(f(inputs())), "compiled": list(dl.Compile(f).Call(inputs()))} {
				for i := range want {
					if !close64(got[i].Float64s(), want[i].Float64s()) {
						t.Errorf("%s, %s, gradients in between asked for: %v: result %d is\n%v, want\n%v", name, way, asks, i, got[i].Float64s(), want[i].Float64s())
					}
				}
			}
		}
	}
}
