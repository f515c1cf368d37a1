package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// MaxPool2d takes the largest value of each window of each channel, as
// torch.nn.MaxPool2d does.
//
//	input   [N C H W]
//	output  [N C H' W']   H' = (H + 2*Padding - Dilation*(Kernel-1) - 1)/Stride + 1, rounded down, or up with Ceil
//
// Where several values of a window are the largest, the gradient goes to the
// first of them. The fields that end in HW are as in [Conv2d]. An input of
// another rank is a [*ShapeError].
type MaxPool2d struct {
	Kernel   int  // window side, in pixels; required, or KernelHW
	Stride   int  // pixels between windows; 0 means Kernel
	Padding  int  // pixels added on each side, smaller than any value; at most half of Kernel
	Dilation int  // pixels between a window's own points; 0 means 1
	Ceil     bool // a last window may hang over the edge, as ceil_mode=True

	KernelHW, StrideHW, PaddingHW, DilationHW HW

	place
}

// Forward applies the layer.
func (p MaxPool2d) Forward(x *Tensor) *Tensor { return forward(p, x) }

func (p MaxPool2d) forward(x *node) *node {
	y := p.of(x)
	w := p.window()
	text := fmt.Sprintf("MaxPool2d(kernel_size=%s, stride=%s, padding=%s, dilation=%s, ceil_mode=%s)",
		HW(w.Kernel).brief(), HW(w.Stride).brief(), HW{w.Padding[0][0], w.Padding[1][0]}.brief(), HW(w.Dilation).brief(), python(p.Ceil))
	return p.seen(text, 0, y)
}

func (p MaxPool2d) of(x *node) *node {
	out, err := p.Output(x.Shape())
	if err != nil {
		panic(err)
	}
	w := p.window()
	size := x.Shape()
	image, late := x.early, x.late
	if image == nil {
		image, late = x.channelsLast(), func(y *graph.Node) *graph.Node { return y }
	}
	if w.Stride == w.Kernel && w.Dilation == (HW{1, 1}) && w.Padding == [2][2]int{} && out[2]*w.Kernel[0] <= size[2] && out[3]*w.Kernel[1] <= size[3] {
		return x.withLast(late(lower.MaxTiles(image, w.Kernel, out[2], out[3])))
	}
	// Along the width first: the first largest value of a window in reading
	// order is then the first of the rows' largest.
	y := w.MaxAlong(image, 1, out[3])
	return x.withLast(late(w.MaxAlong(y, 0, out[2])))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (p MaxPool2d) Output(in Shape) (Shape, error) {
	w := p.window()
	if !w.Valid() || p.Stride < 0 || p.Dilation < 0 || w.Padding[0][0] > w.Kernel[0]/2 || w.Padding[1][0] > w.Kernel[1]/2 {
		return nil, fmt.Errorf("dl: %s: Kernel is %s, Stride %d and Padding %s, want Kernel above 0 and Padding at most half of it; write MaxPool2d{Kernel: 2}",
			p.label("MaxPool2d"), HW(w.Kernel).brief(), p.Stride, pair(p.Padding, p.PaddingHW).brief())
	}
	return poolShape(w, p.label("MaxPool2d"), in, p.Ceil)
}

func (p MaxPool2d) window() lower.Window {
	return poolWindow(p.Kernel, p.KernelHW, p.Stride, p.StrideHW, p.Padding, p.PaddingHW, p.Dilation, p.DilationHW)
}

// AvgPool2d averages each window of each channel, as torch.nn.AvgPool2d does.
//
//	input   [N C H W]
//	output  [N C H' W']   H' = (H + 2*Padding - Kernel)/Stride + 1, rounded down, or up with Ceil
//
// The zeros of the padding count, as PyTorch's default has it, unless NoPad
// is set. The fields that end in HW are as in [Conv2d]. An input of another
// rank is a [*ShapeError].
type AvgPool2d struct {
	Kernel  int  // window side, in pixels; required, or KernelHW
	Stride  int  // pixels between windows; 0 means Kernel
	Padding int  // zeros added on each side, in pixels; at most half of Kernel
	Ceil    bool // a last window may hang over the edge, as ceil_mode=True
	NoPad   bool // average over the image's own pixels only, as count_include_pad=False
	Divisor int  // what the sum is divided by; 0 means the window's size

	KernelHW, StrideHW, PaddingHW HW

	place
}

// Forward applies the layer.
func (p AvgPool2d) Forward(x *Tensor) *Tensor { return forward(p, x) }

func (p AvgPool2d) forward(x *node) *node {
	y := p.of(x)
	w := p.window()
	text := fmt.Sprintf("AvgPool2d(kernel_size=%s, stride=%s, padding=%s)", HW(w.Kernel).brief(), HW(w.Stride).brief(), HW{w.Padding[0][0], w.Padding[1][0]}.brief())
	return p.seen(text, 0, y)
}

func (p AvgPool2d) of(x *node) *node {
	in := x.Shape()
	out, err := p.Output(in)
	if err != nil {
		panic(err)
	}
	w := p.window()
	y := x.channelsLast()
	for axis := range 2 {
		y = w.SumAlong(y, axis, out[2+axis])
	}
	// Windows at the edges hold fewer values; how many is a number for the row
	// times one for the column.
	rows, columns := w.Shares(0, in[2], out[2], p.NoPad), w.Shares(1, in[3], out[3], p.NoPad)
	if p.Divisor > 0 {
		rows, columns = []float32{1 / float32(p.Divisor)}, []float32{1}
	}
	return x.withLast(lower.ScaleAlong(lower.ScaleAlong(y, 1, rows), 2, columns))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (p AvgPool2d) Output(in Shape) (Shape, error) {
	w := p.window()
	if !w.Valid() || p.Stride < 0 || p.Divisor < 0 || w.Padding[0][0] > w.Kernel[0]/2 || w.Padding[1][0] > w.Kernel[1]/2 {
		return nil, fmt.Errorf("dl: %s: Kernel is %s, Stride %d and Padding %s, want Kernel above 0 and Padding at most half of it; write AvgPool2d{Kernel: 2}",
			p.label("AvgPool2d"), HW(w.Kernel).brief(), p.Stride, pair(p.Padding, p.PaddingHW).brief())
	}
	return poolShape(w, p.label("AvgPool2d"), in, p.Ceil)
}

func (p AvgPool2d) window() lower.Window {
	return poolWindow(p.Kernel, p.KernelHW, p.Stride, p.StrideHW, p.Padding, p.PaddingHW, 1, HW{})
}

// AdaptiveAvgPool2d averages each channel to an image of a given size,
// whatever the input's, as torch.nn.AdaptiveAvgPool2d does.
//
//	input   [N C H W]
//	output  [N C Out Out]
//
// Row i of the output averages the rows from i·H/Out rounded down to
// (i+1)·H/Out rounded up. OutHW sets height and width apart; 0 there keeps the
// input's. An input of another rank is a [*ShapeError].
type AdaptiveAvgPool2d struct {
	Out   int // side of the output, in pixels; required, or OutHW
	OutHW HW

	place
}

// Forward applies the layer.
func (p AdaptiveAvgPool2d) Forward(x *Tensor) *Tensor { return forward(p, x) }

func (p AdaptiveAvgPool2d) forward(x *node) *node {
	return p.seen(fmt.Sprintf("AdaptiveAvgPool2d(output_size=%s)", pair(p.Out, p.OutHW).brief()), 0, p.of(x))
}

func (p AdaptiveAvgPool2d) of(x *node) *node {
	out, err := p.Output(x.Shape())
	if err != nil {
		panic(err)
	}
	y := x.channelsLast()
	for axis := range 2 {
		y = lower.AverageParts(y, 1+axis, out[2+axis])
	}
	return x.withLast(y)
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (p AdaptiveAvgPool2d) Output(in Shape) (Shape, error) {
	size := pair(p.Out, p.OutHW)
	if size[0] < 0 || size[1] < 0 || size == (HW{}) {
		return nil, fmt.Errorf("dl: %s: Out is %s, want above 0; write AdaptiveAvgPool2d{Out: 1}", p.label("AdaptiveAvgPool2d"), size.brief())
	}
	if len(in) != 4 {
		return nil, wrongPool(p.label("AdaptiveAvgPool2d"), in)
	}
	out := append(Shape{}, in...)
	for axis, n := range size {
		if n > 0 {
			out[2+axis] = n
		}
	}
	return out, nil
}

func poolWindow(kernel int, kernelHW HW, stride int, strideHW HW, padding int, paddingHW HW, dilation int, dilationHW HW) lower.Window {
	if stride == 0 && strideHW == (HW{}) {
		strideHW = pair(kernel, kernelHW)
	}
	return square(kernel, kernelHW, stride, strideHW, padding, paddingHW, dilation, dilationHW)
}

// poolShape is the shape rule of poolings.
func poolShape(w lower.Window, op string, in Shape, ceil bool) (Shape, error) {
	if len(in) != 4 {
		return nil, wrongPool(op, in)
	}
	out := Shape{in[0], in[1], 0, 0}
	for axis := range 2 {
		if ceil {
			out[2+axis] = w.Ceil(axis, in[2+axis])
		} else {
			out[2+axis] = w.Places(axis, in[2+axis])
		}
		if out[2+axis] <= 0 {
			return nil, &ShapeError{Op: op, Got: in, Want: needs(w, "C"), Fix: "use a smaller Kernel, or fewer poolings before it"}
		}
	}
	return out, nil
}

func wrongPool(op string, in Shape) error {
	fix := ""
	switch len(in) {
	case 2:
		fix = "pooling comes before Flatten and Linear"
	case 3:
		fix = "add the batch axis: Reshape(1, …)"
	}
	return &ShapeError{Op: op, Got: in, Want: "[N C H W]", Fix: fix}
}

// MaxPool2d pools images [N C H W] as the layer p does.
func (x *node) MaxPool2d(p MaxPool2d) *node { return p.of(x) }

// AvgPool2d pools images [N C H W] as the layer p does.
func (x *node) AvgPool2d(p AvgPool2d) *node { return p.of(x) }

// AdaptiveAvgPool2d pools images [N C H W] to a height and width.
func (x *node) AdaptiveAvgPool2d(height, width int) *node {
	return AdaptiveAvgPool2d{OutHW: HW{height, width}}.of(x)
}
