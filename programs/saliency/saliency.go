// Package saliency shows which pixels a network decides by: the gradient of a
// class's score for the picture, and Grad-CAM, by the gradient for the last maps of
// features.
//
// Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks", 2013;
// Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via
// Gradient-based Localization", ICCV 2017.
package saliency

import "github.com/holt-dl/holt/dl"

// Net finds features by convolutions, and classes by the features' means.
type Net struct {
	Features dl.Sequential
	Head     dl.Linear
}

// New returns a network for some classes that is not built yet.
func New(classes int) *Net {
	return &Net{
		Features: dl.Sequential{
			dl.Conv2d{Out: 16, Kernel: 3, Padding: 1}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2},
			dl.Conv2d{Out: 32, Kernel: 3, Padding: 1}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2},
			dl.Conv2d{Out: 64, Kernel: 3, Padding: 1}, dl.ReLU{},
		},
		Head: dl.Linear{Out: classes},
	}
}

// Classify returns the scores of the classes, [N Classes], of features [N 64 H W].
func (n *Net) Classify(features *dl.Tensor) *dl.Tensor { return n.Head.Forward(features.Mean(2, 3)) }

// Forward returns the scores of the classes, [N Classes], of pictures [N C H W].
func (n *Net) Forward(x *dl.Tensor) *dl.Tensor { return n.Classify(n.Features.Forward(x)) }

// Saliency returns how much the score of each picture's best class changes with
// each pixel, [N H W].
func (n *Net) Saliency(x *dl.Tensor) *dl.Tensor {
	x.RequiresGrad()
	n.Forward(x).Max(1).Sum().Backward()
	return x.Grad().Abs().Max(1)
}

// GradCAM returns where the features are that speak for each picture's best class,
// [N H W] of the size of the features.
func (n *Net) GradCAM(x *dl.Tensor) *dl.Tensor {
	features := n.Features.Forward(x).RequiresGrad()
	n.Classify(features).Max(1).Sum().Backward()
	weight := features.Grad().Mean(2, 3).Unsqueeze(-1).Unsqueeze(-1) // [N 64 1 1]
	return features.Mul(weight).Sum(1).ReLU()
}
