// Package gat is a graph attention network, as pytorch/examples/gat: it finds the
// class of every node of a graph, and learns which neighbours to look at.
//
// Veličković et al., "Graph Attention Networks", ICLR 2018.
package gat

import "github.com/holt-dl/holt/dl"

// Attention makes features of each node from those of its neighbours, weighted by
// how much it attends to each, by several heads. Their results are averaged, or
// joined where Concat is set.
type Attention struct {
	Heads, Hidden int
	Concat        bool

	W       dl.Param // [In Heads·Hidden]
	A       dl.Param // [Heads 2·Hidden 1]
	Dropout dl.Dropout
}

// NewAttention returns a layer for in features that makes out of them.
func NewAttention(in, out, heads int, concat bool) Attention {
	hidden := out
	if concat {
		hidden = out / heads
	}
	return Attention{
		Heads: heads, Hidden: hidden, Concat: concat,
		W:       dl.Param{Shape: dl.Shape{in, heads * hidden}, Init: dl.XavierNormal},
		A:       dl.Param{Shape: dl.Shape{heads, 2 * hidden, 1}, Init: dl.XavierNormal},
		Dropout: dl.Dropout{P: 0.6},
	}
}

// Attend takes the features of the nodes [N In] and the edges, bools [N N], and
// returns their new features [N Out] and how much each attends to each, [Heads N N].
func (g *Attention) Attend(x, edges *dl.Tensor) (out, attention *dl.Tensor) {
	n := x.Dim(0)
	h := g.Dropout.Forward(x.MatMul(g.W.Value()))
	h = h.Reshape(n, g.Heads, g.Hidden).Transpose(1, 0, 2) // [Heads N Hidden]

	a := g.A.Value()
	source := h.MatMul(a.Narrow(1, 0, g.Hidden)) // [Heads N 1]
	target := h.MatMul(a.Narrow(1, g.Hidden, g.Hidden))
	scores := source.Add(target.Transpose(0, 2, 1)).LeakyReLU(0.2)
	attention = dl.Where(edges, scores, dl.Full(-9e15)).Softmax(-1)

	h = g.Dropout.Forward(attention).MatMul(h)
	if g.Concat {
		return h.Transpose(1, 0, 2).Reshape(n, -1), attention
	}
	return h.Mean(0), attention
}

// GAT is two layers of attention, the second with one head.
type GAT struct {
	GAT1, GAT2 Attention
}

// New returns a network for nodes with some features.
func New(features, hidden, heads, classes int, concat bool) *GAT {
	return &GAT{NewAttention(features, hidden, heads, concat), NewAttention(hidden, classes, 1, false)}
}

// Forward returns the logarithms of the classes' probabilities, [N Classes].
func (g *GAT) Forward(x, edges *dl.Tensor) *dl.Tensor {
	x, _ = g.GAT1.Attend(x, edges)
	x, _ = g.GAT2.Attend(x.ELU(1), edges)
	return x.LogSoftmax(1)
}

// Loss is that of the nodes whose classes are known.
func (g *GAT) Loss(x, edges, known, labels *dl.Tensor) *dl.Tensor {
	return g.Forward(x, edges).IndexSelect(0, known).Loss(dl.NLLLoss{}, labels)
}
