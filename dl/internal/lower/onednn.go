package lower

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// XLA's plugin for the processor has oneDNN in it, which convolves at the
// processor's limit where XLA's own way takes twice as long or more. OneDNN takes
// its operands by the numbers of their axes, so that filters stay as PyTorch has
// them, [O I K K], in the forward pass and in both gradients. The gradient for the
// filters is a convolution of pictures of three axes: the images of the batch play
// the input channels, and the channels of x an axis along which the window
// slides, so that the result is [O I K K] at once.
//
// package xla turns a convolution whose filters have these axes into a call of
// oneDNN (dl/internal/xla/onednn.go). Without that, it means the same.

// oneDNN is a backend that writes a program with calls of oneDNN, and with calls for
// the filters' gradients where gradients is true: of oneDNN with AVX-512, where they take
// half of XLA's time or two thirds, and of Holt's own internal/calls with AVX2, where
// oneDNN takes half as much again as XLA, or where there are few channels.
type oneDNN interface {
	OneDNN() (calls, gradients bool)
}

// OneDNNFrom is from how many floating-point operations on oneDNN is called: below,
// a call costs more than it saves. It is XLA's own bound.
const OneDNNFrom = 1 << 24

// oihw is a convolution with filters as PyTorch has them, in one group.
type oihw struct{ convolution }

// ofOneDNN reports whether a convolution that has a number of places in all images
// together is written for oneDNN.
func (c convolution) ofOneDNN(x, weight *graph.Node, places int) bool {
	calls, _ := callsOneDNN(x.Graph())
	return calls && c.groups == 1 && x.DType() == dtypes.Float32 && weight.DType() == dtypes.Float32 &&
		2*places*weight.Shape().Size() >= OneDNNFrom
}

func callsOneDNN(g *graph.Graph) (calls, gradients bool) {
	b, ok := g.Backend().(oneDNN)
	if !ok {
		return false, false
	}
	return b.OneDNN()
}

// filterAxes are the axes of images [N H W C] and of filters [O I K K], of which one
// is what goes in and the other what comes out.
func filterAxes(in, out int) graph.ConvolveAxesConfig {
	axes := channelsLast
	axes.KernelInputChannels, axes.KernelOutputChannels, axes.KernelSpatial = in, out, []int{2, 3}
	return axes
}

// gradientAxes are those of the convolution that is the filters' gradient: x as
// [N H W I 1], v as [N h w 1 O], and [1 O I K K].
var gradientAxes = graph.ConvolveAxesConfig{
	InputBatch: 4, InputChannels: 0, InputSpatial: []int{1, 2, 3},
	KernelInputChannels: 0, KernelOutputChannels: 4, KernelSpatial: []int{1, 2, 3},
	OutputBatch: 0, OutputChannels: 1, OutputSpatial: []int{3, 4, 2},
}

// forward convolves x [N H W I] with w [O I K K].
func (c oihw) forward(x, w *graph.Node) *graph.Node {
	y := graph.ConvGeneral(x, w, filterAxes(1, 0), c.Stride[:], c.Padding[:], nil, c.Dilation[:], 1, 1)
	remember(y, func(v *graph.Node) (forX, forKernel *graph.Node) {
		size := x.Shape().Dimensions
		return c.inputGradient(w, v, [2]int{size[1], size[2]}), c.kernelGradient(x, w, v)
	})
	return y
}

// inputGradient is the gradient for an input of the given size.
func (c oihw) inputGradient(w, v *graph.Node, size [2]int) *graph.Node {
	padding := c.inputPadding(v, size)
	x := graph.ConvGeneral(v, graph.Reverse(w, 2, 3), filterAxes(0, 1), []int{1, 1}, padding[:], c.Stride[:], c.Dilation[:], 1, 1)
	remember(x, func(u *graph.Node) (forV, forTurned *graph.Node) {
		return c.forward(u, w), graph.Reverse(c.kernelGradient(u, w, v), 2, 3)
	})
	return x
}

// kernelGradient is the gradient for w.
func (c oihw) kernelGradient(x, w, v *graph.Node) *graph.Node {
	if _, gradients := callsOneDNN(x.Graph()); !gradients {
		return graph.TransposeAllAxes(c.convolution.kernelGradient(x, v), 3, 2, 0, 1)
	}
	size, places, filters := x.Shape().Dimensions, v.Shape().Dimensions, w.Shape().Dimensions
	pictures := append(slices.Clone(size), 1)
	windows := []int{places[0], places[1], places[2], 1, places[3]}
	padding := append(c.kernelPadding(x, v), [2]int{})
	y := graph.ConvGeneral(graph.Reshape(x, pictures...), graph.Reshape(v, windows...), gradientAxes,
		append(c.Dilation[:], 1), padding, nil, append(c.Stride[:], 1), 1, 1)
	remember(y, func(u *graph.Node) (forX, forV *graph.Node) {
		u = graph.Reshape(u, filters...)
		return graph.Reshape(c.inputGradient(u, v, [2]int{size[1], size[2]}), pictures...), graph.Reshape(c.forward(x, u), windows...)
	})
	return graph.Reshape(y, filters...)
}
