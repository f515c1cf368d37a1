// Package superresolution makes pictures larger, as pytorch/examples/super_resolution.
//
// Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient
// Sub-Pixel Convolutional Neural Network", CVPR 2016.
package superresolution

import (
	"math"

	"github.com/holt-dl/holt/dl"
)

// Net makes brightness [N 1 H W] larger by a factor, to [N 1 H·factor W·factor].
type Net struct {
	Conv1, Conv2, Conv3, Conv4 dl.Conv2d
	Shuffle                    dl.PixelShuffle
}

// New returns a network that is not built yet.
func New(factor int) *Net {
	return &Net{
		Conv1:   dl.Conv2d{Out: 64, Kernel: 5, Padding: 2},
		Conv2:   dl.Conv2d{Out: 64, Kernel: 3, Padding: 1},
		Conv3:   dl.Conv2d{Out: 32, Kernel: 3, Padding: 1},
		Conv4:   dl.Conv2d{Out: factor * factor, Kernel: 3, Padding: 1},
		Shuffle: dl.PixelShuffle{Upscale: factor},
	}
}

// InitWeights starts with filters at right angles to one another.
func (n *Net) InitWeights() {
	n.Conv1.Weight.Init(dl.Orthogonal(math.Sqrt2))
	n.Conv2.Weight.Init(dl.Orthogonal(math.Sqrt2))
	n.Conv3.Weight.Init(dl.Orthogonal(math.Sqrt2))
	n.Conv4.Weight.Init(dl.Orthogonal(1))
}

// Forward runs the network.
func (n *Net) Forward(x *dl.Tensor) *dl.Tensor {
	x = n.Conv1.Forward(x).ReLU()
	x = n.Conv2.Forward(x).ReLU()
	x = n.Conv3.Forward(x).ReLU()
	return n.Shuffle.Forward(n.Conv4.Forward(x))
}
