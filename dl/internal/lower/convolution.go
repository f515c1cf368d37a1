package lower

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Channels last: images [N H W C], filters [K K I O]. XLA on the processor
// convolves these fastest, and needs no transposition for the gradients.
var channelsLast = graph.ConvolveAxesConfig{
	InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
	KernelSpatial: []int{0, 1}, KernelInputChannels: 2, KernelOutputChannels: 3,
	OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
}

// convolution is what a convolution's gradient needs to know of it.
type convolution struct {
	Window
	groups int
}

// Convolve convolves x [N H W I] with weight [O I/groups K K].
func Convolve(x, weight *graph.Node, w Window, groups int) *graph.Node {
	c := convolution{w, groups}
	size := x.Shape().Dimensions
	if c.ofOneDNN(x, weight, size[0]*w.Places(0, size[1])*w.Places(1, size[2])) {
		return oihw{c}.forward(x, weight)
	}
	return c.forward(x, graph.TransposeAllAxes(weight, 2, 3, 1, 0))
}

// ConvolveTransposed paints weight [I O/groups K K] into images of the given
// size, for x [N H W I]. It is the gradient, for its input, of the
// convolution that has x as its output.
func ConvolveTransposed(x, weight *graph.Node, w Window, groups int, size [2]int) *graph.Node {
	c := convolution{w, groups}
	if n := x.Shape().Dimensions; c.ofOneDNN(x, weight, n[0]*n[1]*n[2]) {
		return oihw{c}.inputGradient(weight, x, size)
	}
	filters := graph.TransposeAllAxes(weight, 2, 3, 1, 0) // of that convolution: [K K O/groups I]
	channels := filters.Shape().Dimensions[2] * groups
	turned := c.turn(filters, channels)
	y := c.inputGradient(turned, x, size)
	remember(y, func(v *graph.Node) (forX, forKernel *graph.Node) {
		return c.forward(v, filters), c.turn(c.kernelGradient(v, x), channels)
	})
	return y
}

// forward convolves x [N H W I] with w [K K I/groups O].
func (c convolution) forward(x, w *graph.Node) *graph.Node {
	y := slide(x, w, c.Stride, c.Padding, [2]int{1, 1}, c.Dilation, c.groups)
	remember(y, func(v *graph.Node) (forX, forKernel *graph.Node) {
		size := x.Shape().Dimensions
		return c.inputGradient(c.turn(w, size[3]), v, [2]int{size[1], size[2]}), c.kernelGradient(x, v)
	})
	return y
}

// convolutions is the key under which a graph keeps the gradients of the
// convolutions that it has from here. A convolution and its gradients for the
// image and for the filters are linear in each of their two inputs, and the
// derivatives of any of the three are the other two, so that gradients of
// gradients, as in WGAN-GP's penalty, go on without end.
type convolutions struct{}

type convolutionGradient func(v *graph.Node) (forX, forKernel *graph.Node)

func remember(y *graph.Node, gradient convolutionGradient) {
	known, _ := y.Graph().State(convolutions{}).(map[*graph.Node]convolutionGradient)
	if known == nil {
		known = map[*graph.Node]convolutionGradient{}
		y.Graph().AttachState(convolutions{}, known)
	}
	known[y] = gradient
}

// GoMLX v0.28.5's own gradient of a convolution panics with groups and with
// stride and dilation together (core/graph/ops_convolve.go: convVJPWrtKernel
// wants one group, ConvolutionBuilder.Done refuses the pair), so ours have
// another. All other convolutions keep GoMLX's.
func init() {
	theirs := graph.VJPRegistration[graph.NodeTypeConvGeneral]
	graph.VJPRegistration[graph.NodeTypeConvGeneral] = func(node *graph.Node, v []*graph.Node, shape shapes.Shape) []*graph.Node {
		known, _ := node.Graph().State(convolutions{}).(map[*graph.Node]convolutionGradient)
		gradient, ok := known[node]
		if !ok {
			return theirs(node, v, shape)
		}
		forX, forKernel := gradient(v[0])
		return []*graph.Node{forX, forKernel}
	}
}

// turn turns filters [K K I/groups O] by half a turn and swaps what goes in
// and out: [K K O/groups I]. Turning twice gives the filters again, and
// turning a gradient gives the gradient for what was turned. The channels are
// the result's last axis.
func (c convolution) turn(w *graph.Node, channels int) *graph.Node {
	turned := graph.Reverse(w, 0, 1)
	if c.groups == 1 {
		return graph.Transpose(turned, 2, 3)
	}
	k, out := c.Kernel, w.Shape().Dimensions[3]
	turned = graph.Reshape(turned, k[0], k[1], channels/c.groups, c.groups, out/c.groups)
	turned = graph.TransposeAllAxes(turned, 0, 1, 4, 3, 2)
	return graph.Reshape(turned, k[0], k[1], out/c.groups, channels)
}

// inputGradient is the convolution's gradient for its input, an image of the
// given size: v, with its pixels stride apart, convolved with the filters
// turned by half a turn.
func (c convolution) inputGradient(turned, v *graph.Node, size [2]int) *graph.Node {
	y := slide(v, turned, [2]int{1, 1}, c.inputPadding(v, size), c.Stride, c.Dilation, c.groups)
	remember(y, func(u *graph.Node) (forV, forTurned *graph.Node) {
		filters := c.turn(turned, v.Shape().Dimensions[3])
		return c.forward(u, filters), c.turn(c.kernelGradient(u, v), turned.Shape().Dimensions[3])
	})
	return y
}

// inputPadding is what inputGradient pads v with.
func (c convolution) inputPadding(v *graph.Node, size [2]int) (padding [2][2]int) {
	for i := range 2 {
		spread := (v.Shape().Dimensions[1+i]-1)*c.Stride[i] + 1
		before := c.Span(i) - 1 - c.Padding[i][0]
		padding[i] = [2]int{before, size[i] + c.Span(i) - 1 - spread - before}
	}
	return padding
}

// slide convolves x [N H W I], with its pixels spread apart, and w [K K I O].
//
// XLA on the processor has a quick convolution only for filters that are no
// larger than the picture: 512 channels of 2×2 pixels by 3×3 took fifty times
// as long as the same work on larger pictures. Padding before does not help,
// because XLA puts it back. So there each point of the filter is a product of
// matrices.
func slide(x, w *graph.Node, stride [2]int, padding [2][2]int, spread, dilation [2]int, groups int) *graph.Node {
	image, filter := x.Shape().Dimensions, w.Shape().Dimensions
	small, can := false, groups == 1
	for i := range 2 {
		small = small || filter[i] > image[1+i]
		can = can && padding[i][0] >= 0 && padding[i][1] >= 0
	}
	if !small || !can {
		return graph.ConvGeneral(x, w, channelsLast, stride[:], padding[:], spread[:], dilation[:], groups, 1)
	}
	zero := graph.ScalarZero(x.Graph(), x.DType())
	var places [2]int
	for i := range 2 {
		x = padAlong(x, i, zero, padding[i][0], padding[i][1], spread[i]-1)
		places[i] = (x.Shape().Dimensions[1+i]-dilation[i]*(filter[i]-1)-1)/stride[i] + 1
	}
	var sum *graph.Node
	for i := range filter[0] {
		row := everyAlong(x, 0, i*dilation[0], places[0], stride[0])
		for j := range filter[1] {
			under := everyAlong(row, 1, j*dilation[1], places[1], stride[1])
			point := graph.Reshape(graph.Slice(w, graph.AxisElem(i), graph.AxisElem(j)), filter[2], filter[3])
			y := graph.DotGeneral(under, []int{3}, nil, point, []int{0}, nil)
			if sum == nil {
				sum = y
			} else {
				sum = graph.Add(sum, y)
			}
		}
	}
	return sum
}

// kernelGradient is the convolution's gradient for w: x convolved with v as
// the filter, where the images of the batch play the input channels.
func (c convolution) kernelGradient(x, v *graph.Node) *graph.Node {
	image := x.Shape().Dimensions
	padding := c.kernelPadding(x, v)
	// The axes are moved by hand: the pure-Go backend of compute v0.1.5 reads
	// past its buffers when the configuration of the axes moves them.
	asImages := func(x *graph.Node) *graph.Node { return graph.TransposeAllAxes(x, 3, 1, 2, 0) }
	asFilters := func(v *graph.Node) *graph.Node { return graph.TransposeAllAxes(v, 1, 2, 0, 3) }
	y := graph.ConvGeneral(asImages(x), asFilters(v), channelsLast, c.Dilation[:], padding, nil, c.Stride[:], 1, c.groups)
	remember(y, func(u *graph.Node) (forImages, forFilters *graph.Node) {
		w := asFilters(u) // what a change of w would be
		return asImages(c.inputGradient(c.turn(w, image[3]), v, [2]int{image[1], image[2]})), asFilters(c.forward(x, w))
	})
	return asFilters(y)
}

// kernelPadding is what kernelGradient pads x with.
func (c convolution) kernelPadding(x, v *graph.Node) (padding [][2]int) {
	for i := range 2 {
		spread := (v.Shape().Dimensions[1+i]-1)*c.Stride[i] + 1
		after := c.Span(i) - 1 + spread - x.Shape().Dimensions[1+i] - c.Padding[i][0]
		padding = append(padding, [2]int{c.Padding[i][0], after})
	}
	return padding
}
