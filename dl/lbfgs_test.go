package dl_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// TestLBFGSLikePyTorch compares the loss at each call of the function, and the
// weights in the end. PyTorch's numbers are float64, ours float32 with sums in
// float64.
func TestLBFGSLikePyTorch(t *testing.T) {
	on(t, "cpu")
	bound := 1e-4 // roundings of float32 grow from iteration to iteration
	if onGPU() {
		bound = 1e-3 // and more of them with a rate of 30
	}
	for _, c := range readRecurrent(t).LBFGS {
		name := fmt.Sprintf("%+v", c.Settings)
		m := must(dl.Build(dl.Sequential{dl.Linear{Out: 5}, dl.Tanh{}, dl.Linear{Out: 3}}, dl.Shape{32, 6}))
		for i, n := range m.Names() {
			m.Param(n).Set(fill(20+i, 0.5, m.Param(n).Shape()...))
		}
		x, y := fill(40, 1, 32, 6), fill(41, 1, 32, 3)
		opt := c.Settings.For(m)
		var losses, first []float64
		for i := range c.First {
			first = append(first, opt.Step(func() *dl.Tensor {
				opt.ZeroGrad()
				loss := m.Call(x).Loss(dl.MSELoss{}, y)
				loss.Backward()
				losses = append(losses, loss.Item())
				return loss
			}).Item())
			if i == 0 { // what is kept makes up an optimizer
				dict := opt.StateDict()
				opt = c.Settings.For(m)
				if err := opt.LoadStateDict(dict); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
		near(t, name+" losses", losses, c.Losses, bound)
		near(t, name+" first losses", first, c.First, bound)
		for i, n := range m.Names() {
			near(t, name+" "+n, brief(m.Param(n)), c.Params[i], 2*bound)
		}
	}
}

// TestLBFGSStays checks that a step that fails leaves the weights and the
// optimizer as they were, and reads the messages.
func TestLBFGSStays(t *testing.T) {
	on(t, "cpu")
	w := dl.NewParam(dl.FromSlice([]float32{3, -2}))
	opt := dl.LBFGS{LineSearchFn: "strong_wolfe", MaxIter: 4}.For(w)
	loss := func() *dl.Tensor {
		opt.ZeroGrad()
		loss := w.Square().Mul(dl.FromSlice([]float32{1, 10})).Sum()
		loss.Backward()
		return loss
	}
	if first := opt.Step(loss).Item(); first != 49 {
		t.Errorf("the first loss is %v, want 49", first)
	}
	before, state := w.Float32s(), opt.StateDict()
	if loss := loss().Item(); !(loss < 10) {
		t.Errorf("after a step the loss is %v", loss)
	}
	for _, c := range []struct {
		name, want string
		loss       func() *dl.Tensor
	}{
		{"no loss", "dl: LBFGS: the function of Step returned nil, want the loss, one floating-point number", func() *dl.Tensor { return nil }},
		{"several", "dl: LBFGS: the function of Step returned [2] float32, want the loss, one floating-point number", func() *dl.Tensor { return w.Square() }},
		{"no gradient", "dl: LBFGS: none of the optimizer's 1 parameters has a gradient; call loss.Backward() in the function of Step",
			func() *dl.Tensor { opt.ZeroGrad(); return w.Square().Sum() }},
		{"not a number", "dl: LBFGS: the loss is NaN at call 2 of the function of Step, want finite numbers; the parameters are as before the step; try a smaller LR, or LineSearchFn: \"strong_wolfe\"",
			func() func() *dl.Tensor {
				n := 0
				return func() *dl.Tensor {
					l := loss()
					if n++; n > 1 {
						return l.Scale(math.NaN())
					}
					return l
				}
			}()},
		{"a gradient that is not finite", "dl: LBFGS: a gradient is +Inf at call 1 of the function of Step, want finite numbers; the parameters are as before the step; try a smaller LR, or LineSearchFn: \"strong_wolfe\"",
			func() *dl.Tensor { l := loss(); w.SetGrad(dl.Full(math.Inf(1), 2)); return l }},
	} {
		if err := caught(func() { opt.Step(c.loss) })(); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
		if got := w.Float32s(); got[0] != before[0] || got[1] != before[1] {
			t.Errorf("%s: the weights are %v, were %v", c.name, got, before)
		}
		if got := opt.StateDict(); got["n_iter"].Item() != state["n_iter"].Item() || got["old_dirs"].Shape()[0] != state["old_dirs"].Shape()[0] {
			t.Errorf("%s: the optimizer has changed", c.name)
		}
	}
	for _, c := range []struct {
		want string
		run  func() error
	}{
		{`dl: LBFGS: LineSearchFn is "wolfe", want "strong_wolfe", or "" for none`, caught(func() { dl.LBFGS{LineSearchFn: "wolfe"}.For(w) })},
		{"want LR above 0 and nothing negative; try LBFGS{LR: 0.8}", caught(func() { dl.LBFGS{LR: -1}.For(w) })},
		{"dl: LBFGS.For: got nil, want a model or parameters", caught(func() { dl.LBFGS{}.For(nil) })},
		{"dl: LBFGS: Step is called inside of a compiled function, where the loss has no value yet to decide by; call it outside, and compile what its function does",
			caught(func() { dl.Compile(func(x *dl.Tensor) *dl.Tensor { return opt.Step(loss) }).Call(dl.Zeros(1)) })},
		{"dl: LBFGS: the state lacks", func() error { return opt.LoadStateDict(dl.StateDict{}) }},
		{"dl: LBFGS: d: input is [2], want [3]; the state is of other parameters", func() error {
			return dl.LBFGS{}.For(dl.NewParam(dl.Zeros(3))).LoadStateDict(state)
		}},
	} {
		if err := c.run(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
	if err := opt.LoadStateDict(state); err != nil {
		t.Error(err)
	}
	for range 10 {
		opt.Step(loss)
	}
	if loss := loss().Item(); !(loss < 1e-8) {
		t.Errorf("the minimum is not found: the loss is %v", loss)
	}
}

func ExampleLBFGS() {
	w := dl.NewParam(dl.Zeros(2))
	opt := dl.LBFGS{LineSearchFn: "strong_wolfe"}.For(w)
	opt.Step(func() *dl.Tensor {
		opt.ZeroGrad()
		loss := w.Sub(dl.FromSlice([]float32{3, -1})).Square().Sum()
		loss.Backward()
		return loss
	})
	fmt.Printf("%.3f\n", w.Float32s())
	// Output: [3.000 -1.000]
}
