// Package mnist classifies digits with two convolutions, as pytorch/examples/mnist.
package mnist

import "github.com/holt-dl/holt/dl"

// Net gives the logarithms of the probabilities of ten digits, [N 10], for pictures
// [N 1 28 28].
type Net struct {
	Conv1, Conv2       dl.Conv2d
	Dropout1, Dropout2 dl.Dropout
	FC1, FC2           dl.Linear
}

// New returns a network that is not built yet.
func New() *Net {
	return &Net{
		Conv1: dl.Conv2d{Out: 32, Kernel: 3}, Conv2: dl.Conv2d{Out: 64, Kernel: 3},
		Dropout1: dl.Dropout{P: 0.25}, Dropout2: dl.Dropout{P: 0.5},
		FC1: dl.Linear{Out: 128}, FC2: dl.Linear{Out: 10},
	}
}

// Forward runs the network.
func (n *Net) Forward(x *dl.Tensor) *dl.Tensor {
	x = n.Conv1.Forward(x).ReLU()
	x = n.Conv2.Forward(x).ReLU()
	x = n.Dropout1.Forward(x.MaxPool2d(dl.MaxPool2d{Kernel: 2}))
	x = n.FC1.Forward(x.Flatten()).ReLU()
	x = n.FC2.Forward(n.Dropout2.Forward(x))
	return x.LogSoftmax(1)
}
