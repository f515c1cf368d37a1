package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// LSTM reads sequences with a long short-term memory, as torch.nn.LSTM does.
//
//	input         [L N In], or [N L In] with BatchFirst
//	weight_ih_l0  [4·Hidden In]       gates in PyTorch's order: input, forget, cell, output
//	weight_hh_l0  [4·Hidden Hidden]
//	bias_ih_l0    [4·Hidden]          absent when NoBias
//	bias_hh_l0    [4·Hidden]          absent when NoBias
//	output        [L N Hidden], or [L N 2·Hidden] with Bidirectional
//
// Layer 1 and on are called …_l1 and read the output of the layer before;
// the backward direction's names end in _reverse. All start uniform in
// ±1/√Hidden. An input of another rank or length is a [*ShapeError].
//
// Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 1997.
type LSTM struct {
	In            int     // length of an input vector; 0 takes what comes
	Hidden        int     // length of the state; required
	Layers        int     // 0 means 1
	NoBias        bool    // leave out the biases
	BatchFirst    bool    // the first axis is the batch, not the sequence
	Dropout       float64 // share of each layer's output, but the last's, that training drops
	Bidirectional bool    // also read from the end

	place
}

// Forward applies the layer, beginning with a state of zeros, and returns the
// output of each place of the sequence.
func (l LSTM) Forward(x *Tensor) *Tensor {
	y, _, _ := l.ForwardState(x, nil, nil)
	return y
}

// ForwardState applies the layer beginning with the hidden state h and the
// cell state c, both [Layers N Hidden], or [2·Layers N Hidden] with
// Bidirectional; nil is zeros. It also returns the states at the end.
func (l LSTM) ForwardState(x, h, c *Tensor) (output, hn, cn *Tensor) {
	xs := []*Tensor{x}
	given := [2]bool{h != nil, c != nil}
	for _, s := range []*Tensor{h, c} {
		if s != nil {
			xs = append(xs, s)
		}
	}
	out := runLayer(l, func(l LSTM, in []*node) []*node {
		x, in := in[0], in[1:]
		var states [2]*node
		for i, is := range given {
			if is {
				states[i], in = in[0], in[1:]
			}
		}
		output, h, c := l.states(x, states[0], states[1])
		return []*node{output, h, c}
	}, given, xs...)
	return out[0], out[1], out[2]
}

func (l LSTM) states(x, h, c *node) (output, hn, cn *node) {
	in := x.Shape()
	out, err := l.Output(in)
	if err != nil {
		panic(err)
	}
	l.Layers = max(l.Layers, 1)
	if wanted := x.t.built(l.path, "weight_ih_l0"); wanted != nil && wanted[1] != in[2] {
		l.In = wanted[1]
		panic(l.wrong(in))
	}
	raw := x.value()
	if l.BatchFirst {
		raw = graph.TransposeAllAxes(raw, 1, 0, 2)
	}
	steps, n := raw.Shape().Dimensions[0], raw.Shape().Dimensions[1]
	directions := 1
	if l.Bidirectional {
		directions = 2
	}
	states := Shape{l.Layers * directions, n, l.Hidden}
	start := func(name string, s *node, i int) *graph.Node {
		if s == nil {
			return graph.BroadcastToDims(graph.ScalarZero(x.t.graph, raw.DType()), n, l.Hidden)
		}
		if got := s.Shape(); !got.Equal(states) {
			panic(&ShapeError{Op: l.label("LSTM"), Got: got, Want: fmt.Sprintf("%s of %v", name, states), Fix: "there is one for each layer and direction"})
		}
		return graph.ConvertDType(graph.Reshape(graph.SliceAxis(s.value(), 0, graph.AxisElem(i)), n, l.Hidden), raw.DType())
	}
	macs := 0
	var lastH, lastC []*graph.Node
	for layer := range l.Layers {
		if layer > 0 && l.Dropout > Zero && x.t.training {
			raw = x.t.drop(raw, l.Dropout)
		}
		size := raw.Shape().Dimensions[2]
		var sides []*graph.Node
		for direction := range directions {
			end := fmt.Sprintf("_l%d", layer)
			if direction == 1 {
				end += "_reverse"
			}
			param := func(name string, shape ...int) *graph.Node {
				return x.param(l.place, "LSTM", name+end, shape, uniform(l.Hidden))
			}
			wih, whh := param("weight_ih", 4*l.Hidden, size), param("weight_hh", 4*l.Hidden, l.Hidden)
			gates := graph.DotGeneral(raw, []int{2}, nil, wih, []int{1}, nil)
			if !l.NoBias {
				bias := graph.Add(param("bias_ih", 4*l.Hidden), param("bias_hh", 4*l.Hidden))
				gates = graph.Add(gates, graph.BroadcastToDims(graph.ExpandLeftToRank(bias, 3), gates.Shape().Dimensions...))
			}
			i := layer*directions + direction
			hs, last := lower.LSTM.Run(gates, whh, nil, []*graph.Node{start("h", h, i), start("c", c, i)}, direction == 1)
			sides, lastH, lastC = append(sides, hs), append(lastH, last[0]), append(lastC, last[1])
			macs += steps * n * 4 * l.Hidden * (size + l.Hidden)
		}
		raw = sides[0]
		if l.Bidirectional {
			raw = graph.Concatenate(sides, 2)
		}
	}
	if l.BatchFirst {
		raw = graph.TransposeAllAxes(raw, 1, 0, 2)
	}
	output = x.With(graph.Reshape(raw, out...))
	return l.seen(l.text(in[2]), macs, output), x.With(graph.Stack(lastH, 0)), x.With(graph.Stack(lastC, 0))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (l LSTM) Output(in Shape) (Shape, error) {
	if l.Hidden <= 0 || l.Layers < 0 || l.Dropout < 0 || l.Dropout > 1 {
		return nil, fmt.Errorf("dl: %s: Hidden is %d and Dropout %v, want Hidden above 0 and Dropout in [0, 1]; write LSTM{Hidden: 128, BatchFirst: true}",
			l.label("LSTM"), l.Hidden, l.Dropout)
	}
	if len(in) != 3 || l.In > 0 && in[2] != l.In {
		return nil, l.wrong(in)
	}
	out := Shape{in[0], in[1], l.Hidden}
	if l.Bidirectional {
		out[2] *= 2
	}
	return out, nil
}

func (l LSTM) wrong(in Shape) error {
	want, fix := sequences("In", l.In, l.BatchFirst), ""
	switch {
	case len(in) == 3:
		fix = fmt.Sprintf("set In: %d, or leave In out", in[2])
	case len(in) == 2:
		fix = "numbers of words need an Embedding before it; vectors need an axis for the sequence"
	case len(in) == 4:
		fix = "make sequences of images with Reshape"
	}
	return &ShapeError{Op: l.label("LSTM"), Got: in, Want: want, Fix: fix}
}

// text describes the layer as PyTorch prints it.
func (l LSTM) text(in int) string {
	s := fmt.Sprintf("LSTM(%d, %d", in, l.Hidden)
	if l.Layers > 1 {
		s += fmt.Sprintf(", num_layers=%d", l.Layers)
	}
	if l.NoBias {
		s += ", bias=False"
	}
	if l.BatchFirst {
		s += ", batch_first=True"
	}
	if l.Dropout > Zero {
		s += ", dropout=" + float(l.Dropout)
	}
	if l.Bidirectional {
		s += ", bidirectional=True"
	}
	return s + ")"
}
