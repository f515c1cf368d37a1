package dl

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Conv2d slides Out square filters over a batch of images, as torch.nn.Conv2d
// does.
//
//	input   [N In H W]
//	weight  [Out In/Groups K K]   K is Kernel
//	bias    [Out]                 absent when NoBias
//	output  [N Out H' W']         H' = (H + 2*Padding - Dilation*(K-1) - 1)/Stride + 1, rounded down
//
// Weights and bias start uniform in ±1/√(In/Groups·K·K). An input of another
// rank or channel count is a [*ShapeError].
type Conv2d struct {
	In       int  // input channels; 0 takes what comes
	Out      int  // output channels; required
	Kernel   int  // filter side, in pixels; required
	Stride   int  // pixels between filter positions; 0 means 1
	Padding  int  // zeros added on each side, in pixels
	Dilation int  // pixels between the filter's own points; 0 means 1
	Groups   int  // groups of channels that do not mix; 0 means 1
	NoBias   bool // leave out the bias

	place
}

// Forward applies the layer.
func (c Conv2d) Forward(x *Node) *Node {
	shape := x.Shape()
	if _, err := c.Output(shape); err != nil {
		panic(err)
	}
	c = c.defaults(shape)
	fan := c.In / c.Groups * c.Kernel * c.Kernel
	w := x.t.param(c.path, "Conv2d", "weight", Shape{c.Out, c.In / c.Groups, c.Kernel, c.Kernel}, uniform(fan))
	wanted := w.Shape().Dimensions[1] * c.Groups
	if c.In != wanted {
		panic(c.wrong(shape, wanted))
	}
	y := convolve(x.channelsLast(), w, convolution{c.Stride, c.Padding, c.Dilation, c.Groups})
	if !c.NoBias {
		b := x.t.param(c.path, "Conv2d", "bias", Shape{c.Out}, uniform(fan))
		y = graph.Add(y, graph.BroadcastToDims(graph.Reshape(b, 1, 1, 1, c.Out), y.Shape().Dimensions...))
	}
	return c.seen(c.text(), x, x.withLast(y))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (c Conv2d) Output(in Shape) (Shape, error) {
	if c.Out <= 0 || c.Kernel <= 0 || c.Stride < 0 || c.Padding < 0 || c.Dilation < 0 || c.Groups < 0 {
		return nil, fmt.Errorf("dl: %s: Out is %d and Kernel %d, want both above 0, and no negative setting; write Conv2d{Out: 32, Kernel: 3}",
			c.label("Conv2d"), c.Out, c.Kernel)
	}
	if len(in) != 4 || c.In > 0 && in[1] != c.In {
		return nil, c.wrong(in, c.In)
	}
	c = c.defaults(in)
	if c.In%c.Groups != 0 || c.Out%c.Groups != 0 {
		return nil, fmt.Errorf("dl: %s: Groups is %d, want a divisor of both %d input and %d output channels", c.label("Conv2d"), c.Groups, c.In, c.Out)
	}
	out := Shape{in[0], c.Out, 0, 0}
	span := c.Dilation*(c.Kernel-1) + 1
	for axis := 2; axis < 4; axis++ {
		room := in[axis] + 2*c.Padding - span
		if room < 0 {
			return nil, &ShapeError{Op: c.label("Conv2d"), Got: in, Want: fmt.Sprintf("[N %d H W] with H and W at least %d", c.In, span-2*c.Padding),
				Fix: "use a smaller Kernel, more Padding, or less pooling before it"}
		}
		out[axis] = room/c.Stride + 1
	}
	return out, nil
}

func (c Conv2d) defaults(in Shape) Conv2d {
	if c.In == 0 {
		c.In = in[1]
	}
	c.Stride, c.Dilation, c.Groups = max(c.Stride, 1), max(c.Dilation, 1), max(c.Groups, 1)
	return c
}

// wrong is the error for an input that is not [N channels H W].
func (c Conv2d) wrong(in Shape, channels int) error {
	want, fix := "[N C H W]", ""
	if channels > 0 {
		want = fmt.Sprintf("[N %d H W]", channels)
	}
	switch {
	case len(in) == 3:
		fix = "add the batch axis: Reshape(1, …)"
	case len(in) == 2:
		fix = "convolutions come before Flatten and Linear"
	case len(in) == 4 && in[3] == channels:
		fix = "channels come second: use Transpose(0, 3, 1, 2)"
	case len(in) == 4:
		fix = fmt.Sprintf("set In: %d, or leave In out", in[1])
	}
	return &ShapeError{Op: c.label("Conv2d"), Got: in, Want: want, Fix: fix}
}

// text describes the layer as PyTorch prints it.
func (c Conv2d) text() string {
	s := fmt.Sprintf("Conv2d(%d, %d, kernel_size=(%d, %[3]d), stride=(%d, %[4]d)", c.In, c.Out, c.Kernel, c.Stride)
	if c.Padding > 0 {
		s += fmt.Sprintf(", padding=(%d, %[1]d)", c.Padding)
	}
	if c.Dilation > 1 {
		s += fmt.Sprintf(", dilation=(%d, %[1]d)", c.Dilation)
	}
	if c.Groups > 1 {
		s += fmt.Sprintf(", groups=%d", c.Groups)
	}
	if c.NoBias {
		s += ", bias=False"
	}
	return s + ")"
}

// convolution is what a convolution's gradient needs to know of it.
type convolution struct{ stride, padding, dilation, groups int }

// Channels last: images [N H W C], filters [K K I O]. XLA on the processor
// convolves these fastest, and needs no transposition for the gradients.
var channelsLast = graph.ConvolveAxesConfig{
	InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
	KernelSpatial: []int{0, 1}, KernelInputChannels: 2, KernelOutputChannels: 3,
	OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
}

// convolve convolves x [N H W I] with w [O I/groups K K].
func convolve(x, w *graph.Node, c convolution) *graph.Node {
	y := graph.ConvGeneral(x, graph.TransposeAllAxes(w, 2, 3, 1, 0), channelsLast, twice(c.stride),
		[][2]int{{c.padding, c.padding}, {c.padding, c.padding}}, nil, twice(c.dilation), c.groups, 1)
	known, _ := y.Graph().State(convolutions{}).(map[*graph.Node]convolution)
	if known == nil {
		known = map[*graph.Node]convolution{}
		y.Graph().AttachState(convolutions{}, known)
	}
	known[y] = c
	return y
}

func twice(n int) []int { return []int{n, n} }

// convolutions is the key under which a graph keeps the convolutions of this
// package.
type convolutions struct{}

// GoMLX v0.28.5's own gradient of a convolution panics with groups and with
// stride and dilation together (core/graph/ops_convolve.go: convVJPWrtKernel
// wants one group, ConvolutionBuilder.Done refuses the pair), so ours have
// another. All other convolutions keep GoMLX's.
func init() {
	theirs := graph.VJPRegistration[graph.NodeTypeConvGeneral]
	graph.VJPRegistration[graph.NodeTypeConvGeneral] = func(node *graph.Node, v []*graph.Node, shape shapes.Shape) []*graph.Node {
		known, _ := node.Graph().State(convolutions{}).(map[*graph.Node]convolution)
		c, ok := known[node]
		if !ok {
			return theirs(node, v, shape)
		}
		x, w := node.Inputs()[0], node.Inputs()[1]
		return []*graph.Node{c.inputGradient(x, w, v[0]), c.kernelGradient(x, w, v[0])}
	}
}

// inputGradient is the convolution's gradient for x: v, with its pixels
// stride apart, convolved with the filters turned by half a turn.
func (c convolution) inputGradient(x, w, v *graph.Node) *graph.Node {
	size, kernel := x.Shape().Dimensions, w.Shape().Dimensions
	k, in, out := kernel[0], size[3], kernel[3]
	turned := graph.Reverse(w, 0, 1)
	if c.groups > 1 {
		turned = graph.Reshape(turned, k, k, in/c.groups, c.groups, out/c.groups)
		turned = graph.TransposeAllAxes(turned, 0, 1, 4, 3, 2)
		turned = graph.Reshape(turned, k, k, out/c.groups, in)
	} else {
		turned = graph.Transpose(turned, 2, 3)
	}
	reach := c.dilation * (k - 1)
	var padding [][2]int
	for axis := 1; axis < 3; axis++ {
		spread := (v.Shape().Dimensions[axis]-1)*c.stride + 1
		before := reach - c.padding
		padding = append(padding, [2]int{before, size[axis] + reach - spread - before})
	}
	return graph.ConvGeneral(v, turned, channelsLast, nil, padding, twice(c.stride), twice(c.dilation), c.groups, 1)
}

// kernelGradient is the convolution's gradient for w: x convolved with v as
// the filter, where the images of the batch play the input channels.
func (c convolution) kernelGradient(x, w, v *graph.Node) *graph.Node {
	k := w.Shape().Dimensions[0]
	var padding [][2]int
	for axis := 1; axis < 3; axis++ {
		spread := (v.Shape().Dimensions[axis]-1)*c.stride + 1
		after := c.dilation*(k-1) + spread - x.Shape().Dimensions[axis] - c.padding
		padding = append(padding, [2]int{c.padding, after})
	}
	// The axes are moved by hand: the pure-Go backend of compute v0.1.5 reads
	// past its buffers when the configuration of the axes moves them.
	x, v = graph.TransposeAllAxes(x, 3, 1, 2, 0), graph.TransposeAllAxes(v, 1, 2, 0, 3)
	y := graph.ConvGeneral(x, v, channelsLast, twice(c.dilation), padding, nil, twice(c.stride), 1, c.groups)
	return graph.TransposeAllAxes(y, 1, 2, 0, 3)
}

// initializer fills a new parameter.
type initializer func(random func() float64, values []float32)

// uniform starts a layer's weights as PyTorch does: evenly in ±1/√fan, where
// fan is the number of inputs of one output. (kaiming_uniform_ with a=√5.)
func uniform(fan int) initializer {
	bound := 1 / math.Sqrt(float64(max(fan, 1)))
	return func(random func() float64, values []float32) {
		for i := range values {
			values[i] = float32((2*random() - 1) * bound)
		}
	}
}
