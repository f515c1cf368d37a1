package dl

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Sampling says how [Tensor.AffineGrid] and [Tensor.GridSample] take places
// between pixels. The zero value has PyTorch's defaults. Both of a pair must have
// the same AlignCorners.
type Sampling struct {
	Mode         string // "bilinear" or "nearest"; empty means bilinear
	Padding      string // what is outside of the image: "zeros", or its "border" or "reflection"; empty means zeros
	AlignCorners bool   // -1 and 1 are the middles of the outermost pixels, not the image's edges
}

// AffineGrid returns, for each pixel of images of a height and width, the place
// that the affine map t puts it at, as torch.nn.functional.affine_grid does.
//
//	t       [N 2 3]
//	result  [N height width 2]   x and y; the image is from -1 to 1 in both
func (t *Tensor) AffineGrid(height, width int, s Sampling) *Tensor {
	if len(t.shape) != 3 || t.shape[1] != 2 || t.shape[2] != 3 || !t.dtype.IsFloat() {
		panic(&ShapeError{Op: "AffineGrid", Got: t.shape, Want: "[N 2 3] floating-point numbers", Fix: "end the network with Linear{Out: 6} and Reshape(-1, 2, 3)"})
	}
	if height <= 0 || width <= 0 {
		panic(fmt.Errorf("dl: AffineGrid: height is %d and width %d, want both above 0", height, width))
	}
	return t.with("affinegrid", [3]any{height, width, s.AlignCorners}, func(x *node) *node {
		// Each pixel is [x y 1]; its place is the product with the map.
		pixels := make([]float32, 0, height*width*3)
		for i := range height {
			for j := range width {
				pixels = append(pixels, middle(j, width, s.AlignCorners), middle(i, height, s.AlignCorners), 1)
			}
		}
		base := graph.ConvertDType(graph.Reshape(graph.Const(x.t.graph, pixels), height*width, 3), x.DType())
		grid := graph.DotGeneral(x.value(), []int{2}, nil, base, []int{1}, nil) // [N 2 H·W]
		return x.With(graph.Reshape(graph.TransposeAllAxes(grid, 0, 2, 1), x.Dim(0), height, width, 2))
	})
}

// middle is where pixel i of n is, in an image from -1 to 1.
func middle(i, n int, corners bool) float32 {
	switch {
	case !corners:
		return float32(2*i+1)/float32(n) - 1
	case n == 1:
		return 0
	}
	return 2*float32(i)/float32(n-1) - 1
}

// GridSample takes the values of images at the places of a grid, between pixels by
// interpolation, as torch.nn.functional.grid_sample does.
//
//	t       [N C H W]
//	grid    [N H' W' 2]   x and y; the image is from -1 to 1 in both
//	result  [N C H' W']
//
// Gradients go to the images, and through the interpolation to the grid.
//
// Jaderberg et al., "Spatial Transformer Networks", NeurIPS 2015.
func (t *Tensor) GridSample(grid *Tensor, s Sampling) *Tensor {
	switch s.Mode {
	case "", "bilinear", "nearest":
	default:
		panic(fmt.Errorf("dl: GridSample: Mode is %q, want bilinear or nearest", s.Mode))
	}
	switch s.Padding {
	case "", "zeros", "border", "reflection":
	default:
		panic(fmt.Errorf("dl: GridSample: Padding is %q, want zeros, border or reflection", s.Padding))
	}
	if len(t.shape) != 4 {
		panic(wrongPool("GridSample", t.shape))
	}
	if g := grid.shape; len(g) != 4 || g[0] != t.shape[0] || g[3] != 2 || !grid.dtype.IsFloat() {
		panic(&ShapeError{Op: "GridSample: grid", Got: g, Want: fmt.Sprintf("[%d H W 2] floating-point numbers, a place x, y for each pixel of the result", t.shape[0]), Fix: "make it with AffineGrid"})
	}
	return several("gridsample", s, func(in []*node) []*node {
		return []*node{s.sample(in[0], in[1].to(Float32).value())}
	}, t, grid)[0]
}

// sample takes the values of x at the places of grid [N H' W' 2].
func (s Sampling) sample(x *node, grid *graph.Node) *node {
	in, to := x.Shape(), grid.Shape().Dimensions[:3]
	n, c, h, w := in[0], in[1], in[2], in[3]
	g := grid.Graph()
	at := func(axis, size int) *graph.Node { // in pixels, 0 the middle of the first
		v := graph.Reshape(graph.SliceAxis(grid, 3, graph.AxisElem(axis)), to...)
		if s.AlignCorners {
			v = graph.MulScalar(graph.AddScalar(v, 1), float64(size-1)/2)
		} else {
			v = graph.AddScalar(graph.MulScalar(graph.AddScalar(v, 1), float64(size)/2), -0.5)
		}
		return s.bounded(v, size)
	}
	column, row := at(0, w), at(1, h)
	image := graph.Reshape(x.channelsLast(), n*h*w, c)
	first := graph.MulScalar(graph.Iota(g, shapes.Make(Int32, to...), 0), h*w) // of each image
	// pick takes the pixels at whole rows and columns, 0 outside of the image.
	pick := func(row, column *graph.Node) *graph.Node {
		inside := graph.And(between0And(row, h), between0And(column, w))
		whole := func(v *graph.Node, size int) *graph.Node {
			return graph.ConvertDType(graph.ClipScalar(v, 0, float64(size-1)), Int32)
		}
		index := graph.Add(graph.Add(first, graph.MulScalar(whole(row, h), w)), whole(column, w))
		v := graph.Gather(image, graph.InsertAxes(index, -1)) // [N H' W' C]
		return graph.Where(graph.BroadcastToDims(graph.InsertAxes(inside, -1), v.Shape().Dimensions...), v, graph.ZerosLike(v))
	}
	if s.Mode == "nearest" {
		return x.withLast(pick(graph.StopGradient(graph.Round(row)), graph.StopGradient(graph.Round(column))))
	}
	top, left := graph.StopGradient(graph.Floor(row)), graph.StopGradient(graph.Floor(column))
	down, right := graph.Sub(row, top), graph.Sub(column, left)
	var y *graph.Node
	for i, rowShare := range []*graph.Node{graph.OneMinus(down), down} {
		for j, columnShare := range []*graph.Node{graph.OneMinus(right), right} {
			v := pick(graph.AddScalar(top, float64(i)), graph.AddScalar(left, float64(j)))
			share := graph.ConvertDType(graph.Mul(rowShare, columnShare), v.DType())
			v = graph.Mul(v, graph.BroadcastToDims(graph.InsertAxes(share, -1), v.Shape().Dimensions...))
			if y == nil {
				y = v
			} else {
				y = graph.Add(y, v)
			}
		}
	}
	return x.withLast(y)
}

// between0And tells which whole numbers are from 0 to size-1.
func between0And(v *graph.Node, size int) *graph.Node {
	zero := graph.ZerosLike(v)
	return graph.And(graph.GreaterOrEqual(v, zero), graph.LessThan(v, graph.AddScalar(zero, float64(size))))
}

// bounded moves places outside of an image onto its border, or mirrors them into
// it.
func (s Sampling) bounded(v *graph.Node, size int) *graph.Node {
	if s.Padding == "reflection" {
		low, span := -0.5, float64(size)
		if s.AlignCorners {
			low, span = 0, float64(size-1)
		}
		if span == 0 {
			return graph.ZerosLike(v)
		}
		away := graph.Abs(graph.AddScalar(v, -low))
		turns := graph.StopGradient(graph.Floor(graph.MulScalar(away, 1/span)))
		rest := graph.Sub(away, graph.MulScalar(turns, span))
		odd := graph.Sub(turns, graph.MulScalar(graph.Floor(graph.MulScalar(turns, 0.5)), 2))
		even := graph.AddScalar(rest, low)
		back := graph.AddScalar(graph.Neg(rest), span+low)
		v = graph.Where(graph.GreaterThan(odd, graph.ZerosLike(odd)), back, even)
	}
	if s.Padding == "border" || s.Padding == "reflection" {
		most := graph.AddScalar(graph.ZerosLike(v), float64(size-1))
		v = graph.Where(graph.LessThan(v, graph.ZerosLike(v)), graph.ZerosLike(v), graph.Where(graph.GreaterThan(v, most), most, v))
	}
	return v
}
