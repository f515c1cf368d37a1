package dl_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// logged is a network of one's own that takes a logarithm, or worse.
type logged struct {
	Body, Head dl.Linear

	f func(x *dl.Tensor) *dl.Tensor
}

func (l *logged) Forward(x *dl.Tensor) *dl.Tensor { return l.Head.Forward(l.f(l.Body.Forward(x))) }

// TestStopOnNaN has each way to train fail where a number is not finite, name where
// that begins, and change nothing.
func TestStopOnNaN(t *testing.T) {
	on(t, "go")
	inputs, labels := fill(1, 1, 4, 3), fill(2, 1, 4, 2)
	for _, tt := range []struct {
		name  string
		f     func(x *dl.Tensor) *dl.Tensor
		x     *dl.Tensor
		want  string // after what was done
		eager string // where it is another: at once, the network's own layers are not known
	}{
		{"a logarithm of negative numbers", func(x *dl.Tensor) *dl.Tensor { return x.Abs().Neg().Log() }, nil,
			"the loss is NaN: Log in logged is the first that gives NaN; it is for numbers above 0: try x.Clamp(1e-8, 1) for shares, or LogSoftmax; nothing was changed",
			"the loss is NaN: Log is the first that gives NaN; it is for numbers above 0: try x.Clamp(1e-8, 1) for shares, or LogSoftmax; nothing was changed"},
		{"too large an exponential", func(x *dl.Tensor) *dl.Tensor { y := x.Abs().Shift(100).Exp(); return y.Div(y.Sum(1).Reshape(-1, 1)) }, nil,
			"the loss is NaN: Exp in logged is the first that gives infinite numbers, of which Div in logged makes NaN; it is too large for float32 above 88",
			"the loss is NaN: Exp is the first that gives infinite numbers, of which Div makes NaN; it is too large"},
		{"the derivative of a root", func(x *dl.Tensor) *dl.Tensor { return x.Scale(0).Sqrt() }, nil,
			"the gradient of body.weight is NaN: the derivative of Sqrt in logged is the first that is infinite; it is infinite at 0: try x.Shift(1e-8).Sqrt(); nothing was changed",
			"the gradient of body.weight is NaN: the derivative of Sqrt is the first that is infinite; it is infinite at 0"},
		{"an input", func(x *dl.Tensor) *dl.Tensor { return x }, inputs.Scale(math.Inf(1)),
			"the loss is NaN: the input [4 3] of the program is infinite already; look at the data; nothing was changed", ""},
		{"a mask", func(x *dl.Tensor) *dl.Tensor {
			return dl.Where(x.Greater(x.Shift(1)), x, dl.Full(math.Inf(-1), 1)).Softmax(1)
		}, nil,
			"the loss is NaN: the input [1] of the program is infinite already; look at the data; nothing was changed", ""}, // the mask's own number
	} {
		x := inputs
		if tt.x != nil {
			x = tt.x
		}
		if tt.eager == "" {
			tt.eager = tt.want
		}
		build := func() *dl.Model {
			dl.Seed(2)
			return must(dl.Build(&logged{Body: dl.Linear{Out: 3}, Head: dl.Linear{Out: 2}, f: tt.f}, dl.Shape{4, 3}))
		}
		batch := dl.Batch{Inputs: x, Labels: labels}
		options := dl.Options{StopOnNaN: true}
		for way, train := range map[string]func(m *dl.Model) string{
			"training step": func(m *dl.Model) string {
				_, err := dl.TrainStep(m, dl.MSELoss{}, dl.SGD{LR: 0.1}).With(options).Run(batch)
				return err.Error()
			},
			"training step, accumulated": func(m *dl.Model) string {
				_, err := dl.TrainStep(m, dl.MSELoss{}, dl.SGD{LR: 0.1}).With(dl.Options{StopOnNaN: true, Accumulate: 2}).Run(batch)
				return err.Error()
			},
			"training step, as a run": func(m *dl.Model) string {
				return dl.Start(m, dl.Training{Data: oneBatch{batch}, Loss: dl.MSELoss{}, Optimizer: dl.SGD{LR: 0.1}, Epochs: 1, Options: options}).Wait().Error()
			},
			"Backward": func(m *dl.Model) string {
				dl.StopOnNaN(true)
				defer dl.StopOnNaN(false)
				return panics(func() { m.Call(x).Loss(dl.MSELoss{}, labels).Backward() })
			},
			"compiled function": func(m *dl.Model) string {
				dl.StopOnNaN(true)
				defer dl.StopOnNaN(false)
				opt := dl.SGD{LR: 0.1}.For(m)
				return panics(func() {
					dl.Compile(func(x, y *dl.Tensor) {
						m.Call(x).Loss(dl.MSELoss{}, y).Backward()
						opt.Step()
					}).Call(x, labels)
				})
			},
		} {
			m := build()
			before := m.Param("head.bias").Float64s()
			what, _, _ := strings.Cut(way, ",")
			want := tt.want
			if way == "Backward" {
				want = tt.eager
			}
			if got := train(m); !strings.HasPrefix(got, "dl: "+what+": "+want) {
				t.Errorf("%s, %s:\n%s\nwant\ndl: %s: %s", tt.name, way, got, what, want)
			}
			if !slices.Equal(m.Param("head.bias").Float64s(), before) {
				t.Errorf("%s, %s: the weights changed", tt.name, way)
			}
		}
	}
}

// TestStopOnNaNLetsPass trains as without it where all is finite, or where nothing
// is looked at.
func TestStopOnNaNLetsPass(t *testing.T) {
	on(t, "go")
	batch := dl.Batch{Inputs: fill(1, 1, 4, 3), Labels: dl.FromSlice([]int64{0, 1, 1, 0})}
	train := func(o dl.Options) []float64 {
		dl.Seed(1)
		m := must(dl.Build(dl.Sequential{dl.Linear{Out: 4}, dl.BatchNorm1d{}, dl.ReLU{}, dl.Linear{Out: 2}}, dl.Shape{4, 3}))
		step := dl.TrainStep(m, nil, dl.Adam{}).With(o)
		for range 3 {
			must(step.Run(batch))
		}
		return append(m.Param("0.weight").Float64s(), m.Param("1.running_mean").Float64s()...)
	}
	if a, b := train(dl.Options{}), train(dl.Options{StopOnNaN: true}); !slices.Equal(a, b) {
		t.Errorf("the weights are %v, and without StopOnNaN %v", b, a)
	}
	m := must(dl.Build(dl.Sequential{dl.Linear{Out: 2}, dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Abs().Neg().Log() })}, dl.Shape{4, 3}))
	if loss := must(dl.TrainStep(m, nil, dl.SGD{LR: 1}).Run(batch)).Loss; !math.IsNaN(loss) {
		t.Errorf("the loss is %v, want NaN and no error", loss)
	}
	m.Param("0.weight").Set(fill(1, 1, 2, 3))
	m.Param("0.bias").Set(fill(1, 1, 2))
	_, err := dl.TrainStep(m, nil, dl.SGD{LR: 1}).With(dl.Options{StopOnNaN: true}).Run(batch)
	if want := "dl: training step: the loss is NaN: Log in 1 Func is the first that gives NaN"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
	m.Param("0.bias").Set(dl.FromSlice([]float32{1, float32(math.NaN())}))
	_, err = dl.TrainStep(m, nil, dl.SGD{LR: 1}).With(dl.Options{StopOnNaN: true}).Run(batch)
	if want := "dl: training step: the loss is NaN: parameter 0.bias is NaN already"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("the error is %v, want %s", err, want)
	}
	dl.StopOnNaN(true)
	defer dl.StopOnNaN(false)
	w := dl.NewParam(dl.Full(1, 2))
	w.SetGrad(dl.Full(math.NaN(), 2))
	got := panics(dl.SGD{LR: 1}.For(w).Step)
	if want := "dl: Step: the gradient of a parameter [2] is NaN"; !strings.HasPrefix(got, want) || !slices.Equal(w.Float64s(), []float64{1, 1}) {
		t.Errorf("the error is %s, want %s; the parameter is %v", got, want, w.Float64s())
	}
}
