package dl_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// recurrentReference is what testdata/ref/recurrent.py writes beside layers.
type recurrentReference struct {
	States []struct {
		Kind           string
		Settings       json.RawMessage
		Shapes         []dl.Shape
		Text           string
		Names          [][2]any
		Outputs, Grads [][]float64
	}
	LBFGS []struct {
		Settings      dl.LBFGS
		Losses, First []float64
		Params        [][]float64
	}
}

func readRecurrent(t *testing.T) (ref recurrentReference) {
	t.Helper()
	b, err := os.ReadFile("testdata/ref/recurrent.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &ref); err != nil {
		t.Fatal(err)
	}
	return ref
}

// carries is a recurrent layer or cell as a network of an input and states.
type carries interface {
	all(x ...*dl.Tensor) []*dl.Tensor
}

type (
	carriesLSTM struct {
		L dl.LSTM `dl:"l"`
	}
	carriesGRU struct {
		L dl.GRU `dl:"l"`
	}
	carriesRNN struct {
		L dl.RNN `dl:"l"`
	}
	carriesLSTMCell struct {
		L dl.LSTMCell `dl:"l"`
	}
	carriesGRUCell struct {
		L dl.GRUCell `dl:"l"`
	}
	carriesRNNCell struct {
		L dl.RNNCell `dl:"l"`
	}
)

func (c *carriesLSTM) Forward(x, h, cell *dl.Tensor) (y, hn, cn *dl.Tensor) {
	return c.L.ForwardState(x, h, cell)
}
func (c *carriesGRU) Forward(x, h *dl.Tensor) (y, hn *dl.Tensor) { return c.L.ForwardState(x, h) }
func (c *carriesRNN) Forward(x, h *dl.Tensor) (y, hn *dl.Tensor) { return c.L.ForwardState(x, h) }
func (c *carriesLSTMCell) Forward(x, h, cell *dl.Tensor) (hn, cn *dl.Tensor) {
	return c.L.Forward(x, h, cell)
}
func (c *carriesGRUCell) Forward(x, h *dl.Tensor) *dl.Tensor { return c.L.Forward(x, h) }
func (c *carriesRNNCell) Forward(x, h *dl.Tensor) *dl.Tensor { return c.L.Forward(x, h) }

func (c *carriesLSTM) all(x ...*dl.Tensor) []*dl.Tensor {
	y, h, cell := c.Forward(x[0], x[1], x[2])
	return []*dl.Tensor{y, h, cell}
}

func (c *carriesGRU) all(x ...*dl.Tensor) []*dl.Tensor {
	y, h := c.Forward(x[0], x[1])
	return []*dl.Tensor{y, h}
}

func (c *carriesRNN) all(x ...*dl.Tensor) []*dl.Tensor {
	y, h := c.Forward(x[0], x[1])
	return []*dl.Tensor{y, h}
}

func (c *carriesLSTMCell) all(x ...*dl.Tensor) []*dl.Tensor {
	h, cell := c.Forward(x[0], x[1], x[2])
	return []*dl.Tensor{h, cell}
}

func (c *carriesGRUCell) all(x ...*dl.Tensor) []*dl.Tensor {
	return []*dl.Tensor{c.Forward(x[0], x[1])}
}

func (c *carriesRNNCell) all(x ...*dl.Tensor) []*dl.Tensor {
	return []*dl.Tensor{c.Forward(x[0], x[1])}
}

// newCarries makes the network of a case.
func newCarries(t *testing.T, kind string, settings json.RawMessage) carries {
	t.Helper()
	net := map[string]carries{"LSTM": &carriesLSTM{}, "GRU": &carriesGRU{}, "RNN": &carriesRNN{},
		"LSTMCell": &carriesLSTMCell{}, "GRUCell": &carriesGRUCell{}, "RNNCell": &carriesRNNCell{}}[kind]
	if err := json.Unmarshal(settings, reflect.ValueOf(net).Elem().Field(0).Addr().Interface()); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	return net
}

// weighted is the sum of everything that comes out, by weights.
func weighted(outs []*dl.Tensor) *dl.Tensor {
	sum := dl.Scalar(float32(0))
	for i, y := range outs {
		sum = sum.Add(y.Mul(fill(9+i, 1, y.Shape()...)).Sum())
	}
	return sum
}

// TestStatesLikePyTorch begins with states and uses those at the end, with layers
// and cells, at once and in one program.
func TestStatesLikePyTorch(t *testing.T) {
	ref := readRecurrent(t)
	eachBackend(t, func(t *testing.T) {
		for _, c := range ref.States {
			name := c.Kind + string(c.Settings)
			net := newCarries(t, c.Kind, c.Settings)
			var shapes []any
			for _, s := range c.Shapes {
				shapes = append(shapes, s)
			}
			m := must(dl.Build(net, shapes...))
			if got, want := strings.ReplaceAll(strings.Join(m.Names(), " "), "l.", ""), names(c.Names); got != want {
				t.Errorf("%s: names are %s, want %s", name, got, want)
				continue
			}
			if !strings.Contains(m.String(), c.Text) {
				t.Errorf("%s: the model's text is\n%s\nwithout %s", name, m, c.Text)
			}
			for i, n := range m.Names() {
				m.Param(n).Set(fill(20+i, 0.5, m.Param(n).Shape()...))
			}
			compiled := dl.Compile(func(in []*dl.Tensor) (outs, grads []*dl.Tensor) {
				for _, x := range in {
					x.RequiresGrad()
				}
				outs = net.all(in...)
				weighted(outs).Backward()
				for _, x := range in {
					grads = append(grads, x.Grad())
				}
				for _, n := range m.Names() {
					grads = append(grads, m.Param(n).Grad())
				}
				return outs, grads
			})
			var in []*dl.Tensor
			for i, s := range c.Shapes {
				in = append(in, fill(1+i, 1, s...).RequiresGrad())
			}
			outs := net.all(in...)
			weighted(outs).Backward()
			var grads []*dl.Tensor
			for _, x := range in {
				grads = append(grads, x.Grad())
			}
			for _, n := range m.Names() {
				grads = append(grads, m.Param(n).Grad())
			}
			outs2, grads2 := compiled.Call(in)
			for i, want := range c.Outputs {
				near(t, fmt.Sprint(name, " output ", i), brief(outs[i]), want, 1e-6)                   // float32
				near(t, fmt.Sprint(name, " output ", i, " of a program"), brief(outs2[i]), want, 1e-6) // float32
			}
			for i, want := range c.Grads {
				near(t, fmt.Sprint(name, " gradient ", i), brief(grads[i]), want, 5e-6)                   // five steps of float32
				near(t, fmt.Sprint(name, " gradient ", i, " of a program"), brief(grads2[i]), want, 5e-6) // as above
			}
		}
	})
}

// TestCellsLikeLayers steps through a sequence with cells, by a Go loop and by
// Scan, and compares with the layer that has the same weights.
func TestCellsLikeLayers(t *testing.T) {
	on(t, "cpu")
	x := fill(1, 1, 7, 2, 3)
	layer, cell := &carriesLSTM{dl.LSTM{Hidden: 4}}, &carriesLSTMCell{dl.LSTMCell{Hidden: 4}}
	state := dl.Shape{1, 2, 4}
	whole := must(dl.Build(layer, dl.Shape{7, 2, 3}, state, state))
	single := must(dl.Build(cell, dl.Shape{2, 3}, state[1:], state[1:]))
	for _, n := range single.Names() {
		single.Param(n).Set(whole.Param(n + "_l0").Detach())
	}
	want := layer.L.Forward(x)
	h, c := cell.L.Forward(x.Index(0), nil, nil)
	hs := []*dl.Tensor{h}
	for i := range 6 {
		h, c = cell.L.Forward(x.Index(i+1), h, c)
		hs = append(hs, h)
	}
	near(t, "a Go loop", dl.Stack(hs).Float64s(), want.Float64s(), 1e-6) // float32
	type memory struct{ H, C *dl.Tensor }
	_, all := dl.Scan(func(s memory, x *dl.Tensor) (memory, *dl.Tensor) {
		h, c := cell.L.Forward(x, s.H, s.C)
		return memory{h, c}, h
	}, memory{dl.Zeros(2, 4), dl.Zeros(2, 4)}, x)
	near(t, "Scan", all.Float64s(), want.Float64s(), 1e-6) // float32
	want.Square().Sum().Backward()
	all.Square().Sum().Backward()
	for _, n := range single.Names() {
		near(t, "gradient of "+n, single.Param(n).Grad().Float64s(), whole.Param(n+"_l0").Grad().Float64s(), 5e-6) // sums in another order
	}
}

// TestWrongRecurrent reads the messages for what does not fit.
func TestWrongRecurrent(t *testing.T) {
	on(t, "go")
	build := func(net any, shapes ...any) func() error {
		return func() error { _, err := dl.Build(net, shapes...); return err }
	}
	steps := &carriesLSTMCell{dl.LSTMCell{Hidden: 4}}
	must(dl.Build(steps, dl.Shape{2, 3}, dl.Shape{2, 4}, dl.Shape{2, 4}))
	layer := &carriesGRU{dl.GRU{Hidden: 4, Layers: 2}}
	must(dl.Build(layer, dl.Shape{5, 2, 3}, dl.Shape{2, 2, 4}))
	z := dl.Zeros
	for _, c := range []struct {
		name, want string
		run        func() error
	}{
		{"a GRU on words", "dl: Build: GRU: input is [2 5], want [L N In]; numbers of words need an Embedding before it; vectors need an axis for the sequence",
			build(dl.GRU{Hidden: 4}, dl.Shape{2, 5})},
		{"an RNN without Hidden", "dl: Build: RNN: Hidden is 0, Layers 0 and Dropout 0, want Hidden above 0, no negative Layers and Dropout in [0, 1]; write RNN{Hidden: 128, BatchFirst: true}",
			build(dl.RNN{}, dl.Shape{2, 5, 3})},
		{"a function that RNN has not", `dl: Build: RNN: Nonlinearity is "sigmoid", want "tanh" or "relu"`,
			build(dl.RNN{Hidden: 4, Nonlinearity: "sigmoid"}, dl.Shape{2, 5, 3})},
		{"a function that RNNCell has not", `dl: Build: l RNNCell: Nonlinearity is "gelu", want "tanh" or "relu"`,
			build(&carriesRNNCell{dl.RNNCell{Hidden: 4, Nonlinearity: "gelu"}}, dl.Shape{2, 3}, dl.Shape{2, 4})},
		{"a cell without Hidden", "dl: Build: l GRUCell: Hidden is 0, want above 0; write GRUCell{Hidden: 128}",
			build(&carriesGRUCell{}, dl.Shape{2, 3}, dl.Shape{2, 4})},
		{"a cell on a sequence", "dl: l LSTMCell: input is [5 2 3], want [N 3]; a cell takes one step: take it with Index(i), or read the whole sequence with LSTM",
			caught(func() { steps.L.Forward(z(5, 2, 3), nil, nil) })},
		{"a cell on a vector", "dl: l LSTMCell: input is [3], want [N 3]; add the axis of the batch with Unsqueeze(0)",
			caught(func() { steps.L.Forward(z(3), nil, nil) })},
		{"a cell with a layer's state", "dl: l LSTMCell: input is [1 2 4], want h of [2 4]; a cell has one layer, so its state has no axis of layers",
			caught(func() { steps.L.Forward(z(2, 3), z(1, 2, 4), z(2, 4)) })},
		{"a cell with a state of another batch", "dl: l LSTMCell: input is [3 4], want c of [2 4]",
			caught(func() { steps.L.Forward(z(2, 3), z(2, 4), z(3, 4)) })},
		{"a layer with a cell's state", "dl: l GRU: input is [2 4], want h of [2 2 4]; there is one for each layer and direction",
			caught(func() { layer.L.ForwardState(z(5, 2, 3), z(2, 4)) })},
	} {
		if err := c.run(); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
	}
}

// caught returns a function that returns the error that f panics with.
func caught(f func()) func() error {
	return func() (err error) {
		defer func() { err, _ = recover().(error) }()
		f()
		return nil
	}
}
