// Package siamese says whether two pictures show the same digit, as
// pytorch/examples/siamese_network: one ResNet-18 looks at both.
//
// Koch, Zemel and Salakhutdinov, "Siamese Neural Networks for One-shot Image
// Recognition", 2015.
package siamese

import (
	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision/models"
)

// Net gives the probability that two pictures [N 1 H W] are of one class, [N 1].
type Net struct {
	ResNet *models.ResNet `dl:"resnet"`
	FC     dl.Sequential
}

// New returns a network that is not built yet.
func New() *Net {
	resnet := models.ResNet18(1000)
	resnet.FC = dl.Flatten{} // its features, without its classes
	return &Net{
		ResNet: resnet,
		FC:     dl.Sequential{dl.Linear{Out: 256}, dl.ReLU{}, dl.Linear{Out: 1}},
	}
}

// InitWeights starts the linear layers anew.
func (n *Net) InitWeights() {
	for _, layer := range n.FC {
		if l, ok := layer.(dl.Linear); ok {
			l.Weight.Init(dl.XavierUniform)
			l.Bias.Init(dl.Constant(0.01))
		}
	}
}

// Forward compares the features of a and b.
func (n *Net) Forward(a, b *dl.Tensor) *dl.Tensor {
	both := dl.Concat(1, n.ResNet.Forward(a), n.ResNet.Forward(b))
	return n.FC.Forward(both).Sigmoid()
}
