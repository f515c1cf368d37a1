package dl

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
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
		y = poolTiles(x.channelsLast(), p.Kernel, out[2], out[3])
	} else {
		pad := [2]int{p.Padding, p.Padding}
		y = graph.BackendReduceWindow(x.channelsLast(), compute.ReduceOpMax, []int{1, p.Kernel, p.Kernel, 1},
			[]int{1, p.Stride, p.Stride, 1}, nil, nil, [][2]int{{}, pad, pad, {}})
	}
	text := fmt.Sprintf("MaxPool2d(kernel_size=%d, stride=%d, padding=%d, dilation=1, ceil_mode=False)", p.Kernel, p.Stride, p.Padding)
	return p.seen(text, x, x.withLast(y))
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

// poolTiles pools k·k windows that lie side by side in x [N H W C], height by
// width of them. The forward pass also finds which value of the window is the
// first largest, and the gradient goes there. XLA on the processor runs this
// more than twice as fast as a reduce-window with select-and-scatter.
func poolTiles(x *graph.Node, k, height, width int) *graph.Node {
	size := x.Shape().Dimensions
	n, c := size[0], size[3]
	if size[1] != height*k || size[2] != width*k { // what fills no window
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, height*k), graph.AxisRange(0, width*k), graph.AxisRange())
	}
	var which *graph.Node // [N height width C], 0 to k·k-1
	forward := func(x *graph.Node) *graph.Node {
		var best *graph.Node
		for i := range k * k {
			value := graph.Slice(x, graph.AxisRange(), graph.AxisRange(i/k, (height-1)*k+i/k+1).Stride(k),
				graph.AxisRange(i%k, (width-1)*k+i%k+1).Stride(k), graph.AxisRange())
			if i == 0 {
				best, which = value, graph.ConvertDType(graph.ZerosLike(value), Int32)
				continue
			}
			which = graph.Where(graph.GreaterThan(value, best), graph.AddScalar(graph.ZerosLike(which), i), which)
			best = graph.Max(best, value)
		}
		return best
	}
	backward := func(v *graph.Node) *graph.Node {
		spread := func(a *graph.Node) *graph.Node {
			return graph.BroadcastToDims(graph.Reshape(a, n, height, 1, width, 1, c), n, height, k, width, k, c)
		}
		tiles := shapes.Make(Int32, n, height, k, width, k, c)
		place := graph.Add(graph.MulScalar(graph.Iota(v.Graph(), tiles, 2), k), graph.Iota(v.Graph(), tiles, 4))
		all := spread(v)
		return graph.Reshape(graph.Where(graph.Equal(spread(which), place), all, graph.ZerosLike(all)), n, height*k, width*k, c)
	}
	return customGradient(x, forward, backward)
}

// customGradient computes forward of x with another gradient than the one
// that GoMLX derives: backward gets the gradient of forward(x) and returns
// that of x.
//
// GoMLX's custom gradients are for the identity only. Gradients are made from
// the outputs back, so an identity after forward sees its gradient before the
// identity in front of it asks for x's. What GoMLX derives between the two is
// left unused, and no compiler keeps it.
func customGradient(x *graph.Node, forward, backward func(*graph.Node) *graph.Node) *graph.Node {
	var gradient *graph.Node
	in := graph.IdentityWithCustomGradient(x, func(_, _ *graph.Node) *graph.Node { return backward(gradient) })
	return graph.IdentityWithCustomGradient(forward(in), func(_, v *graph.Node) *graph.Node {
		gradient = v
		return v
	})
}
