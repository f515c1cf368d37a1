package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// LSTMCell is one step of an [LSTM], as torch.nn.LSTMCell:
//
//	h, c := cell.Forward(x, nil, nil)
//	for _, x := range rest {
//		h, c = cell.Forward(x, h, c)
//	}
//
//	input      [N In]
//	h, c       [N Hidden]
//	weight_ih  [4·Hidden In]       gates in PyTorch's order: input, forget, cell, output
//	weight_hh  [4·Hidden Hidden]
//	bias_ih    [4·Hidden]          absent when NoBias
//	bias_hh    [4·Hidden]          absent when NoBias
//
// All start uniform in ±1/√Hidden. An input or a state of another shape is a
// [*ShapeError]. A Go loop of many steps makes a long program: [Scan] holds the step
// once.
type LSTMCell struct {
	In     int  // length of an input vector; 0 takes what comes
	Hidden int  // length of the state; required
	NoBias bool // leave out the biases

	place
}

// Forward takes a step from the hidden state h and the cell state c, and returns
// those after it. A nil state is zeros.
func (l LSTMCell) Forward(x, h, c *Tensor) (hn, cn *Tensor) {
	out := runCell(l, x, h, c)
	return out[0], out[1]
}

func (l LSTMCell) cell() recurrentCell {
	return recurrentCell{kind: "LSTMCell", how: lower.LSTM, in: l.In, hidden: l.Hidden, noBias: l.NoBias, place: l.place}
}

// GRUCell is one step of a [GRU], as torch.nn.GRUCell.
//
//	input      [N In]
//	h          [N Hidden]
//	weight_ih  [3·Hidden In]       gates in PyTorch's order: reset, update, new
//	weight_hh  [3·Hidden Hidden]
//	bias_ih    [3·Hidden]          absent when NoBias
//	bias_hh    [3·Hidden]          absent when NoBias
//
// All start uniform in ±1/√Hidden. An input or a state of another shape is a
// [*ShapeError]. A Go loop of many steps makes a long program: [Scan] holds the step
// once.
type GRUCell struct {
	In     int  // length of an input vector; 0 takes what comes
	Hidden int  // length of the state; required
	NoBias bool // leave out the biases

	place
}

// Forward takes a step from the state h, and returns the state after it. A nil
// state is zeros.
func (g GRUCell) Forward(x, h *Tensor) *Tensor { return runCell(g, x, h)[0] }

func (g GRUCell) cell() recurrentCell {
	return recurrentCell{kind: "GRUCell", how: lower.GRU, in: g.In, hidden: g.Hidden, noBias: g.NoBias, place: g.place}
}

// RNNCell is one step of an [RNN], as torch.nn.RNNCell.
//
//	input      [N In]
//	h          [N Hidden]
//	weight_ih  [Hidden In]
//	weight_hh  [Hidden Hidden]
//	bias_ih    [Hidden]         absent when NoBias
//	bias_hh    [Hidden]         absent when NoBias
//
// All start uniform in ±1/√Hidden. An input or a state of another shape is a
// [*ShapeError]. A Go loop of many steps makes a long program: [Scan] holds the step
// once.
type RNNCell struct {
	In           int    // length of an input vector; 0 takes what comes
	Hidden       int    // length of the state; required
	Nonlinearity string // "tanh" or "relu"; "" means "tanh"
	NoBias       bool   // leave out the biases

	place
}

// Forward takes a step from the state h, and returns the state after it. A nil
// state is zeros.
func (r RNNCell) Forward(x, h *Tensor) *Tensor { return runCell(r, x, h)[0] }

func (r RNNCell) cell() recurrentCell {
	how, err := r.nonlinear("RNNCell", r.Nonlinearity)
	c := recurrentCell{kind: "RNNCell", how: how, in: r.In, hidden: r.Hidden, noBias: r.NoBias, err: err, place: r.place}
	if r.Nonlinearity == "relu" {
		c.textEnd = ", nonlinearity=relu"
	}
	return c
}

// recurrentCell is what the three cells have in common.
type recurrentCell struct {
	kind       string // "LSTMCell"
	how        lower.Recurrence
	in, hidden int
	noBias     bool
	err        error  // what is wrong with settings that others lack
	textEnd    string // as PyTorch prints settings that others lack

	place
}

// cellLayer is an RNNCell, GRUCell or LSTMCell.
type cellLayer[L any] interface {
	layerOf[L]
	cell() recurrentCell
}

func runCell[L any, P cellLayer[L]](l L, x *Tensor, states ...*Tensor) []*Tensor {
	return runStates[L, P](l, func(l L, x *node, states []*node) []*node { return P(&l).cell().step(x, states) }, x, states...)
}

// step returns the states after a step.
func (l recurrentCell) step(x *node, states []*node) []*node {
	in := x.Shape()
	if l.err != nil {
		panic(l.err)
	}
	if l.hidden <= 0 {
		panic(fmt.Errorf("dl: %s: Hidden is %d, want above 0; write %s{Hidden: 128}", l.label(l.kind), l.hidden, l.kind))
	}
	if wanted := x.t.built(l.path, "weight_ih"); wanted != nil {
		l.in = wanted[1]
	}
	if len(in) != 2 || l.in > 0 && in[1] != l.in {
		panic(l.wrong(in))
	}
	begin := make([]*graph.Node, len(states))
	for i, s := range states {
		if s == nil {
			begin[i] = graph.BroadcastToDims(graph.ScalarZero(x.t.graph, x.value().DType()), in[0], l.hidden)
			continue
		}
		if got := s.Shape(); !got.Equal(Shape{in[0], l.hidden}) {
			e := &ShapeError{Op: l.label(l.kind), Got: got, Want: fmt.Sprintf("%s of [%d %d]", "hc"[i:i+1], in[0], l.hidden)}
			if len(got) == 3 {
				e.Fix = "a cell has one layer, so its state has no axis of layers"
			}
			panic(e)
		}
		begin[i] = graph.ConvertDType(s.value(), x.value().DType())
	}
	rows := l.how.Width * l.hidden
	param := func(name string, shape ...int) *graph.Node {
		return x.param(l.place, l.kind, name, shape, uniform(l.hidden))
	}
	matrix, hiddenMatrix := param("weight_ih", rows, in[1]), param("weight_hh", rows, l.hidden)
	gates := graph.DotGeneral(x.value(), []int{1}, nil, matrix, []int{1}, nil)
	var biases lower.Biases
	if !l.noBias {
		biases = lower.Biases{Input: param("bias_ih", rows), Hidden: param("bias_hh", rows)}
	}
	next := l.how.Step(gates, hiddenMatrix, biases, begin)
	text := fmt.Sprintf("%s(%d, %d", l.kind, in[1], l.hidden)
	if l.noBias {
		text += ", bias=False"
	}
	out := []*node{l.seen(text+l.textEnd+")", in[0]*rows*(in[1]+l.hidden), x.With(next[0]))}
	for _, s := range next[1:] {
		out = append(out, x.With(s))
	}
	return out
}

func (l recurrentCell) wrong(in Shape) error {
	want, fix := "[N In]", ""
	if l.in > 0 {
		want = fmt.Sprintf("[N %d]", l.in)
	}
	switch len(in) {
	case 1:
		fix = "add the axis of the batch with Unsqueeze(0)"
	case 3:
		layer := l.kind[:len(l.kind)-len("Cell")]
		fix = "a cell takes one step: take it with Index(i), or read the whole sequence with " + layer
	}
	return &ShapeError{Op: l.label(l.kind), Got: in, Want: want, Fix: fix}
}
