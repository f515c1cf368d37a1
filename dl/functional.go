package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

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
	y := lower.Convolve(x.channelsLast(), weight.value(), c.window(), max(c.Groups, 1))
	if bias != nil {
		if !bias.Shape().Equal(Shape{c.Out}) {
			panic(&ShapeError{Op: "Conv2d: bias", Got: bias.Shape(), Want: fmt.Sprintf("[%d]", c.Out)})
		}
		y = addChannels(y, bias.value())
	}
	return x.withLast(y)
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

// Linear is x·weightᵀ + bias, as torch.nn.functional.linear, for x [… I],
// weight [O I] and bias [O] or nil.
func (x *node) Linear(weight, bias *node) *node {
	a, w := x.Shape(), weight.Shape()
	if len(a) == 0 || len(w) != 2 || a[len(a)-1] != w[1] {
		panic(&ShapeError{Op: "Linear", Got: a, Want: fmt.Sprintf("[… I] for a weight [O I] of %v", w), Fix: "the last axes must be equal"})
	}
	y := x.With(graph.DotGeneral(x.value(), []int{len(a) - 1}, nil, weight.value(), []int{1}, nil))
	if bias == nil {
		return y
	}
	return y.Add(bias)
}

// MaxPool2d pools images [N C H W] as the layer p does.
func (x *node) MaxPool2d(p MaxPool2d) *node { return p.of(x) }

// AvgPool2d pools images [N C H W] as the layer p does.
func (x *node) AvgPool2d(p AvgPool2d) *node { return p.of(x) }

// AdaptiveAvgPool2d pools images [N C H W] to a height and width.
func (x *node) AdaptiveAvgPool2d(height, width int) *node {
	return AdaptiveAvgPool2d{OutHW: HW{height, width}}.of(x)
}

// Embedding looks up a row of weight [In Out] for each integer.
func (x *node) Embedding(weight *node) *node {
	if w := weight.Shape(); len(w) != 2 || !x.DType().IsInt() {
		panic(fmt.Errorf("dl: Embedding: input is %v and the weight %v, want integers and [In Out]", x, w))
	}
	x.t.ids = weight.Shape()[0]
	return x.With(graph.Gather(weight.value(), graph.InsertAxes(x.value(), -1)))
}
