// Package stn straightens what it looks at, as PyTorch's tutorial of spatial
// transformer networks.
//
// Jaderberg et al., "Spatial Transformer Networks", NeurIPS 2015.
package stn

import "github.com/holt-dl/holt/dl"

// Net gives the logarithms of the probabilities of ten digits, [N 10], for pictures
// [N 1 28 28].
type Net struct {
	Conv1, Conv2 dl.Conv2d
	Drop         dl.Dropout2d
	FC1, FC2     dl.Linear

	Localization dl.Sequential // what decides how a picture is moved
	FCLoc        dl.Sequential `dl:"fc_loc"`
}

// New returns a network that is not built yet.
func New() *Net {
	return &Net{
		Conv1: dl.Conv2d{Out: 10, Kernel: 5}, Conv2: dl.Conv2d{Out: 20, Kernel: 5},
		FC1: dl.Linear{Out: 50}, FC2: dl.Linear{Out: 10},
		Localization: dl.Sequential{
			dl.Conv2d{Out: 8, Kernel: 7}, dl.MaxPool2d{Kernel: 2}, dl.ReLU{},
			dl.Conv2d{Out: 10, Kernel: 5}, dl.MaxPool2d{Kernel: 2}, dl.ReLU{},
		},
		FCLoc: dl.Sequential{dl.Linear{Out: 32}, dl.ReLU{}, dl.Linear{Out: 6}},
	}
}

// InitWeights makes the first map the one that moves nothing.
func (n *Net) InitWeights() {
	last := n.FCLoc[2].(dl.Linear)
	last.Weight.Init(dl.Constant(0))
	last.Bias.Set(dl.FromSlice([]float32{1, 0, 0, 0, 1, 0}))
}

// Transform moves, turns and stretches pictures x as the network thinks best.
func (n *Net) Transform(x *dl.Tensor) *dl.Tensor {
	theta := n.FCLoc.Forward(n.Localization.Forward(x).Flatten()).Reshape(-1, 2, 3)
	grid := theta.AffineGrid(x.Dim(2), x.Dim(3), dl.Sampling{})
	return x.GridSample(grid, dl.Sampling{})
}

// Forward runs the network.
func (n *Net) Forward(x *dl.Tensor) *dl.Tensor {
	half := dl.MaxPool2d{Kernel: 2}
	x = n.Transform(x)
	x = n.Conv1.Forward(x).MaxPool2d(half).ReLU()
	x = n.Drop.Forward(n.Conv2.Forward(x)).MaxPool2d(half).ReLU()
	x = n.FC1.Forward(x.Flatten()).ReLU()
	return n.FC2.Forward(x.Dropout(0.5)).LogSoftmax(1)
}
