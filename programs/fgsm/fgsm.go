// Package fgsm changes pictures so little that a person sees the same digit, and so
// that a network sees another, as PyTorch's tutorial "Adversarial Example
// Generation": by the gradient of the loss for the picture.
//
// Goodfellow, Shlens and Szegedy, "Explaining and Harnessing Adversarial
// Examples", ICLR 2015.
package fgsm

import "github.com/holt-dl/holt/dl"

// Net is the network of pytorch/examples/mnist.
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

// Forward returns the logarithms of the digits' probabilities, [N 10], of pictures
// [N 1 28 28].
func (n *Net) Forward(x *dl.Tensor) *dl.Tensor {
	x = n.Conv1.Forward(x).ReLU()
	x = n.Conv2.Forward(x).ReLU()
	x = n.Dropout1.Forward(x.MaxPool2d(dl.MaxPool2d{Kernel: 2})).Flatten()
	x = n.Dropout2.Forward(n.FC1.Forward(x).ReLU())
	return n.FC2.Forward(x).LogSoftmax(1)
}

// Attack returns pictures in which each pixel is epsilon darker or lighter than in
// x, as it raises the loss.
func (n *Net) Attack(x, labels *dl.Tensor, epsilon float64) *dl.Tensor {
	x.RequiresGrad()
	n.Forward(x).Loss(dl.NLLLoss{}, labels).Backward()
	return x.Add(x.Grad().Sign().Scale(epsilon)).Clamp(0, 1)
}
