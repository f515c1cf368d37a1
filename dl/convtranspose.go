package dl

import (
	"fmt"

	"github.com/holt-dl/holt/dl/internal/lower"
)

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
