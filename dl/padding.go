package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// ReflectionPad2d makes images larger by mirroring them at their edges, without
// repeating the edge itself, as torch.nn.ReflectionPad2d does.
//
//	input   [N C H W]
//	output  [N C H+Top+Bottom W+Left+Right]
//
// Padding counts for all four sides, and each of the others for one side in its
// place. A side must be smaller than the image; otherwise it is a [*ShapeError].
type ReflectionPad2d struct {
	Padding                  int // pixels on each side
	Left, Right, Top, Bottom int // pixels on one side, where not 0

	place
}

// Forward applies the layer.
func (p ReflectionPad2d) Forward(x *Tensor) *Tensor { return forward(p, x) }

func (p ReflectionPad2d) forward(x *node) *node {
	return p.seen(p.sides().text("ReflectionPad2d"), 0, p.sides().pad(x, p.Output, reflected))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (p ReflectionPad2d) Output(in Shape) (Shape, error) {
	return p.sides().output(p.label("ReflectionPad2d"), in, true)
}

func (p ReflectionPad2d) sides() sides { return sidesOf(p.Padding, p.Left, p.Right, p.Top, p.Bottom) }

// ReplicationPad2d makes images larger by repeating their edges, as
// torch.nn.ReplicationPad2d does. Shapes are those of [ReflectionPad2d], and a
// side may be of any size.
type ReplicationPad2d struct {
	Padding                  int // pixels on each side
	Left, Right, Top, Bottom int // pixels on one side, where not 0

	place
}

// Forward applies the layer.
func (p ReplicationPad2d) Forward(x *Tensor) *Tensor { return forward(p, x) }

func (p ReplicationPad2d) forward(x *node) *node {
	return p.seen(p.sides().text("ReplicationPad2d"), 0, p.sides().pad(x, p.Output, repeated))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (p ReplicationPad2d) Output(in Shape) (Shape, error) {
	return p.sides().output(p.label("ReplicationPad2d"), in, false)
}

func (p ReplicationPad2d) sides() sides { return sidesOf(p.Padding, p.Left, p.Right, p.Top, p.Bottom) }

// ZeroPad2d makes images larger by zeros around them, as torch.nn.ZeroPad2d
// does. Shapes are those of [ReflectionPad2d], and a side may be of any size.
type ZeroPad2d struct {
	Padding                  int // pixels on each side
	Left, Right, Top, Bottom int // pixels on one side, where not 0

	place
}

// Forward applies the layer.
func (p ZeroPad2d) Forward(x *Tensor) *Tensor { return forward(p, x) }

func (p ZeroPad2d) forward(x *node) *node {
	return p.seen(p.sides().text("ZeroPad2d"), 0, p.sides().pad(x, p.Output, zeroed))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (p ZeroPad2d) Output(in Shape) (Shape, error) {
	return p.sides().output(p.label("ZeroPad2d"), in, false)
}

func (p ZeroPad2d) sides() sides { return sidesOf(p.Padding, p.Left, p.Right, p.Top, p.Bottom) }

// sides are the pixels that are added before and after, of height and width.
type sides [2][2]int

func sidesOf(all, left, right, top, bottom int) sides {
	or := func(n int) int {
		if n != 0 {
			return n
		}
		return all
	}
	return sides{{or(top), or(bottom)}, {or(left), or(right)}}
}

// text describes the layer as PyTorch prints it.
func (s sides) text(kind string) string {
	return fmt.Sprintf("%s((%d, %d, %d, %d))", kind, s[1][0], s[1][1], s[0][0], s[0][1])
}

// output is the shape rule. With less, a side must be smaller than the image.
func (s sides) output(op string, in Shape, less bool) (Shape, error) {
	if len(in) != 4 {
		return nil, wrongPool(op, in)
	}
	out := append(Shape{}, in...)
	for i, side := range s {
		for _, n := range side {
			if n < 0 {
				return nil, fmt.Errorf("dl: %s: a side is %d, want 0 or more; use Narrow to cut pixels off", op, n)
			}
			if less && n >= in[2+i] {
				return nil, &ShapeError{Op: op, Got: in, Want: fmt.Sprintf("an image of more than %d pixels along axis %d", n, 2+i),
					Fix: "a picture has no more to mirror: use less padding, or larger pictures"}
			}
			out[2+i] += n
		}
	}
	return out, nil
}

// pad adds the pixels of edge on each side: n of them, before or after, along an
// axis of an image [N H W C].
func (s sides) pad(x *node, output func(Shape) (Shape, error), edge func(x *graph.Node, axis, n int, after bool) *graph.Node) *node {
	if _, err := output(x.Shape()); err != nil {
		panic(err)
	}
	y := x.channelsLast()
	for i, side := range s {
		parts := []*graph.Node{y}
		if n := side[0]; n > 0 {
			parts = append([]*graph.Node{edge(y, 1+i, n, false)}, parts...)
		}
		if n := side[1]; n > 0 {
			parts = append(parts, edge(y, 1+i, n, true))
		}
		if len(parts) > 1 {
			y = graph.Concatenate(parts, 1+i)
		}
	}
	return x.withLast(y)
}

func reflected(x *graph.Node, axis, n int, after bool) *graph.Node {
	from := 1
	if after {
		from = x.Shape().Dimensions[axis] - 1 - n
	}
	return graph.Reverse(graph.SliceAxis(x, axis, graph.AxisRange(from, from+n)), axis)
}

func repeated(x *graph.Node, axis, n int, after bool) *graph.Node {
	from := 0
	if after {
		from = x.Shape().Dimensions[axis] - 1
	}
	to := append([]int{}, x.Shape().Dimensions...)
	to[axis] = n
	return graph.BroadcastToDims(graph.SliceAxis(x, axis, graph.AxisRange(from, from+1)), to...)
}

func zeroed(x *graph.Node, axis, n int, _ bool) *graph.Node {
	shape := x.Shape().Clone()
	shape.Dimensions[axis] = n
	return graph.Zeros(x.Graph(), shape)
}
