package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// Convolutions and poolings of sequences [N C L], such as sound. They run as those of
// images of height 1.

// asImages returns sequences [N C L] as images [N C 1 L].
func (x *node) asImages() *node {
	n, c, l := x.Dim(0), x.Dim(1), x.Dim(2)
	return x.withLast(graph.Reshape(graph.TransposeAllAxes(x.value(), 0, 2, 1), n, 1, l, c))
}

// asSequences returns images [N C 1 L] as sequences [N C L].
func (x *node) asSequences() *node {
	d := x.channelsLast().Shape().Dimensions
	return x.With(graph.TransposeAllAxes(graph.Reshape(x.channelsLast(), d[0], d[2], d[3]), 0, 2, 1))
}

// Conv1d slides Out filters along a batch of sequences, as torch.nn.Conv1d does.
//
//	input   [N In L]
//	weight  [Out In/Groups K]   K is Kernel
//	bias    [Out]               absent when NoBias
//	output  [N Out L']          L' = (L + 2*Padding - Dilation*(K-1) - 1)/Stride + 1, rounded down
//
// Weights and bias start uniform in ±1/√(In/Groups·K). An input of another rank or
// channel count is a [*ShapeError].
type Conv1d struct {
	In       int  // input channels; 0 takes what comes
	Out      int  // output channels; required
	Kernel   int  // length of a filter; required
	Stride   int  // places between filter positions; 0 means 1
	Padding  int  // zeros added at each end
	Dilation int  // places between the filter's own points; 0 means 1
	Groups   int  // groups of channels that do not mix; 0 means 1
	NoBias   bool // leave out the bias
	Same     bool // pad so that the output is as long as the input, as padding='same'; needs Stride 1

	affine
}

// Forward applies the layer.
func (c Conv1d) Forward(x *Tensor) *Tensor { return forward(c, x) }

func (c Conv1d) forward(x *node) *node {
	in := x.Shape()
	out, err := c.Output(in)
	if err != nil {
		panic(err)
	}
	image := c.image().defaults(in)
	fan := image.In / image.Groups * c.Kernel
	if wanted := x.t.built(c.path, "weight"); len(wanted) == 3 && wanted[1] != image.In/image.Groups {
		panic(wrongSequence(c.label("Conv1d"), in, wanted[1]*image.Groups))
	}
	weight := x.param(c.place, "Conv1d", "weight", Shape{c.Out, image.In / image.Groups, c.Kernel}, uniform(fan))
	y := lower.Convolve(x.asImages().last, graph.InsertAxes(weight, 2), image.window(), image.Groups)
	if !c.NoBias {
		y = addChannels(y, x.param(c.place, "Conv1d", "bias", Shape{c.Out}, uniform(fan)))
	}
	return c.seen(c.text(image), out.Size()*fan, x.withLast(y).asSequences())
}

// image is the convolution of images of height 1 that does the same.
func (c Conv1d) image() Conv2d {
	return Conv2d{In: c.In, Out: c.Out, KernelHW: HW{1, c.Kernel}, StrideHW: HW{1, max(c.Stride, 1)}, PaddingHW: HW{0, c.Padding},
		DilationHW: HW{1, max(c.Dilation, 1)}, Groups: c.Groups, Same: c.Same, NoBias: c.NoBias}
}

// Output returns the shape that the layer makes of an input, or a [*ShapeError].
func (c Conv1d) Output(in Shape) (Shape, error) {
	const kind = "Conv1d"
	if c.Out <= 0 || c.Kernel <= 0 || c.Stride < 0 || c.Padding < 0 || c.Dilation < 0 || c.Groups < 0 {
		return nil, fmt.Errorf("dl: %s: Out is %d and Kernel %d, want both above 0, and no negative setting; write Conv1d{Out: 32, Kernel: 3}", c.label(kind), c.Out, c.Kernel)
	}
	if c.Same && (c.Stride > 1 || c.Padding != 0) {
		return nil, fmt.Errorf("dl: %s: Same is set with a Stride of %d and a Padding of %d, want Stride 1 and no Padding; leave Same out and write Padding: %d",
			c.label(kind), c.Stride, c.Padding, c.image().window().Span(1)/2)
	}
	if len(in) != 3 || c.In > 0 && in[1] != c.In {
		return nil, wrongSequence(c.label(kind), in, c.In)
	}
	if g := max(c.Groups, 1); in[1]%g != 0 || c.Out%g != 0 {
		return nil, fmt.Errorf("dl: %s: Groups is %d, want a divisor of both %d input and %d output channels", c.label(kind), c.Groups, in[1], c.Out)
	}
	return sequenceShape(c.image().window(), c.label(kind), in, c.Out, false)
}

// text describes the layer as PyTorch prints it.
func (c Conv1d) text(image Conv2d) string {
	s := fmt.Sprintf("Conv1d(%d, %d, kernel_size=(%d,), stride=(%d,)", image.In, c.Out, c.Kernel, max(c.Stride, 1))
	switch {
	case c.Same:
		s += ", padding=same"
	case c.Padding > 0:
		s += fmt.Sprintf(", padding=(%d,)", c.Padding)
	}
	return s + sequenceText(c.Dilation, c.Groups, c.NoBias)
}

// sequenceText ends the text of a convolution, as convText does.
func sequenceText(dilation, groups int, noBias bool) string {
	s := ""
	if dilation > 1 {
		s += fmt.Sprintf(", dilation=(%d,)", dilation)
	}
	if groups > 1 {
		s += fmt.Sprintf(", groups=%d", groups)
	}
	if noBias {
		s += ", bias=False"
	}
	return s + ")"
}

// MaxPool1d takes the largest value of each window along each channel, as
// torch.nn.MaxPool1d does.
//
//	input   [N C L]
//	output  [N C L']   L' = (L + 2*Padding - Dilation*(Kernel-1) - 1)/Stride + 1, rounded down, or up with Ceil
//
// Where several values of a window are the largest, the gradient goes to the first of
// them. An input of another rank is a [*ShapeError].
type MaxPool1d struct {
	Kernel   int  // length of a window; required
	Stride   int  // places between windows; 0 means Kernel
	Padding  int  // places added at each end, smaller than any value; at most half of Kernel
	Dilation int  // places between a window's own points; 0 means 1
	Ceil     bool // a last window may hang over the end, as ceil_mode=True

	place
}

// Forward applies the layer.
func (p MaxPool1d) Forward(x *Tensor) *Tensor { return forward(p, x) }

func (p MaxPool1d) forward(x *node) *node {
	if _, err := p.Output(x.Shape()); err != nil {
		panic(err)
	}
	w := p.image().window()
	text := fmt.Sprintf("MaxPool1d(kernel_size=%d, stride=%d, padding=%d, dilation=%d, ceil_mode=%s)", p.Kernel, w.Stride[1], p.Padding, w.Dilation[1], python(p.Ceil))
	return p.seen(text, 0, p.image().of(x.asImages()).asSequences())
}

func (p MaxPool1d) image() MaxPool2d {
	return MaxPool2d{KernelHW: HW{1, p.Kernel}, StrideHW: HW{1, strideOf(p.Stride, p.Kernel)}, PaddingHW: HW{0, p.Padding}, DilationHW: HW{1, max(p.Dilation, 1)}, Ceil: p.Ceil}
}

// strideOf is the stride of a pooling.
func strideOf(stride, kernel int) int {
	if stride == 0 {
		return kernel
	}
	return stride
}

// Output returns the shape that the layer makes of an input, or a [*ShapeError].
func (p MaxPool1d) Output(in Shape) (Shape, error) {
	if p.Kernel <= 0 || p.Stride < 0 || p.Dilation < 0 || p.Padding < 0 || p.Padding > p.Kernel/2 {
		return nil, fmt.Errorf("dl: %s: Kernel is %d, Stride %d and Padding %d, want Kernel above 0 and Padding at most half of it; write MaxPool1d{Kernel: 2}",
			p.label("MaxPool1d"), p.Kernel, p.Stride, p.Padding)
	}
	if len(in) != 3 {
		return nil, wrongSequence(p.label("MaxPool1d"), in, 0)
	}
	return sequenceShape(p.image().window(), p.label("MaxPool1d"), in, in[1], p.Ceil)
}

// AvgPool1d averages each window along each channel, as torch.nn.AvgPool1d does.
//
//	input   [N C L]
//	output  [N C L']   L' = (L + 2*Padding - Kernel)/Stride + 1, rounded down, or up with Ceil
//
// The zeros of the padding count, as PyTorch's default has it, unless NoPad is set. An
// input of another rank is a [*ShapeError].
type AvgPool1d struct {
	Kernel  int  // length of a window; required
	Stride  int  // places between windows; 0 means Kernel
	Padding int  // zeros added at each end; at most half of Kernel
	Ceil    bool // a last window may hang over the end, as ceil_mode=True
	NoPad   bool // average over the sequence's own places only, as count_include_pad=False

	place
}

// Forward applies the layer.
func (p AvgPool1d) Forward(x *Tensor) *Tensor { return forward(p, x) }

func (p AvgPool1d) forward(x *node) *node {
	if _, err := p.Output(x.Shape()); err != nil {
		panic(err)
	}
	text := fmt.Sprintf("AvgPool1d(kernel_size=(%d,), stride=(%d,), padding=(%d,))", p.Kernel, strideOf(p.Stride, p.Kernel), p.Padding)
	return p.seen(text, 0, p.image().of(x.asImages()).asSequences())
}

func (p AvgPool1d) image() AvgPool2d {
	return AvgPool2d{KernelHW: HW{1, p.Kernel}, StrideHW: HW{1, strideOf(p.Stride, p.Kernel)}, PaddingHW: HW{0, p.Padding}, Ceil: p.Ceil, NoPad: p.NoPad}
}

// Output returns the shape that the layer makes of an input, or a [*ShapeError].
func (p AvgPool1d) Output(in Shape) (Shape, error) {
	if p.Kernel <= 0 || p.Stride < 0 || p.Padding < 0 || p.Padding > p.Kernel/2 {
		return nil, fmt.Errorf("dl: %s: Kernel is %d, Stride %d and Padding %d, want Kernel above 0 and Padding at most half of it; write AvgPool1d{Kernel: 2}",
			p.label("AvgPool1d"), p.Kernel, p.Stride, p.Padding)
	}
	if len(in) != 3 {
		return nil, wrongSequence(p.label("AvgPool1d"), in, 0)
	}
	return sequenceShape(p.image().window(), p.label("AvgPool1d"), in, in[1], p.Ceil)
}

// AdaptiveAvgPool1d averages each channel to a given length, whatever the input's, as
// torch.nn.AdaptiveAvgPool1d does.
//
//	input   [N C L]
//	output  [N C Out]
//
// Place i of the output averages those from i·L/Out rounded down to (i+1)·L/Out
// rounded up. An input of another rank is a [*ShapeError].
type AdaptiveAvgPool1d struct {
	Out int // length of the output; required

	place
}

// Forward applies the layer.
func (p AdaptiveAvgPool1d) Forward(x *Tensor) *Tensor { return forward(p, x) }

func (p AdaptiveAvgPool1d) forward(x *node) *node {
	if _, err := p.Output(x.Shape()); err != nil {
		panic(err)
	}
	y := AdaptiveAvgPool2d{OutHW: HW{1, p.Out}}.of(x.asImages()).asSequences()
	return p.seen(fmt.Sprintf("AdaptiveAvgPool1d(output_size=%d)", p.Out), 0, y)
}

// Output returns the shape that the layer makes of an input, or a [*ShapeError].
func (p AdaptiveAvgPool1d) Output(in Shape) (Shape, error) {
	if p.Out <= 0 {
		return nil, fmt.Errorf("dl: %s: Out is %d, want above 0; write AdaptiveAvgPool1d{Out: 1}", p.label("AdaptiveAvgPool1d"), p.Out)
	}
	if len(in) != 3 {
		return nil, wrongSequence(p.label("AdaptiveAvgPool1d"), in, 0)
	}
	return Shape{in[0], in[1], p.Out}, nil
}

// sequenceShape is the shape rule of windows along sequences.
func sequenceShape(w lower.Window, op string, in Shape, channels int, ceil bool) (Shape, error) {
	l := w.Places(1, in[2])
	if ceil {
		l = w.Ceil(1, in[2])
	}
	if l <= 0 {
		return nil, &ShapeError{Op: op, Got: in, Want: fmt.Sprintf("[N %d L] with L at least %d", in[1], w.Span(1)-w.Padding[1][0]-w.Padding[1][1]),
			Fix: "use a smaller Kernel, more Padding, or less pooling before it"}
	}
	return Shape{in[0], channels, l}, nil
}

// wrongSequence is the error for an input that is not [N channels L]; 0 channels are
// any.
func wrongSequence(op string, in Shape, channels int) error {
	want, fix := "[N C L]", ""
	if channels > 0 {
		want = fmt.Sprintf("[N %d L]", channels)
	}
	switch {
	case len(in) == 2:
		fix = "add the axis of the channels: Unsqueeze(1) for one"
	case len(in) == 4:
		fix = "images want the layer whose name ends in 2d"
	case len(in) == 3 && in[2] == channels:
		fix = "channels come second: use Transpose(0, 2, 1)"
	case len(in) == 3:
		fix = fmt.Sprintf("set In: %d, or leave In out", in[1])
	}
	return &ShapeError{Op: op, Got: in, Want: want, Fix: fix}
}
