package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// recurrent is what RNN, GRU and LSTM have in common: their settings, and what a
// place of the sequence does.
type recurrent struct {
	kind                              string // "LSTM"
	how                               lower.Recurrence
	in, hidden, layers                int
	noBias, batchFirst, bidirectional bool
	dropout                           float64
	err                               error // what is wrong with settings that others lack

	place
}

// recurrentLayer is an RNN, GRU or LSTM.
type recurrentLayer[L any] interface {
	layerOf[L]
	recurrent() recurrent
}

// runStates runs a layer from states of which nil is zeros, and returns what f returns:
// f has the layer, its input, and as many states as given.
func runStates[L any, P layerOf[L]](l L, f func(l L, x *node, states []*node) []*node, x *Tensor, given ...*Tensor) []*Tensor {
	xs := []*Tensor{x}
	present := 0 // a bit for each state
	for i, s := range given {
		if s != nil {
			xs, present = append(xs, s), present|1<<i
		}
	}
	return runLayer[L, P](l, func(l L, in []*node) []*node {
		x, in := in[0], in[1:]
		states := make([]*node, len(given))
		for i := range states {
			if present>>i&1 == 1 {
				states[i], in = in[0], in[1:]
			}
		}
		return f(l, x, states)
	}, present, xs...)
}

func runRecurrent[L any, P recurrentLayer[L]](l L, x *Tensor, states ...*Tensor) []*Tensor {
	return runStates[L, P](l, func(l L, x *node, states []*node) []*node { return P(&l).recurrent().run(x, states) }, x, states...)
}

// run returns the output and the states at the end.
func (l recurrent) run(x *node, states []*node) []*node {
	in := x.Shape()
	out, err := l.output(in)
	if err != nil {
		panic(err)
	}
	l.layers = max(l.layers, 1)
	if wanted := x.t.built(l.path, "weight_ih_l0"); wanted != nil && wanted[1] != in[2] {
		l.in = wanted[1]
		panic(l.wrong(in))
	}
	raw := x.value()
	if l.batchFirst {
		raw = graph.TransposeAllAxes(raw, 1, 0, 2)
	}
	steps, n := raw.Shape().Dimensions[0], raw.Shape().Dimensions[1]
	directions := 1
	if l.bidirectional {
		directions = 2
	}
	whole := Shape{l.layers * directions, n, l.hidden}
	start := func(i, at int) *graph.Node {
		s := states[i]
		if s == nil {
			return graph.BroadcastToDims(graph.ScalarZero(x.t.graph, raw.DType()), n, l.hidden)
		}
		if got := s.Shape(); !got.Equal(whole) {
			panic(&ShapeError{Op: l.label(l.kind), Got: got, Want: fmt.Sprintf("%s of %v", "hc"[i:i+1], whole), Fix: "there is one for each layer and direction"})
		}
		return graph.ConvertDType(graph.Reshape(graph.SliceAxis(s.value(), 0, graph.AxisElem(at)), n, l.hidden), raw.DType())
	}
	macs, width := 0, l.how.Width
	last := make([][]*graph.Node, len(states)) // of each state, by layer and direction
	for layer := range l.layers {
		if layer > 0 && l.dropout > Zero && x.t.training {
			raw = x.t.drop(raw, l.dropout)
		}
		size := raw.Shape().Dimensions[2]
		var sides []*graph.Node
		for direction := range directions {
			end := fmt.Sprintf("_l%d", layer)
			if direction == 1 {
				end += "_reverse"
			}
			param := func(name string, shape ...int) *graph.Node {
				return x.param(l.place, l.kind, name+end, shape, uniform(l.hidden))
			}
			matrix, hiddenMatrix := param("weight_ih", width*l.hidden, size), param("weight_hh", width*l.hidden, l.hidden)
			gates := graph.DotGeneral(raw, []int{2}, nil, matrix, []int{1}, nil)
			var biases lower.Biases
			if !l.noBias {
				biases = lower.Biases{Input: param("bias_ih", width*l.hidden), Hidden: param("bias_hh", width*l.hidden)}
			}
			begin := make([]*graph.Node, len(states))
			for i := range begin {
				begin[i] = start(i, layer*directions+direction)
			}
			hs, ends := l.how.Run(gates, hiddenMatrix, biases, begin, direction == 1)
			sides = append(sides, hs)
			for i, s := range ends {
				last[i] = append(last[i], s)
			}
			macs += steps * n * width * l.hidden * (size + l.hidden)
		}
		raw = sides[0]
		if l.bidirectional {
			raw = graph.Concatenate(sides, 2)
		}
	}
	if l.batchFirst {
		raw = graph.TransposeAllAxes(raw, 1, 0, 2)
	}
	all := []*node{l.seen(l.text(in[2]), macs, x.With(graph.Reshape(raw, out...)))}
	for _, s := range last {
		all = append(all, x.With(graph.Stack(s, 0)))
	}
	return all
}

// output returns the shape of the output for an input.
func (l recurrent) output(in Shape) (Shape, error) {
	if l.err != nil {
		return nil, l.err
	}
	if l.hidden <= 0 || l.layers < 0 || !(l.dropout >= 0 && l.dropout <= 1) {
		return nil, fmt.Errorf("dl: %s: Hidden is %d, Layers %d and Dropout %v, want Hidden above 0, no negative Layers and Dropout in [0, 1]; write %s{Hidden: 128, BatchFirst: true}",
			l.label(l.kind), l.hidden, l.layers, l.dropout, l.kind)
	}
	if len(in) != 3 || l.in > 0 && in[2] != l.in {
		return nil, l.wrong(in)
	}
	out := Shape{in[0], in[1], l.hidden}
	if l.bidirectional {
		out[2] *= 2
	}
	return out, nil
}

func (l recurrent) wrong(in Shape) error {
	want, fix := sequences("In", l.in, l.batchFirst), ""
	switch {
	case len(in) == 3:
		fix = fmt.Sprintf("set In: %d, or leave In out", in[2])
	case len(in) == 2:
		fix = "numbers of words need an Embedding before it; vectors need an axis for the sequence"
	case len(in) == 4:
		fix = "make sequences of images with Reshape"
	}
	return &ShapeError{Op: l.label(l.kind), Got: in, Want: want, Fix: fix}
}

// text describes the layer as PyTorch prints it.
func (l recurrent) text(in int) string {
	s := fmt.Sprintf("%s(%d, %d", l.kind, in, l.hidden)
	if l.layers > 1 {
		s += fmt.Sprintf(", num_layers=%d", l.layers)
	}
	if l.noBias {
		s += ", bias=False"
	}
	if l.batchFirst {
		s += ", batch_first=True"
	}
	if l.dropout > Zero {
		s += ", dropout=" + float(l.dropout)
	}
	if l.bidirectional {
		s += ", bidirectional=True"
	}
	return s + ")"
}

// nonlinear returns the recurrence of an RNN or RNNCell by its Nonlinearity.
func (p place) nonlinear(kind, name string) (lower.Recurrence, error) {
	switch name {
	case "", "tanh":
		return lower.RNNTanh, nil
	case "relu":
		return lower.RNNReLU, nil
	}
	return lower.RNNTanh, fmt.Errorf("dl: %s: Nonlinearity is %q, want \"tanh\" or \"relu\"", p.label(kind), name)
}
