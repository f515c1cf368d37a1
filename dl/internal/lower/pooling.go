package lower

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// How poolings of images [N H W C] are computed. Windows that overlap are
// pooled along one axis after the other, each a handful of strided slices.
// GoMLX v0.28.5 has no gradient for a reduce-window with dilation
// (core/graph/ops_pool.go: reduceWindowVJP).

// MaxTiles pools windows of the kernel's size that lie side by side in x [N H W C], height by
// width of them. The forward pass also finds which value of the window is the
// first largest, and the gradient goes there. XLA on the processor runs this
// more than twice as fast as a reduce-window with select-and-scatter.
func MaxTiles(x *graph.Node, kernel [2]int, height, width int) *graph.Node {
	size := x.Shape().Dimensions
	n, c := size[0], size[3]
	kh, kw := kernel[0], kernel[1]
	if size[1] != height*kh || size[2] != width*kw { // what fills no window
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, height*kh), graph.AxisRange(0, width*kw), graph.AxisRange())
	}
	var which *graph.Node // [N height width C], 0 to kh·kw-1
	forward := func(x *graph.Node) *graph.Node {
		var best *graph.Node
		for i := range kh * kw {
			value := graph.Slice(x, graph.AxisRange(), graph.AxisRange(i/kw, (height-1)*kh+i/kw+1).Stride(kh),
				graph.AxisRange(i%kw, (width-1)*kw+i%kw+1).Stride(kw), graph.AxisRange())
			if i == 0 {
				best, which = value, graph.ConvertDType(graph.ZerosLike(value), dtypes.Int32)
				continue
			}
			larger := graph.LogicalOr(graph.GreaterThan(value, best), isNaN(value))
			which = graph.Where(larger, graph.AddScalar(graph.ZerosLike(which), i), which)
			best = graph.Where(larger, value, best)
		}
		return best
	}
	backward := func(v *graph.Node) *graph.Node {
		spread := func(a *graph.Node) *graph.Node {
			return graph.BroadcastToDims(graph.Reshape(a, n, height, 1, width, 1, c), n, height, kh, width, kw, c)
		}
		tiles := shapes.Make(dtypes.Int32, n, height, kh, width, kw, c)
		index := graph.Add(graph.MulScalar(graph.Iota(v.Graph(), tiles, 2), kw), graph.Iota(v.Graph(), tiles, 4))
		all := spread(v)
		return graph.Reshape(graph.Where(graph.Equal(spread(which), index), all, graph.ZerosLike(all)), n, height*kh, width*kw, c)
	}
	return CustomGradient(x, forward, backward)
}

// MaxAlong takes the largest value of each window along the height (axis 0) or
// width (1) of x, of which there are places. The gradient goes to the first
// of several largest.
func (w Window) MaxAlong(x *graph.Node, axis, places int) *graph.Node {
	kernel, stride, dilation := w.Kernel[axis], w.Stride[axis], w.Dilation[axis]
	size := x.Shape().Dimensions[1+axis]
	before := w.Padding[axis][0]
	length := max((places-1)*stride+w.Span(axis), before+size)
	var which *graph.Node // 0 to kernel-1
	forward := func(x *graph.Node) *graph.Node {
		x = padAlong(x, axis, graph.Infinity(x.Graph(), x.DType(), -1), before, length-before-size, 0)
		var best *graph.Node
		for i := range kernel {
			value := everyAlong(x, axis, i*dilation, places, stride)
			if i == 0 {
				best, which = value, graph.ConvertDType(graph.ZerosLike(value), dtypes.Int32)
				continue
			}
			larger := graph.LogicalOr(graph.GreaterThan(value, best), isNaN(value))
			which = graph.Where(larger, graph.AddScalar(graph.ZerosLike(which), i), which)
			best = graph.Where(larger, value, best)
		}
		return best
	}
	backward := func(v *graph.Node) *graph.Node {
		var sum *graph.Node
		zero := graph.ScalarZero(v.Graph(), v.DType())
		for i := range kernel {
			part := graph.Where(graph.Equal(which, graph.AddScalar(graph.ZerosLike(which), i)), v, graph.ZerosLike(v))
			at := i * dilation
			part = padAlong(part, axis, zero, at, length-at-(places-1)*stride-1, stride-1)
			if sum == nil {
				sum = part
			} else {
				sum = graph.Add(sum, part)
			}
		}
		return everyAlong(sum, axis, before, size, 1)
	}
	return CustomGradient(x, forward, backward)
}

// SumAlong adds up each window along the height (axis 0) or width (1) of x, of
// which there are places.
func (w Window) SumAlong(x *graph.Node, axis, places int) *graph.Node {
	kernel, stride := w.Kernel[axis], w.Stride[axis]
	dims := x.Shape().Dimensions
	size, before := dims[1+axis], w.Padding[axis][0]
	if kernel == stride && before == 0 && places*kernel <= size {
		x = everyAlong(x, axis, 0, places*kernel, 1)
		split := append(append(append([]int{}, dims[:1+axis]...), places, kernel), dims[2+axis:]...)
		return graph.ReduceSum(graph.Reshape(x, split...), 2+axis)
	}
	length := max((places-1)*stride+w.Span(axis), before+size)
	x = padAlong(x, axis, graph.ScalarZero(x.Graph(), x.DType()), before, length-before-size, 0)
	var sum *graph.Node
	for i := range kernel {
		value := everyAlong(x, axis, i, places, stride)
		if i == 0 {
			sum = value
		} else {
			sum = graph.Add(sum, value)
		}
	}
	return sum
}

// Shares returns, for each place of an average's window along an axis, one
// over the number of values there. What hangs over the padding never counts;
// the padding counts unless own is set. PyTorch's avg_pool2d.
func (w Window) Shares(axis, size, places int, own bool) []float32 {
	out := make([]float32, places)
	for i := range out {
		from := i*w.Stride[axis] - w.Padding[axis][0]
		to := min(from+w.Kernel[axis], size+w.Padding[axis][0])
		if own {
			from, to = max(from, 0), min(to, size)
		}
		out[i] = 1 / float32(to-from)
	}
	return out
}

// AverageParts averages an axis of x to n parts that may overlap.
func AverageParts(x *graph.Node, axis, n int) *graph.Node {
	dims := x.Shape().Dimensions
	size := dims[axis]
	switch {
	case n == size:
		return x
	case size%n == 0:
		split := append(append(append([]int{}, dims[:axis]...), n, size/n), dims[axis+1:]...)
		return graph.ReduceMean(graph.Reshape(x, split...), axis+1)
	}
	shares := make([][]float32, size)
	for j := range shares {
		shares[j] = make([]float32, n)
	}
	for i := range n {
		from, to := i*size/n, ((i+1)*size+n-1)/n
		for j := from; j < to; j++ {
			shares[j][i] = 1 / float32(to-from)
		}
	}
	y := graph.DotGeneral(x, []int{axis}, nil, graph.ConvertDType(graph.Const(x.Graph(), shares), x.DType()), []int{0}, nil)
	order := make([]int, len(dims)) // the new axis is the last
	for i := range order {
		switch {
		case i < axis:
			order[i] = i
		case i == axis:
			order[i] = len(dims) - 1
		default:
			order[i] = i - 1
		}
	}
	return graph.TransposeAllAxes(y, order...)
}

// ScaleAlong multiplies x by a number for each place along an axis.
func ScaleAlong(x *graph.Node, axis int, by []float32) *graph.Node {
	same := true
	for _, v := range by {
		same = same && v == by[0]
	}
	if same {
		return graph.MulScalar(x, float64(by[0]))
	}
	dims := []int{1, 1, 1, 1}
	dims[axis] = len(by)
	factors := graph.ConvertDType(graph.Reshape(graph.Const(x.Graph(), by), dims...), x.DType())
	return graph.Mul(x, graph.BroadcastToDims(factors, x.Shape().Dimensions...))
}

// padAlong pads the height (axis 0) or width (1) of x, also between pixels.
func padAlong(x *graph.Node, axis int, fill *graph.Node, before, after, between int) *graph.Node {
	if before == 0 && after == 0 && between == 0 {
		return x
	}
	pads := make([]compute.PadAxis, 4)
	pads[1+axis] = compute.PadAxis{Start: before, End: after, Interior: between}
	return graph.Pad(x, fill, pads...)
}

// everyAlong takes n pixels along the height (axis 0) or width (1) of x,
// stride apart.
func everyAlong(x *graph.Node, axis, from, n, stride int) *graph.Node {
	if from == 0 && stride == 1 && n == x.Shape().Dimensions[1+axis] {
		return x
	}
	ranges := []graph.SliceAxisSpec{graph.AxisRange(), graph.AxisRange(), graph.AxisRange(), graph.AxisRange()}
	ranges[1+axis] = graph.AxisRange(from, from+(n-1)*stride+1).Stride(stride)
	return graph.Slice(x, ranges...)
}
