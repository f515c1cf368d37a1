package dl

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
)

// MaxPool2d takes the largest value of each square window of each channel, as
// torch.nn.MaxPool2d does.
//
//	input   [N C H W]
//	output  [N C H' W']   H' = (H + 2*Padding - Kernel)/Stride + 1, rounded down
//
// Where several values of a window are the largest, the gradient goes to the
// first of them. An input of another rank is a [*ShapeError].
type MaxPool2d struct {
	Kernel  int // window side, in pixels; required
	Stride  int // pixels between windows; 0 means Kernel
	Padding int // pixels added on each side, smaller than any value; at most half of Kernel

	place
}

// Forward applies the layer.
func (p MaxPool2d) Forward(x *Node) *Node {
	out, err := p.Output(x.Shape())
	if err != nil {
		panic(err)
	}
	if p.Stride == 0 {
		p.Stride = p.Kernel
	}
	var y *graph.Node
	if p.Stride == p.Kernel && p.Padding == 0 {
		y = poolTiles(x.raw, p.Kernel, out)
	} else {
		pad := [2]int{p.Padding, p.Padding}
		y = graph.BackendReduceWindow(x.raw, compute.ReduceOpMax, []int{1, 1, p.Kernel, p.Kernel},
			[]int{1, 1, p.Stride, p.Stride}, nil, nil, [][2]int{{}, {}, pad, pad})
	}
	text := fmt.Sprintf("MaxPool2d(kernel_size=%d, stride=%d, padding=%d, dilation=1, ceil_mode=False)", p.Kernel, p.Stride, p.Padding)
	return p.seen(text, x, x.With(y))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (p MaxPool2d) Output(in Shape) (Shape, error) {
	if p.Kernel <= 0 || p.Stride < 0 || p.Padding < 0 || p.Padding > p.Kernel/2 {
		return nil, fmt.Errorf("dl: %s: Kernel is %d, Stride %d and Padding %d, want Kernel above 0 and Padding at most half of it; write MaxPool2d{Kernel: 2}",
			p.label("MaxPool2d"), p.Kernel, p.Stride, p.Padding)
	}
	if len(in) != 4 {
		fix := ""
		if len(in) == 2 {
			fix = "pooling comes before Flatten and Linear"
		}
		return nil, &ShapeError{Op: p.label("MaxPool2d"), Got: in, Want: "[N C H W]", Fix: fix}
	}
	stride := p.Stride
	if stride == 0 {
		stride = p.Kernel
	}
	out := Shape{in[0], in[1], 0, 0}
	for axis := 2; axis < 4; axis++ {
		room := in[axis] + 2*p.Padding - p.Kernel
		if room < 0 {
			return nil, &ShapeError{Op: p.label("MaxPool2d"), Got: in, Want: fmt.Sprintf("[N C H W] with H and W at least %d", p.Kernel-2*p.Padding),
				Fix: "use a smaller Kernel, or fewer poolings before it"}
		}
		out[axis] = room/stride + 1
	}
	return out, nil
}

// poolTiles pools windows that lie side by side: the maximum of k·k strided
// slices. XLA on the processor runs this and its gradient much faster than a
// reduce-window with select-and-scatter.
func poolTiles(x *graph.Node, k int, out Shape) *graph.Node {
	slices := func(x *graph.Node) (all []*graph.Node) {
		for i := range k * k {
			all = append(all, graph.Slice(x, graph.AxisRange(), graph.AxisRange(),
				graph.AxisRange(i/k, i/k+(out[2]-1)*k+1).Stride(k), graph.AxisRange(i%k, i%k+(out[3]-1)*k+1).Stride(k)))
		}
		return all
	}
	forward := func(x *graph.Node) *graph.Node {
		all := slices(x)
		y := all[0]
		for _, s := range all[1:] {
			y = graph.Max(y, s)
		}
		return y
	}
	backward := func(x, y, v *graph.Node) *graph.Node {
		zero := graph.ZerosLike(v)
		var taken *graph.Node // windows whose gradient has gone to an earlier pixel
		var sum *graph.Node
		size := x.Shape().Dimensions
		for i, s := range slices(x) {
			is := graph.Equal(s, y)
			if taken != nil {
				is, taken = graph.LogicalAnd(is, graph.LogicalNot(taken)), graph.LogicalOr(is, taken)
			} else {
				taken = is
			}
			spread := graph.Pad(graph.Where(is, v, zero), graph.ScalarZero(x.Graph(), x.DType()), compute.PadAxis{}, compute.PadAxis{},
				compute.PadAxis{Start: i / k, End: size[2] - i/k - (out[2]-1)*k - 1, Interior: k - 1},
				compute.PadAxis{Start: i % k, End: size[3] - i%k - (out[3]-1)*k - 1, Interior: k - 1})
			if sum == nil {
				sum = spread
			} else {
				sum = graph.Add(sum, spread)
			}
		}
		return sum
	}
	return customGradient(x, forward, backward)
}

// customGradient computes forward of x with another gradient than the one
// that GoMLX derives: backward gets x, y = forward(x) and the gradient of y,
// and returns the gradient of x.
//
// GoMLX's custom gradients are for the identity only. Gradients are made from
// the outputs back, so an identity after forward sees y's gradient before the
// identity in front of it asks for x's. What GoMLX derives between the two is
// left unused, and no compiler keeps it.
func customGradient(x *graph.Node, forward func(x *graph.Node) *graph.Node, backward func(x, y, v *graph.Node) *graph.Node) *graph.Node {
	var y, gradient *graph.Node
	in := graph.IdentityWithCustomGradient(x, func(_, _ *graph.Node) *graph.Node { return backward(x, y, gradient) })
	y = forward(in)
	return graph.IdentityWithCustomGradient(y, func(_, v *graph.Node) *graph.Node {
		gradient = v
		return v
	})
}
