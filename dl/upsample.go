package dl

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// Upsample makes images larger or smaller by interpolation, as torch.nn.Upsample
// and torch.nn.functional.interpolate do.
//
//	input   [N C H W]
//	output  [N C H·Scale W·Scale], rounded down; or [N C Size[0] Size[1]]
//
// An input of another rank is a [*ShapeError].
type Upsample struct {
	Scale        float64 // how much larger; required, or Size
	Size         HW      // height and width of the output, in pixels, in place of Scale
	Mode         string  // "nearest" or "bilinear"; empty means nearest
	AlignCorners bool    // bilinear only: the middles of the corner pixels stay, not the outer corners

	place
}

// Forward applies the layer.
func (u Upsample) Forward(x *Tensor) *Tensor { return forward(u, x) }

func (u Upsample) forward(x *node) *node { return u.seen(u.text(), 0, u.of(x)) }

// text describes the layer as PyTorch prints it.
func (u Upsample) text() string {
	mode := u.Mode
	if mode == "" {
		mode = "nearest"
	}
	if u.Size == (HW{}) {
		return fmt.Sprintf("Upsample(scale_factor=%s, mode='%s')", float(u.Scale), mode)
	}
	return fmt.Sprintf("Upsample(size=%s, mode='%s')", u.Size, mode)
}

func (u Upsample) of(x *node) *node {
	in := x.Shape()
	out, err := u.Output(in)
	if err != nil {
		panic(err)
	}
	rows, columns := out[2]/max(in[2], 1), out[3]/max(in[3], 1)
	if u.Mode != "bilinear" && rows*in[2] == out[2] && columns*in[3] == out[3] {
		// Each pixel becomes a rectangle.
		y := graph.Reshape(x.channelsLast(), in[0], in[2], 1, in[3], 1, in[1])
		y = graph.BroadcastToDims(y, in[0], in[2], rows, in[3], columns, in[1])
		return x.withLast(graph.Reshape(y, in[0], out[2], out[3], in[1]))
	}
	// Along each axis, every pixel of the output is a mean of one or two of the
	// input: a product with a matrix, whose gradient is one too.
	y := x.value()
	for i := range 2 {
		m := graph.ConvertDType(u.weights(y.Graph(), i, in[2+i], out[2+i]), y.DType())
		y = graph.DotGeneral(y, []int{2}, nil, m, []int{1}, nil) // [N C H W] → [N C W H'] → [N C H' W']
	}
	return x.With(y)
}

// weights returns the matrix [to from] of one axis.
func (u Upsample) weights(g *graph.Graph, axis, from, to int) *graph.Node {
	step := float64(from) / float64(to) // pixels of the input for one of the output
	if u.Size == (HW{}) {
		step = 1 / u.Scale // as PyTorch has it, also where the size was rounded
	}
	low, high, share := make([]int32, to), make([]int32, to), make([]float32, to)
	for i := range to {
		at := float64(float32(i) * float32(step)) // nearest is rounded in float32, as in PyTorch
		if u.Mode == "bilinear" {
			switch {
			case !u.AlignCorners:
				at = max(0, (float64(i)+0.5)*step-0.5)
			case to > 1:
				at = float64(i) * float64(from-1) / float64(to-1)
			default:
				at = 0
			}
		}
		at = min(at, float64(from-1))
		low[i] = int32(math.Floor(at))
		high[i] = min(low[i]+1, int32(from-1))
		if u.Mode == "bilinear" {
			share[i] = float32(at - math.Floor(at))
		}
	}
	pick := func(of []int32) *graph.Node { return graph.OneHot(graph.Const(g, of), from, Float32) }
	m := pick(low)
	if u.Mode == "bilinear" {
		s := graph.BroadcastToDims(graph.Reshape(graph.Const(g, share), to, 1), to, from)
		m = graph.Add(graph.Mul(m, graph.OneMinus(s)), graph.Mul(pick(high), s))
	}
	return m
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (u Upsample) Output(in Shape) (Shape, error) {
	op := u.label("Upsample")
	switch {
	case u.Mode != "" && u.Mode != "nearest" && u.Mode != "bilinear":
		return nil, fmt.Errorf("dl: %s: Mode is %q, want nearest or bilinear", op, u.Mode)
	case u.AlignCorners && u.Mode != "bilinear":
		return nil, fmt.Errorf("dl: %s: AlignCorners is set and Mode is %q, want bilinear, which alone has it", op, u.Mode)
	case u.Size != (HW{}) && (u.Scale != 0 || u.Size[0] <= 0 || u.Size[1] <= 0), u.Size == (HW{}) && !(u.Scale > 0):
		return nil, fmt.Errorf("dl: %s: Scale is %v and Size %v, want one of the two, above 0; write Upsample{Scale: 2}", op, u.Scale, u.Size)
	case len(in) != 4:
		return nil, wrongPool(op, in)
	}
	out := Shape{in[0], in[1], u.Size[0], u.Size[1]}
	if u.Size == (HW{}) {
		for i := range 2 {
			if out[2+i] = int(math.Floor(float64(in[2+i]) * u.Scale)); out[2+i] == 0 {
				return nil, &ShapeError{Op: op, Got: in, Want: fmt.Sprintf("a picture that Scale %v leaves pixels of", u.Scale)}
			}
		}
	}
	return out, nil
}

// Upsample makes images [N C H W] larger or smaller as the layer u does, like
// torch.nn.functional.interpolate.
func (t *Tensor) Upsample(u Upsample) *Tensor {
	return layerFunc(t, u, func(u Upsample, x *node) *node { return u.of(x) })
}
