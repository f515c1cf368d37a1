// Package gcn is a graph convolutional network, as pytorch/examples/gcn: it finds
// the class of every node of a graph from the classes of a few.
//
// Kipf and Welling, "Semi-Supervised Classification with Graph Convolutional
// Networks", ICLR 2017.
package gcn

import "github.com/holt-dl/holt/dl"

// GraphConv mixes the features of each node with those of its neighbours.
type GraphConv struct {
	Kernel dl.Param // [In Out]
}

// NewGraphConv returns a layer for in features that makes out of them.
func NewGraphConv(in, out int) GraphConv {
	return GraphConv{dl.Param{Shape: dl.Shape{in, out}, Init: dl.XavierNormal}}
}

// Forward takes the features of the nodes [N In] and the normalized edges [N N].
func (g *GraphConv) Forward(x, edges *dl.Tensor) *dl.Tensor {
	return edges.MatMul(x.MatMul(g.Kernel.Value()))
}

// GCN is two graph convolutions.
type GCN struct {
	GC1, GC2 GraphConv
	Dropout  dl.Dropout
}

// New returns a network for nodes with some features.
func New(features, hidden, classes int) *GCN {
	return &GCN{GC1: NewGraphConv(features, hidden), GC2: NewGraphConv(hidden, classes), Dropout: dl.Dropout{P: 0.5}}
}

// Forward returns the logarithms of the classes' probabilities, [N Classes].
func (g *GCN) Forward(x, edges *dl.Tensor) *dl.Tensor {
	x = g.Dropout.Forward(g.GC1.Forward(x, edges).ReLU())
	return g.GC2.Forward(x, edges).LogSoftmax(1)
}

// Loss is that of the nodes whose classes are known.
func (g *GCN) Loss(x, edges, known, labels *dl.Tensor) *dl.Tensor {
	return g.Forward(x, edges).IndexSelect(0, known).Loss(dl.NLLLoss{}, labels)
}

// Normalize joins each node of a graph [N N] with itself, and divides an edge by
// the root of the number of edges at either of its ends.
func Normalize(graph *dl.Tensor) *dl.Tensor {
	edges := graph.Add(dl.Eye(graph.Dim(0)))
	scale := edges.Sum(1).Pow(-0.5)
	return edges.Mul(scale).Mul(scale.Unsqueeze(1))
}
