package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// Conv2d slides Out filters over a batch of images, as torch.nn.Conv2d does.
//
//	input   [N In H W]
//	weight  [Out In/Groups K K]   K is Kernel
//	bias    [Out]                 absent when NoBias
//	output  [N Out H' W']         H' = (H + 2*Padding - Dilation*(K-1) - 1)/Stride + 1, rounded down
//
// A setting that differs between height and width is given by the field that
// ends in HW, which counts when it is not zero: KernelHW: dl.HW{1, 7}.
//
// Weights and bias start uniform in ±1/√(In/Groups·K·K). An input of another
// rank or channel count is a [*ShapeError].
type Conv2d struct {
	In       int  // input channels; 0 takes what comes
	Out      int  // output channels; required
	Kernel   int  // filter side, in pixels; required, or KernelHW
	Stride   int  // pixels between filter positions; 0 means 1
	Padding  int  // zeros added on each side, in pixels
	Dilation int  // pixels between the filter's own points; 0 means 1
	Groups   int  // groups of channels that do not mix; 0 means 1
	NoBias   bool // leave out the bias
	Same     bool // pad so that the output is as large as the input, as padding='same'; needs Stride 1

	KernelHW, StrideHW, PaddingHW, DilationHW HW

	affine
}

// Forward applies the layer.
func (c Conv2d) Forward(x *Tensor) *Tensor { return forward(c, x) }

func (c Conv2d) forward(x *node) *node {
	shape := x.Shape()
	out, err := c.Output(shape)
	if err != nil {
		panic(err)
	}
	c = c.defaults(shape)
	w := c.window()
	fan := c.In / c.Groups * w.Kernel[0] * w.Kernel[1]
	filter := Shape{c.Out, c.In / c.Groups, w.Kernel[0], w.Kernel[1]}
	if wanted := x.t.built(c.path, "weight"); len(wanted) == 4 && wanted[1] != filter[1] {
		panic(c.wrong(shape, wanted[1]*c.Groups))
	}
	weight := x.param(c.place, "Conv2d", "weight", filter, uniform(fan))
	y := x.withLast(lower.Convolve(x.channelsLast(), weight, w, c.Groups))
	if !c.NoBias {
		bias := x.param(c.place, "Conv2d", "bias", Shape{c.Out}, uniform(fan))
		y = y.later(func(y *graph.Node) *graph.Node { return addChannels(y, bias) })
	}
	return c.seen(c.text(), out.Size()*fan, y)
}

// addChannels adds a bias [C] to an image [N H W C].
func addChannels(y, bias *graph.Node) *graph.Node {
	return graph.Add(y, graph.BroadcastToDims(graph.Reshape(bias, 1, 1, 1, -1), y.Shape().Dimensions...))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (c Conv2d) Output(in Shape) (Shape, error) {
	if c.Out <= 0 || c.Stride < 0 || c.Dilation < 0 || c.Groups < 0 || !c.window().Valid() {
		return nil, fmt.Errorf("dl: %s: Out is %d and Kernel %s, want both above 0, and no negative setting; write Conv2d{Out: 32, Kernel: 3}",
			c.label("Conv2d"), c.Out, pair(c.Kernel, c.KernelHW).brief())
	}
	if c.Same && (c.window().Stride != HW{1, 1} || c.Padding != 0 || c.PaddingHW != HW{}) {
		return nil, fmt.Errorf("dl: %s: Same is set with a Stride of %s and a Padding of %s, want Stride 1 and no Padding; leave Same out and write Padding: %d",
			c.label("Conv2d"), HW(c.window().Stride).brief(), pair(c.Padding, c.PaddingHW).brief(), c.window().Span(0)/2)
	}
	if len(in) != 4 || c.In > 0 && in[1] != c.In {
		return nil, c.wrong(in, c.In)
	}
	c = c.defaults(in)
	if c.In%c.Groups != 0 || c.Out%c.Groups != 0 {
		return nil, fmt.Errorf("dl: %s: Groups is %d, want a divisor of both %d input and %d output channels", c.label("Conv2d"), c.Groups, c.In, c.Out)
	}
	w := c.window()
	out := Shape{in[0], c.Out, w.Places(0, in[2]), w.Places(1, in[3])}
	if out[2] <= 0 || out[3] <= 0 {
		return nil, &ShapeError{Op: c.label("Conv2d"), Got: in, Want: needs(w, fmt.Sprint(c.In)),
			Fix: "use a smaller Kernel, more Padding, or less pooling before it"}
	}
	return out, nil
}

func (c Conv2d) defaults(in Shape) Conv2d {
	if c.In == 0 {
		c.In = in[1]
	}
	c.Groups = max(c.Groups, 1)
	return c
}

func (c Conv2d) window() lower.Window {
	w := square(c.Kernel, c.KernelHW, c.Stride, c.StrideHW, c.Padding, c.PaddingHW, c.Dilation, c.DilationHW)
	if c.Same {
		for i := range 2 {
			all := w.Span(i) - 1
			w.Padding[i] = [2]int{all / 2, all - all/2} // PyTorch puts the odd one after
		}
	}
	return w
}

// wrong is the error for an input that is not [N channels H W].
func (c Conv2d) wrong(in Shape, channels int) error {
	return wrongImage(c.label("Conv2d"), in, channels)
}

// wrongImage is the error of a convolution for an input that is not
// [N channels H W]; 0 channels are any.
func wrongImage(op string, in Shape, channels int) error {
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
	return &ShapeError{Op: op, Got: in, Want: want, Fix: fix}
}

// text describes the layer as PyTorch prints it.
func (c Conv2d) text() string {
	w := c.window()
	s := fmt.Sprintf("Conv2d(%d, %d, kernel_size=%v, stride=%v", c.In, c.Out, HW(w.Kernel), HW(w.Stride))
	if c.Same {
		s += ", padding=same"
	} else {
		s += paddingText(w)
	}
	return s + convText(w, c.Groups, c.NoBias) + ")"
}

func paddingText(w lower.Window) string {
	if p := (HW{w.Padding[0][0], w.Padding[1][0]}); p != (HW{}) {
		return fmt.Sprintf(", padding=%v", p)
	}
	return ""
}

// convText writes the settings that convolutions have in common and PyTorch
// prints when they are not the default.
func convText(w lower.Window, groups int, noBias bool) string {
	s := ""
	if w.Dilation != (HW{1, 1}) {
		s += fmt.Sprintf(", dilation=%v", HW(w.Dilation))
	}
	if groups > 1 {
		s += fmt.Sprintf(", groups=%d", groups)
	}
	if noBias {
		s += ", bias=False"
	}
	return s
}

// ConvTranspose2d paints Out filters into a larger image, each weighted by a
// pixel of the input: the gradient of a convolution, as
// torch.nn.ConvTranspose2d.
//
//	input   [N In H W]
//	weight  [In Out/Groups K K]   K is Kernel
//	bias    [Out]                 absent when NoBias
//	output  [N Out H' W']         H' = (H-1)*Stride - 2*Padding + Dilation*(K-1) + OutputPadding + 1
//
// The fields that end in HW are as in [Conv2d]. Weights and bias start
// uniform in ±1/√(Out/Groups·K·K). An input of another rank or channel count
// is a [*ShapeError].
type ConvTranspose2d struct {
	In            int  // input channels; 0 takes what comes
	Out           int  // output channels; required
	Kernel        int  // filter side, in pixels; required, or KernelHW
	Stride        int  // pixels of output between those of the input; 0 means 1
	Padding       int  // pixels cut off each side of the output
	OutputPadding int  // pixels added to the output below and on the right; less than Stride or Dilation
	Dilation      int  // pixels between the filter's own points; 0 means 1
	Groups        int  // groups of channels that do not mix; 0 means 1
	NoBias        bool // leave out the bias

	KernelHW, StrideHW, PaddingHW, OutputPaddingHW, DilationHW HW

	affine
}

// Forward applies the layer.
func (c ConvTranspose2d) Forward(x *Tensor) *Tensor { return forward(c, x) }

func (c ConvTranspose2d) forward(x *node) *node {
	in := x.Shape()
	out, err := c.Output(in)
	if err != nil {
		panic(err)
	}
	c = c.defaults(in)
	w := c.window()
	fan := c.Out / c.Groups * w.Kernel[0] * w.Kernel[1]
	filter := Shape{c.In, c.Out / c.Groups, w.Kernel[0], w.Kernel[1]}
	if wanted := x.t.built(c.path, "weight"); len(wanted) == 4 && wanted[0] != c.In {
		panic(wrongImage(c.label("ConvTranspose2d"), in, wanted[0]))
	}
	y := lower.ConvolveTransposed(x.channelsLast(), x.param(c.place, "ConvTranspose2d", "weight", filter, uniform(fan)), w, c.Groups, HW{out[2], out[3]})
	if !c.NoBias {
		y = addChannels(y, x.param(c.place, "ConvTranspose2d", "bias", Shape{c.Out}, uniform(fan)))
	}
	return c.seen(c.text(), in.Size()*fan, x.withLast(y))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (c ConvTranspose2d) Output(in Shape) (Shape, error) {
	if c.Out <= 0 || c.Stride < 0 || c.Dilation < 0 || c.Groups < 0 || !c.window().Valid() {
		return nil, fmt.Errorf("dl: %s: Out is %d and Kernel %s, want both above 0, and no negative setting; write ConvTranspose2d{Out: 32, Kernel: 2, Stride: 2}",
			c.label("ConvTranspose2d"), c.Out, pair(c.Kernel, c.KernelHW).brief())
	}
	w, extra := c.window(), pair(c.OutputPadding, c.OutputPaddingHW)
	for i := range 2 {
		if most := max(w.Stride[i], w.Dilation[i]); extra[i] < 0 || extra[i] >= most {
			return nil, fmt.Errorf("dl: %s: OutputPadding is %s, want less than %d, the larger of Stride and Dilation", c.label("ConvTranspose2d"), extra.brief(), most)
		}
	}
	if len(in) != 4 || c.In > 0 && in[1] != c.In {
		return nil, wrongImage(c.label("ConvTranspose2d"), in, c.In)
	}
	c = c.defaults(in)
	if c.In%c.Groups != 0 || c.Out%c.Groups != 0 {
		return nil, fmt.Errorf("dl: %s: Groups is %d, want a divisor of both %d input and %d output channels", c.label("ConvTranspose2d"), c.Groups, c.In, c.Out)
	}
	out := Shape{in[0], c.Out, 0, 0}
	for i := range 2 {
		out[2+i] = (in[2+i]-1)*w.Stride[i] - 2*w.Padding[i][0] + w.Span(i) + extra[i]
		if out[2+i] <= 0 {
			return nil, &ShapeError{Op: c.label("ConvTranspose2d"), Got: in, Want: "an image that the padding leaves something of",
				Fix: fmt.Sprintf("the output would have a side of %d: use less Padding or a larger Kernel", out[2+i])}
		}
	}
	return out, nil
}

func (c ConvTranspose2d) defaults(in Shape) ConvTranspose2d {
	if c.In == 0 {
		c.In = in[1]
	}
	c.Groups = max(c.Groups, 1)
	return c
}

func (c ConvTranspose2d) window() lower.Window {
	return square(c.Kernel, c.KernelHW, c.Stride, c.StrideHW, c.Padding, c.PaddingHW, c.Dilation, c.DilationHW)
}

// text describes the layer as PyTorch prints it.
func (c ConvTranspose2d) text() string {
	w := c.window()
	s := fmt.Sprintf("ConvTranspose2d(%d, %d, kernel_size=%v, stride=%v%s", c.In, c.Out, HW(w.Kernel), HW(w.Stride), paddingText(w))
	if w.Dilation != (HW{1, 1}) {
		s += fmt.Sprintf(", dilation=%v", HW(w.Dilation))
	}
	if extra := pair(c.OutputPadding, c.OutputPaddingHW); extra != (HW{}) {
		s += fmt.Sprintf(", output_padding=%v", extra)
	}
	w.Dilation = HW{1, 1}
	return s + convText(w, c.Groups, c.NoBias) + ")"
}

// HW is a height and a width in pixels, or along height and width.
type HW [2]int

// pair returns the setting for both axes: both, where it is not zero, else
// one for each.
func pair(one int, both HW) HW {
	if both != (HW{}) {
		return both
	}
	return HW{one, one}
}

// square is a window from the fields that layers have in common, with 1 for a
// Stride or Dilation left out.
func square(kernel int, kernelHW HW, stride int, strideHW HW, padding int, paddingHW HW, dilation int, dilationHW HW) lower.Window {
	w := lower.Window{Kernel: pair(kernel, kernelHW), Stride: pair(max(stride, 1), strideHW), Dilation: pair(max(dilation, 1), dilationHW)}
	for i, n := range pair(padding, paddingHW) {
		w.Padding[i] = [2]int{n, n}
	}
	return w
}

// needs says how large an image must be, for messages.
func needs(w lower.Window, channels string) string {
	h, wide := w.Span(0)-w.Padding[0][0]-w.Padding[0][1], w.Span(1)-w.Padding[1][0]-w.Padding[1][1]
	if h == wide {
		return fmt.Sprintf("[N %s H W] with H and W at least %d", channels, h)
	}
	return fmt.Sprintf("[N %s H W] with H at least %d and W at least %d", channels, h, wide)
}

// String writes a pair as Python does.
func (p HW) String() string { return fmt.Sprintf("(%d, %d)", p[0], p[1]) }

// brief writes one number for a square, as PyTorch prints poolings.
func (p HW) brief() string {
	if p[0] == p[1] {
		return fmt.Sprint(p[0])
	}
	return p.String()
}

// Conv2d slides filters over images, as torch.nn.functional.conv2d does.
//
//	x       [N I H W]
//	weight  [O I/Groups KH KW]
//	bias    [O], or nil
//	result  [N O H' W']
//
// Of c count stride, padding, dilation and groups; the rest follows from
// weight. Shapes that do not fit panic with a [*ShapeError].
func (x *node) Conv2d(weight, bias *node, c Conv2d) *node {
	w := weight.Shape()
	if len(w) != 4 {
		panic(&ShapeError{Op: "Conv2d: weight", Got: w, Want: "[O I/Groups KH KW]", Fix: "one filter for one channel is Reshape(1, 1, h, w)"})
	}
	c.place = place{}
	c.In, c.Out, c.KernelHW = w[1]*max(c.Groups, 1), w[0], HW{w[2], w[3]}
	if _, err := c.Output(x.Shape()); err != nil {
		panic(err)
	}
	y := x.withLast(lower.Convolve(x.channelsLast(), weight.value(), c.window(), max(c.Groups, 1)))
	if bias != nil {
		if !bias.Shape().Equal(Shape{c.Out}) {
			panic(&ShapeError{Op: "Conv2d: bias", Got: bias.Shape(), Want: fmt.Sprintf("[%d]", c.Out)})
		}
		y = y.later(func(y *graph.Node) *graph.Node { return addChannels(y, bias.value()) })
	}
	return y
}

// ConvTranspose2d paints filters into larger images, as
// torch.nn.functional.conv_transpose2d does.
//
//	x       [N I H W]
//	weight  [I O/Groups KH KW]
//	bias    [O], or nil
//
// Of c count stride, padding, output padding, dilation and groups.
func (x *node) ConvTranspose2d(weight, bias *node, c ConvTranspose2d) *node {
	w := weight.Shape()
	if len(w) != 4 {
		panic(&ShapeError{Op: "ConvTranspose2d: weight", Got: w, Want: "[I O/Groups KH KW]"})
	}
	c.place = place{}
	c.In, c.Out, c.KernelHW = w[0], w[1]*max(c.Groups, 1), HW{w[2], w[3]}
	out, err := c.Output(x.Shape())
	if err != nil {
		panic(err)
	}
	y := lower.ConvolveTransposed(x.channelsLast(), weight.value(), c.window(), max(c.Groups, 1), HW{out[2], out[3]})
	if bias != nil {
		if !bias.Shape().Equal(Shape{c.Out}) {
			panic(&ShapeError{Op: "ConvTranspose2d: bias", Got: bias.Shape(), Want: fmt.Sprintf("[%d]", c.Out)})
		}
		y = addChannels(y, bias.value())
	}
	return x.withLast(y)
}
